"""Ops over several chunks that are more than the same op on each chunk: reductions, products, normalisation, sums over samples.

A form that does not fit its arguments gives None; the op then runs on the whole arrays.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np

from torsh.backend import Kernel
from torsh_dask import lazy, tasks
from torsh_dask.lazy import type_of

# ---- elementwise steps -----------------------------------------------------------------------------------------------


def _each(function: Any, *args: Any) -> da.Array:
    """A NumPy function of elements, in the first array's type and without NumPy's warnings of overflow and the like."""
    return lazy.elementwise(function.__name__, function, args, type_of(lazy.arrays_in(args)[0]))


# ---- reductions ------------------------------------------------------------------------------------------------------


def _reduction(function: Callable[..., Any]) -> Kernel:
    def run(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
        return function(x, axis=dim, keepdims=keepdim)

    return run


def _counting(x: da.Array) -> Any:
    """The type sums and products are in."""
    return x.dtype if x.dtype.kind in "fc" else np.int64


def _sum(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.sum(x, axis=dim, keepdims=keepdim, dtype=_counting(x))


def _mean(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    n = math.prod(x.shape if dim is None else [x.shape[d] for d in dim])
    return _each(np.divide, _sum(x, dim, keepdim), x.dtype.type(n))


def _nansum(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.nansum(x, axis=dim, keepdims=keepdim, dtype=_counting(x))


def _prod(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.prod(x, axis=dim, keepdims=keepdim, dtype=_counting(x))


def _axis(dim: Any) -> Any:
    return dim if dim is None or isinstance(dim, int) else dim[0]


def _position(function: Callable[..., Any]) -> Kernel:
    def run(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
        return function(x, axis=_axis(dim), keepdims=keepdim)

    return run


def _pair(value: Callable[..., Any], position: Callable[..., Any]) -> Kernel:
    """The extreme element along a dimension and where it is."""

    def run(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> tuple[da.Array, da.Array]:
        return value(x, axis=_axis(dim), keepdims=keepdim), position(x, axis=_axis(dim), keepdims=keepdim)

    return run


def _var(x: da.Array, dim: Any, keepdim: bool, correction: Any, *rest: Any) -> da.Array:
    # Every chunk is gone through once, and what is known of each is merged (Chan et al.): no chunk waits for the mean.
    n = math.prod(x.shape if dim is None else [x.shape[d] for d in dim])
    mean = da.var(x, axis=dim, keepdims=keepdim)
    return _each(np.divide, _each(np.multiply, mean, mean.dtype.type(n)), mean.dtype.type(max(n - correction, 0)))


def _vector_norm(x: da.Array, ord: float, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    # The norm of parts' norms; counts of elements that are not zero are added up.
    part, whole = (functools.partial(tasks.norm, ord=o) for o in (ord, ord or 1))
    return da.reduction(x, part, whole, axis=dim, keepdims=keepdim, dtype=x.real.dtype)


def _logsumexp(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.reduction(x, tasks.logsumexp, tasks.logsumexp, axis=dim, keepdims=keepdim, dtype=x.dtype)


def _cumulative(function: Callable[..., Any]) -> Kernel:
    def run(x: da.Array, dim: int) -> da.Array:
        wide = {"f": np.float64, "c": np.complex128}.get(x.dtype.kind, np.int64)
        return function(x, axis=dim, dtype=wide)

    return run


def _softmax(x: da.Array, dim: int) -> da.Array | None:
    if x.dtype.kind == "c":
        return None
    e = _each(np.exp, _each(np.subtract, x, da.max(x, axis=dim, keepdims=True)))
    return _each(np.divide, e, da.sum(e, axis=dim, keepdims=True, dtype=x.dtype))


def _log_softmax(x: da.Array, dim: int) -> da.Array | None:
    if x.dtype.kind == "c":
        return None
    d = _each(np.subtract, x, da.max(x, axis=dim, keepdims=True))
    return _each(np.subtract, d, _each(np.log, da.sum(_each(np.exp, d), axis=dim, keepdims=True, dtype=x.dtype)))


def _softmax_backward(g: da.Array, out: da.Array, dim: int) -> da.Array | None:
    if g.dtype.kind == "c":
        return None
    product = _each(np.multiply, g, out)
    total = da.sum(product, axis=dim, keepdims=True, dtype=g.dtype)
    return _each(np.subtract, product, _each(np.multiply, out, total))


def _log_softmax_backward(g: da.Array, out: da.Array, dim: int) -> da.Array | None:
    if g.dtype.kind == "c":
        return None
    total = da.sum(g, axis=dim, keepdims=True, dtype=g.dtype)
    return _each(np.subtract, g, _each(np.multiply, _each(np.exp, out), total))


# ---- products --------------------------------------------------------------------------------------------------------


def _plus(x: da.Array, beta: Any, product: da.Array, alpha: Any) -> da.Array:
    if alpha != 1:
        product = product * alpha
    if beta == 0:  # what x holds, nan too, does not count
        return product if product.shape == x.shape else product + da.zeros(x.shape, dtype=x.dtype)
    return (x if beta == 1 else x * beta) + product


def _addr(x: da.Array, a: da.Array, b: da.Array, beta: Any, alpha: Any) -> da.Array | None:
    return None if x.dtype == bool else _plus(x, beta, a[:, None] * b[None, :], alpha)


def _addbmm(x: da.Array, a: da.Array, b: da.Array, beta: Any, alpha: Any) -> da.Array:
    return _plus(x, beta, da.tensordot(a, b, axes=((0, 2), (0, 1))), alpha)


def _linear_backward(g: da.Array, x: da.Array, w: da.Array) -> tuple[da.Array, da.Array, da.Array] | None:
    if len({tuple(g.chunks[0]), tuple(x.chunks[0])}) > 1 or g.ndim < 2:
        return None
    of_weight = lazy.call("linear_backward", tasks.weight_gradient, (g, x), (w.shape, type_of(g)), (0, 1), True)
    return da.matmul(g, w.conj()), of_weight, da.sum(g, axis=tuple(range(g.ndim - 1)), dtype=g.dtype)


# ---- sums over samples -----------------------------------------------------------------------------------------------


def _result(name: str, number: int, args: Any, meta: Any, batched: tuple[int, ...], summed: bool = False) -> da.Array:
    """One of an op's results, sample by sample; or added up over the samples."""
    run = functools.partial(tasks.result, name, number)
    return lazy.call(name, run, args, meta, batched, summed)  # type: ignore[no-any-return]


