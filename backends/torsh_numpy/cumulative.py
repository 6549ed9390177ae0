"""Kernels of running sums, products and extremes."""

import math

import numpy as np

from torsh_numpy._compiled import LOOPS

_running_extreme = LOOPS["running_extreme"]


def _accumulate(ufunc):
    def kernel(x, dim):
        if not x.ndim:
            return x.astype(np.int64) if x.dtype.kind in "biu" else x.copy()
        return ufunc.accumulate(x, axis=dim, dtype=np.int64 if x.dtype.kind in "biu" else None)

    return kernel


_cumsum = _accumulate(np.add)
_running_sum = LOOPS["running_sum"]
_REAL = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def cumsum(x, dim):
    if dim != x.ndim - 1 or x.dtype not in _REAL or not x.size:
        return _cumsum(x, dim)
    run = _running_sum.run or _running_sum.worth(x.size)
    if run is not None:
        x = np.ascontiguousarray(x)
        out = np.empty(x.shape, x.dtype)
        run(x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1]))
        return out
    # In float64, as PyTorch does.
    return np.add.accumulate(x.astype(np.float64, copy=False), dim).astype(x.dtype, copy=False)


def _extreme(ufunc):
    def kernel(x, dim, shape):
        if not x.ndim or not x.size:
            return x.copy(), np.zeros(x.shape, np.int64)
        run = _running_extreme.run or _running_extreme.worth(x.size)
        if run is not None and x.dtype.kind in "iuf" and x.dtype.isnative and x.itemsize > 2:
            x = np.ascontiguousarray(x)
            values, places = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int64)
            after = 1 if dim == x.ndim - 1 else math.prod(x.shape[dim + 1 :])
            run(x.ravel(), x.shape[dim], after, ufunc is np.minimum, values.ravel(), places.ravel())
            return values, places
        values = ufunc.accumulate(x, axis=dim)
        # An element is the extreme so far where it equals the running value; the last such place counts.
        here = x == values
        if x.dtype.kind == "f":
            here |= np.isnan(x)
        n = x.shape[dim]
        places = np.arange(n).reshape([n if i == dim else 1 for i in range(x.ndim)])
        return values, np.maximum.accumulate(np.where(here, places, 0), axis=dim)

    return kernel


def logcumsumexp(x, dim):
    if x.dtype.kind != "f" or not x.ndim:
        return _complex_logcumsumexp(x, dim)
    # In float64, as PyTorch: the gradient is the exponential of differences of results, errors and all.
    return np.logaddexp.accumulate(x, axis=dim, dtype=np.float64).astype(x.dtype, copy=False)


def _complex_logcumsumexp(x, dim):
    """Step by step, so that the imaginary part goes on where the logarithm's would jump."""
    out = x.copy()
    if not x.ndim or not x.size:
        return out
    running = np.moveaxis(out, dim, 0)
    for i in range(1, len(running)):
        a, b = running[i - 1], running[i]
        swap = a.real > b.real
        low, high = np.where(swap, b, a), np.where(swap, a, b)
        step = np.log1p(np.exp(low - high)) + high
        running[i] = np.where(np.isinf(low.real) & (low.real < 0), high, step)
    return out


KERNELS = {
    "cumsum_op": cumsum,
    "cumprod_op": _accumulate(np.multiply),
    "cummax": _extreme(np.maximum),
    "cummin": _extreme(np.minimum),
    "logcumsumexp": logcumsumexp,
}
