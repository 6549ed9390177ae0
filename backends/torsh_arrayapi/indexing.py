"""Indexing, gathering, sorting.  The standard has no scatter: writes are made of one-hot comparisons."""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.pointwise import is_bool, like


def _integers(xp, indices):
    """Index arrays with masks replaced by the positions of their true elements; None for a whole dimension."""
    found: list[Any] = []
    for i in indices:
        if i is not None and is_bool(xp, i):
            found.extend(xp.nonzero(i))
        else:
            found.append(i if i is None else xp.astype(i, xp.int64))
    return found


def _plan(xp, shape, indices):
    """(indexed dimensions, the others, positions in a flat array of the former, where these go in the result)."""
    indices = _integers(xp, indices)
    indexed = [d for d, i in enumerate(indices) if i is not None]
    rest = [d for d in range(len(shape)) if d not in indexed]
    flat = xp.zeros((), dtype=xp.int64)
    for d in indexed:
        i = indices[d]
        n = shape[d]
        if math.prod(i.shape) and (bool(xp.any(i >= n)) or bool(xp.any(i < -n))):
            bad = int(xp.max(i)) if bool(xp.any(i >= n)) else int(xp.min(i))
            raise IndexError(f"index {bad} is out of bounds for dimension {d} with size {n}")
        flat = flat * xp.asarray(n, dtype=xp.int64) + xp.where(i < 0, i + n, i)
    adjacent = indexed == list(range(indexed[0], indexed[0] + len(indexed))) if indexed else False
    return indexed, rest, flat, indexed[0] if adjacent else 0


def index(xp, x, indices, shape=None):
    indexed, rest, flat, at = _plan(xp, x.shape, indices)
    moved = xp.permute_dims(x, (*indexed, *rest))
    rows = xp.reshape(moved, (math.prod(x.shape[d] for d in indexed), *[x.shape[d] for d in rest]))
    found = xp.take(rows, xp.reshape(flat, (-1,)), axis=0)
    found = xp.reshape(found, (*flat.shape, *[x.shape[d] for d in rest]))
    n = flat.ndim
    order = (*range(n, n + at), *range(n), *range(n + at, found.ndim))
    return xp.permute_dims(found, order)


def _one_hot(xp, flat, n):
    return xp.arange(n, dtype=xp.int64)[:, None] == xp.reshape(flat, (1, -1))


def add_rows(xp, flat, values, n):
    """Rows of ``values`` (first dimension) summed into ``n`` rows by their numbers ``flat``."""
    columns = values.shape[1:]
    if is_bool(xp, values):
        values = xp.astype(values, xp.int64)
    # One matrix product: the standard has no other way to add where indices repeat.
    mask = xp.astype(_one_hot(xp, flat, n), values.dtype)
    return xp.reshape(xp.matmul(mask, xp.reshape(values, (values.shape[0], -1))), (n, *columns))


def index_put(xp, x, indices, values, accumulate):
    indexed, rest, flat, at = _plan(xp, x.shape, indices)
    sizes = [x.shape[d] for d in rest]
    n = flat.ndim
    # Values come in the order of the result of indexing: bring the indexed dimensions to the front.
    result = (*sizes[:at], *flat.shape, *sizes[at:])
    try:
        values = xp.broadcast_to(values, result)
    except ValueError as e:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"shape {list(result)}"
        ) from e
    values = xp.permute_dims(values, (*range(at, at + n), *range(at), *range(at + n, len(result))))
    count, rows = math.prod(flat.shape), math.prod(x.shape[d] for d in indexed)
    if not count or not math.prod(sizes):
        return x
    values = xp.reshape(values, (count, math.prod(sizes)))
    order = (*indexed, *rest)
    moved = xp.reshape(xp.permute_dims(x, order), (rows, math.prod(sizes)))
    if accumulate:
        added = xp.astype(add_rows(xp, flat, values, rows), moved.dtype)
        moved = moved | added if is_bool(xp, moved) else moved + added
    else:
        mask = _one_hot(xp, flat, rows)
        source = xp.argmax(xp.astype(mask, xp.uint8), axis=1)
        moved = xp.where(xp.any(mask, axis=1)[:, None], xp.take(values, source, axis=0), moved)
    back = [order.index(d) for d in range(x.ndim)]
    return xp.permute_dims(xp.reshape(moved, tuple(x.shape[d] for d in order)), tuple(back))


def nonzero(xp, x):
    if not x.ndim:
        x = xp.reshape(x, (1,))
        return xp.zeros((int(bool(x[0])), 0), dtype=xp.int64)
    return xp.stack([xp.astype(i, xp.int64) for i in xp.nonzero(x)], axis=1)


def gather(xp, x, dim, indices, *rest):
    if not math.prod(indices.shape):
        return xp.zeros(indices.shape, dtype=x.dtype)
    if not x.ndim or not indices.ndim:
        return xp.reshape(xp.take(xp.reshape(x, (-1,)), xp.reshape(indices, (-1,)), axis=0), indices.shape)
    # Other dimensions of the index may be shorter than those of the input.
    key = tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(indices.shape))
    return xp.take_along_axis(x[key], indices, axis=dim)


def take_rows(xp, weight, indices, padding_idx=-1, by_freq=False):
    found = xp.take(weight, xp.reshape(xp.astype(indices, xp.int64), (-1,)), axis=0)
    return xp.reshape(found, (*indices.shape, *weight.shape[1:]))


def nll(xp, x, target, weight, reduction, ignore_index):
    keep = target != ignore_index
    safe = xp.where(keep, target, xp.zeros_like(target))
    found = xp.squeeze(xp.take_along_axis(x, xp.expand_dims(safe, axis=1), axis=1), axis=1)
    w = xp.astype(keep, x.dtype)
    if weight is not None:
        w = w * xp.reshape(xp.take(weight, xp.reshape(safe, (-1,)), axis=0), safe.shape)
    zero = like(xp, 0.0, x)
    found = xp.where(w == zero, zero, -found * w)
    if reduction == "none":
        return found, zero
    total, value = xp.sum(w), xp.sum(found)
    return (value / total if reduction == "mean" else value), total


def nll_loss_backward(xp, g, shape, target, weight, reduction, ignore_index, total):
    keep = target != ignore_index
    safe = xp.where(keep, target, xp.zeros_like(target))
    w = xp.astype(keep, g.dtype)
    if weight is not None:
        w = w * xp.reshape(xp.take(weight, xp.reshape(safe, (-1,)), axis=0), safe.shape)
    if reduction == "mean":
        g = g / total
    classes = xp.reshape(xp.arange(shape[1], dtype=safe.dtype), (1, -1, *[1] * (len(shape) - 2)))
    hot = xp.astype(classes == xp.expand_dims(safe, axis=1), g.dtype)
    return hot * xp.expand_dims(xp.broadcast_to(-g * w, safe.shape), axis=1)


KERNELS: dict[str, Any] = {
    "index": index,
    "index_put": index_put,
    "nonzero": nonzero,
    "gather": gather,
    "take_rows": take_rows,
    "nll": nll,
    "nll_loss_backward": nll_loss_backward,
}
