"""Convolutions."""

from __future__ import annotations

import torch


def convolution_weight(g, x, size, stride, padding, dilation, groups):
    weight = torch.empty(size, dtype=x.dtype, device=x.device)
    zeros = [0] * (len(size) - 2)
    return torch.ops.aten.convolution_backward(
        g, x, weight, None, stride, padding, dilation, False, zeros, groups, (False, True, False)
    )[1]


def _by_parts(fn, x, w, *rest):
    """A product of complex operands from four real ones: PyTorch's kernels are real."""
    real = fn(x.real.contiguous(), w.real.contiguous(), *rest) - fn(x.imag.contiguous(), w.imag.contiguous(), *rest)
    imag = fn(x.real.contiguous(), w.imag.contiguous(), *rest) + fn(x.imag.contiguous(), w.real.contiguous(), *rest)
    return torch.complex(real, imag)


def convolution(x, w, bias, *rest):
    if not x.is_complex():
        return torch.convolution(x, w, bias, *rest)
    out = _by_parts(lambda a, b: torch.convolution(a, b, None, *rest), x, w)
    return out if bias is None else out + bias.reshape(-1, *(1,) * (out.ndim - 2))


KERNELS = {
    "convolution": convolution,
    "convolution_weight": lambda g, x, *rest: (
        _by_parts(convolution_weight, g, x, *rest) if x.is_complex() else convolution_weight(g, x, *rest)
    ),
}
