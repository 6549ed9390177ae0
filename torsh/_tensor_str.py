"""PyTorch's names of the parts that print tensors, for libraries that print theirs with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from torsh import _printing


def _tensor_str(self: Any, indent: int) -> str:
    """A tensor's values in brackets, continued lines indented."""
    return _printing.tensor_text(self, indent)


def _add_suffixes(tensor_str: str, suffixes: list[str], indent: int, force_newline: bool) -> str:
    """Text with what follows the values (``dtype=...``), on a line of its own where it does not fit."""
    return _printing._with_suffixes(tensor_str, suffixes, indent, force_newline)


def _str_intern(inp: Any, *, tensor_contents: str | None = None) -> str:
    """What ``repr`` gives, with other contents if given."""
    return _printing.tensor_repr(inp, tensor_contents)


_str = _str_intern


def __getattr__(name: str) -> Any:
    if name == "PRINT_OPTS":
        return SimpleNamespace(**_printing.get_printoptions())
    raise AttributeError(f"module 'torch._tensor_str' has no attribute {name!r}")
