"""Pooling: maxima and means of windows, in one, two and three dimensions.

Public functions bring their arguments to a batch of channels, (N, C, *space); one set of primitives serves every
number of
dimensions.
"""

from __future__ import annotations

import functools
import math
from operator import index
from typing import Any

from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import composite, needs_grad, primitive

Ints = tuple[int, ...]


# ---- primitives ------------------------------------------------------------------------------------------------------


@primitive(
    "",
    layout="channels line",
    args="input kernel stride padding dilation size",
    grad={
        "input": lambda g, input, out1, kernel, stride, dilation: max_pool_backward(
            g[0], out1, tuple(input.shape), all((k - 1) * d < s for k, s, d in zip(kernel, stride, dilation))
        )
    },
    jvp=lambda input_t, out1: (_take(input_t, out1), None),
    meta=lambda input, kernel, stride, padding, dilation, size: [
        ((*input.shape[:2], *size), input.dtype),
        ((*input.shape[:2], *size), _int64()),
    ],
)
def max_pool_with_indices(input, kernel, stride, padding, dilation, size):
    """The largest element of every window and its position in the flattened space."""
    return (input, kernel, stride, padding, dilation, size)


@primitive(
    "",
    layout="channels line",
    args="input kernel stride padding dilation size",
    tags="nondifferentiable",
    meta=lambda input, kernel, stride, padding, dilation, size: ((*input.shape[:2], *size), input.dtype),
    decompose=lambda input, *rest: max_pool_with_indices.op(input, *rest)[0],
)
def max_pool(input, kernel, stride, padding, dilation, size):
    """The largest element of every window, where nobody asks for its position."""
    return (input, kernel, stride, padding, dilation, size)


@primitive(
    "",
    layout="channels line",
    args="g indices size unique",
    grad={"g": lambda grad, indices: _take(grad, indices)},
    meta=lambda g, indices, size, unique: (size, g.dtype),
    tags="linear",
)
def max_pool_backward(g, indices, size, unique):
    """Add each gradient at the position its maximum came from; unique: no position comes twice."""
    return (g, indices, size, unique)


def _filled(x: Any, op: str, name: str, first: int = 1) -> None:
    """Refuse a tensor that is empty otherwise than for want of a batch: in a dimension from ``first`` on."""
    for d, i in enumerate(x.shape):
        if d >= first and not i:
            raise RuntimeError(
                f"{op}(): Expected {name} to have non-zero size for non-batch dimensions, but {name} has sizes {list(x.shape)} "
                f"with dimension {d} being empty"
            )


def _adaptive(g: Any, kind: str) -> Any:
    """The gradient of adaptive pooling, refused as PyTorch does where it pooled to nothing."""
    _filled(g, f"adaptive_{kind}_pool{max(g.ndim - 2, 2)}d_backward", "grad_output")
    return g


def _take(x, indices):
    flat = x.flatten(2).gather(2, indices.flatten(2))
    return flat.reshape(indices.shape)


@primitive(
    "",
    layout="channels line flat",
    args="input kernel stride padding size counts divisor",
    grad={
        "input": lambda g, input, kernel, stride, padding, size, counts, divisor: avg_pool_backward(
            g, tuple(input.shape), kernel, stride, padding, size, counts, divisor
        )
    },
    meta=lambda input, kernel, stride, padding, size, *rest: ((*input.shape[:2], *size), input.dtype),
    tags="linear",
)
def mean_pool(input, kernel, stride, padding, size, counts, divisor):
    """The mean of every window; counts: padding counts as elements; divisor: divide by this, None: by the number."""
    return (input, kernel, stride, padding, size, counts, divisor)


@primitive(
    "",
    layout="channels line flat",
    args="g shape kernel stride padding size counts divisor",
    grad={
        "g": lambda grad, kernel, stride, padding, size, counts, divisor: mean_pool.op(
            grad, kernel, stride, padding, size, counts, divisor
        )
    },
    meta=lambda g, shape, *rest: (shape, g.dtype),
    tags="linear",
)
def avg_pool_backward(g, shape, kernel, stride, padding, size, counts, divisor):
    """The adjoint of ``mean_pool``."""
    return (g, shape, kernel, stride, padding, size, counts, divisor)


