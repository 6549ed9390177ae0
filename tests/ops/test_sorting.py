"""Sorting, searching, unique values and histograms against PyTorch: values, dtypes and errors of expressions."""

from __future__ import annotations

import numpy as np
import pytest
from expressions import answer

import torsh

torch = pytest.importorskip("torch")

EXPRESSIONS = [
    "m.sort(I([3,1,2.]))", "m.sort(I([1,nan,0.]),descending=True)", "I([1,1,0.,-0.]).sort(descending=True)",
    "m.sort(I([1j]))", "m.sort(x,True)", "m.sort(x,0,True)", "m.sort(x,stable=True,dim=0,descending=True)",
    "m.sort(I(1.))", "m.sort(x,5)", "m.sort(I([True,False]))", "x.argsort(0,True)", "m.argsort(x,stable=True)",
    "m.msort(x)", "m.topk(x,2)", "m.topk(x,5)", "m.topk(x,-1)", "m.topk(x,0)", "x.topk(2,0,False)",
    "m.topk(I(1.),1)", "m.topk(I([1,nan,3]),2)", "m.topk(I([1,nan,3]),2,largest=False)", "m.topk(I([1j]),1)",
    "m.topk(I([True,False]),1)", "m.kthvalue(x,2)", "m.kthvalue(x,9)", "m.kthvalue(x,0)", "m.kthvalue(x,1,0,True)",
    "m.kthvalue(I(1.),1)", "m.kthvalue(m.zeros(0,3),1,0)", "m.searchsorted(I([1,3,5]),3)",
    "m.searchsorted(I([1,3,5]),I([3,9]),right=True)", "m.searchsorted(I([1,3,5]),I([3,9]),side='right')",
    "m.searchsorted(I([1,3,5]),I([3,9]),side='foo')", "m.searchsorted(I([1,3,5]),I([3,9]),side='left',right=True)",
    "m.searchsorted(I([1,3,5]),I([3.,9]))", "m.searchsorted(x,x[:2])", "m.searchsorted(x,x)",
    "m.searchsorted(I([5,1,3]),I([3]),sorter=I([1,2,0]))", "m.searchsorted(I([5,1,3]),I([3]),sorter=I([1,2]))",
    "m.searchsorted(I([5,1,3]),I([3]),sorter=I([1.,2,0]))", "m.searchsorted(I([1,3]),I([3]),out_int32=True)",
    "m.searchsorted(I(1),I([3]))", "m.searchsorted(I([1.,3]),nan)", "m.bucketize(I([1,2.]),I([0,1,2.]))",
    "m.bucketize(3,I([1,5]))", "m.bucketize(I([[3]]),I([1,5]),right=True,out_int32=True)", "m.bucketize(x,x)",
    "m.searchsorted(I([1j]),I([1j]))", "m.searchsorted(I([5,1,3]),I([3]),sorter=I([1,2,9]))",
    "m.unique(I([3,1,3]))", "m.unique(I([3,1,3]),return_inverse=True,return_counts=True)",
    "m.unique(I([3,1,3]),return_counts=True)",
    "m.unique(I([[3,1],[3,1]]),dim=0,return_inverse=True,return_counts=True)", "m.unique(I([nan,nan]))",
    "m.unique(I([3,1,2,5,4]),sorted=False)", "m.unique(I([3.,1,2,5,4]),sorted=False,return_inverse=True)",
    "m.unique(I([1j]))", "m.unique(I([[3,1],[2,1]]),dim=1)", "m.unique(m.zeros(0))", "m.unique(m.zeros(0,2),dim=0)",
    "m.unique(m.zeros(2,0),dim=0)", "m.unique(x,dim=5)", "I([3,1]).unique(True,True)",
    "m.unique_consecutive(I([1,1,2,1]),True,True)", "m.unique_consecutive(I([1,1,2,1]))",
    "m.unique_consecutive(I([[1,1],[1,1],[2,1]]),dim=0,return_counts=True)", "m.unique_consecutive(I([nan,nan]))",
    "m.unique(I([True,False]))", "m.isin(I([1,2]),I([2]))", "m.isin(1,I([2]))", "m.isin(I([1,2]),2,invert=True)",
    "m.isin(1,2)", "m.isin(I([1.,2]),I([2]))", "m.isin(I([1j]),I([2]))", "m.isin(I([nan]),I([nan]))",
    "m.bincount(I([1,1,3]))", "m.bincount(I([1,1]),I([.5,1]))", "m.bincount(I([1,1]),I([1,2]))",
    "m.bincount(I([1]),minlength=4)", "m.bincount(I([-1]))", "m.bincount(I([1.]))", "m.bincount(I([[1]]))",
    "m.bincount(I([1]),I([1.,2]))", "m.bincount(I([1]),minlength=-1)",
    "m.bincount(m.zeros(0,dtype=m.long),minlength=2)", "m.bincount(I([1],dtype=m.uint8),I([1],dtype=m.half))",
    "m.bincount(I([True]))", "m.histc(I([1,2,1.]),4,0,3)", "m.histc(I([1,2,1.]),4)", "m.histc(I([1,1.]),4)",
    "m.histc(I([1,2]))", "m.histc(I([1.,float('inf')]),3)", "m.histc(I([1.]),0)", "m.histc(I([1.]),3,2,1)",
    "m.histc(I([1.,nan]),3,0,2)", "m.histc(m.zeros(0),3)", "m.histc(I([1.]).half(),3)",
    "m.histogram(I([1.,2,1]),4,range=(0.,3.))", "m.histogram(I([1.,2,1]),4)",
    "m.histogram(I([1.,2,1]),I([0.,1,2]))",
    "m.histogram(I([1.,2,1]),4,range=(0.,3.),weight=I([1.,2,4]),density=True)", "m.histogram(I([1,2]),4)",
    "m.histogram(I([1.]),0)", "m.histogram(I([1.]),2,range=(3.,1.))", "m.histogram(I([1.,nan]),2)",
    "m.histogram(I([1.,1]),2)", "m.histogram(I([1.,1]),2,weight=I([1.]))",
    "m.histogramdd(I([[0.,1],[1,0],[2,1],[2,2]]),[3,3],weight=I([1.,2,4,8]))",
    "m.histogramdd(I([[0.,0],[1,1],[2,2]]),[2,2],range=[0.,1,0,1],density=True)",
    "m.histogramdd(I([[0.,0],[1,1],[2,2]]),3)", "m.histogramdd(I([[0.,0],[1,1],[2,2]]),[I([0.,1]),I([0.,1,2])])",
    "m.histogram(I([1.,2]),I([0.,1]).double())",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression):
    assert answer(expression, torsh) == answer(expression, torch)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64", "bool"]
)
def test_long_sort(dtype, descending):
    """Every way of sorting is stable and puts NaN last (first when descending)."""
    rng = np.random.default_rng(0)
    for n in (100, 3000):
        values = rng.integers(-100, 100, (2, n)).astype(np.float64)
        if dtype in ("uint8", "bool"):
            values = np.abs(values)
        if "float" in dtype:
            values[values > 90] = np.nan
            values[values == 0] *= -1.0
        outs = []
        for m in (torsh, torch):
            x = m.tensor(values).to(getattr(m, dtype))
            found = [x.sort(stable=True, descending=descending), x.t().sort(dim=0, stable=True, descending=descending)]
            outs.append([(f.values.to(m.float64).numpy(), f.indices.numpy()) for f in found])
        for ours, theirs in zip(*outs, strict=True):
            np.testing.assert_array_equal(ours[1], theirs[1])
            np.testing.assert_array_equal(ours[0], theirs[0])


