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
            mode,
            x,
            sizes.tolist(),
            tuple(hx) if many else (hx,),
            params,
            has_biases,
            layers,
            dropout,
            train,
            bidirectional,
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
    """An LSTM of several layers: (output, h, c).

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x, h = torsh.ones(5, 1, 2), torsh.zeros(1, 1, 3)  # (length, batch, features), (layers, batch, hidden)
    >>> weights = [torsh.ones(12, 2), torsh.ones(12, 3)]
    >>> out, h, c = torsh.lstm(x, (h, h), weights, False, 1, 0.0, False, False, False)
    >>> out.shape, h.shape, c.shape
    (torsh.Size([5, 1, 3]), torsh.Size([1, 1, 3]), torsh.Size([1, 1, 3]))
    """
    return _run("LSTM", True, args)


@composite("torch.gru")
def gru(*args):
    """A GRU of several layers: (output, h).

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x, h = torsh.ones(5, 1, 2), torsh.zeros(1, 1, 3)  # (length, batch, features), (layers, batch, hidden)
    >>> weights = [torsh.ones(9, 2), torsh.ones(9, 3)]
    >>> out, h = torsh.gru(x, h, weights, False, 1, 0.0, False, False, False)
    >>> out.shape, h.shape
    (torsh.Size([5, 1, 3]), torsh.Size([1, 1, 3]))
    """
    return _run("GRU", False, args)


@composite("torch.rnn_tanh")
def rnn_tanh(*args):
    """An Elman network with tanh: (output, h).

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x, h = torsh.ones(5, 1, 2), torsh.zeros(1, 1, 3)
    >>> out, h = torsh.rnn_tanh(x, h, [torsh.eye(3, 2), torsh.eye(3)], False, 1, 0.0, False, False, False)
    >>> out.shape
    torsh.Size([5, 1, 3])
    """
    return _run("RNN_TANH", False, args)


@composite("torch.rnn_relu")
def rnn_relu(*args):
    """An Elman network with ReLU: (output, h).

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x, h = torsh.ones(5, 1, 2), torsh.zeros(1, 1, 3)
    >>> out, h = torsh.rnn_relu(x, h, [torsh.eye(3, 2), torsh.eye(3)], False, 1, 0.0, False, False, False)
    >>> h
    tensor([[[5., 5., 0.]]])
    """
    return _run("RNN_RELU", False, args)


@composite("torch.lstm_cell")
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One LSTM step: (h, c).

    input: (N, input_size); hx: the pair (h, c), each (N, hidden_size); w_ih: (4 * hidden_size, input_size); w_hh: (4 *
    hidden_size, hidden_size). The result is the new pair.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> state = torsh.zeros(1, 3), torsh.zeros(1, 3)
    >>> h, c = torsh.lstm_cell(torsh.ones(1, 2), state, torsh.ones(12, 2), torsh.ones(12, 3))
    >>> h
    tensor([[0.6083, 0.6083, 0.6083]])
    """
    from torsh.nn._recurrent import cell

    return cell("LSTM", input, tuple(hx), w_ih, w_hh, b_ih, b_hh)


@composite("torch.gru_cell")
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One GRU step: h.

    input: (N, input_size); hx: (N, hidden_size); w_ih: (3 * hidden_size, input_size); w_hh: (3 * hidden_size, hidden_size).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.gru_cell(torsh.ones(1, 2), torsh.zeros(1, 3), torsh.ones(9, 2), torsh.ones(9, 3))
    tensor([[0.1149, 0.1149, 0.1149]])
    """
    from torsh.nn._recurrent import cell

    return cell("GRU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@composite("torch.rnn_tanh_cell")
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network with tanh: h.

    ``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``: input (N, input_size), hx (N, hidden_size).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.rnn_tanh_cell(torsh.ones(1, 2), torsh.ones(1, 3), torsh.eye(3, 2), torsh.eye(3))
    tensor([[0.9640, 0.9640, 0.7616]])
    """
    from torsh.nn._recurrent import cell

    return cell("RNN_TANH", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


@composite("torch.rnn_relu_cell")
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network with ReLU: h.

    ``relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``: input (N, input_size), hx (N, hidden_size).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.rnn_relu_cell(torsh.ones(1, 2), torsh.ones(1, 3), torsh.eye(3, 2), torsh.eye(3))
    tensor([[2., 2., 1.]])
    """
    from torsh.nn._recurrent import cell

    return cell("RNN_RELU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]
