"""Loops over large contiguous arrays where NumPy has no fast form; compiled by Numba when first called, kept on disk.

Imported only when such an array comes by.  Not parallel: Numba's thread pools do not bear calls from several threads.
"""

from __future__ import annotations

import numba
import numpy as np

from torsh_numpy import _polynomials

# Contraction to fused multiply-adds only: nan, inf and the order of operations stay as written.
_loop = numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
_inline = numba.njit(inline="always", fastmath={"contract"}, error_model="numpy")


@_loop
def relu(x, out):
    zero = x.dtype.type(0)
    for i in range(x.size):
        v = x[i]
        out[i] = zero if v < zero else v


@_loop
def sign(x, out):
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(x.size):
        v = x[i]
        out[i] = (one if v > zero else zero) - (one if v < zero else zero)


@_loop
def clamp(x, low, high, out):
    for i in range(x.size):
        v = x[i]
        v = low if v < low else v
        out[i] = high if v > high else v


@_loop
def hypot(x, y, out):
    """float32 by way of float64, where no square of one overflows or vanishes."""
    for i in range(x.size):
        a, b = np.float64(x[i]), np.float64(y[i])
        r = np.sqrt(a * a + b * b)
        r = np.inf if abs(a) == np.inf or abs(b) == np.inf else r
        out[i] = np.float32(r)


@_loop
def rsqrt(x, out):
    one = x.dtype.type(1)
    for i in range(x.size):
        out[i] = one / np.sqrt(x[i])


@_loop
def frac(x, out):
    for i in range(x.size):
        out[i] = x[i] - np.trunc(x[i])


@_loop
def lerp(x, end, weight, out):
    one = x.dtype.type(1)
    if abs(weight) < x.dtype.type(0.5):
        for i in range(x.size):
            out[i] = x[i] + weight * (end[i] - x[i])
    else:
        for i in range(x.size):
            out[i] = end[i] - (end[i] - x[i]) * (one - weight)


@_loop
def addcmul(x, a, b, value, out):
    for i in range(x.size):
        out[i] = x[i] + value * a[i] * b[i]


@_loop
def addcdiv(x, a, b, value, out):
    for i in range(x.size):
        out[i] = x[i] + value * a[i] / b[i]


@_loop
def nan_to_num(x, nan, posinf, neginf, out):
    inf = x.dtype.type(np.inf)
    for i in range(x.size):
        v = x[i]
        v = nan if v != v else v
        v = posinf if v == inf else v
        out[i] = neginf if v == -inf else v


