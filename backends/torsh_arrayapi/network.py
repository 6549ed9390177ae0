"""Convolutions, pooling and padding: one pass over the array per tap of the window."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from torsh_arrayapi.pointwise import is_float, like


def pad(xp, x, pads, value):
    """Constant values around the last dimensions; negative amounts cut off.  pads: (before, after) per dimension."""
    for axis, (lo, hi) in enumerate(pads, x.ndim - len(pads)):
        n = x.shape[axis]
        if lo < 0 or hi < 0:
            x = x[(*(slice(None),) * axis, slice(max(-lo, 0), n - max(-hi, 0)), ...)]
        parts = []
        for amount in (lo, hi):
            shape = (*x.shape[:axis], max(amount, 0), *x.shape[axis + 1 :])
            parts.append(xp.full(shape, value, dtype=x.dtype) if amount > 0 else None)
        parts = [p for p in (parts[0], x, parts[1]) if p is not None]
        x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
    return x


def taps(kernel):
    return itertools.product(*(range(k) for k in kernel))


def at_tap(tap, stride, dilation, size):
    """The elements that one tap of the window meets, for all positions."""
    return (
        slice(None), slice(None),
        *(slice(t * d, t * d + s * (o - 1) + 1, s) for t, d, s, o in zip(tap, dilation, stride, size)),
    )  # fmt: skip


def _grouped(xp, x, w, groups):
    """(N, C, *S) with a (O, C / groups) matrix on the channels -> (N, O, *S)."""
    n, c, *space = x.shape
    x = xp.reshape(x, (n, groups, c // groups, math.prod(space)))
    w = xp.reshape(w, (1, groups, w.shape[0] // groups, w.shape[1]))
    return xp.reshape(xp.matmul(w, x), (n, -1, *space))


def convolution(xp, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """padding: one amount per spatial dimension, the same on both sides."""
    if transposed:
        found = _transposed(xp, x, weight, stride, padding, dilation, output_padding, groups)
    else:
        kernel = weight.shape[2:]
        pads = [p if isinstance(p, tuple) else (p, p) for p in padding]
        x = pad(xp, x, pads, 0)
        size = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)]
        found = xp.zeros((x.shape[0], weight.shape[0], *size), dtype=x.dtype)
        for tap in taps(kernel):
            part, w = x[at_tap(tap, stride, dilation, size)], weight[(slice(None), slice(None), *tap)]
            found = found + _grouped(xp, part, w, groups)
    return found if bias is None else found + xp.reshape(bias, (1, -1, *[1] * (x.ndim - 2)))


def _transposed(xp, x, weight, stride, padding, dilation, output_padding, groups):
    """The adjoint: every element is spread over a window."""
    kernel = weight.shape[2:]
    pads = [p if isinstance(p, tuple) else (p, p) for p in padding]
    sizes = zip(x.shape[2:], stride, dilation, kernel, output_padding)
    full = [(n - 1) * s + d * (k - 1) + 1 + o for n, s, d, k, o in sizes]
    per_group, cin = weight.shape[1], weight.shape[0]
    found = xp.zeros((x.shape[0], per_group * groups, *full), dtype=x.dtype)
    for tap in taps(kernel):
        w = xp.reshape(weight[(slice(None), slice(None), *tap)], (groups, cin // groups, per_group))
        w = xp.reshape(xp.permute_dims(w, (0, 2, 1)), (groups * per_group, cin // groups))
        found = found + _spread(xp, _grouped(xp, x, w, groups), tap, stride, dilation, full)
    return pad(xp, found, [(-lo, -hi) for lo, hi in pads], 0)


def _spread(xp, x, tap, stride, dilation, full):
    """An array with its elements ``stride`` apart, starting where the tap is, in zeros."""
    for axis, (t, s, d, n) in enumerate(zip(tap, stride, dilation, full), 2):
        size = x.shape[axis]
        if s > 1:
            x = xp.expand_dims(x, axis=axis + 1)
            x = pad(xp, x, [(0, s - 1), *[(0, 0)] * (x.ndim - axis - 2)], 0)
            x = xp.reshape(x, (*x.shape[:axis], size * s, *x.shape[axis + 2 :]))
        x = pad(xp, x, [(t * d, n - t * d - x.shape[axis]), *[(0, 0)] * (x.ndim - axis - 1)], 0)
    return x


def convolution_weight(xp, g, x, size, stride, padding, dilation, groups):
    """The gradient of a convolution with respect to its weight; ``size`` is the weight's shape."""
    pads = [p if isinstance(p, tuple) else (p, p) for p in padding]
    x = pad(xp, x, pads, 0)
    n, out = g.shape[:2]
    positions = math.prod(g.shape[2:])
    g2 = xp.reshape(g, (n, groups, out // groups, positions))
    parts = []
    for tap in taps(size[2:]):
        part = x[at_tap(tap, stride, dilation, g.shape[2:])]
        part = xp.reshape(part, (n, groups, -1, positions))
        product = xp.sum(xp.matmul(g2, xp.matrix_transpose(part)), axis=0)
        parts.append(xp.reshape(product, (out, size[1])))
    return xp.reshape(xp.stack(parts, axis=-1), size)


def _grid(space, kernel, dilation, padding, stride):
    sizes = zip(space, kernel, dilation, padding, stride)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in sizes)


def im2col(xp, x, kernel, dilation, padding, stride):
    size = _grid(x.shape[2:], kernel, dilation, padding, stride)
    around = pad(xp, x, [(p, p) for p in padding], 0)
    parts = [around[at_tap(tap, stride, dilation, size)] for tap in taps(kernel)]
    n, c = x.shape[:2]
    return xp.reshape(xp.stack(parts, axis=2), (n, c * math.prod(kernel), math.prod(size)))


def col2im(xp, x, size, kernel, dilation, padding, stride):
    n, c = x.shape[0], x.shape[1] // math.prod(kernel)
    grid = _grid(size, kernel, dilation, padding, stride)
    columns = xp.reshape(x, (n, c, math.prod(kernel), *grid))
    full = [max(i + 2 * p, 0) for i, p in zip(size, padding)]
    # What the last windows leave over gets nothing.
    reach = [max(f, (o - 1) * s + d * (k - 1) + s) for f, o, s, d, k in zip(full, grid, stride, dilation, kernel)]
    found = xp.zeros((n, c, *reach), dtype=x.dtype)
    for i, tap in enumerate(taps(kernel)):
        found = found + _spread(xp, columns[:, :, i, ...], tap, stride, dilation, reach)
    return pad(xp, found, [(-p, -(r - p - i)) for p, r, i in zip(padding, reach, size)], 0)


def _around(xp, x, kernel, stride, padding, dilation, size, fill):
    pads = [
        (p, max(0, (o - 1) * s + d * (k - 1) + 1 - n - p))
        for o, s, d, k, n, p in zip(size, stride, dilation, kernel, x.shape[2:], padding)
    ]
    return pad(xp, x, pads, fill)


def max_pool_with_indices(xp, x, kernel, stride, padding, dilation, size):
    space = x.shape[2:]
    lowest = -math.inf if xp.isdtype(x.dtype, "real floating") else int(xp.iinfo(x.dtype).min)
    around = _around(xp, x, kernel, stride, padding, dilation, size, lowest)
    best = where = None
    for tap in taps(kernel):
        part = around[at_tap(tap, stride, dilation, size)]
        flat, inside = xp.zeros((), dtype=xp.int64), xp.asarray(True)
        for i, (t, s, d, p, o, n) in enumerate(zip(tap, stride, dilation, padding, size, space)):
            position = xp.reshape(xp.arange(o, dtype=xp.int64) * s + (t * d - p), (-1, *[1] * (len(size) - i - 1)))
            flat = flat * n + position
            inside = inside & (position >= 0) & (position < n)
        flat, inside = (xp.broadcast_to(a, part.shape) for a in (flat, inside))
        if best is None:
            best, where, found = part, flat, inside
            continue
        better = (part > best) | (part != part) | xp.logical_not(found)
        better = better & inside
        best, where, found = xp.where(better, part, best), xp.where(better, flat, where), found | inside
    return best, where


def max_pool(xp, x, kernel, stride, padding, dilation, size):
    return max_pool_with_indices(xp, x, kernel, stride, padding, dilation, size)[0]


def max_pool_backward(xp, g, indices, size, unique):
    from torsh_arrayapi.indexing import add_rows

    planes, n = math.prod(size[:2]), math.prod(size[2:])
    flat = xp.reshape(indices, (planes, -1))
    values = xp.reshape(g, (planes, -1))
    rows = [add_rows(xp, flat[i, :], values[i, :], n) for i in range(planes)]
    return xp.reshape(xp.stack(rows), size) if rows else xp.zeros(size, dtype=g.dtype)


def _softmax_shift(xp, x, dim):
    top = xp.max(x, axis=dim, keepdims=True) if math.prod(x.shape) else xp.zeros((), dtype=x.dtype)
    return x - top


# ---- linear maps along single dimensions: means over windows, mirrored edges -----------------------------------------


def _along(xp, x, axis, matrix):
    """Multiply the vectors along an axis by a host matrix."""
    matrix = xp.asarray(np.ascontiguousarray(matrix), dtype=x.dtype)
    last = x.ndim - 1
    order = (*[d for d in range(x.ndim) if d != axis], axis)
    moved = x if axis == last else xp.permute_dims(x, order)
    found = xp.matmul(moved, xp.matrix_transpose(matrix))
    return found if axis == last else xp.permute_dims(found, tuple(order.index(d) for d in range(x.ndim)))


def _window_means(n, k, s, p, o, counts, whole):
    """The matrix (o, n) that averages the windows of a dimension; ``whole``: that sums them."""
    out = np.zeros((o, n))
    for j in range(o):
        start = j * s - p
        end = min(start + k, n + p)
        inside = slice(max(start, 0), max(min(end, n), 0))
        out[j, inside] = 1.0 if whole else 1.0 / max((end - start) if counts else (inside.stop - inside.start), 1)
    return out


def _pool_matrices(shape, kernel, stride, padding, size, counts, divisor):
    return [
        _window_means(n, k, s, p, o, counts, divisor is not None)
        for n, k, s, p, o in zip(shape[2:], kernel, stride, padding, size)
    ]


def mean_pool(xp, x, kernel, stride, padding, size, counts, divisor):
    if not is_float(xp, x):
        ones = mean_pool(xp, xp.ones(x.shape, dtype=xp.float64), kernel, stride, padding, size, counts, 1)
        total = mean_pool(xp, xp.astype(x, xp.float64), kernel, stride, padding, size, counts, 1)
        if divisor is not None:
            ones = like(xp, float(divisor), ones)
        elif counts:
            means = mean_pool(xp, xp.ones(x.shape, dtype=xp.float64), kernel, stride, padding, size, counts, None)
            ones = xp.round(ones / means)
        return xp.astype(xp.trunc(total / ones), x.dtype)
    for axis, m in enumerate(_pool_matrices(x.shape, kernel, stride, padding, size, counts, divisor), 2):
        x = _along(xp, x, axis, m)
    return x if divisor is None else x / like(xp, float(divisor), x)


def avg_pool_backward(xp, g, shape, kernel, stride, padding, size, counts, divisor):
    for axis, m in enumerate(_pool_matrices(shape, kernel, stride, padding, size, counts, divisor), 2):
        g = _along(xp, g, axis, m.T)
    return g if divisor is None else g / like(xp, float(divisor), g)


def _adaptive_means(n, o):
    out = np.zeros((o, n))
    for j in range(o):
        a, b = (j * n) // o, -((-(j + 1) * n) // o)
        out[j, a:b] = 1.0 / (b - a)
    return out


def adaptive_mean_pool(xp, x, size):
    for axis, o in enumerate(size, x.ndim - len(size)):
        x = _along(xp, x, axis, _adaptive_means(x.shape[axis], o))
    return x


def adaptive_mean_pool_backward(xp, g, shape):
    for axis in range(2, len(shape)):
        g = _along(xp, g, axis, _adaptive_means(shape[axis], g.shape[axis]).T)
    return g


def _sources(n, lo, hi, mode):
    """Which element each place of a padded dimension is a copy of."""
    at = np.arange(-lo, n + hi)
    if mode == "replicate":
        return np.clip(at, 0, n - 1)
    if mode == "circular":
        return at % n
    at = np.abs(at)
    return np.where(at >= n, 2 * (n - 1) - at, at)


def pad_mirror(xp, x, pads, mode):
    for axis, (lo, hi) in enumerate(pads, x.ndim - len(pads)):
        x = xp.take(x, xp.asarray(_sources(x.shape[axis], lo, hi, mode)), axis=axis)
    return x


def pad_mirror_backward(xp, g, shape, pads, mode):
    for axis, (lo, hi) in enumerate(pads, len(shape) - len(pads)):
        n = shape[axis]
        g = _along(xp, g, axis, np.arange(n)[:, None] == _sources(n, lo, hi, mode))
    return g


# ---- activations -----------------------------------------------------------------------------------------------------


def softmax(xp, x, dim, *rest):
    if not x.ndim:
        return xp.exp(x - x)
    e = xp.exp(_softmax_shift(xp, x, dim))
    return e / xp.sum(e, axis=dim, keepdims=True)


def log_softmax(xp, x, dim, *rest):
    if not x.ndim:
        return x - x
    x = _softmax_shift(xp, x, dim)
    return x - xp.log(xp.sum(xp.exp(x), axis=dim, keepdims=True))


KERNELS: dict[str, Any] = {
    "pad_constant": pad,
    "convolution": convolution,
    "convolution_weight": convolution_weight,
    "max_pool": max_pool,
    "max_pool_with_indices": max_pool_with_indices,
    "max_pool_backward": max_pool_backward,
    "im2col": im2col,
    "col2im": col2im,
    "mean_pool": mean_pool,
    "avg_pool_backward": avg_pool_backward,
    "adaptive_mean_pool": adaptive_mean_pool,
    "adaptive_mean_pool_backward": adaptive_mean_pool_backward,
    "pad_mirror": pad_mirror,
    "pad_mirror_backward": pad_mirror_backward,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
