"""Views."""

from __future__ import annotations

from typing import Any

import torch


def as_strided(x, size, stride, offset, own_strides=None):
    """offset: elements from the first element of ``x``."""
    return x.as_strided(size, stride, x.storage_offset() + offset)


def retyped(x, dtype, source):
    return x.view(getattr(torch, dtype.name))


KERNELS: dict[str, Any] = {
    "view": lambda x, size: x.view(size),
    "reshape": lambda x, size, shape: x.contiguous().clone().view(size) if x.is_contiguous() else x.reshape(size),
    "permute": torch.permute,
    "transpose": torch.transpose,
    "t": torch.t,
    "unsqueeze": torch.unsqueeze,
    "squeeze": torch.squeeze,
    "expand": lambda x, size: x.expand(size),
    "as_strided": as_strided,
    "view_dtype": retyped,
    "select": torch.select,
    "slice": lambda x, dim, start, stop, step: torch.ops.aten.slice.Tensor(x, dim, start, stop, step),
    "diagonal": torch.diagonal,
    "unfold": lambda x, dim, size, step: x.unfold(dim, size, step),
}
