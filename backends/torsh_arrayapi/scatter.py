"""Scattering along a dimension, filling by masks.

The standard has no scatter.  Here the index is gone through one position of the dimension at a time, each a comparison
with all places of that dimension: no more memory than the result, and the last write wins, as in a loop.
"""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.indexing import add_rows, index_put
from torsh_arrayapi.pointwise import is_bool, is_float, like


def _check(xp, indices, n, dim):
    if math.prod(indices.shape):
        low, high = int(xp.min(indices)), int(xp.max(indices))
        if low < 0 or high >= n:
            raise RuntimeError(f"index {low if low < 0 else high} is out of bounds for dimension {dim} with size {n}")


def _scattered(xp, x, dim, indices, src, combine):
    """``combine(old, hit, value)`` for each position of the index's dimension in turn."""
    if not math.prod(indices.shape):
        return x
    if not x.ndim:
        src = xp.reshape(src, (-1,)) if hasattr(src, "shape") else src
        return xp.reshape(_scattered(xp, xp.reshape(x, (1,)), 0, xp.reshape(indices, (-1,)), src, combine), ())
    indices = xp.reshape(indices, (1,)) if not indices.ndim else indices
    _check(xp, indices, x.shape[dim], dim)
    # The index may be shorter than the array in the other dimensions: only that block is written.
    key = tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(indices.shape))
    block = x[key]
    if hasattr(src, "shape"):
        src = src if src.ndim else xp.reshape(src, (1,))
        src = src[tuple(slice(0, n) for n in indices.shape)]
    line = tuple(-1 if d == dim else 1 for d in range(x.ndim))
    places = xp.reshape(xp.arange(x.shape[dim], dtype=indices.dtype), line)
    state = block
    for j in range(indices.shape[dim]):
        at = (*(slice(None),) * dim, slice(j, j + 1), ...)
        value = src[at] if hasattr(src, "shape") else like(xp, src, x)
        state = combine(state, places == indices[at], value)
    if state.shape == x.shape:
        return state
    from torsh.functionalize import Moves

    return Moves(xp).put(x, key, state)


def scatter(xp, x, dim, indices, src, reduce=None):
    if reduce is not None:
        src = src if hasattr(src, "shape") else xp.full(indices.shape, src, dtype=x.dtype)
        return scatter_reduce(xp, x, dim, indices, src, reduce, True)
    return _scattered(xp, x, dim, indices, src, lambda old, hit, value: xp.where(hit, value, old))


def _operation(xp, x, reduce):
    if is_bool(xp, x):
        names = {"sum": "logical_or", "amax": "logical_or", "prod": "logical_and", "amin": "logical_and"}
        return getattr(xp, names[reduce])
    return {"sum": xp.add, "mean": xp.add, "prod": xp.multiply, "amax": xp.maximum, "amin": xp.minimum}[reduce]


def scatter_add(xp, x, dim, indices, src):
    return scatter_reduce(xp, x, dim, indices, src, "sum", True)


def scatter_reduce(xp, x, dim, indices, src, reduce, include_self):
    operation = _operation(xp, x, reduce)
    untouched = _scattered(
        xp, xp.zeros(x.shape, dtype=xp.int64), dim, indices, 1, lambda old, hit, value: old + xp.astype(hit, xp.int64)
    )
    touched = untouched > 0
    start = x if include_self else xp.where(touched, xp.full(x.shape, _neutral(xp, x, reduce), dtype=x.dtype), x)
    found = _scattered(xp, start, dim, indices, src, lambda old, hit, value: xp.where(hit, operation(old, value), old))
    if reduce != "mean":
        return found
    counts = xp.astype(xp.where(touched, untouched + int(include_self), 1), x.dtype)
    return found / counts if not xp.isdtype(x.dtype, "integral") else xp.floor_divide(found, counts)


def _neutral(xp, x, reduce):
    if reduce in ("sum", "mean"):
        return False if is_bool(xp, x) else 0
    if reduce == "prod":
        return True if is_bool(xp, x) else 1
    if is_bool(xp, x):
        return reduce == "amin"
    if is_float(xp, x):
        return -math.inf if reduce == "amax" else math.inf
    info = xp.iinfo(x.dtype)
    return int(info.min if reduce == "amax" else info.max)


def _dim_first(xp, x, dim):
    order = (dim, *[d for d in range(x.ndim) if d != dim])
    return xp.permute_dims(x, order), tuple(order.index(d) for d in range(x.ndim))


def index_select(xp, x, dim, indices, *shape):
    if not x.ndim:
        return x
    _check_select(xp, indices, x.shape[dim])
    return xp.take(x, xp.reshape(indices, (-1,)), axis=dim)


