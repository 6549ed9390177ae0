"""Losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh_numpy._blocks import in_parts
from torsh_numpy._compiled import LOOPS
from torsh_numpy.activation import log_sigmoid

Array = Any


def _picked(target: Array, classes: int, ignore_index: int) -> tuple[Array, Array | None]:
    """The targets with ignored ones set to 0, and which ones count (None: all)."""
    if not target.size:
        return target, None
    # As unsigned numbers negative targets are large: one comparison for both ends.
    if not 0 <= ignore_index < classes and np.maximum.reduce(target.view(np.uint64), None) < classes:
        return target, None
    counts = target != ignore_index
    safe = np.where(counts, target, 0)
    wrong = (safe < 0) | (safe >= classes)
    if wrong.any():
        raise IndexError(f"Target {safe[wrong].flat[0]} is out of bounds; classes are 0 to {classes - 1}")
    return safe, counts


def _weights(weight: Array | None, safe: Array, counts: Array | None, dtype: Any) -> Array | None:
    if weight is None:
        return None if counts is None else counts.astype(dtype)
    found = weight[safe]
    return found if counts is None else found * counts


_minus_picked = LOOPS["minus_picked"]
_NUMBERS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def nll(x, target, weight, reduction, ignore_index):
    if (
        weight is None and x.ndim == 2 and target.size and x.dtype in _NUMBERS and x.flags.c_contiguous
        and (run := _minus_picked.run or _minus_picked.worth(target.size)) is not None
    ):  # fmt: skip
        found = np.empty(target.shape, x.dtype)
        if run(x, np.ascontiguousarray(target), ignore_index, found) == 0:
            if reduction == "none":
                return found, np.zeros((), x.dtype)
            value, total = np.add.reduce(found), x.dtype.type(found.size)
            return (value / total if reduction == "mean" else value), total
    safe, counts = _picked(target, x.shape[1], ignore_index)
    if x.ndim == 2:
        found = x[np.arange(x.shape[0]), safe]
    else:
        found = np.take_along_axis(x, safe[:, None], 1)[:, 0]
    w = _weights(weight, safe, counts, x.dtype)
    found = -found if w is None else np.where(w == 0, ZERO, -found * w) if counts is not None else -found * w
    found = found.astype(x.dtype, copy=False)
    if reduction == "none":
        return found, np.zeros((), x.dtype)
    total = x.dtype.type(found.size) if w is None else np.add.reduce(w, None)
    value = np.add.reduce(found, None)
    if reduction == "mean":
        value = np.divide(value, total)
    return value, total


ZERO = np.float32(0)


def nll_loss_backward(g, shape, target, weight, reduction, ignore_index, total):
    safe, counts = _picked(target, shape[1], ignore_index)
    w = _weights(weight, safe, counts, g.dtype)
    if reduction == "mean":
        g = g / total
    values = -g if w is None else -g * w
    out = np.zeros(shape, g.dtype)
    if len(shape) == 2:
        out[np.arange(shape[0]), safe] = values
    else:
        np.put_along_axis(out, safe[:, None], np.broadcast_to(values, safe.shape)[:, None], 1)
    return out


@in_parts
def bce(x, t):
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1; apply sigmoid first")
    return (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100)


@in_parts
def bce_with_logits(x, t):
    out = 1 - t
    out *= x
    out -= log_sigmoid(x)
    return out


@in_parts
def bce_input_backward(g, x, t):
    return g * (x - t) / np.maximum((1 - x) * x, x.dtype.type(1e-12))


# ---- connectionist temporal classification ---------------------------------------------------------------------------


def _labels(targets: Array, lengths: Array, blank: int) -> tuple[Array, Array]:
    """The targets with blanks in between, (N, 2 S + 1), and where a step may skip a blank."""
    n, s = targets.shape
    labels = np.full((n, 2 * s + 1), blank)
    labels[:, 1::2] = targets
    skip = np.zeros(labels.shape, bool)
    if s > 1:
        skip[:, 3::2] = targets[:, 1:] != targets[:, :-1]
    return labels, skip


def _logsum(parts: list[Array]) -> Array:
    top = np.maximum.reduce(parts)
    base = np.where(np.isneginf(top), 0, top)
    return base + np.log(sum(np.exp(p - base) for p in parts))


def ctc(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity):
    time, n, _ = log_probs.shape
    ins, outs = np.array(input_lengths, np.int64), np.array(target_lengths, np.int64)
    labels, skip = _labels(targets, outs, blank)
    width = labels.shape[1]
    rows = np.arange(n)
    alpha = np.full((n, time, width), -np.inf, log_probs.dtype)
    with np.errstate(divide="ignore"):
        for t in range(time):
            emit = np.take_along_axis(log_probs[t], labels, 1)
            if t == 0:
                alpha[:, 0, 0] = emit[:, 0]
                if width > 1:
                    alpha[:, 0, 1] = np.where(outs > 0, emit[:, 1], -np.inf)
                continue
            before = alpha[:, t - 1]
            one = np.full_like(before, -np.inf)
            one[:, 1:] = before[:, :-1]
            two = np.full_like(before, -np.inf)
            two[:, 2:] = before[:, :-2]
            alpha[:, t] = _logsum([before, one, np.where(skip, two, -np.inf)]) + emit
        last = np.maximum(ins - 1, 0)
        end = alpha[rows, last, 2 * outs]
        end = np.where(outs > 0, _logsum([end, alpha[rows, last, np.maximum(2 * outs - 1, 0)]]), end)
    # No steps at all spell the empty target with certainty.
    end = np.where(ins == 0, np.where(outs == 0, 0, -np.inf), end)
    loss = -end.astype(log_probs.dtype)
    if zero_infinity:
        loss = np.where(np.isinf(loss), 0, loss).astype(log_probs.dtype)
    return loss, alpha


def ctc_backward(g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity):
    time, n, classes = log_probs.shape
    ins, outs = np.array(input_lengths, np.int64), np.array(target_lengths, np.int64)
    labels, skip = _labels(targets, outs, blank)
    width = labels.shape[1]
    place = np.arange(width)
    inside = place <= (2 * outs)[:, None]
    final = (place == (2 * outs)[:, None]) | (place == (2 * outs - 1)[:, None])
    jump = np.zeros_like(skip)
    jump[:, :-2] = skip[:, 2:]
    after = np.full((n, width), -np.inf, log_probs.dtype)
    out = np.zeros_like(log_probs)
    rows = np.arange(n)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        for t in range(time - 1, -1, -1):
            emit = np.take_along_axis(log_probs[t], labels, 1)
            one = np.full_like(after, -np.inf)
            one[:, :-1] = after[:, 1:]
            two = np.full_like(after, -np.inf)
            two[:, :-2] = after[:, 2:]
            beta = _logsum([after, one, np.where(jump, two, -np.inf)]) + emit
            beta = np.where((t == ins - 1)[:, None], np.where(final, emit, -np.inf), beta)
            beta = np.where(inside & (t < ins)[:, None], beta, -np.inf)
            # Sum the paths through each class in linear space, relative to the sequence's own probability.
            share = np.exp(alpha[:, t] + beta + loss[:, None] - emit)
            step = np.zeros((n, classes), log_probs.dtype)
            np.add.at(step, (rows, labels), np.where(np.isnan(share), 0, share))
            # PyTorch gives the gradient as if the input were softmax's argument: exp(log_probs) - share.
            out[t] = (np.exp(log_probs[t]) - step) * (t < ins)[:, None]
            after = beta
    out *= g[:, None]
    if zero_infinity:
        bad = np.isinf(-alpha[np.arange(n), np.maximum(ins - 1, 0)].max(1)) | (
            (loss == 0) & (alpha[np.arange(n), np.maximum(ins - 1, 0), 2 * outs] == -np.inf)
        )
        out[:, bad] = 0
    else:
        out[:, np.isinf(loss)] = np.nan
    return out


KERNELS = {f.__name__: f for f in (nll, nll_loss_backward, bce, bce_with_logits, bce_input_backward, ctc, ctc_backward)}
