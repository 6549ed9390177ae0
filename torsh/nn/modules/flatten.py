"""Flattening dimensions and undoing it."""

from __future__ import annotations

from typing import Any

from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class Flatten(Module):
    """Makes one dimension of those from ``start_dim`` to ``end_dim``.

    The default keeps the batch dimension.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Flatten()(torsh.rand(8, 3, 4, 4)).shape
    torsh.Size([8, 48])
    """

    __constants__ = ["start_dim", "end_dim"]

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Makes several dimensions of one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Unflatten(1, (2, 3))(torsh.rand(8, 6)).shape
    torsh.Size([8, 2, 3])
    """

    __constants__ = ["dim", "unflattened_size"]

    def __init__(self, dim: Any, unflattened_size: Any) -> None:
        super().__init__()
        if isinstance(dim, int):
            self._require_tuple_int(unflattened_size)
        elif isinstance(dim, str):
            self._require_tuple_tuple(unflattened_size)
        else:
            raise TypeError("invalid argument type for dim parameter")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def _require_tuple_tuple(self, input: Any) -> None:
        if not isinstance(input, tuple):
            raise TypeError(f"unflattened_size must be a tuple of tuples, but found type {type(input).__name__}")
        for i, elem in enumerate(input):
            if not isinstance(elem, tuple):
                raise TypeError(
                    f"unflattened_size must be a tuple of tuples, but found element of type {type(elem).__name__} at pos {i}"
                )

    def _require_tuple_int(self, input: Any) -> None:
        if not isinstance(input, (tuple, list)):
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {type(input).__name__}")
        for i, elem in enumerate(input):
            if not isinstance(elem, int):
                raise TypeError(
                    f"unflattened_size must be a tuple of ints, but found element of type {type(elem).__name__} at pos {i}"
                )

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


__all__ = ["Flatten", "Unflatten"]
