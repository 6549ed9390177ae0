"""Gathering, scattering and masks against PyTorch: values, dtypes and errors of expressions."""

from __future__ import annotations

import numpy as np
import pytest
from expressions import answer

import torsh

torch = pytest.importorskip("torch")

EXPRESSIONS = [
    "x.gather(2,I([[0]]))", "x.gather(0,I([0]))", "x.gather(0,I([[5]]))", "x.gather(0,I([[-1]]))",
    "x.gather(0,I([[0]],dtype=m.int16))", "x.gather(0,I([[0]],dtype=m.int32))",
    "x.gather(0,m.zeros(2,5,dtype=m.long))", "x.gather(1,m.zeros(5,2,dtype=m.long))", "I(3.).gather(0,I([0,0]))",
    "I(3.).gather(0,I(0))", "x.gather(0,I([],dtype=m.long))", "x.scatter(0,I([[0]]),2)", "x.scatter(0,I([[0]]),2j)",
    "x.scatter(0,I([[5]]),2)", "x.scatter(0,I([[0]]),m.ones(1,1,dtype=m.int32))",
    "x.scatter(0,I([[0]]),m.ones(0,1))", "x.scatter(0,I([[0,1]]),m.ones(1,2),reduce='add')",
    "x.scatter(0,I([[0,1]]),m.ones(1,2),reduce='foo')", "x.scatter(0,I([[0,1]]),3,reduce='multiply')",
    "x.scatter_add(0,I([[0]]),2)", "x.scatter_reduce(0,I([[0]]),m.ones(1,1),'foo')",
    "x.scatter_reduce(0,I([[0]]),m.ones(1,1))", "x.scatter_reduce(0,I([[0,0],[0,0]]),m.ones(2,2)*3,'mean')",
    "x.scatter_reduce(0,I([[0,0],[0,0]]),m.ones(2,2)*3,'mean',include_self=False)",
    "x.int().scatter_reduce(0,I([[0,0],[0,0]]),m.ones(2,2).int()*4,'mean')", "x.index_select(0,I([5]))",
    "x.index_select(0,I([-1]))", "x.index_select(0,I([[0]]))", "x.index_select(0,I([0],dtype=m.int16))",
    "x.index_select(0,I(1))", "I(2.).index_select(0,I([0]))", "I(2.).index_select(0,I([0,0]))",
    "x.index_add(0,I([0]),m.ones(1,3))", "x.index_add(0,I([0,1]),m.ones(1,4))", "x.index_add(0,I([7]),m.ones(1,4))",
    "x.index_add(0,I([-1]),m.ones(1,4))", "x.index_add(0,I([0]),m.ones(1,4).int())",
    "x.index_add(0,I([0]),m.ones(1,4),alpha=2)", "x.int().index_add(0,I([0]),m.ones(1,4).int(),alpha=2.5)",
    "x.index_copy(0,I([0]),m.ones(1,3))", "x.index_copy(0,I([-1]),m.ones(1,4))",
    "x.index_copy(0,I([9]),m.ones(1,4))", "x.index_copy(0,I([0]),m.ones(1,4).int())",
    "x.index_copy(0,I(0),m.ones(4))", "x.index_copy(0,I([0],dtype=m.int32),m.ones(1,4))",
    "x.index_fill(0,I([0]),2)", "x.index_fill(0,I([-1]),2)", "x.index_fill(0,I([9]),2)",
    "x.index_fill(0,I([0]),m.ones(2))", "x.index_fill(0,I([0]),I(2))", "x.index_fill(0,I([0]),2j)",
    "x.index_fill(0,I(0),1)", "x.index_fill(0,I([[0]]),1)", "x.index_fill(0,I([0],dtype=m.int32),1)",
    "x.index_reduce(0,I([0,0]),m.ones(2,4)*2,'prod')", "x.index_reduce(0,I([0,0]),m.ones(2,4)*2,'mean')",
    "x.index_reduce(0,I([0,0]),m.ones(2,4)*2,'amin')", "x.index_reduce(0,I([0,0]),m.ones(2,4)*2,'sum')",
    "x.index_reduce(0,I([9,0]),m.ones(2,4)*2,'prod')", "x.index_reduce(0,I([-1,0]),m.ones(2,4)*2,'prod')",
    "x.masked_fill(x>3,2)", "x.masked_fill(x,2)", "x.masked_fill(x>3,m.ones(2))", "x.masked_fill(x>3,I(2j))",
    "x.masked_fill(x>3,2j)", "x.int().masked_fill(x>3,2.5)", "x.masked_fill(m.ones(2,dtype=m.bool),1)",
    "x[0].masked_fill(x>3,2).shape", "x[0].clone().masked_fill_(x>3,2).shape", "x.masked_fill((x>3).byte(),2)",
    "x.masked_fill(x>3,I(2,dtype=m.float64)).dtype", "x.masked_select(x>9)", "x.masked_select(x)",
    "x.masked_select(m.ones(2,dtype=m.bool))", "x.masked_select((x>9).byte())", "x[0].masked_select(x>9)",
    "x.masked_scatter(x>9,m.ones(2))", "x.masked_scatter(x>9,m.ones(3))", "x.masked_scatter(x>9,m.ones(1))",
    "x.masked_scatter(x>9,m.ones(2).int())", "x.masked_scatter(x,m.ones(12))",
    "x.masked_scatter((x>9).byte(),m.ones(12))", "x.take(I([0,-1]))", "x.take(I([12]))",
    "x.take(I([0],dtype=m.int32))", "m.zeros(0).take(I([0]))", "m.take_along_dim(x,I([1]))",
    "m.take_along_dim(x,I([[1]]),1)", "m.take_along_dim(x,I([1]),1)", "m.take_along_dim(x,I([[9]]),1)",
    "m.take_along_dim(x,I([[1]],dtype=m.int32),1)", "m.take_along_dim(x,I([[-1]]),1)",
    "x.clone().put_(I([0,-1]),m.ones(2))", "x.clone().put_(I([0,0]),m.ones(2),accumulate=True)",
    "x.clone().put_(I([0]),m.ones(2))", "x.clone().put_(I([99]),m.ones(1))",
    "x.clone().put_(I([0]),m.ones(1).int())", "x.put(I([1]),I([7.]))", "m.put(x,I([1]),I([7.]))",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression):
    assert answer(expression, torsh) == answer(expression, torch)


