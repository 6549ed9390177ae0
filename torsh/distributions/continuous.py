"""Continuous distributions of numbers."""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions.distribution import Distribution, broadcast_all, standard_normal
from torsh.distributions.exp_family import ExponentialFamily
from torsh.tensor import Tensor

EULER = 0.57721566490153286060


def _tiny(t: Tensor) -> float:
    import torsh

    return torsh.finfo(t.dtype).tiny


class _Scalar(Distribution):
    """A distribution of one number: ``_names`` are its parameters."""

    _names: tuple[str, ...]
    has_rsample = True

    def _take(self, validate_args: Any, *values: Any) -> None:
        for name, value in zip(self._names, broadcast_all(*values)):
            setattr(self, name, value)
        super().__init__(getattr(self, self._names[0]).shape, validate_args=validate_args)

    def _uniform(self, shape: Any, like: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
        return like.new_empty(tuple(shape)).uniform_(low, high)


class Normal(_Scalar, ExponentialFamily):
    """loc, scale: mean and standard deviation, numbers or tensors that broadcast; scale must be positive, else ValueError.
    The normal distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#normal

        >>> import torsh
        >>> from torsh.distributions import Normal
        >>> d = Normal(torsh.tensor([0., 10.]), torsh.tensor([1., 2.]))  # a batch of two
        >>> _ = torsh.manual_seed(0)
        >>> d.sample((5,)).shape
        torsh.Size([5, 2])
        >>> d.log_prob(torsh.tensor([0., 10.]))
        tensor([-0.9189, -1.6121])
    """

    _names = ("loc", "scale")
    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, loc, scale)

    mean = mode = property(lambda self: self.loc)
    stddev = property(lambda self: self.scale)
    variance = property(lambda self: self.scale.pow(2))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = self._extended_shape(sample_shape)
        with torsh.no_grad():
            return torsh.normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class Uniform(_Scalar):
    """Uniform on [low, high).  Source: https://docs.pytorch.org/docs/stable/distributions.html#uniform

    >>> import torsh
    >>> from torsh.distributions import Uniform
    >>> d = Uniform(0., 4.)
    >>> d.mean, d.cdf(torsh.tensor(1.))
    (tensor(2.), tensor(0.2500))
    """

    _names = ("low", "high")
    # Each bound is checked against the other.
    arg_constraints = property(  # type: ignore[assignment]
        lambda self: {"low": c.less_than(self.high), "high": c.greater_than(self.low)}
    )

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, low, high)

    support = c.dependent_property(lambda self: c.interval(self.low, self.high), is_discrete=False, event_dim=0)
    mean = property(lambda self: (self.high + self.low) / 2)
    mode = property(lambda self: math.nan * self.high)
    stddev = property(lambda self: (self.high - self.low) / 12**0.5)
    variance = property(lambda self: (self.high - self.low).pow(2) / 12)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = tuple(self._extended_shape(sample_shape))
        rand = torsh.rand(shape, dtype=self.low.dtype, device=self.low.device)
        return self.low + rand * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        inside = (self.low.le(value) & self.high.gt(value)).to(self.low.dtype)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()


