"""What the Dask backend did: for ``torsh run --backend dask`` and for tests."""

from __future__ import annotations

import threading
import time
from typing import Any

_lock = threading.Lock()
_zero = {"arrays": 0, "computes": 0, "tasks": 0, "kept": 0, "seconds": 0.0}
_counts: dict[str, Any] = dict(_zero)


def add(**counts: Any) -> None:
    with _lock:
        for name, n in counts.items():
            _counts[name] += n


def statistics() -> dict[str, Any]:
    """Counts since the start of the process or the last ``reset_statistics``.

    arrays: lazy arrays made (about one per op).  computes: how often values were asked for that had to be computed.
    tasks: tasks run for these.  kept: arrays whose values were kept from such a computation.
    seconds: time spent computing.
    """
    with _lock:
        return dict(_counts)


def reset_statistics() -> None:
    """Start counting from zero."""
    with _lock:
        _counts.update(_zero)


class timed:
    """A block whose duration counts as computing."""

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *exc: object) -> None:
        add(seconds=time.perf_counter() - self._start)


__all__ = ["add", "reset_statistics", "statistics", "timed"]
