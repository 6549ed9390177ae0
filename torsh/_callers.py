"""Whose code called: the program's line that a write or a warning is told with."""

from __future__ import annotations

import linecache
import os.path
import sys
import warnings
from typing import Any

_frame = sys._getframe
_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep  # where torsh's own code lies (pathlib is slow to import)

_ASKING = frozenset(os.path.join(_OURS, f"{name}.py") for name in ("_asking", "overrides"))


def is_ours(code: Any) -> bool:
    """Whether a code object is torsh's own."""
    return code.co_filename.startswith(_OURS)  # type: ignore[no-any-return]


def caller(above: int = 0) -> Any:
    """The frame that called the function which asks this, leaving out the frames of whoever was asked to take the call over.

    above: how many calls of torsh's own lie between that function and the one that asks.
    """
    frame = _frame(2 + above)
    while frame.f_back is not None and frame.f_code.co_filename in _ASKING:
        frame = frame.f_back
    return frame


def calling() -> Any:
    """The innermost frame that is not torsh's own."""
    frame = _frame(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, as said in the program's own line that led here, however many of torsh's functions lie between."""
    frame, level = _frame(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


_told: set[str] = set()


def warn_once(message: str, category: type[Warning] = UserWarning, key: str | None = None) -> None:
    """``warn``, for what a program need hear only once (unless ``set_warn_always`` says otherwise).

    key: what is said only once, where messages differ.
    """
    from torsh._functions import settings

    key = key or message
    if key not in _told or settings.warn_always:
        _told.add(key)
        warn(message, category)


def described(write: tuple[str, Any, int] | None) -> str:
    """A write as an error message tells it: by what, and in which line of the program."""
    if write is None:
        return ""
    name, code, at = write
    place = line_of(code, at)
    return f" It was written by {name}{' at ' + place if place else ''}."


def line_of(code: Any, instruction: int) -> str:
    """``file:line: source`` of an instruction, empty for torsh's own code."""
    if is_ours(code):
        return ""
    number = code.co_firstlineno
    for start, _, line in code.co_lines():
        if start > instruction:
            break
        number = line or number
    source = linecache.getline(code.co_filename, number).strip()
    return f"{code.co_filename}:{number}" + (f" ({source})" if source else "")
