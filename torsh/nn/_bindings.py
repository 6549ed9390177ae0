"""What programs take from ``torch._C._nn``: the functions behind ``nn.functional``, and how the arguments of ``to`` are read."""

from __future__ import annotations

from typing import Any

from torsh.nn.modules.module import _parse_to as _parse_to


def __getattr__(name: str) -> Any:
    from torsh.nn import functional

    if not name.startswith("__") and hasattr(functional, name):
        return getattr(functional, name)
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._C._nn.{name}")
