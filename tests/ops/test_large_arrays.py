"""Kernels that change their method above a size give the same there as below."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh import registry
from torsh_numpy._blocks import LARGE

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 100.0, -100.0, 1e15, -1e15, 1e-40, 0.75]


@pytest.fixture(autouse=True)
def _on_numpy():
    with registry.use("numpy"):
        yield


def vector(dtype, seed):
    x = np.random.default_rng(seed).uniform(-6, 6, LARGE + 100)
    x[: len(SPECIAL) ** 2] = np.repeat(SPECIAL, len(SPECIAL)) if seed % 2 else np.tile(SPECIAL, len(SPECIAL))
    with np.errstate(all="ignore"):
        return x.astype(dtype)


CASES = {
    "relu": lambda x, y: torsh.relu(x), "sign": lambda x, y: torsh.sign(x), "frac": lambda x, y: torsh.frac(x),
    "rsqrt": lambda x, y: torsh.rsqrt(x), "sigmoid": lambda x, y: torsh.sigmoid(x), "erf": lambda x, y: torsh.erf(x),
    "nan_to_num": lambda x, y: torsh.nan_to_num(x), "logit": lambda x, y: torsh.logit(x),
    "clamp": lambda x, y: torsh.clamp(x, -0.5, 2.5), "clamp crossed": lambda x, y: torsh.clamp(x, 2, -1),
    "lerp": lambda x, y: torsh.lerp(x, y, 0.3), "lerp far": lambda x, y: torsh.lerp(x, y, 0.75),
    "addcmul": lambda x, y: torsh.addcmul(x, y, x, value=0.5), "addcdiv": lambda x, y: torsh.addcdiv(x, x, y, value=-2),
    "floor_divide": torsh.floor_divide, "remainder": torsh.remainder, "fmod": torsh.fmod, "hypot": torsh.hypot,
    "logaddexp": torsh.logaddexp, "remainder of a number": lambda x, y: torsh.remainder(x, 0.75),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_same_above_and_below(name, dtype):
    x, y = vector(dtype, 0), vector(dtype, 1)
    whole = CASES[name](torsh.from_numpy(x), torsh.from_numpy(y)).numpy()
    half = LARGE // 2
    parts = [
        CASES[name](torsh.from_numpy(x[i : i + half]), torsh.from_numpy(y[i : i + half])).numpy()
        for i in range(0, len(x), half)
    ]
    # The loops contract to fused multiply-adds: where terms cancel, results differ by the rounding of a term.
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(whole, np.concatenate(parts), rtol=16 * eps, atol=16 * eps)


@pytest.mark.parametrize("name", ["remainder", "fmod", "floor_divide"])
def test_ordinary_quotients_take_the_loop(name):
    """Without special values among them, so that no fallback hides the loop."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-100, 100, LARGE + 1).astype(np.float32)
    y = (rng.uniform(0.3, 5, LARGE + 1) * rng.choice([-1, 1], LARGE + 1)).astype(np.float32)
    x[:50], y[:50] = y[:50] * 3, y[:50]
    expected = getattr(np, name)(x, y)
    np.testing.assert_array_equal(getattr(torsh, name)(torsh.from_numpy(x), torsh.from_numpy(y)).numpy(), expected)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "sign", "rsqrt"])
def test_in_place(name):
    x = np.random.default_rng(0).uniform(0.1, 6, (2, LARGE)).astype(np.float32)
    t = torsh.from_numpy(x.copy())
    expected = getattr(torsh, name)(t)
    assert getattr(torsh.Tensor, name + "_")(t) is t
    assert torsh.equal(t, expected)
    u = torsh.from_numpy(x.copy())[:, ::2]  # not contiguous
    getattr(torsh.Tensor, name + "_")(u)
    np.testing.assert_allclose(u.numpy(), expected.numpy()[:, ::2], rtol=1e-6)
