"""Distributions of positive numbers that are made of simpler ones, and the generalised Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions.continuous import EULER, Exponential, Gamma, Uniform, _Scalar
from torsh.distributions.distribution import broadcast_all
from torsh.distributions.transforms import AffineTransform, ExpTransform, PowerTransform, TransformedDistribution
from torsh.tensor import Tensor


class _Made(TransformedDistribution):
    """A transformed distribution with parameters of its own, which ``expand`` makes anew."""

    _names: tuple[str, ...]

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = type(self)(*[getattr(self, n).expand(tuple(batch_shape)) for n in self._names], validate_args=False)
        new._validate_args = self._validate_args
        return new


class Pareto(_Made):
    """The Pareto (type 1) distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#pareto

    >>> import torsh
    >>> from torsh.distributions import Pareto
    >>> Pareto(torsh.tensor(1.), torsh.tensor(2.)).mean
    tensor(2.)
    """

    _names = ("scale", "alpha")
    arg_constraints = {"alpha": c.positive, "scale": c.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        super().__init__(base, [ExpTransform(), AffineTransform(0, self.scale)], validate_args=validate_args)

    support = c.dependent_property(lambda self: c.greater_than_eq(self.scale), is_discrete=False, event_dim=0)
    mode = property(lambda self: self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)  # infinite for alpha <= 1
        return a * self.scale / (a - 1)

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)  # infinite for alpha <= 2
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class Weibull(_Made):
    """The Weibull distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#weibull

    >>> import torsh
    >>> from torsh.distributions import Weibull
    >>> Weibull(torsh.tensor(2.), torsh.tensor(1.)).mean
    tensor(2.)
    """

    _names = ("scale", "concentration")
    arg_constraints = {"scale": c.positive, "concentration": c.positive}
    support = c.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        import torsh

        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(torsh.ones_like(self.scale), validate_args=validate_args)
        steps = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _log_gamma(self, n: int) -> Tensor:
        return (1 + n * self.concentration_reciprocal).lgamma()

    mean = property(lambda self: self.scale * self._log_gamma(1).exp())
    variance = property(lambda self: self.scale.pow(2) * (self._log_gamma(2).exp() - (2 * self._log_gamma(1)).exp()))

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1) / k) ** k.reciprocal()

    def entropy(self) -> Tensor:
        r = self.concentration_reciprocal
        return EULER * (1 - r) + (self.scale * r).log() + 1


class Kumaraswamy(_Made):
    """The Kumaraswamy distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#kumaraswamy

    >>> import torsh
    >>> from torsh.distributions import Kumaraswamy
    >>> Kumaraswamy(torsh.tensor(1.), torsh.tensor(1.)).mean
    tensor(0.5000)
    """

    _names = ("concentration1", "concentration0")
    arg_constraints = {"concentration1": c.positive, "concentration0": c.positive}
    support = c.unit_interval
    has_rsample = True  # type: ignore[assignment]

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        import torsh

        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zero, one = torsh.zeros_like(self.concentration0), torsh.ones_like(self.concentration0)
        steps = [
            PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]  # fmt: skip
        super().__init__(Uniform(zero, one, validate_args=validate_args), steps, validate_args=validate_args)

    def _moment(self, n: int) -> Tensor:
        a, b = self.concentration1, self.concentration0
        first = 1 + n / a
        return b * (first.lgamma() + b.lgamma() - (first + b).lgamma()).exp()

    mean = property(lambda self: self._moment(1))
    variance = property(lambda self: self._moment(2) - self.mean.pow(2))

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        found = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        return found.masked_fill((b < 1) | (a < 1), math.nan).exp()

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + EULER
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()


class InverseGamma(TransformedDistribution):
    """The inverse of a gamma variable.  Source: https://docs.pytorch.org/docs/stable/distributions.html#inversegamma

    >>> import torsh
    >>> from torsh.distributions import InverseGamma
    >>> InverseGamma(torsh.tensor(3.), torsh.tensor(4.)).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": c.positive, "rate": c.positive}
    support = c.positive
    has_rsample = True  # type: ignore[assignment]

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args=validate_args)

    concentration = property(lambda self: self.base_dist.concentration, doc="The concentration (shape) parameter.")
    rate = property(lambda self: self.base_dist.rate, doc="The rate, 1 over the scale.")
    mode = property(lambda self: self.rate / (self.concentration + 1))

    @property
    def mean(self) -> Tensor:
        import torsh

        k = self.concentration
        return torsh.where(k > 1, self.rate / (k - 1), math.inf)

    @property
    def variance(self) -> Tensor:
        import torsh

        k = self.concentration
        return torsh.where(k > 2, self.rate.square() / ((k - 1).square() * (k - 2)), math.inf)

    def entropy(self) -> Tensor:
        k = self.concentration
        return k + self.rate.log() + k.lgamma() - (1 + k) * k.digamma()


