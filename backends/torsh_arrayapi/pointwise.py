"""Elementwise kernels and comparisons.  Operands are of one dtype; the second may be a Python number."""

from __future__ import annotations

import math
from typing import Any

# Python's own numbers; numpy.bool is not among them.
_NUMBER = (int, float, complex)


def is_bool(xp, x):
    return xp.isdtype(x.dtype, "bool")


def is_complex(xp, x):
    return xp.isdtype(x.dtype, "complex floating")


def is_float(xp, x):
    return xp.isdtype(x.dtype, "real floating")


def like(xp, value, x):
    """A number as a 0-d array of the type of ``x``; an array itself."""
    return xp.asarray(value, dtype=x.dtype) if isinstance(value, _NUMBER) else value


def pair(xp, x, y):
    """Two operands as arrays, where one may be a number."""
    if isinstance(x, _NUMBER):
        return like(xp, x, y), y
    return x, like(xp, y, x)


def or_logical(function, logical):
    """A function the standard has for numbers, and what it means for bools."""

    def run(xp, x, y):
        x, y = pair(xp, x, y)
        return getattr(xp, logical if is_bool(xp, x) else function)(x, y)

    return run


def compare(function):
    """An ordering, which the standard has for real numbers only: bools are compared as integers."""

    def run(xp, x, y):
        x, y = pair(xp, x, y)
        if is_bool(xp, x):
            x, y = xp.astype(x, xp.uint8), xp.astype(y, xp.uint8)
        return getattr(xp, function)(x, y)

    return run


def two(function):
    def run(xp, x, y):
        return getattr(xp, function)(*pair(xp, x, y))

    return run


def truth(xp, x):
    return x if is_bool(xp, x) else x != xp.zeros((), dtype=x.dtype)


def logical(function):
    def run(xp, x, y):
        x, y = pair(xp, x, y)
        return getattr(xp, function)(truth(xp, x), truth(xp, y))

    return run


def real_only(function, otherwise):
    """A test the standard has for numbers, and its answer for other types."""

    def run(xp, x):
        if is_float(xp, x) or is_complex(xp, x):
            return getattr(xp, function)(x)
        return xp.full(x.shape, otherwise, dtype=xp.bool)

    return run


def integers_as_they_are(function):
    def run(xp, x):
        return getattr(xp, function)(x) if is_float(xp, x) or is_complex(xp, x) else x

    return run


def isposinf(xp, x):
    return (x == like(xp, math.inf, x)) if is_float(xp, x) else xp.zeros(x.shape, dtype=xp.bool)


def isneginf(xp, x):
    return (x == like(xp, -math.inf, x)) if is_float(xp, x) else xp.zeros(x.shape, dtype=xp.bool)


def signbit(xp, x):
    if is_float(xp, x):
        return xp.signbit(x)
    return xp.zeros(x.shape, dtype=xp.bool) if is_bool(xp, x) else x < like(xp, 0, x)


def absolute(xp, x):
    return x if is_bool(xp, x) else xp.abs(x)


def sign(xp, x):
    if is_bool(xp, x):
        return x
    if not is_float(xp, x):
        return xp.sign(x)
    return xp.where(xp.isnan(x), like(xp, 0.0, x), xp.sign(x))  # PyTorch: 0 for nan


def sgn(xp, x):
    if not is_complex(xp, x):
        return sign(xp, x)
    size = xp.abs(x)
    zero = size == like(xp, 0.0, size)
    return xp.where(zero, like(xp, 0j, x), x / xp.astype(xp.where(zero, like(xp, 1.0, size), size), x.dtype))


def div(xp, x, y):
    return xp.divide(*pair(xp, x, y))


def floor_divide(xp, x, y):
    x, y = pair(xp, x, y)
    if not is_float(xp, x):
        return xp.floor_divide(x, y)
    # As Python and PyTorch do it: from the remainder, so that the quotient fits it.
    rest = xp.remainder(x, y)
    quotient = xp.round((x - rest) / y)
    return xp.where(y == like(xp, 0.0, y), x / y, quotient)


def trunc_divide(xp, x, y):
    x, y = pair(xp, x, y)
    if is_float(xp, x):
        return xp.trunc(x / y)
    q = xp.floor_divide(x, y)
    off = (q * y != x) & ((x < like(xp, 0, x)) != (y < like(xp, 0, y)))
    return q + xp.astype(off, q.dtype)


def fmod(xp, x, y):
    x, y = pair(xp, x, y)
    rest = xp.remainder(x, y)
    zero = like(xp, 0, x)
    off = (rest != zero) & ((rest < zero) != (x < zero))
    return xp.where(off, rest - y, rest)


def neg(xp, x):
    if is_bool(xp, x) or not xp.isdtype(x.dtype, "unsigned integer"):
        return xp.negative(x)
    return xp.bitwise_invert(x) + like(xp, 1, x)


