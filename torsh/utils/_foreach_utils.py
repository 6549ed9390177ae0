"""Grouping tensors for operations on lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torsh.tensor import Tensor


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Any]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]]:
    """Several lists of one length, split by the device and dtype of the first list's tensors: (lists, positions) of each group."""
    found: dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]] = {}
    for i, entries in enumerate(zip(*tensorlistlist, strict=True)):
        first: Tensor = entries[0]
        lists, indices = found.setdefault((first.device, first.dtype), ([[] for _ in tensorlistlist], []))
        for own, entry in zip(lists, entries):
            own.append(entry)
        if with_indices:
            indices.append(i)
    return found


def _get_foreach_kernels_supported_devices() -> list[str]:
    """Device types on which lists of tensors are handled at once."""
    return ["cuda", "xpu", "mtia"]


_get_fused_kernels_supported_devices = _get_foreach_kernels_supported_devices


def _device_has_foreach_support(device: Any) -> bool:
    """Whether a device's type handles lists of tensors; the CPU does, too."""
    return device.type in ("cpu", *_get_foreach_kernels_supported_devices())


def _has_foreach_support(tensors: Sequence[Any], device: Any) -> bool:
    """Whether all of a list can be handled at once."""
    return _device_has_foreach_support(device) and all(t is None or isinstance(t, Tensor) for t in tensors)
