"""Tensors under ``vmap``: what the mapped function sees as one example is a whole batch underneath."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from torsh.dispatch import Mode, _stack, modes
from torsh.overrides import _disabled_torch_function_impl
from torsh.tensor import Tensor, new


class Example:
    """Stands where a raw array would be: it has the shape of one example and no values.

    Whatever asks for values (item, bool, numpy, a kernel) fails here instead of silently answering for one example.
    """

    __slots__ = ("shape",)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def flags(self) -> Any:
        """What NumPy arrays say of their layout: an example counts as contiguous, the rules reshape the batch."""
        return SimpleNamespace(c_contiguous=True)

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        """What torch tensors say of their layout."""
        return True

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor, or something else that needs its values, such as "
            "data-dependent control flow or a conversion to NumPy. We don't support that under vmap: compute with tensors "
            "(torch.where instead of if), or loop over the batch"
        )


def _refuse(self: Example, *args: Any) -> Any:
    return self.values  # there are none: raises


for _name in ("lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "getitem", "setitem", "iter", "len", "float", "int"):
    setattr(Example, f"__{_name}__", _refuse)


class Batched(Tensor):
    """One example of a batch, at one level of ``vmap``.  ``_physical`` holds the batch, its dimension first."""

    _plain = True
    _level: int
    _physical: Tensor
    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    def _assign(self, result: Tensor, name: str) -> Tensor:
        """Write in place: into the batch."""
        self._physical.copy_(physical(result, self._level, self._physical.shape[0]))
        return self

    def _refuse_into(self, target: Tensor, name: str) -> None:
        """A tensor that is no batch cannot take the values of one."""
        raise RuntimeError(
            f"vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has "
            "more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in a vmap. "
            f"Please try to use out-of-place operators instead of inplace arithmetic ({name}), or write to a tensor made from one that is "
            "vmapped over (new_zeros, clone)"
        )

    def _alias(self) -> Tensor:
        return batched(self._physical.detach(), self._level)

    def _of_batch(self, make: Any) -> Tensor:
        """A new batch of this level: ``make(the batch behind this example, its length)``."""
        return batched(make(self._physical, int(self._physical.shape[0])), self._level)

    def stride(self, dim: int | None = None) -> Any:
        """The strides of an example inside the batch's memory."""
        found = self._physical.stride()[1:]
        return found if dim is None else found[dim]

    def storage_offset(self) -> int:
        """The offset of the first example."""
        return int(self._physical.storage_offset())

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: an example has no values of its own."""
        return self._data.values

    def tolist(self) -> Any:
        """Refused, as ``numpy``."""
        return self._data.values

    item = tolist

    def resize_(self, *args: Any, **kwargs: Any) -> Tensor:
        """Refused: an example has no memory of its own to resize."""
        raise RuntimeError(
            "vmap: an example cannot be given other memory (resize_, resize_as_, set_): it is a part of the batch. Make a new tensor with "
            "new_empty, or use view or narrow"
        )

    resize_as_ = set_ = resize_

    def __bool__(self) -> bool:
        raise RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that: compute "
            "with tensors (torch.where instead of if), or loop over the batch"
        )

    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Refused: what is mapped is differentiated by ``torch.func.grad`` and ``vjp``."""
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp instead "
            "or call backward() outside of functorch transforms."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._data.values

    def __repr__(self) -> str:
        value = textwrap.indent(repr(self._physical), " " * 4)
        return f"BatchedTensor(lvl={self._level}, bdim=0, value=\n{value}\n)"


def batched(physical: Tensor, level: int) -> Batched:
    """The example seen at ``level`` of a batch whose dimension is first."""
    t = new(Batched)
    t._physical, t._level = physical, level
    t._kind = physical._kind
    t._data = Example(tuple(physical.shape)[1:])
    t._rg = physical._rg
    return t


def at_level(t: Any, level: int) -> bool:
    """Whether a value is a batch at this level."""
    return type(t) is Batched and t._level == level


def physical(t: Tensor, level: int, size: int) -> Tensor:
    """The batch behind an example; any other tensor is repeated (as a view) ``size`` times."""
    if at_level(t, level):
        return t._physical  # type: ignore[attr-defined]
    return t.unsqueeze(0).expand((size, *t.shape))


def pull(t: Tensor, level: int, size: int) -> Tensor:
    """Show the batch dimension of ``level`` as an ordinary leading dimension, below whatever other levels there are."""
    if type(t) is Batched and t._level > level:
        return batched(pull(t._physical, level, size).transpose(0, 1), t._level)
    return physical(t, level, size)


def push(t: Tensor, level: int) -> Tensor:
    """Undo ``pull``: make the leading dimension the batch of ``level`` again."""
    if type(t) is Batched and t._level > level:
        return batched(push(t._physical.transpose(0, 1), level), t._level)
    return batched(t, level)


def own_copy(t: Tensor, *others: Any) -> Tensor:
    """A copy of ``t`` to write (parts of) others into: a batch wherever one of these is one."""
    copy = t.clone()
    for other in others:
        while type(other) is Batched:
            copy = _batched_like(copy, other._level, int(other._physical.shape[0]))
            other = other._physical
    return copy


def _batched_like(t: Tensor, level: int, size: int) -> Tensor:
    at: Tensor | None = t
    while type(at) is Batched:
        if at._level == level:
            return t
        at = at._physical
    return push(pull(t, level, size).clone(), level)


class VmapMode(Mode):
    """Carries out ops on examples as ops on batches."""

    def __init__(self, level: int, size: int, randomness: str) -> None:
        self.level, self.size, self.randomness = level, size, randomness

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        from torsh.func._rules import apply

        if "random" in op.tags:
            from torsh.func._rules import apply_random

            return apply_random(self, op, args, proceed)
        if not any(has_batch(a, self.level) for a in args):
            return proceed(*args)
        return apply(self, op, args)


def mapped() -> bool:
    """Whether a ``vmap`` is at work in this thread."""
    return any(isinstance(m, VmapMode) for m in modes())


def drawn_on_batch(fn: Any, *params: Tensor) -> Any:
    """Random numbers with tensors of parameters under ``vmap``: ``fn(*params)``, elementwise in them, for the whole batch at once."""
    mode = next(m for m in reversed(modes()) if isinstance(m, VmapMode))
    if mode.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness "
            "flags on vmap or perform the randomness operation out of vmap"
        )
    of_examples = any(has_batch(p, mode.level) for p in params)
    if mode.randomness == "same":
        if of_examples:
            raise RuntimeError(
                "Vmap does not currently support same randomness with a batched tensor input. Please file an issue: the examples' "
                "parameters differ, so one draw cannot serve them all"
            )
        with without(mode):
            return fn(*params)
    rank = max(p.ndim for p in params)
    given = []
    for p in params:
        b = physical(p, mode.level, mode.size)
        given.append(b.reshape((b.shape[0], *(1,) * (rank + 1 - b.ndim), *b.shape[1:])))
    with without(mode):
        return batched(fn(*given), mode.level)


@contextlib.contextmanager
def without(mode: VmapMode) -> Iterator[None]:
    """Take a mode off the stack for a while: its batches are ordinary tensors then."""
    before = _stack.modes
    _stack.modes = tuple(m for m in before if m is not mode)
    try:
        yield
    finally:
        _stack.modes = before


def has_batch(a: Any, level: int) -> bool:
    """Whether an argument is, or contains, a batch of this level."""
    if type(a) is Batched:
        return a._level == level
    return type(a) in (list, tuple) and any(has_batch(x, level) for x in a)
