"""Attention."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import composite


@composite("torch.nn.functional.scaled_dot_product_attention torch._C._nn.scaled_dot_product_attention")
def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(query @ key.T * scale + mask) @ value.

    query: (..., L, E).  key: (..., S, E).  value: (..., S, V).  attn_mask: broadcast to (..., L, S); True lets a pair take
    part, numbers are added.  is_causal: position i sees positions up to i.  scale: default 1 / sqrt(E).
    enable_gqa: query heads (dimension -3) share the fewer heads of key and value.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = _shared_heads(query, key, "key"), _shared_heads(query, value, "value")
    scores = query @ key.transpose(-2, -1)
    scores = scores * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        from torsh.ops.creation import ones

        seen = ones((query.shape[-2], key.shape[-2]), dtype=dtypes.bool, device=query.device).tril()
        scores = scores.masked_fill(~seen, float("-inf"))
    weights: Any
    if attn_mask is None:
        weights = scores.softmax(-1)
    else:
        if attn_mask.dtype is dtypes.bool:
            scores = scores.masked_fill(~attn_mask, float("-inf"))
        else:
            scores = scores + attn_mask
        # A position that sees nothing gets zeros.
        blind = (scores == float("-inf")).all(-1, keepdim=True)
        weights = scores.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)
    if dropout_p > 0:
        from torsh.ops.dropout import dropout_function

        weights = dropout_function(weights, dropout_p)
    return weights @ value


def _check(query, key, value, mask, is_causal):
    for i, (name, t) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        check_tensor(t, "scaled_dot_product_attention", name, i)
    if not query.dtype is key.dtype is value.dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {query.dtype} key.dtype: {key.dtype} "
            f"and value.dtype: {value.dtype} instead."
        )
    if not query.device == key.device == value.device:
        raise RuntimeError(
            f"Expected query, key, and value to have the same device type, but got query.device: {query.device} key.device: "
            f"{key.device} and value.device: {value.device} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            f"Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): {query.ndim}, key.dim(): "
            f"{key.ndim} and value.dim(): {value.ndim} instead."
        )
    if mask is not None:
        if mask.dtype is not dtypes.bool and mask.dtype is not query.dtype and not (
            mask.dtype is dtypes.float32 and query.dtype in (dtypes.float16, dtypes.bfloat16)
        ):
            raise RuntimeError(
                f"Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{scalar_name(mask.dtype)} and  query.dtype: {scalar_name(query.dtype)} instead."
            )
        if is_causal:
            raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")


def _shared_heads(query: Any, t: Any, name: str) -> Any:
    heads, own = query.shape[-3], t.shape[-3]
    if heads == own:
        return t
    if not own or heads % own:
        raise RuntimeError(f"Number of heads in {name} and query must divide each other for enable_gqa, got {own} and {heads}")
    return t.repeat_interleave(heads // own, -3)
