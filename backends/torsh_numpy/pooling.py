"""Pooling: one pass over the array per tap of the window, never a Python loop over positions."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from torsh_numpy._compiled import LOOPS

Array = Any
Ints = tuple[int, ...]


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _around(x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, size: Ints, fill: Any) -> Array:
    """The array with as much of ``fill`` around it as the windows reach beyond it."""
    space = x.shape[2:]
    ends = [
        max(0, (o - 1) * s + d * (k - 1) + 1 - i - p)
        for o, s, d, k, i, p in zip(size, stride, dilation, kernel, space, padding)
    ]
    if not any(padding) and not any(ends):
        return x
    sizes = tuple(i + p + e for i, p, e in zip(space, padding, ends))
    out = np.full((*x.shape[:2], *sizes), fill, x.dtype)
    out[(slice(None), slice(None), *(slice(p, p + i) for p, i in zip(padding, space)))] = x
    return out


@functools.lru_cache(1024)
def _tap(tap: Ints, stride: Ints, dilation: Ints, size: Ints) -> Any:
    return (
        slice(None), slice(None),
        *(slice(t * d, t * d + s * (o - 1) + 1, s) for t, s, d, o in zip(tap, stride, dilation, size)),
    )  # fmt: skip


@functools.lru_cache(256)
def _taps(kernel: Ints) -> list[Ints]:
    return list(itertools.product(*(range(k) for k in kernel)))


_max_pool = LOOPS["max_pool"]
# Above this NumPy's passes over whole arrays are faster.
_SMALL = 20_000
_FLOATS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def _compiled_max_pool(
    x: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, size: Ints, places: bool
) -> Any:
    """Maxima and positions by the compiled loop; None where it does not serve."""
    if x.size > _SMALL or len(kernel) > 2 or not x.size or x.dtype not in _NUMBERS:
        return None
    run = _max_pool.run or _max_pool.worth(x.size)
    if run is None:
        return None
    planes, out, flat, window = _planes(x.shape, kernel, stride, padding, dilation, size)
    best = np.empty(out, x.dtype)
    where = np.empty(out, np.int64) if places else None
    run(
        np.ascontiguousarray(x).reshape(planes),
        window,
        best.reshape(flat),
        _NOWHERE if where is None else where.reshape(flat),
    )
    return best, where


_NUMBERS = frozenset(np.dtype(t) for t in "bhilqBHILQfd")
_NOWHERE = np.empty((0, 0, 0), np.int64)


@functools.lru_cache(256)
def _planes(
    shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, size: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """For compiled loops: the input as planes, the result's shape and it as planes, the windows; one dimension is two, of which
    the first is 1.
    """
    if len(kernel) == 1:
        kernel, stride, padding, dilation = (1, *kernel), (1, *stride), (0, *padding), (1, *dilation)
    lines = (1,) * (4 - len(shape))
    planes, flat = (-1, *lines, *shape[2:]), (-1, *lines, *size)
    return planes, (*shape[:2], *size), flat, (*kernel, *stride, *padding, *dilation)


def max_pool(x, kernel, stride, padding, dilation, size):
    if (found := _compiled_max_pool(x, kernel, stride, padding, dilation, size, False)) is not None:
        return found[0]
    xp = _around(x, kernel, stride, padding, dilation, size, _lowest(x.dtype))
    best = None
    for tap in _taps(kernel):
        part = xp[_tap(tap, stride, dilation, size)]
        best = part.copy() if best is None else np.maximum(best, np.ascontiguousarray(part), out=best)
    return best


@functools.lru_cache(256)
def _positions(
    space: Ints, size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints
) -> tuple[Array, Array]:
    """The flat position of an element of a window is that of the window's corner plus that of the tap."""
    taps = _taps(kernel)
    corner: Any = np.zeros(size, np.int64)
    reach = np.zeros(len(taps), np.int64)
    for axis in range(len(size)):
        step = math.prod(space[axis + 1 :])
        line = (np.arange(size[axis]) * stride[axis] - padding[axis]) * step
        corner += line.reshape(-1, *(1,) * (len(size) - axis - 1))
        reach += np.array([t[axis] * dilation[axis] * step for t in taps])
    return corner, reach


