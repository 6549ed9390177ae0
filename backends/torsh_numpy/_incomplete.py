"""The regularised incomplete gamma functions, compiled by Numba when first needed.

SciPy's and PyTorch's (Cephes and Boost) take the common factor x**a exp(-x) / gamma(a + 1) as an exponential whose
argument is rounded to float64: 700 ulp and more far out.  Here that argument is a sum of two float64 numbers, and the
result is rounded once where it is subnormal.  What lies outside 1/20 <= a <= 200 is SciPy's.

Written after https://dlmf.nist.gov/8.7#E1 (series), /8.9#E2 (continued fraction) and T. J. Dekker, A floating-point
technique for extending the available precision, Numer. Math. 18 (1971).
"""

from __future__ import annotations

import math

import numba
import numpy as np

from torsh_numpy._fused import fma

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")
_part = numba.njit(error_model="numpy")

LOWEST, HIGHEST = 0.05, 200.0
_LN2, _LN2_REST = 0.6931471805599453, 2.319046813846299e-17
_HALF_LOG_2PI, _HALF_LOG_2PI_REST = 0.9189385332046728, -3.878294158067242e-17
_ODD = np.array([1.0 / (2 * k + 1) for k in range(2, 18)])


@_part
def _sum(a, b):
    s = a + b
    back = s - a
    return s, (a - (s - back)) + (b - back)


@_part
def _add(a, rest, b, more):
    """Of two sums of two numbers the sum."""
    s, e = _sum(a, b)
    return _sum(s, e + (rest + more))


@_part
def _times(a, rest, b, more):
    p = a * b
    return _sum(p, fma(a, b, -p) + (a * more + rest * b))


@_part
def _log(x, rest):
    """The logarithm of x + rest as a sum of two numbers, to about 100 bits less those of its size."""
    m, e = math.frexp(x)
    rest = math.ldexp(rest, -e)
    if m < 0.7071067811865476:
        m, rest, e = 2.0 * m, 2.0 * rest, e - 1
    # 2 artanh(s) with s = (m - 1) / (m + 1)
    top, bottom = m - 1.0, m + 1.0
    below = (m - (bottom - 1.0)) + rest
    s = top / bottom
    s, r = _sum(s, (fma(-s, bottom, top) + rest - s * below) / bottom)
    z, y = _times(s, r, s, r)
    third = z / 3.0
    more = (fma(-3.0, third, z) + y) / 3.0
    p = _ODD[-1]
    for k in range(_ODD.size - 2, -1, -1):
        p = p * z + _ODD[k]
    t, u = _add(1.0, 0.0, third, more + p * z * z)
    s, r = _times(2.0 * s, 2.0 * r, t, u)
    p = e * _LN2
    return _add(p, fma(float(e), _LN2, -p) + e * _LN2_REST, s, r)


@_part
def _log_factorial(a):
    """h, r, p, q: gamma(a + 1) is exp(h + r) / (p + q), h + r exact to about 1e-18."""
    b, c = _sum(a, 1.0)
    # gamma(b) = gamma(b + n) / (b (b + 1) ...)
    p, q = 1.0, 0.0
    while b < 9.0:
        p, q = _times(p, q, b, c)
        b, c = _add(b, c, 1.0, 0.0)
    # https://dlmf.nist.gov/5.11#E1
    h, r = _log(b, c)
    h, r = _times(h, r, b - 0.5, c)
    h, r = _add(h, r, -b, -c)
    h, r = _add(h, r, _HALF_LOG_2PI, _HALF_LOG_2PI_REST)
    s = 1.0 / (b * b)
    t = 1.0 / 1188 - s * (691.0 / 360360 - s * (1.0 / 156 - s * 3617.0 / 122400))
    t = 1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * t)))
    h, r = _add(h, r, t / b, 0.0)
    return h, r, p, q


