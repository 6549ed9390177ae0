"""Template of view ops: one tensor in, one tensor of the same memory out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torsh._versions import InferenceVersion
from torsh.autograd import engine
from torsh.autograd._forward import keep
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state, through_modes, unallocatable
from torsh.ops._calls import MISTAKES, rearranged
from torsh.ops._docs import dressed_as
from torsh.ops._op import Op
from torsh.ops._overriding import asked, override_of, overriding
from torsh.ops._record import Plan
from torsh.tensor import Tensor, Version, check_writable, memory_of, new, version_of

_numbers = engine._numbers


class View(Op):
    """An op whose result looks at the memory of its first argument, with the same element type."""

    _plan: Plan | None = None

    def _run(self, input: Tensor, *params: Any) -> Tensor:
        root, made = input._base, None
        if root is None:
            root = input
        elif input._replay is not None:
            return self._replayed(input, params)  # type: ignore[no-any-return]
        else:
            made = input._made
        k = input._kind
        r = self.kernels[k](input._data, *params)
        if type(r) is not k.raw_type:
            r = k.as_raw(r)
        out = new(Tensor)
        out._data = r
        out._kind = k
        out._rg = False
        out._base = root
        vc = root._vc
        if vc is None:
            vc = root._vc = Version((root._gf, root._nr) if root._gf is not None else None, root._kept)
        out._vc = vc
        out._gf_version = vc.version
        if made is not None:
            out._made = made
        if input._rg and self.grads:
            if thread.enabled:
                self._record(input, params, out)
            else:
                unrecorded(out)
        return out

    def _replayed(self, input: Tensor, params: tuple[Any, ...]) -> Any:
        """The same of a view that geometry cannot describe; a pending conjugation or negation stays pending."""
        k = input._kind
        found = self.kernels[k](memory_of(input), *params)
        several = type(found) is tuple or type(found) is list
        root = input._base
        assert root is not None
        vc = version_of(root)
        outs = []
        for i, r in enumerate(found if several else (found,)):
            if type(r) is not k.raw_type:
                r = k.as_raw(r)
            if input._bits:
                out = new(type(input))
                out._memory, out._bits = r, input._bits
            else:
                out = new(Tensor)
                out._data = r
            out._kind = k
            out._base, out._vc, out._gf_version = root, vc, vc.version
            out._replay = replayed(input, self, params, i if several else None)
            out._made = "multi" if several and thread.enabled else input._made
            outs.append(out)
        if input._rg and self.grads and outs:
            if thread.enabled:
                self.record((input, *params), outs)
            else:
                for out in outs:
                    unrecorded(out)
        return tuple(outs) if several else outs[0]

    def _record(self, input: Tensor, params: tuple[Any, ...], out: Tensor) -> None:
        """``Op.record``, written out for one input and rules that need parameters and the input's shape only."""
        plan = self._plan
        if plan is None:
            plan = Plan(self, (True, *(False,) * len(params)), 1)
            if any(what is True or (not what and j == 0) for what, j in plan.takes):
                self.record((input, *params), (out,))
                return
            self._plan = plan
        node = new(plan.node_type)
        node.seq = next(_numbers)
        gf = input._gf if input._base is None else input.grad_fn
        node.edges = (input if gf is None else gf,)
        if input._nr:
            node.numbers = (input._nr,)
        node.saved = tuple([params[j - 1] if not what else tuple(input._data.shape) for what, j in plan.takes])
        out._gf = node
        out._rg = True


class Parts(View):
    """An op whose results are several views of its first argument."""

    def _run(self, input: Tensor, *params: Any) -> Any:
        if input._replay is not None:
            return self._replayed(input, params)
        k = input._kind
        root = input._base
        if root is None:
            root = input
        vc = root._vc
        if vc is None:
            vc = root._vc = Version((root._gf, root._nr) if root._gf is not None else None, root._kept)
        outs = []
        for r in self.kernels[k](input._data, *params):
            out = new(Tensor)
            out._data = r if type(r) is k.raw_type else k.as_raw(r)
            out._kind = k
            out._rg = False
            out._base = root
            out._vc = vc
            out._gf_version = vc.version
            if thread.enabled:
                out._made = "multi"
            elif input._rg:
                unrecorded(out)
            outs.append(out)
        if input._rg and thread.enabled and outs:
            self.record((input, *params), outs)
        return tuple(outs)


