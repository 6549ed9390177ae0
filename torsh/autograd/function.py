"""``autograd.Function``: operations with a gradient written by the user.

Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd._forward import Level, below, detached, levels, switch
from torsh.autograd.engine import FREED, Node, edge_of, fit
from torsh.autograd.grad_mode import enable_grad, no_grad, thread
from torsh.dispatch import modes, state
from torsh.ops._saved import RawSaved, SavedOutput, save, unpack
from torsh.tensor import Tensor, version_of


class _Around(threading.local):
    """How many function transforms (torsh.func) call a function now, and whether forward-mode derivatives are being taken."""

    transforms: int = 0
    forward_mode: int = 0


around = _Around()


def fresh_leaf(t: Any) -> Any:
    """A new leaf of a tensor's values that requires grad.  Nobody has a view of it, so nobody has to be told (unlike ``requires_grad_``)."""
    leaf = detached(t)
    leaf._rg = True
    return leaf


class FunctionCtx:
    """What ``forward`` gets as ``ctx``: a place to keep things for ``backward``."""

    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materialize: bool = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs (or None) for ``backward``, where ``ctx.saved_tensors`` gives them."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type {type(t).__name__}"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``jvp``."""
        self._for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Name the inputs that ``forward`` wrote to; they must be returned."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Name the outputs that have no gradient."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True, the default) or None for outputs nobody used."""
        self._materialize = value


class BackwardCFunction(Node, FunctionCtx):
    """The node of one call of a Function, which is also its ``ctx``."""

    _forward_cls: Any = None
    _needs: tuple[bool, ...] = ()  # per argument of forward: is its gradient wanted
    _is_tensor: tuple[bool, ...] = ()  # per argument of forward
    _shapes: Sequence[tuple[int, ...]] = ()  # of the tensors among them
    _kinds: Sequence[Any] = ()
    _metas: Sequence[Any] = ()  # (shape, kind) of each output, None for what is no tensor

    _for_forward: Any = None
    _in_jvp: bool = False

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept (``save_for_forward`` inside ``jvp``).  Raises RuntimeError after it was freed or if it was
        written to since."""
        if self._in_jvp:
            return tuple(self._for_forward or ())
        if self.saved is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
                "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
                "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
                "saved tensors after calling backward."
            )
        return tuple(unpack(self, v) for v in self.saved)

    saved_variables = saved_tensors

    @property
    def _raw_saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept, packed: hooks can be put on each."""
        if self.saved is FREED:
            return self.saved_tensors  # raises
        return tuple(RawSaved(self, i) for i in range(len(self.saved)))

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of ``forward`` whether its gradient is wanted."""
        return self._needs

    def apply(self, grads: Any) -> Sequence[Any]:
        given = [grads] if self.outputs == 1 else list(grads)
        if self._materialize:
            given = [_zeros(*m) if g is None and m is not None else g for g, m in zip(given, self._metas)]
        cls = self._forward_cls
        if around.forward_mode and cls.jvp is not Function.jvp:
            return self._transposed(given)
        user = cls.backward if cls.backward is not Function.backward else cls.vjp
        if user is cls.backward and cls.vjp is not Function.vjp:
            raise RuntimeError(
                f"Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them "
                f"({cls.__name__} has both)."
            )
        if state.autocasts:
            from torsh.amp import _casting

            with _casting.switched_on():
                found = user(self, *given)
        else:
            found = user(self, *given)
        if not isinstance(found, tuple):
            found = (found,)
        expected = len(self._is_tensor)
        if len(found) > expected and all(g is None for g in found[expected:]):
            found = found[:expected]
        if len(found) != expected:
            raise RuntimeError(
                f"function {cls.__name__}Backward returned an incorrect number of gradients (expected {expected}, got "
                f"{len(found)}): backward must return one per argument of forward, None for those without a gradient"
            )
        grads = []
        for i, (g, is_tensor) in enumerate(zip(found, self._is_tensor)):
            if not is_tensor:
                if g is not None:
                    raise RuntimeError(
                        f"function {cls.__name__}Backward returned a gradient different than None at position {i + 1}, but the "
                        "corresponding forward input was not a Variable"
                    )
                continue
            if g is not None and not isinstance(g, Tensor):
                raise RuntimeError(
                    f"expected Variable or None (got {type(g).__name__}): backward of {cls.__name__} must return tensors, or None"
                )
            grads.append(g)
        return self._checked(grads)

    def _transposed(self, cotangents: list[Any]) -> list[Any]:
        """The adjoint of the user's ``jvp``: forward mode differentiates it with respect to the cotangents, which gives ``jvp`` back."""
        from torsh.autograd import grad

        with enable_grad():
            probes = [
                _zeros(s, k).add_(1).requires_grad_() if k.inexact else None for s, k in zip(self._shapes, self._kinds)
            ]
            each = iter(probes)
            tangents = [next(each) if is_tensor else None for is_tensor in self._is_tensor]
            self._in_jvp = True
            try:
                found = self._forward_cls.jvp(self, *tangents)
            finally:
                self._in_jvp = False
            outs = list(found) if isinstance(found, tuple) else [found]
            pairs = [(o, c) for o, c in zip(outs, cotangents) if isinstance(o, Tensor) and o._rg and c is not None]
            wanted = [p for p in probes if p is not None]
            if not pairs:
                return [None] * len(probes)
            grads = iter(
                grad([o for o, _ in pairs], wanted, [c for _, c in pairs], create_graph=True, allow_unused=True)
            )
        return [None if p is None else next(grads) for p in probes]

    def _checked(self, grads: list[Any]) -> list[Any]:
        """Bring gradients to their inputs' shape and dtype, or say which one cannot be brought."""
        for i, (g, shape, kind) in enumerate(zip(grads, self._shapes, self._kinds)):
            if g is None or (tuple(g.shape) == shape and (g.dtype is kind.dtype or not kind.inexact)):
                continue
            try:
                grads[i] = fit(g, shape, kind) if kind.inexact else g.sum_to_size(shape)
            except RuntimeError:
                raise RuntimeError(
                    f"Function {type(self).__name__} returned an invalid gradient at index {i} - got {list(g.shape)} but expected "
                    f"shape compatible with {list(shape)}"
                ) from None
        return grads


