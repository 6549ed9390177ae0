"""The polynomials of ``torsh_numpy/_polynomials.py``: ``python -m torsh_conformance.accuracy.fit > _polynomials.py``.

Each is the Chebyshev interpolant of a smooth function on an interval, computed in ball arithmetic with 400 bits and
written as a power series in t, which goes from -1 to 1 over the interval; the degree is the lowest at which no coefficient left
out is above 2**-58 of the largest (for what is rounded to float32 less).

Numba's cache does not notice when the coefficients change: touch the modules that use them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flint import arb, ctx

from torsh_conformance.accuracy.truth import EXACT

_PRECISION = 400

Function = Callable[[Any], Any]


def fit(f: Function, low: Any, high: Any, bits: int = 58, limit: int = 60) -> list[float]:
    """Coefficients of t**0, t**1, ...; f is not asked for its values at the ends themselves."""
    n = limit
    nodes = [(arb(2 * k + 1) / (2 * n)).cos_pi() for k in range(n)]
    values = [f(low + (high - low) * (1 + t) / 2) for t in nodes]
    series = [
        2 * sum((v * (arb(j * (2 * k + 1)) / (2 * n)).cos_pi() for k, v in enumerate(values)), arb(0)) / n
        for j in range(n)
    ]
    series[0] /= 2
    largest = max(float(abs(c)) for c in series)
    while float(abs(series[-1])) < largest * 2.0**-bits:
        series.pop()
    if len(series) == limit:
        raise ArithmeticError("the function is not smooth enough for this degree")
    # Powers from Chebyshev polynomials: T(j + 1) = 2 t T(j) - T(j - 1).
    found = [arb(0)] * len(series)
    before, now = [arb(1)], [arb(0), arb(1)]
    for j, c in enumerate(series):
        for power, coefficient in enumerate(before if j == 0 else now):
            found[power] += c * coefficient
        if j:
            following = [arb(0), *(2 * x for x in now)]
            for power, x in enumerate(before):
                following[power] -= x
            before, now = now, following
    return [float(c) for c in found]


def root(f: Function, low: float, high: float) -> Any:
    """Where f changes its sign, by halving the interval."""
    a, b = arb(low), arb(high)
    sign = f(a) > 0
    for _ in range(_PRECISION // 2):
        middle = ((a + b) / 2).mid()
        value = f(middle)
        if not (value > 0 or value < 0):
            return middle
        a, b = (middle, b) if (value > 0) == sign else (a, middle)
    return a


def _zeta(x: Any) -> Any:
    return 2 * x * x.sqrt() / 3


def _airy_parts(z: Any) -> tuple[Any, Any]:
    """P and Q * zeta with Ai(-x) = (cos(w) P + sin(w) Q) / (sqrt(pi) x**(1/4)), w = zeta - pi/4; z = 1 / zeta**2."""
    zeta = 1 / z.sqrt()
    x = (3 * zeta / 2) ** (arb(2) / 3)
    size = arb.pi().sqrt() * x ** arb(0.25)
    w = zeta - arb.pi() / 4
    ai, bi = (-x).airy_ai() * size, (-x).airy_bi() * size
    return w.cos() * ai - w.sin() * bi, (w.sin() * ai + w.cos() * bi) * zeta


def _airy_scaled(z: Any) -> Any:
    """Ai(x) * exp(zeta) * x**(1/4) as a function of 1 / zeta."""
    zeta = 1 / z
    x = (3 * zeta / 2) ** (arb(2) / 3)
    return x.airy_ai() * zeta.exp() * x ** arb(0.25)


def _tail(f: Function, highest: float, bits: int) -> list[float]:
    """f(a) (a + 5/2) for a from 0 to ``highest`` as a function of a / (a + 5/2)."""
    last = arb(highest) / (arb(highest) + arb(2.5))
    return fit(lambda r: (lambda a: f(a) * (a + arb(2.5)))(arb(2.5) * r / (1 - r)), arb(0), last, bits)


def _over_root(f: Function, at: Any) -> Function:
    return lambda x: f(x) / (x - at)


def _by_ratio(f: Function) -> Function:
    """As a function of (x - 1) / (x + 1), which is as a logarithm is near 0."""
    return lambda t: f((1 + t) / (1 - t))


def _ratio(x: Any) -> Any:
    return (x - 1) / (x + 1)


BESSEL = {"j0": arb(0), "j1": arb(1), "y0": arb(0), "y1": arb(1)}
# The roots of each that are below 25 lie about pi apart; pieces end half-way: at (k + this) * pi.
PIECES = {"j0": 0.25, "j1": -0.25, "y0": -0.25, "y1": 0.25}
COUNT = 8


def _around(middle: float, factor: float) -> tuple[Any, Any]:
    """The interval where (x - middle) * factor goes from -1 to 1, with these very floats."""
    return arb(middle) - 1 / arb(factor), arb(middle) + 1 / arb(factor)


def _oscillating() -> dict[str, tuple[str, Any]]:
    """J0, J1, Y0, Y1 over (x - root), piece by piece up to about 25: roots in two parts, and coefficients."""
    found: dict[str, tuple[str, Any]] = {}
    for name, order in BESSEL.items():
        f: Function = (lambda x, n=order: x.bessel_j(n)) if name[0] == "j" else (lambda x, n=order: x.bessel_y(n))
        shift = PIECES[name]
        roots, pieces = [], []
        for k in range(COUNT):
            low, high = (k + shift) * math.pi, (k + 1 + shift) * math.pi
            ends = _around((k + shift + 0.5) * math.pi, 2 / math.pi)
            if k == 0:
                low = 0.6 if name[0] == "y" else 0.0
                ends = _around(0.5 * high, 2 / high)
            at = arb(0) if name == "j1" and k == 0 else root(f, low + 0.1, high - 0.1)
            roots.append(_two(at))
            if name[0] == "j" or k:
                pieces.append(fit(_over_root(f, at), *ends))
                continue
            # From 1/2 (for Y1 5/4) on, in another variable.
            start, end = (0.5, high) if name == "y0" else (1.25, 2.75)
            found[f"{name.upper()}_FIRST"] = (
                f"{name} / (x - root), (x - 1) / (x + 1) for x from {start} to {end}",
                fit(_by_ratio(_over_root(f, at)), _ratio(arb(start)), _ratio(arb(end))),
            )
            pieces.append([0.0])
            if name == "y1":
                found["Y1_SECOND"] = (f"Y1(x), x from 2.75 to {high}", fit(f, *_around(3.375, 1.6)))
                found["Y1_NEAR"] = (
                    "x Y1(x), (x - 1) / (x + 1) for x from 0.5 to 1.25",
                    fit(_by_ratio(lambda x: x * f(x)), _ratio(arb(0.5)), _ratio(arb(1.25))),
                )
        found[f"{name.upper()}_ROOTS"] = (f"the roots of {name}, each as a sum of two floats", roots)
        found[f"{name.upper()}_PIECES"] = (
            f"{name} / (x - root) from (k + {shift}) pi to (k + 1 + {shift}) pi", pieces,
        )  # fmt: skip
    return found


def _two(x: Any) -> tuple[float, float]:
    return float(x), float(x - float(x))


def tables() -> dict[str, tuple[str, Any]]:
    """name -> (what it is, coefficients)."""
    k0, k1 = EXACT["scaled_modified_bessel_k0"], EXACT["scaled_modified_bessel_k1"]
    i0, i1 = EXACT["i0e"], EXACT["i1e"]
    third = arb(1) / 3
    digamma_root, second_digamma_root = root(arb.digamma, 1.4, 1.5), root(arb.digamma, -0.6, -0.4)
    far, near = 1 / _zeta(arb(2)), 1 / _zeta(arb(4.75)) ** 2
    first, second = arb.airy_ai_zero(1), arb.airy_ai_zero(2)
    return {
        "ERFCX": ("erfcx(x) (x + 5/2), x / (x + 5/2) from 0 to its value at 28; to 31 bits",
                  _tail(EXACT["erfcx"], 28, 32)),
        "MILLS": ("ndtr(-x) exp(x**2 / 2) (x + 5/2), likewise up to 14.5; to 26 bits",
                  _tail(lambda a: EXACT["erfcx"](a / arb(2).sqrt()) / 2, 14.5, 27)),
        "ERFCX_NEAR": ("the same, x from 0 to 4; to 58 bits", _tail(EXACT["erfcx"], 4, 58)),
        "TANHSHRINK": ("(x - tanh(x)) / x**3, x**2 from 0 to 3/2",
                       fit(lambda s: (s.sqrt() - s.sqrt().tanh()) / (s * s.sqrt()), arb(0), arb(1.5))),
        "DIGAMMA": ("digamma(x) / (x - its root), x from 1 to 2",
                    fit(_over_root(arb.digamma, digamma_root), arb(1), arb(2))),
        "DIGAMMA_SECOND": ("likewise, x from -0.65 to -0.35",
                           fit(_over_root(arb.digamma, second_digamma_root), arb(-65) / 100, arb(-35) / 100)),
        "K0E": ("exp(x) K0(x), 3 (x - 1) / (x + 1) from -1 to 1", fit(_by_ratio(k0), -third, third)),
        "K1E": ("x exp(x) K1(x), likewise", fit(_by_ratio(lambda x: x * k1(x)), -third, third)),
        "I0E": ("exp(-x) I0(x), x from 4 to 8", fit(i0, arb(4), arb(8))),
        "I1E": ("exp(-x) I1(x), likewise", fit(i1, arb(4), arb(8))),
        "I0E_FAR": ("exp(-x) I0(x) sqrt(x), 1/x from 0 to 1/8",
                    fit(lambda z: i0(1 / z) / z.sqrt(), arb(0), arb(0.125))),
        "I1E_FAR": ("exp(-x) I1(x) sqrt(x), likewise", fit(lambda z: i1(1 / z) / z.sqrt(), arb(0), arb(0.125))),
        "I0E_NARROW": ("exp(-x) I0(x), x from 0 to 8; to 34 bits", fit(i0, arb(0), arb(8), 34)),
        "I1E_NARROW": ("exp(-x) I1(x) / x, likewise", fit(lambda x: i1(x) / x, arb(0), arb(8), 34)),
        "I0E_FAR_NARROW": ("exp(-x) I0(x) sqrt(x), 1/x from 0 to 1/8; to 32 bits",
                           fit(lambda z: i0(1 / z) / z.sqrt(), arb(0), arb(0.125), 32)),
        "I1E_FAR_NARROW": ("exp(-x) I1(x) sqrt(x), likewise",
                           fit(lambda z: i1(1 / z) / z.sqrt(), arb(0), arb(0.125), 32)),
        **_oscillating(),
        "AIRY_LEFT": ("Ai(x) / (x - its second root), x from -4.75 to -3.25",
                      fit(_over_root(arb.airy_ai, second), arb(-4.75), arb(-3.25))),
        "AIRY_MIDDLE": ("Ai(x) / (x - its first root), x from -3.25 to 0",
                        fit(_over_root(arb.airy_ai, first), arb(-3.25), arb(0))),
        "AIRY_RIGHT": ("Ai(x) exp(1.125 x), x from 0 to 2",
                       fit(lambda x: x.airy_ai() * (arb(1.125) * x).exp(), arb(0), arb(2))),
        "AIRY_FAR": (
            "Ai(x) exp(zeta) x**(1/4), 1/zeta from 0 to its value at x = 2", fit(_airy_scaled, arb(0), far),
        ),
        "AIRY_COSINE": (
            "what cos(zeta - pi/4) is multiplied with, 1/zeta**2 from 0 to its value at x = -4.75",
            fit(lambda z: _airy_parts(z)[0], arb(0), near),
        ),
        "AIRY_SINE": ("zeta times what sin(zeta - pi/4) is multiplied with, likewise",
                      fit(lambda z: _airy_parts(z)[1], arb(0), near)),
        "DIGAMMA_ROOT": ("roots, each as a sum of two floats", _two(digamma_root)),
        "DIGAMMA_SECOND_ROOT": ("", _two(second_digamma_root)),
        "AIRY_FIRST": ("", _two(first)), "AIRY_SECOND": ("", _two(second)),
    }  # fmt: skip


def _lines(values: Any, indent: str = "    ") -> list[str]:
    if isinstance(values[0], (list, tuple)):
        found = []
        for row in values:
            found += [f"{indent}(", *_lines(row, indent + "    "), f"{indent}),"]
        return found
    return [indent + ", ".join(repr(c) for c in values[i : i + 4]) + "," for i in range(0, len(values), 4)]


def main() -> None:
    """Print the module."""
    ctx.prec = _PRECISION
    print('"""Polynomials of smooth parts of special functions, lowest power first; made by accuracy/fit.py.\n')
    print('Each is a power series in t, which goes from -1 to 1 over the interval given.\n"""\n')
    print("# fmt: off")
    for name, (text, coefficients) in tables().items():
        if text:
            print(f"# {text}")
        print("\n".join([f"{name} = (", *_lines(coefficients), ")"]))


if __name__ == "__main__":
    main()