def unrecorded(view: Tensor) -> None:
    """Mark a view that was made while nothing is recorded, of a tensor that requires grad: it requires grad if its base
    does, has no history, and must not be written to while recording.
    """
    assert view._base is not None
    view._rg = view._base._rg and type(view._vc) is not InferenceVersion  # what inference mode made is never recorded
    if view._made is None:
        view._made = "no_grad"


def replayed(input: Tensor, op: Op, params: tuple[Any, ...], part: int | None = None) -> Callable[[Tensor], Tensor]:
    """How to make a view of a view again from its base, where geometry cannot say it."""
    before = input._replay
    assert before is not None
    if part is None:
        return lambda base: op(before(base), *params)
    return lambda base: op(before(base), *params)[part]


def view(
    paths: str,
    *,
    name: str | None = None,
    args: str | None = None,
    grad: Callable[..., Any] | None = None,
    meta: Callable[..., Any] | None = None,
    decompose: Callable[..., Any] | None = None,
    inplace: bool = False,
    several: bool = False,
    node_name: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a view op.  The body returns the tensor and the normalised parameters, or a finished tensor.

    several: whether the result is a tuple of views.  inplace: whether there is a form that changes the tensor's own shape and strides (``transpose_``).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        names = args.split() if args is not None else list(inspect.signature(fn).parameters)
        op = (Parts if several else View)(
            name or fn.__name__, None, names, grads={names[0]: grad} if grad else None, meta=meta, decompose=decompose,
            paths=paths.split(), tags=("view",) if grad else ("view", "nondifferentiable"), node_name=node_name, doc=fn.__doc__,
        )  # fmt: skip
        run = op._run

        @dressed_as(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(public, a, k)
            try:
                normal = fn(*a, **k) if k else fn(*a)
            except MISTAKES:
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (other := rearranged(fn, a, k, op)) is None:
                    raise
                normal = fn(*other[0], **other[1])
            if type(normal) is not tuple:
                return normal
            try:
                return through_modes(op, normal, run) if state.busy else run(*normal)
            except ValueError as e:
                raise unallocatable(e) from e.__cause__

        op.fn = public
        op.inplace = metadata_inplace(op.name, public) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        return public

    return declare


def metadata_inplace(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a view: the tensor itself gets the view's shape and strides; its memory stays as it is."""
    name += "_"

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if state.overrides and (handler := asked((self, *args), kwargs)) is not None:
            return handler(inplace, (self, *args), kwargs)  # type: ignore[no-any-return]
        if type(self) is not Tensor and hasattr(self, "_become"):  # sparse and the like: the geometry is theirs to keep
            return self._assign(fn(self, *args, **kwargs), name)  # type: ignore[attr-defined, no-any-return]
        check_writable(self, name)
        if hasattr(self, "_physical"):  # an example under vmap: the batch behind it has the history
            source = self._alias_with_history()
        else:
            source = self._alias()
            source._gf, source._nr, source._rg = self.grad_fn, self._nr, self._rg
        if state.levels:
            keep(self, source)
        out = fn(source, *args, **kwargs)
        if self._bits:
            self._memory = out._memory
        else:
            self._data = out._data
            if hasattr(out, "_physical"):  # an example under vmap: the batch behind it, too
                self._physical = out._physical
        if (before := self._replay) is not None:
            self._replay = lambda base: fn(before(base), *args, **kwargs)
        if out._rg and thread.enabled:
            self._gf, self._nr, self._rg = out._gf, out._nr, True
        self._bump(name)
        self._gf_version = self._vc.version  # type: ignore[union-attr]
        return keep(out, self) if state.levels else self

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = (
        f"In-place form of :func:`{name[:-1]}`: changes the tensor's own shape and strides, not its memory.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}.html"
    )
    return inplace


__all__ = ["View", "metadata_inplace", "view"]
