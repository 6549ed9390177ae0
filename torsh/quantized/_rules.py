"""What ops do with quantized tensors.  ``RULES`` maps an op's name to a function of the op's own arguments.

Ops that only move elements go over the integers; a few compute in floating point and go back to levels; everything else is
refused, as PyTorch refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._over_dense import Rules
from torsh.quantized._tensor import (
    PerChannel,
    PerTensor,
    QuantizedTensor,
    dequantized,
    expected,
    ints,
    like,
    not_quantized,
    quantized,
    raw,
)
from torsh.tensor import Tensor, shared

RULES = Rules()
rule = RULES.declare


# Ops that move elements and keep their levels.
MOVES = frozenset(
    "view view_any view_as permute transpose t T mT swapaxes swapdims movedim moveaxis select slice slice_ narrow squeeze unsqueeze "
    "expand expand_as as_strided unbind split split_with_sizes chunk tensor_split reshape reshape_as flatten unflatten contiguous clone "
    "repeat repeat_interleave tile flip fliplr flipud rot90 index_select unfold __getitem__ getitem index diagonal detach alias "
    "max_pool1d max_pool2d channel_shuffle pixel_shuffle pixel_unshuffle interpolate_nearest ravel broadcast_to squeeze_ unsqueeze_".split()
)
# Ops of one tensor that compute in floating point and keep the quantizer.
SAME_LEVELS = frozenset(
    "relu relu6 clamp clip clamp_min clamp_max hardtanh leaky_relu threshold gelu mean std avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d reflection_pad1d reflection_pad2d masked_fill".split()
)
# Comparisons, which look at the values.
COMPARISONS = frozenset("eq ne lt le gt ge equal less less_equal greater greater_equal not_equal".split())
# Types asked of a quantized tensor: PyTorch refuses all of them.
CASTS = frozenset("float double half bfloat16 int long short char byte bool cfloat cdouble chalf".split())


def names_of(func: Any) -> list[str]:
    """The names an op goes by."""
    op = getattr(func, "op", None)
    if op is None:
        return [getattr(func, "__name__", str(func))]
    return [op.name, *(p.rpartition(".")[2] for p in op.paths)]


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an op that got a quantized tensor."""
    names = names_of(func)
    kwargs = {k: v for k, v in kwargs.items() if k != "out" or v is not None}
    for n in names:
        if n in RULES:
            return RULES[n](*args, **kwargs)
    first = args[0] if args else None
    if isinstance(first, QuantizedTensor):
        if MOVES.intersection(names):
            return move(func, names, first, args[1:], kwargs)
        if SAME_LEVELS.intersection(names):
            per_tensor(first)
            return like(func(dequantized(first), *args[1:], **kwargs), first)
    if COMPARISONS.intersection(names):
        return func(*[dequantized(a) if isinstance(a, QuantizedTensor) else a for a in args], **kwargs)
    if CASTS.intersection(names):
        raise RuntimeError(
            "Creation of quantized tensor requires quantized dtype like torch.quint8; call .dequantize() first"
        )
    op = getattr(func, "op", None)
    if op is not None and "composite" in op.tags:
        body = func
        while hasattr(body, "__wrapped__"):
            body = body.__wrapped__
        return body(*args, **kwargs)
    raise not_quantized(names[0], "QuantizedCPU")


def per_tensor(t: Any) -> PerTensor:
    """The quantizer of a tensor with one scale; RuntimeError for the others."""
    if not isinstance(t._quantizer, PerTensor):
        raise expected("kPerTensorAffine")
    return t._quantizer


# ---- moving elements ---------------------------------------------------------------------------------------------------


