"""Pooling."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

aten = torch.ops.aten


def _ceil(x, kernel, stride, padding, dilation, size):
    """Whether the wanted size is the one of ceil mode."""
    return any(
        (i + 2 * p - d * (k - 1) - 1) // s + 1 != o
        for i, k, s, p, d, o in zip(x.shape[2:], kernel, stride, padding, dilation, size)
    )


def max_pool(x, kernel, stride, padding, dilation, size):
    fn = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    return fn(x, kernel, stride, padding, dilation, _ceil(x, kernel, stride, padding, dilation, size))


def max_pool_with_indices(x, kernel, stride, padding, dilation, size):
    fn = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    return fn(x, kernel, stride, padding, dilation, _ceil(x, kernel, stride, padding, dilation, size), True)


def max_pool_backward(g, indices, size, unique):
    lead = tuple(size[:2])
    flat = torch.zeros((*lead, math.prod(size[2:])), dtype=g.dtype, device=g.device)
    return flat.scatter_add_(2, indices.flatten(2), g.flatten(2)).reshape(size)


def mean_pool(x, kernel, stride, padding, size, counts, divisor):
    ceil = _ceil(x, kernel, stride, padding, (1,) * len(kernel), size)
    if len(kernel) == 1:
        return F.avg_pool1d(x, kernel, stride, padding, ceil, counts)
    return (F.avg_pool2d, F.avg_pool3d)[len(kernel) - 2](x, kernel, stride, padding, ceil, counts, divisor)


def avg_pool_backward(g, shape, kernel, stride, padding, size, counts, divisor):
    x = torch.empty(shape, dtype=g.dtype, device=g.device)
    ceil = _ceil(x, kernel, stride, padding, (1,) * len(kernel), size)
    if len(kernel) == 1:
        back = aten.avg_pool2d_backward(
            g.unsqueeze(2), x.unsqueeze(2), (1, *kernel), (1, *stride), (0, *padding), ceil, counts, divisor
        )
        return back.squeeze(2)
    fn = (aten.avg_pool2d_backward, aten.avg_pool3d_backward)[len(kernel) - 2]
    return fn(g.contiguous(), x, kernel, stride, padding, ceil, counts, divisor)


def adaptive_mean_pool(x, size):
    return (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[len(size) - 1](x, size)


def adaptive_mean_pool_backward(g, shape):
    x = torch.empty(shape, dtype=g.dtype, device=g.device)
    if len(shape) == 3:
        return aten._adaptive_avg_pool2d_backward(g.unsqueeze(2), x.unsqueeze(2)).squeeze(2)
    if len(shape) == 4:
        return aten._adaptive_avg_pool2d_backward(g, x)
    return aten._adaptive_avg_pool3d_backward(g, x)


def adaptive_max_pool(x, size):
    return (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[len(size) - 1](x, size, True)


def fractional_max_pool(x, samples, kernel, size):
    fn = (F.fractional_max_pool2d, F.fractional_max_pool3d)[len(size) - 2]
    return fn(x, kernel, output_size=size, return_indices=True, _random_samples=samples)


KERNELS = {
    f.__name__: f
    for f in (
        max_pool, max_pool_with_indices, max_pool_backward, mean_pool, avg_pool_backward, adaptive_mean_pool,
        adaptive_mean_pool_backward, adaptive_max_pool, fractional_max_pool,
    )
}  # fmt: skip
