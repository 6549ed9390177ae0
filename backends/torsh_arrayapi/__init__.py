"""Generic kernels, written once as functions of an Array API namespace.

Any library that follows the standard (https://data-apis.org/array-api/2024.12/) becomes a backend: subclass
``ArrayAPIBackend``, give it a name and a namespace, name it in the entry point group ``torsh.backends``.  An op
without a generic kernel runs by its decomposition.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from torsh_arrayapi.backend import ArrayAPIBackend

_MODULES = ("pointwise", "reduction", "shape", "indexing", "scatter", "sorting", "linalg", "network")


@functools.cache
def table() -> dict[str, Any]:
    """All generic kernels: op name -> function of (xp, *args), or the name of a standard function with these args."""
    found: dict[str, Any] = {}
    for module in _MODULES:
        found.update(importlib.import_module(f"torsh_arrayapi.{module}").KERNELS)
    return found


def generic_kernel(name: str, xp: Any) -> Callable[..., Any] | None:
    """The kernel of the op ``name`` in a namespace, None if there is none (or the namespace lacks the function)."""
    found = table().get(name)
    if isinstance(found, str):
        return getattr(xp, found, None)
    return None if found is None else functools.partial(found, xp)


__all__ = ["ArrayAPIBackend", "generic_kernel", "table"]
