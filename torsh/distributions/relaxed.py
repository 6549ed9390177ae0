"""Continuous relaxations of discrete distributions, and other distributions between 0 and 1."""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions.continuous import Normal
from torsh.distributions.discrete import Categorical, OneHotCategorical, _Binary, clamp_probs, logits_to_probs
from torsh.distributions.distribution import Distribution, broadcast_all, lazy_property
from torsh.distributions.exp_family import ExponentialFamily
from torsh.distributions.transforms import ExpTransform, SigmoidTransform, TransformedDistribution
from torsh.distributions.vector_transforms import StickBreakingTransform
from torsh.tensor import Tensor


def _clamped_uniform(shape: Any, like: Tensor) -> Tensor:
    import torsh

    return clamp_probs(torsh.rand(tuple(shape), dtype=like.dtype, device=like.device))


class LogitRelaxedBernoulli(_Binary):
    """The log-odds of a ``RelaxedBernoulli`` variable.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#logitrelaxedbernoulli

    >>> import torsh
    >>> from torsh.distributions.relaxed_bernoulli import LogitRelaxedBernoulli
    >>> LogitRelaxedBernoulli(torsh.tensor(1.), logits=torsh.tensor(0.)).log_prob(torsh.tensor(0.)).exp()
    tensor(0.2500)
    """

    arg_constraints = {"probs": c.unit_interval, "logits": c.real}
    support = c.real
    # PyTorch leaves ``has_rsample`` False here, though there is an ``rsample``.

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._take_odds(probs, logits, validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance) if self.temperature.dim() == len(self._batch_shape) else None
        if new is None:
            name = "probs" if "probs" in self.__dict__ else "logits"
            new = type(self)(
                self.temperature, **{name: getattr(self, name).expand(tuple(batch_shape))}, validate_args=False
            )
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = _clamped_uniform(shape, probs)
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        gap = logits - value.mul(self.temperature)
        return self.temperature.log() + gap - 2 * gap.exp().log1p()


class _Relaxed(TransformedDistribution):
    """The parameters of what is transformed."""

    has_rsample = True  # type: ignore[assignment]
    temperature = property(lambda self: self.base_dist.temperature, doc="The temperature of the relaxation.")
    logits = property(lambda self: self.base_dist.logits, doc="The log-odds, or logarithms of the probabilities.")
    probs = property(lambda self: self.base_dist.probs, doc="The probabilities.")


class RelaxedBernoulli(_Relaxed):
    """Between 0 and 1, the nearer to either the lower the temperature.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#relaxedbernoulli

    >>> import torsh
    >>> from torsh.distributions import RelaxedBernoulli
    >>> _ = torsh.manual_seed(0)
    >>> RelaxedBernoulli(torsh.tensor(2.2), torsh.tensor([0.1, 0.9])).rsample().shape
    torsh.Size([2])
    """

    arg_constraints = {"probs": c.unit_interval, "logits": c.real}
    support = c.unit_interval

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(
            LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args=validate_args
        )


class ExpRelaxedCategorical(Distribution):
    """The logarithm of a ``RelaxedOneHotCategorical`` variable.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.relaxed_categorical.ExpRelaxedCategorical

    >>> import torsh
    >>> from torsh.distributions.relaxed_categorical import ExpRelaxedCategorical
    >>> _ = torsh.manual_seed(0)
    >>> ExpRelaxedCategorical(torsh.tensor(1.), probs=torsh.tensor([0.5, 0.5])).sample().exp().sum()
    tensor(1.)
    """

    arg_constraints = {"probs": c.simplex, "logits": c.real_vector}
    support = c.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical, self.temperature = Categorical(probs, logits), temperature
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        logits = self.logits.expand((*batch_shape, *self._event_shape))
        return type(self)(self.temperature, logits=logits, validate_args=False)

    param_shape = property(lambda self: self._categorical.param_shape)
    logits = property(lambda self: self._categorical.logits)
    probs = property(lambda self: self._categorical.probs)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = _clamped_uniform(self._extended_shape(sample_shape), self.logits)
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self._event_shape[-1]
        logits, value = broadcast_all(self.logits, value)
        scale = math.lgamma(n) + self.temperature.log().mul(n - 1)
        score = logits - value.mul(self.temperature)
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + scale


