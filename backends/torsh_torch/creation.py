"""Making tensors, and copies in another type."""

from __future__ import annotations

from typing import Any

import torch


def _where(dtype: Any, device: Any) -> dict[str, Any]:
    return {"dtype": getattr(torch, dtype.name), "device": str(device)}


def full(size, value, dtype, device):
    if value is None:
        return torch.empty(size, **_where(dtype, device))
    return torch.full(size, value, **_where(dtype, device))


def arange(start, step, count, dtype, device):
    where = _where(dtype, device)
    if dtype.is_floating_point:
        return (torch.arange(count, dtype=torch.float64 if device.type != "mps" else torch.float32, device=where["device"]) * step
                + start).to(where["dtype"])  # fmt: skip
    return (torch.arange(count, dtype=torch.int64, device=where["device"]) * step + start).to(where["dtype"])


def triangle_indices(row, col, offset, upper, dtype, device):
    make = torch.triu_indices if upper else torch.tril_indices
    return make(row, col, offset, **_where(dtype, device))


KERNELS: dict[str, Any] = {
    "full": full,
    "cast": lambda x, dtype, copy, source: x.to(getattr(torch, dtype.name), copy=copy),
    "clone": torch.clone,
    "packed": lambda x: x.clone(memory_format=torch.contiguous_format),
    "arange": arange,
    "linspace": lambda start, end, count, dtype, device: torch.linspace(start, end, count, **_where(dtype, device)),
    "logspace": lambda start, end, count, base, dtype, device: torch.logspace(
        start, end, count, base, **_where(dtype, device)
    ),
    "eye": lambda n, m, dtype, device: torch.eye(n, m, **_where(dtype, device)),
    "triangle_indices": triangle_indices,
}