def max_pool_with_indices(x, kernel, stride, padding, dilation, size):
    if (found := _compiled_max_pool(x, kernel, stride, padding, dilation, size, True)) is not None:
        return found
    xp = _around(x, kernel, stride, padding, dilation, size, _lowest(x.dtype))
    space = x.shape[2:]
    taps = _taps(kernel)
    # The first tap inside the array: padding must never win, not even where all elements are -inf.
    which = np.zeros((*x.shape[:2], *size), np.intp if len(taps) > 255 else np.uint8)
    first = np.zeros(size, which.dtype)
    if any(padding):
        starts = [
            [next(t for t in range(k) if o * s - p + t * d >= 0) for o in range(n)]
            for n, s, p, k, d in zip(size, stride, padding, kernel, dilation)
        ]
        weights = [math.prod(kernel[i + 1 :]) for i in range(len(kernel))]
        for axis, (values, weight) in enumerate(zip(starts, weights)):
            first += (np.array(values) * weight).astype(which.dtype).reshape(-1, *(1,) * (len(size) - axis - 1))
        which += first
    best = xp[_tap(taps[0], stride, dilation, size)].copy()
    for number, tap in enumerate(taps[1:], 1):
        part = np.ascontiguousarray(xp[_tap(tap, stride, dilation, size)])
        # A later tap has the larger number, so the maximum of numbers is the last improvement; ten times as fast as a
        # masked copy.
        better = (part > best).view(np.uint8)
        np.maximum(which, better * which.dtype.type(number), out=which)
        np.maximum(best, part, out=best)
    if x.dtype.kind == "f" and best.size and np.isnan(best.max()):
        for number, tap in enumerate(taps):  # the last nan of a window counts
            np.copyto(which, number, where=np.isnan(xp[_tap(tap, stride, dilation, size)]))
    corner, reach = _positions(space, size, kernel, stride, padding, dilation)
    return best, reach.take(which) + corner


def max_pool_backward(g, indices, size, unique):
    planes, total = size[0] * size[1], math.prod(size[2:])
    flat = indices.reshape(planes, -1) + np.arange(0, planes * total, total).reshape(planes, 1) if planes else indices
    if unique:
        out = np.zeros(planes * total, g.dtype)
        out[flat.reshape(-1)] = g.reshape(-1)
        return out.reshape(size)
    out = np.bincount(flat.reshape(-1), g.reshape(-1), planes * total) if g.size else np.zeros(planes * total)
    return out.astype(g.dtype).reshape(size)


@functools.lru_cache(256)
def _divisor(shape: Ints, size: Ints, kernel: Ints, stride: Ints, padding: Ints, counts: bool) -> Any:
    """How many elements each window has: a number where all have the same."""
    lines = []
    for o, k, s, p, i in zip(size, kernel, stride, padding, shape):
        start = np.arange(o) * s - p
        end = np.minimum(start + k, i + p)
        lines.append(end - start if counts else np.minimum(end, i) - np.maximum(start, 0))
    if all((line == k).all() for line, k in zip(lines, kernel)):
        return math.prod(kernel)
    divisor = lines[0]
    for line in lines[1:]:
        divisor = divisor[..., None] * line
    return divisor


