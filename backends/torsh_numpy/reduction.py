"""Kernels of reductions."""

import numpy as np

from torsh_numpy._compiled import LARGE, LOOPS, loop

# Sums of real numbers are products with ones: for small arrays because np.add.reduce's machinery costs more than twice as
# much, for large ones because BLAS reads memory at full speed.  (Not complex ones: inf * (1 + 0j) has a nan in it.)
_SMALL = 64
_ONES = {np.dtype(t): [np.ones(i, t) for i in range(_SMALL + 1)] for t in (np.float32, np.float64)}
_WIDTH = 4096
_LARGE = 4 * _WIDTH
_WIDE = {np.dtype(t): np.ones(_WIDTH, t) for t in (np.float32, np.float64)}
_BLOCK = 128
_LANES = 256
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
        x = x.ravel("K")
        if n < _LARGE or dtype not in _WIDE:
            return np.add.reduce(x)
        # Row by row: no running sum gets longer than a row, which keeps rounding at bay.
        whole = n // _WIDTH * _WIDTH
        total = np.add.reduce(x[:whole].reshape(-1, _WIDTH).dot(_WIDE[dtype]))
        return total + np.add.reduce(x[whole:]) if whole < n else total
    if dim is not None and len(dim) == 1:
        d = dim[0]
        m = x.shape[d]
        if d == x.ndim - 1 and x.size >= _LARGE and 16 <= m <= _WIDTH and dtype in _WIDE and x.flags.c_contiguous:
            found = x.reshape(-1, m).dot(_WIDE[dtype][:m])
            return found.reshape(*x.shape[:-1], 1) if keepdim else found.reshape(x.shape[:-1])
        if x.itemsize == 4 and m > 4 * _BLOCK and x.strides[d] != 4:
            return _in_blocks(x, d, keepdim)
        return np.add.reduce(x, d, None, None, keepdim)
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
    if x.size >= 8 * _LANES and x.dtype in _WIDE and (dim is None or len(dim) == x.ndim):
        # NumPy multiplies one by one, each waiting for the one before; rows it multiplies as vectors.
        flat = x.ravel("K")
        if x.size >= LARGE:
            total = x.dtype.type(loop("product")(flat))
        else:
            whole = x.size // _LANES * _LANES
            total = np.multiply.reduce(np.multiply.reduce(flat[:whole].reshape(-1, _LANES)))
            if whole != x.size:
                total *= np.multiply.reduce(flat[whole:])
        return total.reshape((1,) * x.ndim) if keepdim else total
    return np.multiply.reduce(x, axis=dim, keepdims=keepdim, dtype=np.int64 if x.dtype.kind in "biu" else None)


def all(x, dim, keepdim, shape):
    found = np.logical_and.reduce(x, dim, None, None, keepdim)
    return found.astype(np.uint8) if x.dtype == np.uint8 else found


def any(x, dim, keepdim, shape):
    found = np.logical_or.reduce(x, dim, None, None, keepdim)
    return found.astype(np.uint8) if x.dtype == np.uint8 else found


def amax(x, dim, keepdim, shape):
    return np.maximum.reduce(x, dim, None, None, keepdim)


def amin(x, dim, keepdim, shape):
    return np.minimum.reduce(x, dim, None, None, keepdim)


def _position(function, method, x, dim, keepdim):
    axis = None if dim is None else dim[0]
    # The method is called directly; np.argmax goes through Python once more.
    return function(x, axis=axis, keepdims=True) if keepdim else method(x, axis)


def argmax(x, dim, keepdim):
    return _position(np.argmax, np.ndarray.argmax, x, dim, keepdim)


def argmin(x, dim, keepdim):
    return _position(np.argmin, np.ndarray.argmin, x, dim, keepdim)


def _along(extreme, position, x, dim, keepdim):
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    # Two passes: picking the values at the positions costs more than finding them again.
    return extreme.reduce(x, dim, None, None, keepdim), position(x, (dim,), keepdim)


_variances = LOOPS["variances"]


def var(x, dim, keepdim, correction, shape):
    n = _count(x, dim)
    divisor = max(n - correction, 0) if n else 0
    if dim is None and not keepdim and 0 < n <= _SMALL and divisor and x.dtype in _ONES:
        x = x.ravel()
        d = x - x.dot(_ONES[x.dtype][n]) / x.dtype.type(n)
        return _asarray(d.dot(d) / d.dtype.type(divisor))
    run = _variances.run or _variances.worth(x.size)
    if run is not None and x.dtype in _ONES and x.size < _LARGE and n and divisor and dim == (x.ndim - 1,):
        x = np.ascontiguousarray(x)
        out = np.empty(x.shape[:-1], x.dtype)
        run(x.reshape(-1, n), x.dtype.type(divisor), out.reshape(-1))
        return out[..., None] if keepdim else out
    center = sum(x, dim, True, shape)
    center = center / x.dtype.type(n) if n else center * np.nan
    d = np.asarray(x - center)  # of 0-d arrays NumPy gives scalars
    squares = d.real * d.real + d.imag * d.imag if x.dtype.kind == "c" else np.multiply(d, d, out=d)
    total = sum(squares, dim, keepdim, shape)
    return total / total.dtype.type(divisor)


def logsumexp(x, dim, keepdim, shape):
    if not x.size:
        return np.log(np.add.reduce(x, axis=dim, keepdims=keepdim))
    top = np.maximum.reduce(x.real, axis=dim, keepdims=True)
    top = np.where(np.isinf(top), top.dtype.type(0), top)
    parts = np.asarray(x - top)  # of 0-d arrays NumPy gives scalars
    total = np.log(np.add.reduce(np.exp(parts, parts), axis=dim, keepdims=keepdim))
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
    "max_dim": lambda x, dim, keepdim, shape: _along(np.maximum, argmax, x, dim, keepdim),
    "min_dim": lambda x, dim, keepdim, shape: _along(np.minimum, argmin, x, dim, keepdim),
    "var_op": var,
    "std_op": lambda *a: np.sqrt(var(*a)),
    "logsumexp": logsumexp,
}
