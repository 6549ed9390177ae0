"""Recurrent layers and cells.

Source: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable
from typing import Any

from torsh.nn import init
from torsh.nn._recurrent import autocast_dtype, cell, recurrent
from torsh.nn.modules.module import Module
from torsh.nn.parameter import Parameter
from torsh.nn.utils.rnn import PackedSequence
from torsh.ops.creation import empty, zeros
from torsh.tensor import Tensor

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Deprecated: ``tensor.index_select(dim, permutation)``."""
    return tensor.index_select(dim, permutation)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: weights by layer and direction, checks, running.

    mode: LSTM, GRU, RNN_TANH or RNN_RELU; the other parameters are those of :class:`LSTM`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNBase.html

    >>> from torsh import nn
    >>> nn.RNNBase("GRU", 10, 20).weight_ih_l0.shape
    torsh.Size([60, 10])
    """

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size",
    ]  # fmt: skip
    _states = 1
    _label = "RNN"

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):  # type: ignore[operator]
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
                f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=2,
            )
        for name, value, kind in (
            ("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
            ("hidden_size", hidden_size, int),
        ):  # fmt: skip
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        rows = _GATES[mode] * hidden_size
        out = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[:directions]:
                width = input_size if layer == 0 else out * directions
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = []
                for name, shape in shapes.items():
                    names.append(f"{name}_l{layer}{suffix}")
                    setattr(self, names[-1], Parameter(empty(shape, device=device, dtype=dtype)))
                self._flat_weights_names += names
                self._all_weights.append(names)
        self.reset_parameters()

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, one list per layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Does nothing: no backend of torsh wants the weights in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    # ---- checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise for an input of the wrong dtype or shape."""
        weight = getattr(self, self._flat_weights_names[0])
        if input.dtype is not weight.dtype:
            if autocast_dtype(input) is None:
                raise ValueError(
                    f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                    f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
                )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _expected_size(self, input: Tensor, batch_sizes: Tensor | None, width: int) -> tuple[int, int, int]:
        if batch_sizes is not None:
            n = int(batch_sizes[0])
        else:
            n = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), n, width

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the hidden state for an input."""
        return self._expected_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise for a state of the wrong shape."""
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise for an input or state that does not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its sequences in another order."""
        return hx if permutation is None else apply_permutation(hx, permutation)

    # ---- running

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype, device=input.device)

    def _run(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        first = self.batch_first and batch_sizes is None
        out, states = recurrent(
            self.mode, input.transpose(0, 1) if first else input, None if batch_sizes is None else batch_sizes.tolist(),
            (hx,) if self._states == 1 else tuple(hx), self._flat_weights, self.bias, self.num_layers, self.dropout,
            self.training, self.bidirectional,
        )  # fmt: skip
        return (out.transpose(0, 1) if first else out), states[0] if self._states == 1 else states

    def _each(self, hx: Any, fn: Callable[[Tensor], Tensor]) -> Any:
        return fn(hx) if self._states == 1 else tuple(fn(h) for h in hx)

    def _check_state_dims(self, hx: Any, batched: bool) -> None:
        if hx.dim() != (3 if batched else 2):
            kind, n = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
            raise RuntimeError(f"For {kind} input, hx should also be {n}-D but got {hx.dim()}-D tensor")

    def forward(self, input: Any, hx: Any = None) -> Any:
        """(output, last state) of a padded tensor, a single sequence, or a PackedSequence."""
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            hx = self._zero_state(data, sizes) if hx is None else self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, sizes)
            out, hidden = self._run(data, sizes, hx)
            return PackedSequence(out, sizes, order, back), self.permute_hidden(hidden, back)
        if input.dim() not in (2, 3):
            extra = "" if self._states == 2 else " tensor"
            raise ValueError(f"{self._label}: Expected input to be 2D or 3D, got {input.dim()}D{extra} instead")
        batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._zero_state(input, None)
        else:
            self._check_state_dims(hx, batched)
            if not batched:
                hx = self._each(hx, lambda h: h.unsqueeze(1))
        self.check_forward_args(input, hx, None)
        out, hidden = self._run(input, None, hx)
        if not batched:
            out, hidden = out.squeeze(batch_dim), self._each(hidden, lambda h: h.squeeze(1))
        return out, hidden

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            s += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            s += f", num_layers={self.num_layers}"
        if self.bias is not True:
            s += f", bias={self.bias}"
        if self.batch_first is not False:
            s += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            s += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            s += f", bidirectional={self.bidirectional}"
        return s

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_flat_weights": self._flat_weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # PyTorch keeps the weights in a second list; here it is a property.
        state = {k: v for k, v in state.items() if k not in ("_flat_weights", "_flat_weight_refs")}
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)


class RNN(RNNBase):
    """Elman's network, with tanh or ReLU, in layers.

    The parameters are those of :class:`LSTM`, and nonlinearity: tanh or relu. Output: (output, h).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

    >>> import torsh
    >>> from torsh import nn
    >>> output, h = nn.RNN(10, 20)(torsh.rand(5, 3, 10))
    >>> output.shape, h.shape
    (torsh.Size([5, 3, 20]), torsh.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory in layers (Hochreiter and Schmidhuber, 1997); ``proj_size`` projects the hidden state.

    input_size, hidden_size, num_layers, bias, batch_first ((N, L, features) instead of (L, N, features)), dropout (between layers),
    bidirectional, proj_size. Input: a tensor or a PackedSequence, and (h, c), each (layers * directions, N, hidden), zeros if left out.
    Output: (output, (h, c)).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

    >>> import torsh
    >>> from torsh import nn
    >>> rnn = nn.LSTM(10, 20, batch_first=True, bidirectional=True)
    >>> output, (h, c) = rnn(torsh.rand(3, 5, 10))  # (batch, length, features)
    >>> output.shape, h.shape, c.shape
    (torsh.Size([3, 5, 40]), torsh.Size([2, 3, 20]), torsh.Size([2, 3, 20]))
    """

    _states = 2
    _label = "LSTM"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the cell state for an input."""
        return self._expected_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        for i, expected in enumerate((self.get_expected_hidden_size, self.get_expected_cell_size)):
            self.check_hidden_size(hidden[i], expected(input, batch_sizes), f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        return hx if permutation is None else tuple(apply_permutation(h, permutation) for h in hx)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shapes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        return tuple(zeros(s, dtype=input.dtype, device=input.device) for s in shapes)

    def _check_state_dims(self, hx: Any, batched: bool) -> None:
        if any(h.dim() != (3 if batched else 2) for h in hx):
            kind, n = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {n}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )


class GRU(RNNBase):
    """Gated recurrent units in layers (Cho et al., 2014).

    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: as in :class:`LSTM`. Output: (output, h).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html

    >>> import torsh
    >>> from torsh import nn
    >>> rnn = nn.GRU(10, 20, num_layers=2)
    >>> output, h = rnn(torsh.rand(5, 3, 10))  # (length, batch, features)
    >>> output.shape, h.shape
    (torsh.Size([5, 3, 20]), torsh.Size([2, 3, 20]))
    """

    _label = "GRU"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the cells share.

    num_chunks: how many gates the weights stack, 1 for RNNCell, 3 for GRUCell, 4 for LSTMCell.
    Source: https://docs.pytorch.org/docs/stable/nn.html

    >>> from torsh import nn
    >>> nn.RNNCellBase(10, 20, bias=True, num_chunks=4).weight_ih.shape
    torsh.Size([80, 10])
    """

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            s += f", bias={self.bias}"
        if self.__dict__.get("nonlinearity", "tanh") != "tanh":
            s += f", nonlinearity={self.nonlinearity}"
        return s

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check(self, x: Tensor, what: str = "input", name: str | None = None) -> None:
        if x.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {x.dim()}D instead")

    def _step(self, mode: str, input: Tensor, states: tuple[Any, ...] | None, n: int) -> tuple[Tensor, ...]:
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if states is None:
            zero = zeros((input.size(0), self.hidden_size), dtype=input.dtype, device=input.device)
            states = (zero,) * n
        elif not batched:
            states = tuple(s.unsqueeze(0) for s in states)
        if input.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}")
        for i, s in enumerate(states):
            if s.size(0) != input.size(0):
                raise RuntimeError(
                    f"Input batch size {input.size(0)} doesn't match hidden{i if n > 1 else ''} batch size {s.size(0)}"
                )
            if s.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i if n > 1 else ''} has inconsistent hidden_size: got {s.size(1)}, expected {self.hidden_size}"
                )
        out = cell(mode, input, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return out if batched else tuple(s.squeeze(0) for s in out)


class RNNCell(RNNCellBase):
    """One step of Elman's network.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.RNNCell(10, 20, nonlinearity="relu")(torsh.rand(3, 10)).shape
    torsh.Size([3, 20])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        self._check(input)
        if hx is not None:
            self._check(hx, "hidden")
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, None if hx is None else (hx,), 1)[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: (h, c).

    Input: (N, input_size) or (input_size,) and (h, c), each (N, hidden_size), zeros if left out.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    >>> import torsh
    >>> from torsh import nn
    >>> cell = nn.LSTMCell(10, 20)
    >>> h, c = cell(torsh.rand(3, 10))
    >>> h.shape, c.shape
    (torsh.Size([3, 20]), torsh.Size([3, 20]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        self._check(input)
        for i, h in enumerate(hx or ()):
            self._check(h, f"hx[{i}]")
        return self._step("LSTM", input, None if hx is None else tuple(hx), 2)  # type: ignore[return-value]


class GRUCell(RNNCellBase):
    """One step of a GRU.

    Input: (N, input_size) or (input_size,) and h, (N, hidden_size), zeros if left out.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html

    >>> import torsh
    >>> from torsh import nn
    >>> cell = nn.GRUCell(10, 20)
    >>> cell(torsh.rand(3, 10), torsh.zeros(3, 20)).shape
    torsh.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        self._check(input)
        if hx is not None:
            self._check(hx, "hidden")
        return self._step("GRU", input, None if hx is None else (hx,), 1)[0]


__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]
