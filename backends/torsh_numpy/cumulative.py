"""Kernels of running sums, products and extremes."""

import math

import numpy as np

from torsh_numpy._compiled import LARGE, loop


def _accumulate(ufunc):
    def kernel(x, dim):
        if not x.ndim:
            return x.astype(np.int64) if x.dtype.kind in "biu" else x.copy()
        return ufunc.accumulate(x, axis=dim, dtype=np.int64 if x.dtype.kind in "biu" else None)

    return kernel


_cumsum = _accumulate(np.add)


def cumsum(x, dim):
    if x.size >= LARGE and dim == x.ndim - 1 and x.dtype in (np.float32, np.float64) and x.flags.c_contiguous:
        out = np.empty_like(x)
        loop("running_sum")(x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1]))
        return out
    return _cumsum(x, dim)


def _extreme(ufunc):
    def kernel(x, dim, shape):
        if not x.ndim or not x.size:
            return x.copy(), np.zeros(x.shape, np.int64)
        if x.size >= LARGE and x.dtype.kind in "iuf" and x.dtype.isnative and x.itemsize > 2 and x.flags.c_contiguous:
            values, places = np.empty_like(x), np.empty(x.shape, np.int64)
            form = (math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :]))
            loop("running_extreme")(x.reshape(form), ufunc is np.minimum, values.reshape(form), places.reshape(form))
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
    return np.logaddexp.accumulate(x, axis=dim) if x.ndim and x.dtype.kind == "f" else _complex_logcumsumexp(x, dim)


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
