"""Gathering and scattering along a dimension, filling by masks."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from torsh_numpy import _compiled

_in_range = _compiled.LOOPS["in_range"]


def _check(index, n, what=RuntimeError, words="index {} is out of bounds for dimension {} with size {}", dim=0):
    """Raise for an index (contiguous) outside of 0 .. n-1."""
    if not index.size:
        return
    run = _in_range.run or _in_range.worth(index.size)
    if run is not None:
        if run(index.ravel(), n):
            return
    elif np.maximum.reduce(index.view(np.uint64), None) < n:  # negative ones look huge without their sign: one pass
        return
    bad = index[(index < 0) | (index >= n)].ravel()[0]
    raise what(words.format(int(bad), dim, n))


def _flat(index, shape, dim):
    """Flat positions in a contiguous array of ``shape`` for an index along a dimension."""
    step = 1
    for n in shape[dim + 1 :]:
        step *= n
    place = index * step if step != 1 else index
    stride = 1
    for d in range(len(shape) - 1, -1, -1):
        if d != dim and index.shape[d] > 1:
            place = place + (np.arange(index.shape[d]) * stride).reshape((-1,) + (1,) * (len(shape) - 1 - d))
        stride *= shape[d]
    return place


def _run_length(shape, dim):
    """How many elements lie between neighbours along a dimension of a contiguous array."""
    return 1 if dim == len(shape) - 1 else math.prod(shape[dim + 1 :])


def _fits(x, index, dim):
    """Whether a compiled loop can serve: an index that is as long as x in all other dimensions."""
    a, b = x.shape, index.shape
    return a == b or (a[:dim] == b[:dim] and a[dim + 1 :] == b[dim + 1 :])


def writable(x):
    """Refuse memory that must not change: NumPy's ``ufunc.at`` writes to it without a word."""
    if not x.flags.writeable:
        raise ValueError("assignment destination is read-only")


def _at_least_1d(x):
    return x if x.ndim else x.reshape(1)


@functools.lru_cache(256)
def _mesh(shape, dim):
    """Open index arrays of a small shape for all dimensions but one."""
    found = [np.arange(n).reshape((-1,) + (1,) * (len(shape) - 1 - d)) for d, n in enumerate(shape)]
    return found[:dim], found[dim + 1 :]


def _small(x, dim, index):
    """The fancy index of a small gather or scatter, range checked."""
    if index.min() < 0 or index.max() >= x.shape[dim]:
        _check(np.ascontiguousarray(index), x.shape[dim], dim=dim)
    before, after = _mesh(index.shape, dim)
    return (*before, index, *after)


_loops = _compiled.LOOPS
_gather = _loops["gather"]


def _out_of_range(index, n, dim):
    _check(index, n, dim=dim)
    raise RuntimeError(f"index out of bounds for dimension {dim} with size {n}")


def gather(x, dim, index, shape):
    if not index.size:
        return np.empty(index.shape, x.dtype)
    run = _gather.run or _gather.worth(index.size)
    if run is not None and x.ndim and _fits(x, index, dim) and (bits := _compiled.PLAIN[x.dtype]) is not None:
        index, out = np.ascontiguousarray(index), np.empty(index.shape, x.dtype)
        source, target = x.ravel(), out.ravel()
        if bits is not x.dtype:
            source, target = source.view(bits), target.view(bits)
        if not run(source, x.shape[dim], index.ravel(), index.shape[dim], _run_length(x.shape, dim), target):
            _out_of_range(index, x.shape[dim], dim)
        return out
    if index.size < 2048 and x.ndim > 1:
        return x[_small(x, dim, index)]
    result_shape = index.shape
    x, index = _at_least_1d(x), np.ascontiguousarray(_at_least_1d(index))
    _check(index, x.shape[dim], dim=dim)
    if x.ndim == 1:
        return x.take(index).reshape(result_shape)
    return np.ascontiguousarray(x).reshape(-1).take(_flat(index, x.shape, dim)).reshape(result_shape)


def _target(x):
    """(contiguous array of at least one dimension to write to, whether it must be copied back)."""
    y = _at_least_1d(x)
    return (y, False) if y.flags.c_contiguous else (np.ascontiguousarray(y), True)


