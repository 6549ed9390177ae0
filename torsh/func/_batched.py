"""Tensors under ``vmap``: what the mapped function sees as one example is a whole batch underneath."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from torsh.dispatch import Mode
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

    def _alias(self) -> Tensor:
        return batched(self._physical.detach(), self._level)

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: an example has no values of its own."""
        return self._data.values

    def tolist(self) -> Any:
        """Refused, as ``numpy``."""
        return self._data.values

    item = tolist

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._data.values

    def __repr__(self) -> str:
        return f"BatchedTensor(lvl={self._level}, value={self._physical!r})"


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


def has_batch(a: Any, level: int) -> bool:
    """Whether an argument is, or contains, a batch of this level."""
    if type(a) is Batched:
        return a._level == level
    return type(a) in (list, tuple) and any(has_batch(x, level) for x in a)
