"""Rounding, out= and gradients at the edges, against PyTorch: halves are rounded where PyTorch rounds, nan counts as it does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)


def numbers(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape)


def halves(lib: Any, x: np.ndarray[Any, Any], dtype: str) -> Any:
    return lib.tensor(x.tolist()).to(getattr(lib, dtype))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample_of_halves_has_pytorch_s_bits(padding: str, dtype: str) -> None:
    for dims, mode in ((2, "bilinear"), (2, "nearest"), (2, "bicubic"), (3, "bilinear"), (3, "nearest")):
        image, grid = numbers(1, 2, *(4, 5, 3)[:dims]), numbers(1, 3, *(2, 2)[: dims - 1], dims, seed=1)
        for align in (True, False):
            own, theirs = (
                lib.nn.functional.grid_sample(halves(lib, image, dtype), halves(lib, grid, dtype), mode, padding, align)
                .float()
                .numpy()
                for lib in BOTH
            )
            np.testing.assert_array_equal(own, theirs)


def test_grid_sample_takes_positions_beyond_the_digits_of_a_half() -> None:
    image = numbers(1, 1, 40, 40)  # 1600 elements: no bfloat16 counts that far
    grid = numbers(1, 3, 3, 2, seed=1) / 3
    own, theirs = (
        lib.nn.functional.grid_sample(
            halves(lib, image, "bfloat16"), halves(lib, grid, "bfloat16"), align_corners=False
        )
        .float()
        .numpy()
        for lib in BOTH
    )
    np.testing.assert_array_equal(own, theirs)


def test_lgamma_between_poles_and_roots() -> None:
    mpmath = pytest.importorskip("mpmath")
    x = np.concatenate(
        [np.linspace(-5.99, -2.01, 150), [-3.925, -3.859749605631313, -3.277323191492197, -19.5, -0.1, -1e-300]]
    )
    with mpmath.workdps(40):
        exact = [mpmath.log(abs(mpmath.gamma(mpmath.mpf(float(v))))) for v in x]
        found = torsh.tensor(x).lgamma().tolist()
        ulps = [float(abs(mpmath.mpf(a) - b)) / math.ulp(float(b)) for a, b in zip(found, exact)]
    assert max(ulps) < 4
    assert torsh.tensor([-1.0, -20.0, -0.0, -math.inf]).lgamma().tolist() == [math.inf] * 4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_addr_of_halves_on_meta(dtype: str) -> None:
    a, b, c = (torsh.empty(*s, dtype=getattr(torsh, dtype), device="meta") for s in ((2, 3), (2,), (3,)))
    found = torsh.addr(a, b, c, beta=2, alpha=0.3)
    assert found.shape == (2, 3) and found.dtype is getattr(torsh, dtype) and found.is_meta
    given = numbers(2, 3), numbers(2, seed=1), numbers(3, seed=2)
    own, theirs = (lib.addr(*(halves(lib, x, dtype) for x in given), beta=2, alpha=0.3).float().numpy() for lib in BOTH)
    np.testing.assert_array_equal(own, theirs)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mean_of_scattered_halves_divides_the_rounded_sum(dtype: str) -> None:
    for own_too in (True, False):
        for seed in range(4):
            index = np.random.default_rng(seed).integers(0, 3, (3, 6))
            own, theirs = (
                halves(lib, numbers(3, 6, seed=seed), dtype)
                .scatter_reduce(
                    1,
                    lib.tensor(index.tolist()),
                    halves(lib, numbers(3, 6, seed=9), dtype),
                    "mean",
                    include_self=own_too,
                )
                .float()
                .numpy()
                for lib in BOTH
            )
            np.testing.assert_array_equal(own, theirs)


@pytest.mark.parametrize("initial", [None, 0.0, 2.0, 1000.0])
@pytest.mark.parametrize("reduce", ["max", "min", "prod"])
def test_gradient_of_segments_with_nan_and_zero(reduce: str, initial: Any) -> None:
    found = []
    for lib in BOTH:
        x = lib.tensor([1, math.nan, 3, 4, 5, 5, 0, 2, 0, 0, 7], dtype=lib.float64, requires_grad=True)
        y = lib.segment_reduce(x, reduce, lengths=lib.tensor([1, 2, 3, 0, 2, 3]), axis=0, initial=initial)
        y.sum().backward()
        found.append((y.tolist(), x.grad.tolist()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_histogram_of_points_with_ten_coordinates_as_density() -> None:
    x = np.random.default_rng(0).random((20, 10))
    own, theirs = (lib.histogramdd(lib.from_numpy(x), 2, density=True).hist.numpy() for lib in BOTH)
    np.testing.assert_allclose(own, theirs, rtol=1e-12)


@pytest.mark.parametrize("out", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_norms_of_complex_numbers_write_real_ones(dtype: str, out: str) -> None:
    def outcome(lib: Any, fn: Any, wanted: str | None) -> str:
        given = {} if wanted is None else {"dtype": getattr(lib, wanted)}
        try:
            x, target = lib.ones(2, 2, dtype=getattr(lib, dtype)), lib.empty(0, dtype=getattr(lib, out))
            return str(fn(lib.linalg, x, dict(given, out=target)).dtype).partition(".")[2]
        except RuntimeError:
            return "refused"

    for fn in (
        lambda m, x, k: m.norm(x, 2, **k),
        lambda m, x, k: m.vector_norm(x, **k),
        lambda m, x, k: m.matrix_norm(x, **k),
    ):
        for wanted in (None, "float64", "complex64", "complex128"):
            own, theirs = (outcome(lib, fn, wanted) for lib in BOTH)
            assert own == theirs, (wanted, own, theirs)
