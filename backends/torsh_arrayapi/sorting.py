"""Sorting, order statistics, searching and counting."""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.pointwise import is_bool, is_float, like, logaddexp


def _order(xp, x, dim, descending=False):
    """The indices that sort a dimension, equal values in their order; nan counts as the largest."""
    if is_bool(xp, x):
        x = xp.astype(x, xp.uint8)
    if is_float(xp, x):
        # The standard leaves open where nan goes: sort by value, then (stably) by being nan.
        nan = xp.isnan(x)
        at = xp.argsort(xp.where(nan, like(xp, math.inf, x), x), axis=dim, descending=descending, stable=True)
        moved = xp.take_along_axis(xp.astype(nan, xp.uint8), at, axis=dim)
        again = xp.argsort(moved, axis=dim, descending=descending, stable=True)
        return xp.astype(xp.take_along_axis(at, again, axis=dim), xp.int64)
    return xp.astype(xp.argsort(x, axis=dim, descending=descending, stable=True), xp.int64)


def _along(dim, key):
    return (*(slice(None),) * dim, key, ...)


def sort(xp, x, dim, descending, *shape):
    if not x.ndim:
        return x, xp.zeros((), dtype=xp.int64)
    at = _order(xp, x, dim, descending)
    return xp.take_along_axis(x, at, axis=dim), at


def topk(xp, x, k, dim, largest, ordered, shape):
    if not x.ndim:
        if not k:
            return xp.zeros((0,), dtype=x.dtype), xp.zeros((0,), dtype=xp.int64)
        return x, xp.zeros((), dtype=xp.int64)
    at = _order(xp, x, dim, largest)[_along(dim, slice(0, k))]
    return xp.take_along_axis(x, at, axis=dim), at


def _pick(xp, x, at, dim, keepdim):
    values = xp.take_along_axis(x, at, axis=dim)
    return (values, at) if keepdim else (xp.squeeze(values, axis=dim), xp.squeeze(at, axis=dim))


def kthvalue(xp, x, k, dim, keepdim, *shape):
    if not x.ndim:
        return x, xp.zeros((), dtype=xp.int64)
    return _pick(xp, x, _order(xp, x, dim)[_along(dim, slice(k - 1, k))], dim, keepdim)


