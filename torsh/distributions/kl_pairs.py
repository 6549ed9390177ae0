"""Divergences between different families: KL(p || q) = -H(p) - E_p[log q], from a few expectations under p.

Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.kl
"""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions import continuous as k
from torsh.distributions import discrete as d
from torsh.distributions.kl import kl_divergence, register_kl
from torsh.distributions.matrices import LowRankMultivariateNormal
from torsh.distributions.multivariate import MultivariateNormal
from torsh.distributions.positive import Pareto
from torsh.distributions.relaxed import ContinuousBernoulli
from torsh.distributions.transforms import TransformedDistribution
from torsh.tensor import Tensor


def _where(condition: Tensor, value: float, other: Tensor) -> Tensor:
    import torsh

    return torsh.where(condition, value, other)


def _infinite(p: Any, q: Any) -> Tensor:
    """Where p has mass outside the support of q."""
    import torsh

    return torsh.full_like(p.entropy().detach(), math.inf)


_BOUNDED = (k.Beta, ContinuousBernoulli, Pareto, k.Uniform)
for _p, _qs in {
    k.Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    k.Exponential: _BOUNDED,
    k.Gamma: _BOUNDED,
    k.Gumbel: (*_BOUNDED, k.Exponential, k.Gamma),
    k.Laplace: (*_BOUNDED, k.Exponential, k.Gamma),
    k.Normal: (*_BOUNDED, k.Exponential, k.Gamma),
    Pareto: (k.Beta, ContinuousBernoulli, k.Uniform),
}.items():
    for _q in _qs:
        register_kl(_p, _q)(_infinite)


@register_kl(d.Poisson, d.Bernoulli)
@register_kl(d.Poisson, d.Binomial)
def _poisson_infinite(p: Any, q: Any) -> Tensor:
    import torsh

    return torsh.full_like(p.rate, math.inf)


# ---- expectations under p


def _x_log_x(x: Tensor) -> Tensor:
    import torsh

    return torsh.special.xlogy(x, x)


def _mean_log(p: Any) -> Tensor:
    """E[log x]."""
    if isinstance(p, k.Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, k.Exponential):
        return -p.rate.log() - k.EULER
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1  # Uniform


def _laplace_transform(p: Any, s: Tensor) -> Tensor:
    """E[exp(-s x)]."""
    if isinstance(p, k.Exponential):
        return p.rate / (p.rate + s)
    if isinstance(p, k.Gamma):
        return (1 + s / p.rate).pow(-p.concentration)
    if isinstance(p, k.Normal):
        return (-p.loc * s + 0.5 * (p.scale * s).pow(2)).exp()
    return ((-p.low * s).exp() - (-p.high * s).exp()) / (s * (p.high - p.low))  # Uniform


def _outside(p: Any, q: Any, value: Tensor) -> Tensor:
    """Infinite for a uniform distribution that reaches below zero."""
    return _where(p.low < 0, math.inf, value) if isinstance(p, k.Uniform) else value


# ---- by the family of q


def _to_normal(p: Any, q: Any) -> Tensor:
    v = q.scale.pow(2)
    return -p.entropy() + 0.5 * (2 * math.pi * v).log() + (p.variance + (p.mean - q.loc).pow(2)) / (2 * v)


def _to_exponential(p: Any, q: Any) -> Tensor:
    return _outside(p, q, -p.entropy() - q.rate.log() + q.rate * p.mean)


def _to_gamma(p: Any, q: Any) -> Tensor:
    a = q.concentration
    return _outside(p, q, -p.entropy() + a.lgamma() - a * q.rate.log() - (a - 1) * _mean_log(p) + q.rate * p.mean)


def _to_gumbel(p: Any, q: Any) -> Tensor:
    s = q.scale.reciprocal()
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) * s + (q.loc * s).exp() * _laplace_transform(p, s)


