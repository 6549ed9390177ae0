"""Embeddings."""

from __future__ import annotations

import torch

aten = torch.ops.aten

KERNELS = {
    "take_rows": lambda weight, indices, padding_idx, by_freq: torch.embedding(weight, indices, padding_idx, by_freq),
    "embedding_backward": aten.embedding_dense_backward,
}
