"""Indexing with square brackets against PyTorch: random expressions, gradients, errors, node names."""

from __future__ import annotations

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import torsh

torch = pytest.importorskip("torch")


def both(array: np.ndarray) -> tuple:
    return torsh.tensor(array), torch.tensor(array)


@st.composite
def expressions(draw):
    """A shape and an index expression for it, with index tensors as NumPy arrays."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=1, max_size=4)))
    index: list = []
    d = 0
    dots = False
    length = draw(st.integers(1, 3))  # index tensors of one expression broadcast together
    while d < len(shape):
        n = shape[d]
        kind = draw(st.sampled_from(["stop", "int", "slice", "none", "dots", "tensor", "mask", "bool", "list"]))
        if kind == "stop":
            break
        if kind == "int" and n:
            index.append(draw(st.integers(-n, n - 1)))
            d += 1
        elif kind == "slice":
            bound = st.none() | st.integers(-5, 5)
            index.append(slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3))))
            d += 1
        elif kind == "none":
            index.append(None)
        elif kind == "dots" and not dots:
            dots = True
            index.append(...)
            break
        elif kind == "tensor" and n:
            form = draw(st.sampled_from([(), (length,), (1,), (2, length)]))
            size = int(np.prod(form))
            values = draw(st.lists(st.integers(-n, n - 1), min_size=size, max_size=size))
            index.append(np.array(values, draw(st.sampled_from([np.int64, np.int32]))).reshape(form))
            d += 1
        elif kind == "list" and n:
            index.append(draw(st.lists(st.integers(-n, n - 1), min_size=length, max_size=length)))
            d += 1
        elif kind == "mask" and not any(isinstance(i, (np.ndarray, list)) for i in index):
            k = draw(st.integers(1, min(2, len(shape) - d)))
            size = int(np.prod(shape[d : d + k]))
            values = draw(st.lists(st.booleans(), min_size=size, max_size=size))
            index.append(np.array(values, bool).reshape(shape[d : d + k]))
            d += k
            # index tensors next to a mask would have to have its count
            index.extend(slice(None) for _ in range(len(shape) - d))
            break
        elif kind == "bool" and not any(isinstance(i, (np.ndarray, list)) for i in index):
            index.append(draw(st.booleans()))
    if len(index) == 1 and draw(st.booleans()):
        return shape, index[0]
    return shape, tuple(index)


def converted(index, module):
    if isinstance(index, tuple):
        return tuple(converted(i, module) for i in index)
    return module.tensor(index) if isinstance(index, np.ndarray) else index


def outcome(f):
    """The result of a call, or the type of the exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f()
        except (IndexError, RuntimeError, ValueError, TypeError) as e:
            return type(e)


def same(ours, theirs):
    if isinstance(theirs, type):
        assert ours is theirs
        return
    assert not isinstance(ours, type), f"PyTorch gives {theirs}"
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions())
def test_read(case):
    shape, index = case
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    x, y = both(array)
    ours = outcome(lambda: x[converted(index, torsh)])
    theirs = outcome(lambda: y[converted(index, torch)])
    same(ours, theirs)
    if not isinstance(theirs, type):
        assert ours._is_view() == theirs._is_view()


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions(), st.sampled_from(["number", "zero-d", "full", "ones"]), st.booleans())
def test_write(case, what, gradient):
    shape, index = case
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    results = []
    try:
        target_values = torch.tensor(array)[converted(index, torch)]
        target = target_values.shape
    except (IndexError, RuntimeError, ValueError, TypeError):
        return
    for m in (torsh, torch):
        x = m.tensor(array).requires_grad_(gradient)
        value = {
            "number": 7.0,
            "zero-d": m.tensor(7.0),
            "full": m.tensor(np.arange(target.numel(), dtype=np.float32).reshape(target)),
            "ones": m.ones((1, 1, *target[-1:])),
        }[what]
        if gradient and what == "full":
            value.requires_grad_()

        def run(m=m, x=x, value=value):
            z = x * 2
            z[converted(index, m)] = value
            if gradient and z.numel():
                (z * z).sum().backward()
            return z, x.grad, getattr(value, "grad", None)

        results.append(outcome(run))
    ours, theirs = results
    if isinstance(theirs, type):
        assert ours is theirs
        return
    assert not isinstance(ours, type), ours
    if what == "full" and len(target_values.unique()) != target_values.numel():
        return  # which of several values for one place stays is not defined
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            same(a, b)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions())
def test_gradient(case):
    shape, index = case
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    grads = []
    for m in (torsh, torch):
        x = m.tensor(array).requires_grad_()
        part = outcome(lambda x=x, m=m: x[converted(index, m)])
        if isinstance(part, type):
            return
        (part * part).sum().backward()
        grads.append(x.grad)
    same(*grads)


