"""Quantized tensors: integers with a scale and a zero point.

Source: https://docs.pytorch.org/docs/stable/quantization.html
"""

from torsh.quantized._fbgemm import (
    fbgemm_linear_fp16_weight,
    fbgemm_linear_fp16_weight_fp32_activation,
    fbgemm_linear_int8_weight,
    fbgemm_linear_int8_weight_fp32_activation,
    fbgemm_linear_quantize_weight,
    fbgemm_pack_gemm_matrix_fp16,
    fbgemm_pack_quantized_matrix,
    quantized_gru_cell,
    quantized_lstm_cell,
    quantized_rnn_relu_cell,
    quantized_rnn_tanh_cell,
)
from torsh.quantized._functions import (
    _empty_affine_quantized,
    _empty_per_channel_affine_quantized,
    _make_per_channel_quantized_tensor,
    _make_per_tensor_quantized_tensor,
    choose_qparams_optimized,
    dequantize,
    empty_quantized,
    fused_moving_avg_obs_fake_quant,
    int_repr,
    q_per_channel_axis,
    q_per_channel_scales,
    q_per_channel_zero_points,
    q_scale,
    q_zero_point,
    quantize_per_channel,
    quantize_per_tensor,
    quantize_per_tensor_dynamic,
    quantized_batch_norm,
    quantized_max_pool1d,
    quantized_max_pool2d,
    quantized_max_pool3d,
    scheme_of,
)
from torsh.quantized._tensor import (
    QuantizedTensor,
    per_channel_affine,
    per_channel_affine_float_qparams,
    per_channel_symmetric,
    per_tensor_affine,
    per_tensor_symmetric,
    qscheme,
)
