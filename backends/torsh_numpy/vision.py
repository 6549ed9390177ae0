"""Interpolation and patches.

Every mode of interpolation is a linear map of one dimension at a time, so it is made as a small matrix and BLAS
applies it;
its transpose is the gradient.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from torsh_numpy.convolution import _padded, _slices, _windows
from torsh_numpy.pooling import apply_along

Array = Any


def _scale(i: int, o: int, scale: float | None, align: bool, real: Any) -> Any:
    """Input elements per output element."""
    if align:
        return real(i - 1) / real(o - 1) if o > 1 else real(0)
    return real(1.0 / scale) if scale is not None and scale > 0 else real(i) / real(o)


@functools.lru_cache(maxsize=64)
def _nearest(i: int, o: int, scale: float | None, exact: bool, real: Any) -> Array:
    if not exact and o == i:
        return np.arange(o)
    if not exact and o == 2 * i:
        return np.arange(o) >> 1
    s = _scale(i, o, scale, False, real)
    at = np.arange(o, dtype=real)
    return np.minimum(np.floor((at + real(0.5)) * s if exact else at * s).astype(np.int64), i - 1)


def _cubic(x: Array, a: float) -> Array:
    x = np.abs(x)
    return np.where(
        x < 1, ((a + 2) * x - (a + 3)) * x * x + 1, np.where(x < 2, ((a * x - 5 * a) * x + 8 * a) * x - 4 * a, 0)
    )


def _matrix(i: int, o: int, scale: float | None, mode: str, align: bool, antialias: bool, real: Any) -> Array:
    """The matrix (o, i) of one dimension."""
    out = np.zeros((o, i), real)
    if mode.startswith("nearest"):
        out[np.arange(o), _nearest(i, o, scale, mode == "nearest-exact", real)] = 1
        return out
    s = _scale(i, o, scale, align, real)
    cubic = mode == "bicubic"
    if antialias:
        support = (2 if cubic else 1) * max(s, 1)
        shrink = 1 / s if s >= 1 else 1.0
        for j in range(o):
            center = s * (j + 0.5)
            start = max(int(center - support + 0.5), 0)
            end = min(int(center + support + 0.5), i)
            at = (np.arange(start, end) - center + 0.5) * shrink
            weights = _cubic(at, -0.5) if cubic else np.maximum(1 - np.abs(at), 0)
            total = weights.sum()
            out[j, start:end] = weights / total if total else weights
        return out
    at = np.arange(o, dtype=real)
    place = s * at if align else s * (at + real(0.5)) - real(0.5)
    rows = np.arange(o)
    if cubic:
        low = np.floor(place)
        t = place - low
        for tap, w in zip(
            range(-1, 3), (_cubic(t + 1, -0.75), _cubic(t, -0.75), _cubic(1 - t, -0.75), _cubic(2 - t, -0.75))
        ):
            np.add.at(out, (rows, np.clip(low + tap, 0, i - 1).astype(np.int64)), w)
        return out
    place = np.maximum(place, 0)
    low = np.minimum(place.astype(np.int64), i - 1)
    t = np.clip(place - low, 0, 1)
    np.add.at(out, (rows, low), 1 - t)
    np.add.at(out, (rows, np.minimum(low + 1, i - 1)), t)
    return out


# Elements of a matrix from which multiplying its many zeros costs more than walking through the others.
_SPARSE = 1 << 15


@functools.lru_cache(64)
def _taps(back: bool, *given: Any) -> tuple[Array, Array, Array]:
    """A matrix of ``_matrix`` (back: its transpose) without its zeros: where rows start, columns, values."""
    matrix = _matrix(*given).T if back else _matrix(*given)
    rows, places = np.nonzero(matrix)
    return np.searchsorted(rows, np.arange(matrix.shape[0] + 1)), places, matrix[rows, places]


def _along(x: Array, axis: int, length: int, back: bool, given: Any) -> Array:
    """Interpolate one dimension to a length; back: the adjoint."""
    if x.shape[axis] * length < _SPARSE or x.dtype.kind != "f":
        matrix = _matrix(*given)
        return apply_along(x, axis, matrix.T if back else matrix)
    from torsh_numpy._resampling import sparse_product

    starts, places, weights = _taps(back, *given)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    source = np.ascontiguousarray(x).reshape(math.prod(before), x.shape[axis], math.prod(after))
    out = np.empty((source.shape[0], length, source.shape[2]), x.dtype)
    sparse_product(source, starts, places, weights.astype(x.dtype, copy=False), out)
    return out.reshape(*before, length, *after)


@functools.lru_cache(maxsize=64)
def _whole_weights(*given: Any) -> tuple[Array, int]:
    """A matrix of ``_matrix`` as multiples of a power of two that fit 16 bits, and the power."""
    matrix = _matrix(*given)
    top, bits = float(matrix.max()), 0
    while bits < 22 and int(0.5 + top * (1 << bits + 1)) < 1 << 15:
        bits += 1
    scaled = matrix * (1 << bits)
    return np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)), bits


def _resample_bytes(x: Array, size: Any, scales: Any, mode: str, align_corners: bool, antialias: bool) -> Array:
    """Images of bytes, as PyTorch computes them: with whole weights, rows first, rounded to bytes after each dimension."""
    out = x
    for axis in range(x.ndim - 1, 1, -1):
        i, o = x.shape[axis], size[axis - 2]
        if i != o:
            weights, bits = _whole_weights(i, o, scales[axis - 2], mode, align_corners, antialias, np.float64)
            # float64 holds these sums exactly, and has a fast product.
            sums = apply_along(out.astype(np.float64), axis, weights)
            out = np.clip(np.floor((sums + (1 << bits - 1)) / (1 << bits)), 0, 255).astype(np.uint8)
    return out.copy() if out is x else np.ascontiguousarray(out)


def resample(x, size, scales, mode, align_corners, antialias):
    real = np.float64 if x.dtype == np.float64 else np.float32
    if mode.startswith("nearest"):
        exact = mode == "nearest-exact"
        for axis in range(x.ndim - 1, 1, -1):  # the last first: whole rows are copied then
            o, s = size[axis - 2], scales[axis - 2]
            x = x.take(_nearest(x.shape[axis], o, s, exact, real), axis)
        return x
    if x.dtype == np.uint8 and x.ndim == 4:
        return _resample_bytes(x, size, scales, mode, align_corners, antialias)
    whole = x.dtype.kind != "f"
    out = x
    for axis, (o, s) in enumerate(zip(size, scales), 2):
        i = x.shape[axis]
        if i != o or s is not None:
            given = (i, o, s, mode, align_corners, antialias, real)
            out = _along(out.astype(real) if whole else out, axis, o, False, given)
    if whole and out.dtype != x.dtype:
        limits = np.iinfo(x.dtype)
        out = np.clip(np.rint(out), limits.min, limits.max).astype(x.dtype)
    return out.copy() if out is x else np.ascontiguousarray(out)


def resample_backward(g, shape, scales, mode, align_corners, antialias):
    real = np.float64 if g.dtype == np.float64 else np.float32
    out = g
    for axis, s in enumerate(scales, 2):
        i, o = shape[axis], g.shape[axis]
        if i != o or s is not None:
            out = _along(out, axis, i, True, (i, o, s, mode, align_corners, antialias, real))
    return out.copy() if out is g else np.ascontiguousarray(out)


def _grid(space: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[int, ...]:
    return tuple(
        (i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, d, p, s in zip(space, kernel, dilation, padding, stride)
    )


def im2col(x, kernel, dilation, padding, stride):
    n, c = x.shape[:2]
    size = _grid(x.shape[2:], kernel, dilation, padding, stride)
    xp = _padded(x, [(p, p) for p in padding], False)
    patches = _windows(xp, 2, kernel, stride, dilation, size, "nckp")
    return patches.reshape(n, c * math.prod(kernel), math.prod(size))


def col2im(x, size, kernel, dilation, padding, stride):
    n, c = x.shape[0], x.shape[1] // math.prod(kernel)
    grid = _grid(size, kernel, dilation, padding, stride)
    columns = x.reshape(n, c, *kernel, *grid)
    field = np.zeros((n, c, *(i + 2 * p for i, p in zip(size, padding))), x.dtype)
    for tap in itertools.product(*(range(k) for k in kernel)):
        field[(slice(None), slice(None), *_slices(tap, stride, dilation, grid))] += columns[
            (slice(None), slice(None), *tap)
        ]
    return np.ascontiguousarray(field[(slice(None), slice(None), *(slice(p, p + i) for p, i in zip(padding, size)))])


KERNELS = {f.__name__: f for f in (resample, resample_backward, im2col, col2im)}
