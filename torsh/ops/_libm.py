"""The C library's functions of float64 arrays, and fused multiplication and addition.

PyTorch's samplers call the C library element by element; NumPy has vectorised functions of its own, which round differently
once in a while.  With the same functions, and one rounding where the compiler fused two operations, samples are equal bit
for bit where both use the same C library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torsh_numpy._compiled import Loop

Array = np.ndarray[Any, Any]


def _looped(function: Callable[[float], float]) -> Callable[[Array], Array]:
    def run(x: Any, out: Any) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    loop = Loop(run)

    def apply(x: Array) -> Array:
        compiled = loop.run or loop.worth(x.size)
        if compiled is None:
            return np.fromiter(map(function, x.tolist()), np.float64, x.size)
        out = np.empty(x.size)
        compiled(x, out)
        return out

    return apply


log, log1p, exp, cos, sin, tan = map(_looped, (math.log, math.log1p, math.exp, math.cos, math.sin, math.tan))

# Half of the digits of a float64 (Veltkamp's constant), and the size from which on the products below would overflow.
_HALF, _LARGE = 134217729.0, 1e290


def fma(x: Array, factor: float, summand: float) -> Array:
    """x * factor + summand, rounded once: the product's error (Dekker) and the sum's (Knuth) are added at the end."""
    product = x * factor
    if summand == 0:
        return product
    total = product + summand
    if math.frexp(factor)[0] in (0.5, -0.5) or not abs(factor) < _LARGE or not abs(summand) < _LARGE:
        return total
    scaled = factor * _HALF
    high = scaled - (scaled - factor)
    low = factor - high
    scaled_x = x * _HALF
    high_x = scaled_x - (scaled_x - x)
    low_x = x - high_x
    of_product = ((high_x * high - product) + high_x * low + low_x * high) + low_x * low
    back = total - product
    of_sum = (product - (total - back)) + (summand - back)
    return total + (of_sum + of_product)