def _check_select(xp, indices, n):
    if math.prod(indices.shape) and (int(xp.min(indices)) < 0 or int(xp.max(indices)) >= n):
        raise IndexError("index out of range in self")


def index_add(xp, x, dim, indices, source, alpha):
    if not x.ndim:
        source = xp.reshape(source, ())
        return x | source if is_bool(xp, x) else x + like(xp, alpha, x) * source
    _check_select(xp, indices, x.shape[dim])
    indices = xp.reshape(indices, (-1,))
    if is_bool(xp, x):
        return index_put(xp, x, [None] * dim + [indices], source, True)
    rows, back = _dim_first(xp, source if source.ndim else xp.reshape(source, (1,)), dim)
    added = add_rows(xp, indices, rows, x.shape[dim])
    return x + like(xp, alpha, x) * xp.astype(xp.permute_dims(added, back), x.dtype)


def index_copy(xp, x, dim, indices, source):
    if not x.ndim:
        return xp.reshape(source, ())
    return index_put(xp, x, [None] * dim + [xp.reshape(indices, (-1,))], source, False)


def index_fill(xp, x, dim, indices, value):
    if not x.ndim:
        return xp.broadcast_to(like(xp, value, x), ())
    n = x.shape[dim]
    indices = xp.reshape(indices, (1, -1))
    hit = xp.any(xp.arange(n, dtype=indices.dtype)[:, None] == xp.where(indices < 0, indices + n, indices), axis=1)
    return xp.where(xp.reshape(hit, tuple(-1 if d == dim else 1 for d in range(x.ndim))), like(xp, value, x), x)


def masked_fill(xp, x, mask, value):
    return xp.where(mask, like(xp, value, x), x)


def masked_scatter(xp, x, mask, source):
    mask = xp.broadcast_to(mask, x.shape)
    flat = xp.reshape(mask, (-1,))
    if int(xp.sum(xp.astype(flat, xp.int64))) > math.prod(source.shape):
        raise RuntimeError("Number of elements of source < number of ones in mask")
    at = xp.cumulative_sum(xp.astype(flat, xp.int64)) - 1
    if not math.prod(source.shape):
        return x
    at = xp.clip(at, 0, math.prod(source.shape) - 1)
    return xp.where(mask, xp.reshape(xp.take(xp.reshape(source, (-1,)), at, axis=0), x.shape), x)


def take(xp, x, indices, *shape):
    n = math.prod(x.shape)
    flat = xp.reshape(indices, (-1,))
    found = xp.take(xp.reshape(x, (-1,)), xp.where(flat < 0, flat + n, flat), axis=0)
    return xp.reshape(found, indices.shape)


def fold_windows(xp, g, size, dim, length, step):
    """Windows of a dimension (their positions in the last one) added up where they overlap."""
    g = g if g.ndim else xp.reshape(g, (1,))
    out = xp.zeros(size, dtype=g.dtype)
    if not size:
        return xp.reshape(g[..., 0], ())
    count = g.shape[dim]
    for i in range(length):
        part, n = g[..., i], size[dim]
        if step > 1:  # the windows' elements ``step`` apart
            zeros = xp.zeros((*part.shape[: dim + 1], step - 1, *part.shape[dim + 1 :]), dtype=g.dtype)
            part = xp.concat([xp.expand_dims(part, axis=dim + 1), zeros], axis=dim + 1)
            part = xp.reshape(part, (*part.shape[:dim], count * step, *part.shape[dim + 2 :]))
        part = part[(*(slice(None),) * dim, slice(0, min(n - i, part.shape[dim])), ...)]
        lead = xp.zeros((*part.shape[:dim], i, *part.shape[dim + 1 :]), dtype=g.dtype)
        rest = xp.zeros((*part.shape[:dim], n - i - part.shape[dim], *part.shape[dim + 1 :]), dtype=g.dtype)
        out = out + xp.concat([lead, part, rest], axis=dim)
    return out


def strided_sum(xp, g, n, size, stride, offset):
    """The elements of an as_strided view added into flat memory of ``n`` elements."""
    at = xp.asarray(offset, dtype=xp.int64)
    for length, step in zip(size, stride):
        at = xp.expand_dims(at, axis=-1) + xp.arange(length, dtype=xp.int64) * step
    return add_rows(xp, xp.reshape(at, (-1,)), xp.reshape(g, (-1,)), n)


KERNELS: dict[str, Any] = {
    "scatter": scatter,
    "scatter_add": scatter_add,
    "scatter_reduce": scatter_reduce,
    "index_select": index_select,
    "index_add": index_add,
    "index_copy": index_copy,
    "index_fill": index_fill,
    "masked_fill": masked_fill,
    "masked_scatter": masked_scatter,
    "take": take,
    "fold_windows": fold_windows,
    "strided_sum": strided_sum,
}
