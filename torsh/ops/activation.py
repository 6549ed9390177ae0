"""Activation functions.

Each has a primitive for its values and one for its derivative; the latter also says what it computes in other ops,
which is
what second derivatives and backends without a kernel use.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._functions import finfo
from torsh.dtypes import scalar_name
from torsh.ops import pointwise as _pointwise
from torsh.ops._args import check_tensor, wrap_dim
from torsh.ops._op import Op, composite, primitive
from torsh.tensor import Tensor

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def floating(input: Any, op: str) -> Tensor:
    """The input if it is a tensor of floating type, else PyTorch's error."""
    check_tensor(input, op)
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"{op}\" not implemented for '{scalar_name(input.dtype)}'; convert the input to a floating type first"
        )
    return input


def _same(input, *rest):
    return input.shape, input.dtype


def _derivative(name: str, args: str, fn: Callable[..., Any]) -> Op:
    """The op that computes the derivative of an activation times the gradient."""
    return Op(f"{name}_backward", None, args.split(), decompose=fn, meta=_same, tags=("pointwise",))


def _where(condition: Any, a: Any, b: Any) -> Any:
    from torsh.ops.arithmetic import where

    return where(condition, a, b)


# ---- rectifiers ------------------------------------------------------------------------------------------------------


@composite("torch.nn.functional.relu", name="functional_relu")
def relu(input, inplace=False):
    """max(x, 0), element by element.

    inplace: write the result into the input.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.relu(torsh.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])
    """
    return _pointwise.relu.op.inplace(input) if inplace else _pointwise.relu(input)


leaky_relu_backward = _derivative(
    "leaky_relu", "g input negative_slope", lambda g, x, slope: _where(x > 0, g, g * slope)
)


