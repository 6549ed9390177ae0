"""Loops for large arrays where NumPy has no fast form, compiled by Numba when first needed.

``loop(name)`` gives one of the functions below compiled; each works on arrays brought to three dimensions: what lies
before the dimension in question, the dimension, what lies after it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

# Elements from which a compiled loop beats NumPy by more than it costs to look it up (and, once, to load it).
LARGE = 100_000


# What the bookkeeping of a call on a small array counts for in ``Loop``, in elements.
_CALL = 1000


class Loop:
    """A loop that is compiled (or loaded from disk) once the arrays it could have served add up to a large one.

    function: a Python function, or "module:name" of one that is compiled when its module is imported.
    Only for loops that give what the NumPy form gives, bit for bit: which of the two runs depends on what ran before.
    """

    __slots__ = ("function", "options", "run", "seen")

    def __init__(self, function: Callable[..., Any] | str, **options: Any) -> None:
        self.function, self.options = function, options
        # The compiled loop, None until it is worth it: callers look here first.
        self.run: Callable[..., Any] | None = None
        self.seen = 0

    def worth(self, size: int) -> Callable[..., Any] | None:
        """The compiled loop, if it pays for an array of ``size`` elements after all that came before."""
        self.seen += size + _CALL
        return None if self.seen < LARGE and self.run is None else self.compiled()

    def compiled(self) -> Callable[..., Any]:
        """The compiled loop."""
        if self.run is None and isinstance(self.function, str):
            module, _, name = self.function.partition(":")
            self.run = getattr(importlib.import_module(module), name)
        elif self.run is None:
            import numba

            self.run = numba.njit(cache=True, nogil=True, **self.options)(self.function)
        assert self.run is not None
        return self.run


def loop(name: str) -> Callable[..., Any]:
    """One of this module's loops, compiled."""
    return LOOPS[name].compiled()


def plain(dtype: Any) -> Any:
    """A dtype Numba knows with the same bits, for loops that only move data; None if there is none."""
    if dtype.kind in "biufc" and dtype != np.float16:
        return dtype
    return {1: np.dtype(np.uint8), 2: np.dtype(np.uint16), 4: np.dtype(np.uint32)}.get(dtype.itemsize)


class _Plain(dict[Any, Any]):
    def __missing__(self, dtype: Any) -> Any:
        found = self[dtype] = plain(dtype)
        return found


PLAIN = _Plain()


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


def running_extreme(x: Any, count: int, after: int, smallest: bool, values: Any, places: Any) -> None:
    """The largest (smallest) so far and the last place where it is; NaN is the extreme once it came.

    All arrays are flat, of ``count`` elements ``after`` apart, over and over.
    """
    step = count * after
    if after == 1:
        for start in range(0, x.size, step):
            k, end = start, start + step
            while k < end:  # from one extreme to the next
                last, place, to = x[k], k - start, k + 1
                while to < end and not (x[to] != x[to] or (x[to] <= last if smallest else x[to] >= last)):
                    to += 1
                values[k:to] = last
                places[k:to] = place
                k = to
        return
    for start in range(0, x.size, step):
        for b in range(start, start + after):
            values[b] = x[b]
            places[b] = 0
        for k in range(1, count):
            for b in range(start + k * after, start + (k + 1) * after):
                v, last = x[b], values[b - after]
                if v != v or (v <= last if smallest else v >= last):
                    values[b] = v
                    places[b] = k
                else:
                    values[b] = last
                    places[b] = places[b - after]


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
    """A contiguous array cast between float32 and float16, ten times as fast as NumPy; None for any other cast."""
    if x.dtype == np.float32 and target == np.float16 and x.flags.c_contiguous:
        run = LOOPS["to_half"].worth(x.size)
        if run is None:
            return None
        out = np.empty(x.shape, np.float16)
        flat = x.reshape(-1)
        run(flat, flat.view(np.uint32), out.reshape(-1).view(np.uint16))
        return out
    if x.dtype == np.float16 and target == np.float32 and x.flags.c_contiguous:
        run = LOOPS["from_half"].worth(x.size)
        if run is None:
            return None
        out = np.empty(x.shape, np.float32)
        run(x.reshape(-1).view(np.uint16), out.reshape(-1).view(np.uint32))
        return out
    return None


def selected(rows: Any, k: int, places: Any) -> None:
    """Where PyTorch's quickselect leaves the k-th smallest of each row: of equal values the one its swaps bring there.

    The rows are changed.  NaN is the largest.
    """
    count, n = rows.shape
    for r in range(count):
        x = rows[r]
        at = np.arange(n)
        low, high = 0, n - 1
        while high > low:
            if high == low + 1:
                a, b = x[low], x[high]
                if (a != a and b == b) or a > b:
                    at[low], at[high] = at[high], at[low]
                    x[low], x[high] = b, a
                break
            # The median of three goes first, with a smaller one behind it and a larger one at the end.
            for step in range(4):
                i = low + (high - low) // 2 if step == 0 else low if step == 2 else low + 1
                j = low + 1 if step == 0 else low if step == 3 else high
                a, b = x[i], x[j]
                if step == 0 or (a != a and b == b) or a > b:
                    x[i], x[j] = b, a
                    at[i], at[j] = at[j], at[i]
            i, j, pivot = low + 1, high, x[low]
            while True:
                i += 1
                while (pivot != pivot and x[i] == x[i]) or pivot > x[i]:
                    i += 1
                j -= 1
                while (x[j] != x[j] and pivot == pivot) or x[j] > pivot:
                    j -= 1
                if j < i:
                    break
                a, b = x[i], x[j]
                x[i], x[j] = b, a
                at[i], at[j] = at[j], at[i]
            a, b = x[low], x[j]
            x[low], x[j] = b, a
            at[low], at[j] = at[j], at[low]
            if j <= k:
                low = i
            if j >= k:
                high = j - 1
        places[r] = at[k]


