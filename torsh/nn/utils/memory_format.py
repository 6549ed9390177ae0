"""Memory formats of convolutions' weights."""

from __future__ import annotations

from typing import Any


def _convert(module: Any, memory_format: Any, names: tuple[str, ...]) -> Any:
    import torsh.nn as nn

    if isinstance(module, tuple(getattr(nn, n) for n in names)):
        module.weight.data = module.weight.detach().clone(memory_format=memory_format)
    for child in module.children():
        _convert(child, memory_format, names)
    return module


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Convert the weights of all Conv2d and ConvTranspose2d below a module."""
    return _convert(module, memory_format, ("Conv2d", "ConvTranspose2d"))


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Convert the weights of all Conv3d and ConvTranspose3d below a module."""
    return _convert(module, memory_format, ("Conv3d", "ConvTranspose3d"))


__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]
