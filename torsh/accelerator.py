"""The accelerator of this machine, whichever it is: the first device type besides the CPU that a backend serves.

Source: https://docs.pytorch.org/docs/stable/accelerator.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torsh import registry
from torsh.device import device as Device

_MEMORY = [
    "get_memory_info", "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_accumulated_memory_stats", "reset_peak_memory_stats",
]  # fmt: skip
__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count", "device_index", "empty_cache",
    "is_available", "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip
__all__ += _MEMORY
_TYPES = ("cuda", "mps", "xpu", "mtia")


def _backend() -> tuple[str, Any] | None:
    for device_type in _TYPES:
        backend = registry.available(device_type)
        if backend is not None:
            return device_type, backend
    return None


def _needed() -> tuple[str, Any]:
    found = _backend()
    if found is None:
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return found


def is_available() -> bool:
    """Whether a backend serves an accelerator here.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.is_available.html

    >>> import torsh
    >>> torsh.accelerator.is_available() in (True, False)
    True
    """
    return _backend() is not None


def current_accelerator(check_available: bool = False) -> Any:
    """The accelerator's device, without an index; None where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.current_accelerator.html

    >>> import torsh
    >>> torsh.accelerator.current_accelerator() is None or torsh.accelerator.is_available()
    True
    """
    found = _backend()
    return None if found is None else Device(found[0])


def device_count() -> int:
    """The number of its devices.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.device_count.html

    >>> import torsh
    >>> torsh.accelerator.device_count() >= 0
    True
    """
    found = _backend()
    return 0 if found is None else sum(d.type == found[0] for d in found[1].devices())


def current_device_index() -> int:
    """The index of the device in use.  Raises RuntimeError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.current_device_idx.html
    """
    _needed()
    return 0


current_device_idx = current_device_index


def set_device_index(device: Any, /) -> None:
    """Use another device of the accelerator.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.set_device_idx.html
    """
    kind, _ = _needed()
    index = device if isinstance(device, int) else Device(device).index or 0
    if not 0 <= index < device_count():
        raise RuntimeError(f"invalid device ordinal: {kind} has {device_count()} devices, got index {index}")


set_device_idx = set_device_index


@contextlib.contextmanager
def device_index(device: int | None, /) -> Iterator[None]:
    """Use another device inside; None changes nothing.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.device_index.html
    """
    if device is not None:
        set_device_index(device)
    yield


def synchronize(device: Any = None, /) -> None:
    """Wait until the device has done all its work.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.synchronize.html
    """
    kind, backend = _needed()
    index = device if isinstance(device, int) else 0 if device is None else Device(device).index or 0
    backend.synchronize(Device(kind, index))


def empty_cache() -> None:
    """Give unused cached memory back; backends manage theirs themselves, so nothing is left to do.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.empty_cache.html
    """
    _needed()


def current_stream(device: Any = None, /) -> Any:
    """The stream in use: backends have one per device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.current_stream.html
    """
    import torsh

    kind, _ = _needed()
    return torsh.Stream(device=kind)


def set_stream(stream: Any) -> None:
    """Backends have one stream per device, so nothing changes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.accelerator.set_stream.html
    """
    _needed()


def _memory(name: str) -> Any:
    def function(device_index: Any = None, /) -> Any:
        kind, _ = _needed()
        import importlib

        module = importlib.import_module(f"torsh.{kind}")
        return getattr(module, name)(device_index)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"``{name}`` of the accelerator's own module.  Raises RuntimeError where there is no accelerator.\n\n"
        "Source: https://docs.pytorch.org/docs/stable/accelerator.html"
    )
    return function


for _name in _MEMORY:
    globals()[_name] = _memory(_name)
