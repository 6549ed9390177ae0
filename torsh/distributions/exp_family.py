"""Exponential families: densities ``h(x) exp(<eta, t(x)> - F(eta))``.

Source: https://docs.pytorch.org/docs/stable/distributions.html#exponentialfamily
"""

from __future__ import annotations

from typing import Any

from torsh.distributions.distribution import Distribution
from torsh.tensor import Tensor

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A distribution of an exponential family.

    A subclass that says its natural parameters (``_natural_params``), log normalizer (``_log_normalizer``) and mean carrier
    measure (``_mean_carrier_measure``) gets its entropy from them.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#exponentialfamily

    >>> from torsh.distributions import ExponentialFamily, Normal
    >>> isinstance(Normal(0.0, 1.0), ExponentialFamily)
    True
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__} does not say its natural parameters")

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not say its log normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say its mean carrier measure")

    def entropy(self) -> Tensor:
        """``F(eta) - <eta, F'(eta)> - E[log h(x)]``."""
        from torsh.autograd import enable_grad, grad

        found = -self._mean_carrier_measure
        with enable_grad():
            parameters = [p.detach().requires_grad_() for p in self._natural_params]
            normalizer = self._log_normalizer(*parameters)
            gradients = grad(normalizer.sum(), parameters, create_graph=True)
        found = found + normalizer
        for p, g in zip(parameters, gradients):
            found = found - (p * g).reshape((*self.batch_shape, -1)).sum(-1)
        return found
