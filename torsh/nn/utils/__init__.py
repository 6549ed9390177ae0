"""Helpers for modules and their parameters.

Source: https://docs.pytorch.org/docs/stable/nn.html#utilities
"""

# Modules import ``nn.utils.rnn``, and most of the rest imports modules: it is loaded when first asked for.
from __future__ import annotations

import importlib

from torsh.nn.utils import rnn

_WHERE = {
    "clip_grad_norm": "clip_grad", "clip_grad_norm_": "clip_grad", "clip_grad_value_": "clip_grad",
    "clip_grads_with_norm_": "clip_grad", "get_total_norm": "clip_grad", "parameters_to_vector": "convert_parameters",
    "vector_to_parameters": "convert_parameters", "fuse_conv_bn_eval": "fusion", "fuse_conv_bn_weights": "fusion",
    "fuse_linear_bn_eval": "fusion", "fuse_linear_bn_weights": "fusion", "skip_init": "init",
    "convert_conv2d_weight_memory_format": "memory_format", "convert_conv3d_weight_memory_format": "memory_format",
    "remove_weight_norm": "weight_norm", "remove_spectral_norm": "spectral_norm",
}  # fmt: skip
_MODULES = frozenset(
    "clip_grad convert_parameters fusion init memory_format parametrizations parametrize prune stateless".split()
)

__all__ = ["rnn", "spectral_norm", "weight_norm", *_WHERE, *sorted(_MODULES)]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    if name in ("weight_norm", "spectral_norm"):
        # The function hides the module of its name, as in PyTorch.
        value: object = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    elif name in _WHERE:
        value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module 'torch.nn.utils' has no attribute '{name}'")
    globals()[name] = value
    return value
