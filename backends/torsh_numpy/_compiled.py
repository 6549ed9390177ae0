"""Loops for large arrays where NumPy has no fast form, compiled by Numba when first needed.

``loop(name)`` gives one of the functions below compiled; each works on arrays brought to three dimensions: what lies
before the dimension in question, the dimension, what lies after it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# Elements from which a compiled loop beats NumPy by more than it costs to look it up (and, once, to load it).
LARGE = 100_000


@functools.cache
def loop(name: str) -> Callable[..., Any]:
    """One of this module's loops, compiled."""
    import numba

    return numba.njit(cache=True, nogil=True)(globals()[name])


def plain(dtype: Any) -> Any:
    """A dtype Numba knows with the same bits, for loops that only move data; None if there is none."""
    if dtype.kind in "biufc" and dtype != np.float16:
        return dtype
    return {1: np.dtype(np.uint8), 2: np.dtype(np.uint16), 4: np.dtype(np.uint32)}.get(dtype.itemsize)


def gather(x: Any, index: Any, out: Any) -> None:
    before, count, after = index.shape
    if after == 1:
        for a in range(before):
            for k in range(count):
                out[a, k, 0] = x[a, index[a, k, 0], 0]
        return
    for a in range(before):
        for k in range(count):
            for b in range(after):
                out[a, k, b] = x[a, index[a, k, b], b]


def scatter(x: Any, index: Any, src: Any) -> None:
    before, count, after = index.shape
    for a in range(before):
        for k in range(count):
            for b in range(after):
                x[a, index[a, k, b], b] = src[a, k, b]


def scatter_number(x: Any, index: Any, number: Any) -> None:
    before, count, after = index.shape
    for a in range(before):
        for k in range(count):
            for b in range(after):
                x[a, index[a, k, b], b] = number


def scatter_add(x: Any, index: Any, src: Any) -> None:
    before, count, after = index.shape
    for a in range(before):
        for k in range(count):
            for b in range(after):
                x[a, index[a, k, b], b] += src[a, k, b]


def add_rows(x: Any, index: Any, src: Any) -> None:
    """x[index[r]] += src[r] for two-dimensional x and src."""
    width = src.shape[1]
    for r in range(index.shape[0]):
        to = index[r]
        for c in range(width):
            x[to, c] += src[r, c]


def largest(x: Any, k: int, smallest: bool, values: Any, places: Any) -> None:
    """The k largest (smallest) values of each row, in order; of equal ones the first.  NaN is the largest."""
    rows, n = x.shape
    for r in range(rows):
        have = 0
        for i in range(n):
            v = x[r, i]
            if have == k:
                last = values[r, k - 1]
                if smallest:
                    if not (v < last or (last != last and v == v)):
                        continue
                elif not (v > last or (v != v and last == last)):
                    continue
                at = k - 1
            else:
                at = have
                have += 1
            while at > 0:
                other = values[r, at - 1]
                if smallest:
                    if not (v < other or (other != other and v == v)):
                        break
                elif not (v > other or (v != v and other == other)):
                    break
                values[r, at] = other
                places[r, at] = places[r, at - 1]
                at -= 1
            values[r, at] = v
            places[r, at] = i
