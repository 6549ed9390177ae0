"""Public namespaces that hold nothing but ops: ``torsh.linalg``, ``torsh.fft``, ``torsh.special``, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def fill(module: dict[str, Any], path: str, **more: Any) -> list[str]:
    """Put the ops declared for ``torch.<path>`` into a module's globals, and further names; gives its ``__all__``."""
    from torsh.ops import NAMES

    ops: dict[str, Callable[..., Any]] = NAMES.get(f"torch.{path}", {})
    module.update(ops)
    module.update(more)
    return sorted([*ops, *more])
