"""Normalisation."""

from __future__ import annotations

import torch

aten = torch.ops.aten


def batch_norm_train(x, weight, bias, eps):
    out, mean, invstd = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
    n = x.numel() // max(x.shape[1], 1)
    return out, mean, invstd, (invstd.pow(-2) - eps) * (n / max(n - 1, 1))


def batch_norm_backward(g, x, weight, mean, invstd, eps, needs):
    found = aten.native_batch_norm_backward(g, x, weight, None, None, mean, invstd, True, eps, list(needs))
    return tuple(f if want else None for f, want in zip(found, needs))


def layer_norm_backward(g, x, shape, weight, mean, rstd, eps, needs):
    # PyTorch wants a bias only to know whether its gradient is asked for.
    ones = torch.ones(shape, dtype=x.dtype, device=x.device)
    found = aten.native_layer_norm_backward(
        g, x, list(shape), mean, rstd, ones if weight is None else weight, ones, list(needs)
    )
    return tuple(f if want else None for f, want in zip(found, needs))


KERNELS = {
    "batch_norm_train": batch_norm_train,
    "batch_norm_backward": batch_norm_backward,
    "native_layer_norm": torch.native_layer_norm,
    "layer_norm_backward": layer_norm_backward,
}
