"""Making lazy arrays: graphs of tasks with shapes and types known in advance.

Most arrays of a model are small against a chunk, so the common case is an array of one chunk and an op that is one
task.
"""

from __future__ import annotations

import functools
import itertools
import math
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from dask.utils import parse_bytes

from torsh.backend import FROM_NUMPY, TO_NUMPY
from torsh.dtypes import dtype as Dtype
from torsh_dask import counts, tasks
from torsh_dask.tasks import Slot

Shape = tuple[int, ...]

# Keys must be unique on a cluster that several programs share.
_prefix = uuid.uuid4().hex[:12]
_numbers = itertools.count()


def unique(name: str) -> str:
    """A name for a new array."""
    return f"{name}-{_prefix}-{next(_numbers)}"


class Data(MaterializedLayer):
    """A layer of values (or of futures of values on a cluster): nothing is left to compute."""


def is_data(x: da.Array) -> bool:
    """Whether an array's values are known, so that reading them runs nothing."""
    return type(x.dask.layers.get(x.name)) is Data


def type_of(x: da.Array) -> Dtype:
    return FROM_NUMPY[x.dtype]


def _graph(name: str, layer: Any, dependencies: Sequence[da.Array]) -> HighLevelGraph:
    """What ``HighLevelGraph.from_collections`` makes, in a third of the time where the graphs are long.

    An array's graph has all that the array rests on, so that a dependency whose name is in it already adds nothing.
    """
    graph = object.__new__(HighLevelGraph)
    graph.key_dependencies = {}
    if not dependencies:
        graph.layers, graph.dependencies = {name: layer}, {name: set()}
        return graph
    longest = max(dependencies, key=lambda x: len(x.dask.layers)).dask
    layers, needs = dict(longest.layers), dict(longest.dependencies)
    for x in dependencies:
        if x.name not in layers:
            layers.update(x.dask.layers)
            needs.update(x.dask.dependencies)
    layers[name] = layer
    needs[name] = {x.name for x in dependencies}
    graph.layers, graph.dependencies = layers, needs
    return graph


def _array(layer: Any, name: str, chunks: Any, dtype: np.dtype[Any], dependencies: Sequence[da.Array]) -> da.Array:
    graph = _graph(name, layer, dependencies)
    meta = np.empty((0,) * len(chunks), dtype)
    counts.add(arrays=1)
    return da.Array(graph, name, chunks, dtype=dtype, meta=meta)


def from_blocks(name: str, chunks: Any, dtype: np.dtype[Any], values: dict[Any, Any]) -> da.Array:
    """An array of known values: chunk number -> array or future."""
    return _array(Data({(name, *at): v for at, v in values.items()}), name, chunks, dtype, ())


def from_host(array: np.ndarray[Any, Any], chunks: Any = "auto") -> da.Array:
    """An array of the values of a host array, which must not change any more."""
    from torsh_dask import cluster

    name = unique("data")
    if array.nbytes < 1 << 20 and chunks == "auto":
        chunks = tuple((n,) for n in array.shape)
    else:
        chunks = da.core.normalize_chunks(chunks, array.shape, dtype=array.dtype)
    values = {}
    for at in itertools.product(*[range(len(c)) for c in chunks]):
        key = tuple(slice(sum(c[:i]), sum(c[: i + 1])) for c, i in zip(chunks, at))
        values[at] = cluster.scatter(array[key] if key else array)
    return from_blocks(name, chunks, array.dtype, values)


