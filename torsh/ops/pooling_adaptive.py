"""Pooling to a given size, at random places, and undoing max pooling."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from torsh.dtypes import int64
from torsh.ops._args import check_tensor, has_values
from torsh.ops._op import composite
from torsh.ops.pooling import (
    _batch,
    _filled,
    _ints,
    _numeric,
    adaptive_max_pool,
    adaptive_mean_pool,
    fractional_max_pool,
)

# ---- adaptive --------------------------------------------------------------------------------------------------------


def _target(input: Any, size: Any, n: int, op: str) -> tuple[int, ...]:
    """The wanted spatial size, None meaning that of the input."""
    check_tensor(input, op)
    if n > 1 and isinstance(size, (tuple, list)) and input.ndim <= len(size):
        raise ValueError(f"Input dimension should be at least {len(size) + 1}, got {input.ndim}")
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"{op}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input.shape)}")
    space = tuple(input.shape[-n:])
    if size is None or isinstance(size, int):
        size = (size,) * n
    elif len(size) != n:
        if n == 1 or len(size) != 1:
            raise RuntimeError(f"{op}(): internal error: output_size.size() must be {n}, got {list(size)}")
        size = tuple(size) * n
    found = tuple(i if s is None else index(s) for s, i in zip(size, space))
    if any(s < 0 for s in found):
        raise RuntimeError(
            f"{op}(): elements of output_size must be greater than or equal to 0 but received {list(found)}"
        )
    # PyTorch lets means of images and sequences have no channels.
    _filled(input, op, "input", input.ndim - n if "avg" in op and n < 3 else 1)
    return found


def _adaptive_mean(n, input, output_size):
    size = _target(input, output_size, n, f"adaptive_avg_pool{n}d")
    if all(s == 1 for s in size) and input._kind.inexact:
        return input.mean(tuple(range(-n, 0)), keepdim=True)
    _numeric(input, f"adaptive_avg_pool{n}d", False)
    if input.ndim == n + 1:
        return adaptive_mean_pool.op(input.unsqueeze(0), size).squeeze(0)
    return adaptive_mean_pool.op(input, size)


@composite("torch.adaptive_avg_pool1d torch.nn.functional.adaptive_avg_pool1d")
def adaptive_avg_pool1d(input, output_size):
    """The means of ``output_size`` windows that cover a sequence.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html

    >>> import torsh
    >>> torsh.adaptive_avg_pool1d(torsh.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[2., 6.]])
    """
    return _adaptive_mean(1, input, output_size)


@composite("torch.nn.functional.adaptive_avg_pool2d torch._C._nn.adaptive_avg_pool2d")
def adaptive_avg_pool2d(input, output_size):
    """The means of ``output_size`` windows that cover an image; None keeps a dimension.

    input: (N, C, H, W) or (C, H, W). output_size: an int or a pair.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.adaptive_avg_pool2d(torsh.ones(1, 3, 7, 5), (2, None)).shape  # None keeps a size
    torsh.Size([1, 3, 2, 5])
    """
    return _adaptive_mean(2, input, output_size)


@composite("torch.nn.functional.adaptive_avg_pool3d torch._C._nn.adaptive_avg_pool3d")
def adaptive_avg_pool3d(input, output_size):
    """The means of ``output_size`` windows that cover a volume; None keeps a dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.adaptive_avg_pool3d(torsh.ones(1, 3, 4, 4, 4), 1).shape
    torsh.Size([1, 3, 1, 1, 1])
    """
    return _adaptive_mean(3, input, output_size)


def _adaptive_max(n, input, output_size, indices):
    size = _target(input, output_size, n, f"adaptive_max_pool{n}d")
    _numeric(input, f"adaptive_max_pool{n}d", False)
    x, batched = _batch(input, n, f"adaptive_max_pool{n}d")
    out, where = adaptive_max_pool.op(x, size)
    if not batched:
        out, where = out.squeeze(0), where.squeeze(0)
    return (out, where) if indices else out


@composite("torch.nn.functional.adaptive_max_pool1d")
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The maxima of ``output_size`` windows that cover a sequence.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.adaptive_max_pool1d(torsh.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[3., 7.]])
    """
    return _adaptive_max(1, input, output_size, return_indices)


@composite("torch.nn.functional.adaptive_max_pool2d")
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The maxima of ``output_size`` windows that cover an image.

    output_size: an int or a pair; None keeps a size. return_indices: also where the maxima were.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.adaptive_max_pool2d(torsh.ones(1, 3, 7, 5), 2).shape
    torsh.Size([1, 3, 2, 2])
    """
    return _adaptive_max(2, input, output_size, return_indices)


@composite("torch.nn.functional.adaptive_max_pool3d")
def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The maxima of ``output_size`` windows that cover a volume.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.adaptive_max_pool3d(torsh.ones(1, 3, 4, 4, 4), (2, 1, 2)).shape
    torsh.Size([1, 3, 2, 1, 2])
    """
    return _adaptive_max(3, input, output_size, return_indices)