def move(func: Any, names: list[str], t: Any, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a moving op over the integers."""
    quantizer = t._quantizer
    if len(rest) == 1 and isinstance(rest[0], dtypes.dtype):  # view(dtype): the bytes
        return func(ints(t), *rest)
    if isinstance(quantizer, PerChannel):
        return move_channels(func, names, t, rest, kwargs)
    under = ints(t)
    plain = [ints(a) if isinstance(a, QuantizedTensor) else a for a in rest]
    found = func(under, *plain, **kwargs)

    def back(part: Tensor) -> Tensor:
        if part is under:
            return t  # type: ignore[no-any-return]
        out = raw(part, t.dtype, quantizer)
        return shared(out, t) if part._base is not None else out

    return back(found) if isinstance(found, Tensor) else type(found)(back(p) for p in found)


def move_channels(func: Any, names: list[str], t: Any, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A moving op on a tensor with a quantizer per channel: the parameters go with their channels.

    They are moved as tensors of the same shape would be, and read off the result's one axis along which they vary.
    """
    q = t._quantizer
    if {"clone", "contiguous", "detach", "alias"} & set(names):
        return raw(func(ints(t), *rest, **kwargs), t.dtype, q)
    if not {"select", "slice", "slice_", "narrow", "squeeze", "unsqueeze", "unbind", "split", "split_with_sizes", "chunk", "tensor_split",
            "__getitem__", "getitem", "index"} & set(names):  # fmt: skip
        raise RuntimeError("Setting strides is possible only on uniformly quantized tensor; call .dequantize() first")
    found = func(ints(t), *rest, **kwargs)
    channel = q._spread(t._quantizer.scales.new_ones(len(q.scales)).cumsum(0).long() - 1, t.ndim).expand(tuple(t.shape))
    where = func(channel, *rest, **kwargs)
    parts, places = ([found], [where]) if isinstance(found, Tensor) else (list(found), list(where))
    outs = [shared(raw(p, t.dtype, _channels(q, w)), t) for p, w in zip(parts, places)]
    return outs[0] if isinstance(found, Tensor) else type(found)(outs)


def _channels(q: PerChannel, where: Tensor) -> Any:
    """The quantizer of elements whose channels are ``where``."""
    for axis in range(where.ndim):
        line = (
            where[tuple(slice(None) if d == axis else 0 for d in range(where.ndim))]
            if where.numel()
            else where.reshape(-1)[:0]
        )
        shape = [-1 if d == axis else 1 for d in range(where.ndim)]
        if (
            (line.numel() > 1 or where.ndim > 1)
            and bool((where == line.reshape(shape)).all())
            and (line.numel() > 1 and bool((line != line[0]).any()))
        ):
            return PerChannel(q.scales[line], q.zero_points[line], axis)
    one = where.reshape(-1)[0]
    if q.floating:
        raise RuntimeError("a part of one channel of a tensor with floating zero points cannot be quantized by itself")
    return PerTensor(float(q.scales[one]), int(q.zero_points[one]))


@rule("cat", "concat", "concatenate")
def cat(tensors: Any, dim: int = 0) -> Any:
    """Joined in the levels of the first tensor."""
    tensors = list(tensors)
    for t in tensors:
        if not isinstance(t, QuantizedTensor):
            raise RuntimeError(
                "Only quantized tensors can be concatenated with quantized ones; quantize the others first"
            )
        if not isinstance(t._quantizer, PerTensor):
            raise RuntimeError("Only per-tensor quantization is supported in 'cat'!")
    import torsh

    first = tensors[0]
    if all(
        t._quantizer.scale == first._quantizer.scale and t._quantizer.zero_point == first._quantizer.zero_point
        for t in tensors
    ):
        return raw(torsh.cat([ints(t) for t in tensors], dim), first.dtype, first._quantizer)
    return like(torsh.cat([dequantized(t) for t in tensors], dim), first)


@rule("stack")
def stack(tensors: Any, dim: int = 0) -> Any:
    """Stacked in the levels of the first tensor."""
    return cat([t.unsqueeze(dim) for t in tensors], dim)


@rule("to", "cpu", "cuda")
def to(input: Any, *args: Any, **kwargs: Any) -> Any:
    """Another device; never another dtype."""
    dtype = kwargs.pop("dtype", None) or next((a for a in args if isinstance(a, dtypes.dtype)), None)
    if dtype is not None and dtype is not input.dtype:
        raise RuntimeError(
            "Creation of quantized tensor requires quantized dtype like torch.quint8; call .dequantize() first"
        )
    found = (
        ints(input).to(*[a for a in args if not isinstance(a, dtypes.dtype)], **kwargs)
        if args or kwargs
        else ints(input)
    )
    return input if found._data is input._data else raw(found, input.dtype, input._quantizer)


@rule("copy_")
def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write values: those of another quantized tensor, or float32 ones."""
    if not isinstance(self, QuantizedTensor):
        return self.copy_(dequantized(src))
    if not isinstance(src, QuantizedTensor) and src.dtype is not dtypes.float32:
        raise RuntimeError(
            f"Quantized copy only works with kFloat as source Tensor, got {src.dtype}; call .float() first"
        )
    values = dequantized(src) if isinstance(src, QuantizedTensor) else src
    return self._assign(values.expand(tuple(self.shape)), "copy_")


@rule("fill_")
def fill_(self: Any, value: Any) -> Any:
    """Write one value everywhere."""
    return self._assign(dequantized(self).fill_(value), "fill_")


@rule("__setitem__", "setitem")
def setitem(self: Any, index: Any, value: Any) -> None:
    """Write values at some places."""
    values = dequantized(self)
    values[index] = dequantized(value) if isinstance(value, QuantizedTensor) else value
    self._assign(values, "index_put_")


@rule("zero_", "zeros_like")
def zero_(self: Any, **options: Any) -> Any:
    """Refused, as in PyTorch."""
    raise not_quantized("zero_", "QuantizedCPU")


@rule("empty_like")
def empty_like(input: Any, **options: Any) -> Any:
    """Uninitialised integers with the same quantizer."""
    return raw(ints(input).clone(), options.get("dtype") or input.dtype, input._quantizer)


@rule("ones_like")
def ones_like(input: Any, **options: Any) -> Any:
    """Ones, in the nearest levels."""
    return like(dequantized(input) * 0 + 1, input)


@rule("full_like")
def full_like(input: Any, fill_value: Any, **options: Any) -> Any:
    """One value, in the nearest level."""
    return like(dequantized(input) * 0 + fill_value, input)


@rule("allclose", "isclose")
def isclose(*args: Any, **kwargs: Any) -> Any:
    """Refused, as in PyTorch."""
    raise RuntimeError("isclose is not supported for quantized inputs.")


@rule("equal")
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same integers and the same quantizer."""
    if not isinstance(input, QuantizedTensor) or not isinstance(other, QuantizedTensor):
        raise RuntimeError("Expected both tensors to be quantized in torch.equal")
    a, b = input._quantizer, other._quantizer
    if input.dtype is not other.dtype or a.scheme is not b.scheme or tuple(input.shape) != tuple(other.shape):
        return False
    if isinstance(a, PerTensor):
        same = a.scale == b.scale and a.zero_point == b.zero_point  # type: ignore[union-attr]
    else:
        same = a.axis == b.axis and a.scales.equal(b.scales) and a.zero_points.equal(b.zero_points)  # type: ignore[union-attr]
    return bool(same and ints(input).equal(ints(other)))


# ---- computing ---------------------------------------------------------------------------------------------------------


def _known_range(name: str, bits: int, zero_points: dict[str, int]) -> None:
    def run(input: Any, *args: Any, **kwargs: Any) -> Any:
        import torsh

        per_tensor(input)
        found = getattr(torsh, name, None) or getattr(torsh.nn.functional, name)
        scale, zero = 2.0**-bits, zero_points[input.dtype.name]
        if input.dtype is dtypes.qint32:
            scale = 2.0**-32 if name != "tanh" else 2.0**-31
        return quantized(found(dequantized(input), *args, **kwargs), input.dtype, PerTensor(scale, zero))

    RULES[name] = run


# Functions of a known range have levels of their own.
_known_range("sigmoid", 8, {"quint8": 0, "qint8": -128, "qint32": -(2**31)})
_known_range("hardsigmoid", 8, {"quint8": 0, "qint8": -128, "qint32": -(2**31)})
_known_range("tanh", 7, {"quint8": 128, "qint8": 0, "qint32": 0})


@rule("max", "min")
def _extreme_missing(*args: Any, **kwargs: Any) -> Any:
    raise not_quantized("max", "QuantizedCPU")


def _extreme(name: str) -> Callable[..., Any]:
    def run(input: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(input._quantizer, PerTensor):
            raise RuntimeError(
                f"{name.capitalize()} operator for quantized tensors only works for per tensor quantized tensors."
            )
        return over_ints(getattr(Tensor, name), input, *args, **kwargs)

    return run


def over_ints(func: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
    """An op that orders elements, over the integers; its values are quantized again, its indices are not."""
    found = func(ints(input), *args, **kwargs)
    if isinstance(found, Tensor):
        return raw(found, input.dtype, input._quantizer)
    return type(found)(raw(found[0], input.dtype, input._quantizer), *found[1:])


RULES["max"], RULES["min"] = _extreme("max"), _extreme("min")


@rule("sort")
def sort(input: Any, *args: Any, **kwargs: Any) -> Any:
    """In the order of the integers."""
    per_tensor(input)
    return over_ints(Tensor.sort, input, *args, **kwargs)


@rule("topk")
def topk(input: Any, *args: Any, **kwargs: Any) -> Any:
    """The largest values."""
    if not isinstance(input._quantizer, PerTensor):
        raise RuntimeError("Top-K is only supported on per-tensor quantization")
    return over_ints(Tensor.topk, input, *args, **kwargs)


@rule("pad")
def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    """Padding with the level of a value, or by reflection."""
    import torsh

    if not isinstance(input._quantizer, PerTensor):
        raise RuntimeError("Only per-tensor padding is supported.")
    return like(torsh.nn.functional.pad(dequantized(input), pad, mode, value), input)


@rule("interpolate", "upsample")
def interpolate(input: Any, *args: Any, **kwargs: Any) -> Any:
    """Resampled in floating point, back in the same levels."""
    import torsh

    per_tensor(input)
    return like(torsh.nn.functional.interpolate(dequantized(input), *args, **kwargs), input)


__all__ = ["RULES", "call"]
