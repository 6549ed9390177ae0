"""Loops of functions around the error function and the gamma function, compiled by Numba when first needed.

SciPy's float64 forms of these lose digits: erfc and ndtr square the argument in float64 (60 ulp and more far out),
gammaln has no digits near its roots at 1 and 2, psi takes differences around its own.  Everything is computed in
float64, for float32 too.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from torsh_numpy import _polynomials
from torsh_numpy._fused import fma

_DIGAMMA = np.array(_polynomials.DIGAMMA)
_ROOT, _ROOT_REST = _polynomials.DIGAMMA_ROOT
_SECOND = np.array(_polynomials.DIGAMMA_SECOND)
_SECOND_ROOT, _SECOND_ROOT_REST = _polynomials.DIGAMMA_SECOND_ROOT
_ERFCX = np.array(_polynomials.ERFCX_NEAR)

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")
_inline = numba.njit(inline="always", error_model="numpy")

_SPLITTER = 134217729.0  # 2**27 + 1: cuts a float64 into halves of 26 bits (Dekker)
_ROOT_HALF, _ROOT_HALF_REST = 0.7071067811865476, -4.833646656726457e-17  # sqrt(1/2) and what float64 lacks of it
_TWO_OVER_ROOT_PI = 1.1283791670955126


@_inline
def _exp_square(x, factor):
    """exp(factor * x * x) for a factor of 1 or -1: the square's rounding error would be the result's, x * x times."""
    t = _SPLITTER * x
    high = t - (t - x)
    return math.exp(factor * high * high) * math.exp(factor * (x - high) * (x + high))


@_inline
def _ndtr(x):
    """erfc(-x / sqrt(2)) / 2; what the quotient lacks in float64 is put right to first order."""
    if x != x or x > 9.0 or x < -39.0:
        return x if x != x else 1.0 if x > 0.0 else 0.0
    z = -x * _ROOT_HALF
    t = _SPLITTER * x
    xh = t - (t - x)
    t = _SPLITTER * _ROOT_HALF
    ch = t - (t - _ROOT_HALF)
    xl, cl = x - xh, _ROOT_HALF - ch
    rest = -(((xh * ch + z) + xh * cl + xl * ch) + xl * cl) - x * _ROOT_HALF_REST
    return 0.5 * (math.erfc(z) - _TWO_OVER_ROOT_PI * math.exp(-z * z) * rest)


@_loop
def erfc(x, out):
    for i in range(x.size):
        out[i] = math.erfc(np.float64(x[i]))


@_loop
def ndtr(x, out):
    for i in range(x.size):
        out[i] = _ndtr(np.float64(x[i]))


@_loop
def gelu(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        out[i] = v * _ndtr(v) if v > -40.0 else v * 0.0 if v > -np.inf else np.nan


@_loop
def log_ndtr(x, out):
    """log(ndtr(x)); below -20 by the asymptotic expansion of Mills' ratio (https://dlmf.nist.gov/7.12#E1)."""
    for i in range(x.size):
        v = np.float64(x[i])
        if v >= 0.0:
            out[i] = math.log1p(-_ndtr(-v))
        elif v > -20.0:
            out[i] = math.log(_ndtr(v))
        else:
            s = 1.0 / (v * v)
            mills = -s * (1.0 - s * (3.0 - s * (15.0 - s * (105.0 - s * (945.0 - s * (10395.0 - s * 135135.0))))))
            out[i] = -0.5 * v * v - math.log(-v) - 0.9189385332046727 + math.log1p(mills)


@_loop
def erfcx_near(x, out):
    """exp(x**2) * erfc(x) for x below 4; above, and for large negative x, ``out`` stays as it is."""
    for i in range(x.size):
        v = np.float64(x[i])
        if 0.0 <= v < 4.0:
            q = 1.0 / (v + 2.5)
            t = v * q * 3.25 - 1.0
            p = _ERFCX[-1]
            for k in range(_ERFCX.size - 2, -1, -1):
                p = p * t + _ERFCX[k]
            out[i] = p * q
        elif -27.0 < v < 0.0:
            out[i] = _exp_square(v, 1.0) * math.erfc(v)


