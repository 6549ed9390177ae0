"""Discrete distributions."""

from __future__ import annotations

from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.distributions import constraints as c
from torsh.distributions.distribution import Distribution, broadcast_all, lazy_property
from torsh.distributions.exp_family import ExponentialFamily
from torsh.tensor import Tensor


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities away from 0 and 1.

    >>> import torsh
    >>> p = torsh.distributions.utils.clamp_probs(torsh.tensor([0., 1.]))
    >>> (p > 0) & (p < 1)  # moved inside by one eps
    tensor([True, True])
    """
    import torsh

    eps = torsh.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of probabilities (binary), or their logarithms.

    >>> import torsh
    >>> torsh.distributions.utils.probs_to_logits(torsh.tensor([0.5]), is_binary=True)
    tensor([0.])
    """
    p = clamp_probs(probs)
    return p.log() - (-p).log1p() if is_binary else p.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The probabilities of log-odds.

    >>> import torsh
    >>> torsh.distributions.utils.logits_to_probs(torsh.tensor([0., 0.]))
    tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


class _Binary(Distribution):
    """Distributions with ``probs`` or ``logits`` of one event."""

    def _take_odds(self, probs: Any, logits: Any, validate_args: Any) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        (self._param,) = broadcast_all(probs if logits is None else logits)
        setattr(self, "probs" if logits is None else "logits", self._param)
        Distribution.__init__(self, self._param.shape, validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        """Log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=True)


class Bernoulli(_Binary, ExponentialFamily):
    """0 or 1.  Source: https://docs.pytorch.org/docs/stable/distributions.html#bernoulli

    >>> import torsh
    >>> from torsh.distributions import Bernoulli
    >>> d = Bernoulli(probs=torsh.tensor([0.3]))
    >>> _ = torsh.manual_seed(0)
    >>> d.sample((3,)).shape, d.log_prob(torsh.tensor([1.]))
    (torsh.Size([3, 1]), tensor([-1.2040]))
    """

    arg_constraints = {"probs": c.unit_interval, "logits": c.real}
    support = c.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take_odds(probs, logits, validate_args)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self) -> Tensor:
        import torsh

        mode = (self.probs >= 0.5).to(self.probs.dtype)
        return torsh.where(self.probs == 0.5, float("nan"), mode)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with no_grad():
            return torsh.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -self._cross_entropy(value)

    def _cross_entropy(self, value: Tensor) -> Tensor:
        import torsh
        from torsh.nn import functional as F

        logits, value = torsh.broadcast_tensors(self.logits, value)
        return F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return self._cross_entropy(self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        import torsh

        values = torsh.arange(2, dtype=self._param.dtype, device=self._param.device)
        values = values.view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class Geometric(_Binary):
    """Failures before the first success.  Source: https://docs.pytorch.org/docs/stable/distributions.html#geometric

    >>> import torsh
    >>> from torsh.distributions import Geometric
    >>> Geometric(probs=torsh.tensor(0.5)).mean  # failures before the first success
    tensor(1.)
    """

    arg_constraints = {"probs": c.unit_interval, "logits": c.real}
    support = c.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take_odds(probs, logits, validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution {self!r} to be positive "
                f"but found invalid values:\n{self.probs}"
            )

    mean = property(lambda self: 1.0 / self.probs - 1.0)
    mode = property(lambda self: self.probs * 0)
    variance = property(lambda self: (1.0 / self.probs - 1.0) / self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with no_grad():
            u = self.probs.new_empty(tuple(self._extended_shape(sample_shape))).uniform_(
                torsh.finfo(self.probs.dtype).tiny, 1
            )
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        value, probs = torsh.broadcast_tensors(value, self.probs)
        probs = torsh.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        from torsh.nn import functional as F

        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class Categorical(Distribution):
    """probs: (*, classes), not negative, normalised by the distribution; or logits. Samples are int64 from 0 to classes - 1.
    One of several classes.  Source: https://docs.pytorch.org/docs/stable/distributions.html#categorical

        >>> import torsh
        >>> from torsh.distributions import Categorical
        >>> d = Categorical(probs=torsh.tensor([0.2, 0.8]))
        >>> d.log_prob(torsh.tensor(1)).exp(), d.entropy()
        (tensor(0.8000), tensor(0.5004))
    """

    arg_constraints = {"probs": c.simplex, "logits": c.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = probs if logits is None else logits
        if given.dim() < 1:
            raise ValueError(f"`{'probs' if logits is None else 'logits'}` parameter must be at least one-dimensional.")
        if logits is None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        self._param = self.probs if logits is None else self.logits
        self._num_events = self._param.size(-1)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    support = c.dependent_property(
        lambda self: c.integer_interval(0, self._num_events - 1), is_discrete=True, event_dim=0
    )
    param_shape = property(lambda self: self._param.size(), doc="The shape of the parameters.")

    @lazy_property
    def logits(self) -> Tensor:
        """Normalised log-probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits)

    def _nan(self) -> Tensor:
        return self._param.detach().new_full(tuple(self._batch_shape), float("nan"))

    mean = variance = property(_nan)
    mode = property(lambda self: self.probs.argmax(dim=-1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        n = 1
        for s in sample_shape:
            n *= s
        with no_grad():
            drawn = torsh.multinomial(self.probs.reshape(-1, self._num_events), n, True).T
            return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        value, logits = torsh.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        import torsh

        logits = self.logits.clamp(min=torsh.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        import torsh

        values = torsh.arange(self._num_events, dtype=torsh.int64, device=self._param.device)
        values = values.view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class OneHotCategorical(Distribution):
    """One of several classes as a vector with a single 1.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#onehotcategorical

    >>> import torsh
    >>> from torsh.distributions import OneHotCategorical
    >>> OneHotCategorical(probs=torsh.tensor([0., 1.])).sample()
    tensor([0., 1.])
    """

    arg_constraints = {"probs": c.simplex, "logits": c.real_vector}
    support = c.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    probs = property(lambda self: self._categorical.probs, doc="The probabilities.")
    logits = property(lambda self: self._categorical.logits, doc="The log-odds, or logarithms of the probabilities.")
    mean = property(lambda self: self._categorical.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    def _one_hot(self, index: Tensor) -> Tensor:
        from torsh.nn import functional as F

        return F.one_hot(index, num_classes=self._event_shape[-1]).to(self.probs.dtype)

    mode = property(lambda self: self._one_hot(self.probs.argmax(dim=-1)))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        import torsh

        n = self._event_shape[0]
        values = torsh.eye(n, dtype=self.probs.dtype, device=self.probs.device)
        values = values.view((n, *(1,) * len(self._batch_shape), n))
        return values.expand((n, *self._batch_shape, n)) if expand else values


class Poisson(ExponentialFamily):
    """Counts of independent events.  Source: https://docs.pytorch.org/docs/stable/distributions.html#poisson

    >>> import torsh
    >>> from torsh.distributions import Poisson
    >>> Poisson(torsh.tensor(4.)).log_prob(torsh.tensor(4.)).exp()
    tensor(0.1954)
    """

    arg_constraints = {"rate": c.nonnegative}
    support = c.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    mean = variance = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with no_grad():
            return torsh.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return torsh.xlogy(value, rate) - rate - (value + 1).lgamma()


class Binomial(_Binary):
    """Successes in a number of trials.  Source: https://docs.pytorch.org/docs/stable/distributions.html#binomial

    >>> import torsh
    >>> from torsh.distributions import Binomial
    >>> Binomial(10, probs=torsh.tensor(0.5)).log_prob(torsh.tensor(5.)).exp()
    tensor(0.2461)
    """

    arg_constraints = {"total_count": c.nonnegative_integer, "probs": c.unit_interval, "logits": c.real}
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = probs if logits is None else logits
        self.total_count, given = broadcast_all(total_count, given)
        self.total_count = self.total_count.to(given.dtype)
        self._take_odds(None if probs is None else given, None if logits is None else given, validate_args)

    support = c.dependent_property(lambda self: c.integer_interval(0, self.total_count), is_discrete=True, event_dim=0)
    mean = property(lambda self: self.total_count * self.probs)
    mode = property(lambda self: ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count))
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = self._extended_shape(sample_shape)
        with no_grad():
            return torsh.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        # log(1 + exp(logits)), stable for both signs; max(logits, 0) is written so that its slope at zero is one half.
        norm = n * (logits + logits.abs()) / 2 + n * (-logits.abs()).exp().log1p() - (n + 1).lgamma()
        return value * logits - (value + 1).lgamma() - (n - value + 1).lgamma() - norm

    def entropy(self) -> Tensor:
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        import torsh

        n = int(self.total_count.max())
        if int(self.total_count.min()) != n:
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        values = torsh.arange(1 + n, dtype=self._param.dtype, device=self._param.device)
        values = values.view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class NegativeBinomial(_Binary):
    """Successes (with probability ``probs``) before a number of failures.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#negativebinomial

    >>> import torsh
    >>> from torsh.distributions import NegativeBinomial
    >>> NegativeBinomial(5., probs=torsh.tensor(0.5)).mean
    tensor(5.)
    """

    arg_constraints = {"total_count": c.greater_than_eq(0), "probs": c.half_open_interval(0.0, 1.0), "logits": c.real}
    support = c.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        self.total_count, given = broadcast_all(total_count, probs if logits is None else logits)
        self.total_count = self.total_count.to(given.dtype)
        self._take_odds(None if probs is None else given, None if logits is None else given, validate_args)

    mean = property(lambda self: self.total_count * self.logits.exp())
    mode = property(lambda self: ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0))
    variance = property(lambda self: self.mean / (-self.logits).sigmoid())

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh
        from torsh.distributions.continuous import Gamma

        with no_grad():
            # Not checked: total_count may be zero.
            rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
            return torsh.poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        from torsh.nn import functional as F

        self._validate_sample(value)
        n = self.total_count
        norm = (1.0 + value).lgamma() + n.lgamma() - (n + value).lgamma()
        norm = norm.masked_fill(n + value == 0.0, 0.0)  # certain, but lgamma(0) is infinite
        return n * F.logsigmoid(-self.logits) + value * F.logsigmoid(self.logits) - norm


__all__ = [
    "Bernoulli", "Binomial", "Categorical", "Geometric", "NegativeBinomial", "OneHotCategorical", "Poisson", "clamp_probs", "logits_to_probs",
    "probs_to_logits",
]  # fmt: skip