def most_elements(itemsize: int) -> int:
    """How many elements go into one of Dask's chunks."""
    return max(parse_bytes(dask.config.get("array.chunk-size")) // itemsize, 1)  # type: ignore[no-any-return]


def pieces(shape: Shape, itemsize: int, block: int) -> tuple[int, ...]:
    """In how many elements at a time a new array is made: whole rows, as many as go into one of Dask's chunks."""
    total = math.prod(shape)
    most = most_elements(itemsize)
    if total <= max(most, block):
        return (total,)
    row = total // shape[0]
    unit = math.lcm(row, block)
    if unit > most:  # rows are too long: pieces of rows
        unit = block
    count = most // unit * unit
    return (*(count,) * (total // count), *((total % count,) if total % count else ()))


def from_pieces(shape: Shape, dtype: Dtype, counts: tuple[int, ...], make: Sequence[Callable[[], Any]]) -> da.Array:
    """An array whose elements, in row-major order, functions give piece by piece."""
    name = unique("made")
    row = math.prod(shape[1:])
    rows = all(n % row == 0 for n in counts)
    tail = (0,) * (len(shape) - 1) if rows else ()
    layer = {}
    for i, (n, function) in enumerate(zip(counts, make)):
        key = (name, i, *tail)
        layer[key] = Task(key, tasks.made, function, (n // row, *shape[1:]) if rows else (n,))
    chunks = (tuple(n // row for n in counts), *((n,) for n in shape[1:])) if rows else (tuple(counts),)
    found = _array(MaterializedLayer(layer), name, chunks, TO_NUMPY[dtype], ())
    return found if rows else found.reshape(shape)


def is_here(x: da.Array) -> bool:
    """Whether an array is one chunk whose values are known in this process (and not only on a cluster)."""
    return is_data(x) and single(x) and isinstance(next(iter(x.dask.layers[x.name].values())), (np.ndarray, np.generic))


def _is_number(x: da.Array) -> bool:
    """Whether an array is a single number that is known here."""
    return not x.shape and is_here(x)


def single(x: da.Array) -> bool:
    """Whether an array is one chunk."""
    return all(len(c) == 1 for c in x.chunks)


def one_chunk(x: da.Array) -> da.Array:
    return x if single(x) else x.rechunk(dict.fromkeys(range(x.ndim), -1))


def arrays_in(args: Any) -> list[da.Array]:
    """The lazy arrays among arguments, in order."""
    found: list[da.Array] = []
    for a in args:
        if type(a) is da.Array:
            found.append(a)
        elif type(a) is tuple or type(a) is list:
            found.extend(arrays_in(a))
    return found


def template_of(args: Any, numbers: Any) -> Any:
    """The arguments with every array replaced by a slot."""
    if type(args) is da.Array:
        return Slot(next(numbers))
    if type(args) is tuple or type(args) is list:
        return type(args)(template_of(a, numbers) for a in args)
    return args


# ---- one task, or one task per chunk along the first dimension -------------------------------------------------------


def call(
    name: str,
    function: Any,
    args: Sequence[Any],
    metas: Any,
    batched: Sequence[int] = (),
    summed: bool = False,
    sized: int | None = None,
) -> Any:
    """An op as tasks: one on whole arrays, or one per chunk of the first dimension of arrays (numbered ``batched``).

    function: a NumPy kernel's name or a function that can be pickled.  metas: (shape, dtype) of the result, or a list
    of these for several results.  summed: each task gives a summand of the result instead of a part along the first
    dimension. sized: the number of the argument that is a shape starting with the length of the first dimension.
    """
    arrays = arrays_in(args)
    template = template_of(tuple(args), itertools.count())
    if arrays and type(metas) is not list and metas[0] == () and all(_is_number(a) for a in arrays):
        # Numbers that are known (an optimizer's step count) are worked out at once: less work than writing it down.
        return from_host(tasks.run(function, template, metas[1], *[a.dask.layers[a.name][a.name,] for a in arrays]))
    lead: tuple[int, ...] = (-1,)
    if batched:
        lead = _common_lead([arrays[i] for i in batched])
    many = len(lead) > 1
    ready = [_only_lead(a, lead) if many and i in batched else one_chunk(a) for i, a in enumerate(arrays)]
    several = type(metas) is list
    types = [None if m is None else m[1] for m in metas] if several else metas[1]
    base = unique(name)
    layer: dict[Any, Any] = {}
    for block in range(len(lead)):
        refs = [
            TaskRef((a.name, *((block,) if many and i in batched else (0,) if a.ndim else ()), *(0,) * (a.ndim - 1)))
            for i, a in enumerate(ready)
        ]
        ndim = 0 if several else len(metas[0])
        key = _part(base, several or summed, block, ndim)
        given = template
        if many and sized is not None:
            given = (*template[:sized], (lead[block], *template[sized][1:]), *template[sized + 1 :])
        layer[key] = Task(key, tasks.run, function, given, types, *refs)
    if summed and many:
        return _summed(base, layer, metas, ready, len(lead))
    if not several:
        if summed:
            base, layer = _renamed(base, layer, len(metas[0]))
        return _array(MaterializedLayer(layer), base, _chunks(metas[0], lead, many), TO_NUMPY[types], ready)
    together = _array(MaterializedLayer(layer), base, (lead if many else (1,),), np.dtype(object), ready)
    return tuple(None if m is None else _pick(together, i, m, lead, many) for i, m in enumerate(metas))


def _part(base: str, bare: bool, block: int, ndim: int) -> tuple[Any, ...]:
    """The key of the task for a block: numbered like the chunk it gives, or just by the block."""
    if bare:
        return (base, block)
    return (base, block, *(0,) * (ndim - 1)) if ndim else (base,)


def _chunks(shape: Shape, lead: tuple[int, ...], many: bool) -> tuple[tuple[int, ...], ...]:
    chunks = [(n,) for n in shape]
    if many:
        chunks[0] = lead  # type: ignore[assignment]
    return tuple(chunks)


def _renamed(base: str, layer: dict[Any, Any], ndim: int) -> tuple[str, dict[Any, Any]]:
    name = base + "-sum"
    key = (name, *(0,) * ndim)
    task = layer[base, 0]
    return name, {key: Task(key, task.func, *task.args)}


def _summed(base: str, layer: dict[Any, Any], meta: Any, ready: list[da.Array], blocks: int) -> da.Array:
    name = base + "-sum"
    shape, dtype = meta
    key = (name, *(0,) * len(shape))
    together = _array(MaterializedLayer(layer), base, ((1,) * blocks,), np.dtype(object), ready)
    total = Task(key, tasks.add_up, *[TaskRef((base, i)) for i in range(blocks)])
    return _array(MaterializedLayer({key: total}), name, _chunks(shape, (), False), TO_NUMPY[dtype], [together])


def _pick(together: da.Array, number: int, meta: Any, lead: tuple[int, ...], many: bool) -> da.Array:
    """One of several results of the tasks of an op."""
    shape, dtype = meta
    name = f"{together.name}-{number}"
    layer = {}
    for block in range(len(lead)):
        key = _part(name, False, block, len(shape))
        layer[key] = Task(key, tasks.index, TaskRef((together.name, block)), number)
    return _array(MaterializedLayer(layer), name, _chunks(shape, lead, many), TO_NUMPY[dtype], [together])


def _common_lead(arrays: list[da.Array]) -> tuple[int, ...]:
    """A division of the first dimension that suits all: the finest one's."""
    return max((a.chunks[0] for a in arrays), key=len)


def _only_lead(x: da.Array, lead: tuple[int, ...]) -> da.Array:
    """Rechunked to a division of the first dimension, the others whole."""
    wanted = (lead, *((n,) for n in x.shape[1:]))
    return x if x.chunks == wanted else x.rechunk(wanted)


# ---- elementwise -----------------------------------------------------------------------------------------------------


def elementwise(name: str, function: Any, args: Sequence[Any], dtype: Dtype) -> da.Array:
    """An elementwise op with broadcasting; arrays of several chunks stay so."""
    arrays = arrays_in(args)
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    large = math.prod(shape) > most_elements(dtype.itemsize)
    if all(single(a) for a in arrays) and math.prod(shape):
        if not large or any(a.shape == shape for a in arrays):
            return call(name, function, args, (shape, dtype))
        # Operands that are small one by one give a result that is not.
        chunks = da.core.normalize_chunks("auto", shape, dtype=TO_NUMPY[dtype])
        arrays = [_cut(a, chunks) for a in arrays]
    template = template_of(tuple(args), itertools.count())
    operands: list[Any] = []
    for a in arrays:
        operands += [a, tuple(range(len(shape) - a.ndim, len(shape)))]
    found = da.blockwise(
        functools.partial(tasks.run, function, template, dtype), tuple(range(len(shape))), *operands,
        name=unique(name), dtype=TO_NUMPY[dtype], meta=np.empty((0,) * len(shape), TO_NUMPY[dtype]),
    )  # fmt: skip
    counts.add(arrays=1)
    return found


def _cut(x: da.Array, chunks: tuple[tuple[int, ...], ...]) -> da.Array:
    """An operand in the chunks of a result it is broadcast to."""
    return x.rechunk(tuple(c if n != 1 else (1,) for n, c in zip(x.shape, chunks[len(chunks) - x.ndim :])))


# ---- rearranging -----------------------------------------------------------------------------------------------------


class DaskMoves:
    """How ``torsh.functionalize`` rearranges lazy arrays."""

    def reshape(self, x: da.Array, shape: Shape) -> da.Array:
        if not single(x):
            for start in (x, x.reshape(-1)):  # Dask splits and merges dimensions only where they come out even
                try:
                    return start.reshape(shape)
                except NotImplementedError:
                    pass
        return self._one("reshape", np.reshape, (x, shape), shape, x)

    def permute(self, x: da.Array, axes: tuple[int, ...]) -> da.Array:
        shape = tuple(x.shape[i] for i in axes)
        return self._one("permute", np.transpose, (x, axes), shape, x) if single(x) else x.transpose(axes)

    def index(self, x: da.Array, key: tuple[Any, ...]) -> da.Array:
        if not single(x):
            return x[key]
        return self._one("index", tasks.index, (x, key), _indexed(x.shape, key), x)

    def expand(self, x: da.Array, shape: Shape) -> da.Array:
        if single(x) and math.prod(shape) > max(x.size, most_elements(x.itemsize)):  # what is made of it takes memory
            chunks = da.core.normalize_chunks("auto", shape, dtype=x.dtype)
            x = _cut(x, chunks)
            return da.broadcast_to(x, shape, chunks=chunks)
        return self._one("expand", np.broadcast_to, (x, shape), shape, x) if single(x) else da.broadcast_to(x, shape)

    def take(self, x: da.Array, positions: np.ndarray[Any, Any], axis: int) -> da.Array:
        if not single(x):
            return da.take(x, positions, axis)
        shape = (*x.shape[:axis], len(positions), *x.shape[axis + 1 :])
        return self._one("take", tasks.take, (x, positions, axis), shape, x)

    def where(self, mask: np.ndarray[Any, Any], x: da.Array, y: da.Array) -> da.Array:
        return elementwise("where", np.where, (mask if single(x) and single(y) else from_host(mask), x, y), type_of(y))

    def put(self, x: da.Array, key: tuple[Any, ...], value: da.Array) -> da.Array:
        if single(x) and single(value):
            return self._one("put", tasks.put, (x, key, value), x.shape, x)
        x = x.copy()
        x[key] = value
        return x

    def bitcast(self, x: da.Array, source: Dtype, target: Dtype) -> da.Array:
        if len(x.chunks[-1]) > 1:
            x = x.rechunk({x.ndim - 1: -1})
        shape = (*x.shape[:-1], x.shape[-1] * source.itemsize // target.itemsize)
        if single(x):
            return call("bitcast", tasks.bitcast, (x, target), (shape, target))
        return x.map_blocks(tasks.bitcast, target, dtype=TO_NUMPY[target], chunks=(*x.chunks[:-1], (shape[-1],)))

    def _one(self, name: str, function: Callable[..., Any], args: Any, shape: Shape, x: da.Array) -> da.Array:
        return call(name, function, args, (tuple(shape), type_of(x)))


def _indexed(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """The shape of ``x[key]`` for integers, slices and None, one per dimension."""
    found, d = [], 0
    for k in key:
        if k is None:
            found.append(1)
            continue
        if isinstance(k, slice):
            found.append(len(range(*k.indices(shape[d]))))
        d += 1
    return tuple(found)


__all__ = [
    "DaskMoves", "Data", "arrays_in", "call", "elementwise", "from_blocks", "from_host", "is_data", "one_chunk",
    "single", "type_of", "unique",
]  # fmt: skip