@primitive(
    "",
    layout="channels line flat",
    args="input size",
    grad={"input": lambda g, input: adaptive_mean_pool_backward(_adaptive(g, "avg"), tuple(input.shape))},
    meta=lambda input, size: ((*input.shape[: -len(size)], *size), input.dtype),
    tags="linear",
)
def adaptive_mean_pool(input, size):
    """The means of ``size`` windows that together cover the space."""
    return (input, size)


@primitive(
    "",
    layout="channels line flat",
    args="g shape",
    grad={"g": lambda grad, g: adaptive_mean_pool.op(grad, tuple(g.shape[2:]))},
    meta=lambda g, shape: (shape, g.dtype),
    tags="linear",
)
def adaptive_mean_pool_backward(g, shape):
    """The adjoint of ``adaptive_mean_pool``."""
    return (g, shape)


@primitive(
    "",
    layout="channels line flat",
    args="input size",
    grad={"input": lambda g, input, out1: max_pool_backward(_adaptive(g[0], "max"), out1, tuple(input.shape), False)},
    jvp=lambda input_t, out1: (_take(input_t, out1), None),
    meta=lambda input, size: [((*input.shape[:2], *size), input.dtype), ((*input.shape[:2], *size), _int64())],
)
def adaptive_max_pool(input, size):
    """The maxima of ``size`` windows that together cover the space, and their positions."""
    return (input, size)


@primitive(
    "",
    args="input samples kernel size",
    grad={"input": lambda g, input, out1: max_pool_backward(g[0], out1, tuple(input.shape), False)},
    jvp=lambda input_t, out1: (_take(input_t, out1), None),
    meta=lambda input, samples, kernel, size: [
        ((*input.shape[:2], *size), input.dtype),
        ((*input.shape[:2], *size), _int64()),
    ],
)
def fractional_max_pool(input, samples, kernel, size):
    """The maxima of windows at pseudo-random places, and their positions."""
    return (input, samples, kernel, size)


def _int64():
    from torsh.dtypes import int64

    return int64


# ---- arguments -------------------------------------------------------------------------------------------------------


def _ints(value: Any, n: int, op: str, name: str) -> Ints:
    if isinstance(value, int):
        return (value,) * n
    if not isinstance(value, (tuple, list)):
        return (index(value),) * n
    found = tuple(map(index, value))
    if len(found) == 1:
        return found * n
    if len(found) != n:
        what = (
            "a single int"
            if n == 1
            else "either be a single int, or a tuple of " + ("two" if n == 2 else "three") + " ints"
        )
        raise RuntimeError(f"{op}: {name} must {what}, got {list(found)}")
    return found


def _batch(input: Any, n: int, op: str) -> tuple[Any, bool]:
    """The input as (N, C, *space), and whether it had N."""
    check_tensor(input, op)
    shape = input._data.shape
    if len(shape) == n + 2:
        batched = True
    elif len(shape) == n + 1:
        batched = False
    else:
        raise RuntimeError(
            f"{op}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got: {list(input.shape)}"
        )
    if 0 in (shape[1:] if batched else shape):
        raise RuntimeError(
            f"{op}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input and "
            f"non-zero other dimensions, but got: {list(input.shape)}"
        )
    return (input if batched else input.unsqueeze(0)), batched


def _pooled(space: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil: bool, op: str) -> Ints:
    """The spatial size of the result, after PyTorch's checks."""
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for name, values in (("kernel size", kernel), ("stride", stride), ("dilation", dilation)):
        if any(v <= 0 for v in values):
            raise RuntimeError(f"{name} should be greater than zero, but got {list(values)}")
    if any(p < 0 for p in padding):
        raise RuntimeError(f"pad must be non-negative, but got pad: {min(padding)}")
    size = []
    for i, k, s, p, d in zip(space, kernel, stride, padding, dilation):
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )
        n = (i + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)) // s + 1
        if ceil and (n - 1) * s >= i + p:
            n -= 1
        size.append(n)
    if any(n < 1 for n in size):
        raise RuntimeError(
            f"Given input size: ({'x'.join(map(str, space))}). Calculated output size: ({'x'.join(map(str, size))}). "
            "Output size is too small"
        )
    return tuple(size)


