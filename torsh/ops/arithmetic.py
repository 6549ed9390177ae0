"""Arithmetic of two and more operands, element by element."""

from __future__ import annotations

import cmath
import math
import warnings
from typing import Any

from torsh import dtypes
from torsh.dispatch import Kind
from torsh.ops._args import check_tensor
from torsh.ops._calls import deprecated_overload
from torsh.ops._inplace import with_history
from torsh.ops._op import Ready, composite, needs_grad
from torsh.ops._pointwise import FLOAT, NUMBERS, SAME, as_number, binary, compute_kind, nary
from torsh.ops.comparison import eq, ge, gt, le, lt
from torsh.tensor import Tensor, overwrite


def conj(x: Any) -> Any:
    """The conjugate of an operand in a gradient rule, which may be a Python number."""
    if isinstance(x, Tensor):
        return x.conj_physical() if x._kind.complex else x
    return x.conjugate()


def zeros(g: Any) -> Any:
    """The gradient of a function that is constant almost everywhere."""
    from torsh.ops.creation import make_full

    return make_full(tuple(g.shape), 0, g.dtype, g.device, False)


# ---- sums
# --------------------------------------------------------------------------------------------------------------


def check_alpha(dtype: Any, alpha: Any, name: str = "alpha") -> None:
    """Raise where a factor cannot be used in arithmetic of a dtype."""
    if isinstance(alpha, bool) and dtype is not dtypes.bool:
        raise RuntimeError(f"Boolean {name} only supported for Boolean results. Got {name}={alpha} with {dtype}")
    if dtype.category < dtypes.FLOAT and isinstance(alpha, (float, complex)):
        raise RuntimeError(
            f"For integral input tensors, argument {name} must not be a floating point number. Got {alpha} with {dtype}"
        )
    if not dtype.is_complex and isinstance(alpha, complex):
        raise RuntimeError(
            f"For non-complex input tensors, argument {name} must not be a complex number. Got {alpha} with {dtype}"
        )


def _scaled(input: Any, other: Any, alpha: Any) -> Any:
    """``alpha * other`` in the type that its sum with ``input`` will have."""
    if (
        type(input) is Tensor is type(other)
        and type(alpha) is float
        and input._kind is other._kind
        and input._kind.floating
    ):
        return mul(other, alpha)
    if isinstance(alpha, Tensor):
        alpha = alpha.item()
    if not isinstance(alpha, NUMBERS):
        raise TypeError(f"argument 'alpha' must be Number, not {type(alpha).__name__}")
    if isinstance(input, Tensor) or isinstance(other, Tensor):
        dtype = compute_kind((input, other), SAME).dtype
    else:
        dtype = dtypes.combine([], [], [dtypes.of_number(input), dtypes.of_number(other)])
    check_alpha(dtype, alpha)
    if isinstance(other, Tensor):
        other = other.to(dtype)
        if dtype is dtypes.bool:
            return mul(other, bool(alpha))
    return mul(other, alpha) if isinstance(other, Tensor) else other * alpha


@binary(
    "torch.add Tensor.add Tensor.__add__ Tensor.__radd__",
    numbers="all",
    grad={"input": lambda g: g, "other": lambda g: g},
    keywords={"alpha": 1},
    rewrite=lambda input, other, alpha: (input, _scaled(input, other, alpha)),
    tags="holomorphic",
)
def add(input, other):
    """``input + alpha * other``.

    input, other: tensors that broadcast together, or a tensor and a number.  alpha: a number; it must be an integer
    where
    the result is integral (RuntimeError).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.add.html

    >>> import torsh
    >>> torsh.add(torsh.tensor([1., 2.]), torsh.tensor([[10.], [20.]]))  # broadcast to (2, 2)
    tensor([[11., 12.],
            [21., 22.]])
    >>> torsh.add(torsh.tensor([1., 2.]), torsh.tensor([10., 20.]), alpha=0.5)
    tensor([ 6., 12.])
    >>> x = torsh.tensor([1, 2])
    >>> x.add_(1)  # in place
    tensor([2, 3])
    """


