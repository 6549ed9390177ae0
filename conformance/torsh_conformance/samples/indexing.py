"""Samples of indexing with square brackets and of what finds elements."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("Tensor.__getitem__")
def getitem(make):
    yield S(make(3, 4), 1)
    yield S(make(3, 4), (slice(None), -1))
    yield S(make(3, 4), slice(0, 3, 2)).named("step")
    yield S(make(3, 4), (None, ..., 0))
    yield S(make(4, 3).T, (slice(1, None), slice(None, 2))).named("transposed")
    yield S(make(3, 4), make.ints(2, 2, low=-3, high=3)).named("index tensor")
    yield S(make(3, 4, 2), (make.ints(2, high=3), slice(None), make.ints(2, high=2))).named("apart")
    yield S(make(2, 3, 4), (0, slice(None), make.ints(2, high=4))).named("int and index tensor")
    yield S(make(3, 4), make.bools(3, 4)).named("mask")
    yield S(make(3, 4), (slice(None), make.bools(4))).named("mask of one dimension")
    yield S(make(3, 4), ([0, 2], [1, 1])).named("lists")
    yield S(make(0, 3), make.ints(0)).named("empty")
    yield S(make(), None).named("0-d")
    yield S(make(), ...).named("0-d")


@samples("torch.index_put", "Tensor.index_put")
def index_put(make):
    yield S(make(3, 4), (make.ints(2, high=3),), make(4)).named("broadcast")
    yield S(make(3, 4), (make.ints(5, high=3), make.ints(5, high=4)), make(5), True).named("accumulate")
    yield S(make(3, 4), (make.bools(3, 4),), make())
    yield S(make(4, 3).T, (make.ints(2, 1, high=3),), make(), True).named("transposed")
    yield S(make(3), (make.ints(0),), make(0)).named("empty")


@samples("torch.nonzero", "Tensor.nonzero")
def nonzero(make):
    yield S(make(3, 4))
    yield S(make())
    yield S(make(0, 3))
    yield S(make.bools(4, 3).T)
    yield S(make(2, 3), as_tuple=True).without("out")


@samples("torch.argwhere", "Tensor.argwhere")
def argwhere(make):
    yield S(make(3, 4))
    yield S(make())
    yield S(make(0, 3))
