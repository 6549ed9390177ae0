"""Sorting, searching in sorted sequences, unique values, counting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from torsh_numpy import _compiled

_LOW = np.uint64(0xFFFFFFFF)


def _keys(x):
    """Order-preserving uint32 keys of numbers of at most 32 bits; NaN is the largest."""
    if x.dtype.kind == "f":
        x = x.astype(np.float32, copy=False)
        bits = (x + np.float32(0)).view(np.uint32)  # -0 and 0 are one
        keys = bits ^ np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
        keys[np.isnan(x)] = 0xFFFFFFFF
        return keys
    if x.dtype.kind == "i":
        return (x.astype(np.int64) + (1 << 31)).astype(np.uint32)
    return x.astype(np.uint32)


def _order(x, descending):
    """The indices that sort the last dimension, equal values in their order."""
    n = x.shape[-1]
    if n > 1024 and x.dtype.kind in "iu" and x.dtype.itemsize == 8 and x.size:
        low = x.min()
        span = int(x.max()) - int(low)
        if span < 1 << 32:
            x = (x - low).astype(np.uint16 if span < 1 << 16 else np.uint32)
    # Integers of 16 bits and less NumPy sorts by radix, stable and fast.
    if n > 128 and (x.dtype.itemsize > 2 or x.dtype.kind not in "iub") and x.dtype.itemsize <= 4 and n < 1 << 32:
        # NumPy's sort of uint64 is vectorised, its stable argsort is not: sort keys with the position in the lower
        # half.
        keys = _keys(x)
        packed = (np.invert(keys, out=keys) if descending else keys).astype(np.uint64)
        packed <<= np.uint64(32)
        packed |= np.arange(n, dtype=np.uint64)
        packed.sort(-1)
        packed &= _LOW
        return packed.view(np.int64)
    if not descending:
        return np.argsort(x, -1, kind="stable")
    return (n - 1 - np.argsort(x[..., ::-1], -1, kind="stable"))[..., ::-1]


def _last(x, dim):
    return x if dim == x.ndim - 1 else np.moveaxis(x, dim, -1)


def _back(x, dim):
    return np.ascontiguousarray(x if dim == x.ndim - 1 else np.moveaxis(x, -1, dim))


def _picked(x, order):
    return x[order] if x.ndim == 1 else np.take_along_axis(x, order, -1)


def sort(x, dim, descending, shape):
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    x = _last(x, dim)
    order = _order(x, descending)
    return _back(_picked(x, order), dim), _back(order, dim)


_first = _compiled.LOOPS["first"]


def topk(x, k, dim, largest, ordered, shape):
    if not x.ndim:
        return x.reshape(1)[:k].reshape(shape if k else (0,)), np.zeros(shape if k else (0,), np.int64)
    x = _last(x, dim)
    n = x.shape[-1]
    if not k or not x.size:
        order = np.empty((*x.shape[:-1], k), np.int64)
        return _back(np.take_along_axis(x, order, -1), dim), _back(order, dim)
    run = _first.run or _first.worth(x.size)
    if run is None and ordered:
        order = _order(x, largest)[..., : k + 1]
        values = np.take_along_axis(x, order, -1)
        if not (
            _same(values[..., 1:], values[..., :-1])
        ).any():  # else PyTorch's choice among equal values is to be made
            return _back(values[..., :k], dim), _back(order[..., :k], dim)
    rows = np.ascontiguousarray(x, np.float32 if x.dtype == np.float16 or x.dtype.kind == "V" else None)
    values, order = np.empty((*x.shape[:-1], k), rows.dtype), np.empty((*x.shape[:-1], k), np.int64)
    (run or _first.compiled())(rows.reshape(-1, n), k, largest, ordered, values.reshape(-1, k), order.reshape(-1, k))
    return _back(values.astype(x.dtype, copy=False), dim), _back(order, dim)


def _same(a, b):
    return (a == b) | ((a != a) & (b != b)) if a.dtype.kind not in "iu" else a == b


_selected = _compiled.LOOPS["selected"]


def kthvalue(x, k, dim, keepdim, shape):
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    x = _last(x, dim)
    at = np.argpartition(x, k - 1, -1)[..., k - 1 : k]
    values = np.take_along_axis(x, at, -1)
    equal = x == values if x.dtype.kind != "f" else (x == values) | (np.isnan(x) & np.isnan(values))
    several = equal.sum(-1) > 1
    if several.any():  # which of equal values it is follows from the order of PyTorch's swaps
        rows = x[several].astype(np.float32 if x.dtype == np.float16 else x.dtype)
        found = np.empty(len(rows), np.int64)
        (_selected.worth(rows.size) or _selected.function)(rows, k - 1, found)
        at[several, 0] = found
    if not keepdim:
        return values[..., 0].copy(), at[..., 0].copy()
    return _back(values, dim), _back(at, dim)


def searchsorted(sequence, values, right, out_int32, sorter):
    side = "right" if right else "left"
    if sorter is not None:
        if sorter.size and (sorter.min() < 0 or sorter.max() >= sequence.shape[-1]):
            raise RuntimeError("torch.searchsorted(): sorter index out of range")
        sequence = np.take_along_axis(sequence, sorter, -1)
    if sequence.ndim == 1:
        found = sequence.searchsorted(values, side)
    else:
        count = math.prod(sequence.shape[:-1])
        rows, wanted = sequence.reshape(count, sequence.shape[-1]), values.reshape(count, values.shape[-1])
        found = np.empty(wanted.shape, np.int64)
        for i, row in enumerate(rows):
            found[i] = row.searchsorted(wanted[i], side)
        found = found.reshape(values.shape)
    return np.asarray(found).astype(np.int32 if out_int32 else np.int64, copy=False)


def unique(x, inverse, counts, dim, consecutive):
    if dim is not None:
        return _unique_slices(x, inverse, counts, dim, consecutive)
    flat = x.reshape(-1)
    order = None
    if not consecutive and flat.size > 1000 and flat.dtype.kind in "iu":
        low = int(flat.min())
        span = int(flat.max()) - low + 1
        if span <= 2 * flat.size:  # few possible values: count instead of sorting
            at = ((flat if flat.itemsize == 8 else flat.astype(np.int64)) - low).astype(np.int64, copy=False)
            found = np.bincount(at, minlength=span)
            there = np.flatnonzero(found)
            back = None
            if inverse:
                rank = np.cumsum(found > 0) - 1
                back = rank[at].reshape(x.shape)
            return (there + low).astype(flat.dtype), back, found[there] if counts else None
    if not consecutive:
        if inverse:
            order = _order(flat, False)
            flat = flat[order]
        else:
            flat = np.sort(flat)
    first = np.ones(flat.size, bool)
    np.not_equal(flat[1:], flat[:-1], out=first[1:])
    where = np.flatnonzero(first)
    back = None
    if inverse:
        ids = np.cumsum(first) - 1
        if order is None:
            back = ids
        else:
            back = np.empty_like(ids)
            back[order] = ids
        back = back.reshape(x.shape)
    return flat[where], back, np.diff(np.append(where, flat.size)) if counts else None


def _unique_slices(x, inverse, counts, dim, consecutive):
    rows = np.moveaxis(x, dim, 0)
    n = rows.shape[0]
    flat = np.ascontiguousarray(rows).reshape(n, -1) if n else rows.reshape(0, math.prod(rows.shape[1:]))
    order = np.arange(n)
    if not consecutive and n and flat.shape[1]:
        order = np.lexsort(flat.T[::-1])
        flat = flat[order]
    first = np.ones(n, bool)
    if n:
        first[1:] = (flat[1:] != flat[:-1]).any(1)
    where = np.flatnonzero(first)
    back = None
    if inverse:
        back = np.empty(n, np.int64)
        back[order] = np.cumsum(first) - 1
    values = np.ascontiguousarray(np.moveaxis(rows[order[where]], 0, dim))
    return values, back, np.diff(np.append(where, n)) if counts else None


def isin(elements, test_elements, invert):
    return np.isin(elements, test_elements, invert=invert)


def bincount(x, weights, minlength):
    x = x.reshape(-1)
    if x.size and x.min() < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs. A value is negative")
    found = np.bincount(x.astype(np.int64, copy=False), weights, minlength)
    return found if weights is None else found.astype(weights.dtype, copy=False)


def histc(x, bins, low, high):
    x = x.reshape(-1)
    low, high = x.dtype.type(low), x.dtype.type(high)
    x = x[(x >= low) & (x <= high)]
    # PyTorch's formula, operation by operation, so that values next to an edge fall where they fall there.
    at = np.minimum(((x - low) * x.dtype.type(bins) / (high - low)).astype(np.int64), bins - 1)
    return np.bincount(at, minlength=bins).astype(x.dtype)


def _place(edges, x):
    """``edges.searchsorted(x, "right")``, quicker where edges are about equally far apart; outside of them anything."""
    n = len(edges) - 1
    if x.size < 1000 or n < 4 or not edges[0] < edges[-1]:
        return edges.searchsorted(x, "right")
    guess = np.nan_to_num((x - edges[0]) * (n / (edges[-1] - edges[0])), nan=0.0, posinf=0.0, neginf=0.0)
    at = np.clip(guess, 0, n - 1).astype(np.int64)
    at -= x < edges[at]
    np.maximum(at, 0, out=at)
    at += x >= edges[at + 1]
    np.minimum(at, n, out=at)
    right = (edges[at] <= x) & (at == n) | (edges[at] <= x) & (x < edges[np.minimum(at + 1, n)])
    if (right | (x < edges[0]) | ~(x <= edges[-1])).all():
        return at + 1
    return edges.searchsorted(x, "right")


def histogramdd_counts(x, edges, weight):
    shape = tuple(len(e) - 1 for e in edges)
    inside = np.ones(len(x), bool)
    at = np.zeros(len(x), np.int64)
    for d, e in enumerate(edges):
        column = x[:, d]
        inside &= (column >= e[0]) & (column <= e[-1])
        place = np.minimum(_place(e, column) - 1, len(e) - 2)
        at = at * (len(e) - 1) + place
    if not math.prod(shape):
        return np.zeros(shape, x.dtype)
    w = None if weight is None else weight[inside]
    return np.bincount(at[inside], w, math.prod(shape)).astype(x.dtype).reshape(shape)


KERNELS: dict[str, Any] = {
    "sort": sort,
    "topk": topk,
    "kthvalue": kthvalue,
    "searchsorted": searchsorted,
    "unique_values": unique,
    "isin": isin,
    "bincount": bincount,
    "histc_counts": histc,
    "histogramdd_counts": histogramdd_counts,
}