@numba.njit(error_model="numpy")
def _lgamma_negative(v):
    """log(abs(gamma(v))) of a number between -20 and 0: gamma(v + n) over the product of v, v + 1, ..., v + n - 1.

    v + n lies between 1 and 2, where lgamma is small; the product is kept in two numbers, and v + j is exact.
    """
    n = 1 - math.floor(v)
    p, rest = v, 0.0
    for j in range(1, n):
        factor = v + j
        q = p * factor
        rest = fma(p, factor, -q) + rest * factor
        p = q + rest
        rest -= p - q
    if p < 0.0:
        p, rest = -p, -rest
    return math.lgamma(v + n) - (math.log1p((p - 1.0) + rest) if 0.5 < p < 2.0 else math.log(p))


@_loop
def lgamma(x, out):
    """The C library's, which is exact near its roots; far from them and below 0 it has 4 ulp, the quotient 2."""
    for i in range(x.size):
        v = np.float64(x[i])
        if -20.0 < v < 0.0 and v != math.floor(v):
            found = _lgamma_negative(v)
            out[i] = found if abs(found) > 0.0625 else math.lgamma(v)
        else:
            out[i] = math.lgamma(v) if abs(v) < np.inf else abs(v)


@_inline
def _digamma_positive(x):
    if x >= 10.0:  # https://dlmf.nist.gov/5.11#E2
        s = 1.0 / (x * x)
        p = 1.0 / 132 - s * (691.0 / 32760 - s / 12.0)
        p = s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * p))))
        return math.log(x) - 0.5 / x - p
    found = 0.0
    if x < 1.0:
        found = -1.0 / x
        x += 1.0
    while x > 2.0:
        x -= 1.0
        found += 1.0 / x
    t = 2.0 * x - 3.0
    p = _DIGAMMA[-1]
    for k in range(_DIGAMMA.size - 2, -1, -1):
        p = p * t + _DIGAMMA[k]
    return found + ((x - _ROOT) - _ROOT_REST) * p


