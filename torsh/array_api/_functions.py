"""Manipulation, searching, sorting, sets, statistics and the rest of the main namespace."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

import torsh
from torsh import dtypes
from torsh.array_api._array import standard
from torsh.array_api._creation import promoted

__all__ = [
    "all", "any", "argmax", "argmin", "argsort", "concat", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "expand_dims",
    "flip", "isin", "matmul", "matrix_transpose", "max", "mean", "min", "moveaxis", "nonzero", "permute_dims", "prod", "repeat",
    "reshape", "roll", "searchsorted", "sort", "squeeze", "stack", "std", "sum", "take", "take_along_axis", "tensordot", "tile",
    "unique_all", "unique_counts", "unique_inverse", "unique_values", "unstack", "var", "vecdot", "where",
]  # fmt: skip


# ---- manipulation ------------------------------------------------------------------------------------------------------


@standard
def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays joined along an axis (None: flattened first)."""
    arrays = promoted(arrays)
    if axis is None:
        return torsh.cat([a.reshape(-1) for a in arrays])
    return torsh.cat(arrays, axis)


@standard
def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """Arrays joined along a new axis."""
    return torsh.stack(promoted(arrays), axis)


@standard
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """The array taken apart along an axis."""
    return tuple(torsh.unbind(x, axis))


@standard
def expand_dims(x: Any, /, axis: Any = 0) -> Any:
    """New axes of length 1 at the given positions of the result."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    n = x.ndim + len(axes)
    for a in axes:
        if not -n <= a < n:
            raise IndexError(f"axis {a} is out of range for a result of {n} dimensions")
    places = sorted(a % n for a in axes)
    if len(set(places)) != len(places):
        raise ValueError(f"repeated axis in {axes}")
    for a in places:
        x = x.unsqueeze(a)
    return x


@standard
def squeeze(x: Any, /, axis: Any) -> Any:
    """The array without the given axes, which must have length 1."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"axis {a} has length {x.shape[a]}, not 1: it cannot be squeezed")
    return torsh.squeeze(x, tuple(axes)) if axes else x


@standard
def flip(x: Any, /, *, axis: Any = None) -> Any:
    """The elements in reverse order along axes (None: all)."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return torsh.flip(x, axes)


@standard
def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    """The array with axes moved to other positions."""
    return torsh.movedim(x, source, destination)


@standard
def permute_dims(x: Any, /, axes: Any) -> Any:
    """The array with its axes in another order."""
    return torsh.permute(x, tuple(axes))


@standard
def matrix_transpose(x: Any, /) -> Any:
    """Matrices transposed."""
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose needs at least two dimensions, got {x.ndim}")
    return x.mT


@standard
def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element several times."""
    if isinstance(repeats, torsh.Tensor):
        repeats = repeats.to(torsh.int64)
    return torsh.repeat_interleave(x, repeats, dim=axis)


@standard
def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The elements in another shape."""
    if copy is False:
        try:
            return x.view(tuple(shape))
        except RuntimeError as e:
            raise ValueError(f"cannot reshape without a copy: {e}") from None
    found = torsh.reshape(x, tuple(shape))
    return found.clone() if copy and (found is x or found._base is not None) else found


@standard
def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    """The elements shifted along axes, those beyond the end coming back at the start."""
    return torsh.roll(x, shift, axis)


@standard
def tile(x: Any, repetitions: Any, /) -> Any:
    """The array repeated as a whole."""
    return torsh.tile(x, tuple(repetitions))


# ---- linear algebra ----------------------------------------------------------------------------------------------------


@standard
def matmul(x1: Any, x2: Any, /) -> Any:
    """The matrix product."""
    return torsh.matmul(*promoted((x1, x2)))


@standard
def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes."""
    return torsh.tensordot(*promoted((x1, x2)), axes)


