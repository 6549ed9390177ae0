"""``torch.Stream`` and ``torch.Event`` for devices that do their work in order: everything recorded has happened already.

Source: https://docs.pytorch.org/docs/stable/generated/torch.Event.html
"""

from __future__ import annotations

import time
from typing import Any

from torsh.device import device as Device


def _device(given: Any) -> Any:
    return given if isinstance(given, Device) else Device("cpu" if given is None else given)


class Stream:
    """An in-order queue of work.  Source: https://docs.pytorch.org/docs/stable/generated/torch.Stream.html

    >>> import torsh
    >>> stream = torsh.Stream("cpu")
    >>> with stream:
    ...     pass
    >>> stream.query()  # all its work is done
    True
    """

    def __init__(self, device: Any = None, *, priority: int = 0) -> None:
        self.device, self.priority, self.stream_id = _device(device), priority, 0
        self.device_index = -1 if self.device.index is None else self.device.index

    def query(self) -> bool:
        """Whether all work given so far is done."""
        return True

    def synchronize(self) -> None:
        """Wait until it is."""

    def wait_event(self, event: Event) -> None:
        """Let what follows wait for an event."""

    def wait_stream(self, stream: Stream) -> None:
        """Let what follows wait for another stream's work."""

    def record_event(self, event: Event | None = None) -> Event:
        """Mark this point, in a new event if none is given."""
        event = Event(self.device) if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self.stream_id) == (other.device, other.stream_id)

    def __hash__(self) -> int:
        return hash((self.device, self.stream_id))

    def __repr__(self) -> str:
        return (
            f"torch.Stream device_type={self.device.type}, device_index={self.device_index}, stream_id={self.stream_id}"
        )


class Event:
    """A point in a stream's work.  enable_timing: remember when it was reached.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Event.html

    >>> import torsh
    >>> event = torsh.cpu.Event()
    >>> event.query()
    True
    """

    def __init__(
        self, device: Any = None, *, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self.device, self.event_id, self._timing = _device(device), 0, enable_timing
        self._at: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Mark the present point."""
        self._at = time.perf_counter()

    def query(self) -> bool:
        """Whether the work before it is done."""
        return True

    def synchronize(self) -> None:
        """Wait until it is."""

    def wait(self, stream: Stream | None = None) -> None:
        """Let the stream's further work wait for it."""

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to another; both need ``enable_timing`` and a ``record``."""
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._at is None or end_event._at is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return (end_event._at - self._at) * 1e3

    def __repr__(self) -> str:
        index = -1 if self.device.index is None else self.device.index
        return (
            f"torch.Event device_type={self.device.type}, device_index={index}, event_flag=0, event_id={self.event_id}"
        )


def get_device_module(device: Any = None) -> Any:
    """The module of a device type (``torch.cuda``, ``torch.cpu``); that of the cpu where none is named.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_device_module.html

    >>> import torsh
    >>> torsh.get_device_module("cpu").__name__
    'torsh.cpu'
    """
    import importlib

    if device is not None and not isinstance(device, (str, Device)):
        raise RuntimeError(f"Invalid value of device '{device}', expect torch.device, str, or None")
    kind = _device(device).type
    try:
        return importlib.import_module(f"torsh.{kind}")
    except ModuleNotFoundError:
        raise RuntimeError(
            f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'."
        ) from None
