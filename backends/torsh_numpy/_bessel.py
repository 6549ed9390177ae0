"""Loops of Bessel and Airy functions where SciPy's float64 forms lose digits, compiled by Numba when first needed.

Each fills in the part of ``out`` that it is exact on and leaves the rest, which is SciPy's.  Everything is computed in
float64, for float32 too.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from torsh_numpy import _polynomials

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")
_inline = numba.njit(inline="always", error_model="numpy")

_SPLITTER = 134217729.0  # 2**27 + 1
_ROOT_PI = 1.7724538509055160


@_inline
def _horner(c, t):
    p = c[-1]
    for k in range(c.size - 2, -1, -1):
        p = p * t + c[k]
    return p


# ---- modified, first kind: power series (https://dlmf.nist.gov/10.25#E2), all of whose terms are positive ------------

_I0 = np.array([1 / math.factorial(k) ** 2 for k in range(26)])
_I1 = np.array([1 / (math.factorial(k) * math.factorial(k + 1)) for k in range(26)])


@_loop
def i0(x, scaled, out):
    for i in range(x.size):
        v = abs(np.float64(x[i]))
        if v <= 8.0:
            p = _horner(_I0, 0.25 * v * v)
            out[i] = p * math.exp(-v) if scaled else p


@_loop
def i1(x, scaled, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if abs(v) <= 8.0:
            p = 0.5 * v * _horner(_I1, 0.25 * v * v)
            out[i] = p * math.exp(-abs(v)) if scaled else p


# ---- modified, second kind -------------------------------------------------------------------------------------------

_HARMONIC = np.array([sum(1 / j for j in range(1, k + 1)) / math.factorial(k) ** 2 for k in range(10)])
_K0E, _K1E = np.array(_polynomials.K0E), np.array(_polynomials.K1E)


@_loop
def k0(x, scaled, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if 0.5 <= v <= 2.0:
            p = _horner(_K0E, 3.0 * (v - 1.0) / (v + 1.0))
            out[i] = p if scaled else p * math.exp(-v)
        elif 0.0 < v < 0.5:  # https://dlmf.nist.gov/10.31#E2, of positive terms; SciPy's fails at the smallest numbers
            s = 0.25 * v * v
            p = (0.11593151565841245 - math.log(v)) * _horner(_I0, s) + _horner(_HARMONIC, s)
            out[i] = p * math.exp(v) if scaled else p


@_loop
def k1(x, scaled, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if 0.5 <= v <= 2.0:
            p = _horner(_K1E, 3.0 * (v - 1.0) / (v + 1.0)) / v
            out[i] = p if scaled else p * math.exp(-v)


# ---- first and second kind, large arguments: Hankel's expansion (https://dlmf.nist.gov/10.17) ------------------------


def _hankel(order, count):
    """a_k(order) with alternating signs in pairs: the coefficients of P in 1/x**2 and of Q in 1/x * 1/x**2."""
    a = [1.0]
    for k in range(1, count):
        a.append(a[-1] * (4 * order * order - (2 * k - 1) ** 2) / (8 * k))
    even, odd = np.array(a[::2]), np.array(a[1::2])
    signs = np.array([(-1.0) ** k for k in range(even.size)])
    return even * signs, odd * signs


_P0, _Q0 = _hankel(0, 20)
_P1, _Q1 = _hankel(1, 20)


@_inline
def _sum_and_difference(x):
    """sin(x) + cos(x) and sin(x) - cos(x), each exact where it is small: their product is -cos(2 x)."""
    s, c = math.sin(x), math.cos(x)
    plus, minus = s + c, s - c
    if x < 8e307:
        product = -math.cos(2.0 * x)
        if s * c < 0.0:
            plus = product / minus
        else:
            minus = product / plus
    return plus, minus


@_loop
def large(x, order, second, out):
    """J (second: Y) of that order where |x| is above 25."""
    for i in range(x.size):
        u = np.float64(x[i])
        v = abs(u)
        if 25.0 < v < np.inf and (u > 0.0 or not second):
            plus, minus = _sum_and_difference(v)
            z = (1.0 / v) * (1.0 / v)
            size = 1.0 / (_ROOT_PI * math.sqrt(v))
            if order == 0:
                p, q = _horner(_P0, z), _horner(_Q0, z) / v
                out[i] = size * ((p * minus + q * plus) if second else (p * plus - q * minus))
            else:
                p, q = _horner(_P1, z), _horner(_Q1, z) / v
                found = size * ((q * minus - p * plus) if second else (p * minus + q * plus))
                out[i] = -found if u < 0.0 else found


# ---- Airy ------------------------------------------------------------------------------------------------------------

_LEFT, _MIDDLE = np.array(_polynomials.AIRY_LEFT), np.array(_polynomials.AIRY_MIDDLE)
_RIGHT, _FAR = np.array(_polynomials.AIRY_RIGHT), np.array(_polynomials.AIRY_FAR)
_COSINE, _SINE = np.array(_polynomials.AIRY_COSINE), np.array(_polynomials.AIRY_SINE)
_FIRST, _FIRST_REST = _polynomials.AIRY_FIRST
_SECOND, _SECOND_REST = _polynomials.AIRY_SECOND
_ZETA_2 = 2.0 / 3.0 * 2.0 * math.sqrt(2.0)  # zeta at 2
_ZETA_4 = 2.0 / 3.0 * 4.75 * math.sqrt(4.75)


@_inline
def _product(a, b):
    """a * b and its rounding error (Dekker)."""
    p = a * b
    t = _SPLITTER * a
    ah = t - (t - a)
    t = _SPLITTER * b
    bh = t - (t - b)
    al, bl = a - ah, b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@_inline
def _zeta(x):
    """2/3 x**(3/2) as a sum of two numbers: the phase of Ai or its exponent, whose rounding would be the result's."""
    s = math.sqrt(x)
    p, rest = _product(s, s)
    e = ((x - p) - rest) / (2.0 * s)  # the root is s + e
    p, rest = _product(x, s)
    rest += x * e
    q = 2.0 * p / 3.0
    t, more = _product(3.0, q)
    return q, ((2.0 * p - t) - more + 2.0 * rest) / 3.0


