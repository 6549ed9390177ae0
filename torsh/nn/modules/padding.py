"""Padding layers.

Source: https://docs.pytorch.org/docs/stable/nn.html#padding-layers
"""

from __future__ import annotations

from typing import Any

from torsh.nn import functional as F
from torsh.nn.modules.module import Module
from torsh.nn.modules.utils import _ntuple
from torsh.tensor import Tensor


class _PadNd(Module):
    """padding: one number for all sides, or (left, right, top, bottom, front, back)."""

    __constants__ = ["padding"]
    _n: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._n)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self._n
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class _ConstantPadNd(_PadNd):
    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_CircularPadNd):
    """Pads by going round to the other side.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.CircularPad1d((1, 2))(torsh.tensor([[1., 2., 3.]]))
    tensor([[3., 1., 2., 3., 1., 2.]])
    """

    _n = 1


class CircularPad2d(_CircularPadNd):
    """Pads by going round to the other side.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.CircularPad2d(1)(torsh.ones(1, 3, 3)).shape
    torsh.Size([1, 5, 5])
    """

    _n = 2


class CircularPad3d(_CircularPadNd):
    """Pads by going round to the other side.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.CircularPad3d(1)(torsh.ones(1, 1, 3, 3, 3)).shape
    torsh.Size([1, 1, 5, 5, 5])
    """

    _n = 3


class ConstantPad1d(_ConstantPadNd):
    """Pads with one value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ConstantPad1d((1, 0), 9.)(torsh.tensor([[1., 2., 3.]]))
    tensor([[9., 1., 2., 3.]])
    """

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads with one value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ConstantPad2d((1, 0, 0, 1), 9.)(torsh.tensor([[[1., 2.]]]))  # left, right, top, bottom
    tensor([[[9., 1., 2.],
             [9., 9., 9.]]])
    """

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads with one value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ConstantPad3d(1, 0.)(torsh.ones(1, 3, 3, 3)).shape
    torsh.Size([1, 5, 5, 5])
    """

    _n = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Pads with the mirror image, without the border itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReflectionPad1d(2)(torsh.tensor([[1., 2., 3.]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    _n = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads with the mirror image, without the border itself.

    padding: an int, or (left, right, top, bottom), each smaller than the input's size. Input: (N, C, H, W) or (C, H, W).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReflectionPad2d((1, 1, 0, 0))(torsh.tensor([[[1., 2., 3.]]]))
    tensor([[[2., 1., 2., 3., 2.]]])
    """

    _n = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads with the mirror image, without the border itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReflectionPad3d(1)(torsh.ones(1, 3, 3, 3)).shape
    torsh.Size([1, 5, 5, 5])
    """

    _n = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Pads by repeating the border.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReplicationPad1d((2, 1))(torsh.tensor([[1., 2., 3.]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    _n = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads by repeating the border.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReplicationPad2d((0, 0, 1, 1))(torsh.tensor([[[1., 2., 3.]]]))
    tensor([[[1., 2., 3.],
             [1., 2., 3.],
             [1., 2., 3.]]])
    """

    _n = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads by repeating the border.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReplicationPad3d(1)(torsh.ones(1, 3, 3, 3)).shape
    torsh.Size([1, 5, 5, 5])
    """

    _n = 3


class ZeroPad1d(_ZeroPadNd):
    """Pads with 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ZeroPad1d(1)(torsh.tensor([[1., 2.]]))
    tensor([[0., 1., 2., 0.]])
    """

    _n = 1


class ZeroPad2d(_ZeroPadNd):
    """Pads with 0.

    padding: an int, or (left, right, top, bottom); negative ones cut off. Input: (N, C, H, W) or (C, H, W).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ZeroPad2d((1, 0, 1, 0))(torsh.tensor([[[1., 2.]]]))
    tensor([[[0., 0., 0.],
             [0., 1., 2.]]])
    """

    _n = 2


class ZeroPad3d(_ZeroPadNd):
    """Pads with 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ZeroPad3d(1)(torsh.ones(1, 3, 3, 3)).shape
    torsh.Size([1, 5, 5, 5])
    """

    _n = 3


__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip
