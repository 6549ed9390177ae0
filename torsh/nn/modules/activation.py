"""Activation functions as modules.

Source: https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity
"""

from __future__ import annotations

import warnings
from typing import Any

from torsh.nn import functional as F
from torsh.nn import init
from torsh.nn.modules.module import Module
from torsh.nn.parameter import Parameter
from torsh.ops.creation import empty
from torsh.tensor import Tensor


class Threshold(Module):
    """The value above ``threshold``, ``value`` elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Threshold(1, -7)(torsh.tensor([0.5, 2.]))
    tensor([-7.,  2.])
    """

    __constants__ = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class ReLU(Module):
    """max(x, 0).

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReLU()(torsh.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=self.inplace) if self.inplace else F.relu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class RReLU(Module):
    """x above 0; below, x times a slope that is drawn from [lower, upper] in training and their mean otherwise.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.RReLU().eval()(torsh.tensor([-1., 2.]))
    tensor([-0.2292,  2.0000])
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class Hardtanh(Module):
    """The value clamped to [min_val, max_val].

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Hardtanh(-2, 2)(torsh.tensor([-3., 0.5, 3.]))
    tensor([-2.0000,  0.5000,  2.0000])
    """

    __constants__ = ["min_val", "max_val", "inplace"]

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None:
            warnings.warn(
                "keyword argument `min_value` is deprecated and rename to `min_val`", FutureWarning, stacklevel=2
            )
            min_val = min_value
        if max_value is not None:
            warnings.warn(
                "keyword argument `max_value` is deprecated and rename to `max_val`", FutureWarning, stacklevel=2
            )
            max_val = max_value
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"max_val must be larger than min_val, but got min_val={self.min_val} and max_val={self.max_val}"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """The value clamped to [0, 6].

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ReLU6()(torsh.tensor([-1., 3., 9.]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Sigmoid()(torsh.tensor([-1., 0., 1.]))
    tensor([0.2689, 0.5000, 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class Hardsigmoid(Module):
    """relu6(x + 3) / 6.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Hardsigmoid()(torsh.tensor([-4., 0., 4.]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Tanh(Module):
    """The hyperbolic tangent.

    Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Tanh()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.7616,  0.0000,  0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class SiLU(Module):
    """x * sigmoid(x).

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.SiLU()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.2689,  0.0000,  0.7311])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Mish(Module):
    """x * tanh(softplus(x)).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Mish()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.3034,  0.0000,  0.8651])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardswish(Module):
    """x * relu6(x + 3) / 6.

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Hardswish()(torsh.tensor([-4., 1., 4.]))
    tensor([-0.0000, 0.6667, 4.0000])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class ELU(Module):
    """x above 0, alpha * (exp(x) - 1) below.

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ELU()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.6321,  0.0000,  1.0000])
    """

    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(Module):
    """x above 0, alpha * (exp(x / alpha) - 1) below.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.CELU()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.6321,  0.0000,  1.0000])
    """

    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Module):
    """The ELU with the scale and alpha of self-normalising networks.

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.SELU()(torsh.tensor([-1., 0., 1.]))
    tensor([-1.1113,  0.0000,  1.0507])
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GLU(Module):
    """First half times the sigmoid of the second half, along ``dim``.

    The dimension's length must be even, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.GLU()(torsh.tensor([1., 2., 0., 0.]))
    tensor([0.5000, 1.0000])
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class GELU(Module):
    """x times the normal distribution function of x; ``approximate="tanh"`` for the formula with tanh.

    Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.GELU()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    __constants__ = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardshrink(Module):
    """x where abs(x) > lambd, 0 elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Hardshrink()(torsh.tensor([-1., 0.3, 2.]))
    tensor([-1.,  0.,  2.])
    """

    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class LeakyReLU(Module):
    """x above 0, negative_slope * x below.

    inplace: write the result into the input. Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.LeakyReLU(0.1)(torsh.tensor([-1., 2.]))
    tensor([-0.1000,  2.0000])
    """

    __constants__ = ["negative_slope", "inplace"]

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class LogSigmoid(Module):
    """log(sigmoid(x)).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.LogSigmoid()(torsh.tensor([-100., 0.]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold.

    Any shape; the shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softplus()(torsh.tensor([-1., 0., 30.]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softshrink(Module):
    """x moved towards 0 by lambd, 0 within.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softshrink()(torsh.tensor([-1., 0.3, 2.]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softsign(Module):
    """x / (1 + abs(x)).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softsign()(torsh.tensor([-1., 0., 3.]))
    tensor([-0.5000,  0.0000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Tanhshrink()(torsh.tensor([-1., 0., 1.]))
    tensor([-0.2384,  0.0000,  0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softmin(Module):
    """softmax(-x).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softmin(dim=0)(torsh.tensor([1., 2.]))
    tensor([0.7311, 0.2689])
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """exp(x) / sum(exp(x)) along ``dim``.

    dim: None chooses one from the number of dimensions, with a warning. The shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softmax(dim=1)(torsh.tensor([[1., 2.], [3., 3.]]))
    tensor([[0.2689, 0.7311],
            [0.5000, 0.5000]])
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """log(softmax(x)) along ``dim``.

    dim: None chooses one from the number of dimensions, with a warning. The shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.LogSoftmax(dim=1)(torsh.tensor([[1., 2.], [3., 3.]]))
    tensor([[-1.3133, -0.3133],
            [-0.6931, -0.6931]])
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Softmax2d()(torsh.zeros(1, 2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)


class PReLU(Module):
    """x above 0, weight * x below, with one learned weight or one per channel.

    num_parameters: 1 or the number of channels (dimension 1 of the input). init: the first value.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html

    >>> import torsh
    >>> from torsh import nn
    >>> act = nn.PReLU()  # one learned slope, 0.25 at first
    >>> act(torsh.tensor([-1., 2.])).tolist()
    [-0.25, 2.0]
    """

    __constants__ = ["num_parameters"]

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        self.num_parameters = num_parameters
        super().__init__()
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """All weights to ``init``."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]  # fmt: skip
