"""Settings of ``torsh.save`` and ``torsh.load``.

``config.save.compute_crc32 = False`` changes one for good, ``config.patch("save.compute_crc32", False)`` for a ``with`` block
or a decorated function.  A setting that does not exist raises AttributeError.
Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#config

>>> from torsh.utils.serialization import config
>>> with config.patch("load.mmap", True):
...     config.load.mmap
True
>>> config.load.mmap
False
"""

from __future__ import annotations

import sys
import types
from contextlib import ContextDecorator
from typing import Any


class _Section:
    """Settings of one name; only those that exist can be set."""

    def __init__(self, name: str, **settings: Any) -> None:
        vars(self).update(_name=name, **settings)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"torch.utils.serialization.config.{self._name}.{name} does not exist")

    def __setattr__(self, name: str, value: Any) -> None:
        getattr(self, name)
        vars(self)[name] = value


# mmap_flags: 2 is mmap.MAP_PRIVATE, changes stay in memory.
load = _Section(
    "load",
    mmap=False,
    endianness=None,
    mmap_flags=None if sys.platform == "win32" else 2,
    calculate_storage_offsets=False,
)
save = _Section("save", compute_crc32=True, use_pinned_memory_for_d2h=False, storage_alignment=64)
_SECTIONS = {"load": load, "save": save}


def _place(key: str) -> tuple[_Section, str]:
    section, _, name = key.partition(".")
    if section not in _SECTIONS or not name:
        raise AttributeError(f"torch.utils.serialization.config.{key} does not exist")
    return _SECTIONS[section], name


class _Patch(ContextDecorator):
    def __init__(self, changes: dict[str, Any]) -> None:
        self.changes = changes
        self._before: list[dict[str, Any]] = []

    def __enter__(self) -> None:
        self._before.append({key: getattr(*_place(key)) for key in self.changes})
        for key, value in self.changes.items():
            setattr(*_place(key), value)

    def __exit__(self, *exc: object) -> None:
        for key, value in self._before.pop().items():
            setattr(*_place(key), value)


def patch(arg1: Any = None, arg2: Any = None, **kwargs: Any) -> ContextDecorator:
    """Change settings for a block or a function: ``patch(name, value)``, or ``patch({name: value, ...})``."""
    changes = {arg1: arg2} if isinstance(arg1, str) else kwargs if arg1 is None else arg1
    if not isinstance(changes, dict):
        raise AssertionError(f"expected `dict` got {type(changes)}")
    return _Patch(changes)


def get_config_copy() -> dict[str, Any]:
    """All settings by their full names."""
    return {f"{s}.{k}": v for s, section in _SECTIONS.items() for k, v in vars(section).items() if k != "_name"}


class _Config(types.ModuleType):
    """The module, which takes no settings of its own."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__"):
            raise AttributeError(f"torch.utils.serialization.config.{name} does not exist")
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Config
