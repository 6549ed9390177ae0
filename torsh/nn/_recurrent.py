"""Recurrent networks in torsh ops: one step, one layer in one direction, and layers on top of each other.

Whole sequences are multiplied with the input weights at once; only the part that depends on the last hidden state is done
step by step, by an op of its own (``torsh/ops/recurrent_steps.py``) where nothing is projected or packed.  Gates are in PyTorch's order: input, forget, cell, output (LSTM); reset, update, new (GRU).
Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torsh.dispatch import state as dispatch_state
from torsh.ops.recurrent_steps import recurrent_layer
from torsh.tensor import Tensor

State = tuple[Tensor, ...]
# What a step gives: the new state, and the gates it computed on the way.
Step = Callable[..., tuple[State, tuple[Tensor, ...]]]


def tanh_step(gi: Tensor, gh: Tensor, state: State, w_hr: Any = None) -> tuple[State, tuple[Tensor, ...]]:
    """h = tanh(gi + gh)."""
    return ((gi + gh).tanh(),), ()


def relu_step(gi: Tensor, gh: Tensor, state: State, w_hr: Any = None) -> tuple[State, tuple[Tensor, ...]]:
    """h = relu(gi + gh)."""
    return ((gi + gh).relu(),), ()


def lstm_step(gi: Tensor, gh: Tensor, state: State, w_hr: Any = None) -> tuple[State, tuple[Tensor, ...]]:
    """(h, c) of an LSTM; ``w_hr`` projects h."""
    i, f, g, o = (gi + gh).chunk(4, -1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * state[1] + i * g
    h = o * c.tanh()
    return (h if w_hr is None else h @ w_hr.t(), c), (i, f, g, o)


def gru_step(gi: Tensor, gh: Tensor, state: State, w_hr: Any = None) -> tuple[State, tuple[Tensor, ...]]:
    """h of a GRU."""
    ir, iz, inew = gi.chunk(3, -1)
    hr, hz, hnew = gh.chunk(3, -1)
    r, z = (ir + hr).sigmoid(), (iz + hz).sigmoid()
    n = (inew + r * hnew).tanh()
    return (n + z * (state[0] - n),), (r, z, n, hnew)


STEPS: dict[str, Step] = {"RNN_TANH": tanh_step, "RNN_RELU": relu_step, "LSTM": lstm_step, "GRU": gru_step}


def cell(mode: str, x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, b_ih: Any = None, b_hh: Any = None) -> State:
    """One step from the input itself."""
    from torsh.nn import functional as F

    return STEPS[mode](F.linear(x, w_ih, b_ih), F.linear(state[0], w_hh, b_hh), state)[0]


def autocast_dtype(x: Tensor) -> Any:
    """What autocast casts products of a tensor to, None where it is off."""
    if not dispatch_state.autocasts:
        return None
    from torsh.amp._casting import dtype_on

    return dtype_on(x.device.type)


def _layer(
    mode: str, x: Tensor, state: State, weights: Sequence[Any], has_biases: bool, backwards: bool
) -> tuple[Tensor, State]:
    """A layer in one direction over (T, N, F)."""
    import torsh
    from torsh.nn import functional as F

    w_ih, w_hh, b_ih, b_hh, w_hr = _named(weights, has_biases)
    if not x.shape[0]:
        return x.new_zeros((0, *state[0].shape)), state
    narrow = autocast_dtype(x)
    if narrow is not None and mode == "LSTM" and w_hr is None:  # a product as a whole, cell state included
        from torsh.amp._casting import cast, switched_off

        device = x.device.type
        x, state, weights = cast(x, narrow, device), cast(state, narrow, device), cast(list(weights), narrow, device)
        with switched_off():
            return _layer(mode, x, state, weights, has_biases, backwards)
    gates = F.linear(x, w_ih, b_ih)
    # The op takes one dtype, and its derivative is that of real numbers.  It rounds to a 16-bit type once a step; of PyTorch's layers
    # the LSTM does so too, the others round after every operation.
    at_once = x.dtype.itemsize >= 4 or mode == "LSTM"
    if w_hr is None and narrow is None and not x._kind.complex and at_once:
        return recurrent_layer(mode, gates, w_hh, b_hh, state, backwards)
    inputs = gates.unbind(0)
    out: list[Any] = [None] * len(inputs)
    for t in reversed(range(len(inputs))) if backwards else range(len(inputs)):
        state, _ = STEPS[mode](inputs[t], F.linear(state[0], w_hh, b_hh), state, w_hr)
        out[t] = state[0]
    return torsh.stack(out), state


def _packed_layer(
    mode: str, x: Tensor, sizes: list[int], state: State, weights: Sequence[Any], has_biases: bool, backwards: bool
) -> tuple[Tensor, State]:
    """A layer in one direction over packed sequences: ``sizes[t]`` of them have a step t, the longest first."""
    import torsh
    from torsh.nn import functional as F

    w_ih, w_hh, b_ih, b_hh, w_hr = _named(weights, has_biases)
    step = STEPS[mode]
    inputs = F.linear(x, w_ih, b_ih).split(sizes)
    out: list[Any] = [None] * len(sizes)
    if backwards:
        # Sequences join as their last step is reached.
        first, current = state, tuple(s[: sizes[-1]] for s in state)
        for t in reversed(range(len(sizes))):
            have = current[0].shape[0]
            if sizes[t] > have:
                current = tuple(torsh.cat([c, s[have : sizes[t]]]) for c, s in zip(current, first))
            current, _ = step(inputs[t], F.linear(current[0], w_hh, b_hh), current, w_hr)
            out[t] = current[0]
        return torsh.cat(out), current
    # Sequences leave as they end; their states are put together at the end.
    current = tuple(s[: sizes[0]] for s in state)
    ended: list[State] = []
    for t, n in enumerate(sizes):
        if n < current[0].shape[0]:
            ended.append(tuple(c[n:] for c in current))
            current = tuple(c[:n] for c in current)
        current, _ = step(inputs[t], F.linear(current[0], w_hh, b_hh), current, w_hr)
        out[t] = current[0]
    if ended:
        current = tuple(torsh.cat([c, *[e[i] for e in reversed(ended)]]) for i, c in enumerate(current))
    return torsh.cat(out), current


def _named(weights: Sequence[Any], has_biases: bool) -> tuple[Any, ...]:
    """(w_ih, w_hh, b_ih, b_hh, w_hr) with None for what there is not."""
    n = 4 if has_biases else 2
    biases = tuple(weights[2:4]) if has_biases else (None, None)
    return (weights[0], weights[1], *biases, weights[n] if len(weights) > n else None)


def recurrent(
    mode: str,
    x: Tensor,
    sizes: list[int] | None,
    states: State,
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Tensor, State]:
    """All layers over (T, N, F), or over packed rows where ``sizes`` is given; the states are (layers * directions, N, H)."""
    import torsh
    from torsh.nn import functional as F

    if sizes is None and not x.shape[0]:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    directions = 2 if bidirectional else 1
    each = len(params) // (num_layers * directions)
    last: list[State] = []
    for layer in range(num_layers):
        outs = []
        for d in range(directions):
            k = layer * directions + d
            weights, state = params[k * each : (k + 1) * each], tuple(s[k] for s in states)
            if sizes is None:
                out, state = _layer(mode, x, state, weights, has_biases, d == 1)
            else:
                out, state = _packed_layer(mode, x, sizes, state, weights, has_biases, d == 1)
            outs.append(out)
            last.append(state)
        x = outs[0] if directions == 1 else torsh.cat(outs, -1)
        if dropout and train and layer < num_layers - 1:
            x = F.dropout(x, dropout, True)
    return x, tuple(torsh.stack([state[i] for state in last]) for i in range(len(states)))
