"""What values parameters and samples may have.

A constraint's ``check(value)`` gives a bool for every event.
Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.tensor import Tensor


class Constraint:
    """A region of values.  ``is_discrete``: whether it is countable; ``event_dim``: dimensions of one event."""

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event of ``value`` is inside."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__[1:] + "()"


class _Dependent(Constraint):
    """A support that depends on the distribution's parameters."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, x: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property whose value is a constraint; on the class it is itself a dependent constraint."""

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:
        return _DependentProperty(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class _IndependentConstraint(Constraint):
    """A constraint over several dimensions that holds if it holds for every element."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value)
        n = self.reinterpreted_batch_ndims
        if result.dim() < n:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return result.reshape(tuple(result.shape[: result.dim() - n]) + (-1,)).all(-1) if n else result

    def __repr__(self) -> str:
        return f"Independent({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class _Test(Constraint):
    """A constraint given by a function and its text."""

    def __init__(self, text: str, fn: Callable[[Tensor], Tensor], event_dim: int = 0, is_discrete: bool = False) -> None:
        self.text, self.fn, self.event_dim, self.is_discrete = text, fn, event_dim, is_discrete

    def check(self, value: Tensor) -> Tensor:
        return self.fn(value)

    def __repr__(self) -> str:
        return self.text


def _bound(value: Any) -> str:
    return str(value.item() if isinstance(value, Tensor) and value.dim() == 0 else value)


def greater_than(lower_bound: Any) -> Constraint:
    """Above a bound."""
    return _Test(f"GreaterThan(lower_bound={_bound(lower_bound)})", lambda v: lower_bound < v)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """At or above a bound."""
    return _Test(f"GreaterThanEq(lower_bound={_bound(lower_bound)})", lambda v: lower_bound <= v)


def less_than(upper_bound: Any) -> Constraint:
    """Below a bound."""
    return _Test(f"LessThan(upper_bound={_bound(upper_bound)})", lambda v: v < upper_bound)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Between two bounds, both allowed."""
    text = f"Interval(lower_bound={_bound(lower_bound)}, upper_bound={_bound(upper_bound)})"
    return _Test(text, lambda v: (lower_bound <= v) & (v <= upper_bound))


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Between two bounds, the lower one allowed."""
    text = f"HalfOpenInterval(lower_bound={_bound(lower_bound)}, upper_bound={_bound(upper_bound)})"
    return _Test(text, lambda v: (lower_bound <= v) & (v < upper_bound))


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers between two bounds, both allowed."""
    text = f"IntegerInterval(lower_bound={_bound(lower_bound)}, upper_bound={_bound(upper_bound)})"
    return _Test(text, lambda v: (v % 1 == 0) & (lower_bound <= v) & (v <= upper_bound), is_discrete=True)


def integer_greater_than(lower_bound: Any) -> Constraint:
    """Whole numbers at or above a bound."""
    text = f"IntegerGreaterThan(lower_bound={_bound(lower_bound)})"
    return _Test(text, lambda v: (v % 1 == 0) & (v >= lower_bound), is_discrete=True)


def multinomial(upper_bound: Any) -> Constraint:
    """Counts that add up to at most a bound."""
    return _Test("Multinomial()", lambda v: (v >= 0).all(-1) & (v.sum(-1) <= upper_bound), 1, True)


def _simplex(v: Tensor) -> Tensor:
    return (v >= 0).all(-1) & ((v.sum(-1) - 1).abs() < 1e-6)


def _lower_triangular(v: Tensor) -> Tensor:
    return (v.tril() == v).reshape((*v.shape[:-2], -1)).all(-1)


def _symmetric(v: Tensor) -> Tensor:
    import torsh

    return torsh.isclose(v, v.mT, atol=1e-6).all(-2).all(-1)


def _positive_definite(v: Tensor) -> Tensor:
    import torsh

    return _symmetric(v) & torsh.linalg.cholesky_ex(v).info.eq(0)


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
is_dependent = lambda c: isinstance(c, _Dependent)
boolean = _Test("Boolean()", lambda v: (v == 0) | (v == 1), is_discrete=True)
one_hot = _Test("OneHot()", lambda v: ((v == 0) | (v == 1)).all(-1) & v.sum(-1).eq(1), 1, True)
nonnegative_integer = integer_greater_than(0)
positive_integer = integer_greater_than(1)
real = _Test("Real()", lambda v: v == v)
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
simplex = _Test("Simplex()", _simplex, 1)
lower_triangular = _Test("LowerTriangular()", _lower_triangular, 2)
lower_cholesky = _Test(
    "LowerCholesky()", lambda v: _lower_triangular(v) & (v.diagonal(dim1=-2, dim2=-1) > 0).all(-1), 2
)
square = _Test("Square()", lambda v: (v[..., 0, 0] == v[..., 0, 0]) & (v.shape[-1] == v.shape[-2]), 2)
symmetric = _Test("Symmetric()", _symmetric, 2)
positive_definite = _Test("PositiveDefinite()", _positive_definite, 2)
