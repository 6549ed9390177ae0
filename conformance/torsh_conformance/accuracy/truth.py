"""What elementwise functions are, in mpmath: the exact values errors are measured against.

``EXACT[op](x, *parameters)`` takes an mpf and works in the current precision, which ``exactly`` sets.  Where mpmath is
slow, inexact or gives up, the function is written with an expansion here: those of large arguments are in F. W. J.
Olver et al., NIST Digital Library of Mathematical Functions (https://dlmf.nist.gov), under the numbers given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import mpmath
from mpmath import mp, mpf

# Ops that are no functions of one number, though ``EXACT`` has what they are of a pair of x and 0.
ROWS = ("softmax", "log_softmax", "logsumexp")
PRECISION = 150  # bits; more for arguments whose size needs it

Exact = Callable[..., Any]


def _root_half(x: Any) -> Any:
    return x / mp.sqrt(2)


def _series(first: Any, step: Callable[[int], Any], start: int = 1) -> Any:
    """first + first * step(1) + first * step(1) * step(2) + ... until the terms no longer count."""
    total = term = first
    k = start
    while term:
        term = term * step(k)
        if mp.mag(term) < mp.mag(total) - mp.prec:
            break
        total += term
        k += 1
        if k > 2000:
            raise ArithmeticError("the series does not converge")
    return total


# ---- error function --------------------------------------------------------------------------------------------------


def _erfcx(x: Any) -> Any:
    if x > 1e6:  # DLMF 7.12.1
        return _series(1 / (x * mp.sqrt(mp.pi)), lambda k: -(2 * k - 1) / (2 * x * x))
    return mp.exp(x * x) * mp.erfc(x)


def _erfc(x: Any) -> Any:
    return mp.exp(-x * x) * _erfcx(x) if x > 1e6 else mp.erfc(x)


def _ndtr(x: Any) -> Any:
    return _erfc(-_root_half(x)) / 2


def _log_ndtr(x: Any) -> Any:
    if x > 0:
        return mp.log1p(-_ndtr(-x))
    if x < -1e6:
        return -x * x / 2 + mp.log(_erfcx(-_root_half(x)) / 2)
    return mp.log(_ndtr(x))


def _inverse(guess: float, residual: Exact, slope: Exact) -> Any:
    """Newton's method from a double precision guess."""
    y = mpf(guess)
    for _ in range(6):
        step = residual(y) / slope(y)
        y -= step
        if not step or mp.mag(step) < mp.mag(y) - mp.prec // 2 - 10:  # the next one would change nothing
            return y
    return y


def _erfinv(x: Any) -> Any:
    from scipy.special import erfcinv, erfinv

    if not abs(x) < 1:
        return mp.nan if abs(x) > 1 else x * mp.inf
    if abs(x) < 1e-100:
        return x * mp.sqrt(mp.pi) / 2
    if abs(x) < 0.75:
        return _inverse(erfinv(float(x)), lambda y: mp.erf(y) - x, lambda y: 2 * mp.exp(-y * y) / mp.sqrt(mp.pi))
    rest = 1 - abs(x)
    y = _inverse(erfcinv(float(rest)), lambda y: rest - mp.erfc(y), lambda y: 2 * mp.exp(-y * y) / mp.sqrt(mp.pi))
    return y if x > 0 else -y


def _ndtri(p: Any) -> Any:
    from scipy.special import ndtri

    if not 0 < p < 1:
        return mp.nan if p < 0 or p > 1 else mp.inf * (2 * p - 1)
    if abs(p - mpf(0.5)) < 0.25:
        return mp.sqrt(2) * _erfinv(2 * p - 1)
    low, sign = (p, -1) if p < 0.5 else (1 - p, 1)
    density = lambda y: mp.exp(-y * y / 2) / mp.sqrt(2 * mp.pi)
    # In logarithms: Newton's method on the function itself takes tiny steps far out.
    guess = -float(ndtri(float(low)))
    tail = lambda y: _ndtr(-y)
    y = _inverse(guess, lambda y: mp.log(low) - mp.log(tail(y)), lambda y: density(y) / tail(y))
    return sign * y


