"""Activation functions."""

from __future__ import annotations

import torch

aten = torch.ops.aten

KERNELS = {
    "leaky_relu": aten.leaky_relu,
    "leaky_relu_backward": lambda g, x, slope: aten.leaky_relu_backward(g, x, slope, False),
    "elu": aten.elu,
    "elu_backward": lambda g, x, alpha, scale, input_scale: aten.elu_backward(g, alpha, scale, input_scale, False, x),
    "hardtanh": aten.hardtanh,
    "hardtanh_backward": aten.hardtanh_backward,
    "threshold": aten.threshold,
    "threshold_backward": aten.threshold_backward,
    "gelu": lambda x, approximate: aten.gelu(x, approximate=approximate),
    "gelu_backward": lambda g, x, approximate: aten.gelu_backward(g, x, approximate=approximate),
    "silu": aten.silu,
    "silu_backward": aten.silu_backward,
    "mish": aten.mish,
    "mish_backward": aten.mish_backward,
    "softplus": aten.softplus,
    "softplus_backward": aten.softplus_backward,
    "log_sigmoid": torch.nn.functional.logsigmoid,
    "log_sigmoid_backward": lambda g, x: g * torch.sigmoid(-x),
    "hardsigmoid": aten.hardsigmoid,
    "hardsigmoid_backward": aten.hardsigmoid_backward,
    "hardswish": aten.hardswish,
    "hardswish_backward": aten.hardswish_backward,
    "hardshrink": aten.hardshrink,
    "hardshrink_backward": aten.hardshrink_backward,
    "softshrink": aten.softshrink,
    "softmax": torch.softmax,
    "softmax_backward": lambda g, out, dim: aten._softmax_backward_data(g, out, dim, out.dtype),
    "log_softmax": torch.log_softmax,
    "log_softmax_backward": lambda g, out, dim: aten._log_softmax_backward_data(g, out, dim, out.dtype),
}