@pytest.mark.parametrize(
    "index",
    [
        0, (0, 1), slice(1, 2), (slice(None), 0), (0, slice(1)), ..., (), slice(None), None, (None, 0), ([0],),
        (slice(None), None), (0, ...), (..., slice(0, 1)),
    ],
    ids=str,
)  # fmt: skip
def test_node_names(index):
    ours = torsh.ones(2, 3).requires_grad_()[index].grad_fn
    theirs = torch.ones(2, 3).requires_grad_()[index].grad_fn
    assert ours.name() == theirs.name()


@pytest.mark.parametrize(
    "index",
    [
        5, -4, (0, 9), (0, 0, 0), (slice(None), None, 5), slice(None, None, -1), slice(None, None, 0), 1.5, "a", {0},
        1j, 10**30, slice(1.5, 2), np.array([5]), (slice(None), np.array([9])), np.zeros(5, bool),
        np.zeros((3, 3), bool), np.zeros((3, 4, 5), bool), np.array([1.0]), (np.array([0, 1]), np.array([0, 1, 2])),
        np.array([1], np.int16),
    ],
    ids=str,
)  # fmt: skip
def test_errors(index):
    messages = []
    for m in (torsh, torch):
        with pytest.raises((IndexError, ValueError, TypeError, RuntimeError)) as e:
            m.zeros(3, 4)[converted(index, m)]
        messages.append((e.type, " ".join(str(e.value).split()[:4])))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (5, 1.0), (0, "a"), (0, [1.0]), (0, None), (0, np.ones(3)), ((slice(None), [7]), 1.0), (0, 1j), ([0], 1j),
        (0, 1e300), (0, np.ones((2, 2), np.float32)), ([0], np.ones((2, 2), np.float32)), ([0], np.ones(4)),
        (slice(None, None, -1), 2.0),
    ],
    ids=str,
)  # fmt: skip
def test_assignment_errors(index, value):
    messages = []
    for m in (torsh, torch):
        given_value = (
            m.tensor(value)
            if (isinstance(value, np.ndarray) and value.ndim != 1) or (index == [0] and not isinstance(value, complex))
            else value
        )
        with pytest.raises((IndexError, ValueError, TypeError, RuntimeError)) as e:
            m.zeros(3, 4)[index] = given_value
        messages.append((e.type, " ".join(str(e.value).split()[:4])))
    assert messages[0] == messages[1]


def test_zero_d():
    with pytest.raises(IndexError, match="invalid index of a 0-dim tensor"):
        torsh.tensor(1.0)[0]
    assert torsh.tensor(1.0)[None].shape == (1,)
    assert torsh.tensor(1.0)[...].shape == ()
    x = torsh.zeros(3)
    x[1].fill_(5)  # a view, though it has no dimension
    assert x.tolist() == [0, 5, 0]


def test_views_share_memory_and_version():
    x = torsh.zeros(3, 4)
    row = x[1]
    row[2] = 3.0
    assert x[1, 2].item() == 3.0
    assert x._version == row._version == 1
    assert row._base is x


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int8", "uint8", "bool", "complex64", "float64"])
def test_assignment_converts(dtype):
    outs = []
    for m in (torsh, torch):
        x = m.zeros(4, dtype=getattr(m, dtype))
        x[0] = 1
        x[1] = True
        x[2:] = m.tensor([3.7, 0.0])
        outs.append(x.to(m.complex64 if dtype == "complex64" else m.float32))
    same(*outs)


def test_augmented_assignment():
    outs = []
    for m in (torsh, torch):
        x = m.zeros(3, 4)
        x[0] += 1
        x[:, 1] *= 3
        x[[0, 2]] -= 2
        x[x < 0] += 10
        outs.append(x)
    same(*outs)


def test_second_derivative():
    outs = []
    for m in (torsh, torch):
        x = m.tensor([1.0, 2.0, 3.0]).requires_grad_()
        y = (x[[0, 0, 2]] ** 3).sum() + (x[1:] ** 3).sum()
        (g,) = m.autograd.grad(y, x, create_graph=True)
        (h,) = m.autograd.grad((g * g).sum(), x)
        outs += [g, h]
    same(outs[0], outs[2])
    same(outs[1], outs[3])


def test_nonzero():
    a = np.array([[0, 1, 0], [2, 0, 3]], np.float32)
    x, y = both(a)
    same(x.nonzero(), y.nonzero())
    same(torsh.argwhere(x), torch.argwhere(y))
    for p, q in zip(x.nonzero(as_tuple=True), y.nonzero(as_tuple=True), strict=True):
        same(p, q)
    for p, q in zip(torsh.where(x > 0), torch.where(y > 0), strict=True):
        same(p, q)
    assert torsh.tensor(5).nonzero().shape == torch.tensor(5).nonzero().shape
    assert torsh.tensor(5).nonzero(as_tuple=True)[0].shape == torch.tensor(5).nonzero(as_tuple=True)[0].shape