# ---- gamma function --------------------------------------------------------------------------------------------------


def _lgamma(x: Any) -> Any:
    if x > 0:
        return mp.loggamma(x)
    sine = mp.sinpi(x)
    return mp.inf if not sine else mp.log(mp.pi / abs(sine)) - mp.loggamma(1 - x)


def _digamma(x: Any) -> Any:
    return mp.nan if x <= 0 and mp.isint(x) else mp.digamma(x)


def _polygamma(n: int, x: Any) -> Any:
    if n == 0:
        return _digamma(x)
    if x <= 0 and mp.isint(x):
        return mp.inf if n % 2 else mp.nan  # for even n the pole's sides have different signs
    if n == 1 and x < 0:  # DLMF 5.15.6
        return (mp.pi / mp.sinpi(x)) ** 2 - _zeta(2, 1 - x)
    return (-1) ** (n + 1) * mp.factorial(n) * _zeta(n + 1, x)


def _mvlgamma(x: Any, p: int) -> Any:
    if x <= mpf(p - 1) / 2:
        return mp.nan
    return mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + sum(mp.loggamma(x - mpf(j) / 2) for j in range(p))


def _zeta(s: Any, x: Any) -> Any:
    if x <= 0 and mp.isint(x):
        return mp.inf
    if x < 0 and not mp.isint(s):
        return mp.nan
    # Euler and Maclaurin's formula (DLMF 25.11.28), after summing up to 40.
    s = mpf(s)
    total = mpf(0)
    if x < -100:
        raise ArithmeticError(f"summing up from {x} takes too long")
    while x < 40:
        total += x**-s
        x += 1
    total += x ** (1 - s) / (s - 1) + x**-s / 2
    term = s * x ** (-s - 1)
    for k in range(1, 60):
        part = mp.bernoulli(2 * k) / mp.factorial(2 * k) * term
        total += part
        if mp.mag(part) < mp.mag(total) - mp.prec:
            return total
        term *= (s + 2 * k - 1) * (s + 2 * k) / (x * x)
    raise ArithmeticError("Euler and Maclaurin's formula needs more terms")


def _igamma(a: Any, x: Any) -> Any:
    return mp.nan if x < 0 else mp.gammainc(a, 0, x, regularized=True)


def _igammac(a: Any, x: Any) -> Any:
    return mp.nan if x < 0 else mp.gammainc(a, x, mp.inf, regularized=True)


# ---- Bessel functions ------------------------------------------------------------------------------------------------

_FAR = 100  # from here on the expansions for large arguments have terms below exp(-2 * 100)


def _hankel(order: int, x: Any) -> list[Any]:
    """a_k(order) / x**k of DLMF 10.17.1, until they no longer count."""
    terms = [mpf(1)]
    k = 1
    while mp.mag(terms[-1]) > -mp.prec - 10:
        terms.append(terms[-1] * (4 * order * order - (2 * k - 1) ** 2) / (8 * k * x))
        k += 1
    return terms


def _alternating(terms: Iterable[Any]) -> Any:
    return mp.fsum(-t if i % 2 else t for i, t in enumerate(terms))


def _oscillating(order: int, x: Any, second: bool) -> Any:
    """J or Y of a large argument, DLMF 10.17.3 and 10.17.4."""
    with mp.extraprec(max(0, mp.mag(x))):
        phase = x - (2 * order + 1) * mp.pi / 4
        sine, cosine = mp.sin(phase), mp.cos(phase)
    terms = _hankel(order, x)
    even, odd = _alternating(terms[::2]), _alternating(terms[1::2])
    size = mp.sqrt(2 / (mp.pi * x))
    return size * (sine * even + cosine * odd) if second else size * (cosine * even - sine * odd)