@_part
def _exponent(a, x, of_a, whole):
    """The logarithm of x**a exp(-x) / gamma(a + 1) as a sum of two numbers; if not ``whole`` without exp(-x), else without the product
    p + q (``_log_factorial``)."""
    k, o = _log(x, 0.0)
    k, o = _times(k, o, a, 0.0)
    if whole:
        k, o = _add(k, o, -x, 0.0)
    elif of_a[2] != 1.0:
        m, n = _log(of_a[2], of_a[3])
        k, o = _add(k, o, m, n)
    return _add(k, o, -of_a[0], -of_a[1])


@_part
def _scaled(factor, h, r, of_a):
    """factor * exp(h + r) times the product p + q (``_log_factorial``), rounded once where that is subnormal."""
    p, q = of_a[2], of_a[3]
    whole = factor * p
    factor = whole + (fma(factor, p, -whole) + whole * (r + q / p))
    if h > -650.0:
        return factor * math.exp(h)
    if h < -1600.0:
        return 0.0
    half = math.exp(0.5 * h)
    return factor * half * half


@_part
def _series(a, x):
    """The sum of x**k / ((a + 1) ... (a + k))."""
    total, lost, term, k = 1.0, 0.0, 1.0, 1.0
    while True:
        term *= x / (a + k)
        total, e = _sum(total, term)
        lost += e
        if term < 1e-18 * total:
            return total + lost
        k += 1.0


@_part
def _fraction(a, x):
    """The continued fraction that x**a exp(-x) is multiplied with to give the upper function."""
    # f = k (k - a) / (x + 2 k + 1 - a - f) for k = n, ..., 1 as a quotient of two numbers: steps that divide wait for each other four
    # times as long.  x is at most 4000 where the result is not 0 (``_scaled``), so 32 steps cannot overflow.
    k = 20.0 + math.floor(100.0 / x + 6.0 * math.sqrt(a))
    above, below = 0.0, 1.0
    while k > 0.0:
        for _ in range(min(k, 32.0)):
            above, below = k * (k - a) * below, (x + (2.0 * k + 1.0) - a) * below - above
            k -= 1.0
        above, below = above / below, 1.0
    return 1.0 / ((x - a) + 1.0 - above)


@_part
def _upper(a, x, of_a):
    if x >= a and x >= 0.5:
        h, r = _exponent(a, x, of_a, True)
        return _scaled(a * _fraction(a, x), h, r, of_a)
    if x >= a or (a < 1.0 and x < 0.5):
        # 1 - x**a / gamma(1 + a), and what the rest of the series adds
        h, r = _exponent(a, x, of_a, False)
        total, power, k = 0.0, 1.0, 1.0
        while True:
            power *= -x / k
            step = power / (a + k)
            total -= step
            if abs(step) <= 1e-18 * abs(total):
                break
            k += 1.0
        return -math.expm1(h) - math.exp(h) * r + a * total * math.exp(h)
    return 1.0 - _lower(a, x, of_a)


@_part
def _lower(a, x, of_a):
    h, r = _exponent(a, x, of_a, True)
    return _scaled(_series(a, x), h, r, of_a)


@_loop
def igamma(a, x, out):
    """Returns how many are left to do."""
    left, last, of_a = 0, np.nan, (0.0, 0.0, 1.0, 0.0)
    for i in range(x.size):
        b, v = a[i], x[i]
        if LOWEST <= b <= HIGHEST and 0.0 < v < np.inf:
            if b != last:
                last, of_a = b, _log_factorial(b)
            out[i] = _lower(b, v, of_a) if v <= b or v < 0.5 else 1.0 - _upper(b, v, of_a)
        else:
            left += 1
    return left


@_loop
def igammac(a, x, out):
    left, last, of_a = 0, np.nan, (0.0, 0.0, 1.0, 0.0)
    for i in range(x.size):
        b, v = a[i], x[i]
        if LOWEST <= b <= HIGHEST and 0.0 < v < np.inf:
            if b != last:
                last, of_a = b, _log_factorial(b)
            out[i] = _upper(b, v, of_a)
        else:
            left += 1
    return left
