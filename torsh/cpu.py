"""``torch.cpu``: the cpu behind the interface of accelerators, for code that is written for any device.

Source: https://docs.pytorch.org/docs/stable/cpu.html
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torsh import amp as amp
from torsh._streams import Event, Stream

__all__ = [
    "Event", "Stream", "current_device", "current_stream", "device_count", "is_available", "is_initialized", "set_device", "stream",
    "synchronize",
]  # fmt: skip
_stream = Stream("cpu")


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def synchronize(device: Any = None) -> None:
    """Wait for the cpu's work, which is always done."""


def current_stream(device: Any = None) -> Stream:
    """The only stream."""
    return _stream


def stream(stream: Any) -> AbstractContextManager[Any]:
    """A context that does nothing: there is one stream."""
    return nullcontext(stream)


def device_count() -> int:
    """1."""
    return 1


def set_device(device: Any) -> None:
    """Do nothing: there is one device."""


def current_device() -> str:
    """The name of the device, ``"cpu"``."""
    return "cpu"
