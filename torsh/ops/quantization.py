"""Quantisation simulated in floating point: values rounded to the levels of an integer type."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._args import check_tensor, wrap_dim
from torsh.ops._op import composite, needs_grad
from torsh.tensor import Tensor


def _levels(input: Tensor, scale: Any, zero_point: Any, low: int, high: int) -> Tensor:
    """The nearest levels; the gradient passes unchanged where a value was inside the range."""
    import torsh

    with torsh.no_grad():
        level = (input * (1.0 / scale) + zero_point).round()
        inside = (level >= low) & (level <= high)
        found = ((level.clamp(low, high) - zero_point) * scale).to(input.dtype)
    if not needs_grad(input):
        return found
    return found + torsh.where(inside, input - input.detach(), 0.0)


def _range(quant_min: int, quant_max: int) -> None:
    if quant_min > quant_max:
        raise RuntimeError(
            f"`quant_min` should be less than or equal to `quant_max`, but got {quant_min} and {quant_max}"
        )


@composite("torch.fake_quantize_per_tensor_affine")
def fake_quantize_per_tensor_affine(input, scale, zero_point, quant_min, quant_max):
    """Round to ``(q - zero_point) * scale`` for whole q between ``quant_min`` and ``quant_max``.

    The gradient is that of the identity inside the range and zero outside.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fake_quantize_per_tensor_affine.html

    >>> import torsh
    >>> torsh.fake_quantize_per_tensor_affine(torsh.tensor([0.12, 0.26, 99.]), 0.1, 0, 0, 255)
    tensor([ 0.1000,  0.3000, 25.5000])
    """
    check_tensor(input, "fake_quantize_per_tensor_affine")
    _range(quant_min, quant_max)
    return _levels(input, scale, zero_point, quant_min, quant_max)


@composite("torch.fake_quantize_per_channel_affine")
def fake_quantize_per_channel_affine(input, scale, zero_point, axis, quant_min, quant_max):
    """``fake_quantize_per_tensor_affine`` with one scale and zero point for every index along ``axis``.

    scale, zero_point: vectors of the length of that dimension.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fake_quantize_per_channel_affine.html

    >>> import torsh
    >>> x, scale = torsh.tensor([[0.1, 0.26], [0.1, 0.26]]), torsh.tensor([0.1, 0.5])
    >>> zero_point = torsh.zeros(2, dtype=torsh.int32)
    >>> torsh.fake_quantize_per_channel_affine(x, scale, zero_point, axis=0, quant_min=0, quant_max=255)
    tensor([[0.1000, 0.3000],
            [0.0000, 0.5000]])
    """
    check_tensor(input, "fake_quantize_per_channel_affine")
    _range(quant_min, quant_max)
    if scale.dim() != 1 or zero_point.dim() != 1:
        raise RuntimeError(
            f"scale and zero point should be 1-D tensors, but have {scale.dim()} and {zero_point.dim()} dimensions"
        )
    if scale.numel() != zero_point.numel():
        raise RuntimeError(
            f"scale and zero-point need to have the same dimensions: {scale.numel()} and {zero_point.numel()}"
        )
    axis = wrap_dim(axis, input.ndim)
    if scale.numel() != input.shape[axis]:
        raise RuntimeError(f"dimensions of scale and zero-point are not consistent with input tensor: {scale.numel()} values "
                           f"for a dimension of {input.shape[axis]}")  # fmt: skip
    shape = [-1 if i == axis else 1 for i in range(input.ndim)]
    return _levels(input, scale.reshape(shape), zero_point.reshape(shape), quant_min, quant_max)


@composite("torch.hash_tensor Tensor.hash_tensor", tags="nondifferentiable", out="typed")
def hash_tensor(input, dim=(), *, keepdim=False, mode=0):
    """All elements (or those along ``dim``, a number or several) as 64-bit patterns, combined by exclusive or: uint64.

    Floating-point values count as float64, integers as int64.  mode: 0 is the only one there is.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.hash_tensor.html

    >>> import torsh
    >>> torsh.hash_tensor(torsh.tensor([1, 2, 3]))
    tensor(0, dtype=torsh.uint64)
    """
    import torsh

    if check_tensor(input, "hash_tensor")._kind.complex:
        raise RuntimeError(f"hash_tensor does not support complex numbers, but got {input.dtype}")
    if mode:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}; 0 (exclusive or) is the only one")
    n = input.ndim
    dims = sorted({wrap_dim(d, n) for d in ((dim,) if isinstance(dim, int) else dim or range(n))}) if n else []
    kept = [d for d in range(n) if d not in dims]
    wide = input.detach()
    if input.dtype is not dtypes.uint64:
        wide = wide.to(dtypes.float64 if input.dtype.is_floating_point else dtypes.int64)
    bits = wide.contiguous().view(dtypes.int64).permute((*kept, *dims)).reshape([*(input.shape[d] for d in kept), -1])
    while bits.shape[-1] > 1:  # halve: there is no reduction by exclusive or
        half = bits.shape[-1] // 2
        odd = bits[..., 2 * half :]
        bits = torsh.cat([bits[..., :half] ^ bits[..., half : 2 * half], odd], -1)
    if not bits.shape[-1]:
        bits = bits.new_zeros((*bits.shape[:-1], 1))
    found = bits[..., 0].view(dtypes.uint64)
    for d in dims if keepdim else ():
        found = found.unsqueeze(d)
    return found