def _scatter_with(x, dim, index, src, write):
    """Call ``write(flat array, positions, values)`` for a scatter into x, in place."""
    if not index.size:
        return x
    if index.size < 2048 and x.ndim > 1 and (write is _put or write is np.add.at):
        write(x, _small(x, dim, index), src)
        return x
    index = np.ascontiguousarray(_at_least_1d(index))
    y, copied = _target(x)
    _check(index, y.shape[dim], dim=dim)
    places = _flat(index, y.shape, dim).reshape(-1)
    write(y.reshape(-1), places, src.reshape(-1) if isinstance(src, np.ndarray) else src)
    if copied:
        x[...] = y.reshape(x.shape)
    return x


def _scattered(x, dim, index, src, bits, loop):
    """A scatter by a compiled loop; None where none serves."""
    run = loop.run or loop.worth(index.size)
    if run is None or not x.ndim or bits is None or not index.size or not _fits(x, index, dim):
        return None
    index = np.ascontiguousarray(index)
    y, copied = _target(x)
    flat = y.ravel()
    if isinstance(src, np.ndarray):
        src = src.ravel()
        if bits is not x.dtype:
            flat, src = flat.view(bits), src.view(bits)
    if not run(flat, x.shape[dim], index.ravel(), index.shape[dim], _run_length(x.shape, dim), src):
        _out_of_range(index, x.shape[dim], dim)
    if copied:
        x[...] = y
    return x


def _put(y, places, values):
    y[places] = values


def scatter_(x, dim, index, src, reduce):
    writable(x)
    if reduce is None:
        if isinstance(src, np.ndarray):
            found = _scattered(x, dim, index, src, _compiled.PLAIN[x.dtype], _loops["scatter"])
        elif x.dtype.kind in "iufc" and x.dtype != np.float16:
            found = _scattered(x, dim, index, x.dtype.type(src), x.dtype, _loops["scatter_number"])
        else:
            found = None
        return _scatter_with(x, dim, index, src, _put) if found is None else found
    if not isinstance(src, np.ndarray):
        src = np.full(index.shape, src, x.dtype)
    if x.dtype.itemsize < 4 and x.dtype.kind in "fV":
        x[...] = scatter_reduce_(x.astype(np.float32), dim, index, src.astype(np.float32), reduce, True).astype(x.dtype)
        return x
    return scatter_reduce_(x, dim, index, src, reduce, True)


def _adds(dtype):
    """The dtype if compiled loops can add numbers of it."""
    return dtype if dtype.kind in "iufc" and dtype != np.float16 else None


def scatter_add_(x, dim, index, src):
    writable(x)
    found = _scattered(x, dim, index, src, _adds(x.dtype), _loops["scatter_add"])
    if found is not None:
        return found
    return _scatter_with(x, dim, index, src, np.add.at if x.dtype != bool else np.logical_or.at)


_UFUNCS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum, "sum": np.add, "mean": np.add}


def _neutral(dtype, reduce):
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return info.min if reduce == "amax" else info.max
    return -np.inf if reduce == "amax" else np.inf


def scatter_reduce_(x, dim, index, src, reduce, include_self):
    writable(x)

    def write(y, places, values):
        if not include_self:
            y[places] = _neutral(y.dtype, reduce)
        _UFUNCS[reduce].at(y, places, values)
        if reduce == "mean":
            counts = np.bincount(places, minlength=y.size)
            touched = counts > 0
            counts = counts[touched] + int(include_self)
            sums = y[touched]
            y[touched] = sums // counts if y.dtype.kind in "iu" else sums / counts.astype(sums.real.dtype)

    return _scatter_with(x, dim, index, src, write)


def _along(x, dim, index):
    return (*(slice(None),) * dim, index)


