"""Large draws on lazy backends: the stream is walked over now, the numbers are made later, piece by piece.

A tensor that may be larger than memory is drawn in pieces of consecutive elements.  What is kept of each is the state in
which the generator starts it, and the generator goes on behind the last one, so that all numbers are those of one draw.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from torsh import dtypes
from torsh.dtypes import dtype as Dtype
from torsh.ops import _sampling

if TYPE_CHECKING:
    from torsh.dispatch import Kind
    from torsh.random import Generator

# Elements from which it is asked whether a draw goes in pieces, and what a piece holds a multiple of (blocks of normal numbers).
LEAST = 1 << 16
BLOCK = 16


def _words(name: str, n: int, dtype: Dtype, params: tuple[Any, ...]) -> int | None:
    """How many words of 32 bits n samples take from the stream; None where only drawing them tells."""
    wide = 2 if dtype is dtypes.float64 else 1
    if name == "uniform":
        return n * wide
    if name == "normal_sample" and params[-1] and n >= BLOCK:
        if n % BLOCK == 0:
            return n * wide
        # The last 16 are drawn again; in lower precisions only whole blocks are drawn before.
        return (n if dtype in (dtypes.float32, dtypes.float64) else n // BLOCK * BLOCK) * wide + BLOCK * wide
    if name in ("bernoulli_sample", "exponential", "geometric", "cauchy"):
        return 2 * n
    if name == "integers":
        return 2 * n if params[1] >= _sampling.WIDE else n
    return None


def _skip(name: str, gen: Generator, n: int, dtype: Dtype, params: tuple[Any, ...]) -> None:
    """Leave a generator behind n samples that are not wanted now."""
    if dtype.is_complex:
        n, dtype = 2 * n, dtype.to_real()
    words = _words(name, n, dtype, params)
    if words is None:
        from torsh.ops.random import flat_samples

        flat_samples(name, gen, n, dtype, params)
    else:
        gen.skip(words)


def _piece(name: str, state: bytes, dtype: Dtype, params: tuple[Any, ...], count: int) -> np.ndarray[Any, Any]:
    """The samples of a piece; runs when they are needed, in a worker process perhaps."""
    from torsh.ops.random import flat_samples
    from torsh.random import Generator

    return flat_samples(name, Generator()._set_bytes(state), count, dtype, params)  # type: ignore[no-any-return]


def drawn(name: str, size: tuple[int, ...], params: tuple[Any, ...], gen: Generator, kind: Kind) -> Any:
    """The raw array of a large draw on a lazy backend; None where it is not to go in pieces."""
    if name == "permutation":  # every element depends on all before it
        return None
    counts = kind.backend.pieces(size, kind.dtype, BLOCK)
    if len(counts) == 1:
        return None
    if counts[-1] < BLOCK:
        counts = (*counts[:-2], counts[-2] + counts[-1])
    make = []
    for n in counts:
        make.append(functools.partial(_piece, name, gen._bytes(), kind.dtype, params, n))
        _skip(name, gen, n, kind.dtype, params)
    assert sum(counts) == math.prod(size)
    return kind.backend.from_pieces(size, kind.dtype, counts, make)


__all__ = ["LEAST", "drawn"]
