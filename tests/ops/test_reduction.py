"""Reductions beyond what the samples cover: dtype rules, forms of dim, results in out=, rounding, derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")


def both(array, dtype):
    """The same values for both libraries."""
    t = torch.from_numpy(np.asarray(array)).to(getattr(torch, dtype))
    return torsh.tensor(np.asarray(array)).to(getattr(torsh, dtype)), t


def same(found, wanted, rtol=1e-5):
    assert tuple(found.shape) == tuple(wanted.shape)
    assert found.dtype.name == str(wanted.dtype).removeprefix("torch.")
    target = torsh.complex128 if found.is_complex() else torsh.float64
    np.testing.assert_allclose(
        found.detach().to(target).numpy(), wanted.detach().to(getattr(torch, target.name)).numpy(), rtol=rtol, atol=1e-6
    )


def outcome(call):
    try:
        return call()
    except Exception as e:
        return e


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "amax", "any", "all", "var", "nansum", "logsumexp", "cumsum"])
def test_dtype_of_the_result(name, dtype):
    x, t = both([[1, 2, 0], [3, 1, 2]], dtype)
    arguments = (1,)
    found = outcome(lambda: getattr(torsh, name)(x, *arguments))
    wanted = outcome(lambda: getattr(torch, name)(t, *arguments))
    if isinstance(wanted, Exception):
        assert type(found).__name__ == type(wanted).__name__
    else:
        same(found, wanted, rtol=1e-2 if "16" in dtype else 1e-5)


@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), (), [1], (0, 1, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("name", ["sum", "amax", "mean", "all"])
def test_forms_of_dim(name, dim, keepdim):
    a = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    x, t = both(a, "float32")
    same(getattr(x, name)(dim=dim, keepdim=keepdim), getattr(t, name)(dim=dim, keepdim=keepdim))


def test_numpy_spellings_are_taken():
    x = torsh.ones(2, 3)
    assert x.sum(axis=1, keepdims=True).shape == (2, 1)
    assert torsh.max(x, axis=0).values.shape == (3,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x.sum(3), IndexError, "Dimension out of range"),
        (lambda x: x.sum((0, 0)), RuntimeError, "dim 0 appears multiple times"),
        (lambda x: x.long().mean(), RuntimeError, "could not infer output dtype"),
        (lambda x: x[:0].amax(), RuntimeError, "Expected reduction dim to be specified"),
        (lambda x: x[:0].amax(0), IndexError, "Expected reduction dim 0 to have non-zero size"),
        (lambda x: x[:0].argmax(), IndexError, "Expected reduction dim to be specified"),
        (lambda x: torsh.sum([1.0]), TypeError, "must be Tensor, not list"),
    ],
)
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(torsh.ones(2, 3))


def test_results_can_be_written_into_given_tensors():
    x = torsh.tensor([[1.0, 5.0], [4.0, 2.0]])
    values, indices = torsh.empty(0), torsh.empty(0, dtype=torsh.int64)
    found = torsh.max(x, 1, out=(values, indices))
    assert values.tolist() == [5.0, 4.0]
    assert indices.tolist() == [1, 0]
    assert found.values is values
    total = torsh.empty(2)
    assert torsh.sum(x, 0, out=total) is total
    assert total.tolist() == [5.0, 7.0]


def test_named_results_look_like_pytorchs():
    found = torsh.ones(2, 2).max(0)
    assert type(found).__name__ == "max"
    assert isinstance(found, torsh.return_types.max)
    values, indices = found
    assert values is found.values
    assert indices is found[1]


@pytest.mark.parametrize("shape", [(1_000_000,), (100_000, 4), (4, 100_000)])
def test_long_sums_round_no_worse_than_pytorch(shape):
    a = np.random.default_rng(0).random(shape, dtype="float32") + 1
    for dim in (None, *range(len(shape))):
        exact = a.sum(axis=dim, dtype="float64")
        x, t = both(a, "float32")
        error = np.abs(x.sum(dim).numpy() - exact).max() / exact.max()
        assert error <= max(4 * np.abs(t.sum(dim).numpy() - exact).max() / exact.max(), 2e-7)


def test_half_precision_is_added_up_in_single():
    x = torsh.ones(5000, dtype=torsh.float16)
    assert x.sum().item() == 5000.0
    assert x.mean().item() == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "logsumexp", "nansum", "var"])
def test_special_values_pass_through(name, value):
    x, t = both([1.0, value, 2.0], "float32")
    same(getattr(torsh, name)(x, 0), getattr(torch, name)(t, 0))


GRADIENTS = [
    ("sum", lambda m, x: x.sum(0)),
    ("prod", lambda m, x: x.prod(1)),
    ("prod of all", lambda m, x: x.prod()),
    ("amax", lambda m, x: x.amax(1)),
    ("max", lambda m, x: x.max(1).values),
    ("var", lambda m, x: x.var(1)),
    ("std", lambda m, x: x.std(0)),
    ("logsumexp", lambda m, x: x.logsumexp(1)),
    ("cumsum", lambda m, x: x.cumsum(1)),
    ("cumprod", lambda m, x: x.cumprod(1)),
    ("cummax", lambda m, x: x.cummax(1).values),
    ("logcumsumexp", lambda m, x: x.logcumsumexp(1)),
    ("norm", lambda m, x: m.linalg.vector_norm(x, 3, 1)),
    ("median", lambda m, x: x.median(1).values),
    ("quantile", lambda m, x: x.quantile(0.3, 1)),
    ("cov", lambda m, x: m.cov(x)),
]


ZEROS = [(n + " with zeros", f, True) for n, f in GRADIENTS if n in ("prod", "prod of all", "cumprod", "logsumexp")]
CASES = [(n, f, False) for n, f in GRADIENTS] + ZEROS


@pytest.mark.parametrize(("name", "function", "zeros"), CASES, ids=[c[0] for c in CASES])
def test_first_and_second_derivatives(name, function, zeros):
    """Against PyTorch, also where elements are zero (products) or equal (extremes)."""
    a = np.random.default_rng(1).normal(size=(3, 4))
    if zeros:
        a[0, 1] = a[1, 0] = a[1, 2] = 0

    def derivatives(m, x):
        x.requires_grad_()
        y = function(m, x)
        (first,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
        (second,) = m.autograd.grad((first * first).sum(), x)
        return first, second

    x, t = both(a, "float64")
    for found, wanted in zip(derivatives(torsh, x), derivatives(torch, t)):
        same(found, wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda t: t.cumsum(t.ones(3), 0, dtype=t.float64, out=t.ones(3)),
            "Expected out tensor to have dtype double, but got float",
        ),
        (
            lambda t: t.sum(t.ones(3), 0, dtype=t.float64, out=t.ones(())),
            "Expected out tensor to have dtype double, but got float",
        ),
        (
            lambda t: t.softmax(t.ones(3), 0, dtype=t.float64, out=t.ones(3)),
            "Expected out tensor to have dtype double, but got float",
        ),
        (lambda t: t.all(t.ones(3), out=t.ones(())), "all only supports bool tensor for result, got: Float"),
        (
            lambda t: t.any(t.ones(3), 0, out=t.ones((), dtype=t.int64)),
            "any only supports bool tensor for result, got: Long",
        ),
    ],
)
@pytest.mark.parametrize("module", [torch, torsh])
def test_out_must_have_the_dtype_asked_for(module, call, message):
    with pytest.raises(RuntimeError, match=message):
        call(module)


def test_truth_may_be_written_as_uint8():
    out = torsh.zeros((), dtype=torsh.uint8)
    assert torsh.all(torsh.ones(3), out=out) is out
    assert out.item() == 1