def _zeros(shape: tuple[int, ...], kind: Any) -> Tensor:
    from torsh.ops.creation import make_full

    return make_full(shape, 0, kind.dtype, kind.device, False)


class _FunctionMeta(type):
    """Gives every Function its own node class, named as PyTorch names it."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._backward_cls = type(  # type: ignore[attr-defined]
            name + "Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": cls.__module__}
        )


class Function(metaclass=_FunctionMeta):
    """Base class of operations with their own gradient.

    Define the static methods ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)`` (or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``) and call ``MyFunction.apply(*args)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.Function.html

    >>> import torsh
    >>> class Square(torsh.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = torsh.tensor([3.], requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor([6.])
    """

    generate_vmap_rule = False
    _of_operator = False  # made for a custom operator (torsh.library)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep what ``backward`` needs; used where ``forward`` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """One gradient per argument of ``forward``, None for those without."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode "
            "AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The directional derivative, for forward mode."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The batched form."""
        raise NotImplementedError("To use autograd.Function with vmap, you must define its vmap staticmethod.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with static "
            "forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and record ``backward`` for it."""
        if state.busy and any(hasattr(a, "_physical") for a in args):
            from torsh.func._custom import apply_function

            return apply_function(cls, args)
        if around.transforms and cls.setup_context is Function.setup_context and not cls._of_operator:
            raise RuntimeError(
                "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the "
                f"setup_context staticmethod: split {cls.__name__}.forward(ctx, ...) into forward(...) and setup_context(ctx, inputs, "
                "output). For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
            )
        node = cls._backward_cls()  # type: ignore[attr-defined]
        pushed = _pushed(args) if state.levels and switch.enabled else []
        tensors = [a for a in args if isinstance(a, Tensor)]
        tracked = thread.enabled and any(t._rg for t in tensors)
        node._needs = tuple(isinstance(a, Tensor) and a._rg for a in args)
        node._is_tensor = tuple(isinstance(a, Tensor) for a in args)
        node._shapes = [tuple(t.shape) for t in tensors]
        node._kinds = [t._kind for t in tensors]
        # Edges before forward: it may write to its inputs, which changes their history.
        edges = [edge_of(t) if t._rg else (None, 0) for t in tensors]
        node.edges = tuple(e for e, _ in edges)
        node.numbers = tuple(n for _, n in edges)
        versions = [0 if t._vc is None else t._vc.version for t in tensors]
        with no_grad(), _NoTangents():
            if cls.setup_context is not Function.setup_context:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, result)
            else:
                result = cls.forward(node, *args, **kwargs)
        outs = list(result) if isinstance(result, tuple) else [result]
        if node._dirty:
            _check_dirty(node._dirty, outs, tracked)
        if cls.setup_context is not Function.setup_context:
            _check_returned(cls, (*node._to_save, *(node._for_forward or ())), tensors, outs, node._dirty)
        node.outputs = len(outs)
        for i, out in enumerate(outs):
            if isinstance(out, Tensor):
                outs[i] = cls._mark(node, i, out, tensors, tracked)
        if tracked:
            views = [
                o for o in outs if isinstance(o, Tensor) and o._base is not None and not any(o is t for t in tensors)
            ]
            several = sum(isinstance(o, Tensor) and o._rg for o in outs) > 1
            for out in views:  # a write to one would put the view's own history in the place of this function's
                out._made = "multi" if several else "custom"
        elif thread.enabled:
            for out in outs:
                if isinstance(out, Tensor) and out._base is not None and not any(out is t for t in tensors):
                    out._made = "custom"
        node._metas = [(tuple(o.shape), o._kind) if isinstance(o, Tensor) else None for o in outs]
        if tracked:
            node.saved = tuple(_keep(node, t, result, outs, tensors) for t in node._to_save)
        for t, v in zip(tensors, versions):
            if any(t is d for d in node._dirty) and (0 if t._vc is None else t._vc.version) == v:
                t._bump(cls.__name__)
        node.__dict__.pop("_to_save", None)
        for level, tangents in pushed:
            with below(level):
                cls._push(node, level, args, tangents, outs, list(result) if isinstance(result, tuple) else [result])
        return tuple(outs) if isinstance(result, tuple) else outs[0]

    @classmethod
    def _push(
        cls, node: Any, level: Level, args: tuple[Any, ...], tangents: list[Any], outs: list[Any], results: list[Any]
    ) -> None:
        """Give the outputs of a call their tangents of one level of forward mode, by the user's ``jvp``."""
        given = [
            _zeros(tuple(a.shape), a._kind)
            if d is None and node._materialize and isinstance(a, Tensor) and a._kind.inexact
            else d
            for a, d in zip(args, tangents)
        ]
        node._in_jvp = True
        try:
            found = cls.jvp(node, *given)
        finally:
            node._in_jvp = False
        found = list(found) if isinstance(found, tuple) else [found]
        if len(found) != len(outs):
            raise RuntimeError(
                f"function {cls.__name__}.jvp returned an incorrect number of forward gradients (expected {len(outs)}, got "
                f"{len(found)}): it must return one per output of forward, None for those without"
            )
        for i, (out, result, d) in enumerate(zip(outs, results, found)):
            differentiable = (
                isinstance(out, Tensor) and out._kind.inexact and not any(result is n for n in node._non_differentiable)
            )
            if d is None or not differentiable:
                if d is not None:
                    raise RuntimeError(
                        f"A custom Function's jvp ({cls.__name__}) returned a forward gradient for output {i}, which is not "
                        "differentiable. You should return None at that position instead."
                    )
                if (
                    isinstance(out, Tensor) and level.of(out) is not None
                ):  # written in place: the tangent it had is gone
                    level.give(out, _zeros(tuple(out.shape), out._kind))
                continue
            if not isinstance(d, Tensor):
                raise TypeError(f"{cls.__name__}.jvp must return tensors or None, got {type(d).__name__}")
            if tuple(d.shape) != tuple(out.shape):
                raise RuntimeError(
                    f"{cls.__name__}.jvp returned a forward gradient of shape {list(d.shape)} for an output of shape {list(out.shape)}"
                )
            at = next((k for k, a in enumerate(args) if a is result), None)
            if any(result is w for w in node._dirty):
                if at is not None and tangents[at] is not None and given[at] is not d:
                    raise RuntimeError(
                        "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is modifying an "
                        "input inplace, then the jvp function must modify the corresponding gradient inplace."
                    )
                stand_in = out._alias()
                level.give(stand_in, d)
                level.write(out, stand_in)
                continue
            _check_view(result, args, tangents, d)
            level.give(out, d)

    @classmethod
    def _mark(cls, node: Any, i: int, out: Tensor, inputs: list[Tensor], tracked: bool) -> Tensor:
        """Attach the node to one output; an input returned as it is becomes a view unless it is marked dirty."""
        dirty = any(out is d for d in node._dirty)
        if any(out is t for t in inputs) and not dirty:
            out = out._alias() if not tracked else out.view_as(out)
            out._rg, out._gf = False, None
        if dirty and tracked and any(out is n for n in node._non_differentiable):
            return out.detach()
        if not tracked or any(out is n for n in node._non_differentiable) or not out._kind.inexact:
            return out
        if dirty and out._base is not None:
            stand_in = out._alias()
            stand_in._gf, stand_in._nr, stand_in._rg = node, i, True
            from torsh.autograd.views import rebase

            rebase(out, stand_in)
            return out
        out._gf, out._nr, out._rg = node, i, True
        if out._vc is not None:
            out._gf_version = version_of(out).version
        return out


def _check_dirty(dirty: tuple[Any, ...], outs: list[Any], tracked: bool) -> None:
    """What forward wrote to must be among its outputs, and must be no leaf that requires grad."""
    for t in dirty:
        if not any(t is out for out in outs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
                "inplace must all be outputs of the Function."
            )
        if tracked and t._rg and t._gf is None and t._base is None:
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation. Clone it before the call"
            )


