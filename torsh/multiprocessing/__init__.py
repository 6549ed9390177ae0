"""Processes: the standard library's ``multiprocessing``, with ``spawn`` for a function run by several processes.

Unlike PyTorch's, tensors are not moved to shared memory: what is sent to another process, or inherited by it, is a copy.
Source: https://docs.pytorch.org/docs/stable/multiprocessing.html
"""

from __future__ import annotations

import multiprocessing as _multiprocessing
import sys as _sys
from multiprocessing import *  # noqa: F403
from typing import Any

from torsh.multiprocessing.spawn import (
    ENV_VAR_PARALLEL_START,
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *_multiprocessing.__all__, "ENV_VAR_PARALLEL_START", "ProcessContext", "ProcessException", "ProcessExitedException",
    "ProcessRaisedException", "SpawnContext", "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn",
    "start_processes",
]  # fmt: skip

_STRATEGIES = {"file_system"} if _sys.platform in ("darwin", "win32") else {"file_descriptor", "file_system"}
_strategy = "file_system" if _sys.platform in ("darwin", "win32") else "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Remember how tensors are to be shared.  It changes nothing: tensors travel as copies.

    Raises ValueError for a strategy the platform does not have.
    """
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise ValueError(
            f"unknown sharing strategy {new_strategy!r}; this platform has {', '.join(sorted(_STRATEGIES))}"
        )
    _strategy = new_strategy


def get_sharing_strategy() -> str:
    """What ``set_sharing_strategy`` was last given."""
    return _strategy


def get_all_sharing_strategies() -> set[str]:
    """The strategies the platform has."""
    return set(_STRATEGIES)


def __getattr__(name: str) -> Any:
    return getattr(_multiprocessing, name)