class Exponential(_Scalar, ExponentialFamily):
    """The exponential distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#exponential

    >>> import torsh
    >>> from torsh.distributions import Exponential
    >>> Exponential(torsh.tensor(2.)).mean
    tensor(0.5000)
    """

    _names = ("rate",)
    arg_constraints = {"rate": c.positive}
    support = c.nonnegative

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, rate)

    mean = stddev = property(lambda self: self.rate.reciprocal())
    variance = property(lambda self: self.rate.pow(-2))
    mode = property(lambda self: self.rate * 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.rate.new_empty(tuple(self._extended_shape(sample_shape))).exponential_() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        return 1.0 - self.rate.log()


class Laplace(_Scalar):
    """The Laplace distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#laplace

    >>> import torsh
    >>> from torsh.distributions import Laplace
    >>> Laplace(0., 1.).log_prob(torsh.tensor(0.))
    tensor(-0.6931)
    """

    _names = ("loc", "scale")
    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, loc, scale)

    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: 2 * self.scale.pow(2))
    stddev = property(lambda self: (2**0.5) * self.scale)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        u = self._uniform(self._extended_shape(sample_shape), self.loc, torsh.finfo(self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        d = value - self.loc
        return 0.5 - 0.5 * d.sign() * (-d.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()


class Cauchy(_Scalar):
    """The Cauchy distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#cauchy

    >>> import torsh
    >>> from torsh.distributions import Cauchy
    >>> Cauchy(0., 1.).cdf(torsh.tensor(1.))
    tensor(0.7500)
    """

    _names = ("loc", "scale")
    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, loc, scale)

    mean = property(lambda self: self.loc.detach() * math.nan)
    variance = property(lambda self: self.loc.detach() * 0 + math.inf)
    mode = property(lambda self: self.loc)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        eps = self.loc.new_empty(tuple(self._extended_shape(sample_shape))).cauchy_()
        return self.loc + eps * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class Gamma(_Scalar, ExponentialFamily):
    """The gamma distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#gamma

    >>> import torsh
    >>> from torsh.distributions import Gamma
    >>> d = Gamma(torsh.tensor(2.), torsh.tensor(4.))
    >>> d.mean, d.variance
    (tensor(0.5000), tensor(0.1250))
    """

    _names = ("concentration", "rate")
    arg_constraints = {"concentration": c.positive, "rate": c.positive}
    support = c.nonnegative

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, concentration, rate)

    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate.pow(2))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = self._extended_shape(sample_shape)
        value = torsh._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=_tiny(value))
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        value = torsh.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        self._validate_sample(value)
        k, rate = self.concentration, self.rate
        return torsh.xlogy(k, rate) + torsh.xlogy(k - 1, value) - rate * value - k.lgamma()

    def entropy(self) -> Tensor:
        k = self.concentration
        return k - self.rate.log() + k.lgamma() + (1.0 - k) * k.digamma()

    def cdf(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        return torsh.special.gammainc(self.concentration, self.rate * value)


class Chi2(Gamma):
    """The chi-squared distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#chi2

    >>> import torsh
    >>> from torsh.distributions import Chi2
    >>> Chi2(torsh.tensor(3.)).variance
    tensor(6.)
    """

    arg_constraints = {"df": c.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    df = property(lambda self: self.concentration * 2, doc="The degrees of freedom.")


class StudentT(_Scalar):
    """Student's t distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#studentt

    >>> import torsh
    >>> from torsh.distributions import StudentT
    >>> StudentT(torsh.tensor(5.)).variance
    tensor(1.6667)
    """

    _names = ("df", "loc", "scale")
    arg_constraints = {"df": c.positive, "loc": c.real, "scale": c.positive}
    support = c.real

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self._take(validate_args, df, loc, scale)
        self._chi2 = Chi2(self.df)

    mode = property(lambda self: self.loc)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def variance(self) -> Tensor:
        import torsh

        m = torsh.where(self.df > 2, self.scale.pow(2) * self.df / (self.df - 2), math.inf)
        return torsh.where(self.df <= 1, math.nan, m)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y, df = (value - self.loc) / self.scale, self.df
        norm = (
            self.scale.log()
            + 0.5 * df.log()
            + 0.5 * math.log(math.pi)
            + (0.5 * df).lgamma()
            - (0.5 * (df + 1)).lgamma()
        )
        return -0.5 * (df + 1.0) * (y**2.0 / df).log1p() - norm

    def entropy(self) -> Tensor:
        df = self.df
        beta = (0.5 * df).lgamma() + math.lgamma(0.5) - (0.5 * (df + 1)).lgamma()
        return (
            self.scale.log()
            + 0.5 * (df + 1) * ((0.5 * (df + 1)).digamma() - (0.5 * df).digamma())
            + 0.5 * df.log()
            + beta
        )


class Gumbel(_Scalar):
    """The Gumbel distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#gumbel

    >>> import torsh
    >>> from torsh.distributions import Gumbel
    >>> Gumbel(torsh.tensor(1.), torsh.tensor(2.)).mean
    tensor(2.1544)
    """

    _names = ("loc", "scale")
    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._take(validate_args, loc, scale)

    mean = property(lambda self: self.loc + self.scale * EULER)
    mode = property(lambda self: self.loc)
    stddev = property(lambda self: (math.pi / math.sqrt(6)) * self.scale)
    variance = property(lambda self: self.stddev.pow(2))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        info = torsh.finfo(self.loc.dtype)
        u = self._uniform(self._extended_shape(sample_shape), self.loc, info.tiny, 1 - info.eps)
        return self.loc + self.scale * -((-u.log()).log())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER)


class Beta(_Scalar, ExponentialFamily):
    """The beta distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#beta

    >>> from torsh.distributions import Beta
    >>> Beta(2., 3.).mean
    tensor(0.4000)
    """

    arg_constraints = {"concentration1": c.positive, "concentration0": c.positive}
    support = c.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        import torsh
        from torsh.distributions.multivariate import Dirichlet

        pair = torsh.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(pair, validate_args=validate_args)
        Distribution.__init__(self, self._dirichlet.batch_shape, validate_args=validate_args)

    concentration1 = property(
        lambda self: self._dirichlet.concentration[..., 0],
        doc="The first concentration (alpha).",
    )
    concentration0 = property(
        lambda self: self._dirichlet.concentration[..., 1],
        doc="The second concentration (beta).",
    )
    mean = property(lambda self: self.concentration1 / (self.concentration1 + self.concentration0))
    mode = property(lambda self: self._dirichlet.mode[..., 0])

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        return self._dirichlet.log_prob(torsh.stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()


class HalfNormal(_Scalar):
    """The absolute value of a normal variable.  Source: https://docs.pytorch.org/docs/stable/distributions.html#halfnormal

    >>> from torsh.distributions import HalfNormal
    >>> HalfNormal(1.).mean
    tensor(0.7979)
    """

    arg_constraints = {"scale": c.positive}
    support = c.nonnegative
    _base: type = Normal

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        self.base_dist = self._base(0, scale, validate_args=False)
        Distribution.__init__(self, self.base_dist.batch_shape, validate_args=validate_args)

    scale = property(lambda self: self.base_dist.scale, doc="The scale parameter.")
    mean = property(lambda self: self.scale * math.sqrt(2 / math.pi))
    mode = property(lambda self: self.scale * 0)
    variance = property(lambda self: self.scale.pow(2) * (1 - 2 / math.pi))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        return torsh.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)


class HalfCauchy(HalfNormal):
    """The absolute value of a Cauchy variable.  Source: https://docs.pytorch.org/docs/stable/distributions.html#halfcauchy

    >>> import torsh
    >>> from torsh.distributions import HalfCauchy
    >>> HalfCauchy(1.).cdf(torsh.tensor(1.))
    tensor(0.5000)
    """

    _base = Cauchy
    mean = property(lambda self: self.scale.detach() * 0 + math.inf)
    variance = property(lambda self: self.base_dist.variance)


__all__ = [
    "Beta", "Cauchy", "Chi2", "Exponential", "Gamma", "Gumbel", "HalfCauchy", "HalfNormal", "Laplace", "Normal",
    "StudentT", "Uniform",
]  # fmt: skip
