"""Loops over the state of MT19937 (``torsh/_twister.py``), compiled by Numba; imported when they are worth it."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from torsh import _box_muller
from torsh_numpy._fused import fma

_loop = numba.njit(cache=True, nogil=True)
_inline = numba.njit(cache=True, nogil=True)


@_inline
def _block(key: Any) -> None:
    """The next 624 words of the recurrence."""
    upper, lower, twist = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
    one = np.uint32(1)
    for i in range(227):
        y = np.uint32((key[i] & upper) | (key[i + 1] & lower))
        key[i] = np.uint32(
            key[i + 397] ^ np.uint32(y >> one) ^ np.uint32(np.uint32(np.uint32(0) - np.uint32(y & one)) & twist)
        )
    for i in range(227, 623):
        y = np.uint32((key[i] & upper) | (key[i + 1] & lower))
        key[i] = np.uint32(
            key[i - 227] ^ np.uint32(y >> one) ^ np.uint32(np.uint32(np.uint32(0) - np.uint32(y & one)) & twist)
        )
    y = np.uint32((key[623] & upper) | (key[0] & lower))
    key[623] = np.uint32(
        key[396] ^ np.uint32(y >> one) ^ np.uint32(np.uint32(np.uint32(0) - np.uint32(y & one)) & twist)
    )


@_inline
def _tempered(y: Any) -> Any:
    y = np.uint32(y ^ np.uint32(y >> np.uint32(11)))
    y = np.uint32(y ^ np.uint32(np.uint32(y << np.uint32(7)) & np.uint32(0x9D2C5680)))
    y = np.uint32(y ^ np.uint32(np.uint32(y << np.uint32(15)) & np.uint32(0xEFC60000)))
    return np.uint32(y ^ np.uint32(y >> np.uint32(18)))


@_loop
def skip(key: Any, pos: Any, n: int) -> None:
    """Leave out the next n words."""
    at = pos[0]
    while n > 624 - at:
        n -= 624 - at
        _block(key)
        at = 0
    pos[0] = at + n


@_loop
def words(key: Any, pos: Any, out: Any) -> None:
    """The next words of 32 bits."""
    at, i = pos[0], 0
    while i < out.size:
        if at == 624:
            _block(key)
            at = 0
        m = min(624 - at, out.size - i)
        part, into = key[at : at + m], out[i : i + m]
        for j in range(m):
            into[j] = _tempered(part[j])
        at += m
        i += m
    pos[0] = at


@_loop
def longs(key: Any, pos: Any, pairs: Any, out: Any) -> None:
    """Numbers of 64 bits, made of two words, high one first.  pairs: the memory of ``out`` as words."""
    words(key, pos, pairs)
    for i in range(out.size):  # the machine takes the low one first
        v = out[i]
        out[i] = np.uint64(np.uint64(v << np.uint64(32)) | np.uint64(v >> np.uint64(32)))


@_loop
def doubles(key: Any, pos: Any, pairs: Any, bits: Any, out: Any) -> None:
    """Uniform float64 numbers in [0, 1) of 53 bits.  pairs, bits: the memory of ``out`` as words and as 64-bit numbers."""
    words(key, pos, pairs)
    for i in range(out.size):
        v = bits[i]
        v = np.uint64(np.uint64(v << np.uint64(32)) | np.uint64(v >> np.uint64(32))) & np.uint64(0x1FFFFFFFFFFFFF)
        out[i] = np.float64(np.int64(v)) * np.float64(2.0**-53)


@_loop
def units(key: Any, pos: Any, out: Any) -> None:
    """Uniform float32 numbers in [0, 1) of 24 bits."""
    at, i = pos[0], 0
    while i < out.size:
        if at == 624:
            _block(key)
            at = 0
        m = min(624 - at, out.size - i)
        part, into = key[at : at + m], out[i : i + m]
        for j in range(m):
            # By way of a signed number, for which the processor has an instruction.
            into[j] = np.float32(np.int32(_tempered(part[j]) & np.uint32(0xFFFFFF))) * np.float32(2.0**-24)
        at += m
        i += m
    pos[0] = at


@_loop
def permutation(key: Any, pos: Any, order: Any) -> None:
    """0 .. n-1 in random order: each place in turn swaps with one of those from it on."""
    n = order.size
    drawn = np.empty(n - 1, np.uint32)
    words(key, pos, drawn)
    for i in range(n):
        order[i] = i
    for i in range(n - 1):
        j = i + np.int64(drawn[i] % np.uint32(n - i))
        order[i], order[j] = order[j], order[i]


@_loop
def integers(key: Any, pos: Any, low: int, count: Any, out: Any) -> None:
    """Integers in low <= x < low + count, by the remainder of a word."""
    drawn = np.empty(out.size, np.uint32)
    words(key, pos, drawn)
    for i in range(out.size):
        out[i] = low + np.int64(drawn[i] % count)


@_loop
def chances(key: Any, pos: Any, p: Any, u: Any, out: Any) -> bool:
    """1 where a uniform float32 number is below p; False, and nothing drawn, where a p is no probability."""
    for i in range(p.size):
        if not (p[i] >= 0 and p[i] <= 1):
            return False
    units(key, pos, u)
    for i in range(p.size):
        out[i] = u[i] < p[i]
    return True


@_inline
def _where(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


_radius, _cosine_and_sine = map(numba.njit(nogil=True), _box_muller.steps(fma, _where))
_BLOCKS = 64


@_loop
def _transform(x: Any, std: Any, mean: Any) -> None:
    """Blocks of 16 uniform numbers become normal numbers; radii and angles are laid side by side, to be vectorised."""
    a, b = np.empty(8 * _BLOCKS, np.float32), np.empty(8 * _BLOCKS, np.float32)
    for start in range(0, x.size, 16 * _BLOCKS):
        part = x[start : start + 16 * _BLOCKS]
        for k in range(part.size // 16):
            for i in range(8):
                a[8 * k + i] = part[16 * k + i]
                b[8 * k + i] = part[16 * k + 8 + i]
        for i in range(part.size // 2):
            radius = _radius(a[i])
            cosine, sine = _cosine_and_sine(b[i])
            a[i] = fma(radius * cosine, std, mean)
            b[i] = fma(radius * sine, std, mean)
        for k in range(part.size // 16):
            for i in range(8):
                part[16 * k + i] = a[8 * k + i]
                part[16 * k + 8 + i] = b[8 * k + i]


@_loop
def normals(key: Any, pos: Any, std: Any, mean: Any, out: Any) -> None:
    """Box and Muller's transformation of blocks of 16 uniform numbers; the last 16 are drawn anew if they are no block."""
    n = out.size
    units(key, pos, out)
    _transform(out[: n // 16 * 16], std, mean)
    if n % 16:
        units(key, pos, out[n - 16 :])
        _transform(out[n - 16 :], std, mean)
