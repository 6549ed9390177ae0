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

    query: (..., L, E).  key: (..., S, E).  value: (..., S, V).  attn_mask: broadcast to (..., L, S); True lets a pair
    take
    part, numbers are added.  is_causal: position i sees positions up to i.  scale: default 1 / sqrt(E).
    enable_gqa: query heads (dimension -3) share the fewer heads of key and value.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> q = k = v = torsh.tensor([[[1., 0.], [0., 1.]]])
    >>> F.scaled_dot_product_attention(q, k, v, is_causal=True)
    tensor([[[1.0000, 0.0000],
             [0.3302, 0.6698]]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if query.dtype.itemsize < 4 and query._kind.floating:  # rounded once, at the end
        mask = attn_mask if attn_mask is None or attn_mask.dtype is dtypes.bool else attn_mask.float()
        wide = query.float(), key.float(), value.float()
        out = scaled_dot_product_attention(*wide, mask, dropout_p, is_causal, scale, enable_gqa)
        return out.to(query.dtype)
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
    del scores  # as large as the weights
    return weights @ value


def _check(query, key, value, mask, is_causal):
    for i, (name, t) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        check_tensor(t, "scaled_dot_product_attention", name, i)
    if not query.dtype is key.dtype is value.dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {query.dtype} key.dtype: "
            f"{key.dtype} and value.dtype: {value.dtype} instead."
        )
    if not query.device == key.device == value.device:
        raise RuntimeError(
            f"Expected query, key, and value to have the same device type, but got query.device: {query.device} "
            f"key.device: {key.device} and value.device: {value.device} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            f"Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): {query.ndim}, "
            f"key.dim(): {key.ndim} and value.dim(): {value.ndim} instead."
        )
    if mask is not None:
        if (
            mask.dtype is not dtypes.bool
            and mask.dtype is not query.dtype
            and not (mask.dtype is dtypes.float32 and query.dtype in (dtypes.float16, dtypes.bfloat16))
        ):
            raise RuntimeError(
                f"Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{scalar_name(mask.dtype)} and  query.dtype: {scalar_name(query.dtype)} instead."
            )
        if is_causal:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            )


def _shared_heads(query: Any, t: Any, name: str) -> Any:
    heads, own = query.shape[-3], t.shape[-3]
    if heads == own:
        return t
    if not own or heads % own:
        raise RuntimeError(
            f"Number of heads in {name} and query must divide each other for enable_gqa, got {own} and {heads}"
        )
    return t.repeat_interleave(heads // own, -3)


# ---- multi-head attention --------------------------------------------------------------------------------------------


def _canonical(mask: Any, name: str, other: Any, other_name: str, dtype: Any) -> Any:
    """A mask as numbers to add to scores: True becomes -inf."""
    if mask is None:
        return None
    if mask.dtype is not dtypes.bool and not mask._kind.floating:
        raise AssertionError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    if other is not None and other.dtype is not mask.dtype:
        import warnings

        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=4,
        )
    if mask._kind.floating:
        return mask
    return mask.new_zeros(tuple(mask.shape), dtype=dtype).masked_fill_(mask, float("-inf"))


def _checked_shapes(query, key, value, padding, mask, heads):
    """Whether the query has a batch, after PyTorch's checks."""
    n = query.ndim
    if n not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor")
    word = "batched 3-D" if n == 3 else "unbatched 2-D"
    if key.ndim != n or value.ndim != n:
        raise AssertionError(
            f"For {word} `query`, expected `key` and `value` to be {n}-D but found {key.ndim}-D and {value.ndim}-D "
            "tensors respectively"
        )
    if padding is not None and padding.ndim != n - 1:
        raise AssertionError(
            f"For {word} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found {padding.ndim}-D "
            "tensor instead"
        )
    if mask is not None:
        if mask.ndim not in (2, 3):
            raise AssertionError(
                f"For {word} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor "
                "instead"
            )
        if n == 2 and mask.ndim == 3 and tuple(mask.shape) != (heads, query.shape[0], key.shape[0]):
            raise AssertionError(
                f"Expected `attn_mask` shape to be {(heads, query.shape[0], key.shape[0])} but got {mask.shape}"
            )
    return n == 3


def _in_projection_packed(q, k, v, w, b=None):
    """Project query, key and value by one matrix of three blocks of rows."""
    from torsh.ops.linear import linear

    e = q.shape[-1]
    if k is v and q is k:
        out = linear(q, w, b)
        return tuple(out.narrow(-1, i * e, e).contiguous() for i in range(3))
    biases = (None, None, None) if b is None else tuple(b.narrow(0, i * e, e) for i in range(3))
    return tuple(linear(t, w.narrow(0, i * e, e), biases[i]) for i, t in enumerate((q, k, v)))


def _in_projection(q, k, v, w_q, w_k, w_v, b_q=None, b_k=None, b_v=None):
    """Project query, key and value by a matrix each."""
    from torsh.ops.linear import linear

    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