def index_select(x, dim, index, shape):
    if not x.ndim:
        _check(index, 1, IndexError, "index out of range in self: index {} for dimension {} of size {}")
        return x.copy()
    if not x.shape[dim] and x.ndim > 1 and index.size:
        raise RuntimeError(
            f"index_select(): self indexing axis dim should be positive: dimension {dim} of {list(x.shape)} is empty"
        )
    taken = x.size or x.ndim == 1
    _check(
        np.ascontiguousarray(index),
        x.shape[dim],
        IndexError if taken else RuntimeError,
        "index out of range in self: index {} for dimension {} of size {}"
        if taken
        else "INDICES element is out of DATA bounds, id={0} axis_dim={2}: in dimension {1}",
        dim,
    )
    return x.take(index, dim)


def index_add_(x, dim, index, source, alpha):
    writable(x)
    index = np.ascontiguousarray(index)
    y, source = _at_least_1d(x), _at_least_1d(source)
    if y.ndim > 1 and alpha == 1:  # then PyTorch takes the way of scatter_add
        _check(index, y.shape[dim], dim=dim)
    else:
        _check(index, y.shape[dim], IndexError, "index out of range in self: index {} for dimension {} of size {}", dim)
    if alpha != 1:
        source = source * x.dtype.type(alpha)
    add_slices(y, dim, index, source)
    return x


def add_slices(y, dim, index, source):
    """y[index] += source along a dimension, repeated indices adding up."""
    if y.dtype == bool:
        np.logical_or.at(y, _along(y, dim, index), source)
        return
    if y.ndim == 1:
        np.add.at(y, index, source)
        return
    if dim:
        y, source = np.moveaxis(y, dim, 0), np.moveaxis(source, dim, 0)
    rows = index.size
    width = source[0].size if rows else 0
    if not rows or not width:
        return
    run = _add_rows.run or _add_rows.worth(rows * width)
    if run is not None and y.flags.c_contiguous and _adds(y.dtype) is not None:
        run(y.reshape(y.shape[0], width), index, np.ascontiguousarray(source, y.dtype).reshape(rows, width))
        return
    np.add.at(y, index, source)


_add_rows = _loops["add_rows"]


def index_copy_(x, dim, index, source):
    y, source = _at_least_1d(x), _at_least_1d(source)
    index = np.ascontiguousarray(index)
    _check(
        index, y.shape[dim], IndexError, "index_copy_(): index {} is out of bounds for dimension {} with size {}", dim
    )
    y[_along(y, dim, index)] = source
    return x


def index_fill_(x, dim, index, value):
    y = _at_least_1d(x)
    try:
        y[_along(y, dim, index)] = value
    except IndexError as e:
        raise IndexError(str(e).replace("for axis", "for dimension")) from None
    return x


def masked_fill_(x, mask, value):
    np.copyto(x, value, where=mask, casting="unsafe")
    return x


def masked_fill(x, mask, value):
    out = x.copy()
    np.copyto(out, value, where=mask, casting="unsafe")
    return out


def masked_scatter_(x, mask, source):
    n = int(np.count_nonzero(mask))
    if source.size < n:
        raise RuntimeError(
            f"Number of elements of source < number of ones in mask: {source.size} values for {n} places"
        )
    x[mask] = source.reshape(-1)[:n]
    return x


def take(x, index, shape):
    try:
        return x.reshape(-1).take(index)
    except IndexError:
        bad = index[(index < -x.size) | (index >= x.size)].ravel()[0]
        raise IndexError(f"out of range: tried to access index {bad} on a tensor of {x.size} elements.") from None


def _copying(write):
    """The form of a kernel that leaves its first operand alone."""
    return lambda x, *args: write(x.copy(), *args)


KERNELS: dict[str, Any] = {
    "gather": gather,
    "scatter_": scatter_,
    "scatter": _copying(scatter_),
    "scatter_add_": scatter_add_,
    "scatter_add": _copying(scatter_add_),
    "scatter_reduce_": scatter_reduce_,
    "scatter_reduce": _copying(scatter_reduce_),
    "index_select": index_select,
    "index_add_": index_add_,
    "index_add": _copying(index_add_),
    "index_copy_": index_copy_,
    "index_copy": _copying(index_copy_),
    "index_fill_": index_fill_,
    "index_fill": _copying(index_fill_),
    "masked_fill_": masked_fill_,
    "masked_fill": masked_fill,
    "masked_scatter_": masked_scatter_,
    "masked_scatter": _copying(masked_scatter_),
    "take": take,
}
