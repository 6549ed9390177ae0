"""Samples of reductions, running reductions, order statistics and norms."""

from __future__ import annotations

import math

import numpy as np

from torsh_conformance.sample import S, samples, the


@samples("torch.nansum", "torch.prod", "torch.mean", "torch.nanmean")
def with_dtype(make):
    yield S(make(3, 4))
    yield S(make(2, 3, 4), 1)
    yield S(make(2, 3), -1, True)
    yield S(make(3, 4), dtype=the.float64).named("dtype")
    yield S(make(4, 3).T, 0).named("transposed")
    yield S(make()).named("0-d")
    yield S(make(0, 3), 0).named("empty")
    yield S(make.special()).named("special").without("grad")


@samples("torch.sum")
def sum(make):
    yield from with_dtype(make)
    yield S(make(2, 3, 4), (0, 2), True)
    yield S(make(2, 3), ()).named("no dims")
    yield S(make(700, 3), 0).named("long")


@samples("torch.all", "torch.any", "torch.count_nonzero")
def truth(make):
    yield S(make(3, 4))
    yield S(make(2, 3, 4), 1)
    yield S(make(2, 3, 4), (0, 2))
    yield S(make(0, 3), 0).named("empty")
    yield S(make()).named("0-d")


@samples("torch.amax", "torch.amin")
def extreme(make):
    yield S(make.distinct(3, 4))
    yield S(make.distinct(2, 3, 4), (0, 2), True)
    yield S(make.distinct(4, 3).T, 1).named("transposed")
    yield S(make.special()).named("special").without("grad")
    yield S(make(0, 3), 0).named("empty dim")


@samples("torch.max", "torch.min")
def extreme_or_pair(make):
    yield S(make.distinct(3, 4))
    yield S(make.distinct(3, 4), 1)
    yield S(make.distinct(2, 3, 4), -2, True)
    yield S(make.distinct(3, 4), make.distinct(4)).named("pairwise")
    yield S(make()).named("0-d")
    yield S(make(0, 3)).named("empty")


@samples("torch.argmax", "torch.argmin")
def position(make):
    yield S(make.distinct(3, 4))
    yield S(make.distinct(3, 4), 1)
    yield S(make.distinct(2, 3, 4), 0, True)
    yield S(make.special()).named("special")
    yield S(make(0, 3)).named("empty")


@samples("torch.aminmax")
def aminmax(make):
    yield S(make.distinct(3, 4))
    yield S(make.distinct(3, 4), dim=1)
    yield S(make.distinct(3, 4), dim=0, keepdim=True)


@samples("torch.var", "torch.std", "torch.var_mean", "torch.std_mean")
def moment(make):
    yield S(make(3, 4))
    yield S(make(2, 3, 4), 1)
    yield S(make(2, 3, 4), (0, 2), keepdim=True)
    yield S(make(3, 4), 0, correction=0)
    yield S(make(5), False).named("biased")
    yield S(make(1)).named("one element").without("grad")


@samples("torch.logsumexp", "torch.special.logsumexp")
def logsumexp(make):
    yield S(make(3, 4), 1)
    yield S(make(2, 3, 4), (0, 2), True)
    yield S(make(3, 4) * 100, 0).named("large")
    yield S(make(), 0).named("0-d")


@samples("Tensor.sum_to_size")
def sum_to_size(make):
    yield S(make(2, 3, 4), (3, 1))
    yield S(make(2, 3), 2, 3)


@samples("torch.cumsum", "torch.cumprod", "torch.logcumsumexp")
def running(make):
    yield S(make(3, 4), 1)
    yield S(make(2, 3, 4), -2)
    yield S(make(4, 3).T, 0).named("transposed")
    yield S(make(), 0).named("0-d").without("inplace")
    yield S(make(0, 3), 0).named("empty").without("inplace")


@samples("torch.cumprod")
def cumprod(make):
    yield from running(make)
    yield S(make(5) * np.array([1, 0, 1, 0, 1]).astype(make(1).dtype), 0).named("zeros")