@_loop
def airy_ai(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if v != v or abs(v) == np.inf:
            out[i] = np.nan  # as PyTorch
        elif v > 2.0:
            if v > 110.0:
                out[i] = 0.0
                continue
            zeta, rest = _zeta(v)
            p = _horner(_FAR, 2.0 * (_ZETA_2 / zeta) - 1.0) / math.sqrt(math.sqrt(v))
            half = math.exp(-0.5 * zeta)  # in two factors, as the result may be subnormal
            out[i] = half * p * (1.0 - rest) * half
        elif v > 0.0:
            out[i] = _horner(_RIGHT, v - 1.0) * math.exp(-1.125 * v)
        elif v > -3.25:
            out[i] = _horner(_MIDDLE, v / 1.625 + 1.0) * ((v - _FIRST) - _FIRST_REST)
        elif v > -4.75:
            out[i] = _horner(_LEFT, (v + 4.0) / 0.75) * ((v - _SECOND) - _SECOND_REST)
        else:
            w = -v
            zeta, rest = _zeta(w)
            plus, minus = _sum_and_difference(zeta)
            # The same of zeta + rest.
            c, s = math.cos(rest), math.sin(rest)
            plus, minus = plus * c - minus * s, minus * c + plus * s
            t = 2.0 * (_ZETA_4 / zeta) * (_ZETA_4 / zeta) - 1.0
            found = plus * _horner(_COSINE, t) + minus * (_horner(_SINE, t) / zeta)
            out[i] = found * 0.7071067811865476 / (_ROOT_PI * math.sqrt(math.sqrt(w)))
