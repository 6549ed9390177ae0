"""Linear layers with quantized or half-precision weights, and the recurrent cells made of them.

PyTorch packs weights for its matrix library; here a packed weight is the weight itself, so it can be used with these functions
only, as there.  Activations are quantized to 8 bits by their range, multiplied as integers, and the sums scaled back.
"""

from __future__ import annotations

import struct
from typing import Any

from torsh import dtypes
from torsh.quantized._functions import choose_qparams
from torsh.quantized._tensor import PerTensor
from torsh.tensor import Tensor


def _matrix(weight: Any, name: str) -> Any:
    if weight.ndim != 2:
        raise RuntimeError(
            f"Expected weight.dim() == 2 to be true, but got false: {name} takes a matrix, got {weight.ndim} dimensions"
        )
    return weight.detach().contiguous()


def _float32_qparams(low: float, high: float, qmin: int, qmax: int) -> tuple[float, int]:
    """``choose_qparams`` with the scale rounded to float32, which this library keeps it in."""
    scale, zero = choose_qparams(low, high, qmin, qmax)
    return struct.unpack("f", struct.pack("f", scale))[0], zero


def fbgemm_linear_quantize_weight(input: Any) -> tuple[Tensor, Tensor, float, int]:
    """A float32 weight (out, in) as int8: (levels, column offsets as int32, scale, zero point).

    The offsets are the sum of each output's levels less ``in * zero_point``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> levels, offsets, scale, zero_point = torsh.fbgemm_linear_quantize_weight(torsh.eye(2))
    >>> levels
    tensor([[ 127, -128],
            [-128,  127]], dtype=torsh.int8)
    """
    w = _matrix(input, "fbgemm_linear_quantize_weight").to(dtypes.float32)
    low, high = w.aminmax()
    scale, zero = _float32_qparams(float(low), float(high), -128, 127)
    levels = PerTensor(scale, zero).levels(w, dtypes.qint8)
    offsets = levels.to(dtypes.int32).sum(1, dtype=dtypes.int32) - w.shape[1] * zero
    return levels, offsets, scale, zero


def fbgemm_pack_quantized_matrix(input: Any, K: Any = None, N: Any = None) -> Tensor:
    """An int8 weight for ``fbgemm_linear_int8_weight``; opaque.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return _matrix(input, "fbgemm_pack_quantized_matrix").clone()  # type: ignore[no-any-return]


def fbgemm_linear_int8_weight_fp32_activation(
    input: Any, weight: Any, packed: Any, col_offsets: Any, weight_scale: float, weight_zero_point: int, bias: Any
) -> Tensor:
    """``input @ weight.T + bias`` with the activation quantized to 8 bits by its range.

    input (..., in) float32; weight, packed, col_offsets, weight_scale, weight_zero_point: of ``fbgemm_linear_quantize_weight``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> weight, offsets, scale, zero = torsh.fbgemm_linear_quantize_weight(torsh.eye(2))
    >>> packed = torsh.fbgemm_pack_quantized_matrix(weight)
    >>> x, bias = torsh.tensor([[1., 2.]]), torsh.zeros(2)
    >>> torsh.fbgemm_linear_int8_weight_fp32_activation(x, weight, packed, offsets, scale, zero, bias)
    tensor([[0.9961, 2.0000]])
    """
    import torsh

    if input.shape[-1] != weight.shape[1]:
        raise RuntimeError(
            f"Expected input.size(input.dim() - 1) == K to be true, but got false: {input.shape[-1]} and {weight.shape[1]}"
        )
    x = input.detach().to(dtypes.float32)
    low, high = x.aminmax()
    scale, zero = _float32_qparams(float(low), float(high), 0, 255)
    levels = PerTensor(scale, zero).levels(x, dtypes.quint8)
    # Sums of products of 8-bit integers are whole numbers that float64 holds exactly.
    product = (levels.double() - zero) @ (weight.double() - int(weight_zero_point)).t()
    scales = torsh.tensor(scale, dtype=dtypes.float32) * torsh.tensor(float(weight_scale), dtype=dtypes.float32)
    return product.to(dtypes.float32) * scales.to(x.device) + bias  # type: ignore[no-any-return]


def fbgemm_linear_int8_weight(
    input: Any, weight: Any, packed: Any, col_offsets: Any, weight_scale: float, weight_zero_point: int, bias: Any
) -> Tensor:
    """``fbgemm_linear_int8_weight_fp32_activation`` by its old name.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return fbgemm_linear_int8_weight_fp32_activation(
        input, weight, packed, col_offsets, weight_scale, weight_zero_point, bias
    )


