"""Interpolation and patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F

aten = torch.ops.aten


def resample(x, size, scales, mode, align_corners, antialias):
    n = len(size)
    if mode == "nearest":
        return getattr(aten, f"upsample_nearest{n}d")(x, size, *scales)
    if mode == "nearest-exact":
        return getattr(aten, f"_upsample_nearest_exact{n}d")(x, size, *scales)
    if antialias:
        return getattr(aten, f"_upsample_{mode}2d_aa")(x, size, align_corners, *scales)
    return getattr(aten, f"upsample_{mode}{n}d")(x, size, align_corners, *scales)


def resample_backward(g, shape, scales, mode, align_corners, antialias):
    x = torch.zeros(shape, dtype=g.dtype, device=g.device, requires_grad=True)
    with torch.enable_grad():
        out = resample(x, tuple(g.shape[2:]), scales, mode, align_corners, antialias)
    return torch.autograd.grad(out, x, g)[0]


KERNELS = {
    "resample": resample,
    "resample_backward": resample_backward,
    "im2col": lambda x, kernel, dilation, padding, stride: F.unfold(x, kernel, dilation, padding, stride),
    "col2im": lambda x, size, kernel, dilation, padding, stride: F.fold(x, size, kernel, dilation, padding, stride),
}