@_inline
def _exp(x):
    """exp of a float32 to 1.2 ulp: 2**n times a polynomial on (-ln2/2, ln2/2)."""
    x = min(max(x, np.float32(-104)), np.float32(89))  # 0 and inf beyond
    n = np.floor(x * np.float32(1.442695041) + np.float32(0.5))
    r = x - n * np.float32(0.693359375)
    r = r + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = (p * r) * r + r + np.float32(1)
    # 2**n in two factors, so that results below 2**-126 and the last one below 2**128 come out.
    m = np.int32(n)
    half = m >> np.int32(1)
    a = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    b = np.int32((m - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * a * b


@_loop
def sigmoid(x, out):
    one = np.float32(1)
    for i in range(x.size):
        out[i] = one / (one + _exp(-x[i]))


@_inline
def _erf(a):
    """Two polynomials by N. Juffa (https://stackoverflow.com/a/35148199), below 1 ulp."""
    t = min(abs(a), np.float32(4))
    s = a * a
    r = np.float32(-1.72853470e-5) * t + np.float32(3.83197126e-4)
    u = np.float32(-3.88396438e-3) * t + np.float32(2.42546219e-2)
    r = r * (t * t) + u
    r = r * t + np.float32(-1.06777877e-1)
    r = r * t + np.float32(-6.34846687e-1)
    r = r * t + np.float32(-1.28717512e-1)
    r = r * t - t
    far = np.float32(1) - _exp(r)
    far = far if a > np.float32(0) else -far
    p = np.float32(-5.96761703e-4)
    p = p * s + np.float32(4.99119423e-3)
    p = p * s + np.float32(-2.67681349e-2)
    p = p * s + np.float32(1.12819925e-1)
    p = p * s + np.float32(-3.76125336e-1)
    p = p * s + np.float32(1.28379166e-1)
    near = p * a + a
    v = far if abs(a) > np.float32(0.921875) else near
    return v if a == a else a


@_loop
def erf(x, out):
    for i in range(x.size):
        out[i] = _erf(x[i])


_TANHSHRINK = np.array(_polynomials.TANHSHRINK)
_LAST_TANHSHRINK = _TANHSHRINK.size - 1
_ERFCX = _polynomials.ERFCX
_LAST = len(_ERFCX) - 1


@_inline
def _exp_wide(x):
    """exp of a float64 from -700 to 0, to 36 bits: enough for what is rounded to float32."""
    n = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    return p * np.int64((np.int64(n) + np.int64(1023)) << np.int64(52)).view(np.float64)


@_inline
def _erfc_wide(a):
    """erfc of a float64 from 0 to 26, to 30 bits."""
    q = 1.0 / (a + 2.5)
    t = a * q * (2 * 30.5 / 28) - 1.0
    p = _ERFCX[_LAST]
    for k in range(_LAST - 1, -1, -1):
        p = p * t + _ERFCX[k]
    return p * q * _exp_wide(-a * a)


@_loop
def erfc(x, out):
    """float32 by way of float64."""
    for i in range(x.size):
        v = np.float64(x[i])
        a = abs(v)
        a = a if a < 26.0 else 26.0
        e = _erfc_wide(a)
        e = e if v > 0.0 else 2.0 - e
        out[i] = np.float32(e if v == v else v)


@_loop
def ndtr(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        a = abs(v) * 0.7071067811865476
        a = a if a < 26.0 else 26.0
        e = 0.5 * _erfc_wide(a)
        e = e if v < 0.0 else 1.0 - e
        out[i] = np.float32(e if v == v else v)


@_loop
def tanhshrink(x, out):
    """x - tanh(x) of float32 by way of float64; near 0, where the difference has no digits, by its power series."""
    for i in range(x.size):
        v = np.float64(x[i])
        a = abs(v)
        s = v * v
        p = 1382 / 155925
        p = p * s - 62 / 2835
        p = p * s + 17 / 315
        p = p * s - 2 / 15
        p = p * s + 1 / 3
        z = -2.0 * a
        e = _exp_wide(z if z > -700.0 else -700.0)
        far = a - (1.0 - e) / (1.0 + e)
        near = p * s * v
        far = far if v > 0.0 else -far
        out[i] = np.float32(near if s < 0.04 else far)


@_loop
def tanhshrink_double(x, out):
    for i in range(x.size):
        v = x[i]
        s = v * v
        if s < 1.5:
            t = s * (2 / 1.5) - 1.0
            p = _TANHSHRINK[_LAST_TANHSHRINK]
            for k in range(_LAST_TANHSHRINK - 1, -1, -1):
                p = p * t + _TANHSHRINK[k]
            out[i] = p * s * v
        else:
            out[i] = v - np.tanh(v)


@_loop
def fmod(x, y, out):
    """float32 by way of float64, exact where the quotient is below 2**26; returns the largest quotient."""
    largest = 0.0
    for i in range(x.size):
        a, b = np.float64(x[i]), np.float64(y[i])
        q = np.trunc(a / b)
        largest = max(largest, abs(q)) if q == q else np.inf
        r = np.float32(a - q * b)
        out[i] = np.copysign(r, x[i])
    return largest


@_loop
def remainder(x, y, out):
    largest = 0.0
    for i in range(x.size):
        a, b = np.float64(x[i]), np.float64(y[i])
        q = np.floor(a / b)
        largest = max(largest, abs(q)) if q == q else np.inf
        out[i] = np.float32(a - q * b)
    return largest


@_loop
def floor_divide(x, y, out):
    largest = 0.0
    for i in range(x.size):
        q = np.floor(np.float64(x[i]) / np.float64(y[i]))
        largest = max(largest, abs(q)) if q == q else np.inf
        out[i] = np.float32(q)
    return largest