def power(xp, x, y):
    x, y = pair(xp, x, y)
    return xp.logical_or(x, xp.logical_not(y)) if is_bool(xp, x) else xp.pow(x, y)


def extreme(function):
    def run(xp, x, y):
        x, y = pair(xp, x, y)
        if is_bool(xp, x):
            return (xp.logical_or if function == "maximum" else xp.logical_and)(x, y)
        return getattr(xp, function)(x, y)

    return run


def ignoring_nan(function):
    def run(xp, x, y):
        x, y = pair(xp, x, y)
        if not is_float(xp, x):
            return extreme(function)(xp, x, y)
        return xp.where(xp.isnan(x), y, xp.where(xp.isnan(y), x, getattr(xp, function)(x, y)))

    return run


def clamp(xp, x, low, high):
    if low is not None:
        x = extreme("maximum")(xp, x, low)
    return x if high is None else extreme("minimum")(xp, x, high)


def where(xp, condition, x, y):
    if isinstance(x, _NUMBER) and isinstance(y, _NUMBER):
        return xp.where(condition, xp.asarray(x), xp.asarray(y))
    return xp.where(truth(xp, condition), *pair(xp, x, y))


def lerp(xp, x, end, weight):
    weight = like(xp, weight, x)
    size = xp.abs(weight)
    near = size < like(xp, 0.5, size)
    return xp.where(near, x + weight * (end - x), end - (end - x) * (like(xp, 1.0, x) - weight))


def addcmul(xp, x, a, b, value):
    return x + like(xp, value, x) * a * b


def addcdiv(xp, x, a, b, value):
    return x + like(xp, value, x) * a / b


def logaddexp(xp, x, y):
    x, y = pair(xp, x, y)
    if not is_complex(xp, x):
        return xp.logaddexp(x, y)
    top = xp.astype(xp.maximum(xp.real(x), xp.real(y)), x.dtype)
    return top + xp.log(xp.exp(x - top) + xp.exp(y - top))


def logaddexp2(xp, x, y):
    ln2 = like(xp, math.log(2.0), x)
    return xp.logaddexp(x * ln2, y * ln2) / ln2


def heaviside(xp, x, values):
    x, values = pair(xp, x, values)
    if is_bool(xp, x):
        return xp.logical_or(x, values)
    zero = like(xp, 0, x)
    return xp.where(x == zero, values, xp.astype(x > zero, x.dtype))


def reciprocal(xp, x):
    return like(xp, 1.0, x) / x


def relu(xp, x):
    return xp.maximum(x, like(xp, 0, x))


def scaled(factor):
    return lambda xp, x: x * like(xp, factor, x)


def nan_to_num(xp, x, nan, posinf, neginf):
    if not is_float(xp, x):
        return x
    info = xp.finfo(x.dtype)
    x = xp.where(xp.isnan(x), like(xp, 0.0 if nan is None else float(nan), x), x)
    x = xp.where(x == like(xp, math.inf, x), like(xp, float(info.max if posinf is None else posinf), x), x)
    return xp.where(x == like(xp, -math.inf, x), like(xp, float(info.min if neginf is None else neginf), x), x)


def sigmoid(xp, x):
    one = like(xp, 1.0, x)
    return one / (one + xp.exp(-x))


def xlogy(log):
    def run(xp, x, y):
        x, y = pair(xp, x, y)
        zero = like(xp, 0.0, x)
        return xp.where(xp.isnan(y), y, xp.where(x == zero, zero, x * getattr(xp, log)(y)))

    return run


def sinc(xp, x):
    y = x * like(xp, math.pi, x)
    zero = y == like(xp, 0.0, y)
    return xp.where(zero, like(xp, 1.0, y), xp.sin(y) / xp.where(zero, like(xp, 1.0, y), y))


