"""Arithmetic and elementary functions, element by element."""

from __future__ import annotations

from typing import Any

from torsh.ops._pointwise import BOOL, FLOAT, NUMBERS, REAL, as_number, binary, nary, unary
from torsh.tensor import Tensor


def conj(x: Any) -> Any:
    """The conjugate of an operand in a gradient rule, which may be a Python number."""
    if isinstance(x, Tensor):
        return x.conj() if x._kind.complex else x
    return x.conjugate()


@binary("Tensor.__add__ Tensor.__radd__", name="add", grad={"input": lambda g: g, "other": lambda g: g})
def plain_add(input, other):
    """The sum of two operands: what ``torch.add`` does where ``alpha`` is 1."""


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """input + alpha * other, element by element.

    input, other: tensors that broadcast together, or a tensor and a number.
    alpha: a number; it must be an integer where the result is integral.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.add.html
    """
    if alpha == 1:
        return plain_add(input, other) if out is None else plain_add(input, other, out=out)
    return plain_add(input, other * alpha, out=out)


@binary("torch.mul Tensor.mul Tensor.__mul__ torch.multiply Tensor.multiply",
        grad={"input": lambda g, other: g * conj(other), "other": lambda g, input: g * conj(input)})
def mul(input, other):
    """Multiply element by element.

    input, other: tensors that broadcast together, or a tensor and a number.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.mul.html
    """


@unary("torch.exp Tensor.exp torch.special.exp", FLOAT, grad=lambda g, out: g * conj(out))
def exp(input):
    """The exponential function, element by element.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.exp.html
    """


@unary("torch.relu Tensor.relu torch.nn.functional.relu", grad=lambda g, out: g * (out > 0), refuse="complex bool")
def relu(input):
    """max(x, 0), element by element."""


@binary("torch.gt Tensor.gt Tensor.__gt__", BOOL, refuse="complex")
def gt(input, other):
    """input > other, element by element."""


__all__ = ["FLOAT", "REAL", "as_number", "nary", "NUMBERS"]