class FisherSnedecor(_Scalar):
    """The F distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#fishersnedecor

    >>> import torsh
    >>> from torsh.distributions import FisherSnedecor
    >>> FisherSnedecor(torsh.tensor(3.), torsh.tensor(6.)).mean
    tensor(1.5000)
    """

    _names = ("df1", "df2")
    arg_constraints = {"df1": c.positive, "df2": c.positive}
    support = c.positive

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, df1, df2)
        self._gamma1, self._gamma2 = Gamma(self.df1 * 0.5, self.df1), Gamma(self.df2 * 0.5, self.df2)

    @property
    def mean(self) -> Tensor:
        return (self.df2 / (self.df2 - 2)).masked_fill(self.df2 <= 2, math.nan)

    @property
    def mode(self) -> Tensor:
        return ((self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)).masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        a, b = self.df1, self.df2
        return (2 * b.pow(2) * (a + b - 2) / (a * (b - 2).pow(2) * (b - 4))).masked_fill(b <= 4, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        first, second = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        tiny = torsh.finfo(second.dtype).tiny
        return (first / second.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        norm = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return norm + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()


class GeneralizedPareto(_Scalar):
    """The generalised Pareto distribution.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#generalizedpareto

    >>> import torsh
    >>> from torsh.distributions import GeneralizedPareto
    >>> GeneralizedPareto(torsh.tensor(0.), torsh.tensor(1.), torsh.tensor(0.5)).mean
    tensor(2.)
    """

    _names = ("loc", "scale", "concentration")
    arg_constraints = {"loc": c.real, "scale": c.positive, "concentration": c.real}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, loc, scale, concentration)

    mode = property(lambda self: self.loc)

    @c.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        import torsh

        k = self.concentration
        return c.interval(self.loc, torsh.where(k < 0, self.loc - self.scale / k, math.inf))

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Whether the concentration is zero (the exponential distribution), and one that may be divided by."""
        import torsh

        zero = torsh.isclose(self.concentration, torsh.zeros_like(self.concentration))
        return zero, torsh.where(zero, 1.0, self.concentration)

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale / (1 - self.concentration)).masked_fill(self.concentration >= 1, math.nan)

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        return (self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k))).masked_fill(k >= 0.5, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = tuple(self._extended_shape(sample_shape))
        return self.icdf(torsh.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, k = self._shape()
        y = 1 / k + torsh.ones_like(z)
        return -self.scale.log() - torsh.where(zero, z, torsh.where(y == 0, y, y * (k * z).log1p()))

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of more than a value."""
        import torsh

        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, k = self._shape()
        return torsh.where(zero, -z, -(k * z).log1p() / k)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of at most a value."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        import torsh

        zero, k = self._shape()
        log = (-value).log1p()
        return torsh.where(zero, self.loc - self.scale * log, self.loc + self.scale / k * (-k * log).expm1())

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1


__all__ = ["FisherSnedecor", "GeneralizedPareto", "InverseGamma", "Kumaraswamy", "Pareto", "Weibull"]
