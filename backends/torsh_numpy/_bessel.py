"""Loops of Bessel and Airy functions, compiled by Numba when first needed; SciPy's float64 forms lose digits.

Those of the second modified kind fill in the part of ``out`` that they are exact on and leave SciPy's rest.  Everything is computed in
float64, for float32 too.
"""

from __future__ import annotations

import functools
import math

import numba
import numpy as np

from torsh_numpy import _polynomials
from torsh_numpy._loops import _exp_wide

_loop = numba.njit(cache=True, nogil=True, error_model="numpy")
_inline = numba.njit(inline="always", error_model="numpy")
_part = numba.njit(error_model="numpy")
_narrow = numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")

_SPLITTER = 134217729.0  # 2**27 + 1
_ROOT_PI = 1.7724538509055160


@_inline
def _horner(c, t):
    p = c[-1]
    for k in range(c.size - 2, -1, -1):
        p = p * t + c[k]
    return p


# ---- modified, first kind --------------------------------------------------------------------------------------------

# Power series (https://dlmf.nist.gov/10.25#E2), all of whose terms are positive: up to 4.
_I0 = np.array([1 / math.factorial(k) ** 2 for k in range(20)])
_I1 = np.array([1 / (math.factorial(k) * math.factorial(k + 1)) for k in range(20)])
_I0E, _I1E = np.array(_polynomials.I0E), np.array(_polynomials.I1E)
_I0E_FAR, _I1E_FAR = np.array(_polynomials.I0E_FAR), np.array(_polynomials.I1E_FAR)


@_part
def _unscaled(p, v):
    """p * exp(v), in two steps where exp(v) alone would overflow; nan at infinity, as PyTorch."""
    if v < 700.0:
        return p * math.exp(v)
    half = math.exp(0.5 * v)
    return p * half * half


@_loop
def i0(x, scaled, out):
    for i in range(x.size):
        v = abs(np.float64(x[i]))
        if v <= 4.0:
            p = _horner(_I0, 0.25 * v * v)
            out[i] = p * math.exp(-v) if scaled else p
        else:
            p = _horner(_I0E, 0.5 * v - 3.0) if v <= 8.0 else _horner(_I0E_FAR, 16.0 / v - 1.0) / math.sqrt(v)
            out[i] = p if scaled else _unscaled(p, v)


@_loop
def i1(x, scaled, out):
    for i in range(x.size):
        u = np.float64(x[i])
        v = abs(u)
        if v <= 4.0:
            p = 0.5 * u * _horner(_I1, 0.25 * v * v)
            out[i] = p * math.exp(-v) if scaled else p
        else:
            p = _horner(_I1E, 0.5 * v - 3.0) if v <= 8.0 else _horner(_I1E_FAR, 16.0 / v - 1.0) / math.sqrt(v)
            p = p if scaled else _unscaled(p, v)
            out[i] = -p if u < 0.0 else p


def _written_out(coefficients):
    """A polynomial as a function without a loop: with one inside, LLVM does not vectorise the loop that calls it (5 times as slow)."""
    terms = functools.reduce(lambda p, c: f"({p} * t + {c!r})", (float(c) for c in reversed(coefficients)))
    return _part(eval(f"lambda t: {terms}"))


# The same for float32, in float64 with as many terms as that needs and without branches, to be vectorised.
_near_i0, _far_i0 = _written_out(_polynomials.I0E_NARROW), _written_out(_polynomials.I0E_FAR_NARROW)
_near_i1, _far_i1 = _written_out(_polynomials.I1E_NARROW), _written_out(_polynomials.I1E_FAR_NARROW)


@_narrow
def i0_narrow(x, scaled, out):
    for i in range(x.size):
        v = abs(np.float64(x[i]))
        near, far = _near_i0(0.25 * v - 1.0), _far_i0(16.0 / v - 1.0)
        p = near if v <= 8.0 else far / np.sqrt(v)
        if not scaled:
            p *= _exp_wide(min(v, 700.0))
            p = p if v < np.inf else np.nan  # as PyTorch
        out[i] = np.float32(p)