def _no_bools(kind: Any, args: tuple[Any, ...]) -> None:
    bools = [(a.dtype is dtypes.bool) if isinstance(a, Tensor) else isinstance(a, bool) for a in args]
    if all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


@binary(
    "torch.sub Tensor.sub Tensor.__sub__ Tensor.__rsub__ torch.subtract Tensor.subtract",
    numbers="all",
    grad={"input": lambda g: g, "other": lambda g: -g},
    validate=_no_bools,
    because={
        "bool": RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    },
    keywords={"alpha": 1},
    rewrite=lambda input, other, alpha: (input, _scaled(input, other, alpha)),
    tags="holomorphic",
)
def sub(input, other):
    """``input - alpha * other``.

    input, other: tensors that broadcast together, or a tensor and a number; bool tensors are refused (RuntimeError).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sub.html

    >>> import torsh
    >>> torsh.sub(torsh.tensor([5., 7.]), torsh.tensor([1., 2.]), alpha=2)
    tensor([3., 3.])
    >>> torsh.tensor([5, 7]) - 1
    tensor([4, 6])
    """


@composite("torch.rsub Tensor.rsub")
def rsub(input, other, *, alpha=1):
    """``other - alpha * input``.

    ``other - alpha * input``: :func:`sub` with its operands exchanged.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.rsub(torsh.tensor([1, 2]), 10)
    tensor([9, 8])
    """
    check_tensor(input, "rsub")
    return sub(other, input, alpha=alpha)


@binary(
    "torch.mul Tensor.mul Tensor.__mul__ Tensor.__rmul__ torch.multiply Tensor.multiply",
    numbers="all",
    rounds="none",
    grad={"input": lambda g, other: g * conj(other), "other": lambda g, input: g * conj(input)},
    tags="holomorphic",
)
def mul(input, other):
    """The product of two operands.

    input, other: tensors that broadcast together, or a tensor and a number.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.mul.html

    >>> import torsh
    >>> torsh.mul(torsh.tensor([1., 2.]), 3)
    tensor([3., 6.])
    >>> torsh.mul(torsh.tensor([[1], [2]]), torsh.tensor([10, 20]))  # broadcast to (2, 2)
    tensor([[10, 20],
            [20, 40]])
    """


# ---- quotients
# ---------------------------------------------------------------------------------------------------------


