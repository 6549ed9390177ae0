"""Functions of one operand, element by element: roundings, exponentials, trigonometry."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._op import OPS, composite, primitive
from torsh.ops._pointwise import FLOAT, NUMBERS, REAL, Pointwise, nary, unary
from torsh.ops.arithmetic import conj, where, zeros
from torsh.return_types import make
from torsh.tensor import Tensor

_LN2, _LN10 = math.log(2), math.log(10)
_LARGEST = {dtypes.float16: 65504.0, dtypes.complex32: 65504.0, dtypes.bfloat16: 3.3895313892515355e38}


# ---- sign and size
# -----------------------------------------------------------------------------------------------------


@unary(
    "torch.neg Tensor.neg Tensor.__neg__ torch.negative Tensor.negative",
    out="same",
    grad=lambda g: -g,
    because={
        "bool": RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )
    },
    tags="holomorphic",
)
def neg(input):
    """The value with the other sign.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.neg.html

    >>> import torsh
    >>> torsh.neg(torsh.tensor([1, -2]))
    tensor([-1,  2])
    """


@composite("torch.positive Tensor.positive Tensor.__pos__")
def positive(input):
    """The tensor itself; bool tensors are refused (RuntimeError).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.positive.html

    >>> import torsh
    >>> torsh.positive(torsh.tensor([1, -2]))
    tensor([ 1, -2])
    """
    if input.dtype is dtypes.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@unary(
    "torch.abs Tensor.abs Tensor.__abs__ torch.absolute Tensor.absolute",
    REAL,
    refuse="bool",
    grad=lambda g, input: g * sgn(input),
)
def abs(input):
    """The magnitude; of complex numbers a real one.

    The dtype stays, but complex64 gives float32 and complex128 float64; bool is refused with NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.abs.html

    >>> import torsh
    >>> torsh.abs(torsh.tensor([-1, 2, -3]))
    tensor([1, 2, 3])
    >>> torsh.abs(torsh.tensor([3. + 4.j]))  # the modulus of a complex number is real
    tensor([5.])
    """


@unary(
    "torch.sign Tensor.sign",
    out="same",
    grad=lambda g: zeros(g),
    because={
        "complex": NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    },
)
def sign(input):
    """-1, 0 or 1.

    The dtype and shape stay; for complex numbers see :func:`sgn`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sign.html

    >>> import torsh
    >>> torsh.sign(torsh.tensor([-2., 0., 7.]))
    tensor([-1.,  0.,  1.])
    """


def _sgn_grad(g: Any, input: Any, out: Any) -> Any:
    if not input._kind.complex:
        return zeros(g)
    size = abs(input)
    return where(size == 0, 0, g / size - (g / out).real * out / size)


@unary("torch.sgn Tensor.sgn", out="same", grad=_sgn_grad)
def sgn(input):
    """-1, 0 or 1; of complex numbers the number of size 1 in the same direction.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sgn.html

    >>> import torsh
    >>> torsh.sgn(torsh.tensor([3. + 4.j, 0.]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """


class _Square(Pointwise):
    """The square of a bool is an integer."""

    def check(self, kind: Any) -> None:
        pass

    def _run(self, input: Any) -> Any:
        return super()._run(input if input.dtype is not dtypes.bool else input.to(dtypes.int64))


@unary(
    "torch.square Tensor.square",
    refuse="bool",
    template=_Square,
    grad=lambda g, input: g * conj(input * 2),
    tags="holomorphic",
)
def square(input):
    """The square of a value; of bool tensors an integer.

    The shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.square.html

    >>> import torsh
    >>> torsh.square(torsh.tensor([-2, 3]))
    tensor([4, 9])
    """


@unary("torch.reciprocal Tensor.reciprocal", FLOAT, grad=lambda g, out: -g * conj(out * out), tags="holomorphic")
def reciprocal(input):
    """1 / x.

    inf at 0. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.reciprocal.html

    >>> import torsh
    >>> torsh.reciprocal(torsh.tensor([4., 0.]))
    tensor([0.2500,    inf])
    """


_reciprocal = reciprocal.op.short  # type: ignore[attr-defined]


@composite("Tensor.__rtruediv__ Tensor.__rdiv__")
def divided_by(input, other):
    """``input / other`` for an ``input`` that is no tensor: the reciprocal times that, as PyTorch rounds it."""
    if not isinstance(input, (Tensor, *NUMBERS)) and not hasattr(input, "__array__"):
        return NotImplemented
    result = _reciprocal(other)
    return result if (type(input) is int or type(input) is float) and input == 1 else result * input


def _where_positive(g, out):
    # Not g * (out > 0): an infinite g times False would be nan.
    return OPS["threshold_backward"](g, out, 0.0)


@unary(
    "torch.relu Tensor.relu torch.nn.functional.relu_",
    grad=_where_positive,
    because={
        "bool": RuntimeError("Boolean inputs not supported for relu"),
        "complex": NotImplementedError("clamp is not supported for complex types"),
    },
)
def relu(input):
    """max(x, 0).

    The dtype and shape stay; bool and complex numbers are refused with RuntimeError (complex: NotImplementedError).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html

    >>> import torsh
    >>> torsh.relu(torsh.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])
    >>> x = torsh.tensor([-3., 5.])
    >>> x.relu_()  # in place
    tensor([0., 5.])
    """


# ---- rounding
# ----------------------------------------------------------------------------------------------------------


def _no_complex(name: str) -> dict[str, Exception]:
    return {"complex": NotImplementedError(f"{name} is not supported for complex inputs")}


@unary("torch.floor Tensor.floor", out="same", refuse="bool", because=_no_complex("floor"), grad=lambda g: zeros(g))
def floor(input):
    """The largest integer that is not above the value.

    The dtype stays; integers are given back as they are. Complex numbers are refused with NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.floor.html

    >>> import torsh
    >>> torsh.floor(torsh.tensor([-0.5, 0.5, 2.]))
    tensor([-1.,  0.,  2.])
    """


@unary("torch.ceil Tensor.ceil", out="same", refuse="bool", because=_no_complex("ceil"), grad=lambda g: zeros(g))
def ceil(input):
    """The smallest integer that is not below the value.

    The dtype stays; integers are given back as they are. Complex numbers are refused with NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.ceil.html

    >>> import torsh
    >>> torsh.ceil(torsh.tensor([-0.5, 0.5, 2.]))
    tensor([-0., 1., 2.])
    """


@unary(
    "torch.trunc Tensor.trunc torch.fix Tensor.fix",
    out="same",
    refuse="bool",
    because=_no_complex("trunc"),
    grad=lambda g: zeros(g),
)
def trunc(input):
    """The integer part.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.trunc.html

    >>> import torsh
    >>> torsh.trunc(torsh.tensor([-1.7, 0.2, 2.9]))
    tensor([-1.,  0.,  2.])
    """


@unary("torch.frac Tensor.frac", out="same", refuse="bool int complex", grad=lambda g: g)
def frac(input):
    """The part after the decimal point, with the value's sign.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.frac.html

    >>> import torsh
    >>> torsh.frac(torsh.tensor([1.25, -2.5]))
    tensor([ 0.2500, -0.5000])
    """


@nary("", refuse="bool int complex", keep="decimals", grad={"input": lambda g: zeros(g)}, inplace=False)
def round_decimals(input, decimals):
    """Round to a number of decimal places."""
    return (input, decimals)


@unary(
    "torch.round Tensor.round torch.special.round",
    out="same",
    refuse="bool complex",
    grad=lambda g: zeros(g),
    keywords={"decimals": 0},
    otherwise=lambda input, decimals: round_decimals(input, decimals) if decimals else round(input),
)
def round(input):
    """The nearest integer, halves to the even one.

    decimals: round to so many places after (negative: before) the decimal point.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.round.html

    >>> import torsh
    >>> torsh.round(torsh.tensor([0.5, 1.5, -2.5]))  # halves go to the even neighbour
    tensor([ 0.,  2., -2.])
    >>> torsh.round(torsh.tensor([1.2345]), decimals=2)
    tensor([1.2300])
    """


@unary(
    "torch.deg2rad Tensor.deg2rad",
    FLOAT,
    grad=lambda g: g * (math.pi / 180),
    because={"complex": RuntimeError("deg2rad is not supported for complex tensors.")},
)
def deg2rad(input):
    """Degrees to radians.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.deg2rad.html

    >>> import torsh
    >>> torsh.deg2rad(torsh.tensor([180., -90.]))
    tensor([ 3.1416, -1.5708])
    """


@unary(
    "torch.rad2deg Tensor.rad2deg",
    FLOAT,
    grad=lambda g: g * (180 / math.pi),
    because={"complex": RuntimeError("rad2deg is not supported for complex tensors.")},
)
def rad2deg(input):
    """Radians to degrees.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.rad2deg.html

    >>> import torsh
    >>> torsh.rad2deg(torsh.tensor([3.14159265, 0.]))
    tensor([180.,   0.])
    """


@nary(
    "torch.nan_to_num Tensor.nan_to_num",
    keep="nan posinf neginf",
    grad={"input": lambda g, input: where(input.isfinite(), g, 0)},
    tags="holomorphic",
)
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """Numbers in place of nan (default 0), inf (default the largest finite value) and -inf.

    nan, posinf, neginf: the numbers to put in. Integers are given back as they are.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nan_to_num.html

    >>> import torsh
    >>> x = torsh.tensor([float("nan"), float("inf"), 1.])
    >>> torsh.nan_to_num(x)
    tensor([0.0000e+00, 3.4028e+38, 1.0000e+00])
    >>> torsh.nan_to_num(x, nan=-1., posinf=9.)
    tensor([-1.,  9.,  1.])
    """
    # The kernel may compute in a wider type, whose largest value would not fit.
    largest = _LARGEST.get(input._kind.dtype)
    if largest is None:
        return (input, nan, posinf, neginf)
    return (
        input,
        nan,
        posinf if posinf is not None else largest,
        neginf if neginf is not None else -largest,
    )


@primitive(
    "torch.frexp Tensor.frexp",
    out=True,
    args="input",
    tags="pointwise",
    returns=make("frexp", "mantissa exponent"),
    meta=lambda input: [(tuple(input.shape), input.dtype), (tuple(input.shape), dtypes.int32)],
    grad={"input": lambda g, out1: g[0] * (2.0 ** -out1.to(g[0].dtype))},
)
def frexp(input):
    """Mantissa (0.5 to 1 in size) and integer exponent of base 2.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.frexp.html

    >>> import torsh
    >>> mantissa, exponent = torsh.frexp(torsh.tensor([8., 0.75]))
    >>> mantissa, exponent
    (tensor([0.5000, 0.7500]), tensor([4, 0], dtype=torsh.int32))
    """
    if not input._kind.floating:
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes; got {input.dtype}")
    return (input,)


# ---- exponentials, logarithms, roots
# -------------------------------------------------------------------------------------


@unary("torch.exp Tensor.exp", FLOAT, grad=lambda g, out: g * conj(out), tags="holomorphic")
def exp(input):
    """The exponential function.

    input: of any dtype; bools and integers are computed in the default floating type. The result has the input's shape.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.exp.html

    >>> import torsh
    >>> torsh.exp(torsh.tensor([0., 1., 2.]))
    tensor([1.0000, 2.7183, 7.3891])
    >>> torsh.exp(torsh.tensor([0, 1]))  # integers give the default dtype
    tensor([1.0000, 2.7183])
    """


@unary("torch.exp2 Tensor.exp2 torch.special.exp2", FLOAT, grad=lambda g, out: g * conj(out * _LN2), tags="holomorphic")
def exp2(input):
    """2 ** x.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.exp2.html

    >>> import torsh
    >>> torsh.exp2(torsh.tensor([0., 1., 3.]))
    tensor([1., 2., 8.])
    """


@unary("torch.expm1 Tensor.expm1 torch.special.expm1", FLOAT, grad=lambda g, out: g * conj(out + 1), tags="holomorphic")
def expm1(input):
    """exp(x) - 1, exact near 0.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.expm1.html

    >>> import torsh
    >>> torsh.expm1(torsh.tensor([1e-10], dtype=torsh.float64))  # exp(x) - 1 would lose the small part
    tensor([1.0000e-10], dtype=torsh.float64)
    """


@unary("torch.log Tensor.log", FLOAT, grad=lambda g, input: g / conj(input), tags="holomorphic")
def log(input):
    """The natural logarithm.

    Of 0 it is -inf, of negative real values nan. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.log.html

    >>> import torsh
    >>> torsh.log(torsh.tensor([1., 2.718281828, 0.]))
    tensor([0., 1., -inf])
    """


@unary("torch.log2 Tensor.log2", FLOAT, grad=lambda g, input: g / conj(input * _LN2), tags="holomorphic")
def log2(input):
    """The logarithm to base 2.

    Of 0 it is -inf, of negative real values nan. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.log2.html

    >>> import torsh
    >>> torsh.log2(torsh.tensor([1., 8.]))
    tensor([0., 3.])
    """


@unary("torch.log10 Tensor.log10", FLOAT, grad=lambda g, input: g / conj(input * _LN10), tags="holomorphic")
def log10(input):
    """The logarithm to base 10.

    Of 0 it is -inf, of negative real values nan. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.log10.html

    >>> import torsh
    >>> torsh.log10(torsh.tensor([0.5, 20.]))
    tensor([-0.3010,  1.3010])
    """


@unary(
    "torch.log1p Tensor.log1p torch.special.log1p", FLOAT, grad=lambda g, input: g / conj(input + 1), tags="holomorphic"
)
def log1p(input):
    """log(1 + x), exact near 0.

    -inf at -1, nan below. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.log1p.html

    >>> import torsh
    >>> torsh.log1p(torsh.tensor([0., 1.]))
    tensor([0.0000, 0.6931])
    """


@unary("torch.sqrt Tensor.sqrt", FLOAT, grad=lambda g, out: g / conj(out * 2), tags="holomorphic")
def sqrt(input):
    """The square root; nan for negative real values.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sqrt.html

    >>> import torsh
    >>> torsh.sqrt(torsh.tensor([4., 2., -1.]))
    tensor([2.0000, 1.4142,    nan])
    """


@unary("torch.rsqrt Tensor.rsqrt", FLOAT, grad=lambda g, out: g * conj(out * out * out * -0.5), tags="holomorphic")
def rsqrt(input):
    """1 / sqrt(x).

    inf at 0, nan for negative real values. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.rsqrt.html

    >>> import torsh
    >>> torsh.rsqrt(torsh.tensor([4., 0.25]))
    tensor([0.5000, 2.0000])
    """


@unary(
    "torch.sigmoid Tensor.sigmoid torch.special.expit torch.nn.functional.sigmoid",
    FLOAT,
    grad=lambda g, out: g * conj((1 - out) * out),
    tags="holomorphic",
)
def sigmoid(input):
    """1 / (1 + exp(-x)).

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sigmoid.html

    >>> import torsh
    >>> torsh.sigmoid(torsh.tensor([-1., 0., 1.]))
    tensor([0.2689, 0.5000, 0.7311])
    """


# ---- trigonometry
# --------------------------------------------------------------------------------------------------------


@unary("torch.sin Tensor.sin", FLOAT, grad=lambda g, input: g * conj(cos(input)), tags="holomorphic")
def sin(input):
    """The sine of an angle in radians.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sin.html

    >>> import torsh
    >>> torsh.sin(torsh.tensor([0., 1.57079633]))
    tensor([0., 1.])
    """


@unary("torch.cos Tensor.cos", FLOAT, grad=lambda g, input: -g * conj(sin(input)), tags="holomorphic")
def cos(input):
    """The cosine of an angle in radians.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cos.html

    >>> import torsh
    >>> torsh.cos(torsh.tensor([0., 3.14159265]))
    tensor([ 1., -1.])
    """


@unary("torch.tan Tensor.tan", FLOAT, grad=lambda g, out: g * conj(1 + out * out), tags="holomorphic")
def tan(input):
    """The tangent of an angle in radians.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tan.html

    >>> import torsh
    >>> torsh.tan(torsh.tensor([0., 0.785398]))
    tensor([0.0000, 1.0000])
    """


@unary(
    "torch.asin Tensor.asin torch.arcsin Tensor.arcsin",
    FLOAT,
    grad=lambda g, input: g * conj(rsqrt(1 - input * input)),
    tags="holomorphic",
)
def asin(input):
    """The angle from -pi/2 to pi/2 with that sine.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.asin.html

    >>> import torsh
    >>> torsh.asin(torsh.tensor([0., 0.5, 1.]))
    tensor([0.0000, 0.5236, 1.5708])
    """


@unary(
    "torch.acos Tensor.acos torch.arccos Tensor.arccos",
    FLOAT,
    grad=lambda g, input: -g * conj(rsqrt(1 - input * input)),
    tags="holomorphic",
)
def acos(input):
    """The angle from 0 to pi with that cosine.

    nan outside -1 to 1 (of real values). Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.acos.html

    >>> import torsh
    >>> torsh.acos(torsh.tensor([1., 0., -1., 2.]))  # nan outside [-1, 1]
    tensor([0.0000, 1.5708, 3.1416,    nan])
    """


@unary(
    "torch.atan Tensor.atan torch.arctan Tensor.arctan",
    FLOAT,
    grad=lambda g, input: g / conj(input * input + 1),
    tags="holomorphic",
)
def atan(input):
    """The angle from -pi/2 to pi/2 with that tangent.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.atan.html

    >>> import torsh
    >>> torsh.atan(torsh.tensor([0., 1., float("inf")]))
    tensor([0.0000, 0.7854, 1.5708])
    """


@unary("torch.sinh Tensor.sinh", FLOAT, grad=lambda g, input: g * conj(cosh(input)), tags="holomorphic")
def sinh(input):
    """The hyperbolic sine.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sinh.html

    >>> import torsh
    >>> torsh.sinh(torsh.tensor([0., 1.]))
    tensor([0.0000, 1.1752])
    """


@unary("torch.cosh Tensor.cosh", FLOAT, grad=lambda g, input: g * conj(sinh(input)), tags="holomorphic")
def cosh(input):
    """The hyperbolic cosine.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cosh.html

    >>> import torsh
    >>> torsh.cosh(torsh.tensor([0., 1.]))
    tensor([1.0000, 1.5431])
    """


@unary(
    "torch.tanh Tensor.tanh torch.nn.functional.tanh",
    FLOAT,
    grad=lambda g, out: g * conj(1 - out * out),
    tags="holomorphic",
)
def tanh(input):
    """The hyperbolic tangent.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tanh.html

    >>> import torsh
    >>> torsh.tanh(torsh.tensor([-1., 0., 100.]))
    tensor([-0.7616,  0.0000,  1.0000])
    """


@unary(
    "torch.asinh Tensor.asinh torch.arcsinh Tensor.arcsinh",
    FLOAT,
    grad=lambda g, input: g * conj(rsqrt(input * input + 1)),
    tags="holomorphic",
)
def asinh(input):
    """The inverse of the hyperbolic sine.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.asinh.html

    >>> import torsh
    >>> torsh.asinh(torsh.tensor([0., 1.]))
    tensor([0.0000, 0.8814])
    """


def _acosh_grad(g: Any, input: Any) -> Any:
    # sqrt(x + 1) * sqrt(x - 1) is sqrt(x * x - 1) for real x > 1 only.
    return g * conj(rsqrt(input + 1) * rsqrt(input - 1)) if input._kind.complex else g * rsqrt(input * input - 1)


@unary("torch.acosh Tensor.acosh torch.arccosh Tensor.arccosh", FLOAT, grad=_acosh_grad, tags="holomorphic")
def acosh(input):
    """The inverse of the hyperbolic cosine.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.acosh.html

    >>> import torsh
    >>> torsh.acosh(torsh.tensor([1., 2.]))
    tensor([0.0000, 1.3170])
    """


@unary(
    "torch.atanh Tensor.atanh torch.arctanh Tensor.arctanh",
    FLOAT,
    grad=lambda g, input: g / conj(1 - input * input),
    tags="holomorphic",
)
def atanh(input):
    """The inverse of the hyperbolic tangent.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.atanh.html

    >>> import torsh
    >>> torsh.atanh(torsh.tensor([0., 0.5, 1.]))
    tensor([0.0000, 0.5493,    inf])
    """
