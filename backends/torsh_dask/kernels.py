"""Which lazy form an op takes.

Where all arrays are one chunk: one task that runs the op's NumPy kernel.  Where some have several chunks: elementwise
ops, ops that treat every sample of the first dimension alone, and the reductions and products below stay chunked;
everything else runs on the whole arrays.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from torsh import dtypes
from torsh.backend import Kernel
from torsh.dtypes import dtype as Dtype
from torsh_dask import lazy, tasks
from torsh_dask.lazy import type_of
from torsh_numpy.backend import TO_NUMPY


class Meta(NamedTuple):
    """What a meta rule may look at."""

    shape: tuple[int, ...]
    dtype: Dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)


def metas_of(args: Any) -> Any:
    """Arguments with arrays replaced by their shape and type."""
    if type(args) is da.Array:
        return Meta(args.shape, type_of(args))
    if type(args) is tuple or type(args) is list:
        return type(args)(metas_of(a) for a in args)
    return args


# ---- ops that treat every sample alone -------------------------------------------------------------------------------


class Batch(NamedTuple):
    """How an op goes chunk by chunk along the first dimension."""

    arrays: tuple[int, ...] = (0,)  # which of its arrays have that dimension
    summed: bool = False  # the chunks' results are summands
    sized: int | None = None  # argument that is a shape with the length of that dimension in front
    dims: int | None = None  # argument with the dimension(s) worked along, of which the first may not be one
    least: int = 2  # fewest dimensions of the first array for which the first dimension is that of samples


# Op -> how, or a function of the op's arguments that gives it (None: on the whole arrays).
BATCHED: dict[str, Any] = {
    "convolution": Batch(least=3),
    "convolution_weight": Batch((0, 1), summed=True, least=3),
    "linear": Batch(),
    "max_pool": Batch(least=3),
    "max_pool_with_indices": Batch(least=3),
    "max_pool_backward": Batch((0, 1), sized=2, least=3),
    "mean_pool": Batch(least=3),
    "avg_pool_backward": Batch(sized=1, least=3),
    "adaptive_mean_pool": Batch(least=3),
    "adaptive_mean_pool_backward": Batch(sized=1, least=3),
    "adaptive_max_pool": Batch(least=3),
    "resample": Batch(least=3),
    "resample_backward": Batch(sized=1, least=3),
    "im2col": Batch(least=3),
    "tril": Batch(least=3),
    "triu": Batch(least=3),
    "pad_constant": lambda args: Batch() if len(args[1]) < args[0].ndim else None,
    "native_layer_norm": lambda args: Batch() if len(args[1]) < args[0].ndim else None,
    "nll_loss_backward": lambda args: Batch((0, 1) if args[4] == "none" else (1,), sized=1, least=1),
    "take_rows": Batch((1,), least=1),
    "embedding_backward": lambda args: None if args[4] else Batch((0, 1), summed=True, least=1),
    "gather": Batch((0, 1), dims=1),
    "index": lambda args: Batch((1,), least=1) if len(args[1]) == 1 and args[1][0] is not None else None,
    "index_select": Batch(dims=1),
    "scatter": lambda args: Batch((0, 1, 2) if type(args[3]) is da.Array else (0, 1), dims=1),
    "scatter_add": Batch((0, 1, 2), dims=1),
    "topk": Batch(dims=2),
    "kthvalue": Batch(dims=2),
    "vector_norm": Batch(dims=2),
    **{
        name: Batch(dims=1)
        for name in (
            "sum", "mean", "nansum", "prod_op", "all", "any", "amax", "amin", "argmax", "argmin", "max_dim", "min_dim",
            "var_op", "std_op", "logsumexp", "softmax", "log_softmax", "cumsum_op", "cumprod_op", "cummax", "cummin",
            "logcumsumexp", "sort", "median_dim", "nanmedian_dim", "flip", "fft_c2c", "fft_r2c", "fft_c2r",
        )
    },
}  # fmt: skip


def _by_sample(name: str, arrays: list[da.Array], args: Any) -> Batch | None:
    """How an op goes sample by sample with these arguments, None where it cannot."""
    batch = BATCHED.get(name)
    if batch is not None and not isinstance(batch, Batch):
        batch = batch(args)
    return batch if batch is not None and _fits(batch, arrays, args) else None


def _fits(batch: Batch, arrays: list[da.Array], args: Any) -> bool:
    first = [arrays[i] for i in batch.arrays if i < len(arrays)]
    if len(first) < len(batch.arrays) or any(a.ndim < batch.least for a in first):
        return False
    if all(len(a.chunks[0]) == 1 for a in first):
        return False
    if batch.dims is not None:
        dims = args[batch.dims]
        return dims is not None and 0 not in (dims if isinstance(dims, tuple) else (dims,))
    return len({a.shape[0] for a in first}) == 1


# ---- ops that Dask does in chunks ------------------------------------------------------------------------------------


def _reduction(function: Callable[..., Any], **more: Any) -> Kernel:
    def run(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
        return function(x, axis=dim, keepdims=keepdim, **more)

    return run


def _sum(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.sum(x, axis=dim, keepdims=keepdim, dtype=x.dtype if x.dtype.kind in "fc" else np.int64)


def _mean(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    n = math.prod(x.shape if dim is None else [x.shape[d] for d in dim])
    return _sum(x, dim, keepdim) / x.dtype.type(n)


def _prod(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
    return da.prod(x, axis=dim, keepdims=keepdim, dtype=x.dtype if x.dtype.kind in "fc" else np.int64)


def _position(function: Callable[..., Any]) -> Kernel:
    def run(x: da.Array, dim: Any, keepdim: bool, *rest: Any) -> da.Array:
        axis = dim if dim is None or isinstance(dim, int) else dim[0]
        return function(x, axis=axis, keepdims=keepdim)

    return run


def _var(x: da.Array, dim: Any, keepdim: bool, correction: Any, *rest: Any) -> da.Array:
    n = math.prod(x.shape if dim is None else [x.shape[d] for d in dim])
    d = x - _sum(x, dim, True) / x.dtype.type(n)
    total = _sum((d * d.conj()).real if x.dtype.kind == "c" else d * d, dim, keepdim)
    return total / total.dtype.type(max(n - correction, 0))


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


CHUNKED: dict[str, Kernel] = {
    "sum": _sum,
    "mean": _mean,
    "prod_op": _prod,
    "amax": _reduction(da.max),
    "amin": _reduction(da.min),
    "all": _reduction(da.all),
    "any": _reduction(da.any),
    "argmax": _position(da.argmax),
    "argmin": _position(da.argmin),
    "var_op": _var,
    "std_op": lambda *a: da.sqrt(_var(*a)),
    "matmul": lambda a, b: da.matmul(a, b),
    "mm_op": lambda a, b: da.matmul(a, b),
    "addmm": lambda x, a, b, beta, alpha: x * beta + da.matmul(a, b) * alpha,
    "linear": lambda x, w, b: da.matmul(x, w.T) if b is None else da.matmul(x, w.T) + b,
    "cat": lambda xs, dim: da.concatenate(xs, axis=dim),
    "stack": lambda xs, dim: da.stack(xs, axis=dim),
    "reshape": lambda x, size, *shape: lazy.DaskMoves().reshape(x, size),
    "embed": _embed,
}


# ---- ops that make arrays --------------------------------------------------------------------------------------------


def full(size: tuple[int, ...], value: Any, dtype: Dtype, device: Any) -> da.Array:
    kind = TO_NUMPY[dtype]
    value = 0 if value is None else value
    if math.prod(size) * dtype.itemsize < 1 << 20:
        return lazy.from_host(np.full(size, value, kind))
    return da.full(size, kind.type(value), dtype=kind, chunks="auto")


def _created(function: Kernel) -> Kernel:
    def run(*args: Any) -> da.Array:
        return lazy.from_host(np.asarray(function(*args)))

    return run


def _data_dependent(name: str) -> Kernel:
    def run(*args: Any) -> Any:
        raise NotImplementedError(
            f"{name}: the shape of the result depends on values, which the lazy backend 'dask' does not compute on its "
            f"own. Move the input to another backend first (with torsh.registry.use('numpy'): x = x.to('cpu')), or use "
            f"a form with a fixed shape such as torch.where"
        )

    return run


# ---- finding them ----------------------------------------------------------------------------------------------------


def find(name: str) -> Kernel | None:
    """The lazy kernel of an op, None where there is neither a NumPy kernel nor a chunked form."""
    from torsh.ops._op import OPS

    if name == "full":
        return full
    function = tasks.kernel(name)
    op = OPS.get(name)
    if op is None or function is None:
        return None
    if "creation" in op.tags:
        return _created(function)
    if name in ("clone", "packed", "positive"):
        return lambda x: x
    if name == "cast":
        return lambda x, dtype, *rest: lazy.elementwise(name, name, (x, dtype, *rest), dtype)
    if name == "masked_fill":
        return lambda x, mask, value: lazy.elementwise(name, name, (x, mask, value), type_of(x))
    if "pointwise" in op.tags and op.meta is None:
        return functools.partial(_pointwise, op)
    if op.meta is None:
        return _data_dependent(name) if "data-dependent" in op.tags else None
    return functools.partial(_general, op)


def _pointwise(op: Any, *args: Any) -> da.Array:
    operands = [a for a, n in zip(args, op.args) if type(a) is da.Array and n not in op.kept]
    dtype = type_of(operands[0])
    if op.name == "where":  # the condition is no operand
        values = lazy.arrays_in(args[1:])
        dtype = type_of(values[0]) if values else dtypes.of_number(args[1])
    return lazy.elementwise(op.name, op.name, args, op.out_kind(_place()[dtype]).dtype)


@functools.cache
def _place() -> Any:
    from torsh import registry
    from torsh.device import device
    from torsh.dispatch import place_of

    return place_of(device("cpu"), registry.load("dask"))


def _general(op: Any, *args: Any) -> Any:
    arrays = lazy.arrays_in(args)
    if "data-dependent" in op.tags and (op.name != "index" or any(a.dtype == bool for a in arrays[1:])):
        return _data_dependent(op.name)()
    found = op.meta(*metas_of(args))
    metas = found if type(found) is list else (tuple(found[0]), found[1])
    if not all(lazy.single(a) for a in arrays):
        batch = _by_sample(op.name, arrays, args)
        if batch is not None:
            return lazy.call(op.name, op.name, args, metas, batch.arrays, batch.summed, batch.sized)
        chunked = CHUNKED.get(op.name)
        if chunked is not None:
            x = chunked(*args)
            return x if x.dtype == TO_NUMPY[metas[1]] else x.astype(TO_NUMPY[metas[1]])
    return lazy.call(op.name, op.name, args, metas)


__all__ = ["BATCHED", "CHUNKED", "find"]