def _bessel_j(order: int) -> Exact:
    def run(x: Any) -> Any:
        if abs(x) < _FAR:
            return mp.besselj(order, x)
        found = _oscillating(order, abs(x), False)
        return -found if order % 2 and x < 0 else found

    return run


def _bessel_y(order: int) -> Exact:
    def run(x: Any) -> Any:
        if x <= 0:
            return mp.nan
        if x < 1e-30:  # the first terms of DLMF 10.8.1: mpmath needs seconds
            return 2 / mp.pi * (mp.log(x / 2) + mp.euler) if order == 0 else -2 / (mp.pi * x)
        return mp.bessely(order, x) if x < _FAR else _oscillating(order, x, True)

    return run


def _bessel_i(order: int, scaled: bool) -> Exact:
    def run(x: Any) -> Any:
        size = abs(x)
        if size < _FAR:
            found = mp.besseli(order, size) * (mp.exp(-size) if scaled else 1)
        else:  # DLMF 10.40.1
            found = _alternating(_hankel(order, size)) / mp.sqrt(2 * mp.pi * size)
            found = found if scaled else found * mp.exp(size)
        return -found if order % 2 and x < 0 else found

    return run


def _bessel_k(order: int, scaled: bool) -> Exact:
    """mpmath's own takes a limit over non-integer orders, which is slow."""

    def near(x: Any) -> Any:  # DLMF 10.31.1 and 10.31.2
        s = x * x / 4
        with mp.extraprec(20 + int(3 * x)):  # the terms reach exp(x), their sum exp(-x)
            logarithm = mp.log(x / 2) + mp.euler
            term, harmonic = mpf(1), mpf(0)
            total = plain = mpf(0)
            k = 0
            while True:
                plain += term
                # order 0: H_k; order 1: H_k + H_(k+1), without Euler's constant, which is in the logarithm
                total += term * harmonic if order == 0 else term * (2 * harmonic + mpf(1) / (k + 1))
                k += 1
                term *= s / (k * (k + order))
                harmonic += mpf(1) / k
                if mp.mag(term) + 8 < -mp.prec:
                    break
            if order == 0:
                return total - logarithm * plain
            return 1 / x + x / 2 * (logarithm * plain) - x / 4 * total

    def run(x: Any) -> Any:
        if x <= 0:
            return mp.nan
        if x < 60:
            return near(x) * (mp.exp(x) if scaled else 1)
        found = mp.fsum(_hankel(order, x)) * mp.sqrt(mp.pi / (2 * x))  # DLMF 10.40.2
        return found if scaled else found * mp.exp(-x)

    return run