@_narrow
def i1_narrow(x, scaled, out):
    for i in range(x.size):
        u = np.float64(x[i])
        v = abs(u)
        near, far = _near_i1(0.25 * v - 1.0), _far_i1(16.0 / v - 1.0)
        p = near * v if v <= 8.0 else far / np.sqrt(v)
        if not scaled:
            p *= _exp_wide(min(v, 700.0))
            p = p if v < np.inf else np.nan
        out[i] = np.float32(-p if u < 0.0 else p)


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


# ---- first and second kind -------------------------------------------------------------------------------------------

# Large arguments: Hankel's expansion (https://dlmf.nist.gov/10.17).


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


@_part
def _hankel_sum(v, order, second):
    """J (second: Y) of that order of a number above 24."""
    plus, minus = _sum_and_difference(v)
    z = (1.0 / v) * (1.0 / v)
    size = 0.5641895835477563 / math.sqrt(v)
    if order == 0:
        p, q = _horner(_P0, z), _horner(_Q0, z) / v
        return size * ((p * minus + q * plus) if second else (p * plus - q * minus))
    p, q = _horner(_P1, z), _horner(_Q1, z) / v
    return size * ((q * minus - p * plus) if second else (p * minus + q * plus))


def _padded(pieces):
    """Polynomials of different degrees as the rows of one array."""
    found = np.zeros((len(pieces), max(map(len, pieces))))
    for row, piece in zip(found, pieces):
        row[: len(piece)] = piece
    return found


_J0_PIECES, _J0_ROOTS = _padded(_polynomials.J0_PIECES), np.array(_polynomials.J0_ROOTS)
_J1_PIECES, _J1_ROOTS = _padded(_polynomials.J1_PIECES), np.array(_polynomials.J1_ROOTS)
_Y0_PIECES, _Y0_ROOTS = _padded(_polynomials.Y0_PIECES), np.array(_polynomials.Y0_ROOTS)
_Y1_PIECES, _Y1_ROOTS = _padded(_polynomials.Y1_PIECES), np.array(_polynomials.Y1_ROOTS)
_Y0_FIRST, _Y1_FIRST = np.array(_polynomials.Y0_FIRST), np.array(_polynomials.Y1_FIRST)
_Y1_NEAR, _Y1_SECOND = np.array(_polynomials.Y1_NEAR), np.array(_polynomials.Y1_SECOND)
_HANKEL_FROM = 24.0


@_part
def _piece(v, k, middle, factor, pieces, roots):
    """A polynomial in the distance from the middle of a piece, times the distance from the root in it."""
    return _horner(pieces[k], (v - middle) * factor) * ((v - roots[k, 0]) - roots[k, 1])


@_inline
def _by_ratio(v, low, high):
    """(v - 1) / (v + 1), brought from its range for v from low to high to -1 .. 1."""
    low, high = (low - 1.0) / (low + 1.0), (high - 1.0) / (high + 1.0)
    return ((v - 1.0) / (v + 1.0) - 0.5 * (low + high)) * (2.0 / (high - low))


# Near 0, https://dlmf.nist.gov/10.8#E1: J, with which the logarithm is multiplied, and the rest, in powers of x**2 / 4.
_H = [sum(1 / j for j in range(1, k + 1)) for k in range(11)]
_NEAR_J0 = np.array([(-1.0) ** k / math.factorial(k) ** 2 for k in range(10)])
_NEAR_J1 = np.array([(-1.0) ** k / (math.factorial(k) * math.factorial(k + 1)) for k in range(10)])
_NEAR_Y0 = _NEAR_J0 * [-h for h in _H[:10]]
_NEAR_Y1 = _NEAR_J1 * [0.5772156649015329 - (_H[k] + _H[k + 1]) / 2 for k in range(10)]
_EULER_LESS_LN2 = -0.11593151565841245
_TWO_OVER_PI = 2 / math.pi


