"""Names of the elementwise ops, and how to carry tensors to PyTorch and back: shared by the tests of these families."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch

import torsh

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip

UNARY = (
    "neg", "abs", "sign", "sgn", "positive", "square", "reciprocal", "relu", "floor", "ceil", "trunc", "round", "frac",
    "deg2rad", "rad2deg", "nan_to_num", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt",
    "sigmoid",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "logical_not",
    "bitwise_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit", "erf", "erfc",
    "erfinv", "lgamma",
    "digamma", "sinc", "logit", "i0", "angle", "conj_physical", "real",
)  # fmt: skip

SPECIAL_UNARY = (
    "entr", "erfcx", "ndtr", "ndtri", "log_ndtr", "i0e", "i1", "i1e", "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0",
    "bessel_y1", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
)  # fmt: skip

BINARY = (
    "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "maximum", "minimum", "fmax", "fmin",
    "eq", "ne",
    "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    "bitwise_left_shift", "bitwise_right_shift", "atan2", "hypot", "logaddexp", "logaddexp2", "copysign", "nextafter",
    "heaviside", "xlogy", "gcd", "lcm", "ldexp", "float_power", "rsub", "igamma", "igammac", "clamp_min", "clamp_max",
)  # fmt: skip

POLYNOMIALS = (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
)  # fmt: skip


def find(module: Any, name: str) -> Any:
    """An op by its dotted name below ``torch``."""
    return operator.attrgetter(name)(module)


def values(dtype: str, count: int = 24, seed: int = 0, low: float = -3.0, high: float = 3.0) -> torch.Tensor:
    """Numbers of a dtype between bounds, with a few special ones."""
    rng = np.random.default_rng(seed)
    kind = getattr(torch, dtype)
    x = rng.uniform(low, high, count)
    if dtype == "bool":
        return torch.from_numpy(x > (low + high) / 2)
    if kind.is_complex:
        return torch.from_numpy(x + 1j * rng.uniform(low, high, count)).to(kind)
    if dtype == "uint8":
        x = np.abs(x)
    return torch.from_numpy(x).to(kind)


def over(t: torch.Tensor, requires_grad: bool = False) -> Any:
    """A PyTorch tensor as one of torsh."""
    if t.dtype is torch.bfloat16:
        found = torsh.from_numpy(t.detach().float().numpy().copy()).to(torsh.bfloat16)
    else:
        found = torsh.from_numpy(t.detach().numpy().copy())
    return found.requires_grad_() if requires_grad else found


def back(t: Any) -> Any:
    """A tensor of torsh as one of PyTorch, anything else as it is."""
    if not isinstance(t, torsh.Tensor):
        return tuple(back(x) for x in t) if isinstance(t, tuple) else t
    t = t.detach().resolve_conj().resolve_neg()
    if t.dtype is torsh.bfloat16:
        return torch.from_numpy(t.to(torsh.float32).numpy().copy()).to(torch.bfloat16)
    return torch.from_numpy(np.array(t.numpy()))


def outcome(call: Any) -> Any:
    """The result of a call, or the type of what it raised."""
    try:
        return call()
    except Exception as e:
        return type(e)


def agree(ours: Any, theirs: Any, **tolerances: Any) -> None:
    """Both raised exceptions of one type, or gave equal dtypes, shapes and nearly equal values."""
    if isinstance(theirs, type):
        assert ours is theirs, (ours, theirs)
        return
    assert not isinstance(ours, type), (ours, theirs)
    torch.testing.assert_close(back(ours), theirs, equal_nan=True, **tolerances)


def gradients(module, f, inputs, twice=True):
    """First derivatives, and those of their weighted sum."""
    out = f(*inputs)
    weight = module.ones_like(out) if not out.is_complex() else module.full_like(out, 0.7 - 0.4j)
    first = module.autograd.grad(out, inputs, weight, create_graph=twice, allow_unused=True)
    if not twice:
        return list(first)
    total = None
    for i, g in enumerate(first):
        if g is not None and g.requires_grad:
            part = ((g.real if g.is_complex() else g) * (i + 1)).sum()
            total = part if total is None else total + part
    second = [None] * len(inputs)
    if total is not None:
        second = module.autograd.grad(total, inputs, allow_unused=True)
    return [*first, *second]


def same_gradients(f, inputs, twice=True):
    """f(module, ...): gradients of torsh and PyTorch agree; missing and zero ones count as equal."""
    theirs = gradients(torch, lambda *a: f(torch, *a), [t.clone().requires_grad_() for t in inputs], twice)
    ours = gradients(torsh, lambda *a: f(torsh, *a), [over(t, True) for t in inputs], twice)
    for a, b, t in zip(ours, theirs, inputs * 2):
        a = torch.zeros_like(t) if a is None else back(a)
        b = torch.zeros_like(t) if b is None else b
        torch.testing.assert_close(a, b.detach().resolve_conj(), rtol=1e-8, atol=1e-8, equal_nan=True)
