"""Padding."""

from __future__ import annotations

import torch
import torch.nn.functional as F

aten = torch.ops.aten


def _amounts(pads):
    return [a for pair in reversed(pads) for a in pair]


def pad_constant(x, pads, value):
    if not isinstance(value, complex):
        return F.pad(x, _amounts(pads), value=value)
    # PyTorch pads complex tensors with real numbers only: the parts apart.
    return torch.complex(
        F.pad(x.real, _amounts(pads), value=value.real), F.pad(x.imag, _amounts(pads), value=value.imag)
    )


def pad_mirror_backward(g, shape, pads, mode):
    x = torch.zeros(shape, dtype=g.dtype, device=g.device, requires_grad=True)
    with torch.enable_grad():
        out = F.pad(x, _amounts(pads), mode)
    return torch.autograd.grad(out, x, g)[0]


KERNELS = {
    "pad_constant": pad_constant,
    "pad_mirror": lambda x, pads, mode: F.pad(x, _amounts(pads), mode),
    "pad_mirror_backward": pad_mirror_backward,
}
