"""Losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F

aten = torch.ops.aten
_CODES = {"none": 0, "mean": 1, "sum": 2}


def _planes(t):
    """A tensor of more than two spatial dimensions as one of two, as PyTorch's kernels want it."""
    return t if t.ndim in (2, 4) else t.reshape(t.shape[0], t.shape[1], 1, -1)


def nll(x, target, weight, reduction, ignore_index):
    if x.ndim == 2:
        return aten.nll_loss_forward(x, target, weight, _CODES[reduction], ignore_index)
    planes = _planes(x).contiguous()
    out, total = aten.nll_loss2d_forward(
        planes, target.reshape(planes.shape[0], *planes.shape[2:]), weight, _CODES[reduction], ignore_index
    )
    return (out.reshape(target.shape) if reduction == "none" else out), total


def nll_loss_backward(g, shape, target, weight, reduction, ignore_index, total):
    x = torch.empty(shape, dtype=g.dtype, device=g.device)
    if len(shape) == 2:
        return aten.nll_loss_backward(g, x, target, weight, _CODES[reduction], ignore_index, total)
    planes = _planes(x)
    flat = (planes.shape[0], *planes.shape[2:])
    grad = g.reshape(flat) if reduction == "none" else g
    out = aten.nll_loss2d_backward(grad, planes, target.reshape(flat), weight, _CODES[reduction], ignore_index, total)
    return out.reshape(shape)


def ctc(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity):
    loss, alpha = aten._ctc_loss(log_probs, targets, list(input_lengths), list(target_lengths), blank, zero_infinity)
    return (torch.where(torch.isinf(loss), torch.zeros_like(loss), loss) if zero_infinity else loss), alpha


def ctc_backward(g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity):
    return aten._ctc_loss_backward(
        g, log_probs, targets, list(input_lengths), list(target_lengths), loss, alpha, blank, zero_infinity
    )


KERNELS = {
    "nll": nll,
    "nll_loss_backward": nll_loss_backward,
    "bce": lambda x, t: F.binary_cross_entropy(x, t, reduction="none"),
    "bce_input_backward": lambda g, x, t: aten.binary_cross_entropy_backward(g, x, t, None, 0),
    "ctc": ctc,
    "ctc_backward": ctc_backward,
}
