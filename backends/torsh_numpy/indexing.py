"""Indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh_numpy._compiled import LOOPS
from torsh_numpy.scatter import add_slices, writable

_ALL = slice(None)


def getitem_basic(x, index, shape):
    return x[index]


def _key(indices):
    return tuple([_ALL if i is None else i for i in indices])


def _reworded(error: IndexError) -> IndexError:
    return IndexError(str(error).replace("for axis", "for dimension"))


def index(x, indices, shape):
    try:
        last = indices[-1]
        if (
            last is not None
            and last.dtype.kind != "b"
            and (len(indices) == 1 or (indices[0] is None and all(i is None for i in indices[1:-1])))
        ):
            if len(indices) > 1:
                # In one dimension behind others: faster than x[:, index], and in the order of dimensions that PyTorch gives.
                return x.take(last, len(indices) - 1) if x.flags.c_contiguous else x[_key(indices)]
            if x.flags.c_contiguous or x.ndim < 3:
                return x.take(indices[0], 0)
            # What is picked keeps the order of its dimensions in memory: images stay channels last.
            order = sorted(range(1, x.ndim), key=lambda d: (-abs(x.strides[d]), d))
            more = indices[0].ndim - 1
            back = [*range(more + 1), *(more + 1 + order.index(d) for d in range(1, x.ndim))]
            return x.transpose(0, *order).take(indices[0], 0).transpose(back)
        return x[_key(indices)]
    except IndexError as e:
        raise _reworded(e) from None


def _accumulate(x, indices, key, values):
    """x[key] += values with repeated places adding up."""
    writable(x)
    if len(indices) == 1 and x.ndim > 1 and indices[0].dtype != bool:
        # Whole rows, as in the gradient of an embedding.
        index = indices[0].reshape(-1)
        if index.size and index.view(np.uint64).max() < x.shape[0]:
            shape = (*indices[0].shape, *x.shape[1:])
            rows = values if values.shape == shape else np.broadcast_to(values, shape)
            add_slices(x, 0, index, rows.reshape(index.size, *x.shape[1:]))
            return
    np.add.at(x, key, values)


def index_put_(x, indices, values, accumulate):
    key = _key(indices) if indices else (...,)
    try:
        if not accumulate or (len(indices) == 1 and indices[0].dtype == bool):
            if accumulate:
                x[key] += values
            else:
                x[key] = values
        else:
            _accumulate(x, indices, key, values)
    except IndexError as e:
        raise _reworded(e) from None
    except ValueError as e:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result ({e})"
        ) from None
    return x


def index_put(x, indices, values, accumulate):
    return index_put_(x.copy(), indices, values, accumulate)


_places_of = LOOPS["places_of"]


def nonzero(x):
    if x.ndim < 2:
        return np.flatnonzero(x)[:, None] if x.ndim else np.zeros((int(bool(x)), 0), np.int64)
    mask = np.ascontiguousarray(x if x.dtype == bool else x != 0)
    if x.ndim == 2 and (run := _places_of.run or _places_of.worth(x.size)) is not None:
        out = np.empty((np.count_nonzero(mask), 2), np.int64, "F")
        run(mask.ravel(), x.shape[1], out)
        return out
    flat = np.flatnonzero(mask)
    out = np.empty((flat.size, x.ndim), np.int64, "F")
    # Dimension by dimension from the last: how many are in each row says which row a flat position is in.
    width = x.shape[-1]
    rows = mask.reshape(-1, width) if width else mask.reshape(0, 1)
    row = np.repeat(np.arange(len(rows)), np.count_nonzero(rows, axis=1))
    out[:, -1] = flat - row * width
    for d in range(x.ndim - 2, 0, -1):
        row, out[:, d] = np.divmod(row, x.shape[d])
    out[:, 0] = row
    return out


KERNELS: dict[str, Any] = {
    "getitem_basic": getitem_basic,
    "index": index,
    "index_put": index_put,
    "index_put_": index_put_,
    "nonzero": nonzero,
}
