"""The polynomials of ``torsh_numpy/_polynomials.py``: ``python -m torsh_conformance.accuracy.fit > _polynomials.py``.

Each is the Chebyshev interpolant of a smooth function on an interval, computed in mpmath with 60 digits and written as
a power series in t, which goes from -1 to 1 over the interval; the degree is the lowest at which no coefficient left
out is above 2**-58 of the largest (for what is rounded to float32 less).

Numba's cache does not notice when the coefficients change: touch the modules that use them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import mp, mpf

from torsh_conformance.accuracy.truth import EXACT

_DIGITS = 60


def fit(f: Callable[[Any], Any], low: Any, high: Any, bits: int = 58, limit: int = 48) -> list[float]:
    """Coefficients of t**0, t**1, ...; f is not asked for its values at the ends themselves."""
    with mp.workdps(_DIGITS):
        low, high = mpf(low), mpf(high)
        n = limit
        nodes = [mp.cos(mp.pi * (mpf(k) + mpf(0.5)) / n) for k in range(n)]
        values = [f(low + (high - low) * (1 + t) / 2) for t in nodes]
        series = [
            2 * mp.fsum(v * mp.cos(j * mp.pi * (mpf(k) + mpf(0.5)) / n) for k, v in enumerate(values)) / n
            for j in range(n)
        ]
        series[0] /= 2
        largest = max(abs(c) for c in series)
        while abs(series[-1]) < largest * mpf(2) ** -bits:
            series.pop()
        if len(series) == limit:
            raise ArithmeticError("the function is not smooth enough for this degree")
        # Powers from Chebyshev polynomials: T(j + 1) = 2 t T(j) - T(j - 1).
        found = [mpf(0)] * len(series)
        before, now = [mpf(1)], [mpf(0), mpf(1)]
        for j, c in enumerate(series):
            for power, coefficient in enumerate(before if j == 0 else now):
                found[power] += c * coefficient
            if j:
                following = [mpf(0), *(2 * x for x in now)]
                for power, x in enumerate(before):
                    following[power] -= x
                before, now = now, following
        return [float(c) for c in found]


def _zeta(x: Any) -> Any:
    return 2 * x * mp.sqrt(x) / 3


def _airy_parts(z: Any) -> tuple[Any, Any]:
    """P and Q * zeta with Ai(-x) = (cos(w) P + sin(w) Q) / (sqrt(pi) x**(1/4)), w = zeta - pi/4; z = 1 / zeta**2."""
    zeta = 1 / mp.sqrt(z)
    x = (3 * zeta / 2) ** (mpf(2) / 3)
    size = mp.sqrt(mp.pi) * x ** mpf(0.25)
    w = zeta - mp.pi / 4
    ai, bi = mp.airyai(-x) * size, mp.airybi(-x) * size
    return mp.cos(w) * ai - mp.sin(w) * bi, (mp.sin(w) * ai + mp.cos(w) * bi) * zeta


def _airy_scaled(z: Any) -> Any:
    """Ai(x) * exp(zeta) * x**(1/4) as a function of 1 / zeta."""
    zeta = 1 / z
    x = (3 * zeta / 2) ** (mpf(2) / 3)
    return mp.airyai(x) * mp.exp(zeta) * x ** mpf(0.25)


def _tail(f: Callable[[Any], Any], highest: float, bits: int) -> list[float]:
    """f(a) (a + 5/2) for a from 0 to ``highest`` as a function of a / (a + 5/2)."""
    ratio = lambda a: a / (a + mpf(2.5))
    return fit(lambda r: (lambda a: f(a) * (a + mpf(2.5)))(mpf(2.5) * r / (1 - r)), 0, ratio(mpf(highest)), bits)


def tables() -> dict[str, tuple[str, list[float]]]:
    """name -> (what it is, coefficients)."""
    root = mp.findroot(mp.digamma, 1.46)
    k0, k1 = EXACT["scaled_modified_bessel_k0"], EXACT["scaled_modified_bessel_k1"]
    logarithmic = lambda f: lambda t: f((1 + t) / (1 - t))  # x from 1/2 to 2 is t from -1/3 to 1/3
    third = mpf(1) / 3
    with mp.workdps(_DIGITS):
        root = mp.findroot(mp.digamma, root)
        far, near = 1 / _zeta(mpf(2)), 1 / _zeta(mpf(4.75)) ** 2
        first, second = mp.airyaizero(1), mp.airyaizero(2)
        return {
            "ERFCX": ("erfcx(x) (x + 5/2), x / (x + 5/2) from 0 to its value at 28; to 31 bits",
                      _tail(EXACT["erfcx"], 28, 32)),
            "MILLS": ("ndtr(-x) exp(x**2 / 2) (x + 5/2), likewise up to 14.5; to 26 bits",
                      _tail(lambda a: EXACT["erfcx"](a / mp.sqrt(2)) / 2, 14.5, 27)),
            "TANHSHRINK": ("(x - tanh(x)) / x**3, x**2 from 0 to 3/2",
                           fit(lambda s: (mp.sqrt(s) - mp.tanh(mp.sqrt(s))) / (s * mp.sqrt(s)), 0, 1.5)),
            "DIGAMMA": ("digamma(x) / (x - its root), x from 1 to 2", fit(lambda x: mp.digamma(x) / (x - root), 1, 2)),
            "K0E": ("exp(x) K0(x), 3 (x - 1) / (x + 1) from -1 to 1", fit(logarithmic(k0), -third, third)),
            "K1E": ("x exp(x) K1(x), likewise", fit(logarithmic(lambda x: x * k1(x)), -third, third)),
            "AIRY_LEFT": ("Ai(x) / (x - its second root), x from -4.75 to -3.25",
                          fit(lambda x: mp.airyai(x) / (x - second), -4.75, -3.25)),
            "AIRY_MIDDLE": ("Ai(x) / (x - its first root), x from -3.25 to 0",
                            fit(lambda x: mp.airyai(x) / (x - first), -3.25, 0)),
            "AIRY_RIGHT": ("Ai(x) exp(1.125 x), x from 0 to 2", fit(lambda x: mp.airyai(x) * mp.exp(1.125 * x), 0, 2)),
            "AIRY_FAR": (
                "Ai(x) exp(zeta) x**(1/4), 1/zeta from 0 to its value at x = 2", fit(_airy_scaled, 0, far),
            ),
            "AIRY_COSINE": (
                "what cos(zeta - pi/4) is multiplied with, 1/zeta**2 from 0 to its value at x = -4.75",
                fit(lambda z: _airy_parts(z)[0], 0, near),
            ),
            "AIRY_SINE": ("zeta times what sin(zeta - pi/4) is multiplied with, likewise",
                          fit(lambda z: _airy_parts(z)[1], 0, near)),
        }  # fmt: skip


def roots() -> dict[str, Any]:
    """Roots as sums of two floats."""
    with mp.workdps(_DIGITS):
        found = {
            "DIGAMMA_ROOT": mp.findroot(mp.digamma, 1.46),
            "AIRY_FIRST": mp.airyaizero(1), "AIRY_SECOND": mp.airyaizero(2),
        }  # fmt: skip
        return {name: (float(r), float(r - float(r))) for name, r in found.items()}


def main() -> None:
    """Print the module."""
    print('"""Polynomials of smooth parts of special functions, lowest power first; made by accuracy/fit.py.\n')
    print('Each is a power series in t, which goes from -1 to 1 over the interval given.\n"""\n')
    print("# fmt: off")
    for name, pair in roots().items():
        print(f"{name} = {pair!r}")
    for name, (text, coefficients) in tables().items():
        print(f"# {text}\n{name} = (")
        for i in range(0, len(coefficients), 4):
            print("    " + ", ".join(repr(c) for c in coefficients[i : i + 4]) + ",")
        print(")")


if __name__ == "__main__":
    main()
