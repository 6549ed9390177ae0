"""Convolutions as matrix products: patches are laid out as a matrix ("im2col") and BLAS does the rest.

Two layouts.  *Channels first*: the matrix is (channels * taps, samples * positions), copied in runs of the innermost
output
size.  *Channels last*: (samples * positions, taps * channels), copied in runs of channels * taps of the innermost
dimension.  The one with the longer runs is faster; small images with many channels want the second.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from torsh_numpy._compiled import LOOPS

Array = Any
Ints = tuple[int, ...]

# Patches are made for as many samples at a time as fit in this many elements.
_PATCH_ELEMENTS = 1 << 19


def _windows(x: Array, first: int, kernel: Ints, stride: Ints, dilation: Ints, out: Ints, order: str) -> Array:
    """A view of all windows of ``x``, whose spatial dimensions start at ``first``.

    order: which of "n" (samples), "c" (channels), "p" (positions), "k" (taps) come in which order.
    """
    sizes, strides = _window_geometry(x.shape, x.strides, first, kernel, stride, dilation, out, order)
    # np.ndarray on the memory itself takes 1 us, as_strided 8.
    return np.ndarray(sizes, x.dtype, x, 0, strides)


_loop = LOOPS["patches"]


def _patches(x: Array, last: bool, kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> Array:
    """The matrix of patches: (samples * positions, taps * channels) with channels last, else its transpose by channels."""
    if last:  # long runs, which NumPy copies as fast as can be
        return _windows(x, 1, kernel, stride, dilation, out, "npkc").reshape(-1, math.prod(kernel) * x.shape[-1])
    rows, columns = x.shape[1] * math.prod(kernel), x.shape[0] * math.prod(out)
    run = _loop.run or _loop.worth(rows * columns)
    if run is None or len(kernel) > 2 or x.dtype not in _COMPILED:
        return _windows(x, 2, kernel, stride, dilation, out, "cknp").reshape(rows, columns)
    if len(kernel) == 1:  # a picture of height 1
        x = x[:, :, None]
        kernel, stride, dilation, out = (1, *kernel), (1, *stride), (1, *dilation), (1, *out)
    found = np.empty((rows, columns), x.dtype)
    run(x, (*kernel, *stride, *dilation, *out), found)
    return found


_COMPILED = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


@functools.lru_cache(1024)
def _window_geometry(
    shape: Ints, s: Ints, first: int, kernel: Ints, stride: Ints, dilation: Ints, out: Ints, order: str
) -> tuple[Ints, Ints]:
    space = s[first : first + len(kernel)]
    batch, channel = (0, len(s) - 1) if first == 1 else (0, 1)
    sizes: list[int] = []
    strides: list[int] = []
    for letter in order:
        if letter == "n":
            sizes.append(shape[batch])
            strides.append(s[batch])
        elif letter == "c":
            sizes.append(shape[channel])
            strides.append(s[channel])
        elif letter == "p":
            sizes.extend(out)
            strides.extend(a * b for a, b in zip(space, stride))
        else:
            sizes.extend(kernel)
            strides.extend(a * b for a, b in zip(space, dilation))
    return tuple(sizes), tuple(strides)


def _padded(x: Array, pads: Any, last: bool) -> Array:
    """A contiguous array with zeros around (cut off where a pad is negative), channels last if asked for."""
    space = x.shape[2:]
    if any(lo < 0 or hi < 0 for lo, hi in pads):
        x = x[(slice(None), slice(None), *(slice(max(-lo, 0), n - max(-hi, 0)) for (lo, hi), n in zip(pads, space)))]
        pads = [(max(lo, 0), max(hi, 0)) for lo, hi in pads]
        space = x.shape[2:]
    if last:
        x = x.transpose(0, *range(2, x.ndim), 1)
    if not any(map(any, pads)):
        return np.ascontiguousarray(x)
    sizes, inner = _frame(space, tuple(pads))
    if last:
        out = np.zeros((x.shape[0], *sizes, x.shape[-1]), x.dtype)
        out[(slice(None), *inner)] = x
    else:
        out = np.zeros((*x.shape[:2], *sizes), x.dtype)
        out[(slice(None), slice(None), *inner)] = x
    return out


@functools.lru_cache(256)
def _frame(space: Ints, pads: Any) -> tuple[Ints, Any]:
    """The sizes with padding, and where the array lies in them."""
    sizes = tuple(n + lo + hi for n, (lo, hi) in zip(space, pads))
    return sizes, tuple(slice(lo, lo + n) for n, (lo, hi) in zip(space, pads))


@functools.lru_cache(256)
def _out_size(space: Ints, kernel: Ints, stride: Ints, pads: Any, dilation: Ints) -> Ints:
    return tuple(
        (i + lo + hi - d * (k - 1) - 1) // s + 1 for i, (lo, hi), d, k, s in zip(space, pads, dilation, kernel, stride)
    )


def _chunks(n: int, each: int) -> Any:
    """Slices of the samples whose patches fit in memory together."""
    step = max(1, min(n, _PATCH_ELEMENTS // max(each, 1)))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def _channels_last(channels: int, out: Ints, kernel: Ints, dilation: Ints, stride: Ints) -> bool:
    run = channels * (kernel[-1] if dilation[-1] == 1 else 1)
    return run > (out[-1] if stride[-1] == 1 else out[-1] // 2)


@functools.lru_cache(256)
def _at_once(shape: Ints, weight: Ints, stride: Ints, pads: Any, dilation: Ints, groups: int) -> Any:
    """The result's spatial size, the padded input's shape and where the input lies in it, if one product of matrices (kernels by
    patches) does it all; None if not.
    """
    (n, c), o, kernel = shape[:2], weight[0], weight[2:]
    size = _out_size(shape[2:], kernel, stride, pads, dilation)
    taps, positions = math.prod(kernel), math.prod(size)
    empty = not n * positions * o or not c
    if empty or groups > 1 or taps == 1 or any(p < 0 for pair in pads for p in pair):
        return None
    if n * positions * taps * c > _PATCH_ELEMENTS or _channels_last(c, size, kernel, dilation, stride):
        return None
    if not any(map(any, pads)):
        return size, None, None
    sizes, inner = _frame(shape[2:], pads)
    return size, (n, c, *sizes), (slice(None), slice(None), *inner)


def _forward(x: Array, w: Array, stride: Ints, pads: Any, dilation: Ints, groups: int) -> Array:
    n, c = x.shape[:2]
    plan = _at_once(x.shape, w.shape, stride, pads, dilation, groups)
    if plan is not None and x.dtype == w.dtype:
        size, frame, inner = plan
        if frame is None:
            xp = np.ascontiguousarray(x)
        else:
            xp = np.zeros(frame, x.dtype)
            xp[inner] = x
        patches = _patches(xp, False, w.shape[2:], stride, dilation, size)
        found = w.reshape(w.shape[0], patches.shape[0]) @ patches
        if n == 1:
            return found.reshape(1, w.shape[0], *size)
        return np.ascontiguousarray(found.reshape(w.shape[0], n, *size).swapaxes(0, 1))
    o, kernel = w.shape[0], w.shape[2:]
    out_size = _out_size(x.shape[2:], kernel, stride, pads, dilation)
    taps, positions = math.prod(kernel), math.prod(out_size)
    if not n * positions * o or not c:
        return np.zeros((n, o, *out_size), x.dtype)
    if taps == 1 and positions == math.prod(x.shape[2:]) and not any(map(any, pads)):
        return _pointwise(x, w, groups).reshape(n, o, *out_size)
    if groups == c and groups > 1:
        return _depthwise(x, w, stride, pads, dilation, out_size)
    out = np.empty((n, o, *out_size), np.result_type(x, w))
    last = groups == 1 and _channels_last(c, out_size, kernel, dilation, stride)
    if last:
        matrix = np.ascontiguousarray(w.transpose(*range(2, w.ndim), 1, 0)).reshape(taps * c, o)
    else:
        matrix = w.reshape(groups, o // groups, c // groups * taps)
    for part, xp in _bands(x, pads, kernel, stride, dilation, out_size, taps * c, last):
        size = (part[1].stop - part[1].start, *out_size[1:])
        if last:
            patches = _patches(xp, True, kernel, stride, dilation, size)
            found = (patches @ matrix).reshape(-1, *size, o)
            out[part[0], :, part[1]] = found.transpose(0, len(size) + 1, *range(1, len(size) + 1))
        else:
            patches = _patches(xp, False, kernel, stride, dilation, size).reshape(groups, c // groups * taps, -1)
            found = np.matmul(matrix, patches).reshape(o, -1, *size)
            out[part[0], :, part[1]] = found.swapaxes(0, 1)
        del patches, found  # before the next ones are made
    return out


def _bands(x: Array, pads: Any, kernel: Ints, stride: Ints, dilation: Ints, out: Ints, each: int, last: bool) -> Any:
    """Parts of the result, as (samples, rows), whose patches fit in memory together, and the padded input of each.

    each: elements in the patch of a position.
    """
    samples, per = x.shape[0], math.prod(out[1:]) * each
    whole = out[0] * per
    if whole <= _PATCH_ELEMENTS:
        for part in _chunks(samples, whole):
            yield (part, slice(0, out[0])), _padded(x[part], pads, last)
        return
    step = max(1, _PATCH_ELEMENTS // max(per, 1))
    reach = dilation[0] * (kernel[0] - 1)
    low, height = pads[0][0], x.shape[2]
    for n in range(samples):
        for first in range(0, out[0], step):
            end = min(first + step, out[0])
            # The rows of the input these rows of the result see, and how far they reach beyond it.
            top, bottom = first * stride[0] - low, (end - 1) * stride[0] + reach + 1 - low
            rows = x[n : n + 1, :, max(top, 0) : max(min(bottom, height), 0)]
            edge = (max(-top, 0), max(bottom - height, 0)) if rows.shape[2] else (bottom - top, 0)
            yield (slice(n, n + 1), slice(first, end)), _padded(rows, [edge, *pads[1:]], last)


def _pointwise(x: Array, w: Array, groups: int) -> Array:
    """Kernels of one tap: a matrix product per position."""
    n, c, o = x.shape[0], x.shape[1], w.shape[0]
    positions = math.prod(x.shape[2:])
    if groups > 1:
        return np.matmul(w.reshape(groups, o // groups, c // groups), x.reshape(n, groups, c // groups, positions))
    if positions >= 64 or n == 1:
        return np.matmul(w.reshape(o, c), x.reshape(n, c, positions))
    rows = x.reshape(n, c, positions).transpose(0, 2, 1).reshape(n * positions, c)
    return np.ascontiguousarray((rows @ w.reshape(o, c).T).reshape(n, positions, o).transpose(0, 2, 1))


def _taps(kernel: Ints) -> Any:
    return itertools.product(*(range(k) for k in kernel))


def _slices(tap: Ints, stride: Ints, dilation: Ints, out: Ints) -> Any:
    return tuple(slice(t * d, t * d + s * (o - 1) + 1, s) for t, s, d, o in zip(tap, stride, dilation, out))


def _depthwise(x: Array, w: Array, stride: Ints, pads: Any, dilation: Ints, out_size: Ints) -> Array:
    """One channel in per group: a product and a sum per tap, without patches."""
    n, c = x.shape[:2]
    o, kernel = w.shape[0], w.shape[2:]
    weights = w.reshape(1, c, o // c, *kernel)
    ones = (1,) * len(kernel)
    out = np.zeros((n, c, o // c, *out_size), x.dtype)
    for part in _chunks(n, o * math.prod(out_size)):
        xp = _padded(x[part], pads, False)[:, :, None]
        into = out[part]
        product = np.empty_like(into)
        for tap in _taps(kernel):
            piece = xp[(slice(None),) * 3 + _slices(tap, stride, dilation, out_size)]
            into += np.multiply(piece, weights[(slice(None),) * 3 + tap].reshape(1, c, o // c, *ones), out=product)
    return out.reshape(n, o, *out_size)


def _transposed(x: Array, w: Array, stride: Ints, padding: Ints, dilation: Ints, extra: Ints, groups: int) -> Array:
    n, c = x.shape[:2]
    per, kernel, size = w.shape[1], w.shape[2:], x.shape[2:]
    o = per * groups
    reach = tuple(d * (k - 1) for d, k in zip(dilation, kernel))
    full = tuple((i - 1) * s + r + 1 for i, s, r in zip(size, stride, reach))
    out_size = tuple(f - 2 * p + e for f, p, e in zip(full, padding, extra))
    if all(s == 1 for s in stride):
        # The plain convolution with the kernel turned around.
        pads = tuple((r - p, r - p + e) for r, p, e in zip(reach, padding, extra))
        turned = w[(slice(None), slice(None), *(slice(None, None, -1) for _ in kernel))]
        turned = turned.reshape(groups, c // groups, per, *kernel).swapaxes(1, 2).reshape(o, c // groups, *kernel)
        return _forward(x, turned, stride, pads, dilation, groups)
    taps, positions = math.prod(kernel), math.prod(size)
    whole = tuple(max(f, p + q) for f, p, q in zip(full, padding, out_size))
    inner = tuple(slice(p, p + q) for p, q in zip(padding, out_size))
    out = np.zeros((n, o, *out_size), x.dtype)
    if not n * positions * o * c:
        return out
    if groups == 1 and _channels_last(o, size, (1,), (1,), (1,)):
        matrix = np.ascontiguousarray(w.transpose(0, *range(2, w.ndim), 1)).reshape(c, taps * o)
        for part in _chunks(n, positions * taps * o):
            rows = _padded(x[part], [(0, 0)] * len(size), True).reshape(-1, c)
            columns = (rows @ matrix).reshape(-1, *size, *kernel, o)
            field = np.zeros((columns.shape[0], *whole, o), x.dtype)
            gaps = (slice(None),) * (len(size) + 1)
            for tap in _taps(kernel):
                field[(slice(None), *_slices(tap, stride, dilation, size))] += columns[gaps + tap]
            out[part] = field[(slice(None), *inner)].transpose(0, len(size) + 1, *range(1, len(size) + 1))
        return out
    matrix = w.reshape(groups, c // groups, per * taps).transpose(0, 2, 1)
    for part in _chunks(n, positions * taps * o):
        rows = x[part].reshape(-1, groups, c // groups, positions).transpose(1, 2, 0, 3)
        columns = np.matmul(matrix, rows.reshape(groups, c // groups, -1)).reshape(o, *kernel, -1, *size)
        field = np.zeros((o, columns.shape[1 + len(kernel)], *whole), x.dtype)
        for tap in _taps(kernel):
            field[(slice(None), slice(None), *_slices(tap, stride, dilation, size))] += columns[(slice(None), *tap)]
        out[part] = field[(slice(None), slice(None), *inner)].swapaxes(0, 1)
    return out


@functools.cache
def _both_sides(padding: Ints) -> tuple[tuple[int, int], ...]:
    return tuple((p, p) for p in padding)


def convolution(x, w, bias, stride, padding, dilation, transposed, output_padding, groups):
    if transposed:
        out = _transposed(x, w, stride, padding, dilation, output_padding, groups)
    else:
        out = _forward(x, w, stride, _both_sides(padding), dilation, groups)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * (out.ndim - 2))
    return out


def convolution_weight(g, x, size, stride, padding, dilation, groups):
    """The sum over samples and positions of g times the patch of x it was made from."""
    n, c = x.shape[:2]
    o, out_size, kernel = g.shape[1], g.shape[2:], size[2:]
    taps, positions = math.prod(kernel), math.prod(out_size)
    if not n * positions * taps * c * o:
        return np.zeros(size, x.dtype)
    if taps == 1 and groups == 1 and x.shape[2:] == out_size and not any(padding) and all(s == 1 for s in stride):
        left = g.reshape(n, o, positions).swapaxes(0, 1).reshape(o, -1)
        return (left @ x.reshape(n, c, positions).swapaxes(0, 1).reshape(c, -1).T).reshape(size)
    pads = [(p, p) for p in padding]
    if groups == c and groups > 1:
        xp = _padded(x, pads, False)
        split = g.reshape(n, c, o // c, positions)
        found = np.empty((c, o // c, *kernel), x.dtype)
        for tap in _taps(kernel):
            part = xp[(slice(None), slice(None), *_slices(tap, stride, dilation, out_size))].reshape(n, c, positions, 1)
            found[(slice(None), slice(None), *tap)] = np.matmul(split, part).sum(0).reshape(c, o // c)
        return found.reshape(size)
    total: Any = 0
    last = groups == 1 and _channels_last(c, out_size, kernel, dilation, stride)
    for part, xp in _bands(x, pads, kernel, stride, dilation, out_size, taps * c, last):
        rows = (part[1].stop - part[1].start, *out_size[1:])
        left = g[part[0], :, part[1]].swapaxes(0, 1)
        if last:
            patches = _patches(xp, True, kernel, stride, dilation, rows)
            total = total + left.reshape(o, -1) @ patches
        else:
            patches = _patches(xp, False, kernel, stride, dilation, rows).reshape(groups, c // groups * taps, -1)
            total = total + np.matmul(left.reshape(groups, o // groups, -1), patches.swapaxes(1, 2))
        del patches
    if last:
        total = total.reshape(o, *kernel, c).transpose(0, len(kernel) + 1, *range(1, len(kernel) + 1))
        return np.ascontiguousarray(total)
    return total.reshape(size)


KERNELS = {"convolution": convolution, "convolution_weight": convolution_weight}
