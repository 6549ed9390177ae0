"""Joining and splitting."""

from __future__ import annotations

from typing import Any

import numpy as np

_ALL = slice(None)


def unbind(x, dim):
    if dim:
        x = np.moveaxis(x, dim, 0)
    return [x[i, ...] for i in range(x.shape[0])]


def split(x, sizes, dim):
    lead = (_ALL,) * dim
    found, at = [], 0
    for n in sizes:
        found.append(x[(*lead, slice(at, at + n))])
        at += n
    return found


def cat(tensors, dim):
    out = np.concatenate(tensors, dim)
    if out.flags.c_contiguous:
        return out
    rank = out.ndim
    if rank in _CHANNELS_LAST:  # NumPy keeps the order of memory that the parts have in common, PyTorch this one only
        order, back = _CHANNELS_LAST[rank]
        if all(t.transpose(order).flags.c_contiguous for t in tensors):
            return np.ascontiguousarray(out.transpose(order)).transpose(back)
    return np.ascontiguousarray(out)


# The dimensions from outermost to innermost, and how to turn them back.
_CHANNELS_LAST = {4: ((0, 2, 3, 1), (0, 3, 1, 2)), 5: ((0, 2, 3, 4, 1), (0, 4, 1, 2, 3))}


def stack(tensors, dim):
    shape = tensors[0].shape
    if dim < len(shape):  # one after the other along that dimension, which is then two
        return cat(tensors, dim).reshape(*shape[:dim], len(tensors), *shape[dim:])
    index = (*(_ALL,) * dim, None)
    return np.ascontiguousarray(np.concatenate([t[index] for t in tensors], dim))


KERNELS: dict[str, Any] = {
    "cat": cat,
    "stack": stack,
    "unbind": unbind,
    "split": split,
}
