"""Kernels of comparisons, logic and bits."""

from __future__ import annotations

from typing import Any

import torch

from torsh_torch.arithmetic import of_first, of_tensors

KERNELS: dict[str, Any] = {
    **{name: of_first(getattr(torch, name)) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{
        name: of_tensors(getattr(torch, name))
        for name in (
            "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
            "bitwise_left_shift",
            "bitwise_right_shift", "gcd", "lcm",
        )
    },
    **{
        name: getattr(torch, name)
        for name in (
            "logical_not", "bitwise_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit",
        )
    },
}  # fmt: skip
