"""PyTorch's inner operators that programs call by name, where they are compositions of public ops."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._args import wrap_dim
from torsh.ops._op import OPS, composite

_ALL = slice(None)


def _clamped(input: Any, indices: Any, name: str) -> tuple[Any, ...]:
    """The index of each dimension, moved into the tensor's bounds: what the mask leaves out may point anywhere."""
    for i in indices:
        if i is not None and i.dtype not in (dtypes.int64, dtypes.int32):
            raise RuntimeError(f"{name} found unexpected index type {dtypes.scalar_name(i.dtype)}; use int64 or int32")
    return tuple(
        _ALL if i is None else i.clamp(min(-size, -1), max(size - 1, 0)) for i, size in zip(indices, tuple(input.shape))
    )


@composite("torch._unsafe_masked_index")
def _unsafe_masked_index(input, mask, indices, fill):
    """``input[indices]`` where the mask is true, ``fill`` elsewhere; there an index may lie outside the input."""
    index = _clamped(input, indices, "_unsafe_masked_index")
    if not input.numel():  # nothing to read: the shape is that of an input with an element in each dimension
        shape = input.new_zeros([max(n, 1) for n in input.shape])[index].shape
        return input.new_full(shape, fill)
    return input[index].masked_fill(mask.logical_not(), fill)


@composite("torch._unsafe_masked_index_put_accumulate")
def _unsafe_masked_index_put_accumulate(input, mask, indices, values):
    """The input with the values that the mask selects added at the indices."""
    index = _clamped(input, indices, "_unsafe_masked_index_put_accumulate")
    if not input.numel():
        return input.clone()
    places = tuple(None if i is _ALL else i for i in index)
    return input.index_put(places, values.masked_fill(mask.logical_not(), 0), accumulate=True)


@composite("torch._chunk_cat", out=True)
def _chunk_cat(tensors, dim, num_chunks):
    """Each tensor as ``num_chunks`` rows along a dimension, filled up with zeros; the rows one after the other.

    The result has the sizes before ``dim``, then (num_chunks, total length of a row): what a sharded buffer holds.
    """
    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat expects positive num_chunks, got {num_chunks}")
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    dim = wrap_dim(dim, tensors[0].ndim)
    rows = []
    for t in tensors:
        if not t.numel():
            raise RuntimeError(f"_chunk_cat expects non-empty tensor, got one of shape {list(t.shape)}")
        if dim >= t.ndim or tuple(t.shape[:dim]) != tuple(tensors[0].shape[:dim]):
            raise RuntimeError(
                "_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors, got "
                f"{list(tensors[0].shape)} and {list(t.shape)} for dim {dim}"
            )
        size = t.shape[dim]
        missing = -size % num_chunks
        if missing:
            rest = t.new_zeros((*t.shape[:dim], missing, *t.shape[dim + 1 :]))
            t = OPS["cat_any"].fn([t, rest], dim)
        rows.append(t.reshape((*t.shape[:dim], num_chunks, t.numel() // math.prod(t.shape[:dim]) // num_chunks)))
    return OPS["cat_any"].fn(rows, dim + 1)


@composite("torch._safe_softmax")
def _safe_softmax(input, dim, dtype=None):
    """softmax, but zeros instead of nan where a whole row is minus infinity."""
    out = input.softmax(dim, dtype=dtype)
    return out.masked_fill((input == -math.inf).all(dim, keepdim=True), 0.0)


@composite("torch._addmm_activation", out=True)
def _addmm_activation(input, mat1, mat2, *, beta=1, alpha=1, use_gelu=False):
    """addmm followed by relu, or by gelu."""
    from torsh.nn.functional import gelu

    out = input.addmm(mat1, mat2, beta=beta, alpha=alpha)
    return gelu(out) if use_gelu else out.relu()


@composite("", name="native_dropout_backward", out=True)
def native_dropout_backward(grad_output, mask, scale):
    """The gradient of native_dropout: what was kept, scaled."""
    return grad_output * (mask.to(grad_output.dtype) * scale)


@composite("", name="max_pool2d_with_indices_backward")
def max_pool2d_with_indices_backward(grad_output, input, kernel_size, stride, padding, dilation, ceil_mode, indices):
    """The gradient of max_pool2d: each window's goes to the element that was its greatest."""
    if grad_output.shape != indices.shape:
        raise RuntimeError(
            f"max_pool2d_with_indices_backward: expected grad_output and indices to have the same shape, but got "
            f"{list(grad_output.shape)} and {list(indices.shape)}"
        )
    flat = input.new_zeros((*input.shape[:-2], input.shape[-2] * input.shape[-1]))
    return flat.scatter_add(-1, indices.flatten(-2), grad_output.flatten(-2)).reshape(input.shape)


@composite("", name="_batch_norm_with_update")
def _batch_norm_with_update(input, weight, bias, running_mean, running_var, momentum, eps):
    """native_batch_norm in training, and an empty tensor (other devices keep a workspace there)."""
    out = OPS["native_batch_norm"].fn(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return *out, input.detach().new_empty(0, dtype=dtypes.uint8)


@composite("", name="_upsample_bilinear2d_aa", out=True)
def _upsample_bilinear2d_aa(input, output_size, align_corners, scale_factors=None, scales_w=None, *, scales_h=None):
    """Bilinear resampling that smooths before it shrinks.

    Its two forms take the factors one by one (fourth and fifth argument), or as a list instead of the size.
    """
    scales: Any = (scales_h if scale_factors is None else scale_factors, scales_w)
    if isinstance(scale_factors, (list, tuple)) or output_size is None:
        if output_size is not None or not isinstance(scale_factors, (list, tuple)) or len(scale_factors) != 2:
            raise RuntimeError(
                "Must specify exactly one of output_size and scale_factors (two numbers), got output_size="
                f"{output_size} and scale_factors={scale_factors}"
            )
        scales = tuple(scale_factors)
        output_size = [int(n * s) for n, s in zip(input.shape[-2:], scales)]
    return OPS["resample"](input, tuple(output_size), scales, "bilinear", bool(align_corners), True)
