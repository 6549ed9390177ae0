"""Utilities.  Source: https://docs.pytorch.org/docs/stable/index.html"""

from __future__ import annotations

import importlib
import weakref
from typing import Any


def swap_tensors(t1: Any, t2: Any) -> None:
    """Let two tensors change places: whoever holds the one has the other from then on.

    Raises RuntimeError where somebody refers to one of them weakly, which would notice nothing.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.utils.swap_tensors.html

    >>> import torsh
    >>> a, b = torsh.zeros(1), torsh.ones(2)
    >>> torsh.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1., 1.]), tensor([0.]))
    """
    for name, t in (("t1", t1), ("t2", t2)):
        if weakref.getweakrefs(t):
            raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    from torsh._attributes import held, hold

    first, second = held(t1), held(t2)
    hold(t1, second)
    hold(t2, first)


def __getattr__(name: str) -> object:
    # Submodules are imported when first asked for: some need packages that most programs do not.
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as e:
        if e.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module 'torch.utils' has no attribute '{name}'") from None
