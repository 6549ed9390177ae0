"""Samplers on the host: what PyTorch's CPU generator makes of its stream, number for number.

Each takes a generator, a count and a dtype and returns a flat NumPy array of that dtype, PyTorch's bit for bit: what is
computed in float64 with the C library's logarithms and cosines (``_libm``), 16 normal numbers and more of lower
precision with those of PyTorch's kernel for AVX2 (``torsh/_box_muller.py``; PyTorch differs there between CPUs).  The recipes are PyTorch's
(``aten/src/ATen/core/DistributionsHelper.h`` and ``aten/src/ATen/native/cpu/DistributionTemplates.h``), established by
tests/test_random.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torsh import _box_muller, dtypes
from torsh._twister import CHANCES, INTEGERS, NORMALS, PERMUTATION
from torsh.backend import TO_NUMPY
from torsh.dtypes import dtype as Dtype
from torsh.ops import _libm
from torsh.ops._libm import fma
from torsh.random import Generator

Array = np.ndarray[Any, Any]

# Bits of precision; as many random bits make a uniform number.
DIGITS = {dtypes.float64: 53, dtypes.float32: 24, dtypes.float16: 11, dtypes.bfloat16: 8}
# From this range on an integer is drawn with 64 bits.
WIDE = 1 << 28


def uniform(gen: Generator, n: int, dtype: Dtype, low: float = 0.0, high: float = 1.0) -> Array:
    """Uniform numbers in [low, high)."""
    if dtype is dtypes.float32 and low == 0 and high == 1:
        return gen.units(n)
    if dtype is dtypes.float64:
        x = gen.doubles(n)
        return x if low == 0 and high == 1 else _below(fma(x, high - low, low), low, high)
    # float16 and bfloat16 are float32 rounded.
    words = gen.words(n) & np.uint32(0xFFFFFF)
    target = TO_NUMPY[dtype]
    if low == 0 and high == 1:
        x = words.astype(np.float32) * np.float32(2.0**-24)
    else:
        start, width = np.float32(low), np.float32(high) - np.float32(low)
        x = (words * 2.0**-24 * np.float64(width) + np.float64(start)).astype(np.float32)
        if dtype is dtypes.float32:
            return _below(x, low, high)
    return x if dtype is dtypes.float32 else _below(x.astype(target), low, high)


def _below(x: Array, low: float, high: float) -> Array:
    """Numbers that were rounded up to the upper bound, which does not belong to the range, become the lower one."""
    if high > low:
        x[x == x.dtype.type(high)] = low
    return x


def normal(gen: Generator, n: int, dtype: Dtype, mean: float = 0.0, std: float = 1.0, filled: bool = True) -> Array:
    """Normal numbers.  ``filled``: in blocks of 16, as PyTorch does for contiguous tensors of 16 elements and more."""
    if not filled or n < 16:
        return _rounded(fma(normal_doubles(gen, n), std, mean), dtype)
    whole = n // 16 * 16
    if dtype is dtypes.float32:
        run = NORMALS.run or NORMALS.worth(n)
        if run is not None:
            x = np.empty(n, np.float32)
            gen.draw(run, np.float32(std), np.float32(mean), x)
            return x
        x = gen.units(n)
        _box_muller.transform(x[:whole], mean, std)
        if n != whole:  # the last 16 are drawn again
            x[n - 16 :] = gen.units(16)
            _box_muller.transform(x[n - 16 :], mean, std)
        return x
    if n > _PIECE + 15:  # piece by piece, for the sake of memory; the blocks are the same
        x = np.empty(n, TO_NUMPY[dtype])
        ends = [*range(_PIECE, n - 15, _PIECE), n]
        for start, end in zip([0, *ends], ends):
            x[start:end] = normal(gen, end - start, dtype, mean, std)
        return x
    if dtype is dtypes.float64:
        x = gen.doubles(n)
        _in_doubles(x[:whole], mean, std)
        if n != whole:
            x[n - 16 :] = gen.doubles(16)
            _in_doubles(x[n - 16 :], mean, std)
        return x
    # float16 and bfloat16 are float32 rounded, and take whole blocks from the stream, not a number for every element.
    x = np.empty(n, TO_NUMPY[dtype])
    x[:whole] = normal(gen, whole, dtypes.float32, mean, std)
    if n != whole:
        x[n - 16 :] = normal(gen, 16, dtypes.float32, mean, std)
    return x


# How many numbers are transformed at a time: a multiple of 16.
_PIECE = 1 << 16


def _in_doubles(x: Array, mean: float, std: float) -> None:
    """Blocks of 16 uniform float64 numbers, each 8 for radii and 8 for angles, become normal numbers."""
    x = x.reshape(-1, 2, 8)
    radii = np.sqrt(-2.0 * _libm.log((1.0 - x[:, 0]).ravel()))
    angles = (2.0 * math.pi * x[:, 1]).ravel()
    for half, function in enumerate((_libm.cos, _libm.sin)):
        x[:, half] = fma(radii * function(angles), std, mean).reshape(-1, 8)


def _rounded(x: Array, dtype: Dtype) -> Array:
    """float64 numbers in another dtype; by way of float32 where that is smaller, as in PyTorch."""
    target = TO_NUMPY[dtype]
    return (x.astype(np.float32) if dtype.is_floating_point and target.itemsize < 4 else x).astype(target, copy=False)


def normal_doubles(gen: Generator, n: int) -> Array:
    """Standard normal numbers drawn in pairs; the generator keeps the second of a pair for the next call."""
    x = np.empty(n)
    if n and gen.next_normal is not None:
        x[0], gen.next_normal = gen.next_normal, None
        rest = x[1:]
    else:
        rest = x
    if rest.size:
        pairs = (rest.size + 1) // 2
        u = gen.doubles(2 * pairs)
        radius = np.sqrt(-2.0 * _libm.log1p(-u[1::2]))
        angle = 2.0 * math.pi * u[::2]
        rest[::2] = radius * _libm.cos(angle)
        second = radius * _libm.sin(angle)
        if rest.size % 2:
            gen.next_normal = float(second[-1])
            second = second[:-1]
        rest[1::2] = second
    return x


def integers(gen: Generator, n: int, dtype: Dtype, low: int, count: int) -> Array:
    """Integers in low <= x < low + count."""
    if count >= WIDE:
        raw = gen.longs(n)
        if count < 1 << 64:
            raw = _modulo(raw, count)
        if low and count < 1 << 64:
            raw = raw + np.uint64(low & 0xFFFFFFFFFFFFFFFF)
        return raw.view(np.int64).astype(TO_NUMPY[dtype])
    run = INTEGERS.run or INTEGERS.worth(n)
    if run is not None:
        drawn = np.empty(n, np.int64)
        gen.draw(run, low, np.uint32(count), drawn)
        return drawn.astype(TO_NUMPY[dtype], copy=False)
    words = _modulo(gen.words(n), count).astype(np.int64)
    if low:
        words += low
    return words.astype(TO_NUMPY[dtype], copy=False)


def _modulo(x: Array, n: int) -> Array:
    if n & (n - 1) == 0:
        return x & x.dtype.type(n - 1)
    return x % x.dtype.type(n)


def whole_range(gen: Generator, n: int, dtype: Dtype) -> Array:
    """What ``random_()`` without bounds gives: all values that are not negative, or all a float holds exactly."""
    target = TO_NUMPY[dtype]
    if dtype is dtypes.bool:
        return (gen.words(n) & np.uint32(1)).astype(target)
    if dtype in DIGITS:
        top = (1 << DIGITS[dtype]) + 1
        return (_modulo(gen.longs(n), top) if dtype is dtypes.float64 else _modulo(gen.words(n), top)).astype(target)
    top = np.iinfo(target).max + 1
    if dtype.itemsize == 8:
        raw = gen.longs(n)
        return (raw if top == 1 << 64 else _modulo(raw, top)).astype(target)
    words = gen.words(n)
    return (words if top == 1 << 32 else _modulo(words, top)).astype(target)


def bernoulli(gen: Generator, n: int, p: float) -> Array:
    """Whether a uniform number of 53 bits is below p, n times, as bools."""
    limit = np.uint64(math.ceil(p * 2.0**53))  # k * 2**-53 < p, in integers
    if n <= _PIECE:
        return (gen.longs(n) & _MANTISSA) < limit
    out = np.empty(n, bool)
    for start in range(0, n, _PIECE):  # the words take eight times the memory of the result
        part = out[start : start + _PIECE]
        words = gen.longs(part.size)
        np.bitwise_and(words, _MANTISSA, out=words)
        np.less(words, limit, out=part)
    return out


_MANTISSA = np.uint64((1 << 53) - 1)


def bernoulli_each(gen: Generator, p: Array, dtype: Dtype) -> Array:
    """1 where a uniform number is below p: 53 bits for float64 probabilities, 24 for others."""
    target = TO_NUMPY[dtype]
    if p.dtype == np.float32 == target:
        run = CHANCES.run or CHANCES.worth(p.size)
        if run is not None:
            out = np.empty(p.size, np.float32)
            if gen.draw(run, p, np.empty(p.size, np.float32), out):
                return out
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false. Probabilities lie between 0 and 1"
        )
    if p.dtype == np.float64:
        return (gen.doubles(p.size) < p).astype(target)
    return (gen.units(p.size) < p.astype(np.float32)).astype(target)


def exponential(gen: Generator, n: int, dtype: Dtype, rate: float = 1.0) -> Array:
    """Exponential numbers."""
    return _rounded(-1.0 / rate * _libm.log1p(-gen.doubles(n)), dtype)


def geometric(gen: Generator, n: int, dtype: Dtype, p: float) -> Array:
    """How many trials the first success takes."""
    return _rounded(np.ceil(_libm.log(gen.doubles(n)) / math.log1p(-p)), dtype)


def cauchy(gen: Generator, n: int, dtype: Dtype, median: float = 0.0, sigma: float = 1.0) -> Array:
    """Cauchy numbers."""
    return _rounded(fma(_libm.tan(math.pi * (gen.doubles(n) - 0.5)), sigma, median), dtype)


def log_normal(gen: Generator, n: int, dtype: Dtype, mean: float = 1.0, std: float = 2.0) -> Array:
    """Numbers whose logarithms are normal."""
    return _rounded(_libm.exp(fma(normal_doubles(gen, n), std, mean)), dtype)


def permutation(gen: Generator, n: int, dtype: Dtype) -> Array:
    """0 .. n-1 in random order: each place in turn swaps with one of those from it on."""
    if n < 2:
        return np.arange(n).astype(TO_NUMPY[dtype])
    # Beyond this 32 bits would no longer be uniform enough.
    few = n < 0xFFFFFFFF // 20
    run = PERMUTATION.run or PERMUTATION.worth(n)
    if run is not None and few:
        places = np.empty(n, np.int64)
        gen.draw(run, places)
        return places.astype(TO_NUMPY[dtype], copy=False)
    raw = gen.words(n - 1) if few else gen.longs(n - 1)
    swap = np.arange(n - 1, dtype=np.int64) + (raw % np.arange(n, 1, -1, dtype=raw.dtype)).astype(np.int64)
    order = list(range(n))
    for i, j in enumerate(swap.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, TO_NUMPY[dtype])


def by_rejection(gen: Generator, sampler: str, *params: Array, expected: float = 4.0) -> Array:
    """Run a sampler of ``_rejection`` over arrays of parameters; it says how many uniform numbers it took.

    expected: uniform numbers per element to draw at first; where they run out, twice as many are drawn and all is done
    again.
    """
    from torsh.ops import _rejection

    n = params[0].size
    out = np.empty(n)
    run: Callable[..., Any] = _rejection.compiled(sampler) if n >= 2000 else getattr(_rejection, sampler)
    count = int(n * expected) + 64
    kept = gen.next_normal
    while True:
        with gen.peek() as taken:
            u = gen.doubles(count)
            used, left, valid = run(u, out, 0.0 if kept is None else kept, kept is not None, *params)
            if used >= 0:
                taken.used = 2 * used
        if used >= 0:
            gen.next_normal = float(left) if valid else None
            return out
        count *= 2