@standard
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Dot products along an axis (the first operand conjugated)."""
    a, b = promoted((x1, x2))
    if not -builtins.min(a.ndim, b.ndim) <= axis < 0:
        raise ValueError(f"axis must be negative and within both operands, got {axis}")
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"operands have lengths {a.shape[axis]} and {b.shape[axis]} along axis {axis}")
    a, b = torsh.broadcast_tensors(a, b)
    product = (a.conj() if a.dtype.is_complex else a) * b
    return torsh.sum(product, axis, dtype=product.dtype)


# ---- searching and sorting ---------------------------------------------------------------------------------------------


@standard
def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the largest element."""
    return torsh.argmax(x, axis, keepdims)


@standard
def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the smallest element."""
    return torsh.argmin(x, axis, keepdims)


@standard
def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    return sum((x != 0).to(torsh.int64), axis=axis, keepdims=keepdims)


@standard
def nonzero(x: Any, /) -> Any:
    """Positions of the elements that are not zero, one array per dimension."""
    if not x.ndim:
        raise ValueError("nonzero() needs at least one dimension, got a 0-d array")
    return tuple(torsh.nonzero(x, as_tuple=True))


@standard
def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where values would have to be inserted to keep an array sorted."""
    x1, x2 = promoted((x1, x2))
    return torsh.searchsorted(x1, x2, side=side, sorter=sorter)


@standard
def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """Elements of x1 where the condition holds, of x2 elsewhere."""
    return torsh.where(condition, *promoted((x1, x2)))


@standard
def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements in order along an axis."""
    return torsh.sort(x, dim=axis, descending=descending, stable=stable)[0]


@standard
def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions of the elements in order along an axis."""
    return torsh.sort(x, dim=axis, descending=descending, stable=stable)[1]


@standard
def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """Elements at positions along an axis."""
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"axis is required for an array of {x.ndim} dimensions")
        axis = 0
    axis %= x.ndim
    flat = torsh.index_select(x, axis, indices.reshape(-1).to(torsh.int64) % builtins.max(x.shape[axis], 1))
    return flat.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@standard
def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """Elements at positions given per element along an axis."""
    axis %= x.ndim
    indices = indices.to(torsh.int64)
    lead = torsh.broadcast_shapes(
        tuple(1 if i == axis else n for i, n in enumerate(x.shape)),
        tuple(1 if i == axis else n for i, n in enumerate(indices.shape)),
    )
    x = x.expand(tuple(x.shape[i] if i == axis else n for i, n in enumerate(lead)))
    indices = indices.expand(tuple(indices.shape[i] if i == axis else n for i, n in enumerate(lead)))
    return torsh.gather(x, axis, indices % builtins.max(x.shape[axis], 1))


# ---- sets --------------------------------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What ``unique_all`` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What ``unique_counts`` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What ``unique_inverse`` gives."""

    values: Any
    inverse_indices: Any


def _unique(x: Any) -> UniqueAll:
    """Unique values in order, where each is first, which of them each element is, how often each is there.

    Every nan is a value of its own; zeros of both signs are one.
    """
    flat = x.reshape(-1)
    n = flat.shape[0]
    if x.dtype.is_complex:
        by_imaginary = torsh.sort(torsh.imag(flat), stable=True)[1]
        order = by_imaginary[torsh.sort(torsh.real(flat)[by_imaginary], stable=True)[1]]
    else:
        order = torsh.sort(flat, stable=True)[1]
    ordered = flat[order]
    new = torsh.ones((n,), dtype=torsh.bool, device=x.device)
    if n > 1:
        new[1:] = ordered[1:] != ordered[:-1]
    group = torsh.cumsum(new.to(torsh.int64), 0) - 1
    inverse = torsh.empty((n,), dtype=torsh.int64, device=x.device)
    inverse[order] = group
    starts = torsh.nonzero(new).reshape(-1)
    ends = torsh.cat([starts[1:], torsh.full((1 if n else 0,), n, dtype=torsh.int64, device=x.device)])
    return UniqueAll(ordered[starts], order[starts], inverse.reshape(x.shape), ends - starts)


@standard
def unique_all(x: Any, /) -> Any:
    """(values, indices, inverse_indices, counts)."""
    return _unique(x)