def _check_returned(
    cls: Any, kept: Sequence[Any], inputs: list[Tensor], outs: list[Any], dirty: tuple[Any, ...]
) -> None:
    """An input that is an output too cannot be kept by ``setup_context``: which of the two is meant is not known there."""
    for t in kept:
        if (
            t is not None
            and any(t is x for x in inputs)
            and any(t is o for o in outs)
            and not any(t is d for d in dirty)
        ):
            raise RuntimeError(
                "An input that has been returned as-is as output is being saved for backward. This is not supported if you override "
                f"setup_context. You should return and save a view of the input instead, e.g. with x.view_as(x), in {cls.__name__}.forward, "
                "or do the saving inside forward(ctx, ...)."
            )


def inside_transform() -> bool:
    """Whether a function that torsh.func transforms (``grad``, ``jvp``, ``vmap``) is being called."""
    return around.transforms > 0 or (bool(state.busy) and any(type(m).__name__ == "VmapMode" for m in modes()))


class _NoTangents:
    """Around a Function's forward: what it computes gets no tangents, ``jvp`` gives those of its outputs."""

    def __enter__(self) -> None:
        self.before, switch.enabled = switch.enabled, False

    def __exit__(self, *exc: object) -> None:
        switch.enabled = self.before


def _pushed(args: tuple[Any, ...]) -> list[tuple[Level, list[Any]]]:
    """The levels of forward mode for which an argument has a tangent, outermost first, with the tangents of all arguments."""
    found = []
    for level in levels():
        tangents = [level.of(a) if isinstance(a, Tensor) else None for a in args]
        if any(t is not None for t in tangents):
            found.append((level, tangents))
    return found


