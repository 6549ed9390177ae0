"""Operations on lists of tensors (``torch._foreach_*``): each derived from the op on one tensor.

An operand beside the list is a number or 0-d tensor for all of them, or a list with one for each.  The in-place forms
write into the tensors of the list and return it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torsh.dtypes import of_number
from torsh.ops import arithmetic, conversion, pointwise, reduction, special
from torsh.ops._op import OPS, composite
from torsh.ops.creation import make_full
from torsh.tensor import Tensor

_UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma",
    "log",
    "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "tan", "tanh",
    "trunc",
)  # fmt: skip
# Op -> the one whose in-place form it has: maximum has none of its own.
_BINARY = {
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow", "maximum": "clamp_min",
    "minimum": "clamp_max",
    "clamp_min": "clamp_min", "clamp_max": "clamp_max",
}  # fmt: skip


def _op(name: str) -> Callable[..., Any]:
    found = next((getattr(m, name) for m in (pointwise, arithmetic, special) if hasattr(m, name)), None)
    assert found is not None, name
    return found


def _inplace(name: str) -> Callable[..., Any]:
    inplace = OPS[name].inplace
    assert inplace is not None, name
    return inplace


def tensors(value: Any, name: str, position: int = 1) -> Sequence[Tensor]:
    """The value if it is a list or tuple of tensors that is not empty."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(t, Tensor) for t in value):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument {position} must be tuple of Tensors, not {kind}")
    if not value:
        raise RuntimeError(f"{name}: Tensor list must have at least one tensor.")
    return value


def each(value: Any, count: int) -> Sequence[Any]:
    """One operand per tensor of the list: the value itself ``count`` times, or the parts of a list of that length."""
    if isinstance(value, Tensor) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        of_numbers = bool(value) and not isinstance(value[0], Tensor)
        raise RuntimeError(
            f"Tensor list must have same number of elements as scalar list, got {count} and {len(value)}" if of_numbers
            else f"Tensor lists must have the same number of tensors, got {count} and {len(value)}"
        )  # fmt: skip
    return value


def _declare(name: str, function: Callable[..., Any], text: str) -> None:
    function.__name__ = function.__qualname__ = f"_foreach_{name}"
    function.__doc__ = text
    composite(f"torch._foreach_{name}", name=f"foreach_{name}")(function)


def _declare_unary(name: str) -> None:
    op, into = _op(name), _inplace(name)

    def plain(self):
        return tuple([op(t) for t in tensors(self, f"_foreach_{name}")])

    def inplace(self):
        for t in tensors(self, f"_foreach_{name}_"):
            into(t)
        return self

    _declare(name, plain, f"``torch.{name}`` of each tensor.")
    _declare(f"{name}_", inplace, f"``Tensor.{name}_`` of each tensor.")


def _with_number(op: Callable[..., Any]) -> Callable[..., Any]:
    """An op of two tensors for a number in the second place."""

    def run(a: Tensor, b: Any) -> Tensor:
        return op(a, b if isinstance(b, Tensor) else make_full((), b, of_number(b), a.device, False))

    return run


def _declare_binary(name: str, op_name: str) -> None:
    op, into = _op(name) if op_name == name else _with_number(_op(name)), _inplace(op_name)

    def plain(self, other, **alpha):
        if not isinstance(self, (list, tuple)):  # pow(2, tensors)
            return tuple([op(self, t, **alpha) for t in tensors(other, f"_foreach_{name}", 2)])
        self = tensors(self, f"_foreach_{name}")
        return tuple([op(a, b, **alpha) for a, b in zip(self, each(other, len(self)))])

    def inplace(self, other, **alpha):
        self = tensors(self, f"_foreach_{name}_")
        for a, b in zip(self, each(other, len(self))):
            into(a, b, **alpha)
        return self

    _declare(name, plain, f"``torch.{name}`` of each tensor and a number, a 0-d tensor, or its partner in a list.")
    _declare(
        f"{name}_", inplace, f"``Tensor.{name}_`` of each tensor and a number, a 0-d tensor, or its partner in a list."
    )


