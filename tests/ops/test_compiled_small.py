"""Loops that take over from NumPy on small arrays after some calls: which of the two runs must not be seen in the result."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest

import torsh
import torsh.nn.functional as F
from torsh import _twister
from torsh.random import Generator
from torsh_numpy import _compiled

LOOPS = [*_compiled.LOOPS.values(), *(v for v in vars(_twister).values() if isinstance(v, _compiled.Loop))]


@contextlib.contextmanager
def compiled(wanted: bool):
    """With all loops compiled, or with none, however large the arrays that came by."""
    kept = [(loop, loop.run, loop.seen) for loop in LOOPS]
    try:
        for loop in LOOPS:
            loop.run, loop.seen = None, (10**12 if wanted else -(10**12))
        yield
    finally:
        for loop, run, seen in kept:
            loop.run, loop.seen = run, seen


def _same(a, b) -> None:
    a, b = (a, b) if isinstance(a, (tuple, list)) else ((a,), (b,))
    for x, y in zip(a, b):
        x, y = x.numpy(), y.numpy()
        assert x.dtype == y.dtype and x.shape == y.shape
        assert (
            x.tobytes() == y.tobytes()
            or np.array_equal(np.isnan(x), np.isnan(y))
            and np.array_equal(x[x == x], y[y == y])
        )


def _inputs(rows: int, columns: int, special: bool, dtype):
    generator = np.random.default_rng(rows * 1000 + columns)
    x = generator.standard_normal((rows, columns)).astype(dtype)
    if special and x.size > 3:
        x.flat[1], x.flat[-1], x.flat[x.size // 2] = np.nan, np.inf, x.flat[0]
    index = generator.integers(0, columns, (rows, columns))
    return torsh.from_numpy(x), torsh.from_numpy(index), torsh.from_numpy(generator.integers(0, rows, rows))


OPS = {
    "softmax": lambda x, i, r: torsh.softmax(x, -1),
    "log_softmax": lambda x, i, r: torsh.log_softmax(x, -1),
    "layer_norm": lambda x, i, r: F.layer_norm(x, x.shape[-1:], x[0] + 2, x[-1]),
    "layer_norm plain": lambda x, i, r: F.layer_norm(x, x.shape[-1:]),
    "linspace": lambda x, i, r: torsh.linspace(-0.3, 7.1, x.numel() + 1),
    "gather": lambda x, i, r: torsh.gather(x, 1, i),
    "scatter": lambda x, i, r: torsh.scatter(x, 1, i, 2.5),
    "scatter of itself": lambda x, i, r: torsh.scatter(x, 1, i, x),
    "scatter_add": lambda x, i, r: torsh.scatter_add(x, 1, i, x * 3),
    "index_add": lambda x, i, r: torsh.index_add(x, 0, r, x),
    "index_select": lambda x, i, r: torsh.index_select(x, 0, r),
    "cummax": lambda x, i, r: torsh.cummax(x, 1),
    "cummin dim 0": lambda x, i, r: torsh.cummin(x, 0),
    "cumsum": lambda x, i, r: torsh.cumsum(x, 1),
    "topk": lambda x, i, r: torsh.topk(x, min(5, x.shape[1])),
    "smallest": lambda x, i, r: torsh.topk(x, min(3, x.shape[1]), largest=False),
    "nonzero": lambda x, i, r: torsh.nonzero(x > 0),
    "to half": lambda x, i, r: x.half(),
    "nll_loss": lambda x, i, r: F.nll_loss(x, i[:, 0]),
    "avg_pool2d": lambda x, i, r: F.avg_pool2d(x[None, None], 2, 1, 1),
    "avg_pool2d, without padding": lambda x, i, r: F.avg_pool2d(x[None, None], (1, 2) if x.shape[1] > 1 else 1),
    "var": lambda x, i, r: torsh.var(x, 1),
    "conv2d": lambda x, i, r: F.conv2d(x[None, None], x[:1, :1][None, None].expand(2, 1, 2, 1), padding=1),
    "max_pool2d": lambda x, i, r: F.max_pool2d(x[None, None], 2, 1, 1, return_indices=True),
}


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits(name, dtype):
    for rows, columns in ((1, 1), (3, 4), (4, 7), (2, 8), (5, 9), (3, 129), (2, 300), (7, 1000)):
        for special in (False, True):
            args = _inputs(rows, columns, special, dtype)
            with compiled(False):
                expected = OPS[name](*args)
            with compiled(True):
                found = OPS[name](*args)
            _same(found, expected)


@pytest.mark.parametrize("n", [1, 16, 30, 200, 623, 700, 3000])
def test_same_stream(n):
    def draws(generator: Generator):
        return [
            torsh.rand(n, generator=generator), torsh.randn(n, generator=generator),
            torsh.rand(n, dtype=torsh.float64, generator=generator), torsh.randint(0, 1000, (n,), generator=generator),
            torsh.randint(0, 1 << 40, (n,), generator=generator), torsh.randperm(n, generator=generator),
            torsh.full((n,), 0.3).bernoulli(generator=generator), torsh.empty(n).bernoulli_(0.6, generator=generator),
        ]  # fmt: skip

    with compiled(False):
        expected = draws(Generator().manual_seed(n))
    with compiled(True):
        _same(draws(Generator().manual_seed(n)), expected)
    # From one form to the other and back in the middle of a stream.
    generator = Generator().manual_seed(n)
    for turn in range(3):
        with compiled(turn % 2 == 1):
            found = draws(generator)
        if not turn:
            _same(found, expected)
    kept = Generator().manual_seed(n)
    with compiled(False):
        for _ in range(3):
            expected = draws(kept)
    _same(found, expected)


def test_a_loop_is_compiled_when_worth_it():
    loop = _compiled.Loop(math.sqrt)
    assert loop.worth(10) is None and loop.seen > 10
    loop.seen = _compiled.LARGE - 1
    loop.run = math.sqrt
    assert loop.worth(1) is math.sqrt
