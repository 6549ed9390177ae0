"""Kernels of arithmetic: two and more operands, element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch


def of_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for a function that takes no Python numbers in an operand's place."""

    def run(*operands: Any) -> Any:
        some = next(a for a in operands if isinstance(a, torch.Tensor))
        made = [
            a if isinstance(a, torch.Tensor) else torch.full((), a, dtype=some.dtype, device=some.device)
            for a in operands
        ]
        return function(*made)

    return run


def of_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for a function that takes a Python number in the second place only."""
    made = of_tensors(function)
    return lambda x, y: function(x, y) if isinstance(x, torch.Tensor) else made(x, y)


def clamp(x, low, high):
    if isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor):
        low, high = (
            a if a is None or isinstance(a, torch.Tensor) else torch.full((), a, dtype=x.dtype, device=x.device)
            for a in (low, high)
        )
    return torch.clamp(x, low, high)


KERNELS: dict[str, Any] = {
    "sub": of_first(torch.sub),
    "add": of_first(torch.add),
    "mul": of_first(torch.mul),
    "div": of_first(torch.div),
    "floor_divide": of_first(torch.floor_divide),
    "trunc_divide": of_first(functools.partial(torch.div, rounding_mode="trunc")),
    "remainder": of_first(torch.remainder),
    "fmod": of_first(torch.fmod),
    "pow": torch.pow,
    "clamp": clamp,
    "where": torch.where,
    "lerp": lambda x, end, weight: torch.lerp(x, end, weight),
    "addcmul": lambda x, a, b, value: torch.addcmul(x, a, b, value=value),
    "addcdiv": lambda x, a, b, value: torch.addcdiv(x, a, b, value=value),
    **{
        name: of_tensors(getattr(torch, name))
        for name in (
            "maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "logaddexp", "logaddexp2", "copysign", "nextafter",
            "heaviside",
        )
    },
}  # fmt: skip
