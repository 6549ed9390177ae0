"""The k first of each row in the order that PyTorch leaves them in: which of equal values come, and in what order, follows from
the swaps of the C++ library that it calls (libstdc++'s ``nth_element``, ``sort`` and ``partial_sort``).

The steps are those of introselect, introsort and heaps as the literature has them; what is that library's own is the pivot (the
median of the second, the middle and the last, swapped to the front), the sizes at which it goes over to insertion (3 and 16) and
the depth after which it goes over to heaps.
Imported when first needed (``_compiled.Loop``).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_loop = numba.njit(cache=True, nogil=True)


@_loop
def _before(a: Any, b: Any, largest: bool) -> bool:
    """Whether a value comes before another; NaN is the largest."""
    if largest:
        return (a != a and b == b) or a > b
    return (b != b and a == a) or a < b


@_loop
def _swap(x: Any, at: Any, i: int, j: int) -> None:
    x[i], x[j] = x[j], x[i]
    at[i], at[j] = at[j], at[i]


@_loop
def _parted(x: Any, at: Any, low: int, high: int, largest: bool) -> int:
    """Divide [low, high) by a pivot; where the second part begins."""
    a, b, c = low + 1, low + (high - low) // 2, high - 1
    if _before(x[a], x[b], largest):
        middle = b if _before(x[b], x[c], largest) else c if _before(x[a], x[c], largest) else a
    else:
        middle = a if _before(x[a], x[c], largest) else c if _before(x[b], x[c], largest) else b
    _swap(x, at, low, middle)
    pivot = x[low]
    i, j = low + 1, high
    while True:
        while _before(x[i], pivot, largest):
            i += 1
        j -= 1
        while _before(pivot, x[j], largest):
            j -= 1
        if i >= j:
            return i
        _swap(x, at, i, j)
        i += 1


@_loop
def _insert(x: Any, at: Any, low: int, i: int, largest: bool) -> None:
    """Bring the element at i to its place among those before it, not below ``low``."""
    value, place = x[i], at[i]
    while i > low and _before(value, x[i - 1], largest):
        x[i], at[i] = x[i - 1], at[i - 1]
        i -= 1
    x[i], at[i] = value, place


@_loop
def _sift(x: Any, at: Any, low: int, hole: int, count: int, value: Any, place: int, largest: bool) -> None:
    """Put a value into the heap of ``count`` elements at ``low``: the hole sinks to the bottom, then the value rises from there."""
    top = child = hole
    while child < (count - 1) // 2:
        child = 2 * (child + 1)
        if _before(x[low + child], x[low + child - 1], largest):
            child -= 1
        x[low + hole], at[low + hole] = x[low + child], at[low + child]
        hole = child
    if count % 2 == 0 and child == (count - 2) // 2:
        child = 2 * (child + 1)
        x[low + hole], at[low + hole] = x[low + child - 1], at[low + child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and _before(x[low + parent], value, largest):
        x[low + hole], at[low + hole] = x[low + parent], at[low + parent]
        hole = parent
        parent = (hole - 1) // 2
    x[low + hole], at[low + hole] = value, place


@_loop
def _heap_select(x: Any, at: Any, low: int, middle: int, high: int, largest: bool) -> None:
    """Make [low, middle) a heap of the first elements of [low, high), the last of them on top."""
    count = middle - low
    for parent in range((count - 2) // 2, -1, -1):
        _sift(x, at, low, parent, count, x[low + parent], at[low + parent], largest)
    for i in range(middle, high):
        if _before(x[i], x[low], largest):
            value, place = x[i], at[i]
            x[i], at[i] = x[low], at[low]
            _sift(x, at, low, 0, count, value, place, largest)


@_loop
def _sort_heap(x: Any, at: Any, low: int, high: int, largest: bool) -> None:
    while high - low > 1:
        high -= 1
        value, place = x[high], at[high]
        x[high], at[high] = x[low], at[low]
        _sift(x, at, low, 0, high - low, value, place, largest)


@_loop
def _depth(n: int) -> int:
    """Twice the binary logarithm, rounded down."""
    depth = 0
    while n > 1:
        n //= 2
        depth += 2
    return depth


@_loop
def _select(x: Any, at: Any, nth: int, high: int, largest: bool) -> None:
    """Bring the element that a sort would leave at ``nth`` there, and those before it to its left."""
    low, depth = 0, _depth(high)
    while high - low > 3:
        if depth == 0:
            _heap_select(x, at, low, nth + 1, high, largest)
            _swap(x, at, low, nth)
            return
        depth -= 1
        cut = _parted(x, at, low, high, largest)
        if cut <= nth:
            low = cut
        else:
            high = cut
    for i in range(low + 1, high):
        _insert(x, at, low, i, largest)


@_loop
def _sort(x: Any, at: Any, high: int, largest: bool) -> None:
    """Divide until no part has more than 16 elements, then insert.  The parts wait on a stack: Numba cannot load recursion from disk."""
    depth = _depth(high)
    waiting = np.empty((depth + 1, 3), np.int64)
    waiting[0] = 0, high, depth
    count = 1
    while count:
        count -= 1
        low, end, depth = waiting[count]
        while end - low > 16:
            if depth == 0:
                _heap_select(x, at, low, end, end, largest)
                _sort_heap(x, at, low, end, largest)
                break
            depth -= 1
            cut = _parted(x, at, low, end, largest)
            waiting[count] = low, cut, depth
            count += 1
            low = cut
    for i in range(1, high):
        _insert(x, at, 0, i, largest)


@_loop
def first(rows: Any, k: int, largest: bool, ordered: bool, values: Any, places: Any) -> None:
    """The k largest (smallest) values of each row and where they were; ``ordered``: one after the other.  k is at least 1."""
    count, n = rows.shape
    few = k * 64 <= n
    x, at = np.empty(k if few else n, rows.dtype), np.empty(k if few else n, np.int64)
    for r in range(count):
        for i in range(x.size):
            x[i], at[i] = rows[r, i], i
        if few:
            _heap_select(x, at, 0, k, k, largest)
            for i in range(k, n):
                if _before(rows[r, i], x[0], largest):
                    _sift(x, at, 0, 0, k, rows[r, i], i, largest)
            _sort_heap(x, at, 0, k, largest)
        else:
            _select(x, at, k - 1, n, largest)
            if ordered:
                _sort(x, at, k - 1, largest)
        for i in range(k):
            values[r, i], places[r, i] = x[i], at[i]


__all__ = ["first"]
