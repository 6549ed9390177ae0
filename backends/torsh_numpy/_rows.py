"""Loops over rows that give NumPy's own bits: sums are taken in the order of ``np.add.reduce`` over a contiguous row.

NumPy needs several calls of a microsecond each for what one of these does.  Imported when they are worth it
(``_compiled.Loop``); tests hold both forms together.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")


@_loop
def _pairwise(x: Any) -> Any:
    """NumPy's pairwise sum: eight running sums in blocks of at most 128, halves above."""
    n = x.size
    if n < 8:
        total = x.dtype.type(-0.0)
        for i in range(n):
            total += x[i]
        return total
    if n <= 128:
        a, b, c, d, e, f, g, h = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
        whole = n - n % 8
        for i in range(8, whole, 8):
            a += x[i]
            b += x[i + 1]
            c += x[i + 2]
            d += x[i + 3]
            e += x[i + 4]
            f += x[i + 5]
            g += x[i + 6]
            h += x[i + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
        for i in range(whole, n):
            total += x[i]
        return total
    half = n // 2
    half -= half % 8
    return _pairwise(x[:half]) + _pairwise(x[half:])


@_loop
def _largest(x: Any) -> Any:
    """The largest element; of a row with a nan any element or nan.  Eight at once, which the compiler makes one instruction."""
    n = x.size
    top = x[0]
    start = 1
    if n >= 16:
        a, b, c, d, e, f, g, h = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
        start = n - n % 8
        for i in range(8, start, 8):
            a = x[i] if x[i] > a else a
            b = x[i + 1] if x[i + 1] > b else b
            c = x[i + 2] if x[i + 2] > c else c
            d = x[i + 3] if x[i + 3] > d else d
            e = x[i + 4] if x[i + 4] > e else e
            f = x[i + 5] if x[i + 5] > f else f
            g = x[i + 6] if x[i + 6] > g else g
            h = x[i + 7] if x[i + 7] > h else h
        a, b, c, d = (a if a > b else b), (c if c > d else d), (e if e > f else f), (g if g > h else h)
        a, b = (a if a > b else b), (c if c > d else d)
        top = a if a > b else b
    for i in range(start, n):
        top = x[i] if x[i] > top else top
    return top


@_loop
def less_largest(x: Any, out: Any) -> None:
    """Each row less its largest element.  A row with a nan keeps it, which is enough to make sums of the row nan."""
    for r in range(x.shape[0]):
        row, into = x[r], out[r]
        top = _largest(row)
        for i in range(row.size):
            into[i] = row[i] - top


@_loop
def over_sum(x: Any) -> None:
    """Each row divided by its sum."""
    for r in range(x.shape[0]):
        row = x[r]
        total = _pairwise(row)
        for i in range(row.size):
            row[i] /= total


@_loop
def less(x: Any, each: Any) -> None:
    """Each row less one number, which is a column's."""
    for r in range(x.shape[0]):
        row, lost = x[r], each[r, 0]
        for i in range(row.size):
            row[i] -= lost


@_loop
def sums(x: Any, out: Any) -> None:
    """The sum of each row, as a column."""
    for r in range(x.shape[0]):
        out[r, 0] = _pairwise(x[r])


@_loop
def variances(x: Any, divisor: Any, out: Any) -> None:
    """The sum of squared distances from the mean of each row, divided."""
    count = x.dtype.type(x.shape[1])
    squares = np.empty(x.shape[1], x.dtype)
    for r in range(x.shape[0]):
        row = x[r]
        m = _pairwise(row) / count
        for i in range(row.size):
            v = row[i] - m
            squares[i] = v * v
        out[r] = _pairwise(squares) / divisor


@_loop
def layer_norm(
    x: Any, weight: Any, bias: Any, scaled: bool, shifted: bool, eps: Any, out: Any, mean: Any, rstd: Any
) -> None:
    """Rows brought to mean 0 and variance 1, then scaled and shifted."""
    count = x.dtype.type(x.shape[1])
    one = x.dtype.type(1)
    squares = np.empty(x.shape[1], x.dtype)
    for r in range(x.shape[0]):
        row, into = x[r], out[r]
        m = _pairwise(row) / count
        for i in range(row.size):
            v = row[i] - m
            into[i] = v
            squares[i] = v * v
        s = one / np.sqrt(_pairwise(squares) / count + eps)
        for i in range(row.size):
            v = into[i] * s
            if scaled:
                v = v * weight[i]
            if shifted:
                v = v + bias[i]
            into[i] = v
        mean[r] = m
        rstd[r] = s