def _middle(xp, x, dim, skip):
    """Positions of the lower medians: of a nan where there is one, or (``skip``) among what is not nan."""
    order = _order(xp, x, dim)
    n = x.shape[dim]
    if not is_float(xp, x):
        return order[_along(dim, slice((n - 1) // 2, (n - 1) // 2 + 1))]
    nan = xp.isnan(x)
    count = xp.sum(xp.astype(xp.logical_not(nan), xp.int64), axis=dim, keepdims=True)
    least = xp.zeros_like(count)
    if skip:
        return xp.take_along_axis(order, xp.maximum(count - 1, least) // 2, axis=dim)
    # Sorted, the first nan stands behind all numbers.
    place = xp.where(count < n, count, xp.full(count.shape, (n - 1) // 2, dtype=count.dtype))
    return xp.take_along_axis(order, place, axis=dim)


def median_dim(skip):
    def run(xp, x, dim, keepdim, *shape):
        if not x.ndim:
            return x, xp.zeros((), dtype=xp.int64)
        return _pick(xp, x, _middle(xp, x, dim, skip), dim, keepdim)

    return run


def median(skip):
    def run(xp, x, *shape):
        x = xp.reshape(x, (-1,))
        if not x.shape[0]:
            worst = math.nan if is_float(xp, x) else int(xp.iinfo(x.dtype).min)
            return xp.full((), worst, dtype=x.dtype)
        return xp.reshape(xp.take_along_axis(x, _middle(xp, x, 0, skip), axis=0), ())

    return run


def searchsorted(xp, sequence, values, right, out_int32, sorter):
    if sorter is not None:
        sequence = xp.take_along_axis(sequence, sorter, axis=-1)
    # How many elements come before each value: a comparison of all with all.
    s, v = sequence if sequence.ndim == 1 else xp.expand_dims(sequence, axis=-2), xp.expand_dims(values, axis=-1)
    before = (s <= v) if right else (s < v)
    if is_float(xp, s):
        nan = xp.isnan(v)
        before = before | (nan & ((s == s) | right))
    return xp.sum(xp.astype(before, xp.int64), axis=-1, dtype=xp.int32 if out_int32 else xp.int64)


def unique_values(xp, x, inverse, counts, dim, consecutive):
    """(values in order, where each element's is among them, how often each occurs)."""
    if dim is not None:
        raise NotImplementedError("unique of slices (dim=...) has no generic kernel; use a tensor of another backend")
    flat = xp.reshape(x, (-1,))
    n = flat.shape[0]
    order = xp.arange(n, dtype=xp.int64) if consecutive else _order(xp, flat, 0)
    flat = xp.take(flat, order, axis=0)
    starts = xp.ones((min(n, 1),), dtype=xp.bool)
    first = xp.concat([starts, flat[1:] != flat[:-1]]) if n else starts
    (where,) = xp.nonzero(first)
    back = times = None
    if inverse:
        ids = xp.cumulative_sum(xp.astype(first, xp.int64)) - 1 if n else xp.zeros((0,), dtype=xp.int64)
        back = xp.reshape(xp.take(ids, _order(xp, order, 0), axis=0), x.shape)
    if counts:
        ends = xp.concat([where[1:], xp.asarray([n], dtype=where.dtype)]) if n else where
        times = xp.astype(ends - where, xp.int64)
    return xp.take(flat, where, axis=0), back, times


def isin(xp, elements, test_elements, invert):
    found = xp.any(xp.expand_dims(elements, axis=-1) == xp.reshape(test_elements, (-1,)), axis=-1)
    return xp.logical_not(found) if invert else found


def bincount(xp, x, weights, minlength):
    from torsh_arrayapi.indexing import add_rows

    x = xp.reshape(xp.astype(x, xp.int64), (-1,))
    if x.shape[0] and int(xp.min(x)) < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs. A value is negative")
    n = max(int(xp.max(x)) + 1 if x.shape[0] else 0, minlength)
    ones = xp.ones(x.shape, dtype=xp.int64) if weights is None else weights
    return add_rows(xp, x, ones, n) if x.shape[0] else xp.zeros((n,), dtype=ones.dtype)


def extreme_so_far(best):
    """(values, indices) of the largest or smallest up to each place: a later equal value wins, a nan stays."""

    def run(xp, x, dim, *shape):
        if not x.ndim:
            return x, xp.zeros((), dtype=xp.int64)
        if not math.prod(x.shape):
            return x, xp.zeros(x.shape, dtype=xp.int64)
        compared = xp.astype(x, xp.uint8) if is_bool(xp, x) else x
        values, positions = [], []
        top = at = None
        for i in range(x.shape[dim]):
            new = compared[_along(dim, slice(i, i + 1))]
            here = xp.full(new.shape, i, dtype=xp.int64)
            if i:
                better = (new >= top if best == "max" else new <= top) & (top == top) | (new != new)
                new, here = xp.where(better, new, top), xp.where(better, here, at)
            top, at = new, here
            values.append(top)
            positions.append(at)
        return xp.astype(xp.concat(values, axis=dim), x.dtype), xp.concat(positions, axis=dim)

    return run


def logcumsumexp(xp, x, dim):
    if not x.ndim:
        return x
    total, found = None, []
    for i in range(x.shape[dim]):
        new = x[_along(dim, slice(i, i + 1))]
        total = new if total is None else logaddexp(xp, total, new)
        found.append(total)
    return xp.concat(found, axis=dim) if found else x


KERNELS: dict[str, Any] = {
    "sort": sort,
    "topk": topk,
    "kthvalue": kthvalue,
    "median_op": median(False),
    "nanmedian_op": median(True),
    "median_dim": median_dim(False),
    "nanmedian_dim": median_dim(True),
    "searchsorted": searchsorted,
    "isin": isin,
    "unique_values": unique_values,
    "bincount": bincount,
    "cummax": extreme_so_far("max"),
    "cummin": extreme_so_far("min"),
    "logcumsumexp": logcumsumexp,
}
