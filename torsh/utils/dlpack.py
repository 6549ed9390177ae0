"""Exchange of memory with other libraries through DLPack.

Source: https://docs.pytorch.org/docs/stable/dlpack.html
"""

from __future__ import annotations

import enum
from typing import Any

from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import place_of
from torsh.tensor import Tensor, wrap


class DLDeviceType(enum.IntEnum):
    """Device types of the DLPack standard.

    Source: https://docs.pytorch.org/docs/stable/dlpack.html#torch.utils.dlpack.DLDeviceType

    >>> from torsh.utils.dlpack import DLDeviceType
    >>> DLDeviceType.kDLCPU.value
    1
    """

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


_TYPES = {1: "cpu", 2: "cuda", 3: "cpu", 8: "mps", 14: "xpu"}


class _Capsule:
    """A bare capsule, which says nothing about its device: taken to be on the CPU."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of a tensor's memory, to be used once.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.to_dlpack.html

    >>> import torsh
    >>> torsh.from_dlpack(torsh.utils.dlpack.to_dlpack(torsh.tensor([1, 2])))
    tensor([1, 2])
    """
    return tensor.detach().__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array (anything with ``__dlpack__``), or of a capsule.

    device: where it should be, default where the memory is.  copy: True always copies, False raises ValueError where that
    would be needed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.from_dlpack.html

    >>> import numpy as np
    >>> import torsh
    >>> import numpy as np
    >>> a = np.array([1., 2.])
    >>> x = torsh.from_dlpack(a)  # shares the memory
    >>> a[0] = 9.
    >>> x
    tensor([9., 2.], dtype=torsh.float64)
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        ext_tensor = _Capsule(ext_tensor)
    kind, index = ext_tensor.__dlpack_device__()
    if int(kind) not in _TYPES:
        raise BufferError(f"from_dlpack: no device of torsh stands for DLPack's device type {int(kind)}")
    name = _TYPES[int(kind)]
    place = place_of(Device(name) if name == "cpu" else Device(name, index))
    t = wrap(place.backend.from_dlpack(ext_tensor), place)
    t._borrowed = True
    if device is not None and as_device(device).type not in _TYPES.values():
        raise BufferError(f"Cannot pack tensors on {as_device(device)}")
    if device is not None:
        moved = t.to(device)
        if copy is False and moved is not t:
            raise ValueError(f"from_dlpack: moving from {t.device} to {moved.device} needs a copy, but copy=False")
        t = moved
    return t.clone() if copy else t


__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]