def test_wide_integers():
    """Integers too far apart for 32-bit keys."""
    values = np.array([2**62, -(2**62), 5, 0, -1] * 400)
    ours, theirs = (m.tensor(values).sort(stable=True) for m in (torsh, torch))
    np.testing.assert_array_equal(ours.indices.numpy(), theirs.indices.numpy())
    np.testing.assert_array_equal(
        torsh.tensor(values).unique(return_inverse=True)[1].numpy(),
        torch.tensor(values).unique(return_inverse=True)[1].numpy(),
    )


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("shape", [(50, 4000), (200, 700), (3, 100)])
def test_topk(shape, largest):
    rng = np.random.default_rng(1)
    values = rng.permutation(np.prod(shape)).reshape(shape).astype(np.float32)
    values[:, 3] = np.nan
    for k in (1, 5, 60):
        ours, theirs = (m.tensor(values).topk(k, largest=largest) for m in (torsh, torch))
        np.testing.assert_array_equal(ours.values.numpy(), theirs.values.numpy())
        np.testing.assert_array_equal(ours.indices.numpy(), theirs.indices.numpy())


def _rows(kind, n):
    rng = np.random.default_rng(n)
    if kind == "few":
        return rng.integers(0, 3, (4, n))
    if kind == "floats":
        return np.where(rng.random((4, n)) < 0.1, np.nan, rng.integers(0, n // 4 + 1, (4, n)).astype(np.float32))
    rising = np.sort(rng.integers(0, n // 2 + 1, (4, n)), -1)
    return rising if kind == "rising" else np.concatenate([rising, rising[:, ::-1]], -1)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("kind", ["few", "floats", "rising", "pipes"])
def test_topk_takes_pytorchs_of_equal_values(kind, largest, ordered):
    """By selection and by a heap (k * 64 <= n), also where quickselect goes wrong."""
    for n in (2, 5, 17, 64, 200, 3000):
        values = np.ascontiguousarray(_rows(kind, n))
        for k in {1, 2, n // 70 + 1, n // 2, n}:
            ours, theirs = (m.tensor(values).topk(k, largest=largest, sorted=ordered) for m in (torsh, torch))
            np.testing.assert_array_equal(ours.values.numpy(), theirs.values.numpy())
            np.testing.assert_array_equal(ours.indices.numpy(), theirs.indices.numpy())


def test_unique_by_counting():
    """Integers of which only few are possible are counted instead of sorted."""
    rng = np.random.default_rng(2)
    for dtype in (np.int64, np.int8, np.uint8, np.int32):
        values = rng.integers(0, 100, (60, 50)).astype(dtype) - dtype(0 if dtype is np.uint8 else 50)
        if dtype is np.int8:
            values.flat[:2] = [-128, 127]
        ours, theirs = (m.tensor(values).unique(return_inverse=True, return_counts=True) for m in (torsh, torch))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_histogram_of_many():
    """The quick way to equal bins puts values at the edges where PyTorch puts them."""
    values = np.concatenate([np.linspace(0, 1, 2001), np.repeat(np.linspace(0, 1, 21), 50), [-1, 2, np.nan]]).astype(
        np.float32
    )
    for call in (
        lambda m, x: m.histogram(x, 20, range=(0.0, 1.0)).hist,
        lambda m, x: m.histogram(x, m.linspace(0, 1, 21)).hist,
        lambda m, x: m.histogram(x, m.tensor([0.0, 0.1, 0.5, 0.9, 1.0, 5.0])).hist,
        lambda m, x: m.histc(x, 20, 0, 1),
    ):
        np.testing.assert_array_equal(
            call(torsh, torsh.tensor(values)).numpy(), call(torch, torch.tensor(values)).numpy()
        )
