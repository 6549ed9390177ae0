"""Convolutions and transposed convolutions.

Source: https://docs.pytorch.org/docs/stable/nn.html#convolution-layers
"""

from __future__ import annotations

import math
from typing import Any

from torsh.nn import functional as F
from torsh.nn import init
from torsh.nn.modules.module import Module
from torsh.nn.modules.utils import _ntuple, _pair, _reverse_repeat_tuple, _single, _triple
from torsh.nn.parameter import Parameter
from torsh.ops.creation import empty
from torsh.tensor import Tensor


class _ConvNd(Module):
    """What all convolutions share: checks, weights, their initialisation, text."""

    __constants__ = [
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels", "out_channels",
        "kernel_size",
    ]  # fmt: skip
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        transposed: bool,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError(f"in_channels {in_channels} must be divisible by groups {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"out_channels {out_channels} must be divisible by groups {groups}")
        valid = {"same", "valid"}
        if isinstance(padding, str):
            if padding not in valid:
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {valid}")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        modes = {"zeros", "reflect", "replicate", "circular"}
        if padding_mode not in modes:
            raise ValueError(f"padding_mode must be one of {modes}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            around = [0] * (2 * len(kernel_size))
            if padding == "same":
                for d, k, i in zip(dilation, kernel_size, range(len(kernel_size) - 1, -1, -1)):
                    total = d * (k - 1)
                    around[2 * i] = total // 2
                    around[2 * i + 1] = total - total // 2
            self._reversed_padding_repeated_twice: Any = around
        else:
            self._reversed_padding_repeated_twice = _reverse_repeat_tuple(padding, 2)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(empty((first, second // groups, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in +-1/sqrt(fan in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        n = len(self.kernel_size)
        s = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * n:
            s += f", padding={self.padding}"
        if self.dilation != (1,) * n:
            s += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            s += f", output_padding={self.output_padding}"
        if self.groups != 1:
            s += f", groups={self.groups}"
        if self.bias is None:
            s += ", bias=False"
        if self.padding_mode != "zeros":
            s += f", padding_mode={self.padding_mode}"
        return s

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _Plain(_ConvNd):
    _n: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        tup = _ntuple(self._n)
        super().__init__(
            in_channels, out_channels, tup(kernel_size), tup(stride), padding if isinstance(padding, str) else tup(padding),
            tup(dilation), False, tup(0), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Plain):
    """Convolution over one dimension: (N, C, L) or (C, L).

    kernel_size, stride, padding, dilation: an int, or a tuple of one. padding may be "same" or "valid". groups: input and output channels
    in so many groups that do not see each other. padding_mode: zeros, reflect, replicate or circular.
    The length is floor((L + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Conv1d(16, 33, 3, stride=2)(torsh.rand(20, 16, 50)).shape
    torsh.Size([20, 33, 24])
    """

    _n = 1

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            return F.conv1d(input, weight, bias, self.stride, _single(0), self.dilation, self.groups)
        return F.conv1d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class Conv2d(_Plain):
    """Convolution over two dimensions: (N, C, H, W) or (C, H, W).

    kernel_size, stride, padding, dilation: an int or a pair (height, width). padding may be "same" or "valid". groups: input and output
    channels in so many groups that do not see each other. padding_mode: zeros, reflect, replicate or circular.
    Each size is floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> conv = nn.Conv2d(16, 33, kernel_size=3, stride=2, padding=1)
    >>> conv(torsh.rand(20, 16, 50, 100)).shape
    torsh.Size([20, 33, 25, 50])
    >>> conv.weight.shape  # (out, in / groups, height, width)
    torsh.Size([33, 16, 3, 3])
    """

    _n = 2

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            return F.conv2d(input, weight, bias, self.stride, _pair(0), self.dilation, self.groups)
        return F.conv2d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class Conv3d(_Plain):
    """Convolution over three dimensions: (N, C, D, H, W) or (C, D, H, W).

    kernel_size, stride, padding, dilation: an int or a triple (depth, height, width); the rest as in :class:`Conv2d`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Conv3d(2, 4, 3)(torsh.rand(1, 2, 5, 6, 7)).shape
    torsh.Size([1, 4, 3, 4, 5])
    """

    _n = 3

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            return F.conv3d(input, weight, bias, self.stride, _triple(0), self.dilation, self.groups)
        return F.conv3d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class _ConvTransposeNd(_ConvNd):
    _n: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        tup = _ntuple(self._n)
        super().__init__(
            in_channels, out_channels, tup(kernel_size), tup(stride), tup(padding), tup(dilation), True,
            tup(output_padding), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _output_padding(self, input: Tensor, output_size: Any) -> Any:
        """The output padding that gives a wanted size (one of several possible at stride > 1)."""
        if output_size is None:
            return _single(self.output_padding)
        n = self._n
        extra = input.dim() - n
        if len(output_size) == extra + n:
            output_size = output_size[extra:]
        if len(output_size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {extra + n} elements (got "
                f"{len(output_size)})"
            )
        low = [
            (input.size(d + extra) - 1) * self.stride[d]
            - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1)
            + 1
            for d in range(n)
        ]
        high = [low[d] + self.stride[d] - 1 for d in range(n)]
        if any(not a <= s <= b for s, a, b in zip(output_size, low, high)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {low} to {high} (for an input of "
                f"{input.size()[2:]})"
            )
        return [s - a for s, a in zip(output_size, low)]

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self._output_padding(input, output_size)
        fn = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._n - 1]
        return fn(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolution over one dimension.

    The parameters are those of :class:`Conv1d`; output_padding adds to one side of the output's length, which is
    (L - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ConvTranspose1d(4, 2, 3, stride=2)(torsh.rand(1, 4, 10)).shape
    torsh.Size([1, 2, 21])
    """

    _n = 1


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution over two dimensions.

    (N, C, H, W) or (C, H, W); the parameters are those of :class:`Conv2d`. output_padding adds to one side of each size, which is
    (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> up = nn.ConvTranspose2d(8, 4, 2, stride=2)
    >>> up(torsh.rand(1, 8, 16, 16)).shape
    torsh.Size([1, 4, 32, 32])
    """

    _n = 2


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution over three dimensions.

    The parameters are those of :class:`ConvTranspose2d`, with triples (depth, height, width).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ConvTranspose3d(2, 1, 2, stride=2)(torsh.rand(1, 2, 3, 3, 3)).shape
    torsh.Size([1, 1, 6, 6, 6])
    """

    _n = 3


__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