def _rounded(input: Any, other: Any, rounding_mode: Any) -> Any:
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return trunc_divide(input, other)
    if rounding_mode is None:
        return div(input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")


_DIV_GRAD = {
    "input": lambda g, other: g / conj(other),
    "other": lambda g, input, other: -g * conj(input / other / other),
}


@binary(
    "torch.div Tensor.div torch.divide Tensor.divide Tensor.__truediv__ Tensor.__div__",
    FLOAT,
    numbers="all",
    rounds="first",
    grad=_DIV_GRAD,
    keywords={"rounding_mode": None},
    otherwise=_rounded,
    tags="holomorphic",
)
def div(input, other):
    """``input / other``; integers are divided as floats.

    rounding_mode: "floor" or "trunc" rounds the quotient, and integers stay integers then.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.div.html

    >>> import torsh
    >>> torsh.div(torsh.tensor([7, -7]), 2)  # true division, also of integers
    tensor([ 3.5000, -3.5000])
    >>> torsh.div(torsh.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    >>> torsh.div(torsh.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """


@composite("torch.true_divide Tensor.true_divide", out=True, inplace=True)
def true_divide(input, other):
    """``input / other``: ``div`` without rounding.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.true_divide.html

    >>> import torsh
    >>> torsh.true_divide(torsh.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    """
    return div(input, other)


@binary(
    "torch.floor_divide Tensor.floor_divide Tensor.__floordiv__ Tensor.__rfloordiv__",
    numbers="all",
    rounds="first",
    refuse="bool complex",
    grad={"input": lambda g: zeros(g), "other": lambda g: zeros(g)},
)
def floor_divide(input, other):
    """The quotient rounded towards minus infinity; RuntimeError for integers divided by zero.

    other: a tensor that broadcasts, or a number; the dtypes are promoted.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.floor_divide.html

    >>> import torsh
    >>> torsh.floor_divide(torsh.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """


@binary(
    "",
    numbers="all",
    rounds="first",
    refuse="bool complex",
    grad={"input": lambda g: zeros(g), "other": lambda g: zeros(g)},
)
def trunc_divide(input, other):
    """The quotient rounded towards zero: ``div(rounding_mode="trunc")``."""


@binary(
    "torch.remainder Tensor.remainder Tensor.__mod__ Tensor.__rmod__",
    refuse="bool complex",
    grad={"input": lambda g: g, "other": lambda g, input, other: -g * floor_divide(input, other)},
)
def remainder(input, other):
    """What is left of ``input`` after floor division, with the sign of ``other``.

    other: a tensor that broadcasts, or a number. Integers divided by zero raise RuntimeError; floating results are nan there.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.remainder.html

    >>> import torsh
    >>> torsh.remainder(torsh.tensor([5, -5]), 3)  # the sign of the divisor, as Python's %
    tensor([2, 1])
    """


@binary(
    "torch.fmod Tensor.fmod",
    numbers="second",
    refuse="bool complex",
    grad={"input": lambda g: g, "other": lambda g, input, other: -g * trunc_divide(input, other)},
)
def fmod(input, other):
    """What is left of ``input`` after division rounded towards zero, with the sign of ``input`` (C's fmod).

    other: a tensor that broadcasts, or a number. Integers divided by zero raise RuntimeError; floating results are nan there.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fmod.html

    >>> import torsh
    >>> torsh.fmod(torsh.tensor([5, -5]), 3)  # the sign of the dividend
    tensor([ 2, -2])
    """


# ---- powers
# ------------------------------------------------------------------------------------------------------------


def _check_exponent(kind: Any, args: tuple[Any, ...]) -> None:
    if (
        kind.dtype.category == dtypes.INT
        and isinstance(args[1], int)
        and args[1] < 0
        and not isinstance(args[0], NUMBERS)
    ):
        raise RuntimeError(
            f"Integers to negative integer powers are not allowed: the exponent is {args[1]}, the base {kind.dtype}; "
            "convert the base to a floating type first"
        )
    if kind.dtype.category == dtypes.INT and isinstance(args[1], int) and as_number(args[1], kind.dtype) != args[1]:
        raise RuntimeError(
            f"value cannot be converted to type {kind.dtype} without overflow: the exponent is {args[1]}"
        )


def _power_of_base(g: Any, input: Any, exponent: Any) -> Any:
    if not isinstance(exponent, Tensor):
        if exponent == 0:
            return zeros(g)
        if exponent == 2:
            return g * conj(input * 2)
        return g * conj(pow(input, exponent - 1) * exponent)
    return where(exponent == 0, 0, g * conj(exponent * pow(input, exponent - 1)))


def log_of(x: Any) -> Any:
    """The logarithm of a tensor or of a number (nan and -inf as IEEE has them)."""
    if isinstance(x, Tensor):
        return x.log()
    if isinstance(x, complex):
        return cmath.log(x) if x else complex(-math.inf)
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _power_of_exponent(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    base = input
    if out._kind.complex:  # the logarithm of a negative real base is complex
        base = input.to(out.dtype) if isinstance(input, Tensor) else complex(input)
    found = g * conj(out * log_of(base))
    real = exponent.real if isinstance(exponent, Tensor) and exponent._kind.complex else exponent
    vanishes = (real >= 0) & (input == 0) if isinstance(input, Tensor) or input == 0 else None
    if vanishes is not None and isinstance(exponent, Tensor) and exponent._kind.complex:
        vanishes = vanishes & (exponent.imag == 0)
    return found if vanishes is None else where(vanishes, 0, found)


@binary(
    "torch.pow Tensor.pow Tensor.__pow__ Tensor.__rpow__",
    refuse="bool",
    validate=_check_exponent,
    grad={"input": _power_of_base, "exponent": _power_of_exponent},
    tags="holomorphic",
)
def pow(input, exponent):
    """``input ** exponent``; either may be a number.

    Integer tensors take no negative number as exponent (RuntimeError).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.pow.html

    >>> import torsh
    >>> torsh.pow(torsh.tensor([1., 2., 3.]), 2)
    tensor([1., 4., 9.])
    >>> torsh.pow(2, torsh.tensor([1, 2, 3]))  # a number may be the base
    tensor([2, 4, 8])
    """


@composite("torch.float_power Tensor.float_power", out=True, inplace=True)
def float_power(input, exponent):
    """``input ** exponent`` computed in float64 (complex128 where an operand is complex).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.float_power.html

    >>> import torsh
    >>> torsh.float_power(torsh.tensor([1, 2, 3]), 2)  # computed in float64
    tensor([1., 4., 9.], dtype=torsh.float64)
    """
    is_complex = any(a._kind.complex if isinstance(a, Tensor) else isinstance(a, complex) for a in (input, exponent))
    wide = dtypes.complex128 if is_complex else dtypes.float64
    number = complex if is_complex else float
    base, power = (a.to(wide) if isinstance(a, Tensor) else number(a) for a in (input, exponent))
    return pow(base, power)


def _float_power_(self: Tensor, exponent: Any) -> Tensor:
    """In-place form of :func:`float_power`, for float64 and complex128 tensors only (RuntimeError).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.float_power_.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2.], dtype=torsh.float64)
    >>> x.float_power_(2)
    tensor([1., 4.], dtype=torsh.float64)
    """
    result = float_power(self if not needs_grad(self, exponent) else with_history(self), exponent)
    if result.dtype is not self.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {dtypes.scalar_name(self.dtype)} but the operation's result "
            f"requires dtype {dtypes.scalar_name(result.dtype)}"
        )
    return overwrite(self, result, "float_power_")


float_power.op.inplace = _float_power_


# ---- smaller and larger
# ------------------------------------------------------------------------------------------------


def _larger_of(g: Any, input: Any, other: Any) -> Any:
    """The share of the gradient of max(input, other) that goes to ``input``: all, half (where equal) or none."""
    return where(eq(input, other), g / 2, where(lt(input, other), 0, g))


def _smaller_of(g: Any, input: Any, other: Any) -> Any:
    return where(eq(input, other), g / 2, where(gt(input, other), 0, g))


def _complex_refused(name: str) -> dict[str, Exception]:
    return {"complex": RuntimeError(f"{name} not implemented for complex tensors.")}


@binary(
    "torch.maximum Tensor.maximum",
    inplace=False,
    numbers="none",
    because=_complex_refused("maximum"),
    grad={
        "input": lambda g, input, other: _larger_of(g, input, other),
        "other": lambda g, input, other: _larger_of(g, other, input),
    },
)
def maximum(input, other):
    """The larger of two values; nan if either is nan.

    The operands broadcast, their dtypes are promoted; complex numbers are refused. :func:`fmax` passes over nan.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.maximum.html

    >>> import torsh
    >>> torsh.maximum(torsh.tensor([1., float("nan")]), torsh.tensor([2., 5.]))  # nan wins
    tensor([2., nan])
    """


@binary(
    "torch.minimum Tensor.minimum",
    inplace=False,
    numbers="none",
    because=_complex_refused("minimum"),
    grad={
        "input": lambda g, input, other: _smaller_of(g, input, other),
        "other": lambda g, input, other: _smaller_of(g, other, input),
    },
)
def minimum(input, other):
    """The smaller of two values; nan if either is nan.

    The operands broadcast, their dtypes are promoted; complex numbers are refused. :func:`fmin` passes over nan.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.minimum.html

    >>> import torsh
    >>> torsh.minimum(torsh.tensor([1, 5]), torsh.tensor([2, 3]))
    tensor([1, 3])
    """


def _takes_first(compare: Any, input: Any, other: Any) -> Any:
    return compare(input, other) | (other != other)


@binary(
    "torch.fmax Tensor.fmax",
    inplace=False,
    numbers="none",
    because=_complex_refused("fmax"),
    grad={
        "input": lambda g, input, other: where(_takes_first(ge, input, other), g, 0),
        "other": lambda g, input, other: where(_takes_first(ge, input, other), 0, g),
    },
)
def fmax(input, other):
    """The larger of two values; the other one where one is nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fmax.html

    >>> import torsh
    >>> torsh.fmax(torsh.tensor([1., float("nan")]), torsh.tensor([2., 5.]))  # nan only where both are
    tensor([2., 5.])
    """


@binary(
    "torch.fmin Tensor.fmin",
    inplace=False,
    numbers="none",
    because=_complex_refused("fmin"),
    grad={
        "input": lambda g, input, other: where(_takes_first(le, input, other), g, 0),
        "other": lambda g, input, other: where(_takes_first(le, input, other), 0, g),
    },
)
def fmin(input, other):
    """The smaller of two values; the other one where one is nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fmin.html

    >>> import torsh
    >>> torsh.fmin(torsh.tensor([1., float("nan")]), torsh.tensor([2., 5.]))
    tensor([1., 5.])
    """


def _inside(g: Any, input: Any, min: Any, max: Any) -> Any:
    inside = None if min is None else input >= min
    if max is not None:
        inside = input <= max if inside is None else inside & (input <= max)
    return where(inside, g, 0)


def _at_min(g: Any, input: Any, min: Any, max: Any) -> Any:
    below = input < min
    return where(below if max is None else below & (min < max), g, 0)


def _at_max(g: Any, input: Any, min: Any, max: Any) -> Any:
    above = input > max
    return where(above if min is None else above | (min > max), g, 0)


def _fits(kind: Kind, args: tuple[Any, ...]) -> None:
    """Raise for a Python integer that an integer dtype has no room for: it would wrap around to another one."""
    if kind.dtype.category == dtypes.INT:
        from torsh.ops.creation import as_value

        for a in args:
            if type(a) is int:
                as_value(a, kind.dtype)


@nary(
    "torch.clamp Tensor.clamp torch.clip Tensor.clip",
    usual="tensor number number",
    validate=_fits,
    because={"complex": NotImplementedError("clamp is not supported for complex types")},
    grad={"input": _inside, "min": _at_min, "max": _at_max},
)
def clamp(input, min=None, max=None):
    """Values below ``min`` become ``min``, values above ``max`` become ``max``.

    min, max: numbers or tensors; one may be missing (RuntimeError if both are).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.clamp.html

    >>> import torsh
    >>> x = torsh.tensor([-2., 0.5, 3.])
    >>> torsh.clamp(x, min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    >>> x.clamp(min=torsh.tensor([0., 1., 2.]))  # bounds may be tensors
    tensor([0., 1., 3.])
    """
    if type(min) is Tensor and type(max) is Tensor:  # the commonest case with tensors
        return (input, min, max)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if (min is not None and max is not None) and isinstance(min, Tensor) is not isinstance(max, Tensor):
        raise TypeError(
            f"clamp() received an invalid combination of arguments - got (min={type(min).__name__}, "
            f"max={type(max).__name__}); both must be numbers, or both tensors"
        )
    numbers = not isinstance(min, Tensor) and not isinstance(max, Tensor)
    if numbers and input._kind.dtype is dtypes.bool and compute_kind((input, min, max), SAME).dtype is dtypes.bool:
        raise NotImplementedError(
            "\"clamp_scalar_cpu\" not implemented for 'Bool'; convert the input to another dtype first"
        )
    return (input, min, max)


@composite("torch.clamp_min Tensor.clamp_min", out=True, inplace=True)
def clamp_min(input, min):
    """Values below ``min`` become ``min``.

    min: a number or a tensor that broadcasts with the input; the dtypes are promoted.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.clamp_min(torsh.tensor([1, 5, 9]), 5)
    tensor([5, 5, 9])
    """
    return clamp.op(check_tensor(input, "clamp_min"), min, None)


@composite("torch.clamp_max Tensor.clamp_max", out=True, inplace=True)
def clamp_max(input, max):
    """Values above ``max`` become ``max``.

    max: a number or a tensor that broadcasts with the input; the dtypes are promoted.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.clamp_max(torsh.tensor([1, 5, 9]), 5)
    tensor([1, 5, 5])
    """
    return clamp.op(check_tensor(input, "clamp_max"), None, max)


# ---- three operands
# ----------------------------------------------------------------------------------------------------


@nary(
    "torch.where",
    usual="mask tensor value",
    inplace=False,
    validate=_fits,
    keep="condition",
    grad={"input": lambda g, condition: where(condition, g, 0), "other": lambda g, condition: where(condition, 0, g)},
    tags="linear",
)
def where(condition, input=None, other=None):
    """``input`` where ``condition`` holds, ``other`` elsewhere; with the condition alone, the indices where it holds.

    condition: a bool tensor.  input, other: tensors or numbers; all three broadcast together.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.where.html

    >>> import torsh
    >>> x = torsh.tensor([-1., 2., -3.])
    >>> torsh.where(x > 0, x, 0.)
    tensor([0., 2., 0.])
    >>> torsh.where(x > 0)  # without values: the indices, as nonzero(as_tuple=True)
    (tensor([1]),)
    """
    if input is None and other is None:
        return Ready(condition.nonzero(as_tuple=True))
    if not isinstance(condition, Tensor):
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    if condition._kind.dtype is not dtypes.bool:
        if condition._kind.dtype is not dtypes.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
            )
        warnings.warn(
            "where received a uint8 condition tensor. This behavior is deprecated; use a boolean condition instead.",
            UserWarning,
            stacklevel=3,
        )
        condition = condition.to(dtypes.bool)
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        from torsh.ops.creation import make_full

        dtype = dtypes.combine((), (), [dtypes.of_number(input), dtypes.of_number(other)])
        input = make_full((), input, dtype, condition.device, False)
    return (condition, input, other)


