"""Size: what a tensor's shape is."""

from __future__ import annotations

from operator import index
from typing import Any

from torsh import dtypes

_part = tuple.__getitem__
sized = tuple.__new__  # a Size without its checks


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple with ``numel()``; slices and sums of sizes are sizes.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> size = torsh.zeros(2, 3).shape
    >>> size.numel(), size[1:], tuple(size)
    (6, torsh.Size([3]), (2, 3))
    """

    __module__ = "torsh"

    def __new__(cls, lengths: Any = ()) -> Size:
        found = tuple(lengths)
        if not any(type(n) is not int for n in found):
            return sized(cls, found)
        checked = []
        for i, n in enumerate(found):
            try:
                checked.append(n if hasattr(n, "node") else index(n))
            except TypeError:
                raise TypeError(f"torch.Size() takes an iterable of 'int' (item {i} is '{type(n).__name__}')") from None
        return sized(cls, checked)

    def numel(self) -> int:
        """The number of elements a tensor of this size has."""
        n = 1
        for s in self:
            n *= s
        return n

    def __repr__(self) -> str:
        return f"{dtypes.namespace}.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, i: Any) -> Any:
        return sized(Size, _part(self, i)) if type(i) is slice else _part(self, i)

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, n: Any) -> Any:
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))
