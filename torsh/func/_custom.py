"""Batching of what users define: ``autograd.Function`` and custom operators with a ``vmap`` of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torsh.dispatch import modes
from torsh.func._batched import Batched, VmapMode, at_level, batched, physical, without
from torsh.func._tree import flatten, spread, unflatten
from torsh.tensor import Tensor


class VmapInfo(NamedTuple):
    """What a user's ``vmap`` is told about the batch."""

    batch_size: int
    randomness: str


def unwrapped(mode: VmapMode, a: Any) -> tuple[Any, Any]:
    """(an argument with its batch as an ordinary dimension, which dimension that is: 0, or None where there is none)."""
    if at_level(a, mode.level):
        return a._physical, 0
    if type(a) in (list, tuple) and any(isinstance(x, Tensor) for x in a):
        pairs = [unwrapped(mode, x) for x in a]
        return type(a)(p for p, _ in pairs), type(a)(d for _, d in pairs)
    return a, None


def wrapped(mode: VmapMode, result: Any, dims: Any) -> Any:
    """What a user's ``vmap`` gave, as examples: ``dims`` says where the batch is in each tensor, one for all or in a structure."""
    leaves, spec = flatten(result)
    where = spread(tuple(dims) if isinstance(dims, list) and isinstance(result, tuple) else dims, spec)
    if where is None:
        raise RuntimeError(
            f"The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) tuple. Expected out_dims={dims} to be "
            f"compatible with the structure of `output`. out_dims has structure {flatten(dims)[1]} but output has structure {spec}. For "
            "more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
        )
    if not all(d is None or isinstance(d, int) for d in where):
        raise RuntimeError(f"vmap: out_dims must be integers or None, got {dims}")
    made = [
        t if d is None or not isinstance(t, Tensor) else batched(t.movedim(d, 0), mode.level)
        for t, d in zip(leaves, where)
    ]
    return unflatten(made, spec)


def rule_of_function(fn: Callable[[VmapInfo, Any, Any], Any]) -> Callable[..., Any]:
    """The batching rule that asks ``fn(info, in_dims, args)`` for (result, out_dims)."""

    def rule(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
        pairs = [unwrapped(mode, a) for a in args]
        found = fn(VmapInfo(mode.size, mode.randomness), tuple(d for _, d in pairs), [p for p, _ in pairs])
        if not (isinstance(found, tuple) and len(found) == 2):
            raise RuntimeError(
                "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with "
                "the output."
            )
        return wrapped(mode, *found)

    return rule


# ---- autograd.Function -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def examples(size: int, randomness: str) -> Iterator[VmapMode]:
    """A level of ``vmap`` of its own."""
    from torsh.func._vmap import _Level

    with _Level() as level, VmapMode(level, size, randomness) as mode:
        yield mode


def apply_function(cls: Any, args: tuple[Any, ...]) -> Any:
    """``Function.apply`` on examples: by the Function's ``vmap``, or with its methods run under ``vmap`` (``generate_vmap_rule``)."""
    from torsh.autograd.function import Function

    more = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"
    if cls.setup_context is Function.setup_context:
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the "
            f"setup_context staticmethod: split {cls.__name__}.forward(ctx, ...) into forward(...) and setup_context(ctx, inputs, "
            f"output). {more}"
        )
    own = cls.vmap is not Function.vmap
    if cls.generate_vmap_rule and own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overridden vmap staticmethod. Please "
            f"set generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity. {more}"
        )
    if not cls.generate_vmap_rule and not own:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement the vmap "
            f"staticmethod or set generate_vmap_rule=True. {more}"
        )
    level = max(a._level for a in args if type(a) is Batched)
    mode = next(m for m in modes() if isinstance(m, VmapMode) and m.level == level)
    pairs = [unwrapped(mode, a) for a in args]
    values, dims = [p for p, _ in pairs], tuple(d for _, d in pairs)
    with without(mode):
        if own:
            found = cls.vmap(VmapInfo(mode.size, mode.randomness), dims, *values)
            if not (isinstance(found, tuple) and len(found) == 2):
                raise RuntimeError(
                    "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with "
                    "the output."
                )
            out, out_dims = found
        else:
            out_dims = []
            out = _generated(cls, mode, dims, out_dims).apply(*values)
            out_dims = tuple(out_dims) if isinstance(out, tuple) else out_dims[0]
    return wrapped(mode, out, out_dims)