@composite("torch.adaptive_max_pool1d torch.nn.functional.adaptive_max_pool1d_with_indices")
def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool1d and where the maxima were.

    The pair (values, indices); the function of ``nn.functional`` of this name gives the indices only when asked.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.adaptive_max_pool1d(torsh.tensor([[1., 3., 5., 7.]]), 2)
    (tensor([[3., 7.]]), tensor([[1, 3]]))
    """
    return _adaptive_max(1, input, output_size, True)


@composite("torch.nn.functional.adaptive_max_pool2d_with_indices torch._C._nn.adaptive_max_pool2d")
def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool2d and where the maxima were.

    Takes what :func:`adaptive_max_pool2d` takes and gives the pair (values, indices into each flattened plane).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d_with_indices.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> values, indices = F.adaptive_max_pool2d_with_indices(torsh.tensor([[[1., 2.], [3., 4.]]]), 1)
    >>> values.item(), indices.item()
    (4.0, 3)
    """
    return _adaptive_max(2, input, output_size, True)


@composite("torch.nn.functional.adaptive_max_pool3d_with_indices torch._C._nn.adaptive_max_pool3d")
def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """adaptive_max_pool3d and where the maxima were.

    Takes what :func:`adaptive_max_pool3d` takes and gives the pair (values, indices into each flattened volume).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d_with_indices.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> values, indices = F.adaptive_max_pool3d_with_indices(torsh.arange(8.).reshape(1, 2, 2, 2), 1)
    >>> values.item(), indices.item()
    (7.0, 7)
    """
    return _adaptive_max(3, input, output_size, True)


# ---- fractional ------------------------------------------------------------------------------------------------------


def _sizes(value, n, op, name):
    """One int per dimension, from an int or as many: here one of a tuple does not stand for all."""
    if not isinstance(value, int) and len(value) != n:
        raise RuntimeError(
            f"{op}: {name} must either be a single Int or tuple of {'three ' if n == 3 else ''}Ints, got {list(value)}"
        )
    return _ints(value, n, op, name)


def _fractional(n, input, kernel_size, output_size, output_ratio, random_samples, indices):
    op = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{op} requires specifying either an output_size or an output_ratio")
    if input.ndim in (n + 1, n + 2):
        _filled(input, op, "input")
    x, batched = _batch(input, n, op)
    kernel = _sizes(kernel_size, n, op, "kernel_size")
    space = tuple(x.shape[2:])
    if output_size is None:
        ratio = (output_ratio,) * n if isinstance(output_ratio, float) else tuple(output_ratio)
        if len(ratio) != n:
            raise ValueError(f"{op} requires output_ratio to either be a single float or tuple of {n} floats.")
        output_size = tuple(int(i * r) for i, r in zip(space, ratio))
    size = _sizes(output_size, n, op, "output_size")
    for i, k, s, name in zip(space, kernel, size, ("time", "height", "width")[-n:]):
        if s + k - 1 > i:
            raise RuntimeError(f"{op}(): pool {name} {k} too large relative to input {name} {i} for an output of {s}")
    if random_samples is None:
        from torsh.ops.random import rand

        random_samples = rand(x.shape[0], x.shape[1], n, dtype=x.dtype, device=x.device)
    elif (
        random_samples.ndim != 3 or random_samples.shape[0] < x.shape[0] or random_samples.shape[1:] != (x.shape[1], n)
    ):
        raise RuntimeError(
            f"Expect _random_samples to have shape {[x.shape[0], x.shape[1], n]}, but got {list(random_samples.shape)}"
        )
    elif random_samples.dtype is not x.dtype:
        raise RuntimeError(
            f"Expect _random_samples to have the same dtype as input: {random_samples.dtype} and {x.dtype}"
        )
    # There may be more of them than the batch needs.
    out, where = fractional_max_pool.op(x, random_samples[: x.shape[0]], kernel, size)
    if not batched:
        out, where = out.squeeze(0), where.squeeze(0)
    return (out, where) if indices else out


@composite("torch.nn.functional.fractional_max_pool2d")
def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Max pooling with windows at pseudo-random places, so that any output size is possible (arXiv:1412.6071).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.fractional_max_pool2d(torsh.rand(1, 1, 9, 9), 2, output_ratio=(0.6, 0.6)).shape
    torsh.Size([1, 1, 5, 5])
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples, return_indices)


