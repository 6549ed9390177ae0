"""Loops that read and write by an index along a dimension; imported when they are worth it (``_compiled.Loop``).

All arrays are flat: ``count`` places (of ``n`` in x) ``after`` apart, over and over.  The loops return False, and write
nothing, where an index is out of range.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")
_part = numba.njit(error_model="numpy")


@_part
def _step(x: Any, place: Any, out: Any, src: Any, added: Any, number: Any, at: Any) -> None:
    """What is done with one place of x.  The branches that ask for None are decided when this is compiled."""
    if out is not None:
        out[at] = x[place]
    if src is not None:
        x[place] = src[at]
    if added is not None:
        x[place] += added[at]
    if number is not None:
        x[place] = number


@_part
def _walk(x: Any, n: int, index: Any, count: int, after: int, out: Any, src: Any, added: Any, number: Any) -> bool:
    """One step for each index.  Of ``out``, ``src``, ``added`` and ``number`` one is given, the others are None."""
    wrong = False
    for i in range(index.size):  # without a way out, so that it is vectorised
        wrong |= (index[i] < 0) | (index[i] >= n)
    if wrong:
        return False
    # Positions are unsigned, for which Numba leaves out the case of negative ones.
    p, base = 0, np.uint64(0)
    for _ in range(index.size // (count * after)):
        if after == 1:
            for q in range(p, p + count):
                _step(x, base + np.uint64(index[q]), out, src, added, number, q)
            p += count
        else:
            for _ in range(count):
                for b in range(after):
                    _step(
                        x,
                        base + np.uint64(b) + np.uint64(index[p + b]) * np.uint64(after),
                        out,
                        src,
                        added,
                        number,
                        p + b,
                    )
                p += after
        base += np.uint64(n * after)
    return True


@_loop
def gather(x: Any, n: int, index: Any, count: int, after: int, out: Any) -> bool:
    return _walk(x, n, index, count, after, out, None, None, None)


@_loop
def scatter(x: Any, n: int, index: Any, count: int, after: int, src: Any) -> bool:
    return _walk(x, n, index, count, after, None, src, None, None)


@_loop
def scatter_add(x: Any, n: int, index: Any, count: int, after: int, src: Any) -> bool:
    return _walk(x, n, index, count, after, None, None, src, None)


@_loop
def scatter_number(x: Any, n: int, index: Any, count: int, after: int, number: Any) -> bool:
    return _walk(x, n, index, count, after, None, None, None, number)
