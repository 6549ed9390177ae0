"""Padding."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._args import check_tensor, size_of
from torsh.ops._op import composite, primitive
from torsh.ops.creation import as_value

Pairs = tuple[tuple[int, int], ...]


def _meta(input, pads, *rest):
    lead = len(input.shape) - len(pads)
    return (*input.shape[:lead], *(n + lo + hi for n, (lo, hi) in zip(input.shape[lead:], pads))), input.dtype


def _cut(g: Any, pads: Pairs) -> Any:
    """The adjoint of constant padding: padding with the opposite amounts."""
    return pad_constant.op(g, tuple((-lo, -hi) for lo, hi in pads), 0)


@primitive("", layout="channels", args="input pads value", grad={"input": lambda g, pads: _cut(g, pads)}, meta=_meta,
           jvp=lambda input_t, pads: pad_constant.op(input_t, pads, 0))  # fmt: skip
def pad_constant(input, pads, value):
    """Put a constant around the last dimensions; negative amounts cut off."""
    return (input, pads, value)


@primitive(
    "",
    layout="channels flat",
    args="input pads mode",
    grad={"input": lambda g, input, pads, mode: pad_mirror_backward.op(g, tuple(input.shape), pads, mode)},
    meta=_meta,
    tags="linear",
)
def pad_mirror(input, pads, mode):
    """Continue the last dimensions by mode: "reflect", "replicate" or "circular"."""
    return (input, pads, mode)


@primitive(
    "",
    layout="channels flat",
    args="g shape pads mode",
    grad={"g": lambda grad, pads, mode: pad_mirror.op(grad, pads, mode)},
    meta=lambda g, shape, pads, mode: (shape, g.dtype),
    tags="linear",
)
def pad_mirror_backward(g, shape, pads, mode):
    """The adjoint of ``pad_mirror``: add up what every element was copied to."""
    return (g, shape, pads, mode)


@composite("torch.constant_pad_nd", name="constant_pad_nd")
def constant_pad_nd(input, pad, value=0):
    """nn.functional.pad with a constant.

    pad: pairs (before, after) from the last dimension on, as in :func:`nn.functional.pad`; negative ones cut off.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.constant_pad_nd(torsh.tensor([1, 2]), (1, 2), 9)
    tensor([9, 1, 2, 9, 9])
    """
    return _constant(input, tuple(pad), value)


def _constant(input: Any, amounts: tuple[int, ...], value: Any) -> Any:
    if len(amounts) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(amounts)}")
    n = len(amounts) // 2
    if n > input.ndim:
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(amounts)} while the input has {input.ndim} dimensions."
        )
    pads = tuple((amounts[2 * i], amounts[2 * i + 1]) for i in range(n - 1, -1, -1))
    lead = input.ndim - n
    for i, (lo, hi) in enumerate(pads):
        size = input.shape[lead + i]
        if size + lo + hi < 0 or lo < -size or hi < -size:
            raise RuntimeError(
                f"The input size {size}, plus negative padding {lo} and {hi} resulted in a negative output size, "
                f"which is invalid. Check dimension {lead + i} of your input."
            )
    if value is None:
        value = 0
    if input.dtype.category < dtypes.FLOAT:
        if input.dtype.category == dtypes.INT and not input.dtype.is_signed and value < 0:
            raise RuntimeError(f"value cannot be converted to type {input.dtype.name}_t without overflow: {value}")
        value = as_value(value, input.dtype)
    return pad_constant.op(input, pads, value)


@composite("torch.nn.functional.pad torch._C._nn.pad")
def pad(input, pad, mode="constant", value=None):
    """Enlarge the last dimensions: amounts before and after the last one, then those of the one before it, and so on.

    mode: "constant" (with ``value``), "reflect", "replicate" or "circular"; negative amounts cut off.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x = torsh.tensor([[1., 2., 3.]])
    >>> F.pad(x, (1, 1))
    tensor([[0., 1., 2., 3., 0.]])
    >>> F.pad(x, (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    >>> F.pad(x, (0, 0, 0, 1), value=9.)  # the last dimension comes first
    tensor([[1., 2., 3.],
            [9., 9., 9.]])
    """
    check_tensor(input, "pad")
    amounts = size_of((tuple(pad),), "pad")
    if len(amounts) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(amounts)} amounts")
    if mode == "constant":
        return _constant(input, amounts, value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    n = len(amounts) // 2
    if len(amounts) not in (2, 4, 6) or input.ndim not in (n + 1, n + 2):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now; got "
            f"{len(amounts)} amounts for an input of {input.ndim} dimensions"
        )
    pads = tuple((amounts[2 * i], amounts[2 * i + 1]) for i in range(n - 1, -1, -1))
    lead = input.ndim - n
    if 0 in tuple(input.shape)[1:]:
        raise RuntimeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    for i, (lo, hi) in enumerate(pads):
        size = input.shape[lead + i]
        if mode == "reflect" and (lo >= size or hi >= size):
            raise RuntimeError(
                f"Argument #{2 * (n - i) + 2}: Padding size should be less than the corresponding input dimension, "
                f"but got: padding ({lo}, {hi}) at dimension {lead + i} of input {list(input.shape)}"
            )
        if mode == "circular" and (lo > size or hi > size):
            raise RuntimeError(f"Padding value causes wrapping around more than once. Got ({lo}, {hi}) at size {size}")
        if size + lo + hi < (0 if mode == "circular" else 1):
            raise RuntimeError(
                f"input (size {size}) is too small. Calculated output size {size + lo + hi} at dimension {lead + i}"
            )
    return pad_mirror.op(input, pads, mode)
