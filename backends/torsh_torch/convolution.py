"""Convolutions."""

from __future__ import annotations

import torch


def _either(fn, *args):
    """The call, with oneDNN or without: it refuses some shapes for which PyTorch has kernels of its own."""
    try:
        return fn(*args)
    except RuntimeError as e:
        if "could not create a primitive" not in str(e):
            raise
    with torch.backends.mkldnn.flags(enabled=False):
        return fn(*args)


def convolution_weight(g, x, size, stride, padding, dilation, groups):
    weight = torch.empty(size, dtype=x.dtype, device=x.device)
    zeros = [0] * (len(size) - 2)
    reach = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(g.shape[2:], stride, dilation, size[2:])]
    if any(n + 2 * p >= r + s for n, p, r, s in zip(x.shape[2:], padding, reach, stride)):
        # A transposed convolution's output padding of a stride or more: there is more input than the windows reach.
        x = torch.nn.functional.pad(x, [p for p in reversed(padding) for _ in range(2)])
        x = x[(..., *(slice(0, r) for r in reach))]
        padding = zeros
    options = (None, stride, padding, dilation, False, zeros, groups, (False, True, False))
    return _either(torch.ops.aten.convolution_backward, g, x, weight, *options)[1]


def _by_parts(fn, x, w, *rest):
    """A product of complex operands from four real ones: PyTorch's kernels are real."""
    real = fn(x.real.contiguous(), w.real.contiguous(), *rest) - fn(x.imag.contiguous(), w.imag.contiguous(), *rest)
    imag = fn(x.real.contiguous(), w.imag.contiguous(), *rest) + fn(x.imag.contiguous(), w.real.contiguous(), *rest)
    return torch.complex(real, imag)


def convolution(x, w, bias, *rest):
    if not x.is_complex():
        return _either(torch.convolution, x, w, bias, *rest)
    out = _by_parts(lambda a, b: _either(torch.convolution, a, b, None, *rest), x, w)
    return out if bias is None else out + bias.reshape(-1, *(1,) * (out.ndim - 2))


KERNELS = {
    "convolution": convolution,
    "convolution_weight": lambda g, x, *rest: (
        _by_parts(convolution_weight, g, x, *rest) if x.is_complex() else convolution_weight(g, x, *rest)
    ),
}
