"""Modules without initial values."""

from __future__ import annotations

import inspect
from typing import Any

from torsh.nn.modules.module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters have memory but no values: made on the meta device, then moved.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.skip_init.html

    >>> from torsh import nn
    >>> nn.utils.skip_init(nn.Linear, 3, 4).weight.shape
    torsh.Size([4, 3])
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, **{**kwargs, "device": "meta"}).to_empty(device=device)


__all__ = ["skip_init"]