for _q, _fn, _ps in (
    (k.Normal, _to_normal, (k.Beta, ContinuousBernoulli, k.Exponential, k.Gamma, k.Gumbel, k.Laplace, k.Uniform)),
    (k.Exponential, _to_exponential, (k.Beta, ContinuousBernoulli, k.Gamma, k.Uniform)),
    (k.Gamma, _to_gamma, (k.Beta, k.Exponential, k.Uniform)),
    (k.Gumbel, _to_gumbel, (k.Exponential, k.Gamma, k.Normal, k.Uniform)),
):
    for _p in _ps:
        register_kl(_p, _q)(_fn)


@register_kl(Pareto, k.Normal)
def _pareto_normal(p: Any, q: Any) -> Tensor:
    return _where(p.alpha <= 2, math.inf, _to_normal(p, q))


@register_kl(Pareto, k.Exponential)
def _pareto_exponential(p: Any, q: Any) -> Tensor:
    return _where(p.alpha <= 1, math.inf, _to_exponential(p, q))


@register_kl(Pareto, k.Gamma)
def _pareto_gamma(p: Any, q: Any) -> Tensor:
    return _where(p.alpha <= 1, math.inf, _to_gamma(p, q))


@register_kl(k.Normal, k.Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    gap = (p.loc - q.loc) / p.scale
    distance = (
        math.sqrt(2 / math.pi) * p.scale * (-0.5 * gap.pow(2)).exp() + (p.loc - q.loc) * (math.sqrt(0.5) * gap).erf()
    )
    return -p.entropy() + (2 * q.scale).log() + distance / q.scale


@register_kl(d.Bernoulli, d.Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


def _to_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


register_kl(k.Beta, ContinuousBernoulli)(_to_continuous_bernoulli)
register_kl(ContinuousBernoulli, ContinuousBernoulli)(_to_continuous_bernoulli)


@register_kl(k.Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return _where((p.high > 1) | (p.low < 0), math.inf, _to_continuous_bernoulli(p, q))


@register_kl(k.Beta, k.Uniform)
@register_kl(ContinuousBernoulli, k.Uniform)
def _unit_uniform(p: Any, q: Any) -> Tensor:
    return _where((q.low > 0) | (q.high < 1), math.inf, -p.entropy() + (q.high - q.low).log())


@register_kl(k.Uniform, k.Beta)
def _uniform_beta(p: Any, q: Any) -> Tensor:
    a, b, width = q.concentration1, q.concentration0, p.high - p.low
    mirrored = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high)) / width - 1  # E[log(1 - x)]
    found = a.lgamma() + b.lgamma() - (a + b).lgamma() - width.log() - (a - 1) * _mean_log(p) - (b - 1) * mirrored
    return _where((p.high > 1) | (p.low < 0), math.inf, found)


@register_kl(k.Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Tensor:
    found = (q.alpha + 1) * _mean_log(p) - (q.alpha * q.scale.pow(q.alpha) * (p.high - p.low)).log()
    return _where(p.low < q.scale, math.inf, found)


# ---- within a family


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return _where(p.scale < q.scale, math.inf, found)


@register_kl(k.Gumbel, k.Gumbel)
def _gumbel(p: Any, q: Any) -> Tensor:
    ratio, gap = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return -ratio.log() + gap + ratio * k.EULER + ((1 + ratio).lgamma() - gap).exp() - (1 + k.EULER)


@register_kl(k.Cauchy, k.Cauchy)
def _cauchy(p: Any, q: Any) -> Tensor:
    # Chyzak and Nielsen 2019, https://arxiv.org/abs/1905.10965
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(d.Binomial, d.Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return _where(p.total_count > q.total_count, math.inf, found)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _normal_vectors(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes cannot be computed: "
            f"{tuple(p.event_shape)} and {tuple(q.event_shape)}"
        )
    first, second = (
        x._log_det() if isinstance(x, LowRankMultivariateNormal) else 2 * x._half_log_det() for x in (p, q)
    )
    inverse, gap = q.precision_matrix, (q.loc - p.loc).unsqueeze(-1)
    trace = (inverse * p.covariance_matrix).sum((-2, -1))
    distance = (gap * (inverse @ gap)).sum((-2, -1))
    return 0.5 * (second - first + trace + distance - p.event_shape[0])


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "KL of transformed distributions is known only where both have equal transforms and event shapes"
        )
    return kl_divergence(p.base_dist, q.base_dist)
