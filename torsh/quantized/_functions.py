"""Making quantized tensors, asking them, and the functions that only they have."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh._asking import overridable
from torsh.dtypes import dtype as Dtype
from torsh.ops._args import check_tensor, wrap_dim
from torsh.quantized._tensor import (
    LEVELS,
    PerChannel,
    PerTensor,
    QuantizedTensor,
    dequantized,
    expected,
    ints,
    not_quantized,
    pack,
    qscheme,
    quantized,
    raw,
)
from torsh.tensor import Tensor

# ---- quantizing --------------------------------------------------------------------------------------------------------


def _float32(input: Any, name: str) -> Tensor:
    check_tensor(input, name)
    if isinstance(input, QuantizedTensor):
        raise not_quantized(name, "QuantizedCPU")
    if input.dtype is not dtypes.float32:
        raise RuntimeError(
            f"Quantize only works on Float Tensor, got {dtypes.scalar_name(input.dtype)}; call .float() first"
        )
    return input.detach()


def _levels_of(dtype: Any) -> tuple[Dtype, int, int, int]:
    if dtype not in LEVELS:
        name = dtypes.scalar_name(dtype) if isinstance(dtype, Dtype) else repr(dtype)
        raise RuntimeError(
            f"ScalarType {name} is not supported in new_qtensor. Use one of {', '.join(map(str, LEVELS))}"
        )
    return LEVELS[dtype]


@overridable
def quantize_per_tensor(input: Any, scale: Any, zero_point: Any, dtype: Dtype) -> Any:
    """Float32 values in the nearest levels ``(q - zero_point) * scale``, q an integer of the quantized ``dtype``.

    scale, zero_point: numbers or tensors of one element; for a list of tensors, tensors with one element for each.
    Raises RuntimeError for other floating types and for a zero point that the dtype does not have.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantize_per_tensor.html

    >>> import torsh
    >>> q = torsh.quantize_per_tensor(torsh.tensor([-1.0, 0.0, 1.0, 2.0]), 0.1, 10, torsh.quint8)
    >>> q.int_repr()
    tensor([ 0, 10, 20, 30], dtype=torsh.uint8)
    """
    if isinstance(input, (list, tuple)):
        return tuple(quantize_per_tensor(x, s, z, dtype) for x, s, z in zip(input, scale, zero_point))
    x = _float32(input, "quantize_per_tensor")
    _levels_of(dtype)
    quantizer = PerTensor(float(scale), int(zero_point))
    quantizer.check(dtype)
    return quantized(x, dtype, quantizer)


@overridable
def quantize_per_channel(input: Any, scales: Any, zero_points: Any, axis: int, dtype: Dtype) -> Any:
    """``quantize_per_tensor`` with a scale and a zero point for every index along ``axis``.

    scales, zero_points: vectors of that dimension's length.  Floating zero points are added before rounding.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantize_per_channel.html

    >>> import torsh
    >>> x = torsh.tensor([[-1.0, 0.0], [1.0, 2.0]])
    >>> torsh.quantize_per_channel(x, torsh.tensor([0.1, 0.01]), torsh.tensor([10, 0]), 0, torsh.quint8).int_repr()
    tensor([[  0,  10],
            [100, 200]], dtype=torsh.uint8)
    """
    x = _float32(input, "quantize_per_channel")
    _levels_of(dtype)
    return quantized(x, dtype, _per_channel(scales, zero_points, axis, tuple(x.shape)))


def _per_channel(scales: Any, zero_points: Any, axis: int, shape: tuple[int, ...]) -> PerChannel:
    axis = wrap_dim(axis, len(shape))
    if scales.ndim != 1:
        raise RuntimeError(f"scale tensor must have dimension 1, but it has {scales.ndim}")
    if zero_points.ndim != 1:
        raise RuntimeError(f"zero_points tensor must have dimension 1, but it has {zero_points.ndim}")
    if scales.numel() != zero_points.numel():
        raise RuntimeError(
            f"number of elements in scales and zero_points must match: {scales.numel()} and {zero_points.numel()}"
        )
    if scales.numel() != shape[axis]:
        raise RuntimeError(f"length of scales must equal to channel, expected {shape[axis]} got, {scales.numel()}")
    floating = zero_points.is_floating_point()
    return PerChannel(
        scales.detach().to(dtypes.float32 if floating else dtypes.float64),
        zero_points.detach().to(dtypes.float32 if floating else dtypes.int64), axis,
    )  # fmt: skip


_SMALL = 6.0999998822808266e-05  # float32's 6.1e-5: smaller scales are raised to it, and the range is widened with them


def choose_qparams(low: float, high: float, qmin: int, qmax: int, symmetric: bool = False) -> tuple[float, int]:
    """The scale and zero point whose levels cover [low, high] and zero (in double, as PyTorch chooses them).

    symmetric: where the range has both signs, zero lies in the middle of the levels.
    """
    symmetric = symmetric and low < 0 < high
    if symmetric:
        below, above = -((qmax - qmin) // 2 + 1), (qmax - qmin) // 2
        unit = max(abs(low / below), abs(high / above))
        low, high = unit * below, unit * above
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (qmax - qmin)
    if scale == 0.0 or math.isinf(1.0 / scale):
        scale = 0.1
    if scale < _SMALL:
        old, scale = scale, _SMALL
        if low == 0.0:
            high = _SMALL * (qmax - qmin)
        elif high == 0.0:
            low = -_SMALL * (qmax - qmin)
        else:
            low, high = low * _SMALL / old, high * _SMALL / old
    if symmetric:
        return scale, round((qmin + qmax) / 2)
    from_min, from_max = qmin - low / scale, qmax - high / scale
    at_min, at_max = abs(qmin) - abs(low / scale), abs(qmax) - abs(high / scale)
    zero = from_min if at_min < at_max else from_max
    if zero < qmin:
        return scale, qmin
    return scale, qmax if zero > qmax else round(zero)


@overridable
def quantize_per_tensor_dynamic(input: Any, dtype: Dtype, reduce_range: bool) -> Any:
    """Quantize with a scale and zero point chosen from the smallest and largest value.

    dtype: ``qint8`` or ``quint8``.  reduce_range: use only half of the levels, for products that would overflow.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantize_per_tensor_dynamic.html

    >>> import torsh
    >>> torsh.quantize_per_tensor_dynamic(torsh.tensor([0., 2.55]), torsh.quint8, False).q_scale()
    0.009999999813005036
    """
    x = _float32(input, "quantize_per_tensor_dynamic")
    if dtype not in (dtypes.qint8, dtypes.quint8):
        raise RuntimeError(
            f"dtype {dtype} not supported; quantize_per_tensor_dynamic takes torch.qint8 or torch.quint8"
        )
    _, low, high, _ = LEVELS[dtype]
    if reduce_range:
        low, high = (0, 127) if dtype is dtypes.quint8 else (-64, 63)
    ends = x.aminmax() if x.numel() else (0.0, 0.0)
    scale, zero = choose_qparams(float(ends[0]), float(ends[1]), low, high)
    return quantized(x, dtype, PerTensor(scale, zero))


@overridable
def dequantize(input: Any = None, *, tensors: Any = None) -> Any:
    """The float32 values of a quantized tensor (of any other tensor: its values in float32), or of each of a list.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.dequantize.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8)
    >>> torsh.dequantize(x)
    tensor([0., 1.])
    """
    input = tensors if input is None else input
    if isinstance(input, (list, tuple)):
        return tuple(dequantize(t) for t in input)
    check_tensor(input, "dequantize")
    return dequantized(input) if isinstance(input, QuantizedTensor) else input.to(dtypes.float32)


# ---- asking ------------------------------------------------------------------------------------------------------------


def _quantizer(input: Any, name: str, kind: type | None = None) -> Any:
    check_tensor(input, name)
    if not isinstance(input, QuantizedTensor):
        raise not_quantized(name)
    q = input._quantizer
    if kind is not None and not isinstance(q, kind):
        raise expected("kPerTensorAffine" if kind is PerTensor else "kPerChannelAffine")
    return q


@overridable
def int_repr(input: Any) -> Tensor:
    """The integers of a quantized tensor (packed, for types that share bytes), copied.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.int_repr.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8)
    >>> torsh.int_repr(x)
    tensor([10, 12], dtype=torsh.int8)
    """
    _quantizer(input, "int_repr")
    return pack(ints(input), input.dtype).clone()


@overridable
def q_scale(input: Any) -> float:
    """The scale of a tensor that has one.  Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.q_scale.html

    >>> import torsh
    >>> torsh.q_scale(torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8))
    0.5
    """
    return _quantizer(input, "q_scale", PerTensor).scale  # type: ignore[no-any-return]


@overridable
def q_zero_point(input: Any) -> int:
    """The zero point of a tensor that has one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.q_zero_point.html

    >>> import torsh
    >>> torsh.q_zero_point(torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8))
    10
    """
    return _quantizer(input, "q_zero_point", PerTensor).zero_point  # type: ignore[no-any-return]


@overridable
def q_per_channel_scales(input: Any) -> Tensor:
    """The scales of a tensor quantized per channel.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.quantize_per_channel(torsh.ones(2, 1), torsh.tensor([0.5, 1.]), torsh.tensor([0, 1]), 0, torsh.qint8)
    >>> torsh.q_per_channel_scales(x)
    tensor([0.5000, 1.0000], dtype=torsh.float64)
    """
    return _quantizer(input, "q_per_channel_scales", PerChannel).scales  # type: ignore[no-any-return]


@overridable
def q_per_channel_zero_points(input: Any) -> Tensor:
    """The zero points of a tensor quantized per channel.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.quantize_per_channel(torsh.ones(2, 1), torsh.tensor([0.5, 1.]), torsh.tensor([0, 1]), 0, torsh.qint8)
    >>> torsh.q_per_channel_zero_points(x)
    tensor([0, 1])
    """
    return _quantizer(input, "q_per_channel_zero_points", PerChannel).zero_points  # type: ignore[no-any-return]


@overridable
def q_per_channel_axis(input: Any) -> int:
    """The dimension along which a tensor quantized per channel has its scales.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.quantize_per_channel(torsh.ones(2, 1), torsh.tensor([0.5, 1.]), torsh.tensor([0, 1]), 0, torsh.qint8)
    >>> torsh.q_per_channel_axis(x)
    0
    """
    return _quantizer(input, "q_per_channel_axis", PerChannel).axis  # type: ignore[no-any-return]


def scheme_of(input: Any) -> qscheme:
    """How a tensor is quantized (``Tensor.qscheme``).

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8)
    >>> torsh.quantized.scheme_of(x)
    torsh.per_tensor_affine
    """
    return _quantizer(input, "qscheme").scheme  # type: ignore[no-any-return]


# ---- making ------------------------------------------------------------------------------------------------------------


def empty_quantized(size: Any, qtensor: Any, *, dtype: Any = None, device: Any = None, **options: Any) -> Any:
    """Uninitialised integers of a size with the quantizer of another tensor (which must be one for all elements).

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8)
    >>> torsh.empty_quantized((3,), x).q_scale()
    0.5
    """
    import torsh

    quantizer = _quantizer(qtensor, "empty_quantized")
    if not isinstance(quantizer, PerTensor):
        raise RuntimeError(
            f"QScheme not supported by empty_quantized: {quantizer.scheme}; it takes torch.per_tensor_affine"
        )
    dtype = dtype or qtensor.dtype
    return raw(torsh.empty(tuple(size), dtype=_levels_of(dtype)[0], device=device or qtensor.device), dtype, quantizer)


def _empty_affine_quantized(
    *size: Any, scale: float = 1.0, zero_point: int = 0, dtype: Any = None, device: Any = None, **options: Any
) -> Any:
    """Uninitialised integers of a size with one scale and zero point."""
    import torsh

    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    return raw(
        torsh.empty(shape, dtype=_levels_of(dtype)[0], device=device), dtype, PerTensor(float(scale), int(zero_point))
    )


def _empty_per_channel_affine_quantized(
    *size: Any, scales: Any, zero_points: Any, axis: int, dtype: Any = None, device: Any = None, **options: Any
) -> Any:
    """Uninitialised integers of a size with scales and zero points along an axis."""
    import torsh

    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    stored = torsh.empty(shape, dtype=_levels_of(dtype)[0], device=device)
    return raw(stored, dtype, _per_channel(scales, zero_points, axis, tuple(shape)))


_QUANTIZED_OF = {dtypes.int8: dtypes.qint8, dtypes.uint8: dtypes.quint8, dtypes.int32: dtypes.qint32}


def _make_per_tensor_quantized_tensor(input: Any, scale: float, zero_point: int) -> Any:
    """Integers as they are, with a scale and zero point."""
    return raw(input.clone(), _QUANTIZED_OF[input.dtype], PerTensor(float(scale), int(zero_point)))


def _make_per_channel_quantized_tensor(input: Any, scale: Any, zero_point: Any, axis: int) -> Any:
    """Integers as they are, with scales and zero points along an axis."""
    return raw(input.clone(), _QUANTIZED_OF[input.dtype], _per_channel(scale, zero_point, axis, tuple(input.shape)))


# ---- functions of quantized tensors ------------------------------------------------------------------------------------


def _max_pool(input: Any, dims: int, args: tuple[Any, ...]) -> Any:
    import torsh

    name = f"quantized_max_pool{dims}d"
    _quantizer(input, name, PerTensor)
    kernel, stride, padding, dilation, ceil_mode = args
    pool = getattr(torsh.nn.functional, f"max_pool{dims}d")
    # Levels are small integers: float32 holds them exactly, and pooling keeps their order.
    found = pool(ints(input).float(), kernel, stride or None, padding, dilation, ceil_mode)
    return raw(found.to(LEVELS[input.dtype][0]), input.dtype, input._quantizer)


@overridable
def quantized_max_pool1d(
    input: Any, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest value of each window of a quantized tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantized_max_pool1d.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([[[1., 3., 2., 0.]]]), 0.5, 0, torsh.quint8)
    >>> torsh.quantized_max_pool1d(x, 2).dequantize()
    tensor([[[3., 2.]]])
    """
    return _max_pool(input, 1, (kernel_size, stride, padding, dilation, ceil_mode))


