"""Dask as a backend: lazy, chunked, on threads or on a cluster.

Nothing is computed until a value is asked for (``item``, ``numpy``, ``tolist``, ``bool``, ``print``).  What is then
computed takes everything with it that was written in place and rests on the same work (parameters, optimizer state,
running statistics), so that a training loop that reads its loss once a step computes every step once.
"""

from __future__ import annotations

import importlib
from typing import Any

from torsh_dask.backend import DaskBackend
from torsh_dask.counts import reset_statistics, statistics

# Loaded when first used: these need Dask itself, and the backend must be able to say that it is missing.
_LATER = {
    "connect": "cluster", "disconnect": "cluster", "from_dask": "convert", "persist": "convert", "to_dask": "convert",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"torsh_dask.{_LATER[name]}"), name)
    raise AttributeError(f"module 'torsh_dask' has no attribute {name!r}")


__all__ = [
    "DaskBackend", "connect", "disconnect", "from_dask", "persist", "reset_statistics", "statistics", "to_dask",
]  # fmt: skip
