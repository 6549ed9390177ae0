"""Where functions are measured, and what an error is.

The points of a function are a third each of: numbers of all magnitudes the type has, subnormal ones among them, spread
evenly in their exponent; numbers spread evenly over windows of several widths around 0; and numbers at all distances,
down to the last place, from the places where the function changes character (``SPOTS``: roots, branch points, poles,
thresholds).  They depend on the function's name and the type only.

An error is the distance from the exact value in units in the last place (ulp) of the exact value.  Below the smallest
normal number a unit is the smallest subnormal one.  Where the exact value is no finite number of the type, nothing is
measured.

Near a root no float holds the argument well enough for the function's size to be known: a point is *near a root* where
the exact value is smaller than 1/16 of the function's size around it (``AROUND``), and counts by itself.  Functions
without such a size have no root, or one at 0 or another float at which their value can be as exact as elsewhere: they
are given no such allowance (log at 1, sin at multiples of pi, lgamma's neighbour log1p at 0).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_INF = math.inf
# The domain, where it is not all numbers: beyond it functions are nan, or the exact value takes too long.
DOMAIN: dict[str, tuple[float, float]] = {
    "log": (0, _INF), "log2": (0, _INF), "log10": (0, _INF), "log1p": (-1, _INF), "sqrt": (0, _INF),
    "rsqrt": (0, _INF), "asin": (-1, 1), "acos": (-1, 1), "acosh": (1, _INF), "atanh": (-1, 1), "erfinv": (-1, 1),
    "ndtri": (0, 1), "logit": (0, 1), "entr": (0, _INF), "polygamma": (-30, _INF), "mvlgamma": (1, _INF),
    "zeta": (-30, _INF), "igamma": (0, 1e5), "igammac": (0, 1e5), "pow": (0, _INF), "bessel_y0": (0, _INF),
    "bessel_y1": (0, _INF), "modified_bessel_k0": (0, _INF), "modified_bessel_k1": (0, _INF),
    "scaled_modified_bessel_k0": (0, _INF), "scaled_modified_bessel_k1": (0, _INF),
    "xlogy": (0, _INF), "xlog1py": (-1, _INF),
}  # fmt: skip

_PI = math.pi
_HALVES = tuple(k / 2 for k in range(-9, 10))
# Places besides 0 where the function changes character.
SPOTS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("floor", "ceil", "trunc", "frac", "round", "sinc"), _HALVES),
    **dict.fromkeys(("log", "log2", "log10", "acosh", "entr", "acos", "asin", "atanh", "erfinv"), (1.0, -1.0)),
    **dict.fromkeys(("sin", "cos", "tan", "spherical_bessel_j0"), tuple(k * _PI / 2 for k in (1, 2, 3, 4, 7, 22, 710))),
    "log1p": (-1.0,), "logit": (0.5, 1.0), "ndtri": (0.5, 1.0), "lgamma": (1.0, 2.0, -1.0, -2.0, -2.457024738220801),
    "digamma": (1.4616321449683623, -0.5040830082644554, -1.0, -2.0), "polygamma": (-1.0, -2.0, 0.5, 1.0),
    "mvlgamma": (1.0,), "zeta": (1.0, -1.0), "igamma": (0.5, 1.0, 3.0, 100.0), "igammac": (0.5, 1.0, 3.0, 100.0),
    "pow": (1.0,), "bessel_j0": (2.404825557695773, 5.520078110286311, 5.0, 8.0, 25.0),
    "bessel_j1": (3.8317059702075125, 7.015586669815619, 5.0, 8.0, 25.0),
    "bessel_y0": (0.8935769662791675, 3.957678419314858, 5.0, 8.0, 25.0),
    "bessel_y1": (2.197141326031017, 5.429681040794135, 5.0, 8.0, 25.0),
    "airy_ai": (-2.338107410459767, -4.08794944413097, 2.09, 8.3),
    **dict.fromkeys(("i0", "i0e", "i1", "i1e", "modified_bessel_i0", "modified_bessel_i1"), (8.0, -8.0)),
    **dict.fromkeys((f"{s}modified_bessel_k{n}" for s in ("", "scaled_") for n in (0, 1)), (2.0,)),
    "hardtanh": (-1.0, 1.0), "relu6": (6.0,), "hardsigmoid": (-3.0, 3.0), "hardswish": (-3.0, 3.0),
    "hardshrink": (-0.5, 0.5), "softshrink": (-0.5, 0.5), "threshold": (0.25,), "softplus": (20.0, 5.0),
    "logaddexp": (2.5,), "logaddexp2": (2.5,), "xlogy": (1.0,), "xlog1py": (-1.0,), "atan2": (2.5,), "hypot": (2.5,),
    "exp": (88.72284, -87.33655, -103.97208, 709.782712893384, -708.3964185322641), "erfc": (26.5, 10.0),
}  # fmt: skip


def _wave(x: Array) -> Array:
    return math.sqrt(2 / np.pi) / np.sqrt(np.maximum(np.abs(x), 0.6))


def _gamma_size(x: Array) -> Array:
    """lgamma of negative numbers is a difference of what is about this large; between 1 and 2 it is around 0.1."""
    size = np.maximum(-x, 0)
    return 1.0 + size * np.log1p(size)


# How large functions with roots that are no floats (or whose values near them are differences) are around a point.
AROUND: dict[str, Callable[..., Array]] = {
    "bessel_j0": _wave, "bessel_j1": lambda x: np.where(np.abs(x) < 1, 0.0, _wave(x)), "bessel_y0": _wave,
    "bessel_y1": _wave,
    "airy_ai": lambda x: np.where(x < 0, np.maximum(-x, 1.0) ** -0.25 / math.sqrt(math.pi), 0.0),
    "lgamma": _gamma_size, "mvlgamma": _gamma_size, "digamma": lambda x: 1.0 + np.log1p(np.maximum(-x, 0)),
    # For even n the two nearest poles' terms cancel; each is at least this large.
    "polygamma": lambda x, n=1: np.where(x < 0, 0.0 if n % 2 else math.factorial(n) * 2.0 ** (n + 1), 0.0),
    "zeta": lambda x, s=2.0: np.where(x < 0, 2.0**s if s % 2 == 1 else 0.0, 0.0),
}  # fmt: skip

_TYPES = {"float32": (np.float32, -149, 128, 23), "float64": (np.float64, -1074, 1024, 52)}


def points(function: Any, dtype: str, count: int) -> Array:
    """About ``count`` points inside the function's domain."""
    kind, lowest, highest, digits = _TYPES[dtype]
    rng = np.random.default_rng(zlib.crc32(f"{function.label} {dtype}".encode()))
    low, high = DOMAIN.get(function.op, (-_INF, _INF))
    third = max(count // 3, 1)
    spots = [s for s in SPOTS.get(function.op, ()) if low <= s <= high]
    with np.errstate(all="ignore"):
        # Magnitudes: of what the domain holds, and again of what most functions live on.
        parts = []
        for bottom, top, share in ((lowest, highest, third // 2), (-30, 30, third - third // 2)):
            top = min(top, math.log2(max(-low, high))) if max(-low, high) < _INF else top
            size = np.exp2(rng.uniform(bottom, top, share))
            sign = np.where(rng.random(share) < 0.5, -1.0, 1.0) if low < 0 < high else 1.0 if high > 0 else -1.0
            parts.append(size * sign)
        # Windows, cut to the domain.
        widths = (1.0, 4.0, 16.0, 100.0, 1000.0)
        for w in widths:
            a, b = max(low, -w), min(high, w)
            if a < b:
                parts.append(rng.uniform(a, b, third // len(widths) + 1))
        # Spots.
        for s in spots:
            n = third // len(spots) + 1
            distance = np.exp2(rng.uniform(-digits - 1, -1, n)) * np.where(rng.random(n) < 0.5, -1, 1)
            parts.append(s + max(abs(s), 2.0**-20) * distance)
        if not spots:
            sign = 1.0 if low >= 0 else np.where(rng.random(third) < 0.5, -1.0, 1.0)
            parts.append(np.exp2(rng.uniform(-digits, 4, third)) * sign)
        edges = np.array([0.0, *spots, 1.0, 2.0**lowest, 2.0 ** (lowest + digits), float(np.finfo(kind).max)])
        edges = np.concatenate([edges, -edges])
        parts.append(edges)
        x = np.concatenate(parts).astype(kind)
        near = edges.astype(kind)
        x = np.concatenate([x, np.nextafter(near, kind(_INF)), np.nextafter(near, kind(-_INF))])
    return x[np.isfinite(x) & (x >= low) & (x <= high)]


def near_root(function: Any, x: Array, exact: Array) -> Array:
    """Which points count as near a root; see the module's text."""
    size = AROUND.get(function.op)
    return (
        np.zeros(x.shape, bool) if size is None else np.abs(exact) < size(x.astype(np.float64), *function.before) / 16
    )


def unit(exact: Array, dtype: str) -> Array:
    """The unit in the last place of numbers of a type, as float64."""
    _, lowest, _, digits = _TYPES[dtype]
    _, exponent = np.frexp(exact)
    return np.ldexp(1.0, np.where(exact == 0, lowest, np.maximum(exponent - 1 - digits, lowest)))


def errors(found: Array, exact: Array, rest: Array, dtype: str) -> Array:
    """Errors in ulp; infinite where the result is not finite.  exact + rest is the exact value."""
    with np.errstate(all="ignore"):
        error = np.abs((found.astype(np.float64) - exact) - rest) / unit(exact, dtype)
    return np.where(np.isfinite(found), error, _INF)
