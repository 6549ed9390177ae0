"""From a constraint to a transform of all real numbers into it: ``biject_to`` (one-to-one) and ``transform_to``.

Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraint_registry
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions import transforms as t
from torsh.distributions import vector_transforms as v


def _key(constraint: Any) -> Any:
    """The constraint's kind: its class, or itself where it is the only one of its kind."""
    if isinstance(constraint, c.Constraint):
        return constraint if type(constraint) is c._Test else type(constraint)
    if not isinstance(constraint, type) or not issubclass(constraint, c.Constraint):
        raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
    return constraint


class ConstraintRegistry:
    """A table from kinds of constraints to functions that make the transform for one.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraint_registry.biject_to

    >>> import torsh
    >>> from torsh.distributions import biject_to, constraints
    >>> biject_to(constraints.positive)(torsh.tensor([0.]))
    tensor([1.])
    """

    def __init__(self) -> None:
        self._registry: dict[Any, Callable[[Any], Any]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Any] | None = None) -> Any:
        """Enter ``factory(constraint) -> Transform`` for a kind of constraint; without a factory, a decorator."""
        if factory is None:
            return lambda f: self.register(constraint, f)
        self._registry[_key(constraint)] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        """The transform for a constraint; NotImplementedError if there is none."""
        factory = self._registry.get(_key(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints ({constraint!r})")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _interval(x: Any) -> Any:
    if (
        isinstance(x.lower_bound, (int, float))
        and x.lower_bound == 0
        and isinstance(x.upper_bound, (int, float))
        and x.upper_bound == 1
    ):
        return t.SigmoidTransform()
    return t.ComposeTransform([t.SigmoidTransform(), t.AffineTransform(x.lower_bound, x.upper_bound - x.lower_bound)])


def _above(x: Any) -> Any:
    return t.ComposeTransform([t.ExpTransform(), t.AffineTransform(x.lower_bound, 1)])


def _fill(table: ConstraintRegistry) -> None:
    for kind, factory in (
        (c.real, lambda x: t.identity_transform),
        (c.independent, lambda x: v.IndependentTransform(table(x.base_constraint), x.reinterpreted_batch_ndims)),
        (c.greater_than, _above),
        (c.greater_than_eq, _above),
        (c.less_than, lambda x: t.ComposeTransform([t.ExpTransform(), t.AffineTransform(x.upper_bound, -1)])),
        (c.interval, _interval),
        (c.half_open_interval, _interval),
        (c.corr_cholesky, lambda x: v.CorrCholeskyTransform()),
        (c.cat, lambda x: v.CatTransform([table(part) for part in x.cseq], x.dim, x.lengths)),
        (c.stack, lambda x: v.StackTransform([table(part) for part in x.cseq], x.dim)),
    ):
        table.register(kind, factory)


_fill(biject_to)
_fill(transform_to)
biject_to.register(c.simplex, lambda x: v.StickBreakingTransform())
transform_to.register(c.simplex, lambda x: t.SoftmaxTransform())
transform_to.register(c.lower_cholesky, lambda x: v.LowerCholeskyTransform())
transform_to.register(c.positive_definite, lambda x: v.PositiveDefiniteTransform())
transform_to.register(c.positive_semidefinite, lambda x: v.PositiveDefiniteTransform())

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]
