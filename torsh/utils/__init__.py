"""Utilities.  Source: https://docs.pytorch.org/docs/stable/index.html"""

from __future__ import annotations

import importlib


def __getattr__(name: str) -> object:
    # Submodules are imported when first asked for: some need packages that most programs do not.
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as e:
        if e.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module 'torch.utils' has no attribute '{name}'") from None