@overridable
def quantized_max_pool2d(
    input: Any, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest value of each window of a quantized tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantized_max_pool2d.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.tensor([[[[1., 3.], [2., 0.]]]]), 0.5, 0, torsh.quint8)
    >>> torsh.quantized_max_pool2d(x, 2).dequantize()
    tensor([[[[3.]]]])
    """
    return _max_pool(input, 2, (kernel_size, stride, padding, dilation, ceil_mode))


@overridable
def quantized_max_pool3d(
    input: Any, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Any:
    """The largest value of each window of a quantized tensor.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.ones(1, 1, 2, 2, 2), 0.5, 0, torsh.quint8)
    >>> torsh.quantized_max_pool3d(x, [2, 2, 2]).dequantize().flatten()
    tensor([1.])
    """
    return _max_pool(input, 3, (kernel_size, stride, padding, dilation, ceil_mode))


@overridable
def quantized_batch_norm(
    input: Any, weight: Any, bias: Any, mean: Any, var: Any, eps: float, output_scale: float, output_zero_point: int
) -> Any:
    """Batch normalisation with given statistics of a quantized tensor (N, C, ...), in levels of its own.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantized_batch_norm.html

    >>> import torsh
    >>> x = torsh.quantize_per_tensor(torsh.ones(1, 2, 2, 2), 0.5, 0, torsh.quint8)
    >>> zero, one = torsh.zeros(2), torsh.ones(2)
    >>> torsh.quantized_batch_norm(x, one, zero, zero, one, 1e-5, 0.5, 0).dequantize().flatten()[:2]
    tensor([1., 1.])
    """
    import torsh

    q = _quantizer(input, "quantized_batch_norm", PerTensor)
    shape = [1, -1] + [1] * (input.ndim - 2)
    weight = torsh.ones_like(mean) if weight is None else weight
    bias = torsh.zeros_like(mean) if bias is None else bias
    slope = weight / torsh.sqrt(var + eps)
    # As PyTorch's kernel: slope and offset are folded into the scales, then one product per element.
    offset = (bias - mean * slope).reshape(shape)
    slope = (slope * q.scale / output_scale).reshape(shape)
    _, low, high, _ = LEVELS[input.dtype]
    levels = (ints(input).float() - q.zero_point) * slope + offset / output_scale
    found = (levels.round() + output_zero_point).clamp(low, high).to(LEVELS[input.dtype][0])
    return raw(found, input.dtype, PerTensor(float(output_scale), int(output_zero_point)))


@overridable
def fused_moving_avg_obs_fake_quant(
    input: Any, observer_on: Any, fake_quant_on: Any, running_min: Any, running_max: Any, scale: Any, zero_point: Any,
    averaging_const: float, quant_min: int, quant_max: int, ch_axis: int, per_row_fake_quant: bool = False,
    symmetric_quant: bool = False,
) -> Any:  # fmt: skip
    """Watch the range of values, and round them to the levels that cover it.

    With ``observer_on``: ``running_min`` and ``running_max`` move towards the values' range by ``averaging_const`` (from
    infinity: at once), and ``scale`` and ``zero_point`` are chosen anew; all four are written.  With ``fake_quant_on``: the
    result is ``fake_quantize_per_tensor_affine`` (or, ``per_row_fake_quant``, per channel along ``ch_axis``).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x, low, high = torsh.tensor([0., 1., 2.]), torsh.tensor([0.]), torsh.tensor([0.])
    >>> on, scale, zero = torsh.tensor([1]), torsh.tensor([1.]), torsh.tensor([0], dtype=torsh.int32)
    >>> torsh.fused_moving_avg_obs_fake_quant(x, on, on, low, high, scale, zero, 1.0, 0, 255, -1)
    tensor([0.0000, 0.9961, 2.0000])
    """
    import torsh

    x = input.detach()
    axis = wrap_dim(ch_axis, input.ndim) if per_row_fake_quant else None
    if bool(observer_on):
        with torsh.no_grad():
            if axis is None:
                low, high = x.aminmax()
                low, high = low.reshape(running_min.shape or (1,)), high.reshape(running_max.shape or (1,))
            else:
                rows = x.movedim(axis, 0).reshape(x.shape[axis], -1)
                low, high = rows.amin(1), rows.amax(1)
            if axis is not None and running_min.numel() != low.numel():
                for t in (running_min, running_max, scale, zero_point):
                    t.resize_(tuple(low.shape))
                running_min.fill_(math.inf)
                running_max.fill_(-math.inf)
            for running, new in ((running_min, low), (running_max, high)):
                fresh = torsh.isinf(running)
                running.copy_(
                    torsh.where(
                        fresh,
                        new.reshape(running.shape),
                        running + averaging_const * (new.reshape(running.shape) - running),
                    )
                )
            chosen = [
                choose_qparams(a, b, quant_min, quant_max, symmetric_quant)
                for a, b in zip(running_min.reshape(-1).tolist(), running_max.reshape(-1).tolist())
            ]
            scale.copy_(torsh.tensor([c[0] for c in chosen], dtype=scale.dtype).reshape(scale.shape))
            zero_point.copy_(torsh.tensor([c[1] for c in chosen], dtype=zero_point.dtype).reshape(zero_point.shape))
    if not bool(fake_quant_on):
        return input.clone()
    if axis is not None:
        return torsh.fake_quantize_per_channel_affine(input, scale, zero_point, axis, quant_min, quant_max)
    return torsh.fake_quantize_per_tensor_affine(input, scale, zero_point, quant_min, quant_max)


@overridable
def choose_qparams_optimized(
    input: Any, numel: int, n_bins: int, ratio: float, bit_width: int
) -> tuple[Tensor, Tensor]:
    """(largest, smallest) value of the range that loses least when it is cut into ``2 ** bit_width`` levels.

    The range shrinks greedily by steps of 1/``n_bins`` of itself, down to ``1 - ratio`` of its width.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.choose_qparams_optimized(torsh.tensor([0., 1., 2.]), 3, 200, 0.16, 8)
    (tensor([2.]), tensor([0.]))
    """
    import numpy as np

    import torsh

    check_tensor(input, "choose_qparams_optimized")
    if numel < 0 or numel > input.numel():
        raise RuntimeError(f"numel is out of the bounds of input tensor: {numel} of {input.numel()}")
    x = input.detach().cpu().float().reshape(-1)[:numel].numpy()
    low, high = np.float32(x.min()), np.float32(x.max())
    step = np.float32((high - low) / np.float32(n_bins))
    threshold = np.float32(int(n_bins * (1.0 - ratio)) * step)

    def loss(a: Any, b: Any) -> float:
        a = np.float32(np.float16(a))
        width = np.float32(b - a)
        top = np.float32(2**bit_width - 1)
        scale = np.float32(np.float16(width / top)) if width != 0 else np.float32(1)
        inverse = np.float32(1) / scale if scale != 0 else np.float32(1)
        q = np.clip(np.rint((x - a) * inverse), 0, top) * scale + a
        return float(np.sqrt(np.sum((x - q) ** 2, dtype=np.float32)))

    best = now = loss(low, high)
    a, b = low, high
    while a + threshold < b:
        left, right = loss(a + step, b), loss(a, b - step)
        if now < left and now < right and now < best:
            best, low, high = now, a, b
        if left < right:
            a, now = np.float32(a + step), left
        else:
            b, now = np.float32(b - step), right
    return torsh.tensor([float(high)], dtype=torsh.float32), torsh.tensor([float(low)], dtype=torsh.float32)


__all__ = ["choose_qparams", "dequantize", "quantize_per_channel", "quantize_per_tensor"]