class RelaxedOneHotCategorical(_Relaxed):
    """A vector on the simplex, the nearer to a corner the lower the temperature.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#relaxedonehotcategorical

    >>> import torsh
    >>> from torsh.distributions import RelaxedOneHotCategorical
    >>> _ = torsh.manual_seed(0)
    >>> RelaxedOneHotCategorical(torsh.tensor(1.), torsh.tensor([0.2, 0.8])).rsample((3,)).shape
    torsh.Size([3, 2])
    """

    arg_constraints = {"probs": c.simplex, "logits": c.real_vector}
    support = c.simplex

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot samples whose gradient is that of the probabilities.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.one_hot_categorical.OneHotCategoricalStraightThrough

    >>> import torsh
    >>> from torsh.distributions import OneHotCategoricalStraightThrough
    >>> OneHotCategoricalStraightThrough(probs=torsh.tensor([0., 1.])).rsample()
    tensor([0., 1.])
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        probs = self._categorical.probs
        return self.sample(sample_shape) + (probs - probs.detach())


class LogisticNormal(TransformedDistribution):
    """A normal vector taken to the simplex by stick-breaking, one element longer.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#logisticnormal

    >>> import torsh
    >>> from torsh.distributions import LogisticNormal
    >>> _ = torsh.manual_seed(0)
    >>> LogisticNormal(torsh.zeros(2), torsh.ones(2)).sample().shape  # a point of the simplex of 3
    torsh.Size([3])
    """

    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.simplex
    has_rsample = True  # type: ignore[assignment]

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        base = base if base.batch_shape else base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    loc = property(lambda self: self.base_dist.base_dist.loc, doc="The location parameter.")
    scale = property(lambda self: self.base_dist.base_dist.scale, doc="The scale parameter.")


class ContinuousBernoulli(_Binary, ExponentialFamily):
    """The density p^x (1 - p)^(1 - x), normalised, on [0, 1].

    lims: the probabilities near 1/2 between which series replace the closed forms, which are unstable there.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#continuousbernoulli

    >>> import torsh
    >>> from torsh.distributions import ContinuousBernoulli
    >>> ContinuousBernoulli(torsh.tensor(0.2)).mean
    tensor(0.3880)
    """

    arg_constraints = {"probs": c.unit_interval, "logits": c.real}
    support = c.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._lims = lims
        if probs is not None:
            (probs,) = broadcast_all(probs)
            if validate_args is not None and not bool(c.unit_interval.check(probs).all()):
                raise ValueError("The parameter probs has invalid values")
            probs = clamp_probs(probs)
        self._take_odds(probs, logits, validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """Parameters p."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    param_shape = property(lambda self: self._param.shape, doc="The shape of the parameters.")

    def _cut(self) -> tuple[Tensor, Tensor]:
        """Where the closed forms hold, and probabilities with which they may be evaluated everywhere."""
        import torsh

        stable = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return stable, torsh.where(stable, self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        import torsh

        stable, p = self._cut()
        log = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5).pow(2)
        return torsh.where(stable, log, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        import torsh

        stable, p = self._cut()
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return torsh.where(stable, p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log()), series)

    @property
    def variance(self) -> Tensor:
        import torsh

        stable, p = self._cut()
        x = (self.probs - 0.5).pow(2)
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        closed = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + 1.0 / ((-p).log1p() - p.log()).pow(2)
        return torsh.where(stable, closed, series)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = tuple(self._extended_shape(sample_shape))
        return self.icdf(torsh.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Tensor) -> Tensor:
        from torsh.nn import functional as F

        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._log_norm() - F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def cdf(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        stable, p = self._cut()
        found = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        found = torsh.where(stable, found, value)
        return torsh.where(value <= 0.0, 0.0, torsh.where(value >= 1.0, 1.0, found))

    def icdf(self, value: Tensor) -> Tensor:
        import torsh

        stable, p = self._cut()
        found = ((-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return torsh.where(stable, found, value)

    def entropy(self) -> Tensor:
        zero = (-self.probs).log1p()
        return self.mean * (zero - self.probs.log()) - self._log_norm() - zero


__all__ = [
    "ContinuousBernoulli", "ExpRelaxedCategorical", "LogisticNormal", "LogitRelaxedBernoulli", "OneHotCategoricalStraightThrough",
    "RelaxedBernoulli", "RelaxedOneHotCategorical",
]  # fmt: skip
