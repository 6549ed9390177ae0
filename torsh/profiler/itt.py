"""Ranges for Intel's instrumentation; there is none below torsh, so nothing is available.

Source: https://docs.pytorch.org/docs/stable/profiler.html#intel-instrumentation-and-tracing-technology-apis
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


def is_available() -> bool:
    """Whether ranges go anywhere: they do not."""
    return False


def _refuse(name: str) -> RuntimeError:
    return RuntimeError(f"itt.{name}: ITT functions not installed; use torch.profiler.record_function for named ranges")


def range_push(msg: str) -> int:
    """Raises RuntimeError: ITT is not there."""
    raise _refuse("range_push")


def range_pop() -> int:
    """Raises RuntimeError: ITT is not there."""
    raise _refuse("range_pop")


def mark(msg: str) -> None:
    """Raises RuntimeError: ITT is not there."""
    raise _refuse("mark")


@contextlib.contextmanager
def range(msg: str, *args: object, **kwargs: object) -> Iterator[None]:
    """Raises RuntimeError: ITT is not there."""
    raise _refuse("range")
    yield


__all__ = ["is_available", "mark", "range", "range_pop", "range_push"]
