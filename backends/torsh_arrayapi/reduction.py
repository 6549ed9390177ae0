"""Reductions and cumulative operations.  ``dim`` is None or a tuple of dimensions unless it says otherwise."""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.pointwise import is_bool, is_complex, is_float, like, truth


def count(x, dim):
    return math.prod(x.shape if dim is None else [x.shape[d] for d in dim])


def _summed_type(xp, x):
    return x.dtype if is_float(xp, x) or is_complex(xp, x) else xp.int64


def total(xp, x, dim, keepdim, shape=None):
    dtype = _summed_type(xp, x)
    x = xp.astype(x, xp.int64) if is_bool(xp, x) else x
    return xp.sum(x, axis=dim, keepdims=keepdim, dtype=dtype)


def mean(xp, x, dim, keepdim, shape=None):
    return total(xp, x, dim, keepdim) / xp.asarray(float(count(x, dim)), dtype=x.dtype)


def nansum(xp, x, dim, keepdim, shape=None):
    if is_float(xp, x):
        x = xp.where(xp.isnan(x), like(xp, 0.0, x), x)
    return total(xp, x, dim, keepdim)


def prod(xp, x, dim, keepdim, *shape):
    dtype = _summed_type(xp, x)
    x = xp.astype(x, xp.int64) if is_bool(xp, x) else x
    return xp.prod(x, axis=dim, keepdims=keepdim, dtype=dtype)


def tested(function):
    def run(xp, x, dim, keepdim, shape=None):
        found = getattr(xp, function)(truth(xp, x), axis=dim, keepdims=keepdim)
        return xp.astype(found, x.dtype) if x.dtype == xp.uint8 else found

    return run


def extreme(function):
    def run(xp, x, dim, keepdim, shape=None):
        if is_bool(xp, x):
            return getattr(xp, "any" if function == "max" else "all")(x, axis=dim, keepdims=keepdim)
        return getattr(xp, function)(x, axis=dim, keepdims=keepdim)

    return run


def position(function):
    """argmax or argmin: the first nan wins, as in PyTorch."""

    def run(xp, x, dim, keepdim, *shape):
        axis = dim if dim is None or isinstance(dim, int) else dim[0]
        if is_bool(xp, x):
            x = xp.astype(x, xp.uint8)
        elif is_float(xp, x):
            nan = xp.isnan(x)
            x = xp.where(nan, like(xp, math.inf if function == "argmax" else -math.inf, x), x)
            # An infinity in front of a nan must not win: rank nan above it.
            rank = xp.astype(nan, xp.int64)
            some = xp.any(nan, axis=axis, keepdims=True)
            first_nan = xp.argmax(rank, axis=axis, keepdims=True)
            found = getattr(xp, function)(x, axis=axis, keepdims=True)
            found = xp.where(some, first_nan, found)
            if not keepdim:
                found = xp.reshape(found, ()) if axis is None else xp.squeeze(found, axis=axis)
            return xp.astype(found, xp.int64)
        return xp.astype(getattr(xp, function)(x, axis=axis, keepdims=keepdim), xp.int64)

    return run


def along(function):
    """(values, indices) of the largest or smallest along one dimension."""
    find = position(function)

    def run(xp, x, dim, keepdim, shape=None):
        if not x.ndim:
            return x, xp.zeros((), dtype=xp.int64)
        at = find(xp, x, dim, True)
        values = xp.take_along_axis(x, at, axis=dim)
        return (values, at) if keepdim else (xp.squeeze(values, axis=dim), xp.squeeze(at, axis=dim))

    return run


def var(xp, x, dim, keepdim, correction, shape=None):
    n = count(x, dim)
    d = x - mean(xp, x, dim, True)
    squares = xp.real(d) * xp.real(d) + xp.imag(d) * xp.imag(d) if is_complex(xp, x) else d * d
    summed = xp.sum(squares, axis=dim, keepdims=keepdim, dtype=squares.dtype)
    return summed / like(xp, float(max(n - correction, 0)), summed)


def std(xp, x, dim, keepdim, correction, shape=None):
    return xp.sqrt(var(xp, x, dim, keepdim, correction))


def logsumexp(xp, x, dim, keepdim, shape=None):
    if not math.prod(x.shape):
        return xp.log(xp.sum(xp.exp(x), axis=dim, keepdims=keepdim))
    top = xp.max(xp.real(x) if is_complex(xp, x) else x, axis=dim, keepdims=True)
    top = xp.astype(xp.where(xp.isinf(top), like(xp, 0.0, top), top), x.dtype)
    found = xp.log(xp.sum(xp.exp(x - top), axis=dim, keepdims=keepdim))
    return found + (top if keepdim else xp.reshape(top, found.shape))


def cumulative(function):
    def run(xp, x, dim, *rest):
        if not x.ndim:
            return x if not is_bool(xp, x) else xp.astype(x, xp.int64)
        dtype = _summed_type(xp, x)
        x = xp.astype(x, xp.int64) if is_bool(xp, x) else x
        return getattr(xp, function)(x, axis=dim, dtype=dtype)

    return run


KERNELS: dict[str, Any] = {
    "sum": total,
    "mean": mean,
    "nansum": nansum,
    "prod_op": prod,
    "all": tested("all"),
    "any": tested("any"),
    "amax": extreme("max"),
    "amin": extreme("min"),
    "argmax": position("argmax"),
    "argmin": position("argmin"),
    "max_dim": along("argmax"),
    "min_dim": along("argmin"),
    "var_op": var,
    "std_op": std,
    "logsumexp": logsumexp,
    "cumsum_op": cumulative("cumulative_sum"),
    "cumprod_op": cumulative("cumulative_prod"),
}
