"""Indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

_ALL = slice(None)


def getitem_basic(x, index, shape):
    return x[index]


def _key(indices):
    return tuple([_ALL if i is None else i for i in indices])


def _reworded(error: IndexError) -> IndexError:
    return IndexError(str(error).replace("for axis", "for dimension"))


def index(x, indices, shape):
    try:
        if len(indices) == 1 and indices[0].dtype != bool:
            return x.take(indices[0], 0)
        return x[_key(indices)]
    except IndexError as e:
        raise _reworded(e) from None


def index_put_(x, indices, values, accumulate):
    key = _key(indices) if indices else (...,)
    try:
        if not accumulate or (len(indices) == 1 and indices[0].dtype == bool):
            if accumulate:
                x[key] += values
            else:
                x[key] = values
        else:
            np.add.at(x, key, values)
    except IndexError as e:
        raise _reworded(e) from None
    except ValueError as e:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result ({e})"
        ) from None
    return x


def index_put(x, indices, values, accumulate):
    return index_put_(x.copy(), indices, values, accumulate)


KERNELS: dict[str, Any] = {
    "getitem_basic": getitem_basic,
    "index": index,
    "index_put": index_put,
    "index_put_": index_put_,
    "nonzero": np.argwhere,
}