def fbgemm_pack_gemm_matrix_fp16(input: Any) -> Tensor:
    """A float32 weight in half precision for ``fbgemm_linear_fp16_weight``; opaque.  Too large values become the largest.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    w = _matrix(input, "fbgemm_pack_gemm_matrix_fp16").to(dtypes.float32)
    return w.clamp(-65504.0, 65504.0).to(dtypes.float16)  # type: ignore[no-any-return]


def fbgemm_linear_fp16_weight_fp32_activation(
    input: Any, packed_weight: Any, bias: Any = None, output: Any = None
) -> Tensor:
    """``input @ weight.T + bias`` in float32 with a weight that was rounded to half precision.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> packed = torsh.fbgemm_pack_gemm_matrix_fp16(torsh.eye(2))
    >>> torsh.fbgemm_linear_fp16_weight_fp32_activation(torsh.tensor([[1., 2.]]), packed, torsh.zeros(2))
    tensor([[1., 2.]])
    """
    found = input.detach().to(dtypes.float32) @ packed_weight.to(dtypes.float32).t()
    found = found if bias is None else found + bias
    return found if output is None else output.copy_(found)  # type: ignore[no-any-return]


def fbgemm_linear_fp16_weight(input: Any, packed_weight: Any, bias: Any, output: Any = None) -> Tensor:
    """``fbgemm_linear_fp16_weight_fp32_activation`` by its old name.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return fbgemm_linear_fp16_weight_fp32_activation(input, packed_weight, bias, output)


# ---- cells -------------------------------------------------------------------------------------------------------------


class _Weights:
    """The two linear maps of a cell."""

    def __init__(
        self, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, packed_ih: Any, packed_hh: Any, col_offsets_ih: Any,
        col_offsets_hh: Any, scale_ih: Any, scale_hh: Any, zero_point_ih: Any, zero_point_hh: Any,
    ) -> None:  # fmt: skip
        self.of_input = (w_ih, packed_ih, col_offsets_ih, scale_ih, zero_point_ih, b_ih)
        self.of_hidden = (w_hh, packed_hh, col_offsets_hh, scale_hh, zero_point_hh, b_hh)

    def both(self, x: Any, h: Any) -> tuple[Tensor, Tensor]:
        return (
            fbgemm_linear_int8_weight_fp32_activation(x, *self.of_input),
            fbgemm_linear_int8_weight_fp32_activation(h, *self.of_hidden),
        )


def quantized_lstm_cell(input: Any, hx: Any, *weights: Any, **named: Any) -> tuple[Tensor, Tensor]:
    """One step of an LSTM with 8-bit weights: (h, c).

    hx: (h, c).  weights: w_ih, w_hh, b_ih, b_hh, packed_ih, packed_hh, col_offsets_ih, col_offsets_hh, scale_ih, scale_hh,
    zero_point_ih, zero_point_hh, of ``fbgemm_linear_quantize_weight`` and ``fbgemm_pack_quantized_matrix``.
    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    h, c = hx
    x, y = _Weights(*weights, **named).both(input, h)
    i, f, g, o = (x + y).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def quantized_gru_cell(input: Any, hx: Any, *weights: Any, **named: Any) -> Tensor:
    """One step of a GRU with 8-bit weights; the arguments are those of ``quantized_lstm_cell`` with a single state.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    x, y = _Weights(*weights, **named).both(input, hx)
    (xr, xz, xn), (yr, yz, yn) = x.chunk(3, 1), y.chunk(3, 1)
    z = (xz + yz).sigmoid()
    n = (xn + (xr + yr).sigmoid() * yn).tanh()
    return (hx - n) * z + n  # type: ignore[no-any-return]


def quantized_rnn_relu_cell(input: Any, hx: Any, *weights: Any, **named: Any) -> Tensor:
    """One step of a ReLU RNN with 8-bit weights; the arguments are those of ``quantized_gru_cell``.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    x, y = _Weights(*weights, **named).both(input, hx)
    return (x + y).relu()  # type: ignore[no-any-return]


def quantized_rnn_tanh_cell(input: Any, hx: Any, *weights: Any, **named: Any) -> Tensor:
    """One step of a tanh RNN with 8-bit weights; the arguments are those of ``quantized_gru_cell``.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    x, y = _Weights(*weights, **named).both(input, hx)
    return (x + y).tanh()  # type: ignore[no-any-return]


__all__ = ["fbgemm_linear_quantize_weight"]
