"""Which lazy form an op takes.

Where all arrays are one chunk: one task that runs the op's NumPy kernel.  Where some have several chunks: elementwise
ops, ops that treat every sample of the first dimension alone, and those of ``chunked`` stay chunked; everything else
runs on the whole arrays.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from torsh import dtypes
from torsh.backend import TO_NUMPY, Kernel
from torsh.dtypes import dtype as Dtype
from torsh_dask import lazy, tasks
from torsh_dask.chunked import CHUNKED
from torsh_dask.lazy import type_of


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
    "take": Batch((1,), least=1),
    "one_hot_op": Batch(least=1),
    "isin": lambda args: Batch((0,), least=1) if type(args[0]) is da.Array else None,
    "searchsorted": lambda args: (
        Batch((1,), least=1) if args[0].ndim == 1 else Batch((0, 1) if args[4] is None else (0, 1, 2))
    ),
    "euclidean": lambda args: Batch((0,)) if args[0].ndim == 2 else Batch((0, 1)),
    "pad_mirror": lambda args: Batch() if len(args[1]) < args[0].ndim else None,
    "col2im": Batch(least=3),
    "solve_op": lambda args: Batch((0, 1), least=3) if args[0].ndim == args[1].ndim else None,
    **dict.fromkeys(
        (
            "cholesky_op", "det_op", "eig_op", "eigh_op", "eigvals_op", "eigvalsh_op", "geqrf_op", "inv_op", "lu_op",
            "matrix_exp_op", "qr_op", "slogdet_op", "svd_op", "svdvals_op",
        ),
        Batch(least=3),
    ),
    "softmax_backward": Batch((0, 1), dims=2),
    "log_softmax_backward": Batch((0, 1), dims=2),
    "index_add": Batch((0, 2), dims=1),
    "index_copy": Batch((0, 2), dims=1),
    "index_fill": Batch(dims=1),
    "scatter_reduce": Batch((0, 1, 2), dims=1),
    "repeat_interleave_kernel": Batch(dims=2),
    "embedding_backward": lambda args: None if args[4] else Batch((0, 1), summed=True, least=1),
    "gather": Batch((0, 1), dims=1),
    "index": lambda args: _of_index(args[1]),
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


def _of_index(indices: list[Any]) -> Batch | None:
    """Indexing by one tensor goes along with its chunks; where the first dimension is not indexed, with the input's."""
    if indices[0] is not None:
        return Batch((1,), least=1) if len(indices) == 1 else None
    at = [d for d, i in enumerate(indices) if i is not None]
    return Batch((0,)) if at == list(range(at[0], at[0] + len(at))) else None


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


def _long(name: str, function: Kernel, part: Callable[..., tuple[Any, ...]], shape: Callable[..., Any]) -> Kernel:
    """A creation op whose long results are made chunk by chunk, when needed.

    shape: of the result, from the op's arguments.  part: the kernel's arguments for a part of the first dimension.
    """

    def run(*args: Any) -> da.Array:
        size, dtype = shape(*args), args[-2]
        counts = lazy.pieces(size, dtype.itemsize, 8)
        row = math.prod(size[1:])
        if len(counts) == 1 or any(n % row for n in counts):
            return lazy.from_host(np.asarray(function(*args)))
        ends = [n // row for n in itertools.accumulate(counts)]
        make = [
            functools.partial(tasks.call, name, part(lo, hi, *args))
            for lo, hi in zip([0, *ends[:-1]], ends, strict=True)
        ]
        return lazy.from_pieces(size, dtype, counts, make)

    return run


# Op -> (arguments of its kernel for the part from lo to hi of the first dimension, shape of the result).
LONG: dict[str, tuple[Callable[..., tuple[Any, ...]], Callable[..., Any]]] = {
    "arange": (
        lambda lo, hi, start, step, count, dtype, device: (start, step, hi, dtype, device, lo),
        lambda start, step, count, *rest: (count,),
    ),
    "linspace": (lambda lo, hi, *args: (*args, lo, hi), lambda start, end, count, *rest: (count,)),
    "eye": (
        lambda lo, hi, n, m, dtype, device: (hi - lo, m, dtype, device, lo),
        lambda n, m, *rest: (n, m),
    ),
}


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
        return _long(name, function, *LONG[name]) if name in LONG else _created(function)
    if name in ("clone", "packed", "positive"):
        return lambda x: x
    if name == "cast":
        return lambda x, dtype, *rest: lazy.elementwise(name, name, (x, dtype, *rest), dtype)
    if name == "masked_fill":
        return lambda x, mask, value: lazy.elementwise(name, name, (x, mask, value), type_of(x))
    if "pointwise" in op.tags and op.meta is None:
        return functools.partial(_pointwise, op)
    if "pointwise" in op.tags and name not in BATCHED:
        return functools.partial(_elementwise, op)
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


def _elementwise(op: Any, *args: Any) -> Any:
    """An elementwise op that says itself which type its result has."""
    found = op.meta(*metas_of(args))
    if type(found) is not list:
        return lazy.elementwise(op.name, op.name, args, found[1])
    if all(lazy.single(a) for a in lazy.arrays_in(args)):
        return lazy.call(op.name, op.name, args, found)
    run = functools.partial(tasks.result, op.name)
    return tuple(lazy.elementwise(op.name, functools.partial(run, i), args, meta[1]) for i, meta in enumerate(found))


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
    if type(metas) is not list and math.prod(metas[0]) > lazy.most_elements(metas[1].itemsize):
        args, arrays = _smaller(op.name, args, arrays, metas)
    if not all(lazy.single(a) for a in arrays):
        batch = _by_sample(op.name, arrays, args)
        if batch is not None:
            return lazy.call(op.name, op.name, args, metas, batch.arrays, batch.summed, batch.sized)
        chunked = CHUNKED.get(op.name)
        x = None if chunked is None else chunked(*args)
        if type(x) is tuple:
            return tuple(None if m is None else _typed(y, m) for y, m in zip(x, metas))
        if x is not None:
            return _typed(x, metas)
    return lazy.call(op.name, op.name, args, metas)


def _smaller(name: str, args: Any, arrays: list[da.Array], meta: Any) -> tuple[Any, list[da.Array]]:
    """Arguments with arrays of one chunk cut along the first dimension, for a result that is larger than a chunk."""
    batch = Batch() if name in ("matmul", "mm_op", "addmm") else BATCHED.get(name)
    if batch is not None and not isinstance(batch, Batch):
        batch = batch(args)
    first = 1 if name == "addmm" else 0
    if batch is None or batch.summed or batch.sized is not None or not all(lazy.single(a) for a in arrays):
        return args, arrays
    cut = [arrays[first + i] for i in batch.arrays if first + i < len(arrays)]
    rows = meta[0][0]
    if len(cut) < len(batch.arrays) or any(a.ndim < batch.least or a.shape[0] != rows for a in cut):
        return args, arrays
    count = max(lazy.most_elements(meta[1].itemsize) // (math.prod(meta[0]) // rows), 1)
    made = {id(a): a.rechunk({0: count}) for a in cut}

    def replaced(x: Any) -> Any:
        return type(x)(replaced(v) for v in x) if type(x) in (list, tuple) else made.get(id(x), x)

    args = replaced(tuple(args))
    return args, lazy.arrays_in(args)


def _typed(x: da.Array, meta: Any) -> da.Array:
    return x if x.dtype == TO_NUMPY[meta[1]] else x.astype(TO_NUMPY[meta[1]])


__all__ = ["BATCHED", "find"]
