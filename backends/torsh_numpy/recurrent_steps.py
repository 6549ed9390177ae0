"""Kernels of recurrent layers: what does not depend on the step before is done for all steps at once."""

from __future__ import annotations

import numpy as np


def _order(count, backwards):
    return range(count - 1, -1, -1) if backwards else range(count)


def _sigmoid(x, out):
    np.negative(x, out=out)
    np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


def _by_gate(x, count):
    """(T, N, count * H) as (T, count, N, H): the calls of a step then work on memory without gaps."""
    steps, n, width = x.shape
    return np.ascontiguousarray(x.reshape(steps, n, count, width // count).swapaxes(1, 2))


def _by_row(x):
    """``_by_gate`` undone."""
    steps, count, n, width = x.shape
    return x.swapaxes(1, 2).reshape(steps, n, count * width)


def steps(gates, w_hh, b_hh, h, c, mode, backwards):
    none = np.empty(0, gates.dtype)
    hs = np.empty((*gates.shape[:2], h.shape[-1]), gates.dtype)
    if mode == "GRU":
        return hs, none, _gru(gates, w_hh, b_hh, h, hs, backwards)
    if b_hh is not None:
        gates = gates + b_hh
    if mode == "LSTM":
        return hs, *_lstm(gates, w_hh, h, c, hs, backwards)
    weights = np.ascontiguousarray(w_hh.T)
    for t in _order(len(gates), backwards):
        h = np.matmul(h, weights, out=hs[t])
        h += gates[t]
        if mode == "RNN_TANH":
            np.tanh(h, out=h)
        else:
            np.maximum(h, 0, out=h)
    return hs, none, none


def _matrices(w_hh, count):
    """The hidden weights of each gate, to be multiplied with from the right."""
    width = w_hh.shape[1]
    return np.ascontiguousarray(w_hh.reshape(count, width, width).swapaxes(1, 2))


def _lstm(gates, w_hh, h, c, hs, backwards):
    kept, weights = _by_gate(gates, 4), _matrices(w_hh, 4)
    cs, hidden, part = np.empty_like(hs), np.empty_like(kept[0]), np.empty_like(hs[0])
    for t in _order(len(hs), backwards):
        now = kept[t]
        now += np.matmul(h, weights, out=hidden)
        new = np.tanh(now[2], out=part)
        _sigmoid(now, now)
        now[2] = new
        new *= now[0]
        c = np.multiply(now[1], c, out=cs[t])
        c += new
        h = np.tanh(c, out=hs[t])
        h *= now[3]
    return cs, kept


def _gru(gates, w_hh, bias, h, hs, backwards):
    gates, weights = _by_gate(gates, 3), _matrices(w_hh, 3)
    bias = 0 if bias is None else bias.reshape(3, 1, -1)
    kept = np.empty((len(hs), 4, *hs.shape[1:]), hs.dtype)
    hidden = np.empty_like(gates[0])
    for t in _order(len(hs), backwards):
        np.matmul(h, weights, out=hidden)
        hidden += bias
        now, first = kept[t], hidden[:2]
        now[3] = hidden[2]
        first += gates[t, :2]
        _sigmoid(first, now[:2])
        new = np.multiply(now[0], now[3], out=now[2])
        new += gates[t, 2]
        np.tanh(new, out=new)
        h = np.subtract(h, new, out=hs[t])
        h *= now[1]
        h += new
    return kept


def steps_backward(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards):
    run = {"LSTM": _lstm_backward, "GRU": _gru_backward}.get(mode, _plain_backward)
    return run(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards)


def _plain_backward(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards):
    slope = 1 - hs * hs if mode == "RNN_TANH" else (hs > 0).astype(hs.dtype)
    d_h = np.zeros(h.shape, hs.dtype)
    for t in _order(len(hs), not backwards):
        if g_hs is not None:
            d_h += g_hs[t]
        np.multiply(slope[t], d_h, out=slope[t])
        np.matmul(slope[t], w_hh, out=d_h)
    return slope, np.empty(0, hs.dtype), d_h, np.zeros_like(d_h)


def _before(first, all_, backwards):
    """What every step started from."""
    return np.concatenate([all_[1:], first[None]] if backwards else [first[None], all_[:-1]])


def _lstm_backward(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards):
    i, f, g, o = (kept[:, k] for k in range(4))
    slope = 1 - kept
    slope *= kept
    np.multiply(g, g, out=slope[:, 2])
    np.subtract(1, slope[:, 2], out=slope[:, 2])
    own = None if g_kept is None else slope * g_kept
    end = np.tanh(cs)
    # From here on ``slope`` is the gradient of the gates per unit of d_c (of d_h for the output gate).
    slope[:, 0] *= g
    slope[:, 1] *= _before(c, cs, backwards)
    slope[:, 2] *= i
    slope[:, 3] *= end
    end *= end
    np.subtract(1, end, out=end)
    end *= o
    weights, each = w_hh.reshape(4, -1, w_hh.shape[1]), np.empty_like(kept[0])
    d_h, d_c, part = np.zeros(h.shape, hs.dtype), np.zeros(h.shape, hs.dtype), np.empty(h.shape, hs.dtype)
    for t in _order(len(hs), not backwards):
        if g_hs is not None:
            d_h += g_hs[t]
        if g_cs is not None:
            d_c += g_cs[t]
        d_c += np.multiply(d_h, end[t], out=part)
        now = slope[t]
        now[:3] *= d_c
        now[3] *= d_h
        if own is not None:
            now += own[t]
        d_c *= f[t]
        np.matmul(now, weights, out=each).sum(0, out=d_h)
    return _by_row(slope), np.empty(0, hs.dtype), d_h, d_c


def _gru_backward(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards):
    r, z, new, hidden = (kept[:, k] for k in range(4))
    slope = 1 - kept[:, :3]
    slope *= kept[:, :3]
    np.multiply(new, new, out=slope[:, 2])
    np.subtract(1, slope[:, 2], out=slope[:, 2])
    own = None if g_kept is None else np.concatenate([slope * g_kept[:, :3], g_kept[:, 3:]], 1)
    # From here on ``slope`` is the gradient of the gates per unit of d_h (of the new gate's for the reset gate).
    slope[:, 0] *= hidden
    slope[:, 1] *= _before(h, hs, backwards) - new
    slope[:, 2] *= 1 - z
    weights, each = w_hh.reshape(3, -1, w_hh.shape[1]), np.empty_like(slope[0])
    there = np.empty_like(slope)
    d_h = np.zeros(h.shape, hs.dtype)
    for t in _order(len(hs), not backwards):
        if g_hs is not None:
            d_h += g_hs[t]
        now, behind = slope[t], there[t]
        now[1:] *= d_h
        if own is not None:
            now[1:] += own[t, 1:3]
        now[0] *= now[2]
        np.multiply(r[t], now[2], out=behind[2])
        if own is not None:
            now[0] += own[t, 0]
            behind[2] += own[t, 3]
        behind[:2] = now[:2]
        d_h *= z[t]
        d_h += np.matmul(behind, weights, out=each).sum(0)
    return _by_row(slope), _by_row(there), d_h, np.zeros_like(d_h)


KERNELS = {"recurrent_steps": steps, "recurrent_steps_backward": steps_backward}