@composite("Tensor.where")
def where_of(self, condition, other):
    """This tensor's values where ``condition`` holds, ``other`` elsewhere.

    condition: a tensor of bools; where it holds the tensor's own element is taken, elsewhere that of ``other``, a tensor or a number.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.where.html

    >>> import torsh
    >>> torsh.tensor([1, 2, 3]).where(torsh.tensor([True, False, True]), 0)
    tensor([1, 0, 3])
    """
    return where(condition, self, other)


def _check_lerp(input: Any, end: Any, weight: Any) -> None:
    for name, t in (("end", end), ("weight", weight)):
        if isinstance(t, Tensor) and t.dtype is not input.dtype:
            raise RuntimeError(f"expected dtype {input.dtype} for `{name}` but got dtype {t.dtype}")


@nary(
    "torch.lerp Tensor.lerp",
    usual="tensor tensor value",
    refuse="bool int",
    grad={
        "input": lambda g, weight: g * conj(1 - weight),
        "end": lambda g, weight: g * conj(weight),
        "weight": lambda g, input, end: g * conj(end - input),
    },
    tags="holomorphic",
)
def lerp(input, end, weight):
    """``input + weight * (end - input)``: linear interpolation.

    weight: a number or a tensor.  All tensors have one dtype (RuntimeError otherwise).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.lerp.html

    >>> import torsh
    >>> torsh.lerp(torsh.tensor([0., 10.]), torsh.tensor([10., 20.]), 0.25)
    tensor([ 2.5000, 12.5000])
    """
    check_tensor(end, "lerp", "end", 2)
    _check_lerp(input, end, weight)
    lerp.op.check(input._kind)  # a number for the weight must not make integers a type that there is a kernel for
    return (input, end, weight)


