"""16 float32 normals from 16 uniform numbers, to the bit of PyTorch's kernel for x86 processors with AVX2.

That kernel (``aten/src/ATen/native/cpu/DistributionTemplates.h``) takes logarithm, sine and cosine from
``avx_mathfun.h``: the polynomials of Cephes' ``logf`` and ``sinf``, whose last bits are their own.  The order of the
steps, and which products are fused with the sum that follows them, decide these bits; the compiler fused them, so they are
pinned by test (tests/test_normals.py) and not by PyTorch's source alone.  On processors without AVX2 PyTorch takes
other functions there, and differs from itself.

The steps are written once, for compiled loops (``torsh/_mersenne.py``) and for NumPy's arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_f = np.float32
# Cephes, logf.c and sinf.c (https://www.netlib.org/cephes/)
_ROOT_HALF = _f(0.707106781186547524)
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = (
    _f(v) for v in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip
_LN2_HIGH, _LN2_LOW = _f(0.693359375), _f(-2.12194440e-4)
_S0, _S1, _S2 = _f(-1.9515295891e-4), _f(8.3321608736e-3), _f(-1.6666654611e-1)
_C0, _C1, _C2 = _f(2.443315711809948e-5), _f(-1.388731625493765e-3), _f(4.166664568298827e-2)
_OCTANTS = _f(4 / math.pi)
# pi/4 in three parts, of which the first two have few digits.
_P0, _P1, _P2 = _f(-0.78515625), _f(-2.4187564849853515625e-4), _f(-3.77489497744594108e-8)
_ZERO, _ONE, _HALF, _TWO, _TURN = _f(0), _f(1), _f(0.5), _f(2), _f(2 * math.pi)


def steps(fma: Any, where: Any) -> tuple[Any, Any]:
    """Functions from uniform numbers to radii, and to the cosine and the sine of angles.

    fma(a, b, c): a * b + c, rounded once; where(condition, a, b).
    """

    def radius(u: Any) -> Any:
        bits = np.float32(_ONE - u).view(np.uint32)
        # The number as m * 2**e with m from sqrt(1/2) to sqrt(2), and x = m - 1.
        m = np.uint32((bits & np.uint32(0x7FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
        low = m < _ROOT_HALF
        e = np.float32(np.int32(bits >> np.uint32(23)) - np.int32(126)) - where(low, _ONE, _ZERO)
        x = (m - _ONE) + where(low, m, _ZERO)
        z = x * x
        y = fma(fma(fma(fma(_L0, x, _L1), x, _L2), x, _L3), x, _L4)
        y = fma(fma(fma(fma(y, x, _L5), x, _L6), x, _L7), x, _L8) * x
        y = fma(y, z, e * _LN2_LOW)
        y = fma(z, -_HALF, y)
        return np.sqrt(-_TWO * fma(e, _LN2_HIGH, x + y))

    def cosine_and_sine(u: Any) -> Any:
        x = _TURN * u
        octant = np.int32((np.int32(x * _OCTANTS) + np.int32(1)) & np.int32(-2))
        n = np.float32(octant)
        x = fma(n, _P2, fma(n, _P1, fma(n, _P0, x)))
        z = x * x
        c = fma(fma(_C0, z, _C1), z, _C2) * z
        c = fma(c, z, z * -_HALF) + _ONE
        s = fma(fma(fma(_S0, z, _S1), z, _S2) * z, x, x)
        swap = (octant & np.int32(2)) != 0
        cosine, sine = where(swap, s, c), where(swap, c, s)
        sine = where((octant & np.int32(4)) != 0, -sine, sine)
        cosine = where(((octant - np.int32(2)) & np.int32(4)) == 0, -cosine, cosine)
        return cosine, sine

    return radius, cosine_and_sine


_LOW_BITS, _TIE = (1 << 29) - 1, 1 << 28


def fused(a: Any, b: Any, c: Any) -> Any:
    """a * b + c of float32 arrays, rounded once: in float64, where only the sum is, and put right where that made a tie."""
    product = np.multiply(a, b, dtype=np.float64)
    total = product + c
    tie = (total.view(np.int64) & _LOW_BITS) == _TIE
    if tie.any():
        back = total - product
        rest = (product - (total - back)) + (c - back)  # what the sum lacks, exactly (Knuth)
        side = np.where(rest > 0, np.inf, np.where(rest < 0, -np.inf, total))
        total = np.where(tie, np.nextafter(total, side), total)
    return total.astype(np.float32)


_radius, _cosine_and_sine = steps(fused, np.where)


def transform(x: Any, mean: float, std: float) -> None:
    """Blocks of 16 uniform float32 numbers, each 8 for radii and 8 for angles, become normal numbers."""
    x = x.reshape(-1, 2, 8)
    radius = _radius(x[:, 0])
    cosine, sine = _cosine_and_sine(x[:, 1])
    mean, std = np.float32(mean), np.float32(std)
    x[:, 0] = fused(radius * cosine, std, mean)
    x[:, 1] = fused(radius * sine, std, mean)
