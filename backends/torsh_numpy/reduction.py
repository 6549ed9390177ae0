"""Kernels of reductions."""

import numpy as np

from torsh_numpy.backend import TO_NUMPY

# Sums of small arrays are dot products with ones: the ufunc machinery of np.add.reduce costs more than twice as much.
_SMALL = 64
_ONES = {n: [np.ones(i, n) for i in range(_SMALL + 1)] for n in TO_NUMPY.values() if n.kind in "fc" and n.itemsize >= 4}
_BLOCK = 128
_asarray = np.asarray


def sum(x, dim, keepdim, shape):
    dtype = x.dtype
    if dim is None and not keepdim:
        n = x.size
        if n <= _SMALL and dtype in _ONES:
            return _asarray(x.ravel().dot(_ONES[dtype][n]))
    if dtype.kind not in "fc":
        return np.add.reduce(x, axis=dim, dtype=np.int64, keepdims=keepdim)
    if dim is None and not keepdim:
        # In memory order, so that NumPy adds pairwise over all of it.
        return np.add.reduce(x.ravel("K"))
    if (
        dim is not None
        and len(dim) == 1
        and x.itemsize == 4
        and x.shape[dim[0]] > 4 * _BLOCK
        and x.strides[dim[0]] != 4
    ):
        return _in_blocks(x, dim[0], keepdim)
    return np.add.reduce(x, axis=dim, keepdims=keepdim)


def _in_blocks(x, d, keepdim):
    """A sum along a dimension that is not the innermost: NumPy adds row by row there, so block it against rounding."""
    n = x.shape[d]
    x = np.moveaxis(x, d, 0)
    whole = n // _BLOCK * _BLOCK
    parts = [np.add.reduce(x[i : i + _BLOCK], axis=0) for i in range(0, whole, _BLOCK)]
    while len(parts) > 1:
        parts = [parts[i] + parts[i + 1] if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    total = parts[0] if whole == n else parts[0] + np.add.reduce(x[whole:], axis=0)
    return np.expand_dims(total, d) if keepdim else total


def _count(x, dim):
    if dim is None:
        return x.size
    n = 1
    for d in dim:
        n *= x.shape[d]
    return n


def _divide(total, n, dtype):
    if n:
        return total * dtype.type(1) / dtype.type(n) if dtype.kind == "f" else total / n
    return total * np.nan


def mean(x, dim, keepdim, shape):
    return _divide(sum(x, dim, keepdim, shape), _count(x, dim), x.dtype)


def nansum(x, dim, keepdim, shape):
    if x.dtype.kind == "f":
        x = np.where(np.isnan(x), x.dtype.type(0), x)
    return sum(x, dim, keepdim, shape)


def prod(x, dim, keepdim):
    return np.multiply.reduce(x, axis=dim, keepdims=keepdim, dtype=np.int64 if x.dtype.kind in "biu" else None)


def all(x, dim, keepdim, shape):
    found = np.logical_and.reduce(x, axis=dim, keepdims=keepdim)
    return found.astype(np.uint8) if x.dtype == np.uint8 else found


def any(x, dim, keepdim, shape):
    found = np.logical_or.reduce(x, axis=dim, keepdims=keepdim)
    return found.astype(np.uint8) if x.dtype == np.uint8 else found


def amax(x, dim, keepdim, shape):
    return np.maximum.reduce(x, axis=dim, keepdims=keepdim)


def amin(x, dim, keepdim, shape):
    return np.minimum.reduce(x, axis=dim, keepdims=keepdim)


def argmax(x, dim, keepdim):
    return np.argmax(x, axis=None if dim is None else dim[0], keepdims=keepdim)


def argmin(x, dim, keepdim):
    return np.argmin(x, axis=None if dim is None else dim[0], keepdims=keepdim)


def _along(position, x, dim, keepdim):
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    at = position(x, axis=dim, keepdims=True)
    values = np.take_along_axis(x, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


def var(x, dim, keepdim, correction, shape):
    n = _count(x, dim)
    center = sum(x, dim, True, shape)
    center = center / x.dtype.type(n) if n else center * np.nan
    d = x - center
    squares = d.real * d.real + d.imag * d.imag if x.dtype.kind == "c" else np.multiply(d, d, out=d)
    total = sum(squares, dim, keepdim, shape)
    divisor = max(n - correction, 0)
    return total / total.dtype.type(divisor)


def logsumexp(x, dim, keepdim, shape):
    if not x.size:
        return np.log(np.add.reduce(x, axis=dim, keepdims=keepdim))
    top = np.maximum.reduce(x.real, axis=dim, keepdims=True)
    top = np.where(np.isinf(top), top.dtype.type(0), top)
    total = np.log(np.add.reduce(np.exp(x - top), axis=dim, keepdims=keepdim))
    return total + (top if keepdim else top.reshape(total.shape))


KERNELS = {
    "sum": sum,
    "mean": mean,
    "nansum": nansum,
    "prod_op": prod,
    "all": all,
    "any": any,
    "amax": amax,
    "amin": amin,
    "argmax": argmax,
    "argmin": argmin,
    "max_dim": lambda x, dim, keepdim, shape: _along(np.argmax, x, dim, keepdim),
    "min_dim": lambda x, dim, keepdim, shape: _along(np.argmin, x, dim, keepdim),
    "var_op": var,
    "std_op": lambda *a: np.sqrt(var(*a)),
    "logsumexp": logsumexp,
}
