"""Distributions of matrices, and the normal distribution with a covariance of low rank."""

from __future__ import annotations

import math
import warnings
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.distributions import constraints as c
from torsh.distributions.continuous import Beta, Chi2
from torsh.distributions.distribution import Distribution, broadcast_all, lazy_property, standard_normal
from torsh.distributions.exp_family import ExponentialFamily
from torsh.distributions.multivariate import _factor_of_inverse, mahalanobis
from torsh.tensor import Tensor


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors with covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``.

    cov_factor: (..., n, m).  Determinant and inverse come from an m x m matrix (Woodbury's identity).
    Source: https://docs.pytorch.org/docs/stable/distributions.html#lowrankmultivariatenormal

    >>> import torsh
    >>> from torsh.distributions import LowRankMultivariateNormal
    >>> d = LowRankMultivariateNormal(torsh.zeros(2), torsh.tensor([[1.], [0.]]), torsh.ones(2))
    >>> d.covariance_matrix
    tensor([[2., 0.],
            [0., 1.]])
    """

    arg_constraints = {
        "loc": c.real_vector, "cov_factor": c.independent(c.real, 2), "cov_diag": c.independent(c.positive, 1),
    }  # fmt: skip
    support = c.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        import torsh

        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
        if cov_diag.shape[-1:] != event:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event}")
        try:
            shape = torsh.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as e:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from e
        self.loc, self.cov_diag = loc.expand((*shape, -1)), cov_diag.expand((*shape, -1))
        self.cov_factor = cov_factor.expand((*shape, -1, -1))
        self._factor, self._diag = (
            (cov_factor,),
            (cov_diag,),
        )  # unexpanded: in tuples, so that expand() leaves them alone
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        eye = torsh.eye(cov_factor.shape[-1], dtype=loc.dtype, device=loc.device)
        self._capacitance = (torsh.linalg.cholesky(scaled @ cov_factor + eye),)
        super().__init__(shape, event, validate_args=validate_args)

    mean = mode = property(lambda self: self.loc)

    def _full(self) -> tuple[int, ...]:
        return (*self._batch_shape, *self._event_shape, *self._event_shape)

    @property
    def variance(self) -> Tensor:
        return (self._factor[0].pow(2).sum(-1) + self._diag[0]).expand(self._batch_shape + self._event_shape)

    @property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return (self._factor[0] @ self._factor[0].mT + self._diag[0].diag_embed()).expand(self._full())

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        import torsh

        scaled = self._factor[0].mT / self._diag[0].unsqueeze(-2)
        a = torsh.linalg.solve_triangular(self._capacitance[0], scaled, upper=False)
        return (self._diag[0].reciprocal().diag_embed() - a.mT @ a).expand(self._full())

    @property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance, by way of a matrix whose eigenvalues are at least 1."""
        import torsh

        root = self._diag[0].sqrt().unsqueeze(-1)
        scaled = self._factor[0] / root
        eye = torsh.eye(self._event_shape[0], dtype=self.loc.dtype, device=self.loc.device)
        return (root * torsh.linalg.cholesky(scaled @ scaled.mT + eye)).expand(self._full())

    def _log_det(self) -> Tensor:
        return 2 * self._capacitance[0].diagonal(dim1=-2, dim2=-1).log().sum(-1) + self._diag[0].log().sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        first = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        second = standard_normal(shape, self.loc)
        return self.loc + (self._factor[0] @ first.unsqueeze(-1)).squeeze(-1) + self._diag[0].sqrt() * second

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        gap = value - self.loc
        scaled = ((self._factor[0].mT / self._diag[0].unsqueeze(-2)) @ gap.unsqueeze(-1)).squeeze(-1)
        m = (gap.pow(2) / self._diag[0]).sum(-1) - mahalanobis(self._capacitance[0], scaled)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + m)

    def entropy(self) -> Tensor:
        h = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det())
        return h.expand(self._batch_shape)


