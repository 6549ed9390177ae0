"""Rearrangements that copy."""

from __future__ import annotations

from typing import Any

import torch

KERNELS: dict[str, Any] = {
    "flip": torch.flip,
    "roll": torch.roll,
    "repeat_kernel": lambda x, sizes: x.repeat(sizes),
    "repeat_interleave_kernel": lambda x, counts, dim, size: torch.repeat_interleave(x, counts, dim),
    "tril": torch.tril,
    "triu": torch.triu,
}
