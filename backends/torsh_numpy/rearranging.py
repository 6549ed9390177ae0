"""Rearrangements that copy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from torsh.backend import TO_NUMPY

_ALL = slice(None)
_REVERSED = slice(None, None, -1)


def flip(x, dims):
    return x[tuple([_REVERSED if d in dims else _ALL for d in range(x.ndim)])].copy() if dims else x.copy()


def repeat(x, sizes):
    lead = len(sizes) - x.ndim
    shape = (*(1,) * lead, *x.shape)
    out = np.empty([n * r for n, r in zip(shape, sizes)], x.dtype)
    if out.size:
        split = [k for pair in zip(sizes, shape) for k in pair]
        out.reshape(split)[...] = x.reshape([k for n in shape for k in (1, n)])
    return out


def roll(x, shifts, dims):
    return np.roll(x, shifts, dims)


def _mask(rows, columns, diagonal, lower):
    row, column = np.arange(rows)[:, None], np.arange(columns)
    return column <= row + diagonal if lower else column >= row + diagonal


_small_mask = functools.lru_cache(maxsize=256)(_mask)


def _triangle(x, diagonal, lower):
    rows, columns = x.shape[-2:]
    if columns >= 256:  # row by row moves only what stays
        found = np.zeros(x.shape, x.dtype)
        for i in range(rows):
            at = min(max(i + diagonal + lower, 0), columns)
            part = (..., i, slice(None, at) if lower else slice(at, None))
            found[part] = x[part]
        return found
    mask = (_small_mask if rows * columns <= 1 << 14 else _mask)(rows, columns, diagonal, lower)
    return np.where(mask, x, _ZERO[x.dtype])


_ZERO = {n: np.zeros((), n) for n in TO_NUMPY.values()}


def tril(x, diagonal):
    return _triangle(x, diagonal, True)


def triu(x, diagonal):
    return _triangle(x, diagonal, False)


def triangle_indices(row, col, offset, upper, dtype, device):
    mask = ~np.tri(row, col, offset - 1, dtype=bool) if upper else np.tri(row, col, offset, dtype=bool)
    return np.array(np.nonzero(mask), TO_NUMPY[dtype])


KERNELS: dict[str, Any] = {
    "flip": flip,
    "roll": roll,
    "repeat_kernel": repeat,
    "repeat_interleave_kernel": lambda x, counts, dim, size: np.repeat(x, counts, dim),
    "tril": tril,
    "triu": triu,
    "triangle_indices": triangle_indices,
}