@nary(
    "torch.addcmul Tensor.addcmul",
    usual="tensor tensor value number",
    args="input tensor1 tensor2 value",
    keep="value",
    refuse="bool",
    grad={
        "input": lambda g: g,
        "tensor1": lambda g, tensor2, value: g * conj(tensor2 * value),
        "tensor2": lambda g, tensor1, value: g * conj(tensor1 * value),
    },
    tags="holomorphic",
)
def addcmul(input, tensor1, tensor2, tensor=None, *, value=1):
    """``input + value * tensor1 * tensor2``.

    The operands broadcast. With integers ``value`` must be an integer.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.addcmul.html

    >>> import torsh
    >>> torsh.addcmul(torsh.tensor([1., 1.]), torsh.tensor([2., 3.]), torsh.tensor([4., 5.]), value=0.1)
    tensor([1.8000, 2.5000])
    """
    if tensor is not None:  # addcmul(input, value, tensor1, tensor2), deprecated by PyTorch but accepted still
        deprecated_overload("addcmul", ("input", "tensor1", "tensor2"), ("value",))
        value, tensor1, tensor2 = tensor1, tensor2, tensor
    return (input, tensor1, tensor2, _value(value, input, tensor1, tensor2))


def _value(value: Any, *tensors: Any) -> Any:
    value = value.item() if isinstance(value, Tensor) else value
    kind = compute_kind(tensors, SAME)
    if kind.dtype.category < dtypes.FLOAT and not isinstance(value, complex):
        value = int(value)  # as in C++: 0.5 is no error, but 0
        _fits(kind, (value,))
    return value


