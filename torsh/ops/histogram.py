"""Counting: bincount and histograms."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes, return_types
from torsh.dtypes import scalar_name
from torsh.ops._args import by_example, check_tensor
from torsh.ops._op import composite, primitive
from torsh.ops.creation import linspace
from torsh.ops.indexing import _no_meta
from torsh.tensor import Tensor


@primitive("torch.bincount Tensor.bincount", args="input weights minlength", tags="nondifferentiable data-dependent",
           meta=lambda *args: _no_meta("bincount"))  # fmt: skip
def bincount(input, weights=None, minlength=0):
    """How often each integer from 0 on occurs in a vector, or the sum of the weights of its occurrences.

    minlength: the least length of the result.  Raises RuntimeError for negative values.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.bincount.html

    >>> import torsh
    >>> torsh.bincount(torsh.tensor([0, 1, 1, 3]))
    tensor([1, 2, 0, 1])
    >>> torsh.bincount(torsh.tensor([0, 1, 1]), weights=torsh.tensor([0.5, 1., 2.]))
    tensor([0.5000, 3.0000])
    """
    check_tensor(input, "bincount")
    if input._kind.inexact or input.dtype is dtypes.bool:
        raise NotImplementedError(
            f"\"bincount_cpu\" not implemented for '{scalar_name(input.dtype)}'; it counts integers"
        )
    if input.ndim != 1 and (input.numel() or input.ndim > 1):
        raise RuntimeError(
            f"bincount only supports 1-d non-negative integral inputs. The input has {input.ndim} dimensions"
        )
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if weights is not None:
        if weights.ndim != 1 or weights.shape[0] != input.shape[0]:
            raise RuntimeError(
                f"weights should be 1-d and have the same length as input: {list(weights.shape)} and "
                f"{list(input.shape)}"
            )
        if weights.dtype is not dtypes.float32:
            weights = weights.to(dtypes.float64)
    return (input, weights, int(minlength))


@primitive(
    "", name="histc_counts", args="input bins low high", tags="nondifferentiable moves",
    meta=lambda input, bins, low, high: ((bins,), input.dtype),
)  # fmt: skip
def _histc(input, bins, low, high):
    """Counts of values in equal bins between two numbers."""
    return (input, bins, low, high)


def _data_range(input: Tensor) -> tuple[float, float]:
    if not input.numel() or input.device.type == "meta":
        return 0.0, 0.0
    return float(input.min().item()), float(input.max().item())


def _positive(bins: Any) -> int:
    bins = int(bins)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    return bins


@composite("torch.histc Tensor.histc", out="typed")
def histc(input, bins=100, min=0, max=0):
    """How many values fall into each of ``bins`` equal bins between ``min`` and ``max`` (both 0: the data's own range).

    Values outside are not counted.  The counts have the input's dtype.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.histc.html

    >>> import torsh
    >>> torsh.histc(torsh.tensor([1., 2., 1.]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    check_tensor(input, "histc")
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{scalar_name(input.dtype)}'; convert it to float"
        )
    bins = _positive(bins)
    if (found := by_example(histc, input, bins, min, max)) is not None:
        return found
    low, high = float(min), float(max)
    if low == high and input.numel():
        low, high = _data_range(input)
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, got [{low:g}, {high:g}]")
    return _histc(input.detach(), bins, low, high)


@primitive(
    "", name="histogramdd_counts", args="input edges weight", tags="nondifferentiable",
    meta=lambda input, edges, weight: (tuple(e.shape[0] - 1 for e in edges), input.dtype),
)  # fmt: skip
def _counts(input, edges, weight):
    """Weights of points (N, D) summed per cell of the grid that D vectors of edges make, the last ones included."""
    return (input, list(edges), weight)


def _edges(input: Tensor, bins: Any, range: Any) -> list[Tensor]:
    """The bins' edges for each coordinate of points (N, D)."""
    count = input.shape[1]
    if isinstance(bins, int):
        bins = [bins] * count
    if len(bins) != count:
        raise RuntimeError(
            f"torch.histogramdd: expected {count} sequences of bin edges for a {count}-dimensional histogram but got "
            f"{len(bins)}"
        )
    if isinstance(bins[0], Tensor):
        for d, b in enumerate(bins):
            if b.dtype is not input.dtype:
                raise RuntimeError(
                    "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with "
                    f"dtype {scalar_name(input.dtype).lower()} and bins for dimension {d} with dtype "
                    f"{scalar_name(b.dtype).lower()}"
                )
            if b.ndim != 1:
                raise RuntimeError(
                    f"torch.histogramdd: bins tensor should have one dimension, but got {b.ndim} dimensions in the "
                    f"bins tensor for dimension {d}"
                )
            if not b.numel():
                raise RuntimeError(
                    f"torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins "
                    f"tensor for dimension {d}"
                )
        return list(bins)
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, but got "
            f"{len(range)}"
        )
    found = []
    for d, b in enumerate(bins):
        if b <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {b} for dimension {d}")
        if range is None and input.dtype.itemsize < 4:
            raise NotImplementedError(
                f"\"histogramdd\" not implemented for '{scalar_name(input.dtype)}' without a range; "
                "pass range=(low, high)"
            )
        low, high = (range[2 * d], range[2 * d + 1]) if range is not None else _data_range(input[:, d])
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"
            )
        if low == high:
            low, high = (low - 0.5, high + 0.5) if input.numel() else (0.0, 1.0)
        found.append(linspace(low, high, b + 1, dtype=input.dtype, device=input.device))
    return found


