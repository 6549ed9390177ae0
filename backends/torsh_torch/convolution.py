"""Convolutions."""

from __future__ import annotations

import torch


def convolution_weight(g, x, size, stride, padding, dilation, groups):
    weight = torch.empty(size, dtype=x.dtype, device=x.device)
    zeros = [0] * (len(size) - 2)
    return torch.ops.aten.convolution_backward(
        g, x, weight, None, stride, padding, dilation, False, zeros, groups, (False, True, False)
    )[1]


KERNELS = {
    "convolution": torch.convolution,
    "convolution_weight": convolution_weight,
}