def _nll(x: da.Array, target: da.Array, weight: Any, reduction: str, ignore: int) -> tuple[da.Array, da.Array] | None:
    if x.ndim < 2:
        return None
    dtype = type_of(x)
    if reduction == "none":
        args = (x, target, weight, reduction, ignore)
        return _result("nll", 0, args, (target.shape, dtype), (0, 1)), lazy.from_host(np.zeros((), x.dtype))
    args = (x, target, weight, "sum", ignore)
    value, total = (_result("nll", i, args, ((), dtype), (0, 1), True) for i in range(2))
    return _each(np.divide, value, total) if reduction == "mean" else value, total


def _layer_norm_backward(
    g: da.Array, x: da.Array, shape: Any, weight: Any, mean: Any, rstd: Any, eps: Any, needs: Any
) -> Any:
    if len(shape) >= x.ndim:
        return None
    batched = (0, 1, 2, 3) if weight is None else (0, 1, 3, 4)
    found: list[Any] = [None, None, None]
    for i in range(3):
        if needs[i]:
            only = tuple(j == i for j in range(3))
            meta = (tuple(x.shape) if i == 0 else tuple(shape), type_of(x))
            args = (g, x, shape, weight, mean, rstd, eps, only)
            found[i] = _result("layer_norm_backward", i, args, meta, batched, summed=i > 0)
    return tuple(found)


def _channels(x: da.Array) -> tuple[tuple[int, ...], tuple[Any, ...], int]:
    """For an array of samples with channels: the other dimensions, the index that puts them in, and their product."""
    dims = (0, *range(2, x.ndim))
    return dims, (None, slice(None), *(None,) * (x.ndim - 2)), max(math.prod(x.shape[d] for d in dims), 1)


def _batch_norm_train(x: da.Array, weight: Any, bias: Any, eps: float) -> tuple[da.Array, ...]:
    dims, put, n = _channels(x)
    mean, var = _mean(x, dims, False), da.var(x, axis=dims)
    invstd = 1 / da.sqrt(var + x.dtype.type(eps))
    out = (x - mean[put]) * (invstd if weight is None else invstd * weight)[put].astype(x.dtype)
    return out if bias is None else out + bias[put], mean, invstd, var * x.dtype.type(n / max(n - 1, 1))


def _batch_norm_backward(
    g: da.Array, x: da.Array, weight: Any, mean: da.Array, invstd: da.Array, eps: float, needs: Any
) -> tuple[Any, ...]:
    dims, put, n = _channels(x)
    center = x - mean[put]
    along, total = _sum(g * center, dims, False) * invstd, _sum(g, dims, False)
    scale = invstd if weight is None else invstd * weight
    of_input = g * scale[put] - center * (scale * invstd * along / n)[put] - (scale * total / n)[put]
    return of_input if needs[0] else None, along if needs[1] else None, total if needs[2] else None


def _histc(x: da.Array, bins: int, low: Any, high: Any) -> da.Array:
    flat = x.reshape(-1)
    args = (flat, bins, low, high)
    return lazy.call("histc_counts", "histc_counts", args, ((bins,), type_of(x)), (0,), True)  # type: ignore[no-any-return]


