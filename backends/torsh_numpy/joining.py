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


def stack(tensors, dim):
    index = (*(_ALL,) * dim, None)
    return np.concatenate([t[index] for t in tensors], dim)


KERNELS: dict[str, Any] = {
    "cat": lambda tensors, dim: np.concatenate(tensors, dim),
    "stack": stack,
    "unbind": unbind,
    "split": split,
}
