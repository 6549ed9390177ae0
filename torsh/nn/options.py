"""Options of functions in nn.functional."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch cuts ``linear_cross_entropy`` into chunks.  Accepted and checked; the result does not depend on it.

    batch_chunk_size: rows per chunk.  chunking_method: "auto", None, "aspect_ratio" or "aspect_ratio:<n>".
    acc_policy, acc_dtype: how sums are accumulated.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyOptions.html

    >>> from torsh import nn
    >>> nn.LinearCrossEntropyOptions(chunking_method="auto").chunking_method
    'auto'
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.batch_chunk_size is not None and self.batch_chunk_size < 1:
            raise ValueError(f"batch_chunk_size must be a positive integer, got {self.batch_chunk_size}")
        method = self.chunking_method
        if method not in (None, "auto") and not str(method).startswith("aspect_ratio"):
            raise ValueError(f"chunking_method must be None, 'auto' or 'aspect_ratio[:<n>]', got {method!r}")
