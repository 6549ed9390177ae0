"""Elementwise functions.  Those PyTorch has with the standard's meaning are taken as they are."""

from __future__ import annotations

from typing import Any

import torsh
from torsh import dtypes
from torsh.array_api._array import standard
from torsh.array_api._creation import promoted

# The standard's name -> torsh's, where the meaning is the same.
_SAME = {
    n: n
    for n in (
        "acosh asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor "
        "conj copysign cos cosh divide exp greater greater_equal hypot imag isfinite isinf isnan less less_equal log log2 "
        "log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum negative nextafter not_equal positive "
        "pow real reciprocal signbit sin sinh square sqrt subtract tan add multiply abs"
    ).split()
} | {"bitwise_invert": "bitwise_not", "equal": "eq"}  # fmt: skip


def _take(name: str, own: str) -> Any:
    function = getattr(torsh, own)

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*(promoted(args) if len(args) == 2 else args), **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The standard's ``{name}``: see :func:`torsh.{own}`."
    return standard(call)


globals().update({name: _take(name, own) for name, own in _SAME.items()})


def _integral(x: Any) -> bool:
    return bool(x.dtype.category < dtypes.FLOAT)


@standard
def ceil(x: Any, /) -> Any:
    """Round up; integers stay as they are."""
    return x.clone() if _integral(x) else torsh.ceil(x)


@standard
def floor(x: Any, /) -> Any:
    """Round down; integers stay as they are."""
    return x.clone() if _integral(x) else torsh.floor(x)


@standard
def round(x: Any, /) -> Any:
    """Round to the nearest integer, halves to the even one; the parts of complex numbers each."""
    return torsh.complex(torsh.round(x.real), torsh.round(x.imag)) if x.dtype.is_complex else torsh.round(x)


@standard
def trunc(x: Any, /) -> Any:
    """Round towards zero; integers stay as they are."""
    return x.clone() if _integral(x) else torsh.trunc(x)


@standard
def sign(x: Any, /) -> Any:
    """-1, 0 or 1; for complex numbers x / abs(x); nan for nan."""
    if x.dtype.is_complex:
        return torsh.sgn(x)
    found = torsh.sign(x)
    return torsh.where(torsh.isnan(x), x, found) if x.dtype.is_floating_point else found


@standard
def expm1(x: Any, /) -> Any:
    """exp(x) - 1, accurate near zero, also for complex numbers."""
    if not x.dtype.is_complex:
        return torsh.expm1(x)
    a, b = torsh.real(x), torsh.imag(x)
    half = torsh.sin(b / 2)
    re = torsh.expm1(a) * torsh.cos(b) - 2 * half * half
    im = torsh.exp(a) * torsh.sin(b)
    # The standard's special cases: a zero imaginary part stays zero, and exp's limits at the infinities.
    im = torsh.where(b == 0, b, im)
    re = torsh.where(b == 0, torsh.expm1(a) + 0.0, re)  # + 0.0: the real part of a zero is +0
    low = a == -torsh.inf
    re = torsh.where(low, torsh.full_like(re, -1.0), re)
    im = torsh.where(
        low,
        torsh.where(torsh.isfinite(b), torsh.copysign(torsh.zeros_like(im), torsh.sin(b)), torsh.zeros_like(im)),
        im,
    )
    high = (a == torsh.inf) & ~torsh.isfinite(b)
    re = torsh.where(high, torsh.full_like(re, torsh.inf), re)
    im = torsh.where(high, torsh.full_like(im, torsh.nan), im)
    nan = torsh.isnan(a)
    re = torsh.where(nan, a, re)
    im = torsh.where(nan & (b != 0), torsh.full_like(im, torsh.nan), im)
    return torsh.complex(re, im)


@standard
def acos(x: Any, /) -> Any:
    """The inverse cosine; the imaginary part has the opposite sign of the argument's, also where it is zero."""
    found = torsh.acos(x)
    if not x.dtype.is_complex:
        return found
    return torsh.complex(torsh.real(found), torsh.copysign(torsh.imag(found), -torsh.imag(x)))


@standard
def log1p(x: Any, /) -> Any:
    """log(1 + x), accurate near zero; complex numbers that are not finite have log's special cases."""
    found = torsh.log1p(x)
    return torsh.where(torsh.isfinite(x), found, torsh.log(1 + x)) if x.dtype.is_complex else found


@standard
def remainder(x1: Any, x2: Any, /) -> Any:
    """The remainder with the divisor's sign, also where it is zero."""
    x1, x2 = promoted((x1, x2))
    found = torsh.remainder(x1, x2)
    return torsh.where(found == 0, torsh.copysign(found, x2), found) if found.dtype.is_floating_point else found


@standard
def tanh(x: Any, /) -> Any:
    """The hyperbolic tangent; for complex numbers of infinite real part the imaginary zero has the argument's sign."""
    found = torsh.tanh(x)
    if not x.dtype.is_complex:
        return found
    a, b = torsh.real(x), torsh.imag(x)
    limit = torsh.complex(torsh.sign(a), torsh.copysign(torsh.zeros_like(b), b))
    return torsh.where(torsh.isinf(a) & torsh.isfinite(b), limit, found)


@standard
def floor_divide(x1: Any, x2: Any, /) -> Any:
    """floor(x1 / x2) with the standard's special cases for infinities and zeros."""
    x1, x2 = promoted((x1, x2))
    found = torsh.floor_divide(x1, x2)
    if not found.dtype.is_floating_point:
        return found
    quotient = x1 / x2
    # Where an operand is infinite or the divisor zero, the quotient itself is what the standard asks for, rounded.
    special = ~torsh.isfinite(x1) | ~torsh.isfinite(x2) | (x2 == 0)
    found = torsh.where(special, torsh.floor(quotient), found)
    zero = (x1 == 0) & (x2 != 0)
    return torsh.where(zero & ~torsh.isnan(x2), quotient, found)


@standard
def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """The values limited to [min, max], in the dtype of ``x``."""

    def bound(b: Any) -> Any:
        return b.to(x.dtype) if isinstance(b, torsh.Tensor) else torsh.tensor(b, dtype=x.dtype, device=x.device)

    if min is not None:
        low = bound(min)
        x = torsh.maximum(x, low)
    if max is not None:
        x = torsh.minimum(x, bound(max))
    return x.clone() if min is None and max is None else x


__all__ = sorted(
    [
        *_SAME,
        "acos",
        "ceil",
        "clip",
        "expm1",
        "floor",
        "floor_divide",
        "log1p",
        "remainder",
        "round",
        "sign",
        "tanh",
        "trunc",
    ]
)
