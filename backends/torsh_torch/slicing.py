"""Gradients of views of a part."""

from __future__ import annotations

from typing import Any

import torch


def embed(g, size, index):
    found = g.new_zeros(size)
    found[index] = g
    return found


def diagonal_embed(g, size, offset, dim1, dim2):
    found = g.new_zeros(size)
    found.diagonal(offset, dim1, dim2).copy_(g)
    return found


def strided_sum(g, n, size, stride, offset):
    at = torch.full((), offset, device=g.device)
    for length, step in zip(size, stride):
        at = at[..., None] + torch.arange(length, device=g.device) * step
    return g.new_zeros(n).index_add_(0, at.reshape(-1), g.reshape(-1))


KERNELS: dict[str, Any] = {
    "embed": embed,
    "diagonal_embed": diagonal_embed,
    "fold_windows": lambda g, size, dim, length, step: torch.ops.aten.unfold_backward(g, size, dim, length, step),
    "strided_sum": strided_sum,
}