@composite("torch.nn.functional.fractional_max_pool3d")
def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Max pooling of volumes with windows at pseudo-random places (arXiv:1412.6071).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.fractional_max_pool3d(torsh.rand(1, 1, 8, 8, 8), 2, output_size=3).shape
    torsh.Size([1, 1, 3, 3, 3])
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples, return_indices)


@composite("torch.nn.functional.fractional_max_pool2d_with_indices")
def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """fractional_max_pool2d and where the maxima were.

    Takes what :func:`fractional_max_pool2d` takes and gives the pair (values, indices into each flattened plane).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d_with_indices.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> values, indices = F.fractional_max_pool2d_with_indices(torsh.rand(1, 1, 9, 9), 2, output_size=4)
    >>> values.shape, indices.dtype
    (torsh.Size([1, 1, 4, 4]), torsh.int64)
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples, True)


@composite("torch.nn.functional.fractional_max_pool3d_with_indices")
def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """fractional_max_pool3d and where the maxima were.

    Takes what :func:`fractional_max_pool3d` takes and gives the pair (values, indices into each flattened volume).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d_with_indices.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> values, indices = F.fractional_max_pool3d_with_indices(torsh.rand(1, 1, 8, 8, 8), 2, output_size=3)
    >>> values.shape, indices.dtype
    (torsh.Size([1, 1, 3, 3, 3]), torsh.int64)
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples, True)


# ---- undoing max pooling ---------------------------------------------------------------------------------------------


def _unpool(n, input, indices, kernel_size, stride, padding, output_size):
    from torsh._functions import alert_not_deterministic

    alert_not_deterministic(f"max_unpooling{max(n, 2)}d_forward_out")
    op = f"max_unpool{n}d"
    kernel = _ints(kernel_size, n, op, "kernel_size")
    stride = kernel if stride is None else _ints(stride, n, op, "stride")
    padding = _ints(padding, n, op, "padding")
    space = tuple(input.shape[-n:])
    least = tuple((i - 1) * s + k - 2 * p for i, s, k, p in zip(space, stride, kernel, padding))
    if output_size is None:
        size = least
    else:
        size = tuple(output_size)[-n:] if len(output_size) == n + 2 else tuple(output_size)
        if len(size) != n:
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
                f"'{len(output_size)}'"
            )
        for d in range(n):
            low, high = least[d] - stride[d], least[d] + stride[d]
            if not low < size[d] < high:
                raise ValueError(f'invalid output_size "{list(size)}" (dim {d} must be between {low} and {high})')
    if indices.dtype is not int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"Input to {op} should be a {n + 1}d or {n + 2}d Tensor, instead got: {input.ndim}d")
    if input.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}"
        )
    lead = tuple(input.shape[:-n])
    total = math.prod(size)
    if has_values(indices) and indices.numel() and (int(indices.max()) >= total or int(indices.min()) < 0):
        raise RuntimeError(
            f"Found an invalid max index: {int(indices.max())} (output volumes are of size {'x'.join(map(str, size))}"
        )
    count = math.prod(input.shape[-n:])
    flat = input.new_zeros((*lead, total)).scatter(-1, indices.reshape(*lead, count), input.reshape(*lead, count))
    return flat.reshape(*lead, *size)


@composite("torch.nn.functional.max_unpool1d")
def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put each value where max_pool1d found it, 0 elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> pooled, indices = F.max_pool1d(torsh.tensor([[[1., 3., 5., 2.]]]), 2, return_indices=True)
    >>> F.max_unpool1d(pooled, indices, 2)
    tensor([[[0., 3., 5., 0.]]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@composite("torch.nn.functional.max_unpool2d", layout="channels")
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put each value where max_pool2d found it, 0 elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> pooled, indices = F.max_pool2d(torsh.arange(16.).reshape(1, 1, 4, 4), 2, return_indices=True)
    >>> F.max_unpool2d(pooled, indices, 2)[0, 0]
    tensor([[ 0.,  0.,  0.,  0.],
            [ 0.,  5.,  0.,  7.],
            [ 0.,  0.,  0.,  0.],
            [ 0., 13.,  0., 15.]])
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@composite("torch.nn.functional.max_unpool3d")
def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put each value where max_pool3d found it, 0 elsewhere.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> pooled, indices = F.max_pool3d(torsh.rand(1, 1, 4, 4, 4), 2, return_indices=True)
    >>> F.max_unpool3d(pooled, indices, 2).shape
    torsh.Size([1, 1, 4, 4, 4])
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)