@nary(
    "torch.addcdiv Tensor.addcdiv",
    usual="tensor tensor value number",
    args="input tensor1 tensor2 value",
    keep="value",
    refuse="bool",
    grad={
        "input": lambda g: g,
        "tensor1": lambda g, tensor2, value: g * conj(value / tensor2),
        "tensor2": lambda g, tensor1, tensor2, value: -g * conj(value * tensor1 / (tensor2 * tensor2)),
    },
    tags="holomorphic",
)
def addcdiv(input, tensor1, tensor2, tensor=None, *, value=1):
    """``input + value * tensor1 / tensor2``; integer tensors are refused (RuntimeError).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.addcdiv.html

    >>> import torsh
    >>> torsh.addcdiv(torsh.tensor([1., 1.]), torsh.tensor([2., 4.]), torsh.tensor([4., 2.]), value=0.5)
    tensor([1.2500, 2.0000])
    """
    if tensor is not None:
        deprecated_overload("addcdiv", ("input", "tensor1", "tensor2"), ("value",))
        value, tensor1, tensor2 = tensor1, tensor2, tensor
    if tensor1.dtype.category < dtypes.FLOAT and tensor2.dtype.category < dtypes.FLOAT:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported; use input + value * torch.div(tensor1, tensor2, "
            "rounding_mode='trunc') for the old behaviour, or convert the tensors to a floating type"
        )
    return (input, tensor1, tensor2, _value(value, input, tensor1, tensor2))


