"""Settings of deterministic algorithms.

``fill_uninitialized_memory`` (default True): whether, under ``use_deterministic_algorithms(True)``, new memory that would hold
whatever was there (``empty``, ``resize_``) is filled: with NaN, or with the largest integer.
Source: https://docs.pytorch.org/docs/stable/deterministic.html
"""

from __future__ import annotations

import sys
from types import ModuleType

from torsh._functions import settings


class _Deterministic(ModuleType):
    """The module, whose one name is a setting."""

    @property
    def fill_uninitialized_memory(self) -> bool:
        return settings.fill_uninitialized

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: bool) -> None:
        settings.fill_uninitialized = bool(mode)


sys.modules[__name__].__class__ = _Deterministic
