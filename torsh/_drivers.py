"""Whether a machine can have an accelerator at all, asked without loading a library that could use it: programs ask
``cuda.is_available()`` first of all, and importing PyTorch or CuPy to hear "no" takes seconds."""

from __future__ import annotations

import os
import sys
from functools import cache

# A driver's libraries, any of which is enough. PyTorch calls AMD's GPUs "cuda" too, and brings their library along: the kernel's
# own device file tells.
_LIBRARIES = {
    "cuda": {"linux": ("libcuda.so.1",), "win32": ("nvcuda.dll",)},
    "xpu": {"linux": ("libze_loader.so.1",), "win32": ("ze_loader.dll",)},
    "mtia": {},  # no driver is published
}
_DEVICE_FILES = {"cuda": "/dev/kfd"}


@cache
def missing(device_type: str) -> str | None:
    """Why no backend found by itself can serve a device type on this machine; None where one might.

    >>> missing("cpu") is None
    True
    """
    if device_type == "mps":
        return None if sys.platform == "darwin" else "Metal is there on macOS only"
    if device_type not in _LIBRARIES or os.path.exists(_DEVICE_FILES.get(device_type, "")):
        return None
    names = _LIBRARIES[device_type].get(sys.platform, ())
    if any(map(_loads, names)):
        return None
    return (
        f"the driver's library {' or '.join(names)} is not on this machine"
        if names
        else f"there is no driver for {device_type} on {sys.platform}"
    )


def _loads(name: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
