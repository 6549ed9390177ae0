"""Kernels of several steps on large arrays, done block by block so that what is between the steps stays in the cache.

A million float32 logaddexp by np.logaddexp take 16 ms; as maximum, exp, log1p (vectorised) in blocks 1.6 ms (one core,
AVX-512).
Where NumPy has no vectorised steps either, ``_loops.py`` has a loop for Numba.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

BLOCK = 65536
# Below this a whole-array step costs less than the bookkeeping of blocks.
LARGE = 65536

Array = np.ndarray[Any, Any]


def in_blocks(step: Callable[..., None], out: Array, *operands: Any) -> Array:
    """``step(part of out, part of each operand)`` for one block after the other.

    out and all array operands are C-contiguous and of one shape; numbers go to every block as they are.
    """
    flat = out.reshape(-1)
    parts = [a.reshape(-1) if isinstance(a, np.ndarray) else a for a in operands]
    for i in range(0, flat.size, BLOCK):
        block = slice(i, i + BLOCK)
        step(flat[block], *[a[block] if isinstance(a, np.ndarray) else a for a in parts])
    return out


def fits(*operands: Any) -> bool:
    """Whether ``in_blocks`` takes these operands and it pays."""
    shape = None
    for a in operands:
        if isinstance(a, np.ndarray):
            if not a.flags.c_contiguous or a.dtype.kind != "f":
                return False
            if shape is None:
                shape = a.shape
                if a.size < LARGE:
                    return False
            elif a.shape != shape:
                return False
    return shape is not None


def blocked(small: Callable[..., Any], step: Callable[..., None]) -> Callable[..., Any]:
    """A kernel that is ``small`` on small arrays and runs ``step`` in blocks on large ones; it has an ``into`` form."""

    def kernel(x, *rest):
        if type(x) is np.ndarray and x.size >= LARGE and fits(x, *rest):
            return in_blocks(step, np.empty_like(x), x, *rest)
        return small(x, *rest)

    def into(x, *rest, out):
        if x.size >= LARGE and fits(x, *rest, out):
            return in_blocks(step, out, x, *rest)
        own = getattr(small, "into", None)
        if own is not None:
            return own(x, *rest, out=out)
        if isinstance(small, np.ufunc):
            return small(x, *rest, out=out)
        out[...] = small(x, *rest)
        return out

    kernel.into = into  # type: ignore[attr-defined]
    kernel.__name__ = step.__name__
    return kernel


def in_parts(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """An elementwise kernel that takes large arrays block by block, so that what it makes in between is no larger than a block.

    Arrays that are not all C-contiguous and of one shape go to the kernel as a whole, and so does what has several results.
    """

    def run(*args: Any) -> Any:
        shape = None
        for a in args:
            if isinstance(a, np.ndarray) and a.ndim:
                if shape is None:
                    shape = a.shape
                    if a.size < 2 * BLOCK:
                        return kernel(*args)
                if a.shape != shape or not a.flags.c_contiguous:
                    return kernel(*args)
        if shape is None:
            return kernel(*args)
        parts = [a.reshape(-1) if isinstance(a, np.ndarray) and a.ndim else a for a in args]
        out: Any = None
        for i in range(0, math.prod(shape), BLOCK):
            found = kernel(*[a[i : i + BLOCK] if isinstance(a, np.ndarray) and a.ndim else a for a in parts])
            if type(found) is not np.ndarray:
                return kernel(*args)
            if out is None:
                out = np.empty(math.prod(shape), found.dtype)
            out[i : i + BLOCK] = found
        return out.reshape(shape)

    run.__name__ = getattr(kernel, "__name__", "in_parts")
    return run


def looped(small: Callable[..., Any], name: str, arrays: int = 1, doubles: bool = True) -> Callable[..., Any]:
    """A kernel that is ``small`` on small arrays and the loop of that name (``_loops.py``) on large ones.

    arrays: how many operands, from the first, are arrays for the loop; the others are numbers.  doubles: whether the
    loop takes float64 too.  A loop that returns something says how large an intermediate value became;
    2**26 and above (or nan) means that its result is not exact and ``small`` must do it.
    """
    loop: Any = None

    def run(out: Array | None, x: Any, rest: tuple[Any, ...]) -> Array | None:
        nonlocal loop
        if not (type(x) is np.ndarray and x.size >= LARGE and fits(x, *rest) and (doubles or x.dtype == np.float32)):
            return None
        if any((i < arrays) is not isinstance(a, np.ndarray) for i, a in enumerate(rest, 1)):
            return None
        if loop is None:
            from torsh_numpy import _loops

            loop = getattr(_loops, name)
        number = x.dtype.type
        if out is None:
            out = np.empty_like(x)
        parts = [a.reshape(-1) if isinstance(a, np.ndarray) else number(a) for a in rest]
        largest = loop(x.reshape(-1), *parts, out.reshape(-1))
        return out if largest is None or largest < 2.0**26 else None

    def several(x: Any, *rest: Any) -> Any:
        if type(x) is not np.ndarray or x.size < LARGE:
            return small(x, *rest)
        found = run(None, x, rest)
        return small(x, *rest) if found is None else found

    def one(x: Array) -> Any:
        if x.size < LARGE:
            return small(x)
        found = run(None, x, ())
        return small(x) if found is None else found

    kernel = one if getattr(getattr(small, "__code__", None), "co_argcount", 0) == 1 else several

    def into(x: Array, *rest: Any, out: Array) -> Array:
        # A loop whose result may have to be done again must not write over its operands.
        if out.flags.c_contiguous and not checked and run(out, x, rest) is not None:
            return out
        own = small if isinstance(small, np.ufunc) else getattr(small, "into", None)
        if own is not None:
            return own(x, *rest, out=out)
        out[...] = kernel(x, *rest)
        return out

    checked = name in ("fmod", "remainder", "floor_divide")
    kernel.into = into  # type: ignore[attr-defined]
    kernel.__name__ = name
    return kernel