@_loop
def digamma(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if v > 0.0:
            out[i] = _digamma_positive(v) if v < np.inf else v
        elif v == 0.0:
            out[i] = math.copysign(np.inf, -v)  # the pole's sign is that of the side from which it is approached
        else:
            r = v - np.rint(v)  # exact
            if r == 0.0 or v == -np.inf:
                out[i] = np.nan
            elif -0.65 < v < -0.35:
                t = (v + 0.5) / 0.15
                p = _SECOND[-1]
                for k in range(_SECOND.size - 2, -1, -1):
                    p = p * t + _SECOND[k]
                out[i] = ((v - _SECOND_ROOT) - _SECOND_ROOT_REST) * p
            elif v > -0.5:
                out[i] = _digamma_positive(1.0 + v) - 1.0 / v
            else:
                # cot(pi r), near its root at 1/2 from the distance to it, which is exact.
                a = abs(r)
                cot = math.tan(math.pi * (0.5 - a)) if a > 0.25 else 1.0 / math.tan(math.pi * a)
                out[i] = _digamma_positive(1.0 - v) - math.copysign(math.pi * cot, r)


@_inline
def _trigamma_positive(x):
    """For numbers above -1/2; the smallest terms are added first."""
    a = x if x >= 8.0 else x + 8.0
    s = 1.0 / (a * a)
    p = s * (7.0 / 6 - s * (3617.0 / 510 - s * (43867.0 / 798 - s * (174611.0 / 330))))
    p = s * (1.0 / 6 - s * (1.0 / 30 - s * (1.0 / 42 - s * (1.0 / 30 - s * (5.0 / 66 - s * (691.0 / 2730 - p))))))
    found = 1.0 / a + (0.5 * s + p / a)  # https://dlmf.nist.gov/5.15#E8
    if x < 8.0:
        for k in range(7, -1, -1):
            found += (1.0 / (x + k)) * (1.0 / (x + k))
    return found


@_loop
def trigamma(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if v > -0.5:
            out[i] = _trigamma_positive(v) if v < np.inf else 0.0
        else:
            r = abs(v - np.rint(v))  # exact
            if r == 0.0 or not v > -np.inf:
                out[i] = np.inf if r == 0.0 else np.nan
            else:  # https://dlmf.nist.gov/5.15#E6, with (pi / sin(pi r))**2 as the sum it is
                out[i] = _trigamma_positive(r) + (_trigamma_positive(1.0 - r) - _trigamma_positive(1.0 - v))


# B(2k) / (2k)!, of Euler and Maclaurin's formula (https://dlmf.nist.gov/25.11#E28)
_BERNOULLI = np.array([
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000, 43867 / 5109094217170944000, -174611 / 802857662698291200000,
])  # fmt: skip


@numba.njit(error_model="numpy")
def _power(a, rest, s):
    """(a + rest) ** -s, for a rest that is below the last place of a."""
    return a**-s * (1.0 - s * rest / a)


@numba.njit(error_model="numpy")
def _hurwitz(s, x):
    """The sum of (x + k) ** -s for k from 0 on, s > 1; for negative x and whole s, too.

    x + k is carried with its rounding error, which would be the result's s times over, and so is the sum.
    """
    total, lost, k = 0.0, 0.0, 0.0
    while True:
        a = x + k
        back = a - x
        rest = (x - (a - back)) + (k - back)  # Knuth
        if a >= 10.0 + s:
            break
        term = _power(a, rest, s)
        new = total + term
        back = new - total
        lost += (total - (new - back)) + (term - back)
        total = new
        k += 1.0
        if a > 0.0 and term * (a + s) < 1e-19 * abs(total):  # so is the rest of them, which is about term * a / (s - 1)
            return total + lost
        if abs(total) == np.inf:
            return total
    f = _power(a, rest, s)
    tail = _power(a, rest, s - 1.0) / (s - 1.0)
    factor = s / a
    more = 0.5
    for j in range(_BERNOULLI.size):
        step = _BERNOULLI[j] * factor
        more += step
        if abs(step) < 1e-18:
            break
        factor *= (s + 2 * j + 1.0) / a * ((s + 2 * j + 2.0) / a)
    return total + (tail + (f * more + lost))


@numba.njit(error_model="numpy")
def _zeta(s, x):
    """Hurwitz's zeta function, with the exceptions that Cephes and PyTorch make."""
    if s == 1.0:
        return np.inf
    if s < 1.0:
        return np.nan
    if x <= 0.0:
        if x == np.floor(x):
            return np.inf
        if s != np.floor(s):
            return np.nan
    if s != s or x != x:
        return np.nan
    if x == np.inf:
        return 0.0
    if s == np.inf:
        return np.inf if x < 1.0 else 1.0 if x == 1.0 else np.nan
    if x < -30.0:  # by the sum over all integers, from whose nearest terms it differs little
        r = x - np.floor(x)
        sign = 1.0 if s % 2.0 == 0.0 else -1.0
        return _hurwitz(s, r) + sign * (_hurwitz(s, 1.0 - r) - _hurwitz(s, 1.0 - x))
    return _hurwitz(s, x)


@_loop
def zeta(s, x, out):
    for i in range(x.size):
        out[i] = _zeta(np.float64(s[i]), np.float64(x[i]))


@_loop
def polygamma(n, factor, x, out):
    """(-1)**(n+1) n! zeta(n+1, x), for n >= 2.  factor: what zeta is multiplied with."""
    for i in range(x.size):
        v = np.float64(x[i])
        if 1e10 < v < np.inf:  # where zeta may be subnormal: factor / n * x**-n (1 + n / (2 x))
            half = v ** (-0.5 * n)
            out[i] = (factor / n) * (1.0 + 0.5 * n / v) * half * half
        else:
            out[i] = factor * _zeta(n + 1.0, v)
