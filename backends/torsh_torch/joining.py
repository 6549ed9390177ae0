"""Joining and splitting."""

from __future__ import annotations

from typing import Any

import torch

KERNELS: dict[str, Any] = {
    "cat": torch.cat,
    "stack": torch.stack,
    "unbind": lambda x, dim: list(x.unbind(dim)),
    "split": lambda x, sizes, dim: list(x.split(sizes, dim)),
}