@standard
def unique_counts(x: Any, /) -> Any:
    """(values, counts)."""
    found = _unique(x)
    return UniqueCounts(found.values, found.counts)


@standard
def unique_inverse(x: Any, /) -> Any:
    """(values, inverse_indices)."""
    found = _unique(x)
    return UniqueInverse(found.values, found.inverse_indices)


@standard
def unique_values(x: Any, /) -> Any:
    """The unique values."""
    return _unique(x).values


@standard
def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Which elements of the first operand are in the second."""
    x1, x2 = promoted((x1, x2))
    if not x2.numel():
        found = torsh.zeros(x1.shape, dtype=torsh.bool, device=x1.device)
    else:
        found = (x1.reshape(-1, 1) == x2.reshape(1, -1)).any(1).reshape(x1.shape)
    return ~found if invert else found


# ---- statistics --------------------------------------------------------------------------------------------------------


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(a % x.ndim if x.ndim else a for a in (axis if isinstance(axis, tuple) else (axis,)))


def _sum_dtype(x: Any, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    if x.dtype.category < dtypes.FLOAT:
        return torsh.uint64 if not x.dtype.is_signed and x.dtype.category == dtypes.INT else torsh.int64
    return x.dtype


@standard
def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes (None: all)."""
    dtype = _sum_dtype(x, dtype)
    axes = _axes(x, axis)
    if not axes:
        return x.to(dtype).clone()
    return torsh.sum(x.to(dtype), axes, keepdims, dtype=dtype)


@standard
def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over axes (None: all)."""
    dtype = _sum_dtype(x, dtype)
    x = x.to(dtype)
    for a in sorted(_axes(x, axis), reverse=True):
        x = torsh.prod(x, a, keepdims, dtype=dtype)
    return x


@standard
def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running sums along an axis, optionally starting with 0."""
    return _running(torsh.cumsum, 0, x, axis, _sum_dtype(x, dtype), include_initial)


@standard
def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running products along an axis, optionally starting with 1."""
    return _running(torsh.cumprod, 1, x, axis, _sum_dtype(x, dtype), include_initial)


def _running(function: Any, first: int, x: Any, axis: int | None, dtype: Any, include_initial: bool) -> Any:
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"axis is required for an array of {x.ndim} dimensions")
        axis = 0
    found = function(x.to(dtype), axis, dtype=dtype)
    if include_initial:
        shape = list(x.shape)
        shape[axis] = 1
        found = torsh.cat([torsh.full(tuple(shape), first, dtype=dtype, device=x.device), found], axis)
    return found


def _extreme(function: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    return function(x, axes, keepdims) if axes else x.clone()


@standard
def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over axes (None: all)."""
    return _extreme(torsh.amax, x, axis, keepdims)


@standard
def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over axes (None: all)."""
    return _extreme(torsh.amin, x, axis, keepdims)


@standard
def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes (None: all)."""
    axes = _axes(x, axis)
    return torsh.mean(x, axes, keepdims) if axes else x.clone()


@standard
def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance over axes (None: all), divided by n - correction."""
    axes = _axes(x, axis)
    return (
        torsh.var(x, axes, correction=correction, keepdim=keepdims) if axes else x - x
    )  # zero, and nan where there is nothing finite


@standard
def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The standard deviation over axes (None: all)."""
    axes = _axes(x, axis)
    return (
        torsh.std(x, axes, correction=correction, keepdim=keepdims) if axes else x - x
    )  # zero, and nan where there is nothing finite


@standard
def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements are true, over axes (None: all)."""
    x = x.to(torsh.bool)
    axes = _axes(x, axis)
    return torsh.all(x, axes, keepdims) if axes else x.clone()


@standard
def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any element is true, over axes (None: all)."""
    x = x.to(torsh.bool)
    axes = _axes(x, axis)
    return torsh.any(x, axes, keepdims) if axes else x.clone()


@standard
def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """n-th differences of neighbours along an axis."""
    parts = [p for p in (prepend, x, append) if p is not None]
    if len(parts) > 1:
        x = torsh.cat(parts, axis)
    return torsh.diff(x, n, axis) if n else x
