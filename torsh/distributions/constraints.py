"""What values parameters and samples may have.

A constraint's ``check(value)`` gives a bool for every event.
Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.tensor import Tensor


class Constraint:
    """A region of values.  ``is_discrete``: whether it is countable; ``event_dim``: dimensions of one event.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.Constraint

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.positive.check(torsh.tensor([-1., 2.]))
    tensor([False,  True])
    >>> constraints.simplex.event_dim
    1
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event of ``value`` is inside."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__[1:] + "()"


class _Dependent(Constraint):
    """A support that depends on the distribution's parameters.

    is_discrete, event_dim: what holds for all parameters; reading one that was not given raises NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints

    >>> from torsh.distributions import constraints
    >>> constraints.dependent(event_dim=1).event_dim
    1
    """

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> Any:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether the values are countable, where that does not depend on parameters."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically: ask the support of a distribution")
        return bool(self._is_discrete)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one event has, where that does not depend on parameters."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically: ask the support of a distribution")
        return int(self._event_dim)

    def check(self, x: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property whose value is a constraint; on the class it is itself a dependent constraint.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.dependent_property

    >>> import torsh
    >>> from torsh.distributions import Uniform
    >>> Uniform(0., 2.).support.check(torsh.tensor([1., 3.]))  # the support depends on the parameters
    tensor([ True, False])
    """

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        super().__init__(fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _IndependentConstraint(Constraint):
    """A constraint over several dimensions that holds if it holds for every element.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.independent

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.independent(constraints.positive, 1).check(torsh.tensor([[1., 2.], [-1., 2.]]))
    tensor([ True, False])
    """

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

    def __init__(
        self, text: str, fn: Callable[[Tensor], Tensor], event_dim: int = 0, is_discrete: bool = False
    ) -> None:
        self.text, self.fn, self.event_dim, self.is_discrete = text, fn, event_dim, is_discrete

    def check(self, value: Tensor) -> Tensor:
        return self.fn(value)

    def __repr__(self) -> str:
        return self.text


def _bound(value: Any) -> str:
    return str(value.item() if isinstance(value, Tensor) and value.dim() == 0 else value)


class _GreaterThan(_Test):
    """Above a bound.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.greater_than

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.greater_than(1.).check(torsh.tensor([1., 2.]))
    tensor([False,  True])
    """

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__(f"GreaterThan(lower_bound={_bound(lower_bound)})", lambda v: lower_bound < v)


class _GreaterThanEq(_Test):
    """At or above a bound.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.greater_than_eq

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.greater_than_eq(1.).check(torsh.tensor([0., 1.]))
    tensor([False,  True])
    """

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__(f"GreaterThanEq(lower_bound={_bound(lower_bound)})", lambda v: lower_bound <= v)


class _LessThan(_Test):
    """Below a bound.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.less_than

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.less_than(1.).check(torsh.tensor([0., 1.]))
    tensor([ True, False])
    """

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__(f"LessThan(upper_bound={_bound(upper_bound)})", lambda v: v < upper_bound)


class _Interval(_Test):
    """Between two bounds, both allowed.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.interval

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.interval(0., 1.).check(torsh.tensor([0.5, 2.]))
    tensor([ True, False])
    """

    _name = "Interval"

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        text = f"{self._name}(lower_bound={_bound(lower_bound)}, upper_bound={_bound(upper_bound)})"
        super().__init__(text, self._inside)

    def _inside(self, v: Tensor) -> Tensor:
        return (self.lower_bound <= v) & (v <= self.upper_bound)


class _HalfOpenInterval(_Interval):
    """Between two bounds, the lower one allowed.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.half_open_interval

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.half_open_interval(0., 1.).check(torsh.tensor([0., 1.]))
    tensor([ True, False])
    """

    _name = "HalfOpenInterval"

    def _inside(self, v: Tensor) -> Tensor:
        return (self.lower_bound <= v) & (v < self.upper_bound)


class _IntegerInterval(_Interval):
    """Whole numbers between two bounds, both allowed.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.integer_interval

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.integer_interval(0, 3).check(torsh.tensor([1., 1.5, 4.]))
    tensor([ True, False, False])
    """

    _name = "IntegerInterval"

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        super().__init__(lower_bound, upper_bound)
        self.is_discrete = True

    def _inside(self, v: Tensor) -> Tensor:
        return (v % 1 == 0) & (self.lower_bound <= v) & (v <= self.upper_bound)


greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, integer_interval = _Interval, _HalfOpenInterval, _IntegerInterval


class _Joined(Constraint):
    """Constraints of slices along a dimension."""

    def __init__(self, cseq: Any, dim: int = 0) -> None:
        assert all(isinstance(part, Constraint) for part in cseq), "All elements of cseq must be Constraint instances"
        self.cseq, self.dim = list(cseq), dim
        self.is_discrete = any(part.is_discrete for part in self.cseq)
        self.event_dim = max(part.event_dim for part in self.cseq)


class _Cat(_Joined):
    """Constraints of pieces of given lengths, laid end to end.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.cat

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> c = constraints.cat([constraints.positive, constraints.real], dim=0)
    >>> c.check(torsh.tensor([-1., -1.]))
    tensor([False,  True])
    """

    def __init__(self, cseq: Any, dim: int = 0, lengths: Any = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        assert len(self.lengths) == len(self.cseq), f"lengths ({len(self.lengths)}) must match cseq ({len(self.cseq)})"

    def check(self, value: Tensor) -> Tensor:
        import torsh

        pieces = value.split(self.lengths, self.dim)
        return torsh.cat([part.check(v) for part, v in zip(self.cseq, pieces)], self.dim)


class _Stack(_Joined):
    """One constraint for each index of a dimension.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.stack

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.stack([constraints.positive, constraints.real], dim=0).check(torsh.tensor([-1., -1.]))
    tensor([False,  True])
    """

    def __init__(self, cseq: Any, dim: int = 0) -> None:
        super().__init__(cseq, dim)
        self.event_dim += dim + self.event_dim < 0

    def check(self, value: Tensor) -> Tensor:
        import torsh

        return torsh.stack([part.check(v) for part, v in zip(self.cseq, value.unbind(self.dim))], self.dim)


cat, stack = _Cat, _Stack


class _IntegerGreaterThan(_Test):
    """Whole numbers at or above a bound.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.nonnegative_integer.check(torsh.tensor([-1., 2.]))
    tensor([False,  True])
    """

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        text = f"IntegerGreaterThan(lower_bound={_bound(lower_bound)})"
        super().__init__(text, lambda v: (v % 1 == 0) & (v >= lower_bound), is_discrete=True)


class _IntegerLessThan(_Test):
    """Whole numbers at or below a bound."""

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        text = f"IntegerLessThan(upper_bound={_bound(upper_bound)})"
        super().__init__(text, lambda v: (v % 1 == 0) & (v <= upper_bound), is_discrete=True)


class _Multinomial(_Test):
    """Counts that add up to at most a bound.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.multinomial

    >>> import torsh
    >>> from torsh.distributions import constraints
    >>> constraints.multinomial(3).check(torsh.tensor([1., 2.]))
    tensor(True)
    """

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__("Multinomial()", lambda v: (v >= 0).all(-1) & (v.sum(-1) <= upper_bound), 1, True)


multinomial = _Multinomial


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


def _positive_semidefinite(v: Tensor) -> Tensor:
    import torsh

    found = _symmetric(v)
    return torsh.linalg.eigvalsh(v).ge(0).all(-1) if bool(found.all()) else found


def _corr_cholesky(v: Tensor) -> Tensor:
    import torsh

    off = (torsh.linalg.norm(v.detach(), dim=-1) - 1.0).abs()
    return lower_cholesky.check(v) & off.le(torsh.finfo(v.dtype).eps * v.shape[-1] * 10).all(-1)


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint


def is_dependent(constraint: Constraint) -> bool:
    """Whether a constraint depends on a distribution's parameters, so that it cannot check values by itself.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints

    >>> from torsh.distributions import constraints
    >>> constraints.is_dependent(constraints.dependent), constraints.is_dependent(constraints.real)
    (True, False)
    """
    return isinstance(constraint, _Dependent)


def _single(name: str, *given: Any, **named: Any) -> Constraint:
    """A constraint without parameters, of a class of its own: libraries tell them apart by PyTorch's class names."""

    def init(self: Any) -> None:
        _Test.__init__(self, f"{type(self).__name__.removeprefix('_')}()", *given, **named)

    kind = globals()[f"_{name}"] = type(
        f"_{name}", (_Test,), {"__module__": __name__, "__doc__": _Test.__doc__, "__init__": init}
    )
    found: Constraint = kind()
    return found


boolean = _single("Boolean", lambda v: (v == 0) | (v == 1), is_discrete=True)
one_hot = _single("OneHot", lambda v: ((v == 0) | (v == 1)).all(-1) & v.sum(-1).eq(1), 1, True)
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
real = _single("Real", lambda v: v == v)
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
simplex = _single("Simplex", _simplex, 1)
lower_triangular = _single("LowerTriangular", _lower_triangular, 2)
lower_cholesky = _single(
    "LowerCholesky", lambda v: _lower_triangular(v) & (v.diagonal(dim1=-2, dim2=-1) > 0).all(-1), 2
)
square = _single("Square", lambda v: (v[..., 0, 0] == v[..., 0, 0]) & (v.shape[-1] == v.shape[-2]), 2)
symmetric = _single("Symmetric", _symmetric, 2)
positive_definite = _single("PositiveDefinite", _positive_definite, 2)
positive_semidefinite = _single("PositiveSemidefinite", _positive_semidefinite, 2)
corr_cholesky = _single("CorrCholesky", _corr_cholesky, 2)

__all__ = [
    "Constraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than", "greater_than_eq",
    "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky",
    "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive", "positive_definite",
    "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip
