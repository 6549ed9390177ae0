"""How much memory CUDA devices have in use: none where there is no such device.

Source: https://docs.pytorch.org/docs/stable/cuda.html#memory-management
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any


def _nothing(name: str) -> None:
    """Return where no CUDA device is in use; MissingAPI where one is: backends do not report their memory yet."""
    from torsh import cuda
    from torsh.compat.placeholders import MissingAPI

    if cuda.is_available():
        raise MissingAPI(f"torch.cuda.{name} is not in torsh yet: its backends do not say how much memory they use")


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors take on a device.  Raises MissingAPI where there is one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory_allocated.html

    >>> import torsh
    >>> torsh.cuda.is_available() or torsh.cuda.memory_allocated()
    0
    """
    _nothing("memory_allocated")
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors took on a device at one time.  Raises MissingAPI where there is one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.max_memory_allocated.html

    >>> import torsh
    >>> torsh.cuda.is_available() or torsh.cuda.max_memory_allocated()
    0
    """
    _nothing("max_memory_allocated")
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes that the allocator holds on a device.  Raises MissingAPI where there is one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory_reserved.html

    >>> import torsh
    >>> torsh.cuda.is_available() or torsh.cuda.memory_reserved()
    0
    """
    _nothing("memory_reserved")
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that the allocator held on a device at one time.  Raises MissingAPI where there is one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.max_memory_reserved.html

    >>> import torsh
    >>> torsh.cuda.is_available() or torsh.cuda.max_memory_reserved()
    0
    """
    _nothing("max_memory_reserved")
    return 0


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """Figures of the allocator by name; empty without a CUDA device.  Raises MissingAPI where there is one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory_stats.html

    >>> import torsh
    >>> torsh.cuda.is_available() or dict(torsh.cuda.memory_stats())
    {}
    """
    _nothing("memory_stats")
    return OrderedDict()


__all__ = ["max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats"]


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let ``max_memory_allocated`` begin again.  Raises MissingAPI where there is a device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.reset_peak_memory_stats.html

    >>> import torsh
    >>> torsh.cuda.is_available() or torsh.cuda.reset_peak_memory_stats()
    """
    _nothing("reset_peak_memory_stats")


reset_max_memory_allocated = reset_max_memory_cached = reset_accumulated_memory_stats = reset_peak_memory_stats