@samples("torch.cummax", "torch.cummin")
def running_extreme(make):
    yield S(make.distinct(3, 4), 1)
    yield S(make.distinct(2, 3, 4), 0)
    yield S(make(), 0).named("0-d")
    yield S(make(0, 3), 0).named("empty")


@samples("torch.diff")
def diff(make):
    yield S(make(5))
    yield S(make(3, 4), 2, 0)
    yield S(make(3, 4), prepend=make(3, 1), append=make(3, 2))
    yield S(make(3), n=5).named("more than there is")


@samples("torch.trapezoid", "torch.trapz", "torch.cumulative_trapezoid")
def trapezoid(make):
    yield S(make(3, 5))
    yield S(make(3, 5), dx=0.5, dim=0)
    yield S(make(3, 5), make(5))
    yield S(make(3, 5), make(3, 5), dim=-1)


@samples("torch.gradient")
def gradient(make):
    yield S(make(5))
    yield S(make(4, 5), spacing=2.0, dim=1, edge_order=2)
    yield S(make(4, 5), spacing=[make.distinct(4), make.distinct(5)])


@samples("torch.median", "torch.nanmedian")
def median(make):
    yield S(make.distinct(9))
    yield S(make.distinct(3, 4), 1)
    yield S(make.distinct(2, 3, 5), -2, True)
    yield S(make()).named("0-d")


@samples("torch.quantile", "torch.nanquantile")
def quantile(make):
    yield S(make.distinct(7), 0.3)
    yield S(make.distinct(3, 4), np.array([0.0, 0.25, 1.0]).astype(make(1).dtype), 1)
    yield S(make.distinct(3, 4), 0.6, 0, True, interpolation="lower")
    yield S(make.distinct(3, 4), 0.6, 0, interpolation="midpoint")
    yield S(make.distinct(5), 0.35, interpolation="nearest")


@samples("torch.cov")
def cov(make):
    yield S(make(3, 5))
    yield S(make(5), correction=0)
    yield S(make(2, 4), fweights=make.ints(4, low=1, high=4))


@samples("torch.corrcoef")
def corrcoef(make):
    yield S(make(3, 5))
    yield S(make(4))


# ---- norms and distances -------------------------------------------------------------------------------------------


@samples("torch.linalg.vector_norm")
def vector_norm(make):
    yield S(make(3, 4))
    for ord in (0, 1, 3, 0.5, math.inf, -math.inf):
        yield S(make(3, 4), ord, 1)
    yield S(make(2, 3, 4), 2, (0, 2), True)
    yield S(np.zeros_like(make(3))).named("zero").without("grad")


@samples("torch.linalg.matrix_norm")
def matrix_norm(make):
    for ord in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        yield S(make(3, 4), ord)
    yield S(make(2, 3, 4), 1, (0, 2), True)


@samples("torch.linalg.norm")
def linalg_norm(make):
    yield S(make(2, 3, 4))
    yield S(make(3, 4), "nuc")
    yield S(make(3), 3)
    yield S(make(2, 3), 1, 0)


@samples("torch.norm")
def norm(make):
    yield S(make(3, 4))
    yield S(make(3, 4), 1)
    yield S(make(3, 4), "fro", 1, True)
    yield S(make(3, 4), math.inf, 0)


@samples("torch.frobenius_norm")
def frobenius_norm(make):
    yield S(make(3, 4), (0, 1))
    yield S(make(3, 4), 1, True)


@samples("torch.dist")
def dist(make):
    yield S(make(3, 4), make(4))
    yield S(make(5), make(5), 1)


@samples("torch.cdist")
def cdist(make):
    yield S(make(4, 3), make(5, 3))
    yield S(make(2, 4, 3), make(5, 3), 1.0)
    yield S(make(30, 3), make(28, 3)).named("by products")
    yield S(make(4, 3), make(5, 3), math.inf)


@samples("torch.pdist", "torch.nn.functional.pdist")
def pdist(make):
    yield S(make(4, 3))
    yield S(make(4, 3), 1.0)


@samples("torch.renorm")
def renorm(make):
    yield S(make(3, 4), 2, 0, 1.5)
    yield S(make(2, 3, 4), 1, -1, 2.0)
