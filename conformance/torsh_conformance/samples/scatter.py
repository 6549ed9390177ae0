"""Samples of gathering, scattering and masks."""

from __future__ import annotations

import numpy as np

from torsh_conformance.sample import S, samples


@samples("torch.gather", "Tensor.gather")
def gather(make):
    yield S(make(3, 4), 1, make.ints(3, 2, high=4))
    yield S(make(3, 4), 0, make.ints(2, 3, high=3)).named("smaller index")
    yield S(make(5), 0, make.ints(2, high=5))
    yield S(make(4, 3).T, -1, make.ints(3, 6, high=4)).named("transposed")
    yield S(make(2, 3, 4), 1, make.ints(2, 5, 4, high=3))
    yield S(make(), 0, make.ints(2, high=1)).named("0-d")
    yield S(make(3, 4), 1, make.ints(3, 0)).named("empty")


def distinct(make, n, k):
    """k different integers below n: where two values go to one place, which stays is not defined."""
    return np.argsort(make.ints(n, high=1000), kind="stable")[:k]


@samples("torch.scatter", "Tensor.scatter")
def scatter(make):
    yield S(make(3, 4), 1, np.stack([distinct(make, 4, 2) for _ in range(3)]), make(3, 2))
    yield S(make(5), 0, distinct(make, 5, 3), make(4)).named("longer source")
    yield S(make(4, 3).T, 0, make.ints(2, 4, high=3), 2).named("number")
    yield S(make(3, 4), 0, make.ints(1, 4, high=3), make(1, 4), reduce="add").without("grad").named("add")
    yield S(make(3, 4), 0, make.ints(1, 4, high=3), make(1, 4), reduce="multiply").without("grad").named("multiply")
    yield S(make(3, 4), 1, make.ints(3, 0), make(3, 0)).named("empty")


@samples("torch.scatter_add", "Tensor.scatter_add")
def scatter_add(make):
    yield S(make(3, 4), 1, make.ints(3, 6, high=4), make(3, 6))
    yield S(make(3, 4), 0, make.ints(5, 2, high=3), make(6, 3)).named("larger source")
    yield S(make(5), 0, make.ints(9, high=5), make(9))
    yield S(make(4, 3).T, 0, make.ints(2, 4, high=3), make(4, 2).T).named("transposed")
    yield S(make(3, 4), 1, make.ints(3, 0), make(3, 0)).named("empty")
    yield S(make(), 0, make.ints(1, high=1).reshape(()), make()).named("0-d")


@samples("torch.scatter_reduce", "Tensor.scatter_reduce")
def scatter_reduce(make):
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for include in (True, False):
            yield S(make(3, 4), 1, make.ints(3, 5, high=4), make(3, 5), reduce, include_self=include).named(reduce)


@samples("torch.index_select", "Tensor.index_select")
def index_select(make):
    yield S(make(3, 4), 0, make.ints(5, high=3))
    yield S(make(2, 3, 4), -1, make.ints(2, high=4))
    yield S(make(4, 3).T, 1, make.ints(2, high=4)).named("transposed")
    yield S(make(3, 4), 1, make.ints(0)).named("empty")
    yield S(make(), 0, make.ints(1, high=1)).named("0-d")
    yield S(make(3), 0, make.ints(4, high=3, dtype="int32")).named("int32")


@samples("torch.index_add", "Tensor.index_add")
def index_add(make):
    yield S(make(3, 4), 0, make.ints(5, high=3), make(5, 4))
    yield S(make(3, 4), 1, make.ints(2, high=4), make(3, 2), alpha=2)
    yield S(make(6), 0, make.ints(9, high=6), make(9))
    yield S(make(3, 20), 0, make.ints(7, high=3), make(7, 20)).named("wide")
    yield S(make(3, 4), 0, make.ints(0), make(0, 4)).named("empty")


@samples("torch.index_copy", "Tensor.index_copy")
def index_copy(make):
    yield S(make(3, 4), 0, distinct(make, 3, 2), make(2, 4))
    yield S(make(4, 3).T, 1, distinct(make, 4, 2), make(3, 2)).named("transposed")
    yield S(make(3), 0, distinct(make, 3, 1), make(1))
    yield S(make(3, 4), 0, make.ints(0), make(0, 4)).named("empty")


@samples("torch.index_fill", "Tensor.index_fill")
def index_fill(make):
    yield S(make(3, 4), 0, make.ints(2, high=3), 1)
    yield S(make(3, 4), 1, make.ints(2, low=-4, high=4), make()).named("tensor value")
    yield S(make(3, 4), 0, make.ints(0), 1).named("empty")


@samples("torch.index_reduce", "Tensor.index_reduce")
def index_reduce(make):
    for reduce in ("prod", "mean", "amax", "amin"):
        for include in (True, False):
            yield S(make(3, 4), 0, make.ints(5, high=3), make(5, 4), reduce, include_self=include).named(reduce)


@samples("torch.masked_fill", "Tensor.masked_fill")
def masked_fill(make):
    yield S(make(3, 4), make.bools(3, 4), 1)
    yield S(make(3, 4), make.bools(4), make()).named("tensor value")
    yield S(make(4), make.bools(3, 4), 0).without("inplace").named("broadcast")
    yield S(make(4, 3).T, make.bools(3, 1), 1).named("transposed")
    yield S(make(), make.bools(), 1).named("0-d")
    yield S(make(0, 3), make.bools(0, 3), 1).named("empty")


@samples("torch.masked_select", "Tensor.masked_select")
def masked_select(make):
    yield S(make(3, 4), make.bools(3, 4))
    yield S(make(3, 4), make.bools(4)).named("broadcast")
    yield S(make(4), make.bools(3, 1)).named("broadcast")
    yield S(make(), make.bools()).named("0-d")
    yield S(make(0, 3), make.bools(0, 3)).named("empty")


@samples("torch.masked_scatter", "Tensor.masked_scatter")
def masked_scatter(make):
    yield S(make(3, 4), make.bools(3, 4), make(12))
    yield S(make(3, 4), make.bools(4), make(4, 4)).named("broadcast")
    yield S(make(4, 3).T, make.bools(3, 4), make(3, 4)).named("transposed")


@samples("torch.take", "Tensor.take")
def take(make):
    yield S(make(3, 4), make.ints(5, low=-12, high=12))
    yield S(make(4, 3).T, make.ints(2, 2, high=12)).named("transposed")
    yield S(make(), make.ints(2, high=1)).named("0-d")
    yield S(make(3), make.ints(0)).named("empty")


@samples("torch.take_along_dim", "Tensor.take_along_dim")
def take_along_dim(make):
    yield S(make(3, 4), make.ints(3, 2, high=4), 1)
    yield S(make(3, 4), make.ints(1, 2, high=4), 1).named("broadcast")
    yield S(make(3, 4), make.ints(5, high=12)).named("flat")


@samples("torch.put", "Tensor.put")
def put(make):
    yield S(make(3, 4), distinct(make, 12, 5), make(5))
    yield S(make(3, 4), make.ints(5, low=-12, high=12), make(5), True).named("accumulate")
