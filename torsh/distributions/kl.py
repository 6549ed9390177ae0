"""Kullback-Leibler divergences, by pairs of families.

Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.kl
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torsh.distributions import continuous as k
from torsh.distributions import discrete as d
from torsh.distributions import multivariate as m
from torsh.distributions.distribution import Distribution
from torsh.distributions.transforms import LogNormal
from torsh.tensor import Tensor

_TABLE: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[..., Any]:
    """Register a function (p, q) -> divergence for two families and their subclasses.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.kl.register_kl

    >>> from torsh.distributions import Normal, kl_divergence, register_kl
    >>> class Point(Normal):
    ...     pass
    >>> @register_kl(Point, Point)
    ... def _kl_point_point(p, q):
    ...     return (p.loc - q.loc) ** 2
    >>> kl_divergence(Point(0., 1.), Point(3., 1.))
    tensor(9.)
    """
    for given in (type_p, type_q):  # any class: libraries have distributions that are none of these
        if not isinstance(given, type):
            raise TypeError(f"issubclass() arg 1 must be a class, not {given!r}")

    def register(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
        _TABLE[type_p, type_q] = fn
        return fn

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q).  Raises NotImplementedError for a pair nobody registered.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.kl.kl_divergence

    >>> from torsh.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0., 1.), Normal(1., 1.))
    tensor(0.5000)
    """
    fits = [
        (type(p).__mro__.index(a) + type(q).__mro__.index(b), fn)
        for (a, b), fn in _TABLE.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not fits:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
        )
    return min(fits, key=lambda f: f[0])[1](p, q)


@register_kl(k.Normal, k.Normal)
def _normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _log_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(k.HalfNormal, k.HalfNormal)
def _half_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(d.Bernoulli, d.Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    import torsh
    from torsh.nn.functional import softplus

    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = torsh.where(q.probs == 0, math.inf, one)
    one = torsh.where(p.probs == 0, 0.0, one)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = torsh.where(q.probs == 1, math.inf, zero)
    return one + torsh.where(p.probs == 1, 0.0, zero)


@register_kl(d.Categorical, d.Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    import torsh

    t = p.probs * (p.logits - q.logits)
    t = torsh.where((q.probs == 0).expand(t.shape), math.inf, t)
    return torsh.where((p.probs == 0).expand(t.shape), 0.0, t).sum(-1)


@register_kl(d.OneHotCategorical, d.OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(k.Exponential, k.Exponential)
def _exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(k.Gamma, k.Gamma)
def _gamma(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(k.Laplace, k.Laplace)
def _laplace(p: Any, q: Any) -> Tensor:
    ratio, gap = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + gap / q.scale + ratio * (-gap / p.scale).exp() - 1


@register_kl(k.Uniform, k.Uniform)
def _uniform(p: Any, q: Any) -> Tensor:
    import torsh

    found = ((q.high - q.low) / (p.high - p.low)).log()
    return torsh.where((q.low > p.low) | (q.high < p.high), math.inf, found)


@register_kl(d.Poisson, d.Poisson)
def _poisson(p: Any, q: Any) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(d.Geometric, d.Geometric)
def _geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(m.Dirichlet, m.Dirichlet)
def _dirichlet(p: Any, q: Any) -> Tensor:
    total = p.concentration.sum(-1)
    first = total.lgamma() - q.concentration.sum(-1).lgamma()
    second = (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    gap = p.concentration.digamma() - total.digamma().unsqueeze(-1)
    return first - second + ((p.concentration - q.concentration) * gap).sum(-1)


@register_kl(k.Beta, k.Beta)
def _beta(p: Any, q: Any) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(m.MultivariateNormal, m.MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Tensor:
    import torsh

    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    a, b = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    n = p.event_shape[0]
    shape = (*torsh.broadcast_shapes(a.shape[:-2], b.shape[:-2]), n, n)
    trace = torsh.linalg.solve_triangular(b.expand(shape), a.expand(shape), upper=False).pow(2).sum((-2, -1))
    return q._half_log_det() - p._half_log_det() + 0.5 * (trace + m.mahalanobis(b, q.loc - p.loc) - n)


@register_kl(m.Independent, m.Independent)
def _independent(p: Any, q: Any) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return m.sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


__all__ = ["kl_divergence", "register_kl"]
