"""Placements of distributed tensors; the tensors themselves are not here yet.

Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html
"""

from __future__ import annotations

from typing import Any

from torsh.distributed.tensor.placement_types import Partial, Placement, Replicate, Shard

__all__ = ["Partial", "Placement", "Replicate", "Shard"]

# What PyTorch has here and torsh does not: it can be named, and says so when it is used.
_MISSING = frozenset("DTensor distribute_tensor distribute_module ones empty full rand randn zeros".split())


def __getattr__(name: str) -> Any:
    from torsh.compat import placeholders

    return placeholders.listed("torch.distributed.tensor", _MISSING, name)
