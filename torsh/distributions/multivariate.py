"""Distributions of vectors, and distributions made of others."""

from __future__ import annotations

import math
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.distributions import constraints as c
from torsh.distributions.discrete import Binomial, Categorical
from torsh.distributions.distribution import Distribution, lazy_property, standard_normal
from torsh.distributions.exp_family import ExponentialFamily
from torsh.ops._op import needs_grad
from torsh.ops.dirichlet_gradient import drawn_dirichlet
from torsh.tensor import Tensor


def sum_rightmost(value: Tensor, n: int) -> Tensor:
    """The sum over the last n dimensions.

    >>> import torsh
    >>> torsh.distributions.transforms.sum_rightmost(torsh.ones(2, 3, 4), 2)
    tensor([12., 12.])
    """
    return value if n == 0 else value.reshape((*value.shape[: value.dim() - n], -1)).sum(-1)


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution.  Source: https://docs.pytorch.org/docs/stable/distributions.html#dirichlet

    >>> import torsh
    >>> from torsh.distributions import Dirichlet
    >>> Dirichlet(torsh.tensor([1., 3.])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": c.independent(c.positive, 1)}
    support = c.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    mean = property(lambda self: self.concentration / self.concentration.sum(-1, True))

    @property
    def mode(self) -> Tensor:
        import torsh

        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        mask = (self.concentration < 1).all(dim=-1)
        peak = torsh.nn.functional.one_hot(mode.argmax(dim=-1), above.shape[-1]).to(mode.dtype)
        return torsh.where(mask.unsqueeze(-1), peak, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        concentration = self.concentration.expand(self._extended_shape(sample_shape))
        draws = torsh._sample_dirichlet(concentration.detach())
        return drawn_dirichlet(concentration, draws) if needs_grad(concentration) else draws

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        k = self.concentration
        return torsh.xlogy(k - 1.0, value).sum(-1) + k.sum(-1).lgamma() - k.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        k, concentration = self.concentration.size(-1), self.concentration
        a0 = concentration.sum(-1)
        return (
            concentration.lgamma().sum(-1) - a0.lgamma() - (k - a0) * a0.digamma()
            - ((concentration - 1.0) * concentration.digamma()).sum(-1)
        )  # fmt: skip


class Multinomial(Distribution):
    """Counts of classes in a number of draws.  Source: https://docs.pytorch.org/docs/stable/distributions.html#multinomial

    >>> import torsh
    >>> from torsh.distributions import Multinomial
    >>> Multinomial(10, torsh.tensor([0.2, 0.8])).mean
    tensor([2., 8.])
    """

    arg_constraints = {"probs": c.simplex, "logits": c.real_vector}

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    support = c.dependent_property(lambda self: c.multinomial(self.total_count), is_discrete=True, event_dim=1)
    probs = property(lambda self: self._categorical.probs, doc="The probabilities.")
    logits = property(lambda self: self._categorical.logits, doc="The log-odds, or logarithms of the probabilities.")
    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with no_grad():
            drawn = self._categorical.sample((self.total_count, *sample_shape))
            drawn = drawn.permute(*range(1, drawn.dim()), 0)
            counts = self.probs.new_zeros(tuple(self._extended_shape(sample_shape)))
            counts.scatter_add_(-1, drawn, torsh.ones_like(drawn, dtype=counts.dtype))
            return counts

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        logits, value = torsh.broadcast_tensors(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        each = Binomial(self.total_count, self.probs)
        counts = each.enumerate_support(expand=False)[1:]
        expected = (each.log_prob(counts).exp() * (counts + 1).lgamma()).sum((0, -1))
        n = self.total_count
        return n * self._categorical.entropy() - math.lgamma(n + 1) + expected


class MultivariateNormal(Distribution):
    """The normal distribution of vectors, by covariance, precision or Cholesky factor.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal

    >>> import torsh
    >>> from torsh.distributions import MultivariateNormal
    >>> d = MultivariateNormal(torsh.zeros(2), covariance_matrix=torsh.tensor([[2., 1.], [1., 2.]]))
    >>> d.log_prob(torsh.zeros(2))
    tensor(-2.3872)
    >>> d.scale_tril
    tensor([[1.4142, 0.0000],
            [0.7071, 1.2247]])
    """

    arg_constraints = {
        "loc": c.real_vector, "covariance_matrix": c.positive_definite, "precision_matrix": c.positive_definite,
        "scale_tril": c.lower_cholesky,
    }  # fmt: skip
    support = c.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        import torsh

        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        named = {k: v for k, v in given.items() if v is not None}
        if len(named) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = named.items()
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        shape = torsh.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*shape, -1, -1)))
        self.loc = loc.expand((*shape, -1))
        super().__init__(shape, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = torsh.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = _factor_of_inverse(matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        n = self._event_shape[0]
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, n, n))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor, n = self._unbroadcasted_scale_tril, self._event_shape[0]
        return (factor @ factor.mT).expand((*self._batch_shape, n, n))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        import torsh

        n = self._event_shape[0]
        return torsh.cholesky_inverse(self._unbroadcasted_scale_tril).expand((*self._batch_shape, n, n))

    mean = mode = property(lambda self: self.loc)
    variance = property(
        lambda self: self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)
    )

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        eps = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ eps.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        m = mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + m) - self._half_log_det()

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        h = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return h.expand(self._batch_shape)