@primitive(
    "torch.nn.functional.leaky_relu torch.nn.functional.leaky_relu_ torch._C._nn.leaky_relu",
    args="input negative_slope",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input, negative_slope: leaky_relu_backward(g, input, negative_slope)},
    decompose=lambda x, slope: _where(x > 0, x, x * slope),
)
def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where it is positive, negative_slope * x elsewhere.

    inplace: write the result into the input.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.leaky_relu(torsh.tensor([-1., 2.]), negative_slope=0.1)
    tensor([-0.1000,  2.0000])
    """
    if inplace:
        return leaky_relu.op.inplace(input, negative_slope)
    return (floating(input, "leaky_relu_cpu"), float(negative_slope))


@composite("torch.nn.functional.rrelu torch.rrelu torch.nn.functional.rrelu_ torch.rrelu_", inplace=True, tags="random")
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False, generator=None):
    """Leaky ReLU whose slope is drawn from [lower, upper] per negative element in training, their mean otherwise.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html

    >>> import torsh
    >>> torsh.rrelu(torsh.tensor([-1., 2.]))  # not training: the mean of the two slopes
    tensor([-0.2292,  2.0000])
    """
    floating(input, "rrelu_out_symint")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if inplace:
        return rrelu.op.inplace(input, lower, upper, training)
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    if input.dtype is dtypes.float16:
        raise NotImplementedError("\"rrelu_with_noise_out_cpu\" not implemented for 'Half'; use float32 or bfloat16")
    from torsh.ops.random import slopes_like

    return (input * slopes_like(input, lower, upper, generator)).to(input.dtype)


@composite("torch.prelu Tensor.prelu torch.nn.functional.prelu")
def prelu(input, weight):
    """x where it is positive, weight * x elsewhere, with one weight for all or one per channel (dimension 1).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html

    >>> import torsh
    >>> torsh.prelu(torsh.tensor([-1., 2.]), torsh.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    check_tensor(input, "prelu")
    check_tensor(weight, "prelu", "weight", 2)
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {scalar_name(input.dtype)} and {scalar_name(weight.dtype)}"
        )
    floating(input, "prelu")
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.numel() != 1:
        if not input.ndim:
            raise RuntimeError("prelu: Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != weight.numel():
            raise RuntimeError(
                "prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2)) if input.ndim > 1 else weight
    elif weight.ndim:
        weight = weight.reshape(())
    return _where(input > 0, input, weight * input)


def _elu_derivative(g, x, alpha, scale, input_scale):
    return _where(x > 0, g * scale, g * (x.clamp(max=0) * input_scale).exp() * (alpha * scale * input_scale))


elu_backward = _derivative("elu", "g input alpha scale input_scale", _elu_derivative)


@primitive(
    "torch.nn.functional.elu torch.nn.functional.elu_ torch._C._nn.elu",
    args="input alpha scale input_scale",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input, alpha, scale, input_scale: elu_backward(g, input, alpha, scale, input_scale)},
    decompose=lambda x, a, s, i: _where(x > 0, x * s, (x.clamp(max=0) * i).expm1() * (a * s)),
)
def elu(input, alpha=1.0, inplace=False):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere.

    inplace: write the result into the input.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.elu(torsh.tensor([-1., 0., 1.]))
    tensor([-0.6321,  0.0000,  1.0000])
    """
    if inplace:
        return elu.op.inplace(input, alpha)
    return (floating(input, "elu_cpu"), float(alpha), 1.0, 1.0)


@composite("torch.celu torch.celu_ torch.nn.functional.celu torch.nn.functional.celu_", inplace=True)
def celu(input, alpha=1.0, inplace=False):
    """x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere: smooth for every alpha.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.celu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.celu(torsh.tensor([-1., 0., 1.]))
    tensor([-0.6321,  0.0000,  1.0000])
    """
    if inplace:
        return celu.op.inplace(input, alpha)
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu.op(floating(input, "elu_cpu"), float(alpha), 1.0, 1.0 / alpha)


@composite("torch.selu torch.selu_ torch.nn.functional.selu torch.nn.functional.selu_", inplace=True)
def selu(input, inplace=False):
    """The self-normalising ELU: with its two constants, activations keep mean 0 and variance 1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.selu.html

    >>> import torsh
    >>> torsh.selu(torsh.tensor([-1., 0., 1.]))
    tensor([-1.1113,  0.0000,  1.0507])
    """
    return selu.op.inplace(input) if inplace else elu.op(floating(input, "elu_cpu"), _SELU_ALPHA, _SELU_SCALE, 1.0)


hardtanh_backward = _derivative(
    "hardtanh", "g input min_val max_val", lambda g, x, low, high: _where((x > low) & (x < high), g, 0.0)
)


@primitive(
    "torch.nn.functional.hardtanh torch.nn.functional.hardtanh_ torch._C._nn.hardtanh",
    args="input min_val max_val",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input, min_val, max_val: hardtanh_backward(g, input, min_val, max_val)},
    decompose=lambda x, low, high: x.clamp(low, high),
)
def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x cut to [min_val, max_val].

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.hardtanh(torsh.tensor([-2., 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    if inplace:
        return hardtanh.op.inplace(input, min_val, max_val)
    check_tensor(input, "hardtanh")
    if not input._kind.floating:
        if input.dtype.category != 1:
            raise NotImplementedError(
                f"\"hardtanh\" not implemented for '{scalar_name(input.dtype)}'; use a numeric type"
            )
        if not input.dtype.is_signed and (int(min_val) < 0 or int(max_val) < 0):
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
        return (input, int(min_val), int(max_val))
    return (input, float(min_val), float(max_val))


@composite("torch.nn.functional.relu6 torch._C._nn.relu6", inplace=True)
def relu6(input, inplace=False):
    """min(max(x, 0), 6).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.relu6(torsh.tensor([-1., 3., 9.]))
    tensor([0., 3., 6.])
    """
    return relu6.op.inplace(input) if inplace else hardtanh(input, 0.0, 6.0)


threshold_backward = _derivative("threshold", "g input threshold", lambda g, x, limit: _where(x <= limit, 0.0, g))


@primitive(
    "torch.threshold torch.threshold_ torch.nn.functional.threshold torch.nn.functional.threshold_",
    args="input threshold value",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input, threshold: threshold_backward(g, input, threshold)},
    decompose=lambda x, limit, value: _where(x <= limit, value, x),
)
def threshold(input, threshold, value, inplace=False):
    """x where it is above the threshold, value elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.threshold(torsh.tensor([0.5, 2.]), threshold=1, value=-7)
    tensor([-7.,  2.])
    """
    if inplace:
        return _threshold.op.inplace(input, threshold, value)
    check_tensor(input, "threshold")
    for name, number in (("threshold", threshold), ("value", value)):
        if isinstance(number, (str, bytes)):
            raise TypeError(f"threshold(): argument '{name}' must be Number, not {type(number).__name__}")
    if input._kind.floating:
        return (input, float(threshold), float(value))
    bits = 8 * input.dtype.itemsize
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if input.dtype.is_signed else (0, (1 << bits) - 1)
    if input.dtype.category == 1 and not (low <= threshold <= high and low <= value <= high):
        raise RuntimeError(f"value cannot be converted to type {input.dtype.name}_t without overflow")
    if input.dtype.category != 1:
        raise NotImplementedError(
            f"\"threshold\" not implemented for '{scalar_name(input.dtype)}'; use a real numeric type"
        )
    return (input, int(threshold), int(value))


_threshold = threshold


# ---- smooth ----------------------------------------------------------------------------------------------------------


def _gelu_derivative(g, x, approximate):
    if approximate == "tanh":
        beta, kappa = math.sqrt(2 / math.pi), 0.044715
        inner = (x + x * x * x * kappa) * beta
        t = inner.tanh()
        return g * ((t + 1) * 0.5 + x * 0.5 * (1 - t * t) * (x * x * (3 * kappa) + 1) * beta)
    cdf = ((x * math.sqrt(0.5)).erf() + 1) * 0.5
    return g * (cdf + x * (x * x * -0.5).exp() * (1 / math.sqrt(2 * math.pi)))


def _gelu(x, approximate):
    if approximate == "tanh":
        return x * 0.5 * (((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)).tanh() + 1)
    return x * 0.5 * ((x * math.sqrt(0.5)).erf() + 1)


gelu_backward = _derivative("gelu", "g input approximate", _gelu_derivative)


@primitive(
    "torch.nn.functional.gelu torch._C._nn.gelu",
    tags="pointwise",
    meta=_same,
    decompose=_gelu,
    out=True,
    grad={"input": lambda g, input, approximate: gelu_backward(g, input, approximate)},
)
def gelu(input, approximate="none"):
    """x times the normal distribution function at x; approximate="tanh" computes it from tanh.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.gelu(torsh.tensor([-1., 0., 1.]))
    tensor([-0.1587,  0.0000,  0.8413])
    >>> F.gelu(torsh.tensor([-1., 0., 1.]), approximate="tanh")
    tensor([-0.1588,  0.0000,  0.8412])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return (floating(input, "GeluKernelImpl"), approximate)


def _silu_derivative(g, x):
    s = x.sigmoid()
    return g * s * ((1 - s) * x + 1)


silu_backward = _derivative("silu", "g input", _silu_derivative)


@primitive(
    "torch.nn.functional.silu torch._C._nn.silu",
    args="input",
    inplace=True,
    tags="holomorphic pointwise",
    meta=_same,
    grad={"input": lambda g, input: silu_backward(g, input)},
    decompose=lambda x: x * x.sigmoid(),
)
def silu(input, inplace=False):
    """x * sigmoid(x).

    inplace: write the result into the input.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.silu(torsh.tensor([-1., 0., 1.]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    if inplace:
        return silu.op.inplace(input)
    if check_tensor(input, "silu")._kind.complex:
        return input * input.sigmoid()
    return (floating(input, "silu_cpu"),)


def _mish_derivative(g, x):
    t = softplus.op(x, 1.0, 20.0).tanh()
    return g * (t + x * x.sigmoid() * (1 - t * t))


mish_backward = _derivative("mish", "g input", _mish_derivative)


@primitive(
    "torch.nn.functional.mish torch._C._nn.mish",
    args="input",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input: mish_backward(g, input)},
    decompose=lambda x: x * softplus.op(x, 1.0, 20.0).tanh(),
)
def mish(input, inplace=False):
    """x * tanh(softplus(x)).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mish.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.mish(torsh.tensor([-1., 0., 1.]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return mish.op.inplace(input) if inplace else (floating(input, "mish_cpu"),)


def _softplus(x, beta, limit):
    scaled = x * beta
    return _where(scaled > limit, x, scaled.clamp(max=limit).exp().log1p() * (1 / beta))


softplus_backward = _derivative(
    "softplus",
    "g input beta threshold",
    lambda g, x, beta, limit: _where(x * beta > limit, g, g * (x * beta).sigmoid()),
)


@primitive(
    "torch.nn.functional.softplus torch._C._nn.softplus",
    tags="pointwise",
    meta=_same,
    decompose=_softplus,
    grad={"input": lambda g, input, beta, threshold: softplus_backward(g, input, beta, threshold)},
    out=True,
)
def softplus(input, beta=1, threshold=20):
    """log(1 + exp(beta * x)) / beta, or x itself where beta * x is above the threshold.

    Any shape; integers are refused with NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.softplus(torsh.tensor([-1., 0., 30.]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    return (floating(input, "softplus_cpu"), float(beta), float(threshold))


log_sigmoid_backward = _derivative("log_sigmoid", "g input", lambda g, x: g * (-x).sigmoid())


@primitive(
    "torch.nn.functional.logsigmoid torch._C._nn.log_sigmoid",
    name="log_sigmoid",
    tags="holomorphic pointwise",
    meta=_same,
    out=True,
    grad={"input": lambda g, input: log_sigmoid_backward(g, input)},
    decompose=lambda x: x.clamp(max=0) - (-x.abs()).exp().log1p(),
)
def logsigmoid(input):
    """log(sigmoid(x)), computed so that it does not underflow.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.logsigmoid(torsh.tensor([-100., 0.]))
    tensor([-100.0000,   -0.6931])
    """
    return (floating(input, "log_sigmoid_cpu"),)


hardsigmoid_backward = _derivative("hardsigmoid", "g input", lambda g, x: _where((x > -3) & (x < 3), g * (1 / 6), 0.0))


@primitive(
    "torch.nn.functional.hardsigmoid torch._C._nn.hardsigmoid",
    args="input",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input: hardsigmoid_backward(g, input)},
    decompose=lambda x: (x + 3).clamp(0, 6) / 6,
)
def hardsigmoid(input, inplace=False):
    """x / 6 + 1/2 cut to [0, 1].

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.hardsigmoid(torsh.tensor([-4., 0., 4.]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return hardsigmoid.op.inplace(input) if inplace else (floating(input, "hardsigmoid_cpu"),)


hardswish_backward = _derivative(
    "hardswish", "g input", lambda g, x: _where(x <= -3, 0.0, _where(x < 3, g * (x / 3 + 0.5), g))
)


@primitive(
    "torch.nn.functional.hardswish torch._C._nn.hardswish",
    args="input",
    inplace=True,
    tags="pointwise",
    meta=_same,
    grad={"input": lambda g, input: hardswish_backward(g, input)},
    decompose=lambda x: x * (x + 3).clamp(0, 6) / 6,
)
def hardswish(input, inplace=False):
    """x * min(max(x + 3, 0), 6) / 6.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.hardswish(torsh.tensor([-4., 1., 4.]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return hardswish.op.inplace(input) if inplace else (floating(input, "hardswish_cpu"),)


@composite("torch.nn.functional.softsign")
def softsign(input):
    """x / (1 + |x|).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.softsign(torsh.tensor([-1., 0., 3.]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (input.abs() + 1)


def _tanhshrink_derivative(g, input):
    t = input.tanh()
    return g * (t * t)


@primitive(
    "torch.nn.functional.tanhshrink",
    tags="holomorphic pointwise",
    meta=_same,
    decompose=lambda x: x - x.tanh(),
    grad={"input": _tanhshrink_derivative},
)
def tanhshrink(input):
    """x - tanh(x), with all its digits near 0 where a backend has a kernel for it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.tanhshrink(torsh.tensor([-1., 0., 1.]))
    tensor([-0.2384,  0.0000,  0.2384])
    """
    if not check_tensor(input, "tanhshrink")._kind.floating:
        return input - input.tanh()
    return (input,)


hardshrink_backward = _derivative(
    "hardshrink", "g input lambd", lambda g, x, lambd: _where((x >= -lambd) & (x <= lambd), 0.0, g)
)


@primitive(
    "torch.hardshrink Tensor.hardshrink torch.nn.functional.hardshrink",
    tags="pointwise",
    meta=_same,
    out=True,
    grad={"input": lambda g, input, lambd: hardshrink_backward(g, input, lambd)},
    decompose=lambda x, lambd: _where((x >= -lambd) & (x <= lambd), 0.0, x),
)
def hardshrink(input, lambd=0.5):
    """x where |x| > lambd, 0 elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.hardshrink(torsh.tensor([-1., 0.3, 2.]))
    tensor([-1.,  0.,  2.])
    """
    floating(input, "hardshrink_cpu")
    return (input, dtypes.nearest(lambd, input.dtype) if input.dtype in dtypes.SIGNIFICAND else float(lambd))


@primitive(
    "torch.nn.functional.softshrink torch._C._nn.softshrink",
    tags="pointwise",
    meta=_same,
    out=True,
    grad={"input": lambda g, input, lambd: hardshrink_backward(g, input, lambd)},
    decompose=lambda x, lambd: _where(x > lambd, x - lambd, _where(x < -lambd, x + lambd, x * 0)),
)
def softshrink(input, lambd=0.5):
    """x moved towards 0 by lambd, and 0 where |x| <= lambd.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.softshrink(torsh.tensor([-1., 0.3, 2.]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    floating(input, "softshrink_cpu")
    most = finfo(input.dtype).max
    if not 0 <= lambd <= most:
        raise RuntimeError(
            f"lambda must be in range [0, {most:g}] for input dtype {dtypes.scalar_name(input.dtype)}, but found {lambd}"
        )
    return (input, float(lambd))


@composite("torch.nn.functional.glu torch._C._nn.glu")
def glu(input, dim=-1):
    """The first half along a dimension times the sigmoid of the second half.

    The dimension's length must be even, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.glu(torsh.tensor([1., 2., 0., 0.]))
    tensor([0.5000, 1.0000])
    """
    check_tensor(input, "glu")
    if not input.ndim:
        raise RuntimeError(
            "glu does not support scalars because halving size must be even; pass an input with at least one dimension"
        )
    at = wrap_dim(dim, input.ndim)
    n = input.shape[at]
    if n % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {at} is size {n}")
    floating(input, "glu_cpu")
    return input.narrow(at, 0, n // 2) * input.narrow(at, n // 2, n // 2).sigmoid()


# ---- normalised exponentials -----------------------------------------------------------------------------------------


def _softmax(x, dim):
    if not x.numel():
        return x.clone()
    e = (x - x.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


def _log_softmax(x, dim):
    if not x.numel():
        return x.clone()
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


softmax_backward = _derivative("softmax", "g out dim", lambda g, out, dim: out * (g - (g * out).sum(dim, keepdim=True)))
log_softmax_backward = _derivative(
    "log_softmax", "g out dim", lambda g, out, dim: g - out.exp() * g.sum(dim, keepdim=True)
)


def _prepared(input: Any, dim: Any, dtype: Any, op: str) -> tuple[Any, int]:
    check_tensor(input, op)
    at = wrap_dim(dim, len(input._data.shape))
    if dtype is not None and dtype is not input.dtype:
        input = input.to(dtype)
    if not input._kind.inexact:
        raise NotImplementedError(
            f"\"{op}_lastdim_kernel_impl\" not implemented for '{scalar_name(input.dtype)}'; pass dtype= a floating "
            "type"
        )
    return input, at


def _named(dtype: Any, named: Any) -> Any:
    return named if dtype is None else dtype


@primitive(
    "torch.softmax Tensor.softmax torch.special.softmax",
    args="input dim",
    meta=_same,
    decompose=_softmax,
    grad={"input": lambda g, out, dim: softmax_backward(g, out, dim)},
    tags="symmetric",
    out=True,
)
def softmax(input, dim, dtype=None):
    """exp(x) divided by its sum along a dimension.

    dtype: the type the input is converted to first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html

    >>> import torsh
    >>> torsh.softmax(torsh.tensor([[1., 2., 3.], [1., 1., 1.]]), dim=1)
    tensor([[0.0900, 0.2447, 0.6652],
            [0.3333, 0.3333, 0.3333]])
    >>> torsh.tensor([0, 0]).softmax(0, dtype=torsh.float64)
    tensor([0.5000, 0.5000], dtype=torsh.float64)
    """
    return _prepared(input, dim, dtype, "softmax")


@primitive(
    "torch.log_softmax Tensor.log_softmax torch.special.log_softmax",
    args="input dim",
    meta=_same,
    decompose=_log_softmax,
    grad={"input": lambda g, out, dim: log_softmax_backward(g, out.conj() if out._kind.complex else out, dim)},
    jvp=lambda input_t, out, dim: input_t - (out.exp() * input_t).sum(dim, keepdim=True),
    out=True,
)
def log_softmax(input, dim, dtype=None):
    """The logarithm of softmax, computed without underflow.

    dim: where the values add up to one. dtype: what the input is converted to first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html

    >>> import torsh
    >>> torsh.log_softmax(torsh.tensor([1., 2., 3.]), dim=0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    return _prepared(input, dim, dtype, "log_softmax")


@composite("torch._softmax")
def _softmax_(self, dim, half_to_float=False):
    """softmax under the name of PyTorch's internal op."""
    return softmax(self, dim)


@composite("torch._log_softmax")
def _log_softmax_(self, dim, half_to_float=False):
    """log_softmax under the name of PyTorch's internal op."""
    return log_softmax(self, dim)


def _implied_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 2,
    )
    return 0 if ndim in (0, 1, 3) else 1


@composite("torch.nn.functional.softmax", name="functional_softmax")
def softmax_function(input, dim=None, _stacklevel=3, dtype=None):
    """softmax along ``dim``; without it a dimension is chosen from the number of dimensions, with a warning.

    dtype: what the input is converted to first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.softmax(torsh.tensor([[1., 2.], [3., 3.]]), dim=1)
    tensor([[0.2689, 0.7311],
            [0.5000, 0.5000]])
    """
    return softmax(input, _implied_dim("softmax", input.ndim, _stacklevel) if dim is None else dim, dtype)


@composite("torch.nn.functional.log_softmax", name="functional_log_softmax")
def log_softmax_function(input, dim=None, _stacklevel=3, dtype=None):
    """log_softmax along ``dim``; without it a dimension is chosen from the number of dimensions, with a warning.

    dtype: what the input is converted to first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.log_softmax(torsh.tensor([[1., 2.], [3., 3.]]), dim=1)
    tensor([[-1.3133, -0.3133],
            [-0.6931, -0.6931]])
    """
    return log_softmax(input, _implied_dim("log_softmax", input.ndim, _stacklevel) if dim is None else dim, dtype)


@composite("torch.nn.functional.softmin")
def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax of -x.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.softmin(torsh.tensor([1., 2.]), dim=0)
    tensor([0.7311, 0.2689])
    """
    return softmax(-input, _implied_dim("softmin", input.ndim, _stacklevel) if dim is None else dim, dtype)


@composite("torch.nn.functional.gumbel_softmax", tags="random")
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample of the Gumbel-softmax distribution; ``hard`` makes it one-hot, with the soft sample's gradient.

    tau: temperature.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.gumbel_softmax(torsh.zeros(2, 4), hard=True).sum(dim=1)  # one hot rows
    tensor([1., 1.])
    """
    floating(logits, "gumbel_softmax")
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    noise = -logits.detach().new_empty(tuple(logits.shape)).exponential_().log()
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    ones = logits.detach().new_zeros(tuple(logits.shape)).scatter_(dim, index, 1.0)
    return ones - soft.detach() + soft
