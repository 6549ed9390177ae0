"""Running sums and extremes, products and casts to and from float16 of arrays large enough for compiled loops."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh import registry
from torsh_numpy._compiled import LARGE

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _on_numpy():
    with registry.use("numpy"):
        yield


def numbers(shape, dtype="float32"):
    x = np.random.default_rng(0).standard_normal(shape).round(1)  # rounded, so that some are equal
    x[1, 5:7] = np.nan
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [3, 4, 6])  # four at a time, and what is left
def test_running_sum(rows, dtype):
    x = numbers((rows, LARGE // 3 + 1), dtype)
    found, expected = torsh.cumsum(torsh.from_numpy(x), 1), torch.cumsum(torch.from_numpy(x), 1)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extreme(name, dim):
    x = numbers((20, 60, LARGE // 1200 + 1))
    for a in (x, np.nan_to_num(x * 10).astype(np.int64)):
        found, expected = getattr(torsh, name)(torsh.from_numpy(a), dim), getattr(torch, name)(torch.from_numpy(a), dim)
        np.testing.assert_array_equal(found.values.numpy(), expected.values.numpy())
        np.testing.assert_array_equal(found.indices.numpy(), expected.indices.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_product(dtype):
    x = (1 + 1e-3 * np.random.default_rng(0).standard_normal((3, LARGE))).astype(dtype)
    expected = np.multiply.reduce(x.reshape(-1).astype(np.float64))
    found = torsh.prod(torsh.from_numpy(x))
    assert found.shape == () and str(found.dtype) == f"torsh.{dtype}"
    np.testing.assert_allclose(found.item(), expected, rtol=1e-6)


def test_every_half_and_what_lies_between():
    half = np.tile(np.arange(2**16, dtype=np.uint16).view(np.float16), 2)
    single = torsh.from_numpy(half).float().numpy()
    np.testing.assert_array_equal(single, torch.from_numpy(half).float().numpy())
    with np.errstate(all="ignore"):
        halfway = single[1:] / 2 + single[:-1] / 2
        between = [halfway, np.nextafter(single, np.float32(0)), single * 2, single * np.float32(1e-3)]
    for x in [single, *between]:
        found, expected = torsh.from_numpy(x).half().numpy(), torch.from_numpy(x).half().numpy()
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
