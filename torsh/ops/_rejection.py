"""Samplers that draw until they accept, one element after the other: Poisson, binomial, gamma.

They get a prefix of the generator's stream as uniform numbers and return how many they took (-1: too few), the kept
normal number and whether there is one.  They are plain Python; for many elements ``compiled`` gives the same functions
through Numba.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any


@functools.cache
def compiled(name: str) -> Callable[..., Any]:
    """One of the functions below, compiled by Numba."""
    import numba

    return numba.njit(cache=True)(globals()[name])


def poisson(u: Any, out: Any, kept: float, valid: bool, rates: Any) -> Any:
    """Poisson numbers: products of uniform numbers below a rate of 10, Hoermann's transformed rejection above.

    W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993.
    """
    at = 0
    end = len(u) - 2
    for i in range(len(rates)):
        rate = rates[i]
        if rate >= 10:
            slam, loglam = math.sqrt(rate), math.log(rate)
            b = 0.931 + 2.53 * slam
            a = -0.059 + 0.02483 * b
            invalpha = 1.1239 + 1.1328 / (b - 3.4)
            vr = 0.9277 - 3.6224 / (b - 2)
            while True:
                if at > end:
                    return -1, kept, valid
                x = u[at] - 0.5
                v = u[at + 1]
                at += 2
                us = 0.5 - abs(x)
                k = math.floor((2 * a / us + b) * x + rate + 0.43) if us > 0 else -1.0
                if us >= 0.07 and v <= vr:
                    break
                if k < 0 or (us < 0.013 and v > us) or v == 0:
                    if v == 0 and k >= 0 and us >= 0.013:
                        break
                    continue
                if math.log(v) + math.log(invalpha) - math.log(a / (us * us) + b) <= -rate + k * loglam - math.lgamma(
                    k + 1.0
                ):
                    break
            out[i] = k
        elif rate == 0:
            out[i] = 0
        else:
            limit = math.exp(-rate)
            n = 0
            product = 1.0
            while True:
                if at > end:
                    return -1, kept, valid
                product *= u[at]
                at += 1
                if product <= limit:
                    break
                n += 1
            out[i] = n
    return at, kept, valid


def binomial(u: Any, out: Any, kept: float, valid: bool, counts: Any, probs: Any) -> Any:
    """Binomial numbers: sums of geometric ones where few successes are expected, Hoermann's rejection (BTRS) elsewhere.

    W. Hoermann, "The generation of binomial random variates", 1993.
    """
    tails = (
        0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
        0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
    )  # fmt: skip
    at = 0
    end = len(u) - 2
    for i in range(len(counts)):
        count = counts[i]
        p = probs[i]
        if count <= 0 or p <= 0:
            out[i] = 0.0
            continue
        if p >= 1:
            out[i] = count
            continue
        if p != p:
            out[i] = math.nan
            continue
        flipped = p > 0.5
        if flipped:
            p = 1.0 - p
        if count * p < 10:
            total = 0.0
            k = 0.0
            logp = math.log1p(-p)
            while True:
                if at > end:
                    return -1, kept, valid
                x = u[at]
                at += 1
                total += math.ceil(math.log(x) / logp) if x > 0 else math.inf
                if total > count:
                    break
                k += 1.0
        else:
            stddev = math.sqrt(count * p * (1 - p))
            b = 1.15 + 2.53 * stddev
            a = -0.0873 + 0.0248 * b + 0.01 * p
            c = count * p + 0.5
            vr = 0.92 - 4.2 / b
            r = p / (1 - p)
            alpha = (2.83 + 5.1 / b) * stddev
            m = float(math.floor((count + 1) * p))
            while True:
                if at > end:
                    return -1, kept, valid
                x = u[at] - 0.5
                v = u[at + 1]
                at += 2
                us = 0.5 - abs(x)
                k = float(math.floor((2 * a / us + b) * x + c)) if us > 0 else -1.0
                if us >= 0.07 and v <= vr:
                    break
                if k < 0 or k > count:
                    continue
                bound = (
                    (m + 0.5) * math.log((m + 1) / (r * (count - m + 1)))
                    + (count + 1) * math.log((count - m + 1) / (count - k + 1))
                    + (k + 0.5) * math.log(r * (count - k + 1) / (k + 1))
                )
                for term in range(4):
                    t = m if term == 0 else count - m if term == 1 else k if term == 2 else count - k
                    square = (t + 1) * (t + 1)
                    tail = (
                        tails[int(t)] if t <= 9 else (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (t + 1)
                    )
                    bound += tail if term < 2 else -tail
                if v == 0 or math.log(v * alpha / (a / (us * us) + b)) <= bound:
                    break
        out[i] = count - k if flipped else k
    return at, kept, valid


def gamma(u: Any, out: Any, kept: float, valid: bool, alphas: Any, inverses: Any, offsets: Any) -> Any:
    """Gamma numbers of rate 1; inverses are 1/alpha, offsets alpha - 1/3 (alpha + 2/3 below 1).

    G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", 2000.
    """
    squeeze = 0.03310000151395798  # PyTorch's constant is a float32
    at = 0
    end = len(u) - 4
    for i in range(len(alphas)):
        alpha = alphas[i]
        scale = 1.0
        if alpha < 1:
            if alpha == 0:
                out[i] = 0.0
                continue
            if at > end:
                return -1, kept, valid
            scale = (1 - u[at]) ** inverses[i]
            at += 1
        d = offsets[i]
        c = 1.0 / math.sqrt(9.0 * d)
        while True:
            if at > end:
                return -1, kept, valid
            if valid:
                x = kept
                valid = False
            else:
                radius = math.sqrt(-2.0 * math.log1p(-u[at + 1]))
                angle = 2.0 * math.pi * u[at]
                at += 2
                x = radius * math.cos(angle)
                kept = radius * math.sin(angle)
                valid = True
            y = 1.0 + c * x
            if y <= 0:
                continue
            v = y * y * y
            w = 1 - u[at]
            at += 1
            xx = x * x
            if w < 1.0 - squeeze * xx * xx or math.log(w) < 0.5 * xx + d * (1.0 - v + math.log(v)):
                break
        out[i] = scale * d * v
    return at, kept, valid
