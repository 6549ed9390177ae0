"""``torch.cpu``: the cpu behind the interface of accelerators, for code that is written for any device.

Source: https://docs.pytorch.org/docs/stable/cpu.html
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torsh._streams import Event, Stream

__all__ = [
    "Event", "Stream", "current_device", "current_stream", "device_count", "is_available", "is_initialized", "set_device", "stream",
    "synchronize",
]  # fmt: skip
_stream = Stream("cpu")


def is_available() -> bool:
    """True.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.is_available.html

    >>> import torsh
    >>> torsh.cpu.is_available()
    True
    """
    return True


def is_initialized() -> bool:
    """True.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.is_initialized.html

    >>> import torsh
    >>> torsh.cpu.is_initialized()
    True
    """
    return True


def synchronize(device: Any = None) -> None:
    """Wait for the cpu's work, which is always done.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.synchronize.html

    >>> import torsh
    >>> torsh.cpu.synchronize()
    """


def current_stream(device: Any = None) -> Stream:
    """The only stream.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.current_stream.html

    >>> import torsh
    >>> with torsh.cpu.stream(torsh.cpu.current_stream()):
    ...     pass
    """
    return _stream


def stream(stream: Any) -> AbstractContextManager[Any]:
    """A context that does nothing: there is one stream.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.stream.html

    >>> import torsh
    >>> with torsh.cpu.stream(torsh.cpu.current_stream()):
    ...     pass
    """
    return nullcontext(stream)


def device_count() -> int:
    """1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.device_count.html

    >>> import torsh
    >>> torsh.cpu.device_count()
    1
    """
    return 1


def set_device(device: Any) -> None:
    """Do nothing: there is one device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.set_device.html

    >>> import torsh
    >>> torsh.cpu.set_device("cpu")
    """


def current_device() -> str:
    """The name of the device, ``"cpu"``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cpu.current_device.html

    >>> import torsh
    >>> torsh.cpu.current_device()
    'cpu'
    """
    return "cpu"


def __getattr__(name: str) -> Any:
    if name != "amp":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module("torsh.cpu.amp")