# ---- rearranging -----------------------------------------------------------------------------------------------------


def _embed(g: da.Array, size: tuple[int, ...], key: Any) -> da.Array:
    x = da.zeros(size, dtype=g.dtype, chunks="auto")
    x[tuple(k for k in key if k is not None)] = g.squeeze(_put_in(key, len(size))) if None in key else g
    return x


def _put_in(key: Any, ndim: int) -> tuple[int, ...]:
    """Which dimensions of ``x[key]`` were put in by None."""
    used = sum(1 for k in key if k is not None and k is not Ellipsis)
    found, d = [], 0
    for k in key:
        if k is None:
            found.append(d)
        d += ndim - used if k is Ellipsis else 0 if isinstance(k, int) else 1
    return tuple(found)


def _roll(x: da.Array, shifts: Any, dims: Any) -> da.Array | None:
    return da.roll(x, shifts, dims) if dims else None


def _rows_at(x: da.Array, positions: da.Array, negative: bool = False) -> da.Array | None:
    """The rows of an array of several chunks at positions (``negative``: those below zero count from the end)."""
    if len(x.chunks[0]) == 1:
        return None
    if lazy.is_here(positions):
        at = tasks.from_start(next(iter(positions.dask.layers[positions.name].values())), x.shape[0], negative)
        return da.take(x, at.reshape(-1), 0).reshape((*at.shape, *x.shape[1:]))
    shape = (*positions.shape, *x.shape[1:])
    if math.prod(shape) * len(x.chunks[0]) > 4 * lazy.most_elements(x.itemsize):
        return None
    # Which chunk has a row is not known: each gives its rows and zeros for the others, and these are added up.
    starts = [0, *itertools.accumulate(x.chunks[0])]
    meta = (shape, type_of(x))
    parts = tuple(
        lazy.call("index", tasks.rows_within, (x.blocks[i], start, positions, x.shape[0], negative), meta)
        for i, start in enumerate(starts[:-1])
    )
    return lazy.call("index", tasks.add_up, parts, meta)  # type: ignore[no-any-return]


def _index(x: da.Array, indices: list[Any], shape: Any) -> da.Array | None:
    return _rows_at(x, indices[0], True) if len(indices) == 1 and indices[0] is not None else None


CHUNKED: dict[str, Kernel] = {
    "sum": _sum,
    "mean": _mean,
    "nansum": _nansum,
    "prod_op": _prod,
    "amax": _reduction(da.max),
    "amin": _reduction(da.min),
    "all": _reduction(da.all),
    "any": _reduction(da.any),
    "argmax": _position(da.argmax),
    "argmin": _position(da.argmin),
    "max_dim": _pair(da.max, da.argmax),
    "min_dim": _pair(da.min, da.argmin),
    "var_op": _var,
    "std_op": lambda *a: _each(np.sqrt, _var(*a)),
    "vector_norm": _vector_norm,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_backward": _softmax_backward,
    "log_softmax_backward": _log_softmax_backward,
    "cumsum_op": _cumulative(da.cumsum),
    "cumprod_op": _cumulative(da.cumprod),
    "matmul": lambda a, b: da.matmul(a, b),
    "mm_op": lambda a, b: da.matmul(a, b),
    "addmm": lambda x, a, b, beta, alpha: _plus(x, beta, da.matmul(a, b), alpha),
    "addmv": lambda x, a, b, beta, alpha: _plus(x, beta, da.matmul(a, b), alpha),
    "baddbmm": lambda x, a, b, beta, alpha: _plus(x, beta, da.matmul(a, b), alpha),
    "addbmm": _addbmm,
    "addr": _addr,
    "linear": lambda x, w, b: da.matmul(x, w.T) if b is None else da.matmul(x, w.T) + b,
    "linear_backward": _linear_backward,
    "nll": _nll,
    "layer_norm_backward": _layer_norm_backward,
    "batch_norm_train": _batch_norm_train,
    "batch_norm_backward": _batch_norm_backward,
    "histc_counts": _histc,
    "index": _index,
    "index_select": lambda x, dim, index, *rest: _rows_at(x, index) if dim == 0 and index.ndim == 1 else None,
    "take_rows": lambda weight, index, *rest: _rows_at(weight, index),
    "cat": lambda xs, dim: da.concatenate(xs, axis=dim),
    "stack": lambda xs, dim: da.stack(xs, axis=dim),
    "reshape": lambda x, size, *shape: lazy.DaskMoves().reshape(x, size),
    "embed": _embed,
    "roll": _roll,
    "flip": lambda x, dims: da.flip(x, dims),
    "repeat_kernel": lambda x, sizes: da.tile(x, sizes),
    "tril": lambda x, diagonal: da.tril(x, diagonal),
    "triu": lambda x, diagonal: da.triu(x, diagonal),
}


__all__ = ["CHUNKED"]
