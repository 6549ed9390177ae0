"""Convolutions in one, two and three dimensions, and their transposes.

Two primitives carry everything: ``convolution`` (plain or transposed) and ``convolution_weight``, the product of an
output's
gradient with the input's patches.  Each is linear in either operand, and the gradients of both are again these two, so
derivatives of any order come out of the same kernels.
"""

from __future__ import annotations

import functools
from operator import index
from typing import Any

from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import composite, primitive
from torsh.ops.pointwise import conj
from torsh.tensor import Tensor

Ints = tuple[int, ...]


def out_size(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Ints:
    """The spatial size of a plain convolution's result."""
    return tuple(
        (i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, s, p, d in zip(size, kernel, stride, padding, dilation)
    )


def transposed_size(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, extra: Any) -> Ints:
    """The spatial size of a transposed convolution's result."""
    return tuple(
        (i - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for i, k, s, p, d, e in zip(size, kernel, stride, padding, dilation, extra)
    )


def _meta(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    kernel, space = tuple(weight.shape[2:]), tuple(input.shape[2:])
    if transposed:
        size = transposed_size(space, kernel, stride, padding, dilation, output_padding)
        return (input.shape[0], weight.shape[1] * groups, *size), input.dtype
    return (input.shape[0], weight.shape[0], *out_size(space, kernel, stride, padding, dilation)), input.dtype


def _spread(g, weight, size, stride, padding, dilation, groups):
    """Send a plain convolution's gradient back to an input of the spatial size ``size``."""
    zero = (0,) * len(stride)
    least = transposed_size(g.shape[2:], weight.shape[2:], stride, padding, dilation, zero)
    extra = tuple(n - m for n, m in zip(size, least))
    return convolution.op(g, weight, None, stride, padding, dilation, True, extra, groups)


def _gather(x, weight, size, stride, padding, dilation, groups):
    """A plain convolution cut to the spatial size ``size`` (output padding beyond the stride makes it larger)."""
    out = convolution.op(x, weight, None, stride, padding, dilation, False, (0,) * len(stride), groups)
    for d, n in enumerate(size):
        if out.shape[d + 2] != n:
            out = out.narrow(d + 2, 0, n)
    return out


def _input_rule(g, input, weight, stride, padding, dilation, transposed, groups):
    back = _gather if transposed else _spread
    return back(g, conj(weight), tuple(input.shape[2:]), stride, padding, dilation, groups)


def _weight_rule(g, input, weight, stride, padding, dilation, transposed, groups):
    size = tuple(weight.shape)
    if transposed:
        return convolution_weight.op(conj(input), g, size, stride, padding, dilation, groups)
    return convolution_weight.op(g, conj(input), size, stride, padding, dilation, groups)


def _tangent(input, weight, stride, padding, dilation, transposed, output_padding, groups, input_t, weight_t, bias_t):
    geometry = stride, padding, dilation, transposed, output_padding, groups
    run = convolution.op
    if input_t is None and weight_t is None:
        return bias_t.reshape(-1, *[1] * (input.ndim - 2))
    found = None if input_t is None else run(input_t, weight, bias_t, *geometry)
    if weight_t is None:
        return found
    of_weight = run(input, weight_t, bias_t if found is None else None, *geometry)
    return of_weight if found is None else found + of_weight


@primitive(
    "torch.convolution",
    layout="channels any line",
    grad={
        "input": _input_rule,
        "weight": _weight_rule,
        "bias": lambda g: g.sum((0, *range(2, g.ndim))),
    },
    jvp=_tangent,
    meta=_meta,
    node_name="ConvolutionBackward0",
)
def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """The convolution that all others are forms of, on an input of shape (samples, channels, *space).

    Source: https://docs.pytorch.org/docs/stable/nn.functional.html#convolution-functions

    >>> import torsh
    >>> torsh.convolution(torsh.ones(1, 1, 5), torsh.ones(2, 1, 3), None, [1], [0], [1], False, [0], 1).shape
    torsh.Size([1, 2, 3])
    """
    n = input.ndim - 2
    stride, padding = _sizes(stride, n, "stride"), _sizes(padding, n, "padding")
    dilation, output_padding = _sizes(dilation, n, "dilation"), _sizes(output_padding, n, "output_padding")
    return _checked(input, weight, bias, stride, padding, dilation, bool(transposed), output_padding, groups)


@primitive(
    "",
    grad={
        "g": lambda grad, g, input, stride, padding, dilation, groups: _gather(
            conj(input), grad, tuple(g.shape[2:]), stride, padding, dilation, groups
        ),
        "input": lambda grad, g, input, stride, padding, dilation, groups: _spread(
            conj(g), grad, tuple(input.shape[2:]), stride, padding, dilation, groups
        ),
    },
    meta=lambda g, input, size, stride, padding, dilation, groups: (size, input.dtype),
    tags="multilinear",
)
def convolution_weight(g, input, size, stride, padding, dilation, groups):
    """The gradient of a convolution with respect to its weight."""
    return (g, input, size, stride, padding, dilation, groups)


# ---- checks ----------------------------------------------------------------------------------------------------------


def _sizes(value: Any, n: int, name: str) -> Ints:
    """An integer or a sequence of one or ``n`` of them, as ``n`` integers."""
    if isinstance(value, int):
        return (value,) * n
    if not isinstance(value, (tuple, list)):
        return (index(value),) * n
    found = tuple(map(index, value))
    if len(found) == 1:
        return found * n
    if len(found) != n:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the convolution "
            f"dimensions, but got {name}={list(found)}"
        )
    return found


def _checked(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """The normalised arguments, after PyTorch's checks of values, types and shapes."""
    _check_values(stride, padding, dilation, output_padding, groups)
    if input._kind is not weight._kind:
        if input._kind.place is weight._kind.place:
            raise RuntimeError(
                f"Input type ({scalar_name(input.dtype)}) and weight type ({scalar_name(weight.dtype)}) should be the "
                "same; convert one of them with .to(dtype)"
            )
    elif bias is not None and bias.dtype is not input.dtype:
        raise RuntimeError(
            f"Input type ({scalar_name(input.dtype)}) and bias type ({scalar_name(bias.dtype)}) should be the same; "
            "convert one of them with .to(dtype)"
        )
    _check_shapes(
        tuple(input._data.shape), tuple(weight._data.shape), None if bias is None else tuple(bias._data.shape), stride, padding,
        dilation, transposed, output_padding, groups,
    )  # fmt: skip
    return (input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)


@functools.lru_cache(256)
def _check_values(stride, padding, dilation, output_padding, groups):
    if any(p < 0 for p in padding):
        raise RuntimeError(f"negative padding is not supported, got padding={list(padding)}")
    if any(p < 0 for p in output_padding):
        raise RuntimeError(f"negative output_padding is not supported, got output_padding={list(output_padding)}")
    if any(s <= 0 for s in stride):
        raise RuntimeError(f"non-positive stride is not supported, got stride={list(stride)}")
    if any(d <= 0 for d in dilation):
        raise RuntimeError(f"dilation should be greater than zero, got dilation={list(dilation)}")
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported, got groups={groups}")


@functools.lru_cache(256)
def _check_shapes(shape, wshape, bias, stride, padding, dilation, transposed, output_padding, groups):
    n = len(stride)
    if len(wshape) != n + 2:
        raise RuntimeError(
            f"Expected {n + 2}-dimensional input for {n + 2}-dimensional weight {list(wshape)}, but got "
            f"{len(shape)}-dimensional input of size {list(shape)} instead"
        )
    if wshape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(wshape)} instead"
        )
    if wshape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {list(wshape)} instead"
        )
    expected = wshape[0] if transposed else wshape[1] * groups
    kind = f"transposed={int(transposed)}, " if transposed else f"groups={groups}, "
    if shape[1] != expected:
        raise RuntimeError(
            f"Given {kind}weight of size {list(wshape)}, expected input{list(shape)} to have {expected} channels, but "
            f"got {shape[1]} channels instead"
        )
    made = wshape[1] * groups if transposed else wshape[0]
    if bias is not None and bias != (made,):
        raise RuntimeError(
            f"Given {kind if transposed else ''}weight of size {list(wshape)}, expected bias to be 1-dimensional with {made} "
            f"elements, but got bias of size {list(bias)} instead"
        )
    kernel, space = wshape[2:], shape[2:]
    if transposed:
        for e, s, d in zip(output_padding, stride, dilation):
            if e >= s and e >= d:
                raise RuntimeError(
                    f"output padding must be smaller than either stride or dilation, but got output_padding={e}, "
                    f"stride={s}, dilation={d}"
                )
        made_size = transposed_size(space, kernel, stride, padding, dilation, output_padding)
        if any(s <= 0 for s in made_size) and 0 not in shape:
            raise RuntimeError(
                f"Given input size per channel: {list(space)}. Calculated output size per channel: {list(made_size)}. "
                "Output size is too small"
            )
    else:
        room = [i + 2 * p for i, p in zip(space, padding)]
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
        if any(r > i for r, i in zip(reach, room)):
            raise RuntimeError(
                f"Calculated padded input size per channel: ({' x '.join(map(str, room))}). Kernel size: "
                f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
            )


def _batched(name: str, input: Any, weight: Any, n: int) -> tuple[Tensor, bool]:
    """The input with a dimension of samples, and whether it had one."""
    check_tensor(input, name)
    check_tensor(weight, name, "weight", 2)
    if len(weight._data.shape) != n + 2:
        raise RuntimeError(
            f"weight should have {n + 2} dimensions for {name}, (out channels, in channels, *kernel), but got weight "
            f"of size {list(weight.shape)}"
        )
    if len(input._data.shape) == n + 2:
        return input, True
    if input.ndim != n + 1:
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}"
        )
    return input.unsqueeze(0), False