# Rational approximations of the error function by W. J. Cody (Math. Comp. 23, 1969, 631-637): the standard has none.
# Each is (numerator, denominator), highest power first; in x**2 up to 0.5, in x up to 4, in 1 / x**2 beyond.
_ERF_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_ERFC_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_ERFC_FAR = (
    (-1.63153871373020978e-2, -3.05326634961232344e-1, -3.60344899949804439e-1, -1.25781726111229246e-1,
     -1.60837851487422766e-2, -6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def _ratio(xp, x, coefficients):
    total = []
    for row in coefficients:
        value = like(xp, row[0], x)
        for c in row[1:]:
            value = value * x + like(xp, c, x)
        total.append(value)
    return total[0] / total[1]


def _erfc_positive(xp, a):
    """1 - erf(a) for a >= 0.46875, without cancellation."""
    one, four = like(xp, 1.0, a), like(xp, 4.0, a)
    middle = _ratio(xp, xp.minimum(a, four), _ERFC_MIDDLE)
    far = xp.maximum(a, four)
    inverse = one / (far * far)
    tail = (like(xp, 1.0 / math.sqrt(math.pi), a) + inverse * _ratio(xp, inverse, _ERFC_FAR)) / far
    # exp(-a*a) in two parts, so that the square's rounding does not grow with it.
    head = xp.trunc(a * like(xp, 16.0, a)) / like(xp, 16.0, a)
    scale = xp.exp(-head * head) * xp.exp(-(a - head) * (a + head))
    return xp.where(a == like(xp, math.inf, a), like(xp, 0.0, a), scale * xp.where(a <= four, middle, tail))


def erf(xp, x):
    near = xp.minimum(xp.abs(x), like(xp, 0.5, x))
    small = x * _ratio(xp, near * near, _ERF_NEAR)
    large = like(xp, 1.0, x) - _erfc_positive(xp, xp.abs(x))
    return xp.where(xp.abs(x) <= like(xp, 0.46875, x), small, xp.where(x < like(xp, 0.0, x), -large, large))


def erfc(xp, x):
    one = like(xp, 1.0, x)
    large = _erfc_positive(xp, xp.abs(x))
    large = xp.where(x < like(xp, 0.0, x), like(xp, 2.0, x) - large, large)
    return xp.where(xp.abs(x) <= like(xp, 0.46875, x), one - erf(xp, x), large)


_SAME = (
    "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin",
    "acos", "atan", "asinh", "acosh", "atanh",
)  # fmt: skip

KERNELS: dict[str, Any] = {
    **{name: name for name in _SAME},
    "square": lambda xp, x: xp.logical_and(x, x) if is_bool(xp, x) else x * x,
    "logical_not": lambda xp, x: xp.logical_not(truth(xp, x)),
    "logical_and": logical("logical_and"),
    "logical_or": logical("logical_or"),
    "logical_xor": logical("logical_xor"),
    "bitwise_not": "bitwise_invert",
    "bitwise_and": two("bitwise_and"),
    "bitwise_or": two("bitwise_or"),
    "bitwise_xor": two("bitwise_xor"),
    "bitwise_left_shift": two("bitwise_left_shift"),
    "bitwise_right_shift": two("bitwise_right_shift"),
    "eq": two("equal"),
    "ne": two("not_equal"),
    "lt": compare("less"),
    "le": compare("less_equal"),
    "gt": compare("greater"),
    "ge": compare("greater_equal"),
    "isnan": real_only("isnan", False),
    "isinf": real_only("isinf", False),
    "isfinite": real_only("isfinite", True),
    "isposinf": isposinf,
    "isneginf": isneginf,
    "isreal": lambda xp, x: xp.imag(x) == 0 if is_complex(xp, x) else xp.full(x.shape, True, dtype=xp.bool),
    "signbit": signbit,
    "add": or_logical("add", "logical_or"),
    "sub": two("subtract"),
    "mul": or_logical("multiply", "logical_and"),
    "div": div,
    "floor_divide": floor_divide,
    "trunc_divide": trunc_divide,
    "remainder": two("remainder"),
    "fmod": fmod,
    "pow": power,
    "maximum": extreme("maximum"),
    "minimum": extreme("minimum"),
    "fmax": ignoring_nan("maximum"),
    "fmin": ignoring_nan("minimum"),
    "clamp": clamp,
    "where": where,
    "lerp": lerp,
    "addcmul": addcmul,
    "addcdiv": addcdiv,
    "atan2": two("atan2"),
    "hypot": two("hypot"),
    "logaddexp": logaddexp,
    "logaddexp2": logaddexp2,
    "copysign": two("copysign"),
    "nextafter": two("nextafter"),
    "heaviside": heaviside,
    "neg": neg,
    "positive": lambda xp, x: x,
    "abs": absolute,
    "sign": sign,
    "sgn": sgn,
    "reciprocal": reciprocal,
    "relu": relu,
    "floor": integers_as_they_are("floor"),
    "ceil": integers_as_they_are("ceil"),
    "trunc": integers_as_they_are("trunc"),
    "round": integers_as_they_are("round"),
    "frac": lambda xp, x: x - xp.trunc(x),
    "deg2rad": scaled(math.pi / 180.0),
    "rad2deg": scaled(180.0 / math.pi),
    "nan_to_num": nan_to_num,
    "exp2": lambda xp, x: xp.pow(like(xp, 2.0, x), x),
    "rsqrt": lambda xp, x: like(xp, 1.0, x) / xp.sqrt(x),
    "sigmoid": sigmoid,
    "xlogy": xlogy("log"),
    "xlog1py": xlogy("log1p"),
    "sinc": sinc,
    "erf": erf,
    "erfc": erfc,
}