class Wishart(ExponentialFamily):
    """The Wishart distribution of positive-definite matrices, with mean ``df * covariance_matrix``.

    Samples come from Bartlett's decomposition (https://doi.org/10.1017/S0370164600023063); singular ones are drawn again.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#wishart

    >>> import torsh
    >>> from torsh.distributions import Wishart
    >>> Wishart(torsh.tensor(3.), torsh.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = c.positive_definite
    has_rsample = True
    arg_constraints = property(  # type: ignore[assignment]
        lambda self: {
            "covariance_matrix": c.positive_definite, "precision_matrix": c.positive_definite, "scale_tril": c.lower_cholesky,
            "df": c.greater_than(self.event_shape[-1] - 1),
        }
    )  # fmt: skip

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        import torsh

        given = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        named = {k: v for k, v in given.items() if v is not None}
        if len(named) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = named.items()
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        df = df if isinstance(df, Tensor) else torsh.tensor(df, dtype=matrix.dtype, device=matrix.device)
        shape, n = torsh.broadcast_shapes(matrix.shape[:-2], df.shape), matrix.shape[-1]
        self.df = df.expand(shape)
        if bool(self.df.le(n - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        setattr(self, name, matrix.expand((*shape, -1, -1)))
        if bool(self.df.lt(n).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        super().__init__(shape, matrix.shape[-2:], validate_args=validate_args)
        if name == "scale_tril":
            factor = matrix
        else:
            factor = torsh.linalg.cholesky(matrix) if name == "covariance_matrix" else _factor_of_inverse(matrix)
        self._factor = (factor,)  # in a tuple, so that expand() leaves it alone
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - torsh.arange(n, dtype=factor.dtype, device=factor.device))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the scale matrix."""
        return self._factor[0].expand(self._batch_shape + self._event_shape)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The scale matrix."""
        return (self._factor[0] @ self._factor[0].mT).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the scale matrix."""
        import torsh

        return torsh.cholesky_inverse(self._factor[0]).expand(self._batch_shape + self._event_shape)

    mean = property(lambda self: self.df[..., None, None] * self.covariance_matrix)

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        return factor.masked_fill(factor <= 0, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        d = v.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (v.pow(2) + d.unsqueeze(-1) * d.unsqueeze(-2))

    def _bartlett(self, sample_shape: Any) -> Tensor:
        import torsh

        n = self._event_shape[-1]
        diagonal = self._dist_chi2.rsample(sample_shape).sqrt()
        noise = diagonal.clamp(min=torsh.finfo(diagonal.dtype).eps).diag_embed()
        rows, columns = torsh.tril_indices(n, n, -1, device=noise.device)
        below = torsh.randn((*sample_shape, *self._batch_shape, len(rows)), dtype=noise.dtype, device=noise.device)
        place = (rows * n + columns).expand(below.shape)
        flat = noise.reshape((*noise.shape[:-2], n * n)).scatter(-1, place, below)
        factor = self._factor[0] @ flat.reshape(noise.shape)
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        import torsh

        shape = tuple(sample_shape)
        # PyTorch 2.13 takes its valid first draws for singular ones and draws them again: so the same seed gives the same.
        self._bartlett(shape)
        sample = self._bartlett(shape)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            bad = ~self.support.check(sample.detach())
            if not bool(bad.any()):
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            sample = torsh.where(bad[..., None, None], self._bartlett(shape), sample)
        return sample

    def _half_log_det(self) -> Tensor:
        return self._factor[0].diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        nu, n = self.df, self._event_shape[-1]
        factor = (
            self._factor[0].expand((*value.shape[:-2], n, n))
            if value.dim() > self._factor[0].dim()
            else self._factor[0]
        )
        trace = torsh.cholesky_solve(value, factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        return (
            -nu * (n * math.log(2) / 2 + self._half_log_det()) - torsh.mvlgamma(nu / 2, n)
            + (nu - n - 1) / 2 * torsh.linalg.slogdet(value).logabsdet - trace / 2
        )  # fmt: skip

    def entropy(self) -> Tensor:
        import torsh

        nu, n = self.df, self._event_shape[-1]
        steps = torsh.arange(n, dtype=nu.dtype, device=nu.device) / 2
        digammas = ((nu / 2).unsqueeze(-1) - steps).digamma().sum(-1)
        return (
            (n + 1) * (n * math.log(2) / 2 + self._half_log_det()) + torsh.mvlgamma(nu / 2, n)
            - (nu - n - 1) / 2 * digammas + nu * n / 2
        )  # fmt: skip


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices, the nearer to the identity the higher the concentration.

    Sampled by the onion method of Lewandowski, Kurowicka and Joe 2009, https://doi.org/10.1016/j.jmva.2009.04.008.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#lkjcholesky

    >>> import torsh
    >>> from torsh.distributions import LKJCholesky
    >>> _ = torsh.manual_seed(0)
    >>> L = LKJCholesky(3, 0.5).sample()
    >>> torsh.allclose((L @ L.T).diagonal(), torsh.ones(3))
    True
    """

    arg_constraints = {"concentration": c.positive}
    support = c.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        import torsh

        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        steps = torsh.arange(dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        offset = torsh.cat([steps.new_zeros(1), steps])
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return type(self)(self.dim, self.concentration.expand(tuple(batch_shape)), validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            u = torsh.randn(tuple(self._extended_shape(sample_shape)), dtype=y.dtype, device=y.device).tril(-1)
            direction = u / u.norm(dim=-1, keepdim=True)
            direction[..., 0, :] = 0.0  # 0 / 0
            w = y.sqrt() * direction
            return w + (1 - (w**2).sum(-1)).clamp(min=torsh.finfo(w.dtype).tiny).sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = torsh.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        # mvlgamma's power of pi is that of one dimension fewer.
        norm = 0.5 * n * math.log(math.pi) + torsh.mvlgamma(alpha - 0.5, n) - alpha.lgamma() * n
        return (order * diagonal.log()).sum(-1) - norm


__all__ = ["LKJCholesky", "LowRankMultivariateNormal", "Wishart"]