def _factor_of_inverse(p: Tensor) -> Tensor:
    """The Cholesky factor of the inverse, from the one of the matrix turned round."""
    import torsh

    turned = torsh.linalg.cholesky(p.flip((-2, -1)))
    inverse_factor = turned.flip((-2, -1)).mT
    eye = torsh.eye(p.shape[-1], dtype=p.dtype, device=p.device)
    return torsh.linalg.solve_triangular(inverse_factor, eye.expand(inverse_factor.shape), upper=False)


def mahalanobis(factor: Tensor, x: Tensor) -> Tensor:
    """x' M^-1 x for M = factor factor'."""
    import torsh

    shape = torsh.broadcast_shapes(factor.shape[:-1], x.shape)
    factor = factor.expand((*shape, factor.shape[-1]))
    y = torsh.linalg.solve_triangular(factor, x.expand(shape).unsqueeze(-1), upper=False)
    return y.squeeze(-1).pow(2).sum(-1)


class Independent(Distribution):
    """A distribution whose last batch dimensions count as part of the event.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#independent

    >>> import torsh
    >>> from torsh.distributions import Independent, Normal
    >>> d = Independent(Normal(torsh.zeros(3, 2), torsh.ones(3, 2)), 1)
    >>> d.batch_shape, d.event_shape
    (torsh.Size([3]), torsh.Size([2]))
    >>> d.log_prob(torsh.zeros(2)).shape
    torsh.Size([3])
    """

    arg_constraints: Any = {}

    def __init__(
        self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        if reinterpreted_batch_ndims > len(base_distribution.batch_shape):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                f"{reinterpreted_batch_ndims} vs {len(base_distribution.batch_shape)}"
            )
        shape = base_distribution.batch_shape + base_distribution.event_shape
        n = reinterpreted_batch_ndims + len(base_distribution.event_shape)
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(shape[: len(shape) - n], shape[len(shape) - n :], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        inner = self._event_shape[: self.reinterpreted_batch_ndims]
        return type(self)(
            self.base_dist.expand((*batch_shape, *inner)), self.reinterpreted_batch_ndims, validate_args=False
        )

    has_rsample = property(lambda self: self.base_dist.has_rsample)

    @c.dependent_property
    def support(self) -> Any:
        n = self.reinterpreted_batch_ndims
        return c.independent(self.base_dist.support, n) if n else self.base_dist.support

    mean = property(lambda self: self.base_dist.mean)
    mode = property(lambda self: self.base_dist.mode)
    variance = property(lambda self: self.base_dist.variance)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamily(Distribution):
    """A mixture of distributions of one family, along their last batch dimension.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#mixturesamefamily

    >>> import torsh
    >>> from torsh.distributions import Categorical, MixtureSameFamily, Normal
    >>> parts = Normal(torsh.tensor([-1., 3.]), torsh.tensor([1., 1.]))
    >>> d = MixtureSameFamily(Categorical(torsh.tensor([0.5, 0.5])), parts)
    >>> d.mean, d.variance
    (tensor(1.), tensor(5.))
    """

    arg_constraints: Any = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        k, kc = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if k != kc:
            raise ValueError(
                f"`mixture_distribution component` ({k}) does not equal `component_distribution.batch_shape[-1]` ({kc})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(
            component_distribution.batch_shape[:-1], component_distribution.event_shape, validate_args=validate_args
        )

    mixture_distribution = property(
        lambda self: self._mixture_distribution,
        doc="The Categorical that chooses the component.",
    )
    component_distribution = property(
        lambda self: self._component_distribution,
        doc="The distribution of the components, the last batch dimension.",
    )
    support = c.dependent_property(lambda self: self._component_distribution.support)

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * len(self._event_shape)))

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(-1 - len(self._event_shape))

    @property
    def variance(self) -> Tensor:
        dim = -1 - len(self._event_shape)
        w, parts = self._weights(), self._component_distribution
        return (w * parts.variance).sum(dim) + (w * (parts.mean - self.mean.unsqueeze(dim)).pow(2.0)).sum(dim)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        x = value.unsqueeze(-1 - len(self._event_shape))
        mix = self._mixture_distribution.logits.log_softmax(-1)
        return (self._component_distribution.log_prob(x) + mix).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            n = len(sample_shape) + len(self._batch_shape)
            which = self._mixture_distribution.sample(sample_shape)
            parts = self._component_distribution.sample(sample_shape)
            event = len(self._event_shape)
            which = which.reshape((*which.shape, *[1] * (event + 1)))
            which = which.expand((*which.shape[: n + 1], *self._event_shape))
            return parts.gather(n, which).squeeze(n)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"


__all__ = [
    "Dirichlet",
    "Independent",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "mahalanobis",
    "sum_rightmost",
]