def _window(op: str, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: Any) -> Any:
    """``_looked_up``, for arguments that can be."""
    space = tuple(x._data.shape[2:])
    if type(kernel) in _SIMPLE and type(stride) in _SIMPLE and type(padding) in _SIMPLE and type(dilation) in _SIMPLE:
        return _looked_up(op, space, kernel, stride, padding, dilation, ceil)
    return _looked_up.__wrapped__(op, space, kernel, stride, padding, dilation, ceil)


_SIMPLE = frozenset({int, tuple, type(None)})


@functools.lru_cache(512, typed=True)
def _looked_up(op: str, shape: Ints, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: Any) -> Any:
    """What is said of windows as tuples of integers, and the spatial size of the result for an input of a spatial shape."""
    n = len(shape)
    kernel = _ints(kernel, n, op, "kernel_size")
    no_stride = stride is None or (not isinstance(stride, int) and not len(stride))
    stride = kernel if no_stride else _ints(stride, n, op, "stride")
    padding = _ints(padding, n, op, "padding")
    dilation = _ints(dilation, n, op, "dilation")
    return kernel, stride, padding, dilation, _pooled(shape, kernel, stride, padding, dilation, ceil, op)


def _numeric(input: Any, op: str, integers: bool = True) -> None:
    if not input._kind.floating and not (integers and input.dtype.category == 1):
        raise NotImplementedError(f"\"{op}\" not implemented for '{scalar_name(input.dtype)}'; convert the input first")


# ---- max -------------------------------------------------------------------------------------------------------------


def _max(n, input, kernel_size, stride, padding, dilation, ceil_mode, indices):
    op = _MAX[n]
    x, batched = _batch(input, n, op)
    kernel, stride, padding, dilation, size = _window(op, x, kernel_size, stride, padding, dilation, ceil_mode)
    _numeric(x, op)
    if not indices and not needs_grad(x):
        out = max_pool.op(x, kernel, stride, padding, dilation, size)
        return out if batched else out.squeeze(0)
    out, where = max_pool_with_indices.op(x, kernel, stride, padding, dilation, size)
    if not batched:
        out, where = out.squeeze(0), where.squeeze(0)
    return (out, where) if indices else out


@composite("torch.max_pool1d")
def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The maxima of windows of a sequence, (N, C, L) or (C, L).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html

    >>> import torsh
    >>> torsh.max_pool1d(torsh.tensor([[1., 3., 2., 7.]]), kernel_size=2, stride=1)
    tensor([[3., 3., 7.]])
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, False)


@composite("torch.max_pool2d")
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The maxima of windows of an image, (N, C, H, W) or (C, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    >>> import torsh
    >>> torsh.max_pool2d(torsh.arange(16.).reshape(1, 1, 4, 4), 2)[0, 0]
    tensor([[ 5.,  7.],
            [13., 15.]])
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, False)


@composite("torch.max_pool3d")
def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The maxima of windows of a volume, (N, C, D, H, W) or (C, D, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html

    >>> import torsh
    >>> torsh.max_pool3d(torsh.rand(1, 1, 4, 4, 4), 2).shape
    torsh.Size([1, 1, 2, 2, 2])
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, False)


