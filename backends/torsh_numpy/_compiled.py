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

    # Only where the order of operations is free may the compiler change it.
    return numba.njit(cache=True, nogil=True, fastmath={"reassoc"} if name == "product" else False)(globals()[name])


def plain(dtype: Any) -> Any:
    """A dtype Numba knows with the same bits, for loops that only move data; None if there is none."""
    if dtype.kind in "biufc" and dtype != np.float16:
        return dtype
    return {1: np.dtype(np.uint8), 2: np.dtype(np.uint16), 4: np.dtype(np.uint32)}.get(dtype.itemsize)


def product(x: Any) -> Any:
    """The product of a one-dimensional array, computed in float64."""
    total = 1.0
    for i in range(x.size):
        total *= x[i]
    return total


def running_sum(x: Any, out: Any) -> None:
    """Of each row of a two-dimensional array, computed in float64; four rows at once hide each other's waiting."""
    rows, n = x.shape
    whole = rows // 4 * 4
    for r in range(0, whole, 4):
        a = b = c = d = 0.0
        for i in range(n):
            a += x[r, i]
            b += x[r + 1, i]
            c += x[r + 2, i]
            d += x[r + 3, i]
            out[r, i] = a
            out[r + 1, i] = b
            out[r + 2, i] = c
            out[r + 3, i] = d
    for r in range(whole, rows):
        a = 0.0
        for i in range(n):
            a += x[r, i]
            out[r, i] = a


def running_extreme(x: Any, smallest: bool, values: Any, places: Any) -> None:
    """The largest (smallest) so far and the last place where it is; NaN is the extreme once it came."""
    before, count, after = x.shape
    for a in range(before):
        for b in range(after):
            values[a, 0, b] = x[a, 0, b]
            places[a, 0, b] = 0
        for k in range(1, count):
            for b in range(after):
                v, last = x[a, k, b], values[a, k - 1, b]
                if v != v or (v <= last if smallest else v >= last):
                    values[a, k, b] = v
                    places[a, k, b] = k
                else:
                    values[a, k, b] = last
                    places[a, k, b] = places[a, k - 1, b]


def to_half(x: Any, bits: Any, out: Any) -> None:
    """The bits of float16 numbers nearest to the float32 numbers ``x``, whose bits are ``bits``."""
    # Every step is brought back to 32 bits (Numba adds in 64), so that twice as many fit a vector register.
    for i in range(bits.size):
        b = bits[i]
        size = np.uint32(b & np.uint32(0x7FFFFFFF))
        odd = np.uint32(np.uint32(size >> np.uint32(13)) & np.uint32(1))
        # Normal numbers: another exponent bias, and half a unit less a bit (none less if odd) to round to even.
        normal = np.uint32(np.uint32(np.uint32(size + odd) - np.uint32(0x37FFF001)) >> np.uint32(13))
        # Subnormal ones are multiples of 2**-24, the last place of 0.5: adding that rounds.
        tiny = np.uint32(np.float32(np.abs(x[i]) + np.float32(0.5)).view(np.uint32) - np.uint32(0x3F000000))
        payload = np.uint32(np.uint32(0x7E00) | (np.uint32(size >> np.uint32(13)) & np.uint32(0x3FF)))
        huge = payload if size > np.uint32(0x7F800000) else np.uint32(0x7C00)
        found = tiny if size < np.uint32(0x38800000) else normal
        found = found if size < np.uint32(0x47800000) else huge
        out[i] = np.uint16(np.uint32(found) | np.uint32(np.uint32(b >> np.uint32(16)) & np.uint32(0x8000)))


def from_half(bits: Any, out: Any) -> None:
    """The bits of float32 numbers equal to the float16 numbers with these bits."""
    for i in range(bits.size):
        b = np.uint32(bits[i])
        size = np.uint32(np.uint32(b & np.uint32(0x7FFF)) << np.uint32(13))
        # The other exponent bias by a multiplication, which is exact and makes subnormal numbers normal.
        found = np.float32(size.view(np.float32) * np.float32(2.0**112)).view(np.uint32)
        found = found if size < np.uint32(0x0F800000) else np.uint32(size | np.uint32(0x7F800000))
        out[i] = np.uint32(found | np.uint32(np.uint32(b & np.uint32(0x8000)) << np.uint32(16)))


def between_halves(x: Any, target: Any) -> Any:
    """A large contiguous array cast between float32 and float16, ten times as fast as NumPy; None for any other cast."""
    if x.dtype == np.float32 and target == np.float16 and x.flags.c_contiguous:
        out = np.empty(x.shape, np.float16)
        flat = x.reshape(-1)
        loop("to_half")(flat, flat.view(np.uint32), out.reshape(-1).view(np.uint16))
        return out
    if x.dtype == np.float16 and target == np.float32 and x.flags.c_contiguous:
        out = np.empty(x.shape, np.float32)
        loop("from_half")(x.reshape(-1).view(np.uint16), out.reshape(-1).view(np.uint32))
        return out
    return None


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