class _ExampleCtx:
    """The ``ctx`` that a Function's methods see of one example."""

    _to_save: tuple[Any, ...] = ()

    def __init__(self, outer: Any) -> None:
        self._outer = outer
        self._marked: list[tuple[str, tuple[Any, ...]]] = []

    def save_for_backward(self, *tensors: Any) -> None:
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        self._kept = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        self._marked.append(("mark_dirty", tensors))

    def mark_non_differentiable(self, *tensors: Any) -> None:
        self._marked.append(("mark_non_differentiable", tensors))

    def set_materialize_grads(self, value: bool) -> None:
        self._outer.set_materialize_grads(value)

    @property
    def needs_input_grad(self) -> Any:
        return self._outer.needs_input_grad


def _generated(cls: Any, mode: VmapMode, dims: tuple[Any, ...], out_dims: list[Any]) -> Any:
    """The Function of whole batches whose methods run those of ``cls`` on examples."""
    from torsh.autograd.function import Function

    size, randomness = mode.size, mode.randomness

    def seen(m: VmapMode, values: Any, where: Any) -> list[Any]:
        return [v if d is None or v is None else batched(v, m.level) for v, d in zip(values, where)]

    def whole(m: VmapMode, values: Any) -> list[Any]:
        return [v._physical if at_level(v, m.level) else v for v in values]

    def forward(*values: Any) -> Any:
        with examples(size, randomness) as m:
            found = cls.forward(*seen(m, values, dims))
            outs = found if isinstance(found, tuple) else (found,)
            out_dims[:] = [0 if at_level(o, m.level) else None for o in outs]
        outs = tuple(whole(m, outs))
        return outs if isinstance(found, tuple) else outs[0]

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        outs = output if isinstance(output, tuple) else (output,)
        with examples(size, randomness) as m:
            inner = _ExampleCtx(ctx)
            ins, results = seen(m, inputs, dims), seen(m, outs, out_dims)
            cls.setup_context(inner, tuple(ins), tuple(results) if isinstance(output, tuple) else results[0])
            ctx.kept_dims = [0 if at_level(t, m.level) else None for t in inner._to_save]
            ctx.save_for_backward(*whole(m, inner._to_save))
            kept = getattr(inner, "_kept", None)
            if kept is not None:
                ctx.forward_dims = [0 if at_level(t, m.level) else None for t in kept]
                ctx.save_for_forward(*whole(m, kept))
            originals = {id(a): b for a, b in zip((*ins, *results), (*inputs, *outs))}
            for name, tensors in inner._marked:
                getattr(ctx, name)(*[originals.get(id(t), t) for t in tensors])
        ctx.inner = inner

    def run(ctx: Any, name: str, given: Any, where: Any) -> tuple[Any, VmapMode]:
        with examples(size, randomness) as m:
            inner = ctx.inner
            saved = ctx.forward_dims if name == "jvp" and hasattr(ctx, "forward_dims") else ctx.kept_dims
            inner.saved_tensors = tuple(seen(m, ctx.saved_tensors, saved))
            try:
                found = getattr(cls, name)(inner, *seen(m, given, where))
            finally:
                del inner.saved_tensors
            found = found if isinstance(found, tuple) else (found,)
        return found, m

    def backward(ctx: Any, *grads: Any) -> Any:
        name = "backward" if cls.backward is not Function.backward else "vjp"
        found, m = run(ctx, name, grads, out_dims)
        gradients = []
        for g, d in zip(found, dims):
            if g is None:
                gradients.append(None)
            elif d is None:  # all examples share the input
                gradients.append(g._physical.sum(0) if at_level(g, m.level) else g * size)
            else:
                gradients.append(physical(g, m.level, size))
        return tuple(gradients)

    def jvp(ctx: Any, *tangents: Any) -> Any:
        found, m = run(ctx, "jvp", tangents, dims)
        outs = [
            None if t is None else physical(t, m.level, size) if d is not None else t for t, d in zip(found, out_dims)
        ]
        return tuple(outs) if len(outs) > 1 else outs[0]

    members: dict[str, Any] = {
        "generate_vmap_rule": True, "forward": staticmethod(forward), "setup_context": staticmethod(setup_context),
        "backward": staticmethod(backward),
    }  # fmt: skip
    if cls.jvp is not Function.jvp:
        members["jvp"] = staticmethod(jvp)
    return type(f"Vmapped{cls.__name__}", (Function,), members)
