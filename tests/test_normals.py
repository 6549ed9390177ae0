"""Normal numbers are PyTorch's, bit for bit; of float32 those of its kernel for AVX2 (``torsh/_box_muller.py``)."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh import _box_muller, registry
from torsh._twister import NORMALS

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="PyTorch takes other functions here"
)

FLOATS = ("float32", "float64", "float16", "bfloat16")
PIECE = 1 << 16


def drawn(m, n, seed, dtype, mean=0.0, std=1.0):
    x = m.empty(n, dtype=getattr(m, dtype)).normal_(mean, std, generator=m.Generator().manual_seed(seed))
    return x.to(m.float64).numpy()


def same(n, seed, dtype, mean=0.0, std=1.0):
    np.testing.assert_array_equal(
        drawn(torsh, n, seed, dtype, mean, std), drawn(torch, n, seed, dtype, mean, std), err_msg=f"{n} {seed} {dtype}"
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_sizes_and_seeds(dtype):
    for seed in range(4):
        for n in (
            *range(1, 50),
            255,
            256,
            257,
            1023,
            1024,
            1025,
            4099,
            PIECE - 1,
            PIECE + 1,
            PIECE + 16,
            2 * PIECE + 15,
        ):
            same(n, seed, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_mean_and_deviation(dtype):
    for mean, std in ((1.5, 0.3), (-7.0, 1.0), (0.0, 1e-3), (3.0, 0.0)):
        same(1000, 5, dtype, mean, std)
        same(7, 5, dtype, mean, std)


def test_a_million():
    for seed in range(10):
        same(1_000_000, seed, "float32")
    same(1_000_003, 0, "bfloat16")
    same(300_001, 0, "float64")


@pytest.mark.slow
def test_a_hundred_million():
    for seed in range(100, 200):
        same(1_000_000, seed, "float32", 0.25, 1.75)


@pytest.mark.parametrize("backend", ["numpy", "torch", "dask"])
def test_on_every_backend(backend):
    if backend == "dask":
        pytest.importorskip("dask")
    with registry.use(backend):
        for n in (15, 17, 100_003):
            x = torsh.randn(n, generator=torsh.Generator().manual_seed(3)).numpy()
            np.testing.assert_array_equal(x, torch.randn(n, generator=torch.Generator().manual_seed(3)).numpy())


def test_both_forms_of_the_transformation_give_the_same_bits():
    """NumPy's for the first small draws, the compiled one once it pays: at a 64th of all uniform numbers there are."""
    from torsh import _mersenne

    u = np.arange(5, 1 << 24, 64).astype(np.float32) * np.float32(2.0**-24)
    x = np.stack([u.reshape(-1, 8), u[::-1].reshape(-1, 8)], 1).reshape(-1)
    y = x.copy()
    _box_muller.transform(x, 0.3, 0.7)
    _mersenne._transform(y, np.float32(0.7), np.float32(0.3))
    np.testing.assert_array_equal(x.view(np.uint32), y.view(np.uint32))
    assert NORMALS.compiled() is _mersenne.normals


def test_one_rounding():
    """Where a float64 sum is half-way between two float32 numbers, what it lacks decides."""
    f = np.float32
    cases = (
        # 2**-24 (1 - 2**-46) + 1 + 2**-23: just below half-way, the even neighbour is above
        (1 + 2.0**-23, 2.0**-24 * (1 - 2.0**-23), 1 + 2.0**-23, 1 + 2.0**-23),
        # 2**-24 (1 + 2**-36) + 1: just above, the even neighbour is below
        (1 + 2.0**-12, 2.0**-24 * (1 - 2.0**-12 + 2.0**-24), 1.0, 1 + 2.0**-23),
        # half-way: to the even one
        (1.0, 2.0**-24, 1.0, 1.0), (1.0, 2.0**-24, 1 + 2.0**-23, 1 + 2.0**-22),
    )  # fmt: skip
    for sign in (1, -1):
        for a, b, c, expected in cases:
            assert float(f(a)) == a and float(f(b)) == b
            assert (
                _box_muller.fused(np.array([f(a)]), np.array([f(sign * b)]), np.array([f(sign * c)])) == sign * expected
            )
    naive = [f(np.float64(a) * b + c) == expected for a, b, c, expected in cases]
    assert naive == [False, False, True, True]