def _histogram(input: Tensor, bins: Any, range: Any, weight: Any, density: bool) -> tuple[Tensor, list[Tensor]]:
    """Counts and edges for points (N, D)."""
    if not input._kind.floating:
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(input.dtype)}'")
    if weight is not None:
        if weight.dtype is not input.dtype:
            raise RuntimeError(
                "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same "
                f"dtype, but got input(type {scalar_name(input.dtype)}), and weight(type {scalar_name(weight.dtype)})"
            )
        if tuple(weight.shape) != tuple(input.shape[:1]):
            raise RuntimeError(
                "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
                f"excluding its innermost dimension, but got input with shape {list(input.shape)} and weight with "
                f"shape {list(weight.shape)}"
            )
    edges = _edges(input, bins, range)
    counts = _counts(input.detach(), edges, None if weight is None else weight.detach())
    if density:
        counts = counts / counts.sum()
        for d, e in enumerate(edges):
            counts = counts / (e[1:] - e[:-1]).reshape(-1, *[1] * (counts.ndim - d - 1))
    return counts, edges


@composite("torch.histogram Tensor.histogram", out="typed")
def histogram(input, bins, *, range=None, weight=None, density=False):
    """The histogram of all values: a named tuple (hist, bin_edges).

    bins: how many, or a vector of edges.  range: (lowest, highest) edge; default: the data's.  weight: what each value
    counts. density: whether the integral over the range becomes 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.histogram.html

    >>> import torsh
    >>> torsh.histogram(torsh.tensor([1., 2., 1.]), bins=4, range=(0., 3.))
    torsh.return_types.histogram(
    hist=tensor([0., 2., 1., 0.]),
    bin_edges=tensor([0.0000, 0.7500, 1.5000, 2.2500, 3.0000]))
    """
    check_tensor(input, "histogram")
    if (found := by_example(_one_histogram, input, bins, range, weight, density)) is not None:
        return found
    if weight is not None:
        if tuple(weight.shape) != tuple(input.shape):
            raise RuntimeError(
                "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
                f"excluding its innermost dimension, but got input with shape {[input.numel(), 1]} and weight with "
                f"shape {list(weight.shape)}"
            )
        weight = weight.reshape(-1)
    bins = [bins] if isinstance(bins, Tensor) else [int(bins)]
    counts, edges = _histogram(input.reshape(-1, 1), bins, range, weight, density)
    return return_types.histogram(counts, edges[0])


def _one_histogram(input: Tensor, bins: Any, range: Any, weight: Any, density: bool) -> Any:
    return histogram(input, bins, range=range, weight=weight, density=density)


@composite("torch.histogramdd")
def histogramdd(input, bins, range=None, weight=None, density=False):
    """The histogram of points (the last dimension holds the coordinates): a named tuple (hist, bin_edges).

    bins: how many along each coordinate (or one number for all), or a sequence of vectors of edges.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.histogramdd.html

    >>> import torsh
    >>> hist, edges = torsh.histogramdd(torsh.tensor([[0., 1.], [1., 0.], [2., 0.]]), bins=[3, 2])
    >>> hist
    tensor([[0., 1.],
            [1., 0.],
            [1., 0.]])
    """
    check_tensor(input, "histogramdd")
    if input.ndim < 2:
        raise RuntimeError(f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {input.ndim}")
    if (found := by_example(histogramdd, input, bins, range, weight, density)) is not None:
        return found
    points = input.reshape(-1, input.shape[-1])
    counts, edges = _histogram(points, bins, range, None if weight is None else weight.reshape(-1), density)
    return return_types.histogramdd(counts, tuple(edges))
