"""Sliding blocks: cutting them out and adding them up; channel and pixel shuffles."""

from __future__ import annotations

from typing import Any

from torsh.nn import functional as F
from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class Fold(Module):
    """Adds up blocks (N, C * prod(kernel_size), L) to an image (N, C, *output_size).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Fold((3, 3), 2)(torsh.ones(1, 4, 4))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """

    __constants__ = ["output_size", "kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """Cuts sliding blocks out of (N, C, H, W): (N, C * prod(kernel_size), L).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Unfold(2)(torsh.rand(1, 3, 4, 4)).shape
    torsh.Size([1, 12, 9])
    """

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


__all__ = ["Fold", "Unfold"]
