"""CUDA streams and events.  Backends do a device's work in order, so each device has one stream.

Source: https://docs.pytorch.org/docs/stable/cuda.html#streams-and-events
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torsh import _streams
from torsh.device import device as Device


def needed() -> None:
    """AssertionError where no backend serves CUDA devices, in PyTorch's words."""
    from torsh import cuda

    if not cuda.is_available():
        raise AssertionError(
            "Torch not compiled with CUDA enabled: no backend here serves CUDA devices; torch.cuda.is_available() tells"
        )


class Stream(_streams.Stream):
    """The queue of a CUDA device's work.  RuntimeError where there is no such device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.Stream.html
    """

    def __init__(self, device: Any = None, priority: int = 0, **options: Any) -> None:
        from torsh import cuda

        if not cuda.is_available():
            raise RuntimeError("torch.cuda.Stream requires CUDA support: no backend here serves CUDA devices")
        super().__init__(Device("cuda", cuda._index(device)), priority=priority)


class Event(_streams.Event):
    """A mark in the queue of a CUDA device's work.  RuntimeError where there is no such device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.Event.html
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> None:
        from torsh import cuda

        if not cuda.is_available():
            raise RuntimeError("Tried to instantiate dummy base class Event: no backend here serves CUDA devices")
        super().__init__(Device("cuda"), enable_timing=enable_timing)


def current_stream(device: Any = None) -> Stream:
    """The stream in use on a device.  AssertionError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.current_stream.html
    """
    needed()
    return Stream(device)


default_stream = current_stream


class StreamContext:
    """Work inside goes to a stream; None changes nothing.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.StreamContext.html

    >>> import torsh
    >>> with torsh.cuda.StreamContext(None):
    ...     pass
    """

    def __init__(self, stream: Any) -> None:
        if stream is not None and not isinstance(stream, _streams.Stream):
            raise TypeError(f"expected a torch.cuda.Stream or None, got {type(stream).__name__}")
        self.stream = stream

    def __enter__(self) -> None:
        pass  # a device's streams are all one

    def __exit__(self, *exc: object) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """Work inside goes to a stream; None changes nothing.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.stream.html

    >>> import torsh
    >>> with torsh.cuda.stream(None):
    ...     pass
    """
    return StreamContext(stream)


def set_stream(stream: Any) -> None:
    """Use a stream from now on; a device's streams are all one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_stream.html

    >>> import torsh
    >>> torsh.cuda.set_stream(None)
    """


@contextlib.contextmanager
def device_of(obj: Any) -> Iterator[None]:
    """Make a tensor's device the current one, if it is a CUDA device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.device_of.html

    >>> import torsh
    >>> with torsh.cuda.device_of(torsh.ones(1)):
    ...     pass
    """
    from torsh import cuda

    with cuda.device(obj.device if obj.device.type == "cuda" else None):
        yield


__all__ = ["Event", "Stream", "current_stream", "default_stream", "device_of", "set_stream", "stream"]