def _airy_ai(x: Any) -> Any:
    if abs(x) < 40:
        return mp.airyai(x)
    size = abs(x)
    with mp.extraprec(max(0, 3 * mp.mag(size) // 2)):
        zeta = 2 * size * mp.sqrt(size) / 3
        phase = zeta - mp.pi / 4
        sine, cosine = mp.sin(phase), mp.cos(phase)
    terms = [mpf(1)]  # u_k / zeta**k of DLMF 9.7.2
    k = 1
    while mp.mag(terms[-1]) > -mp.prec - 10:
        terms.append(terms[-1] * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / ((2 * k - 1) * 216 * k * zeta))
        k += 1
    root = mp.sqrt(mp.sqrt(size))
    if x > 0:  # DLMF 9.7.5
        return mp.exp(-zeta) / (2 * mp.sqrt(mp.pi) * root) * _alternating(terms)
    found = cosine * _alternating(terms[::2]) + sine * _alternating(terms[1::2])  # DLMF 9.7.9
    return found / (mp.sqrt(mp.pi) * root)


# ---- others ----------------------------------------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _log1p_exp(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return x if x * beta > threshold else _log1p_exp(x * beta) / beta


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        # (1 + tanh(z)) / 2 is sigmoid(2 z)
        return x * _sigmoid(2 * mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3))
    return x * _ndtr(x)


def _logit(x: Any, eps: float | None = None) -> Any:
    if eps is not None:
        x = max(min(x, 1 - mpf(eps)), mpf(eps))
    return mp.log(x) - mp.log1p(-x) if 0 < x < 1 else mp.nan


def _elu(x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    return x * scale if x > 0 else mp.expm1(x * input_scale) * alpha * scale


_SELU_ALPHA, _SELU_SCALE = (
    mpf(1.6732632423543772848170429916717), mpf(1.0507009873554804934193349852946)
)  # fmt: skip


def _within(x: Any, low: float, high: float) -> Any:
    return max(mpf(low), min(mpf(high), x))


def _log(x: Any, f: Exact = mp.log) -> Any:
    return f(x) if x > 0 else mp.nan if x else -mp.inf


def _tanhshrink(x: Any) -> Any:
    with mp.extraprec(max(0, -3 * mp.mag(x)) if x else 0):
        return x - mp.tanh(x)


EXACT: dict[str, Exact] = {
    "neg": lambda x: -x, "abs": abs, "sign": mp.sign, "sgn": mp.sign, "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x if x else mp.inf, "relu": lambda x: max(x, mpf(0)), "floor": mp.floor,
    "ceil": mp.ceil, "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "frac": lambda x: x - mp.sign(x) * mp.floor(abs(x)), "round": mp.nint, "deg2rad": lambda x: x * mp.pi / 180,
    "rad2deg": lambda x: x * 180 / mp.pi, "angle": lambda x: mp.pi if x < 0 else mpf(0),
    "exp": mp.exp, "exp2": lambda x: mp.exp(x * mp.ln2), "expm1": mp.expm1, "log": _log,
    "log2": lambda x: _log(x) / mp.ln2, "log10": lambda x: _log(x) / mp.ln10,
    "log1p": lambda x: mp.log1p(x) if x > -1 else mp.nan,
    "sqrt": lambda x: mp.sqrt(x) if x >= 0 else mp.nan, "rsqrt": lambda x: 1 / mp.sqrt(x) if x > 0 else mp.nan,
    "pow": lambda a, b: a**b if a > 0 else mp.nan,
    "sigmoid": _sigmoid, "sin": mp.sin, "cos": mp.cos, "tan": mp.tan,
    "asin": lambda x: mp.asin(x) if abs(x) <= 1 else mp.nan, "acos": lambda x: mp.acos(x) if abs(x) <= 1 else mp.nan,
    "atan": mp.atan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "asinh": mp.asinh,
    "acosh": lambda x: mp.acosh(x) if x >= 1 else mp.nan, "atanh": lambda x: mp.atanh(x) if abs(x) < 1 else mp.nan,
    "erf": mp.erf, "erfc": _erfc, "erfcx": _erfcx, "erfinv": _erfinv,
    "ndtr": _ndtr, "ndtri": _ndtri, "log_ndtr": _log_ndtr,
    "lgamma": _lgamma, "digamma": _digamma, "polygamma": _polygamma, "mvlgamma": _mvlgamma, "zeta": _zeta,
    "igamma": _igamma, "igammac": _igammac, "entr": lambda x: -x * mp.log(x) if x > 0 else mp.nan, "logit": _logit,
    "sinc": lambda x: mp.sinpi(x) / (mp.pi * x) if x else mpf(1),
    "i0": _bessel_i(0, False), "i0e": _bessel_i(0, True), "i1": _bessel_i(1, False), "i1e": _bessel_i(1, True),
    "modified_bessel_i0": _bessel_i(0, False), "modified_bessel_i1": _bessel_i(1, False),
    "modified_bessel_k0": _bessel_k(0, False), "modified_bessel_k1": _bessel_k(1, False),
    "scaled_modified_bessel_k0": _bessel_k(0, True), "scaled_modified_bessel_k1": _bessel_k(1, True),
    "bessel_j0": _bessel_j(0), "bessel_j1": _bessel_j(1), "bessel_y0": _bessel_y(0), "bessel_y1": _bessel_y(1),
    "airy_ai": _airy_ai, "spherical_bessel_j0": lambda x: mp.sin(x) / x if x else mpf(1),
    "functional_relu": lambda x: max(x, mpf(0)), "leaky_relu": lambda x: x if x > 0 else x * mpf(0.01),
    "elu": _elu, "celu": lambda x, alpha=1.0: _elu(x, alpha, 1.0, 1 / mpf(alpha)),
    "selu": lambda x: _elu(x, _SELU_ALPHA, _SELU_SCALE), "hardtanh": lambda x: _within(x, -1, 1),
    "relu6": lambda x: _within(x, 0, 6), "threshold": lambda x, limit, value: x if x > limit else mpf(value),
    "gelu": _gelu, "silu": lambda x: x * _sigmoid(x), "mish": lambda x: x * mp.tanh(_log1p_exp(x)),
    "softplus": _softplus, "log_sigmoid": lambda x: -_log1p_exp(-x),
    "hardsigmoid": lambda x: _within(x + 3, 0, 6) / 6, "hardswish": lambda x: x * _within(x + 3, 0, 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)), "tanhshrink": _tanhshrink,
    "hardshrink": lambda x: mpf(0) if abs(x) <= 0.5 else x,
    "softshrink": lambda x: x - mp.sign(x) * mpf(0.5) if abs(x) > 0.5 else mpf(0),
    "softmax": _sigmoid, "log_softmax": lambda x: -_log1p_exp(-x), "logsumexp": _log1p_exp,
}  # fmt: skip


# Limits where PyTorch gives nan.
AT_INFINITY: dict[str, Callable[..., float]] = {"polygamma": lambda n, x: math.inf if n == 0 else 0.0}


def elementwise(op: str, args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
    """The exact values of an op at arrays, nan where an argument is not finite; None for what ``EXACT`` lacks."""
    import numpy as np

    exact = EXACT.get(op)
    arrays = [np.asarray(a, np.float64) if isinstance(a, np.ndarray) else None for a in args]
    if exact is None or op in ROWS or not any(a is not None for a in arrays) or kwargs.keys() - {"eps", "approximate"}:
        return None
    shape = np.broadcast_shapes(*[a.shape for a in arrays if a is not None])
    spread = [None if a is None else np.broadcast_to(a, shape) for a in arrays]
    found = np.full(shape, np.nan)
    limit = AT_INFINITY.get(op)
    for at in np.ndindex(shape):
        values = [g if a is None else float(a[at]) for g, a in zip(args, spread)]
        if all(a is None or math.isfinite(v) for v, a in zip(values, spread)):
            try:
                numbers = [v if a is None else mpf(v) for v, a in zip(values, spread)]
                found[at] = exactly_at(exact, *numbers, **kwargs)[0]
            except (TypeError, ArithmeticError):  # other parameters; beyond what takes reasonable time
                return None
        elif limit is not None and math.inf in values:
            found[at] = limit(*values)
    return found


def exactly_at(exact: Exact, *args: Any, **kwargs: Any) -> tuple[float, float]:
    """An exact value as a sum of two doubles (the second: what the first lacks)."""
    with mp.workprec(PRECISION):
        try:
            # mpmath gives functions that grow or oscillate the precision that large arguments need by itself.
            value = exact(*args, **kwargs)
        except ZeroDivisionError:  # a pole
            return math.inf, 0.0
        if isinstance(value, mpmath.mpc):
            return math.nan, 0.0
        value = mpf(value)
        high = float(value)
        return (high, float(value - high)) if math.isfinite(high) else (high, 0.0)


def exactly(function: Any, x: float) -> tuple[float, float]:
    """The exact value at a double as a sum of two doubles (the second: what the first lacks).

    (nan, 0) outside the domain; an infinity where the value overflows.
    """
    return exactly_at(EXACT[function.op], *function.before, mpf(x), *function.after, **function.keywords)