def in_range(index: Any, n: int) -> bool:
    """Whether all of a flat index array is in 0 .. n - 1."""
    wrong = False
    for i in range(index.size):  # without a way out, so that it is vectorised
        wrong |= (index[i] < 0) | (index[i] >= n)
    return not wrong


def places_of(mask: Any, width: int, out: Any) -> None:
    """Row and column of every true element of a flat array with rows of ``width``."""
    at = 0
    for i in range(mask.size):
        if mask[i]:
            out[at, 0] = i // width
            out[at, 1] = i % width
            at += 1


def minus_picked(x: Any, target: Any, ignored: int, out: Any) -> int:
    """Minus the element of each row that its target names; how many targets are to be ignored, -1 for one out of range."""
    found = 0
    for r in range(target.size):
        t = target[r]
        if t == ignored:
            found += 1
        elif t < 0 or t >= x.shape[1]:
            return -1
        else:
            out[r] = -x[r, t]
    return found


def max_pool(x: Any, window: Any, best: Any, where: Any) -> None:
    """Maxima of windows of planes, and their flat positions in the plane (``where`` may be empty).

    window: two numbers each of kernel, stride, padding and dilation.  The first of equal ones counts, the last nan.
    """
    kh, kw, sh, sw, ph, pw, dh, dw = window
    height, width = x.shape[1], x.shape[2]
    for plane in range(x.shape[0]):
        for i in range(best.shape[1]):
            top = i * sh - ph
            rows = range(top + (-top + dh - 1) // dh * dh if top < 0 else top, min(top + kh * dh, height), dh)
            for j in range(best.shape[2]):
                left = j * sw - pw
                columns = range(
                    left + (-left + dw - 1) // dw * dw if left < 0 else left, min(left + kw * dw, width), dw
                )
                place = rows.start * width + columns.start
                value = x[plane, rows.start, columns.start]
                for h in rows:
                    for w in columns:
                        v = x[plane, h, w]
                        if v > value or v != v:
                            value, place = v, h * width + w
                best[plane, i, j] = value
                if where.size:
                    where[plane, i, j] = place


def mean_pool(x: Any, window: Any, divisor: Any, out: Any) -> None:
    """Sums of windows of planes, divided; the elements in their order, zeros around the plane.

    window: two numbers each of kernel, stride and padding.
    """
    kh, kw, sh, sw, ph, pw = window
    zero = x.dtype.type(0)
    for plane in range(x.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                total = zero
                for a in range(kh):
                    for b in range(kw):
                        h, w = i * sh - ph + a, j * sw - pw + b
                        inside = h >= 0 and h < x.shape[1] and w >= 0 and w < x.shape[2]
                        v = x[plane, h, w] if inside else zero
                        total = v if a + b == 0 else total + v
                out[plane, i, j] = total / divisor


def patches(x: Any, geometry: Any, out: Any) -> None:
    """Windows of x (samples, channels, height, width) as columns of ``out``: (channels * taps, samples * positions).

    geometry: two numbers each of kernel, stride, dilation and positions.
    """
    kh, kw, sh, sw, dh, dw, oh, ow = geometry
    r = 0
    for c in range(x.shape[1]):
        for a in range(kh):
            for b in range(kw):
                row = out[r]
                at = 0
                for n in range(x.shape[0]):
                    for i in range(oh):
                        line = x[n, c, i * sh + a * dh]
                        start = b * dw
                        if sw == 1:
                            part = line[start : start + ow]
                            into = row[at : at + ow]
                            for j in range(ow):
                                into[j] = part[j]
                        else:
                            for j in range(ow):
                                row[at + j] = line[start + j * sw]
                        at += ow
                r += 1


def add_rows(x: Any, index: Any, src: Any) -> None:
    """x[index[r]] += src[r] for two-dimensional x and src."""
    width = src.shape[1]
    for r in range(index.shape[0]):
        to = index[r]
        for c in range(width):
            x[to, c] += src[r, c]


def spaced(start: float, end: float, step: float, out: Any) -> None:
    """Evenly spaced numbers, each half counted from its own end, rounded once."""
    half = out.size // 2
    for i in range(half):
        out[i] = start + step * i
    for i in range(half, out.size):
        out[i] = end - step * (out.size - 1 - i)


LOOPS = {
    f.__name__: Loop(f)
    for f in (
        spaced,
        running_sum,
        running_extreme,
        to_half,
        from_half,
        in_range,
        places_of,
        minus_picked,
        max_pool,
        mean_pool,
        patches,
        add_rows,
        selected,
    )
}
LOOPS.update(
    {name: Loop(f"torsh_numpy._indexed:{name}") for name in ("gather", "scatter", "scatter_add", "scatter_number")}
)
LOOPS["first"] = Loop("torsh_numpy._selection:first")
# Only where the order of operations is free may the compiler change it.
LOOPS.update(
    {
        name: Loop(f"torsh_numpy._rows:{name}")
        for name in ("less_largest", "less", "over_sum", "sums", "variances", "layer_norm")
    }
)
LOOPS["product"] = Loop(product, fastmath={"reassoc"})