@_loop
def j0(x, out):
    """Like the three that follow nan at infinity, as PyTorch."""
    for i in range(x.size):
        v = abs(np.float64(x[i]))
        if v < 1.0:
            out[i] = _horner(_NEAR_J0, 0.25 * v * v)
        elif v < 1.25 * math.pi:
            out[i] = _piece(v, 0, 0.625 * math.pi, 2.0 / (1.25 * math.pi), _J0_PIECES, _J0_ROOTS)
        elif v <= _HANKEL_FROM:
            k = int(v / math.pi - 0.25)
            out[i] = _piece(v, k, (k + 0.75) * math.pi, _TWO_OVER_PI, _J0_PIECES, _J0_ROOTS)
        else:
            out[i] = _hankel_sum(v, 0, False) if v < np.inf else np.nan


@_loop
def j1(x, out):
    for i in range(x.size):
        u = np.float64(x[i])
        v = abs(u)
        if v < 1.0:
            found = 0.5 * v * _horner(_NEAR_J1, 0.25 * v * v)
        elif v < 0.75 * math.pi:
            found = _piece(v, 0, 0.375 * math.pi, 2.0 / (0.75 * math.pi), _J1_PIECES, _J1_ROOTS)
        elif v <= _HANKEL_FROM:
            k = int(v / math.pi + 0.25)
            found = _piece(v, k, (k + 0.25) * math.pi, _TWO_OVER_PI, _J1_PIECES, _J1_ROOTS)
        else:
            found = _hankel_sum(v, 1, False) if v < np.inf else np.nan
        out[i] = -found if u < 0.0 else found


@_loop
def y0(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if v > _HANKEL_FROM:
            out[i] = _hankel_sum(v, 0, True) if v < np.inf else np.nan
        elif v >= 0.75 * math.pi:
            k = int(v / math.pi + 0.25)
            out[i] = _piece(v, k, (k + 0.25) * math.pi, _TWO_OVER_PI, _Y0_PIECES, _Y0_ROOTS)
        elif v >= 0.5:
            p = _horner(_Y0_FIRST, _by_ratio(v, 0.5, 0.75 * math.pi))
            out[i] = p * ((v - _Y0_ROOTS[0, 0]) - _Y0_ROOTS[0, 1])
        elif v > 0.0:
            s = 0.25 * v * v
            out[i] = _TWO_OVER_PI * ((math.log(v) + _EULER_LESS_LN2) * _horner(_NEAR_J0, s) + _horner(_NEAR_Y0, s))
        else:
            out[i] = -np.inf if v == 0.0 else np.nan


@_loop
def y1(x, out):
    for i in range(x.size):
        v = np.float64(x[i])
        if v > _HANKEL_FROM:
            out[i] = _hankel_sum(v, 1, True) if v < np.inf else np.nan
        elif v >= 1.25 * math.pi:
            k = int(v / math.pi - 0.25)
            out[i] = _piece(v, k, (k + 0.75) * math.pi, _TWO_OVER_PI, _Y1_PIECES, _Y1_ROOTS)
        elif v >= 2.75:
            out[i] = _horner(_Y1_SECOND, (v - 3.375) * 1.6)
        elif v >= 1.25:
            p = _horner(_Y1_FIRST, _by_ratio(v, 1.25, 2.75))
            out[i] = p * ((v - _Y1_ROOTS[0, 0]) - _Y1_ROOTS[0, 1])
        elif v >= 0.5:
            out[i] = _horner(_Y1_NEAR, _by_ratio(v, 0.5, 1.25)) / v
        elif v > 0.0:
            s = 0.25 * v * v
            near = (math.log(v) - 0.6931471805599453) * _horner(_NEAR_J1, s) + _horner(_NEAR_Y1, s)
            out[i] = _TWO_OVER_PI * 0.5 * v * near - _TWO_OVER_PI / v
        else:
            out[i] = -np.inf if v == 0.0 else np.nan


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