@composite("torch.nn.functional.max_pool1d", name="functional_max_pool1d")
def max_pool1d_function(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima of windows of a sequence; return_indices: also where they were.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> values, indices = F.max_pool1d(torsh.tensor([[1., 3., 2., 7.]]), 2, return_indices=True)
    >>> values, indices
    (tensor([[3., 7.]]), tensor([[1, 3]]))
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite("torch.nn.functional.max_pool2d", name="functional_max_pool2d")
def max_pool2d_function(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima of windows of an image; return_indices: also where they were, in the flattened plane.

    kernel_size, stride (default kernel_size), padding, dilation: an int or a pair. ceil_mode: round the output's size up. Padding counts
    as -inf and may be at most half of the kernel.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.max_pool2d(torsh.rand(8, 3, 32, 32), kernel_size=3, stride=2, padding=1).shape
    torsh.Size([8, 3, 16, 16])
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite("torch.nn.functional.max_pool3d", name="functional_max_pool3d")
def max_pool3d_function(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The maxima of windows of a volume; return_indices: also where they were, in the flattened space.

    kernel_size, stride (default kernel_size), padding, dilation: an int or a triple. Padding counts as -inf.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.max_pool3d(torsh.rand(1, 1, 4, 4, 4), (1, 2, 2)).shape
    torsh.Size([1, 1, 4, 2, 2])
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite("torch.nn.functional.max_pool1d_with_indices torch.max_pool1d_with_indices")
def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """max_pool1d and where the maxima were.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html

    >>> import torsh
    >>> torsh.max_pool1d_with_indices(torsh.tensor([[1., 3., 2., 7.]]), 2)
    (tensor([[3., 7.]]), tensor([[1, 3]]))
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


@composite("torch.nn.functional.max_pool2d_with_indices torch._C._nn.max_pool2d_with_indices")
def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """max_pool2d and where the maxima were.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> values, indices = F.max_pool2d_with_indices(torsh.tensor([[[1., 2.], [3., 0.]]]), 2)
    >>> values, indices
    (tensor([[[3.]]]), tensor([[[2]]]))
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


@composite("torch.nn.functional.max_pool3d_with_indices torch._C._nn.max_pool3d_with_indices")
def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """max_pool3d and where the maxima were.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> values, indices = F.max_pool3d_with_indices(torsh.arange(8.).reshape(1, 2, 2, 2), 2)
    >>> values.item(), indices.item()
    (7.0, 7)
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)


_MAX, _AVG = ({n: f"{kind}_pool{n}d" for n in (1, 2, 3)} for kind in ("max", "avg"))


# ---- mean ------------------------------------------------------------------------------------------------------------


def _avg(n, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    op = _AVG[n]
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    x, batched = _batch(input, n, op)
    kernel, stride, padding, _, size = _window(op, x, kernel_size, stride, padding, 1, ceil_mode)
    _numeric(x, op + "_out_frame")
    out = mean_pool.op(x, kernel, stride, padding, size, bool(count_include_pad), divisor_override)
    return out if batched else out.squeeze(0)


@composite("torch.avg_pool1d torch.nn.functional.avg_pool1d")
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The means of windows of a sequence, (N, C, L) or (C, L).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html

    >>> import torsh
    >>> torsh.avg_pool1d(torsh.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[2., 6.]])
    """
    return _avg(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@composite("torch.nn.functional.avg_pool2d torch._C._nn.avg_pool2d", out=True)
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """The means of windows of an image, (N, C, H, W) or (C, H, W).

    kernel_size, stride (default kernel_size), padding: an int or a pair. count_include_pad: whether padding's zeros count in the mean.
    divisor_override: what to divide by instead of the window's size.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.avg_pool2d(torsh.arange(16.).reshape(1, 1, 4, 4), 2)[0, 0]
    tensor([[ 2.5000,  4.5000],
            [10.5000, 12.5000]])
    """
    return _avg(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@composite("torch.nn.functional.avg_pool3d torch._C._nn.avg_pool3d", out=True)
def avg_pool3d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """The means of windows of a volume, (N, C, D, H, W) or (C, D, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.avg_pool3d(torsh.ones(1, 1, 4, 4, 4), 2, stride=1).shape
    torsh.Size([1, 1, 3, 3, 3])
    """
    return _avg(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp(n, input, norm_type, kernel_size, stride, ceil_mode):
    kernel = _ints(kernel_size, n, f"lp_pool{n}d", "kernel_size")
    out = _avg(n, input.pow(norm_type), kernel, stride, 0, ceil_mode, True, None)
    return (out.sign() * out.abs().relu()).mul(math.prod(kernel)).pow(1.0 / norm_type)


@composite("torch.nn.functional.lp_pool1d")
def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norms of windows of a sequence.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.lp_pool1d(torsh.tensor([[3., 4., 6., 8.]]), 2, kernel_size=2)
    tensor([[ 5., 10.]])
    """
    return _lp(1, input, norm_type, kernel_size, stride, ceil_mode)


@composite("torch.nn.functional.lp_pool2d")
def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norms of windows of an image.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.lp_pool2d(torsh.ones(1, 1, 2, 2), 2, kernel_size=2)
    tensor([[[[2.]]]])
    """
    return _lp(2, input, norm_type, kernel_size, stride, ceil_mode)


@composite("torch.nn.functional.lp_pool3d")
def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norms of windows of a volume.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.lp_pool3d(torsh.ones(1, 1, 2, 2, 2), 1, kernel_size=2)
    tensor([[[[[8.]]]]])
    """
    return _lp(3, input, norm_type, kernel_size, stride, ceil_mode)