def test_in_place_writes_into_the_tensor():
    """In-place forms write into the memory they are given (a view too) and count as writes."""
    index = [[0, 1, 0, 2]]
    for write in (
        lambda m, y: y.scatter_(0, m.tensor(index), m.ones(1, 4)),
        lambda m, y: y.scatter_add_(0, m.tensor(index), m.ones(1, 4)),
        lambda m, y: y.scatter_reduce_(0, m.tensor(index), m.ones(1, 4) * 5, "amax"),
        lambda m, y: y.index_add_(0, m.tensor([2, 2]), m.ones(2, 4)),
        lambda m, y: y.index_copy_(0, m.tensor([2]), m.ones(1, 4)),
        lambda m, y: y.index_fill_(1, m.tensor([2, 0]), 7),
        lambda m, y: y.index_put_((m.tensor([2, 2]), m.tensor([1, 1])), m.ones(2), accumulate=True),
        lambda m, y: y.masked_fill_(y > 1, 9),
        lambda m, y: y.masked_scatter_(y > 1, m.arange(12.0)),
        lambda m, y: y.put_(m.tensor([0, 5]), m.ones(2)),
    ):
        outs = []
        for m in (torsh, torch):
            base = m.arange(24.0).reshape(4, 6).to(m.float32)
            view = base.t()[:3]  # not contiguous
            assert write(m, view) is view
            assert base._version == view._version == 1
            outs.append(base)
        np.testing.assert_array_equal(outs[0].numpy(), outs[1].numpy())


def test_out_must_fit():
    """These ops, unlike most, want ``out`` of exactly the result's dtype, and apart from the inputs in memory."""
    index = torsh.zeros(3, 4, dtype=torsh.int64)
    for call in (
        lambda x, out: torsh.gather(x, 0, index, out=out),
        lambda x, out: torsh.scatter_add(x, 0, index, x, out=out),
        lambda x, out: torsh.index_select(x, 0, index[0, :3], out=out),
        lambda x, out: torsh.masked_select(x, x > -1, out=out),
        lambda x, out: torsh.take(x, index, out=out),
    ):
        x = torsh.ones(3, 4)
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got double instead"):
            call(x, torsh.empty(0, dtype=torsh.float64))
        with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor"):
            call(x, x)
        with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor"):
            call(x, x[1:])
        out = torsh.empty(0)
        assert call(x, out) is out


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int16", "bool", "complex64", "float16", "bfloat16"])
def test_large(dtype):
    """The compiled loops that serve large arrays."""
    rng = np.random.default_rng(0)
    index, rows = rng.integers(0, 400, (400, 400)), rng.integers(0, 400, 900)
    values, more = rng.integers(0, 2, (400, 400)), rng.integers(0, 2, (900, 400))
    order = np.argsort(rng.random((400, 400)), 1)
    outs = []
    for m in (torsh, torch):
        d = getattr(m, dtype)
        x, s, i = m.tensor(values).to(d), m.tensor(more).to(d), m.tensor(index)
        found = [x.gather(0, i), x.gather(1, i), x.scatter(1, m.tensor(order), x), x.scatter(1, i, 1)]
        if dtype not in ("float16", "bfloat16"):  # their sums depend on the order
            found += [x.scatter_add(1, i, x), x.scatter_add(0, i, x), x.index_add(0, m.tensor(rows), s)]
            found.append(x.index_put((m.tensor(rows),), s, accumulate=True))
        outs.append([f.to(m.complex64 if dtype == "complex64" else m.float32).numpy() for f in found])
    for a, b in zip(*outs, strict=True):
        np.testing.assert_array_equal(a, b)
    bad = torsh.tensor(np.where(index == 7, 400, index))
    with pytest.raises(RuntimeError, match="index 400 is out of bounds for dimension 1 with size 400"):
        torsh.tensor(values).gather(1, bad)
    with pytest.raises(RuntimeError, match="index 400 is out of bounds for dimension 0 with size 400"):
        torsh.tensor(values).scatter_add_(0, bad, torsh.tensor(values))
