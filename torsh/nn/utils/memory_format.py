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
    """Convert the weights of all Conv2d and ConvTranspose2d below a module.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.convert_conv2d_weight_memory_format.html

    >>> import torsh
    >>> from torsh import nn
    >>> conv = nn.Conv2d(2, 3, 3)
    >>> conv = nn.utils.convert_conv2d_weight_memory_format(conv, torsh.channels_last)
    >>> conv.weight.is_contiguous(memory_format=torsh.channels_last)
    True
    """
    return _convert(module, memory_format, ("Conv2d", "ConvTranspose2d"))


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Convert the weights of all Conv3d and ConvTranspose3d below a module.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.convert_conv3d_weight_memory_format.html

    >>> import torsh
    >>> from torsh import nn
    >>> conv = nn.Conv3d(2, 3, 3)
    >>> conv = nn.utils.convert_conv3d_weight_memory_format(conv, torsh.channels_last_3d)
    >>> conv.weight.is_contiguous(memory_format=torsh.channels_last_3d)
    True
    """
    return _convert(module, memory_format, ("Conv3d", "ConvTranspose3d"))


__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]
