"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

from torsh.nn import functional as F
from torsh.nn import init
from torsh.nn.modules.module import Module
from torsh.nn.parameter import Parameter
from torsh.ops.creation import empty
from torsh.tensor import Tensor


class Identity(Module):
    """Gives back its input; takes and ignores any arguments.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Identity()(torsh.tensor([1., 2.]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """``x @ weight.T + bias``: (*, in_features) -> (*, out_features).

    weight: (out_features, in_features) and bias: (out_features,), both drawn from U(-k, k) with k = 1 / sqrt(in_features).
    bias=False leaves the bias out. device, dtype: those of the parameters.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html

    >>> import torsh
    >>> from torsh import nn
    >>> layer = nn.Linear(20, 30)
    >>> layer(torsh.ones(128, 20)).shape
    torsh.Size([128, 30])
    >>> layer.weight.shape, layer.bias.shape
    (torsh.Size([30, 20]), torsh.Size([30]))
    >>> layer
    Linear(in_features=20, out_features=30, bias=True)
    """

    __constants__ = ["in_features", "out_features"]
    in_features: int
    out_features: int
    weight: Tensor

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in +-1/sqrt(in_features)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear`` that dynamic quantization leaves alone (the output projection of attention)."""


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for every output k.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Bilinear(3, 4, 5)(torsh.ones(2, 3), torsh.ones(2, 4)).shape
    torsh.Size([2, 5])
    """

    __constants__ = ["in1_features", "in2_features", "out_features"]

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in +-1/sqrt(in1_features)."""
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


__all__ = ["Bilinear", "Identity", "Linear", "NonDynamicallyQuantizableLinear"]