def _check_view(result: Tensor, args: tuple[Any, ...], tangents: list[Any], d: Tensor) -> None:
    """Raise where forward returns a view of an input (or the input itself) and ``jvp`` no such view of the input's tangent."""
    for a, t in zip(args, tangents):
        if t is None or hasattr(t, "_physical"):
            continue
        viewed = result is a or (result._base is not None and result._base is (a if a._base is None else a._base))
        if not viewed:
            continue
        what = "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a view"
        if d._base is None:
            raise RuntimeError(f"{what}.")
        if d._base is not (t if t._base is None else t._base):
            of = "of the given" if a._base is None else "of the same base as the given"
            raise RuntimeError(f"{what} {of} forward gradient.")


def _keep(node: Any, t: Any, result: Any, outs: list[Any], inputs: list[Tensor]) -> Any:
    if t is None:
        return None
    before = list(result) if isinstance(result, tuple) else [result]
    for i, (was, out) in enumerate(zip(before, outs)):
        if (t is was or t is out) and isinstance(out, Tensor) and not any(t is x for x in inputs):
            return SavedOutput(out, i)
    return save(t)


class InplaceFunction(Function):
    """A Function with an ``inplace`` flag; kept for old programs."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Kept for old programs; arguments are passed as they are."""


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` as not differentiable itself: differentiating its result raises RuntimeError.

    >>> import torsh
    >>> from torsh.autograd.function import once_differentiable
    >>> class Double(torsh.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor([2.])
    """

    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        if not thread.enabled or not any(isinstance(a, Tensor) and a._rg for a in args):
            return outputs
        many = isinstance(outputs, tuple)
        results = outputs if many else (outputs,)
        marked = []
        for r in results:
            if isinstance(r, Tensor):
                r = r.detach()
                r._gf, r._rg = _OnceError(), True
            marked.append(r)
        return tuple(marked) if many else marked[0]

    return wrapper


class _OnceError(Node):
    """Stands where a result that must not be differentiated would be."""

    def apply(self, grads: Any) -> Sequence[Any]:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
