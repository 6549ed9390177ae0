"""What elementwise functions are, in ball arithmetic: the exact values errors are measured against.

A ball is a number with a bound on its error that holds by construction (F. Johansson, Arb, https://arblib.org, in
python-flint), so a value here is not another library's opinion: it is computed again with twice the digits until the
bound says that its first 80 bits are right (``exactly_at``).

``EXACT[op](x, *parameters)`` takes exact balls and works in flint's current precision.  It may give a float where no
computing is needed: nan outside the domain, an infinity at poles and where the value is far above all floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from flint import arb, ctx

# Ops that are no functions of one number, though ``EXACT`` has what they are of a pair of x and 0.
ROWS = ("softmax", "log_softmax", "logsumexp")
NAME = "Arb"  # what decided, for the report
BITS = 80  # that must be right: a double and what it lacks
PRECISIONS = (128, 192, 320, 640, 1280, 2560, 5120, 20480)

Exact = Callable[..., Any]
_NAN, _INF = math.nan, math.inf
# Of exponential functions: beyond this the value is no float, whatever it is multiplied with.
_FAR = 100_000
_NOTHING = arb(0, arb(2) ** -140_000)  # exp of less than -100,000


class Unknown(ArithmeticError):
    """No precision was enough."""


def _exp(x: Any) -> Any:
    return x.exp() if abs(x) < _FAR else _NOTHING if x < 0 else _INF


def _root_half(x: Any) -> Any:
    return x / arb(2).sqrt()


def _pole(x: Any) -> bool:
    return bool(x <= 0) and x.is_integer()


# ---- error function --------------------------------------------------------------------------------------------------


def _erfcx(x: Any) -> Any:
    if x > 5:  # https://dlmf.nist.gov/7.11#E3
        return (x * x).hypgeom_u(arb(0.5), arb(0.5)) / arb.pi().sqrt()
    return (x * x).exp() * x.erfc() if x > -1000 else _INF


def _erfc(x: Any) -> Any:
    return x.erfc() if x < 1000 else 0.0


def _ndtr(x: Any) -> Any:
    return _erfc(-_root_half(x)) / 2


def _log_ndtr(x: Any) -> Any:
    if x > 0:
        return (-_ndtr(-x)).log1p() if x < 1000 else 0.0
    return -x * x / 2 + (_erfcx(-_root_half(x)) / 2).log() if x < -5 else _ndtr(x).log()


def _erfinv(x: Any) -> Any:
    return x.erfinv() if abs(x) < 1 else _NAN if abs(x) > 1 else float(x) * _INF


def _ndtri(p: Any) -> Any:
    if not (p > 0 and p < 1):
        return _NAN if p < 0 or p > 1 else _INF if p > 0 else -_INF
    return arb(2).sqrt() * (-(2 * p).erfcinv() if p < 0.25 else (2 * p - 1).erfinv())


# ---- gamma function --------------------------------------------------------------------------------------------------


def _lgamma(x: Any) -> Any:
    if x > 0:
        return x.lgamma()
    return _INF if _pole(x) else (arb.pi() / abs(x.sin_pi())).log() - (1 - x).lgamma()


def _digamma(x: Any) -> Any:
    return _NAN if _pole(x) else x.digamma()


def _polygamma(n: Any, x: Any) -> Any:
    n = int(n)
    if n == 0:
        return _digamma(x)
    if _pole(x):
        return _INF if n % 2 else _NAN  # for even n the pole's sides have different signs
    if n == 1 and x < 0:  # https://dlmf.nist.gov/5.15#E6
        return (arb.pi() / x.sin_pi()) ** 2 - _zeta(arb(2), 1 - x)
    return (-1) ** (n + 1) * arb(math.factorial(n)) * _zeta(arb(n + 1), x)


def _mvlgamma(x: Any, p: int) -> Any:
    if x <= arb(p - 1) / 2:
        return _NAN
    return sum(((x - arb(j) / 2).lgamma() for j in range(p)), arb(p * (p - 1)) / 4 * arb.pi().log())


def _zeta(s: Any, x: Any) -> Any:
    if not s > 1:
        return _INF if s == 1 else _NAN
    if _pole(x):
        return _INF
    if x < 0 and not s.is_integer():
        return _NAN
    if x < -100:
        raise Unknown(f"summing up from {x} takes too long")
    total = arb(0)
    if x > 1e10:  # https://dlmf.nist.gov/25.11#E43: the next term is below 2**-90 of the first
        total = x ** (1 - s) / (s - 1) + x**-s / 2 + s * x ** (-s - 1) / 12
        return arb(total.mid(), (total * (s / x) ** 3).abs_upper()) if x < 1e30 else _tail_of_zeta(s, x)
    while x < 0:
        total += x**-s
        x += 1
    return total + s.zeta(x)


def _tail_of_zeta(s: Any, x: Any) -> Any:
    total = x ** (1 - s) / (s - 1) + x**-s / 2
    return arb(total.mid(), (total * (s / x) ** 2).abs_upper() + total.rad())


def _igamma(a: Any, x: Any) -> Any:
    if x < 0 or not a > 0:
        return _NAN if x < 0 else _unknown(a)
    return x.gamma_lower(a, regularized=1)


def _igammac(a: Any, x: Any) -> Any:
    if x < 0 or not a > 0:
        return _NAN if x < 0 else _unknown(a)
    return x.gamma_upper(a, regularized=1) if x < 1e7 + 100 * a else 0.0


def _unknown(a: Any) -> Any:
    raise Unknown(f"the parameter is {a}")


# ---- Bessel functions ------------------------------------------------------------------------------------------------


def _bessel_i(n: int, scaled: bool) -> Exact:
    def run(x: Any) -> Any:
        if not scaled and abs(x) > _FAR:
            return _INF if x > 0 or n == 0 else -_INF
        found = abs(x).bessel_i(n, scaled=scaled)
        return -found if n and x < 0 else found

    return run


def _bessel_k(n: int, scaled: bool) -> Exact:
    def run(x: Any) -> Any:
        if x <= 0:
            return _NAN
        return x.bessel_k(n, scaled=scaled) if scaled or x < _FAR else 0.0

    return run


def _airy_ai(x: Any) -> Any:
    return x.airy_ai() if x < _FAR else 0.0


# ---- others ----------------------------------------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + _exp(-x))


def _log1p_exp(x: Any) -> Any:
    return _exp(x).log1p() if x < 0 else x + _exp(-x).log1p()


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return x if x * beta > threshold else _log1p_exp(x * beta) / beta


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        # (1 + tanh(z)) / 2 is sigmoid(2 z)
        return x * _sigmoid(2 * (2 / arb.pi()).sqrt() * (x + arb("0.044715") * x**3))
    return x * _ndtr(x)


def _logit(x: Any, eps: float | None = None) -> Any:
    if eps is not None:
        x = x.min(1 - arb(eps)).max(arb(eps))
    return x.log() - (-x).log1p() if x > 0 and x < 1 else _NAN if x < 0 or x > 1 else _INF if x > 0 else -_INF


def _elu(x: Any, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> Any:
    return x * scale if x > 0 else _expm1(x * input_scale) * alpha * scale


def _expm1(x: Any) -> Any:
    return x.expm1() if abs(x) < _FAR else _exp(x) - 1


_SELU = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _within(x: Any, low: float, high: float) -> Any:
    return x.max(arb(low)).min(arb(high))


def _log(x: Any) -> Any:
    return x.log() if x > 0 else _NAN if x < 0 else -_INF


def _over(x: Any, divisor: Callable[[], Any]) -> Any:
    """A quotient whose dividend may be a float."""
    return x if isinstance(x, float) else x / divisor()


def _pow(a: Any, b: Any) -> Any:
    if not a > 0:
        return _NAN if a < 0 else 1.0 if b == 0 else 0.0 if b > 0 else _INF
    size = b * a.log()
    return a**b if abs(size) < _FAR else _exp(size)


def _hyperbolic(f: Exact, sign: int) -> Exact:
    return lambda x: f(x) if abs(x) < _FAR else _INF if x > 0 or sign > 0 else -_INF


def _trunc(x: Any) -> Any:
    return x.floor() if x > 0 else x.ceil()


def _inside(f: Exact, low: float, high: float = _INF, ends: tuple[float, float] = (_NAN, _NAN)) -> Exact:
    """A function with a domain: nan beyond, at the ends what is given (nan: what the function says)."""

    def run(x: Any) -> Any:
        if x < low or x > high:
            return _NAN
        for end, value in zip((low, high), ends):
            if x == end and value == value:
                return value
        return f(x)

    return run


def _sinc(x: Any) -> Any:
    return x.sinc_pi()


EXACT: dict[str, Exact] = {
    "neg": lambda x: -x, "abs": abs, "sign": arb.sgn, "sgn": arb.sgn, "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x if x != 0 else _INF, "relu": lambda x: x.max(arb(0)), "floor": arb.floor,
    "ceil": arb.ceil, "trunc": _trunc, "frac": lambda x: x - _trunc(x),
    "round": lambda x: arb(round(float(x))),  # x is a double
    "deg2rad": lambda x: x * arb.pi() / 180, "rad2deg": lambda x: x * 180 / arb.pi(),
    "angle": lambda x: arb.pi() if x < 0 else arb(0),
    "exp": _exp, "exp2": lambda x: _pow(arb(2), x), "expm1": _expm1, "log": _log,
    "log2": lambda x: _over(_log(x), arb(2).log), "log10": lambda x: _over(_log(x), arb(10).log),
    "log1p": _inside(arb.log1p, -1, ends=(-_INF, _NAN)), "sqrt": _inside(arb.sqrt, 0),
    "rsqrt": _inside(arb.rsqrt, 0, ends=(_INF, _NAN)), "pow": _pow,
    "sigmoid": _sigmoid, "sin": arb.sin, "cos": arb.cos, "tan": arb.tan,
    "asin": _inside(arb.asin, -1, 1), "acos": _inside(arb.acos, -1, 1), "atan": arb.atan,
    "sinh": _hyperbolic(arb.sinh, -1), "cosh": _hyperbolic(arb.cosh, 1), "tanh": arb.tanh, "asinh": arb.asinh,
    "acosh": _inside(arb.acosh, 1), "atanh": _inside(arb.atanh, -1, 1, (-_INF, _INF)),
    "erf": arb.erf, "erfc": _erfc, "erfcx": _erfcx, "erfinv": _erfinv,
    "ndtr": _ndtr, "ndtri": _ndtri, "log_ndtr": _log_ndtr,
    "lgamma": _lgamma, "digamma": _digamma, "polygamma": _polygamma, "mvlgamma": _mvlgamma, "zeta": _zeta,
    "igamma": _igamma, "igammac": _igammac, "entr": lambda x: -x * x.log() if x > 0 else _NAN if x < 0 else 0.0,
    "logit": _logit, "sinc": _sinc,
    "i0": _bessel_i(0, False), "i0e": _bessel_i(0, True), "i1": _bessel_i(1, False), "i1e": _bessel_i(1, True),
    "modified_bessel_i0": _bessel_i(0, False), "modified_bessel_i1": _bessel_i(1, False),
    "modified_bessel_k0": _bessel_k(0, False), "modified_bessel_k1": _bessel_k(1, False),
    "scaled_modified_bessel_k0": _bessel_k(0, True), "scaled_modified_bessel_k1": _bessel_k(1, True),
    "bessel_j0": lambda x: x.bessel_j(0), "bessel_j1": lambda x: x.bessel_j(1),
    "bessel_y0": _inside(lambda x: x.bessel_y(0), 0, ends=(-_INF, _NAN)),
    "bessel_y1": _inside(lambda x: x.bessel_y(1), 0, ends=(-_INF, _NAN)),
    "airy_ai": _airy_ai, "spherical_bessel_j0": arb.sinc,
    "functional_relu": lambda x: x.max(arb(0)), "leaky_relu": lambda x: x if x > 0 else x * arb(0.01),
    "elu": _elu, "celu": lambda x, alpha=1.0: _elu(x, alpha, 1, 1 / arb(alpha)),
    "selu": lambda x: _elu(x, *_SELU), "hardtanh": lambda x: _within(x, -1, 1),
    "relu6": lambda x: _within(x, 0, 6), "threshold": lambda x, limit, value: x if x > limit else arb(value),
    "gelu": _gelu, "silu": lambda x: x * _sigmoid(x), "mish": lambda x: x * _log1p_exp(x).tanh(),
    "softplus": _softplus, "log_sigmoid": lambda x: -_log1p_exp(-x),
    "hardsigmoid": lambda x: _within(x + 3, 0, 6) / 6, "hardswish": lambda x: x * _within(x + 3, 0, 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)), "tanhshrink": lambda x: x - x.tanh(),
    "hardshrink": lambda x: arb(0) if abs(x) <= 0.5 else x,
    "softshrink": lambda x: x - x.sgn() / 2 if abs(x) > 0.5 else arb(0),
    "softmax": _sigmoid, "log_softmax": lambda x: -_log1p_exp(-x), "logsumexp": _log1p_exp,
    # of two numbers
    "hypot": lambda x, y: (x * x + y * y).sqrt(), "atan2": lambda y, x: arb.atan2(y, x),
    "logaddexp": lambda x, y: x.max(y) + _exp(-abs(x - y)).log1p(),
    "logaddexp2": lambda x, y: x.max(y) + _over(_pow(arb(2), -abs(x - y)).log1p(), arb(2).log),
    "xlogy": lambda x, y: 0.0 if x == 0 else x * y.log() if y > 0 else _NAN if y < 0 else -float(x) * _INF,
    "xlog1py": lambda x, y: 0.0 if x == 0 else x * y.log1p() if y > -1 else _NAN if y < -1 else -float(x) * _INF,
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
                found[at] = exactly_at(exact, *[_ball(v, op) for v in values], **kwargs)[0]
            except (TypeError, ArithmeticError):  # other parameters; beyond what takes reasonable time
                return None
        elif limit is not None and math.inf in values:
            found[at] = limit(*values)
    return found


_ORDERED = {"polygamma", "mvlgamma"}  # whose integer parameter is an order, not a point


def _ball(v: Any, op: str) -> Any:
    """A parameter as ``EXACT`` takes it."""
    return arb(v) if isinstance(v, float) or (type(v) is int and op not in _ORDERED) else v


_TINY, _HUGE = arb(2) ** -1100, arb(2) ** 1030


def exactly_at(exact: Exact, *args: Any, **kwargs: Any) -> tuple[float, float]:
    """An exact value as a sum of two doubles (the second: what the first lacks)."""
    before = ctx.prec
    try:
        for precision in PRECISIONS:
            ctx.prec = precision
            value = exact(*args, **kwargs)
            if isinstance(value, float):
                return value, 0.0
            if value.rel_accuracy_bits() >= BITS:
                break
            if value.is_finite():
                if abs(value) < _TINY:
                    return 0.0, 0.0
                if value.is_exact():  # zero
                    break
        else:
            raise Unknown(f"{PRECISIONS[-1]} bits do not do for {args}")
        if abs(value) > _HUGE:
            return math.copysign(math.inf, 1.0 if value > 0 else -1.0), 0.0
        high = float(value.mid())
        return (high, float((value - high).mid())) if math.isfinite(high) else (high, 0.0)
    finally:
        ctx.prec = before


def exactly(function: Any, x: float) -> tuple[float, float]:
    """The exact value at a double as a sum of two doubles (the second: what the first lacks).

    (nan, 0) outside the domain; an infinity where the value overflows.
    """
    return next(iter(all_exactly(function, [x])))


def all_exactly(function: Any, x: Iterable[float]) -> list[tuple[float, float]]:
    """``exactly`` at many doubles."""
    exact, keywords = EXACT[function.op], function.keywords
    before, after = ([_ball(a, function.op) for a in some] for some in (function.before, function.after))
    return [exactly_at(exact, *before, arb(v), *after, **keywords) for v in x]
