"""Comparisons, logic and bits, element by element."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._args import mapped
from torsh.ops._op import composite
from torsh.ops._pointwise import BOOL, binary, unary
from torsh.tensor import Tensor

# ---- comparisons
# -------------------------------------------------------------------------------------------------------


@binary("torch.eq Tensor.eq Tensor.__eq__", BOOL, numbers="second")
def eq(input, other):
    """Whether two values are equal.

    other: a tensor that broadcasts with the input, or a number. The result is bool; nan equals nothing.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.eq.html

    >>> import torsh
    >>> torsh.eq(torsh.tensor([1, 2, 3]), torsh.tensor([1, 0, 3]))
    tensor([ True, False,  True])
    >>> torsh.tensor([1, 2]) == 1
    tensor([ True, False])
    """


@binary("torch.ne Tensor.ne Tensor.__ne__ torch.not_equal Tensor.not_equal", BOOL, numbers="second")
def ne(input, other):
    """Whether two values differ.

    other: a tensor that broadcasts with the input, or a number. The result is bool; nan differs from everything.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.ne.html

    >>> import torsh
    >>> torsh.ne(torsh.tensor([1, 2, 3]), torsh.tensor([1, 0, 3]))
    tensor([False,  True, False])
    """


@binary("torch.lt Tensor.lt Tensor.__lt__ torch.less Tensor.less", BOOL, numbers="second", refuse="complex")
def lt(input, other):
    """Whether ``input < other``.

    other: a tensor that broadcasts with the input, or a number. The result is bool; complex numbers are refused.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.lt.html

    >>> import torsh
    >>> torsh.lt(torsh.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """


@binary("torch.le Tensor.le Tensor.__le__ torch.less_equal Tensor.less_equal", BOOL, numbers="second", refuse="complex")
def le(input, other):
    """Whether ``input <= other``.

    other: a tensor that broadcasts with the input, or a number. The result is bool; complex numbers are refused.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.le.html

    >>> import torsh
    >>> torsh.le(torsh.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """


@binary("torch.gt Tensor.gt Tensor.__gt__ torch.greater Tensor.greater", BOOL, numbers="second", refuse="complex")
def gt(input, other):
    """Whether ``input > other``.

    other: a tensor that broadcasts with the input, or a number. The result is bool; complex numbers are refused.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.gt.html

    >>> import torsh
    >>> torsh.gt(torsh.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """


@binary(
    "torch.ge Tensor.ge Tensor.__ge__ torch.greater_equal Tensor.greater_equal",
    BOOL,
    numbers="second",
    refuse="complex",
)
def ge(input, other):
    """Whether ``input >= other``.

    other: a tensor that broadcasts with the input, or a number. The result is bool; complex numbers are refused.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.ge.html

    >>> import torsh
    >>> torsh.ge(torsh.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """


# ---- logic
# -------------------------------------------------------------------------------------------------------------


@unary("torch.logical_not Tensor.logical_not", BOOL)
def logical_not(input):
    """Whether a value is 0 (False).

    The result is bool for an input of any dtype; ``~`` on integers works on bits instead.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_not.html

    >>> import torsh
    >>> torsh.logical_not(torsh.tensor([0., 1.5]))
    tensor([ True, False])
    """


@binary("torch.logical_and Tensor.logical_and", BOOL, numbers="none")
def logical_and(input, other):
    """Whether both values are nonzero.

    The operands broadcast, of any dtypes; the result is bool. ``&`` on integers works on bits instead.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_and.html

    >>> import torsh
    >>> torsh.logical_and(torsh.tensor([0, 1, 2]), torsh.tensor([True, True, False]))
    tensor([False,  True, False])
    """


@binary("torch.logical_or Tensor.logical_or", BOOL, numbers="none")
def logical_or(input, other):
    """Whether at least one of two values is nonzero.

    The operands broadcast, of any dtypes; the result is bool. ``|`` on integers works on bits instead.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_or.html

    >>> import torsh
    >>> torsh.logical_or(torsh.tensor([0, 1]), torsh.tensor([0, 0]))
    tensor([False,  True])
    """


@binary("torch.logical_xor Tensor.logical_xor", BOOL, numbers="none")
def logical_xor(input, other):
    """Whether exactly one of two values is nonzero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logical_xor.html

    >>> import torsh
    >>> torsh.logical_xor(torsh.tensor([0, 1]), torsh.tensor([1, 1]))
    tensor([ True, False])
    """


# ---- bits
# --------------------------------------------------------------------------------------------------------------


@unary("torch.bitwise_not Tensor.bitwise_not", out="same", refuse="float complex")
def bitwise_not(input):
    """All bits flipped; logical not for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_not.html

    >>> import torsh
    >>> torsh.bitwise_not(torsh.tensor([0, 1], dtype=torsh.uint8))
    tensor([255, 254], dtype=torsh.uint8)
    >>> torsh.bitwise_not(torsh.tensor([True, False]))
    tensor([False,  True])
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

    >>> import torsh
    >>> torsh.bitwise_and(torsh.tensor([6, 5]), 3)
    tensor([2, 1])
    """


@binary("torch.bitwise_or Tensor.bitwise_or Tensor.__or__ Tensor.__ror__", refuse="float complex")
def bitwise_or(input, other):
    """Bits set in either value; logical or for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_or.html

    >>> import torsh
    >>> torsh.bitwise_or(torsh.tensor([6, 5]), 3)
    tensor([7, 7])
    """


@binary("torch.bitwise_xor Tensor.bitwise_xor Tensor.__xor__ Tensor.__rxor__", refuse="float complex")
def bitwise_xor(input, other):
    """Bits set in exactly one of two values; logical xor for bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_xor.html

    >>> import torsh
    >>> torsh.bitwise_xor(torsh.tensor([6, 5]), 3)
    tensor([5, 6])
    """


@binary(
    "torch.bitwise_left_shift Tensor.bitwise_left_shift Tensor.__lshift__ Tensor.__rlshift__",
    refuse="bool float complex",
)
def bitwise_left_shift(input, other):
    """``input`` shifted left by ``other`` bits; 0 for shifts beyond the width of the type.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_left_shift.html

    >>> import torsh
    >>> torsh.bitwise_left_shift(torsh.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """


@binary(
    "torch.bitwise_right_shift Tensor.bitwise_right_shift Tensor.__rshift__ Tensor.__rrshift__",
    refuse="bool float complex",
)
def bitwise_right_shift(input, other):
    """``input`` shifted right by ``other`` bits, keeping the sign.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bitwise_right_shift.html

    >>> import torsh
    >>> torsh.bitwise_right_shift(torsh.tensor([-8, 8]), 1)
    tensor([-4,  4])
    """


@binary("torch.gcd Tensor.gcd", numbers="none", refuse="bool float complex")
def gcd(input, other):
    """The greatest common divisor, not negative; gcd(0, 0) is 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.gcd.html

    >>> import torsh
    >>> torsh.gcd(torsh.tensor([12, 18]), torsh.tensor([8, 27]))
    tensor([4, 9])
    """


@binary("torch.lcm Tensor.lcm", numbers="none", refuse="bool float complex")
def lcm(input, other):
    """The least common multiple, not negative.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lcm.html

    >>> import torsh
    >>> torsh.lcm(torsh.tensor([4, 6]), torsh.tensor([6, 9]))
    tensor([12, 18])
    """


# ---- what kind of number
# -----------------------------------------------------------------------------------------------


@unary("torch.isnan Tensor.isnan", BOOL, inplace=False, out=False)
def isnan(input):
    """Whether a value is nan (for complex: either part).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isnan.html

    >>> import torsh
    >>> torsh.isnan(torsh.tensor([1., float("nan")]))
    tensor([False,  True])
    """


@unary("torch.isinf Tensor.isinf", BOOL, inplace=False, out=False)
def isinf(input):
    """Whether a value is infinite (for complex: either part).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isinf.html

    >>> import torsh
    >>> torsh.isinf(torsh.tensor([1., float("-inf"), float("nan")]))
    tensor([False,  True, False])
    """


@unary("torch.isfinite Tensor.isfinite", BOOL, inplace=False, out=False)
def isfinite(input):
    """Whether a value is neither infinite nor nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isfinite.html

    >>> import torsh
    >>> torsh.isfinite(torsh.tensor([1., float("inf"), float("nan")]))
    tensor([ True, False, False])
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

    >>> import torsh
    >>> torsh.isposinf(torsh.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
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

    >>> import torsh
    >>> torsh.isneginf(torsh.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """


@unary("torch.isreal Tensor.isreal", BOOL, inplace=False, out=False)
def isreal(input):
    """Whether a value has no imaginary part.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.isreal.html

    >>> import torsh
    >>> torsh.isreal(torsh.tensor([1. + 0.j, 1. + 1.j]))
    tensor([ True, False])
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

    >>> import torsh
    >>> torsh.signbit(torsh.tensor([-0., 0., -2.]))
    tensor([ True, False,  True])
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
    for position, what, value in ((3, "rtol", rtol), (4, "atol", atol)):
        if isinstance(value, Tensor) and (value.ndim or value._rg):
            raise TypeError(f"{name}(): argument '{what}' (position {position}) must be float, not Tensor")
    if not rtol >= 0:  # neither nan
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol}")
    if not atol >= 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol}")


@composite("torch.isclose Tensor.isclose", tags="nondifferentiable")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; equal infinities are close.

    rtol, atol: the relative and absolute tolerance, not negative; equal_nan: whether nan is close to nan. The result is bool.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.isclose.html

    >>> import torsh
    >>> torsh.isclose(torsh.tensor([1., 2.]), torsh.tensor([1. + 1e-6, 2.1]))
    tensor([ True, False])
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

    The result is a Python bool. rtol, atol: as in ``isclose``; equal_nan: whether nan is close to nan. Different dtypes raise RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.allclose.html

    >>> import torsh
    >>> torsh.allclose(torsh.tensor([1., 2.]), torsh.tensor([1., 2. + 1e-6]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all().item())


@composite("torch.equal Tensor.equal", tags="nondifferentiable")
def equal(input, other):
    """Whether two tensors have the same size and values.

    The result is a Python bool. Values are compared across dtypes; nan equals nothing.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.equal.html

    >>> import torsh
    >>> torsh.equal(torsh.tensor([1, 2]), torsh.tensor([1, 2]))  # one Python bool for the whole
    True
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
    if mapped(input, other):
        raise RuntimeError(
            "Batching rule not implemented for aten::equal. We could not generate a fallback: under vmap the answer differs by example, and a "
            "Python bool is one answer. Use (input == other).all()"
        )
    return bool(eq(input, other).all().item())
