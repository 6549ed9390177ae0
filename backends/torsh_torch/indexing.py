"""Indexing, gathering and scattering."""

from __future__ import annotations

from typing import Any

import torch

KERNELS: dict[str, Any] = {
    "getitem_basic": lambda x, index, shape: x[index],
    "index": lambda x, indices, shape: torch.ops.aten.index(x, indices),
    "index_put": lambda x, indices, values, accumulate: torch.ops.aten.index_put(x, indices, values, accumulate),
    "index_put_": lambda x, indices, values, accumulate: torch.ops.aten.index_put_(x, indices, values, accumulate),
    "nonzero": torch.nonzero,
}