def _plain(name, n, input, weight, bias, stride, padding, dilation, groups):
    x, batched = _batched(name, input, weight, n)
    stride, dilation = _sizes(stride, n, "stride"), _sizes(dilation, n, "dilation")
    if isinstance(padding, str):
        x, padding = _named_padding(x, weight, padding, stride, dilation)
    else:
        padding = _sizes(padding, n, "padding")
    out = convolution.op(*_checked(x, weight, bias, stride, padding, dilation, False, (0,) * n, groups))
    return out if batched else out.squeeze(0)


def _named_padding(x, weight, padding, stride, dilation):
    """padding="valid" or "same": the input, padded where the two sides differ, and the padding left to do."""
    n = len(stride)
    if padding == "valid":
        return x, (0,) * n
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'; it may be 'valid' or 'same'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
    if all(r % 2 == 0 for r in reach):
        return x, tuple(r // 2 for r in reach)
    from torsh.ops.padding import pad

    uneven: list[int] = []
    for r in reversed(reach):
        uneven += [0, r % 2]
    return pad(x, uneven), tuple(r // 2 for r in reach)


def _transpose(name, n, input, weight, bias, stride, padding, output_padding, groups, dilation):
    x, batched = _batched(name, input, weight, n)
    stride, dilation = _sizes(stride, n, "stride"), _sizes(dilation, n, "dilation")
    padding, extra = _sizes(padding, n, "padding"), _sizes(output_padding, n, "output_padding")
    out = convolution.op(*_checked(x, weight, bias, stride, padding, dilation, True, extra, groups))
    return out if batched else out.squeeze(0)


# ---- the public forms ------------------------------------------------------------------------------------------------


@composite("torch.conv1d torch.nn.functional.conv1d")
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide kernels over a sequence.

    input: (N, C, L) or (C, L).  weight: (O, C / groups, K).  padding: an integer, "valid" or "same".
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html

    >>> import torsh
    >>> torsh.conv1d(torsh.tensor([[[1., 2., 3., 4.]]]), torsh.tensor([[[1., 0., -1.]]]), padding=1)
    tensor([[[-2., -2., -2.,  3.]]])
    """
    return _plain("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composite("torch.conv2d torch.nn.functional.conv2d")
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide kernels over an image.

    input: (N, C, H, W) or (C, H, W).  weight: (O, C / groups, KH, KW).  padding: integers, "valid" or "same".
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html

    >>> import torsh
    >>> x, weight = torsh.ones(8, 3, 32, 32), torsh.ones(16, 3, 3, 3)
    >>> torsh.conv2d(x, weight, stride=2, padding=1).shape
    torsh.Size([8, 16, 16, 16])
    """
    return _plain("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composite("torch.conv3d torch.nn.functional.conv3d")
def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide kernels over a volume.

    input: (N, C, D, H, W) or (C, D, H, W).  weight: (O, C / groups, KD, KH, KW).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html

    >>> import torsh
    >>> torsh.conv3d(torsh.ones(1, 2, 4, 4, 4), torsh.ones(3, 2, 2, 2, 2)).shape
    torsh.Size([1, 3, 3, 3, 3])
    """
    return _plain("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@composite("torch.conv_transpose1d torch.nn.functional.conv_transpose1d")
def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of conv1d as an op of its own.

    input: (N, C, L) or (C, L).  weight: (C, O / groups, K).  output_padding: extra length at one end.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html

    >>> import torsh
    >>> torsh.conv_transpose1d(torsh.tensor([[[1., 2.]]]), torsh.tensor([[[1., 1.]]]), stride=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return _transpose("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("torch.conv_transpose2d torch.nn.functional.conv_transpose2d")
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of conv2d as an op of its own.

    input: (N, C, H, W) or (C, H, W).  weight: (C, O / groups, KH, KW).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html

    >>> import torsh
    >>> torsh.conv_transpose2d(torsh.ones(1, 2, 4, 4), torsh.ones(2, 3, 2, 2), stride=2).shape
    torsh.Size([1, 3, 8, 8])
    """
    return _transpose("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("torch.conv_transpose3d torch.nn.functional.conv_transpose3d")
def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of conv3d as an op of its own.

    input: (N, C, D, H, W) or (C, D, H, W).  weight: (C, O / groups, KD, KH, KW).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html

    >>> import torsh
    >>> torsh.conv_transpose3d(torsh.ones(1, 2, 2, 2, 2), torsh.ones(2, 1, 3, 3, 3)).shape
    torsh.Size([1, 1, 4, 4, 4])
    """
    return _transpose("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite("torch.conv_tbc torch.nn.functional.conv_tbc")
def conv_tbc(input, weight, bias, pad=0):
    """conv1d on (time, batch, channels), with a weight of shape (K, C, O).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_tbc.html

    >>> import torsh
    >>> torsh.conv_tbc(torsh.ones(5, 2, 3), torsh.ones(3, 3, 4), torsh.zeros(4)).shape  # (time, batch, channels)
    torsh.Size([3, 2, 4])
    """
    for t, name in ((input, "Input"), (weight, "Weight")):
        if t.ndim != 3:
            raise RuntimeError(f"{name} must have 3 dims: got {t.ndim}")
    if bias.ndim != 1:
        raise RuntimeError(f"Bias must be 1-D, got {bias.ndim}")
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)
