"""Comparisons, logic and bits, element by element."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._op import composite
from torsh.ops._pointwise import BOOL, binary, unary
from torsh.tensor import Tensor

# ---- comparisons
# -------------------------------------------------------------------------------------------------------


@binary("torch.eq Tensor.eq Tensor.__eq__", BOOL, numbers="second")
def eq(input, other):
    """Whether two values are equal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.eq.html
    """


@binary("torch.ne Tensor.ne Tensor.__ne__ torch.not_equal Tensor.not_equal", BOOL, numbers="second")
def ne(input, other):
    """Whether two values differ.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.ne.html
    """


@binary("torch.lt Tensor.lt Tensor.__lt__ torch.less Tensor.less", BOOL, numbers="second", refuse="complex")
def lt(input, other):
    """Whether ``input < other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lt.html
    """


@binary("torch.le Tensor.le Tensor.__le__ torch.less_equal Tensor.less_equal", BOOL, numbers="second", refuse="complex")
def le(input, other):
    """Whether ``input <= other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.le.html
    """


@binary("torch.gt Tensor.gt Tensor.__gt__ torch.greater Tensor.greater", BOOL, numbers="second", refuse="complex")
def gt(input, other):
    """Whether ``input > other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.gt.html
    """


@binary(
    "torch.ge Tensor.ge Tensor.__ge__ torch.greater_equal Tensor.greater_equal",
    BOOL,
    numbers="second",
    refuse="complex",
)
def ge(input, other):
    """Whether ``input >= other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.ge.html
    """


# ---- logic
# -------------------------------------------------------------------------------------------------------------


@unary("torch.logical_not Tensor.logical_not", BOOL)
def logical_not(input):
    """Whether a value is 0 (False).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_not.html
    """


@binary("torch.logical_and Tensor.logical_and", BOOL, numbers="none")
def logical_and(input, other):
    """Whether both values are nonzero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_and.html
    """


@binary("torch.logical_or Tensor.logical_or", BOOL, numbers="none")
def logical_or(input, other):
    """Whether at least one of two values is nonzero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_or.html
    """


@binary("torch.logical_xor Tensor.logical_xor", BOOL, numbers="none")
def logical_xor(input, other):
    """Whether exactly one of two values is nonzero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_xor.html
    """


# ---- bits
# --------------------------------------------------------------------------------------------------------------


@unary("torch.bitwise_not Tensor.bitwise_not", refuse="float complex")
def bitwise_not(input):
    """All bits flipped; logical not for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_not.html
    """


@composite("Tensor.__invert__", name="invert", tags="nondifferentiable")
def _invert(self):
    """All bits flipped; TypeError for what has no bits."""
    if self._kind.inexact:
        raise TypeError(
            f"~ (operator.invert) is only implemented on integer and Boolean-type tensors, not {self.dtype}"
        )
    return bitwise_not(self)


@binary("torch.bitwise_and Tensor.bitwise_and Tensor.__and__ Tensor.__rand__", refuse="float complex")
def bitwise_and(input, other):
    """Bits set in both values; logical and for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_and.html
    """


@binary("torch.bitwise_or Tensor.bitwise_or Tensor.__or__ Tensor.__ror__", refuse="float complex")
def bitwise_or(input, other):
    """Bits set in either value; logical or for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_or.html
    """


@binary("torch.bitwise_xor Tensor.bitwise_xor Tensor.__xor__ Tensor.__rxor__", refuse="float complex")
def bitwise_xor(input, other):
    """Bits set in exactly one of two values; logical xor for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_xor.html
    """


@binary(
    "torch.bitwise_left_shift Tensor.bitwise_left_shift Tensor.__lshift__ Tensor.__rlshift__",
    refuse="bool float complex",
)
def bitwise_left_shift(input, other):
    """``input`` shifted left by ``other`` bits; 0 for shifts beyond the width of the type.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_left_shift.html
    """


@binary(
    "torch.bitwise_right_shift Tensor.bitwise_right_shift Tensor.__rshift__ Tensor.__rrshift__",
    refuse="bool float complex",
)
def bitwise_right_shift(input, other):
    """``input`` shifted right by ``other`` bits, keeping the sign.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_right_shift.html
    """


@binary("torch.gcd Tensor.gcd", numbers="none", refuse="bool float complex")
def gcd(input, other):
    """The greatest common divisor, not negative; gcd(0, 0) is 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.gcd.html
    """


@binary("torch.lcm Tensor.lcm", numbers="none", refuse="bool float complex")
def lcm(input, other):
    """The least common multiple, not negative.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lcm.html
    """


# ---- what kind of number
# -----------------------------------------------------------------------------------------------


@unary("torch.isnan Tensor.isnan", BOOL, inplace=False, out=False)
def isnan(input):
    """Whether a value is nan (for complex: either part).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isnan.html
    """


@unary("torch.isinf Tensor.isinf", BOOL, inplace=False, out=False)
def isinf(input):
    """Whether a value is infinite (for complex: either part).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isinf.html
    """


@unary("torch.isfinite Tensor.isfinite", BOOL, inplace=False, out=False)
def isfinite(input):
    """Whether a value is neither infinite nor nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isfinite.html
    """


@unary(
    "torch.isposinf Tensor.isposinf",
    BOOL,
    inplace=False,
    because={"complex": RuntimeError("isposinf does not support complex inputs.")},
)
def isposinf(input):
    """Whether a value is +inf.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isposinf.html
    """


@unary(
    "torch.isneginf Tensor.isneginf",
    BOOL,
    inplace=False,
    because={"complex": RuntimeError("isneginf does not support complex inputs.")},
)
def isneginf(input):
    """Whether a value is -inf.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isneginf.html
    """


@unary("torch.isreal Tensor.isreal", BOOL, inplace=False, out=False)
def isreal(input):
    """Whether a value has no imaginary part.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isreal.html
    """


@unary(
    "torch.signbit Tensor.signbit",
    BOOL,
    inplace=False,
    because={"complex": NotImplementedError("signbit is not implemented for complex tensors.")},
)
def signbit(input):
    """Whether the sign bit is set, also of -0.0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.signbit.html
    """


# ---- nearly equal
# ------------------------------------------------------------------------------------------------------


def _check_tolerances(name: str, input: Any, other: Any, rtol: float, atol: float) -> None:
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        wrong = input if not isinstance(input, Tensor) else other
        raise TypeError(f"{name}(): expected two Tensors, got {type(wrong).__name__}")
    if input.dtype is not other.dtype:
        raise RuntimeError(
            f"{dtypes.scalar_name(input.dtype)} did not match {dtypes.scalar_name(other.dtype)}: {name} compares tensors "
            "of one dtype; convert one of them"
        )
    if rtol < 0:
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol}")
    if atol < 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol}")


@composite("torch.isclose Tensor.isclose", tags="nondifferentiable")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; equal infinities are close.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isclose.html
    """
    _check_tolerances("isclose", input, other, rtol, atol)
    close = eq(input, other)
    if equal_nan and input._kind.inexact:
        close = logical_or(close, logical_and(isnan(input), isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    input, other = input.detach(), other.detach()
    if not input._kind.inexact:
        input, other = input.to(dtypes.get_default_dtype()), other.to(dtypes.get_default_dtype())
    allowed = atol + (rtol * other).abs()
    error = (input - other).abs()
    return logical_or(close, logical_and(isfinite(error), error <= allowed))


@composite("torch.allclose Tensor.allclose", tags="nondifferentiable")
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all values are close; see ``isclose``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.allclose.html
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all().item())


@composite("torch.equal Tensor.equal", tags="nondifferentiable")
def equal(input, other):
    """Whether two tensors have the same size and values.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.equal.html
    """
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        wrong = input if not isinstance(input, Tensor) else other
        raise TypeError(f"equal(): expected two Tensors, got {type(wrong).__name__}")
    if input._kind.place is not other._kind.place:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {input.device} and {other.device}!"
        )
    if tuple(input.shape) != tuple(other.shape):
        return False
    return bool(eq(input, other).all().item())
