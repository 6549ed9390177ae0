"""Kernels of functions of one operand, element by element."""

from __future__ import annotations

from typing import Any

import torch

_UNARY = (
    "neg", "abs", "square", "sign", "sgn", "reciprocal", "floor", "ceil", "trunc", "round", "frac", "deg2rad",
    "rad2deg",
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sigmoid", "sin", "cos", "tan",
    "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip

KERNELS: dict[str, Any] = {
    **{name: getattr(torch, name) for name in _UNARY},
    "relu": lambda x: torch.relu(x),  # a lambda: torch.relu takes no out=
    "round_decimals": lambda x, decimals: torch.round(x, decimals=decimals),
    "nan_to_num": torch.nan_to_num,
    "frexp": lambda x: tuple(torch.frexp(x)),
}
