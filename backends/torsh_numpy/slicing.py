"""Gradients of views of a part."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh_numpy.shape import diagonal, unfold


def embed(g, size, index):
    found = np.zeros(size, g.dtype)
    found[index] = g
    return found


def diagonal_embed(g, size, offset, dim1, dim2):
    found = np.zeros(size, g.dtype)
    diagonal(found, offset, dim1, dim2)[...] = g
    return found


def fold_windows(g, size, dim, length, step):
    found = np.zeros(size, g.dtype)
    windows = unfold(found, dim, length, step)
    if step >= length:
        windows[...] = g
    else:
        for i in range(length):  # one position of every window at a time: these do not overlap
            windows[..., i] += g[..., i]
    return found


def strided_sum(g, n, size, stride, offset):
    """Add the elements of an as_strided view into flat memory of ``n`` elements."""
    at = np.full((), offset, np.int64)
    for length, step in zip(size, stride):
        at = at[..., None] + np.arange(length, dtype=np.int64) * step
    found = np.zeros(n, g.dtype)
    np.add.at(found, at.reshape(-1), np.ascontiguousarray(g).reshape(-1))
    return found


KERNELS: dict[str, Any] = {
    "embed": embed, "diagonal_embed": diagonal_embed, "fold_windows": fold_windows, "strided_sum": strided_sum,
}  # fmt: skip
