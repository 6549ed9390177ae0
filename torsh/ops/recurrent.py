"""Recurrent layers as functions (``torch.lstm``, ``torch.gru``, ...) and single steps."""

from __future__ import annotations

from typing import Any

from torsh.ops._op import composite
from torsh.tensor import Tensor


def _run(mode: str, many: bool, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Both signatures: (input, hx, params, ..., batch_first), or packed: (data, batch_sizes, hx, params, ...)."""
    from torsh.nn._recurrent import recurrent

    packed = isinstance(args[1], Tensor) and isinstance(args[2] if len(args) > 2 else None, (Tensor, list, tuple)) and (
        isinstance(args[3] if len(args) > 3 else None, (list, tuple))
    )  # fmt: skip
    if packed:
        x, sizes, hx, params, has_biases, layers, dropout, train, bidirectional = args
        out, states = recurrent(
            mode, x, sizes.tolist(), tuple(hx) if many else (hx,), params, has_biases, layers, dropout, train, bidirectional
        )
        return (out, *states)
    x, hx, params, has_biases, layers, dropout, train, bidirectional, batch_first = args
    if batch_first:
        x = x.transpose(0, 1)
    out, states = recurrent(
        mode, x, None, tuple(hx) if many else (hx,), params, has_biases, layers, dropout, train, bidirectional
    )
    return (out.transpose(0, 1) if batch_first else out, *states)


@composite("torch.lstm")
def lstm(*args):
    """An LSTM of several layers: (output, h, c)."""
    return _run("LSTM", True, args)


@composite("torch.gru")
def gru(*args):
    """A GRU of several layers: (output, h)."""
    return _run("GRU", False, args)


@composite("torch.rnn_tanh")
def rnn_tanh(*args):
    """An Elman network with tanh: (output, h)."""
    return _run("RNN_TANH", False, args)


@composite("torch.rnn_relu")
def rnn_relu(*args):
    """An Elman network with ReLU: (output, h)."""
    return _run("RNN_RELU", False, args)


@composite("torch.lstm_cell")
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One LSTM step: (h, c)."""
    from torsh.nn._recurrent import cell

    return cell("LSTM", input, tuple(hx), w_ih, w_hh, b_ih, b_hh)


@composite("torch.gru_cell")
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One GRU step: h."""
    from torsh.nn._recurrent import cell

    return cell("GRU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@composite("torch.rnn_tanh_cell")
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network with tanh: h."""
    from torsh.nn._recurrent import cell

    return cell("RNN_TANH", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@composite("torch.rnn_relu_cell")
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network with ReLU: h."""
    from torsh.nn._recurrent import cell

    return cell("RNN_RELU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]