# ---- two operands, floating point
# ----------------------------------------------------------------------------------------


def _atan2_part(part: Any, input: Any, other: Any) -> Any:
    square = input * input + other * other
    return where(square == 0, 0, part / square)


@binary(
    "torch.atan2 Tensor.atan2 torch.arctan2 Tensor.arctan2",
    FLOAT,
    refuse="complex",
    numbers="none",
    grad={
        "input": lambda g, input, other: g * _atan2_part(other, input, other),
        "other": lambda g, input, other: -g * _atan2_part(input, input, other),
    },
)
def atan2(input, other):
    """The angle of the point (other, input), from -pi to pi.

    The operands broadcast; integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.atan2.html

    >>> import torsh
    >>> torsh.atan2(torsh.tensor([1., -1.]), torsh.tensor([0., -1.]))
    tensor([ 1.5708, -2.3562])
    """


@binary(
    "torch.hypot Tensor.hypot",
    numbers="none",
    refuse="bool int complex",
    grad={"input": lambda g, input, out: g * (input / out), "other": lambda g, other, out: g * (other / out)},
)
def hypot(input, other):
    """``sqrt(input**2 + other**2)`` without overflow.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.hypot.html

    >>> import torsh
    >>> torsh.hypot(torsh.tensor([3.]), torsh.tensor([4., 1.]))
    tensor([5.0000, 3.1623])
    """


