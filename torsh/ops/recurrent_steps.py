"""The part of a recurrent layer that goes step by step, forwards and back, each as one op.

An op for the whole sequence and not for a step: a step of a small layer costs less than the calls it is made of.
"""

from __future__ import annotations

from typing import Any

from torsh.dtypes import float16
from torsh.ops._op import primitive
from torsh.tensor import Tensor

# Gates a layer computes, and how many activations of them the backward pass needs.
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
KEPT = {"RNN_TANH": 0, "RNN_RELU": 0, "LSTM": 4, "GRU": 4}


def recurrent_layer(
    mode: str, gates: Tensor, w_hh: Tensor, b_hh: Tensor | None, state: tuple[Tensor, ...], backwards: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A layer in one direction: (outputs (T, N, H), the state after the last step).

    mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".  gates: what the input adds to the gates, (T, N, gates * H), T > 0.
    w_hh: (gates * H, H); b_hh: (gates * H,) or None; state: (h,) or (h, c), each (N, H).  backwards: from the last step to the
    first.
    """
    # PyTorch rounds after each operation in float16; in bfloat16 its LSTM is one kernel.
    run = _steps if gates.dtype is float16 else steps.op
    out, cells, _ = run(gates, w_hh, b_hh, state[0], state[1] if mode == "LSTM" else None, mode, backwards)
    last = 0 if backwards else -1
    return out, (out[last], cells[last]) if mode == "LSTM" else (out[last],)


def _order(count: int, backwards: bool) -> list[int]:
    return list(reversed(range(count))) if backwards else list(range(count))


def _steps(gates: Any, w_hh: Any, b_hh: Any, h: Any, c: Any, mode: str, backwards: bool) -> list[Tensor]:
    import torsh
    from torsh.nn import functional as F
    from torsh.nn._recurrent import STEPS

    count = gates.shape[0]
    state = (h,) if c is None else (h, c)
    hs, cs, kept = [[None] * count for _ in range(3)]
    for t in _order(count, backwards):
        state, parts = STEPS[mode](gates[t], F.linear(state[0], w_hh, b_hh), state)
        hs[t], cs[t], kept[t] = state[0], state[-1], torsh.stack(parts) if parts else None
    none = gates.new_empty(0)
    return [
        torsh.stack(hs), torsh.stack(cs) if mode == "LSTM" else none, torsh.stack(kept) if KEPT[mode] else none,
    ]  # fmt: skip


def _steps_meta(gates: Any, w_hh: Any, b_hh: Any, h: Any, c: Any, mode: str, backwards: bool) -> list[Any]:
    count, n, width = (*gates.shape[:2], h.shape[-1])
    return [
        ((count, n, width), gates.dtype),
        ((count, n, width) if mode == "LSTM" else (0,), gates.dtype),
        ((count, KEPT[mode], n, width) if KEPT[mode] else (0,), gates.dtype),
    ]


def _steps_gradient(
    g: Any, w_hh: Any, h: Any, c: Any, mode: str, backwards: bool, out0: Any, out1: Any, out2: Any, needs: Any
) -> tuple[Any, ...]:
    import torsh

    d_gates, d_hidden, d_h, d_c = steps_backward.op(out0, out1, out2, w_hh, h, c, *g, mode, backwards)
    if mode != "GRU":  # the same in both products
        d_hidden = d_gates
    d_w = d_b = None
    if needs[1]:
        before = [out0[1:], h.unsqueeze(0)] if backwards else [h.unsqueeze(0), out0[:-1]]
        d_w = d_hidden.flatten(0, 1).t() @ torsh.cat(before).flatten(0, 1)
    if needs[2]:
        d_b = d_hidden.sum((0, 1))
    return d_gates, d_w, d_b, d_h, d_c if mode == "LSTM" else None


@primitive(
    "", name="recurrent_steps", args="gates w_hh b_hh h c mode backwards", meta=_steps_meta, decompose=_steps,
    grad={"gates w_hh b_hh h c": _steps_gradient},
)  # fmt: skip
def steps(gates, w_hh, b_hh, h, c, mode, backwards):
    """All steps of a layer: the h of every step, the c of every step (LSTM), and what the backward pass needs of the
    gates, (T, KEPT, N, H)."""
    return (gates, w_hh, b_hh, h, c, mode, backwards)


def _steps_backward(
    hs: Any,
    cs: Any,
    kept: Any,
    w_hh: Any,
    h: Any,
    c: Any,
    g_hs: Any,
    g_cs: Any,
    g_kept: Any,
    mode: str,
    backwards: bool,
) -> list[Tensor]:
    import torsh

    count = hs.shape[0]
    order = _order(count, backwards)
    d_gates, d_hidden = [None] * count, [None] * count
    d_h = d_c = torsh.zeros_like(h)
    for at in reversed(range(count)):
        t = order[at]
        before = order[at - 1] if at else None
        if g_hs is not None:
            d_h = d_h + g_hs[t]
        own = [None] * 4 if g_kept is None or not KEPT[mode] else list(g_kept[t])
        if mode == "LSTM":
            c_before = c if before is None else cs[before]
            i, f, g, o = kept[t]
            end = cs[t].tanh()
            if g_cs is not None:
                d_c = d_c + g_cs[t]
            d_c = d_c + d_h * o * (1 - end * end)
            d_i, d_f, d_g, d_o = (
                d if mine is None else d + mine for d, mine in zip((d_c * g, d_c * c_before, d_c * i, d_h * end), own)
            )
            z = torsh.cat([d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g * g), d_o * o * (1 - o)], -1)
            d_gates[t] = z
            d_c, d_h = d_c * f, z @ w_hh
        elif mode == "GRU":
            h_before = h if before is None else hs[before]
            r, z, n, hidden = kept[t]
            d_r, d_z, d_n, d_hid = own
            d_n = d_h * (1 - z) if d_n is None else d_h * (1 - z) + d_n
            d_n = d_n * (1 - n * n)
            d_r = d_n * hidden if d_r is None else d_n * hidden + d_r
            d_z = d_h * (h_before - n) if d_z is None else d_h * (h_before - n) + d_z
            d_hid = d_n * r if d_hid is None else d_n * r + d_hid
            both = [d_r * r * (1 - r), d_z * z * (1 - z)]
            d_gates[t], d_hidden[t] = torsh.cat([*both, d_n], -1), torsh.cat([*both, d_hid], -1)
            d_h = d_h * z + d_hidden[t] @ w_hh
        else:
            d_gates[t] = d_h * (1 - hs[t] * hs[t]) if mode == "RNN_TANH" else d_h * (hs[t] > 0)
            d_h = d_gates[t] @ w_hh
    return [torsh.stack(d_gates), torsh.stack(d_hidden) if mode == "GRU" else h.new_empty(0), d_h, d_c]


def _backward_meta(
    hs: Any,
    cs: Any,
    kept: Any,
    w_hh: Any,
    h: Any,
    c: Any,
    g_hs: Any,
    g_cs: Any,
    g_kept: Any,
    mode: str,
    backwards: bool,
) -> list[Any]:
    gates = ((*hs.shape[:2], GATES[mode] * h.shape[-1]), hs.dtype)
    return [gates, gates if mode == "GRU" else ((0,), hs.dtype), (h.shape, h.dtype), (h.shape, h.dtype)]


@primitive(
    "", name="recurrent_steps_backward", args="hs cs kept w_hh h c g_hs g_cs g_kept mode backwards", meta=_backward_meta,
    decompose=_steps_backward,
)  # fmt: skip
def steps_backward(hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards):
    """Gradients with respect to the gates from the input, the gates from h (GRU), the first h and the first c."""
    return (hs, cs, kept, w_hh, h, c, g_hs, g_cs, g_kept, mode, backwards)


__all__ = ["recurrent_layer"]