def _divided(out: Array, shape: Ints, kernel: Ints, stride: Ints, padding: Ints, counts: bool, divisor: Any) -> Array:
    """Divide sums of windows by their number of elements."""
    if divisor is None:
        divisor = _divisor(tuple(shape[2:]), out.shape[2:], tuple(kernel), tuple(stride), tuple(padding), counts)
    if out.dtype.kind == "f":
        return out / np.asarray(divisor, out.dtype)
    return (np.sign(out) * np.sign(divisor) * (np.abs(out) // np.abs(divisor))).astype(out.dtype)


_mean_pool = LOOPS["mean_pool"]


def mean_pool(x, kernel, stride, padding, size, counts, divisor):
    if (
        len(kernel) == 2
        and 0 < x.size <= _SMALL
        and x.dtype in _FLOATS
        and (run := _mean_pool.run or _mean_pool.worth(x.size))
    ):
        planes, shape, flat, window, each = _means_of(x.shape, x.dtype, kernel, stride, padding, size, counts, divisor)
        if each is not None:
            out = np.empty(shape, x.dtype)
            run(np.ascontiguousarray(x).reshape(planes), window, each, out.reshape(flat))
            return out
    ones = (1,) * len(kernel)
    xp = _around(x, kernel, stride, padding, ones, size, 0)
    total = None
    for tap in _taps(kernel):
        part = xp[_tap(tap, stride, ones, size)]
        total = part.copy() if total is None else np.add(total, part, out=total)
    return _divided(total, x.shape, kernel, stride, padding, counts, divisor)


@functools.lru_cache(256)
def _means_of(
    shape: Ints, dtype: Any, kernel: Ints, stride: Ints, padding: Ints, size: Ints, counts: bool, divisor: Any
) -> tuple[Ints, Ints, Ints, Ints, Any]:
    """``_planes``, and what to divide by; None where windows differ in it."""
    each = _divisor(shape[2:], size, kernel, stride, padding, counts) if divisor is None else divisor
    planes, out, flat, window = _planes(shape, kernel, stride, padding, (), size)
    return planes, out, flat, window, dtype.type(each) if type(each) is int else None


def avg_pool_backward(g, shape, kernel, stride, padding, size, counts, divisor):
    share = _divided(g, shape, kernel, stride, padding, counts, divisor)
    ones = (1,) * len(kernel)
    sizes = tuple(max((o - 1) * s + k, i + p) for o, s, k, i, p in zip(size, stride, kernel, shape[2:], padding))
    out = np.zeros((*shape[:2], *sizes), g.dtype)
    for tap in _taps(kernel):
        out[_tap(tap, stride, ones, size)] += share
    inner = out[(slice(None), slice(None), *(slice(p, p + i) for p, i in zip(padding, shape[2:])))]
    return np.ascontiguousarray(inner)


def _edges(i: int, o: int) -> list[tuple[int, int]]:
    """Where each of ``o`` windows over a dimension of ``i`` elements starts and ends."""
    return [((j * i) // o, -((-(j + 1) * i) // o)) for j in range(o)]


def _means(i: int, o: int, dtype: Any) -> Array:
    """The matrix (o, i) whose rows average the windows."""
    out = np.zeros((o, i), dtype)
    for j, (a, b) in enumerate(_edges(i, o)):
        out[j, a:b] = 1 / (b - a)
    return out


def apply_along(x: Array, axis: int, matrix: Array) -> Array:
    """Multiply the vectors along an axis by a matrix whose zeros mean that an element is not looked at."""
    found = _product_along(x, axis, matrix)
    if found.dtype.kind in "fc" and not np.isfinite(found.sum()):  # 0 * inf is nan
        vectors = np.moveaxis(x, axis, -1)
        seen = [np.flatnonzero(row) for row in matrix]
        parts = [np.matmul(vectors[..., places], row[places]) for row, places in zip(matrix, seen)]
        return np.ascontiguousarray(np.moveaxis(np.stack(parts, -1), -1, axis))
    return found


def _product_along(x: Array, axis: int, matrix: Array) -> Array:
    if axis == x.ndim - 1:
        return np.matmul(x, matrix.T)
    if axis == x.ndim - 2:
        return np.matmul(matrix, x)
    shape = x.shape
    flat = x.reshape(*shape[: axis + 1], math.prod(shape[axis + 1 :]))
    return np.matmul(matrix, flat).reshape(*shape[:axis], matrix.shape[0], *shape[axis + 1 :])


def adaptive_mean_pool(x, size):
    for axis, o in enumerate(size, x.ndim - len(size)):
        if o != x.shape[axis]:
            x = apply_along(x, axis, _means(x.shape[axis], o, x.dtype))
    return np.array(x) if not x.flags.c_contiguous else x.copy() if x.base is not None else x


def adaptive_mean_pool_backward(g, shape):
    x = g
    for axis in range(2, len(shape)):
        if g.shape[axis] != shape[axis]:
            x = apply_along(x, axis, _means(shape[axis], g.shape[axis], g.dtype).T)
    return x.copy() if x is g else np.ascontiguousarray(x)


def adaptive_max_pool(x, size):
    n, c = x.shape[:2]
    space = x.shape[2:]
    out = np.empty((n, c, *size), x.dtype)
    where = np.empty((n, c, *size), np.int64)
    for place in itertools.product(*([(o, *e) for o, e in enumerate(_edges(i, s))] for i, s in zip(space, size))):
        window = tuple(slice(a, b) for _, a, b in place)
        at = (slice(None), slice(None), *(o for o, _, _ in place))
        block = x[(slice(None), slice(None), *window)]
        flat = block.reshape(n, c, math.prod(block.shape[2:]))
        best = flat.argmax(2)
        out[at] = np.take_along_axis(flat, best[..., None], 2)[..., 0]
        inside = np.unravel_index(best, block.shape[2:])
        where[at] = np.ravel_multi_index(tuple(i + a for i, (_, a, _) in zip(inside, place)), space)
    return out, where


def _starts(sample: Array, i: int, o: int, k: int) -> Array:
    """Where the windows of fractional pooling start: (N, C, o)."""
    if o < 2:
        return np.full((*sample.shape, o), i - k)
    alpha = sample.dtype.type(i - k) / sample.dtype.type(o - 1)
    steps = np.arange(o - 1).astype(sample.dtype)
    places = ((steps + sample[..., None]) * alpha).astype(np.int64) - (sample[..., None] * alpha).astype(np.int64)
    return np.concatenate([places, np.full((*sample.shape, 1), i - k)], -1)


def fractional_max_pool(x, samples, kernel, size):
    n, c = x.shape[:2]
    space, dims = x.shape[2:], len(size)
    base: Any = np.zeros((n, c, *(1,) * dims), np.int64)
    # PyTorch's samples are ordered (width, height) for planes, (time, height, width) for volumes.
    order = range(dims - 1, -1, -1) if dims == 2 else range(dims)
    for axis, column in zip(range(dims), order):
        start = _starts(samples[..., column], space[axis], size[axis], kernel[axis])
        shape = [n, c] + [1] * dims
        shape[2 + axis] = size[axis]
        base = base + start.reshape(shape) * math.prod(space[axis + 1 :])
    flat = x.reshape(n, c, math.prod(space))
    best = where = None
    for tap in _taps(kernel):
        index = base + sum(t * math.prod(space[a + 1 :]) for a, t in enumerate(tap))
        part = np.take_along_axis(flat, index.reshape(n, c, math.prod(size)), 2).reshape(n, c, *size)
        if best is None:
            best, where = part.copy(), index.copy()
        else:
            better = (part > best) | (part != part)
            np.copyto(best, part, where=better)
            np.copyto(where, index, where=better)
    return best, where


KERNELS = {
    f.__name__: f
    for f in (
        max_pool, max_pool_with_indices, max_pool_backward, mean_pool, avg_pool_backward, adaptive_mean_pool,
        adaptive_mean_pool_backward, adaptive_max_pool, fractional_max_pool,
    )
}  # fmt: skip