@binary(
    "torch.logaddexp Tensor.logaddexp",
    numbers="none",
    refuse="bool int",
    inplace=False,
    grad={
        "input": lambda g, input, out: g * conj((input - out).exp()),
        "other": lambda g, other, out: g * conj((other - out).exp()),
    },
)
def logaddexp(input, other):
    """``log(exp(input) + exp(other))`` without overflow.

    The operands broadcast; integers are refused.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logaddexp.html

    >>> import torsh
    >>> torsh.logaddexp(torsh.tensor([-1000.]), torsh.tensor([-1000.]))  # exp() of either would be 0
    tensor([-999.3068])
    """


@binary(
    "torch.logaddexp2 Tensor.logaddexp2",
    numbers="none",
    refuse="bool int complex",
    inplace=False,
    grad={
        "input": lambda g, input, out: g * (input - out).exp2(),
        "other": lambda g, other, out: g * (other - out).exp2(),
    },
)
def logaddexp2(input, other):
    """``log2(2**input + 2**other)`` without overflow.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logaddexp2.html

    >>> import torsh
    >>> torsh.logaddexp2(torsh.tensor([3.]), torsh.tensor([3.]))
    tensor([4.])
    """


@binary(
    "torch.copysign Tensor.copysign",
    FLOAT,
    numbers="second",
    refuse="complex",
    grad={"input": lambda g, input, out: where(input == 0, 0, g * (out / input)), "other": lambda g: zeros(g)},
)
def copysign(input, other):
    """The magnitude of ``input`` with the sign of ``other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.copysign.html

    >>> import torsh
    >>> torsh.copysign(torsh.tensor([1., 2.]), torsh.tensor([-0., 3.]))
    tensor([-1.,  2.])
    """


@binary(
    "torch.nextafter Tensor.nextafter",
    numbers="none",
    refuse="bool int complex",
    tags="moves",
    grad={"input": lambda g: g, "other": lambda g: zeros(g)},
)
def nextafter(input, other):
    """The next floating point number after ``input`` in the direction of ``other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nextafter.html

    >>> import torsh
    >>> torsh.nextafter(torsh.tensor([1.]), torsh.tensor([2.])) > 1
    tensor([True])
    """


def _same_type(kind: Any, args: tuple[Any, ...]) -> None:
    if all(isinstance(a, Tensor) for a in args) and args[0].dtype is not args[1].dtype:
        raise RuntimeError(
            f"heaviside is not yet implemented for tensors with different dtypes: got {args[0].dtype} and "
            f"{args[1].dtype}"
        )


def _real_out(outs: Any, options: Any) -> None:
    if outs[0].is_complex():
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")


@binary(
    "torch.heaviside Tensor.heaviside",
    numbers="none",
    validate=_same_type,
    out=_real_out,
    because={"complex": RuntimeError("heaviside is not yet implemented for complex tensors.")},
)
def heaviside(input, values):
    """0 where ``input`` is negative, 1 where it is positive, ``values`` where it is 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.heaviside.html

    >>> import torsh
    >>> torsh.heaviside(torsh.tensor([-1., 0., 1.]), torsh.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """


@composite("torch.ldexp Tensor.ldexp", out=True, inplace=True)
def ldexp(input, other):
    """``input * 2**other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.ldexp.html

    >>> import torsh
    >>> torsh.ldexp(torsh.tensor([1., 3.]), torsh.tensor([4, -1]))
    tensor([16.0000,  1.5000])
    """
    check_tensor(input, "ldexp")
    check_tensor(other, "ldexp", "other", 2)
    if not input._kind.inexact or other._kind.inexact:
        return mul(input, pow(2.0, other))
    # An integer exponent leaves the type of the number alone.
    wide = dtypes.float64 if input.dtype.to_real() is dtypes.float64 else dtypes.float32
    return mul(input, pow(2.0, other.to(wide))).to(input.dtype)