@composite("torch.nn.functional.multi_head_attention_forward")
def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Multi-head attention with its projections; (output, attention weights or None).

    query: (L, N, E) or (L, E).  key, value: (S, N, *) or (S, *).  key_padding_mask: (N, S), True or -inf leaves a key
    out.
    attn_mask: (L, S) or (N * heads, L, S).  Weights: (N, L, S), or per head (N, heads, L, S).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_head_attention_forward.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> q = torsh.ones(3, 1, 4)  # (length, batch, embedding)
    >>> weight, bias = torsh.eye(4).repeat(3, 1), torsh.zeros(12)
    >>> out, weights = F.multi_head_attention_forward(
    ...     q, q, q, 4, 2, weight, bias, None, None, False, 0.0, torsh.eye(4), torsh.zeros(4)
    ... )
    >>> out.shape, weights.shape
    (torsh.Size([3, 1, 4]), torsh.Size([1, 3, 3]))
    """
    from torsh.ops.dropout import dropout_function
    from torsh.ops.joining import cat
    from torsh.ops.linear import linear
    from torsh.ops.padding import pad

    batched = _checked_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, n, width = query.shape
    sources = key.shape[0]
    key_padding_mask = _canonical(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _canonical(attn_mask, "attn_mask", None, "", query.dtype)
        if key_padding_mask is not None:
            is_causal = False
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    if head * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
        for name, w in (("q", q_proj_weight), ("k", k_proj_weight), ("v", v_proj_weight)):
            if w is None:
                raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        biases = (
            (None,) * 3 if in_proj_bias is None else tuple(in_proj_bias.narrow(0, i * width, width) for i in range(3))
        )
        q, k, v = _in_projection(query, key, value, q_proj_weight, k_proj_weight, v_proj_weight, *biases)
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _in_projection_packed(query, key, value, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        if attn_mask.ndim == 2:
            if tuple(attn_mask.shape) != (length, sources):
                raise RuntimeError(
                    f"The shape of the 2D attn_mask is {attn_mask.shape}, but should be {(length, sources)}."
                )
            attn_mask = attn_mask.unsqueeze(0)
        elif tuple(attn_mask.shape) != (n * num_heads, length, sources):
            raise RuntimeError(
                f"The shape of the 3D attn_mask is {attn_mask.shape}, but should be {(n * num_heads, length, sources)}."
            )
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key and value.")
        k, v = cat([k, bias_k.repeat(1, n, 1)]), cat([v, bias_v.repeat(1, n, 1)])
        attn_mask = None if attn_mask is None else pad(attn_mask, (0, 1))
        key_padding_mask = None if key_padding_mask is None else pad(key_padding_mask, (0, 1))
    elif bias_k is not None or bias_v is not None:
        raise AssertionError("bias_k and bias_v must both be given or both be None")

    def split(t: Any) -> Any:
        return t.reshape(t.shape[0], n * num_heads, head).transpose(0, 1)

    q = split(q)
    k = split(k) if static_k is None else static_k
    v = split(v) if static_v is None else static_v
    if add_zero_attn:
        zeros = k.new_zeros((n * num_heads, 1, head))
        k, v = cat([k, zeros], 1), cat([v, zeros], 1)
        attn_mask = None if attn_mask is None else pad(attn_mask, (0, 1))
        key_padding_mask = None if key_padding_mask is None else pad(key_padding_mask, (0, 1))
    sources = k.shape[1]
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (n, sources):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(n, sources)}, but got {key_padding_mask.shape}"
            )
        spread = key_padding_mask.reshape(n, 1, 1, sources).expand(n, num_heads, 1, sources)
        spread = spread.reshape(n * num_heads, 1, sources)
        attn_mask = spread if attn_mask is None else attn_mask + spread
    if not training:
        dropout_p = 0.0
    if need_weights:
        scores = (q * math.sqrt(1.0 / head)) @ k.transpose(-2, -1)
        if attn_mask is not None:
            scores = scores + attn_mask
        weights = scores.softmax(-1)
        if dropout_p > 0.0:
            weights = dropout_function(weights, dropout_p)
        out = weights @ v
        out = linear(out.transpose(0, 1).reshape(length * n, width), out_proj_weight, out_proj_bias).reshape(
            length, n, -1
        )
        weights = weights.reshape(n, num_heads, length, sources)
        if average_attn_weights:
            weights = weights.mean(1)
        return (out, weights) if batched else (out.squeeze(1), weights.squeeze(0))
    if attn_mask is not None:
        attn_mask = (
            attn_mask.unsqueeze(0) if attn_mask.shape[0] == 1 and attn_mask.ndim == 3
            else attn_mask.reshape(n, num_heads, -1, sources)
        )  # fmt: skip
    out = scaled_dot_product_attention(
        q.reshape(n, num_heads, length, head),
        k.reshape(n, num_heads, sources, head),
        v.reshape(n, num_heads, sources, head),
        attn_mask, dropout_p, is_causal,
    )  # fmt: skip
    out = linear(out.permute(2, 0, 1, 3).reshape(n * length, width), out_proj_weight, out_proj_bias).reshape(
        length, n, -1
    )
    return (out if batched else out.squeeze(1)), None
