"""Samples of sorting, searching, unique values and counting."""

from __future__ import annotations

import numpy as np

from torsh_conformance.sample import S, samples


@samples("torch.sort", "Tensor.sort")
def sort(make):
    yield S(make(3, 4))
    yield S(make(5), 0, True).named("descending")
    yield S(make(2, 3, 4), dim=1, stable=True)
    yield S(make(4, 3).T, dim=0).named("transposed")
    yield S(make(300), stable=True).named("long")
    yield S(make()).named("0-d")
    yield S(make(0, 3), 0).named("empty")
    yield S(make.special()).named("special")


@samples("torch.argsort", "Tensor.argsort")
def argsort(make):
    yield S(make(3, 4), stable=True)
    yield S(make(5), 0, True)
    yield S(make(200), descending=True, stable=True).named("long")
    yield S(make()).named("0-d")
    yield S(make(0, 3), 0).named("empty")


@samples("torch.msort", "Tensor.msort")
def msort(make):
    yield S(make(3, 4))
    yield S(make(5))
    yield S(make(0, 3)).named("empty")


@samples("torch.topk", "Tensor.topk")
def topk(make):
    yield S(make.distinct(3, 4), 2)
    yield S(make.distinct(5), 3, 0, False)
    yield S(make.distinct(4, 3).T, 2, dim=0).named("transposed")
    yield S(make.distinct(100), 3).named("long")
    yield S(make(), 1).named("0-d")
    yield S(make.distinct(3, 4), 0).named("none")


@samples("torch.kthvalue", "Tensor.kthvalue")
def kthvalue(make):
    yield S(make.distinct(3, 4), 2)
    yield S(make.distinct(5), 1, 0, True)
    yield S(make.distinct(4, 3).T, 2, 0).named("transposed")
    yield S(make(), 1).named("0-d")


def ascending(make, *shape):
    return np.sort(make(*shape), -1)


@samples("torch.searchsorted")
def searchsorted(make):
    yield S(ascending(make, 5), make(3, 4))
    yield S(ascending(make, 2, 5), make(2, 3), right=True)
    yield S(ascending(make, 5), 1, side="right").named("number")
    yield S(ascending(make, 5), make(4), out_int32=True)
    yield S(np.array([3, 1, 2], make(1).dtype), make(4), sorter=np.array([1, 2, 0])).named("sorter")
    yield S(ascending(make, 0), make(3)).named("empty")


@samples("torch.bucketize")
def bucketize(make):
    yield S(make(3, 4), ascending(make, 5))
    yield S(make(3, 4), ascending(make, 5), right=True, out_int32=True)
    yield S(make(), ascending(make, 3)).named("0-d")


@samples("torch.unique", "Tensor.unique")
def unique(make):
    yield S(make.ints(3, 4, high=5))
    yield S(make(3, 4), return_inverse=True, return_counts=True)
    yield S(make.ints(6, 2, high=2), dim=0, return_inverse=True, return_counts=True).named("rows")
    yield S(make.ints(2, 6, high=2), dim=1).named("columns")
    yield S(make(0), return_counts=True).named("empty")


@samples("torch.unique_consecutive", "Tensor.unique_consecutive")
def unique_consecutive(make):
    yield S(make.ints(12, high=3), return_inverse=True, return_counts=True)
    yield S(make.ints(3, 4, high=2))
    yield S(make.ints(8, 2, high=2), dim=0, return_counts=True).named("rows")


@samples("torch.isin")
def isin(make):
    yield S(make.ints(3, 4), make.ints(5))
    yield S(make.ints(3, 4), 3).named("number")
    yield S(2, make.ints(5), invert=True).named("number")
    yield S(make(4), make(0)).named("empty")


@samples("torch.bincount", "Tensor.bincount")
def bincount(make):
    yield S(make.ints(10))
    yield S(make.ints(10, high=3), minlength=6)
    yield S(make.ints(10, high=3), make(10)).named("weights")
    yield S(make.ints(0)).named("empty")


@samples("torch.histc", "Tensor.histc")
def histc(make):
    yield S(make(20), 5, -2, 2)
    yield S(make(4, 5), 5)
    yield S(make(0), 3).named("empty")


@samples("torch.histogram", "Tensor.histogram")
def histogram(make):
    yield S(make(20), 5)
    yield S(make(20), 4, range=(-1.0, 1.0), density=True)
    yield S(make(20), ascending(make, 4), weight=make(20, low=0, high=1))


@samples("torch.histogramdd")
def histogramdd(make):
    yield S(make(20, 2), [3, 4])
    yield S(make(20, 2), [3, 2], range=[-1.0, 1.0, -2.0, 2.0], density=True)
    yield S(make(20, 1), [ascending(make, 4)], weight=make(20, low=0, high=1))
