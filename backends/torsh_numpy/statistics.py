"""Kernels of order statistics, norms and distances."""

import math

import numpy as np

from torsh_numpy.reduction import _WIDTH, sum


def _middle(x, dim):
    """Positions of the lower medians along a dimension, of a nan where there is one."""
    k = (x.shape[dim] - 1) // 2
    at = np.take(np.argpartition(x, k, axis=dim), [k], axis=dim)
    if x.dtype.kind == "f":
        bad = np.isnan(x)
        if bad.any():
            at = np.where(bad.any(axis=dim, keepdims=True), np.argmax(bad, axis=dim, keepdims=True), at)
    return at


def _nan_middle(x, dim):
    if x.dtype.kind != "f":
        return _middle(x, dim)
    count = np.add.reduce(~np.isnan(x), axis=dim, keepdims=True, dtype=np.int64)
    return np.take_along_axis(np.argsort(x, axis=dim, kind="stable"), np.maximum(count - 1, 0) // 2, dim)


def _pair(position):
    def kernel(x, dim, keepdim, shape):
        if not x.ndim:
            return x.copy(), np.zeros((), np.int64)
        at = position(x, dim)
        values = np.take_along_axis(x, at, dim)
        return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))

    return kernel


def _median(x, shape):
    x = x.reshape(-1)
    if x.dtype.kind not in "iuf" or not x.size:
        return _whole(_middle)(x, shape)
    k = (x.size - 1) // 2
    part = np.partition(x, k)
    if x.dtype.kind == "f" and (top := np.maximum.reduce(part[k:])) != top:  # a nan is the largest
        return top
    return part[k]


def _whole(position):
    def kernel(x, shape):
        x = x.reshape(-1)
        if not x.size:
            return np.full((), np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype)
        return x[position(x, 0)[0]]

    return kernel


def vector_norm(x, ord, dim, keepdim, shape):
    if ord == 2:
        if dim is None and not keepdim and x.dtype.kind == "f" and x.flags.c_contiguous:
            x = x.ravel()
            if x.size <= 16 * _WIDTH:
                return np.sqrt(x.dot(x))
            # In blocks, against rounding.
            whole = x.size // _WIDTH * _WIDTH
            rows = x[:whole].reshape(-1, _WIDTH)
            return np.sqrt(np.add.reduce(np.vecdot(rows, rows)) + x[whole:].dot(x[whole:]))
        if dim == (x.ndim - 1,) and x.shape[-1] <= _WIDTH and x.dtype.kind == "f":
            found = np.sqrt(np.vecdot(x, x))
            return found[..., None] if keepdim else found
        squares = x * x if x.dtype.kind == "f" else x.real * x.real + x.imag * x.imag
        return np.sqrt(sum(squares, dim, keepdim, shape))
    size = np.abs(x)
    if ord == math.inf:
        return np.maximum.reduce(size, axis=dim, keepdims=keepdim)
    if ord == -math.inf:
        return np.minimum.reduce(size, axis=dim, keepdims=keepdim)
    if ord == 0:
        return np.add.reduce(size != 0, axis=dim, keepdims=keepdim, dtype=size.dtype)
    if ord == 1:
        return sum(size, dim, keepdim, shape)
    p = size.dtype.type(ord)
    return sum(size**p, dim, keepdim, shape) ** (1 / p)


def euclidean(a, b, exact):
    if exact:
        d = a[..., :, None, :] - b[..., None, :, :]
        return np.sqrt(np.add.reduce(d * d, axis=-1))
    squares = np.matmul(a, b.swapaxes(-1, -2))
    squares *= -2
    squares += np.add.reduce(a * a, axis=-1)[..., :, None]
    squares += np.add.reduce(b * b, axis=-1)[..., None, :]
    return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)


KERNELS = {
    "median_op": _median,
    "nanmedian_op": _whole(_nan_middle),
    "median_dim": _pair(_middle),
    "nanmedian_dim": _pair(_nan_middle),
    "vector_norm": vector_norm,
    "euclidean": euclidean,
}