def _declare_ternary(name: str) -> None:
    op, into = _op(name), _inplace(name)

    def calls(self, tensor1, tensor2, scalars, value, what):
        self = tensors(self, what)
        n = len(self)
        return zip(self, each(tensor1, n), each(tensor2, n), each(value if scalars is None else scalars, n))

    def plain(self, tensor1, tensor2, scalars=None, *, value=1):
        return tuple([op(*a, value=v) for *a, v in calls(self, tensor1, tensor2, scalars, value, f"_foreach_{name}")])

    def inplace(self, tensor1, tensor2, scalars=None, *, value=1):
        for *a, v in calls(self, tensor1, tensor2, scalars, value, f"_foreach_{name}_"):
            into(*a, value=v)
        return self

    _declare(name, plain, f"``torch.{name}`` of each tensor with its partners; ``scalars``: a value for each.")
    _declare(
        f"{name}_", inplace, f"``Tensor.{name}_`` of each tensor with its partners; ``scalars``: a value for each."
    )


for _name in _UNARY:
    _declare_unary(_name)
for _name, _target in _BINARY.items():
    _declare_binary(_name, _target)
for _name in ("addcmul", "addcdiv"):
    _declare_ternary(_name)


@composite("torch._foreach_lerp")
def _foreach_lerp(self, tensors1, weight):
    """``torch.lerp`` of each tensor with its partner; weight: a number, or a list of numbers or tensors."""
    self = tensors(self, "_foreach_lerp")
    n = len(self)
    return tuple([arithmetic.lerp(*a) for a in zip(self, each(tensors1, n), each(weight, n))])


@composite("torch._foreach_lerp_")
def _foreach_lerp_(self, tensors1, weight):
    """``Tensor.lerp_`` of each tensor with its partner; weight: a number, or a list of numbers or tensors."""
    self = tensors(self, "_foreach_lerp_")
    n = len(self)
    for a in zip(self, each(tensors1, n), each(weight, n)):
        _inplace("lerp")(*a)
    return self


@composite("torch._foreach_zero_")
def _foreach_zero_(self):
    """Write 0 into every tensor."""
    for t in tensors(self, "_foreach_zero_"):
        conversion.zero_(t)
    return self


@composite("torch._foreach_copy_")
def _foreach_copy_(self, src, non_blocking=False):
    """Copy each tensor of ``src`` into its partner."""
    self = tensors(self, "_foreach_copy_")
    for a, b in zip(self, each(src, len(self))):
        conversion.copy_(a, b)
    return self


@composite("torch._foreach_clone")
def _foreach_clone(self, *, memory_format=None):
    """A copy of each tensor."""
    return tuple([t.clone() for t in tensors(self, "_foreach_clone")])


@composite("torch._foreach_norm")
def _foreach_norm(self, ord=2, dtype=None):
    """The vector norm of each tensor, flattened."""
    from torsh.ops import NAMES

    norm = NAMES["torch.linalg"]["vector_norm"]
    return tuple([norm(t, ord, dtype=dtype) for t in tensors(self, "_foreach_norm")])


@composite("torch._foreach_powsum")
def _foreach_powsum(self, ord=2, dtype=None):
    """The sum of the absolute values' powers of each tensor."""
    found = []
    for t in tensors(self, "_foreach_powsum"):
        t = t if dtype is None else t.to(dtype)
        found.append(reduction.sum(pointwise.abs(t) ** ord))
    return tuple(found)


@composite("torch._foreach_max")
def _foreach_max(self):
    """The largest value of each tensor."""
    return tuple([t.max() for t in tensors(self, "_foreach_max")])


@composite("torch._foreach_mm")
def _foreach_mm(self, mat2):
    """The matrix product of each tensor and its partner."""
    self = tensors(self, "_foreach_mm")
    return tuple([a.mm(b) for a, b in zip(self, each(mat2, len(self)))])
