"""Sparse tensors: a pattern (which places are stored) and the values there, both in dense torsh tensors.

A sparse tensor is a place of its own in the autograd graph.  Everything is differentiated through two steps:
``values_of`` takes the values out (its gradient is a sparse tensor of the same pattern) and ``with_values`` puts values on
a pattern (its gradient is gathered from the places of the pattern).  What lies between are ordinary dense ops.
Source: https://docs.pytorch.org/docs/stable/sparse.html
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torsh._over_dense import attach, recorded
from torsh.autograd._forward import handed_on
from torsh.autograd.grad_mode import no_grad, thread
from torsh.dispatch import state
from torsh.memory_format import layout as Layout
from torsh.memory_format import sparse_bsc as BSC
from torsh.memory_format import sparse_bsr as BSR
from torsh.memory_format import sparse_coo as COO
from torsh.memory_format import sparse_csc as CSC
from torsh.memory_format import sparse_csr as CSR
from torsh.memory_format import strided as STRIDED
from torsh.tensor import Size, Tensor, new

ROWS = (CSR, BSR)  # layouts that compress the rows
BLOCKS = (BSR, BSC)
NAMES = {COO: "Sparse", CSR: "SparseCsr", CSC: "SparseCsc", BSR: "SparseBsr", BSC: "SparseBsc", STRIDED: "Strided"}


def unsupported(name: str, layout: Any = COO) -> NotImplementedError:
    """The error for an op that has no sparse form."""
    backend = "SparseCPU" if layout is COO else "SparseCsrCPU"
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the '{backend}' backend. It has no form for tensors of layout "
        f"{layout}; convert with .to_dense() first"
    )


class NoMemory:
    """Stands where a raw array would be: it has a shape, and no memory an op could look at."""

    __slots__ = ("layout", "shape")

    def __init__(self, shape: tuple[int, ...], layout: Any) -> None:
        self.shape = shape
        self.layout = layout

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise unsupported("as_strided", self.layout)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise unsupported(name, self.layout)


class Pattern:
    """Which places of a tensor are stored.

    COO: ``indices`` (sparse dimensions, entries).  Compressed layouts: ``compressed`` (*batch, n + 1) counts the entries
    before each row (or column), ``plain`` (*batch, entries) has the other coordinate; ``block``: the size of a block.
    """

    __slots__ = ("block", "coalesced", "compressed", "indices", "layout", "plain", "shape")

    def __init__(
        self,
        layout: Any,
        shape: Any,
        indices: Tensor | None = None,
        compressed: Tensor | None = None,
        plain: Tensor | None = None,
        block: tuple[int, int] | None = None,
        coalesced: bool = False,
    ) -> None:
        self.layout = layout
        self.shape = tuple(int(n) for n in shape)
        self.indices, self.compressed, self.plain = indices, compressed, plain
        self.block = block
        self.coalesced = coalesced

    @property
    def nnz(self) -> int:
        """The number of stored entries (of each batch)."""
        return int((self.indices if self.layout is COO else self.plain).shape[-1])  # type: ignore[union-attr]

    @property
    def batch(self) -> tuple[int, ...]:
        """The batch dimensions of a compressed layout."""
        return tuple(self.compressed.shape)[:-1] if self.compressed is not None else ()

    @property
    def sparse_dims(self) -> int:
        """How many dimensions are sparse."""
        return 2 if self.indices is None else int(self.indices.shape[0])

    @property
    def dense_shape(self) -> tuple[int, ...]:
        """The trailing dimensions in which every entry is a whole array."""
        return self.shape[len(self.batch) + self.sparse_dims :]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of a compressed layout, in blocks."""
        at = len(self.batch)
        rows, columns = self.shape[at : at + 2]
        return (rows, columns) if self.block is None else (rows // self.block[0], columns // self.block[1])

    def places(self) -> tuple[Tensor, ...]:
        """Index tensors of the entries: one per sparse dimension, or (batch, row, column) for a compressed layout."""
        if self.indices is not None:
            return self.indices.unbind(0)
        from torsh.ops.creation import arange

        assert self.compressed is not None and self.plain is not None
        count = self.compressed.shape[-1] - 1
        flat = self.compressed.reshape(-1, count + 1).long()
        batches, device = flat.shape[0], flat.device
        counts = (flat[:, 1:] - flat[:, :-1]).reshape(-1)
        first = arange(count, device=device).repeat(batches).repeat_interleave(counts)
        second = self.plain.reshape(-1).long()
        batch = arange(batches, device=device).repeat_interleave(self.nnz)
        return (batch, first, second) if self.layout in ROWS else (batch, second, first)

    def values_shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return (*self.batch, self.nnz, *(self.block or ()), *self.dense_shape)

    def put(self, values: Tensor) -> Tensor:
        """A dense tensor with the values at their places; what comes twice is added."""
        places = self.places()
        many = values._kind.dtype.name == "bool"  # neither libraries nor PyTorch add bools
        block = self.block or ()
        if self.indices is not None:
            if not places:
                return values.sum(0, dtype=values.dtype).reshape(self.shape)
            return values.new_zeros(self.shape).index_put(places, values, accumulate=not many)
        rows, columns = self.grid
        batches = prod(self.batch)
        entries = values.reshape(batches * self.nnz, *block, *self.dense_shape)
        full = values.new_zeros((batches, rows, columns, *block, *self.dense_shape))
        full = full.index_put(places, entries, accumulate=not many)
        if block:
            full = full.transpose(2, 3)
        return full.reshape(self.shape)

    def pick(self, dense: Tensor) -> Tensor:
        """The values of a dense tensor at the places."""
        places = self.places()
        if self.indices is not None:
            return dense[places] if places else dense.unsqueeze(0).expand((self.nnz, *self.shape))
        rows, columns = self.grid
        batches = prod(self.batch)
        if self.block is None:
            full = dense.reshape(batches, rows, columns, *self.dense_shape)
        else:
            height, width = self.block
            full = dense.reshape(batches, rows, height, columns, width, *self.dense_shape).transpose(2, 3)
        return full[places].reshape(self.values_shape())

    def as_coalesced(self, coalesced: bool) -> Pattern:
        """The same places, known (or not) to be sorted and unique."""
        if coalesced == self.coalesced:
            return self
        return Pattern(self.layout, self.shape, self.indices, coalesced=coalesced)

    def same_places(self, other: Pattern) -> bool:
        """Whether another pattern has the very same index tensors."""
        return (
            self.layout is other.layout
            and self.shape == other.shape
            and self.indices is other.indices
            and self.compressed is other.compressed
            and self.plain is other.plain
        )


class SparseTensor(Tensor):
    """A tensor of a sparse layout.  ``_pattern`` says which places are stored, ``_stored`` has the values there."""

    _plain = True
    _pattern: Pattern
    _stored: Tensor

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh.sparse._rules import call

        return call(func, args, kwargs or {})

    @property
    def layout(self) -> Layout:  # type: ignore[override]
        """How the entries are stored."""
        return self._pattern.layout  # type: ignore[no-any-return]

    @property
    def is_sparse(self) -> bool:
        """Whether the layout is sparse COO."""
        return self._pattern.layout is COO

    @property
    def is_sparse_csr(self) -> bool:
        """Whether the layout is sparse CSR."""
        return self._pattern.layout is CSR

    @property
    def data(self) -> Tensor:
        """The same values outside the graph."""
        return self._alias()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, SparseTensor):
            raise RuntimeError(
                "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type. "
                f"The variable has layout {self.layout}, the tensor {value.layout}"
            )
        self._become(value)

    def _become(self, other: SparseTensor) -> None:
        self._pattern, self._stored, self._kind, self._data = other._pattern, other._stored, other._kind, other._data

    def _assign(self, result: Any, name: str) -> Tensor:
        """Write in place: take over the pattern and the values of the result, and its history."""
        if not isinstance(result, SparseTensor):
            result = like_layout(result, self._pattern)
        self._become(result)
        self._bump(name)
        if thread.enabled and result._rg:
            self._gf, self._nr, self._rg = result._gf, result._nr, True
        return self

    def _alias(self) -> Tensor:
        return raw(self._pattern, self._stored)

    def _printed_parts(self) -> tuple[list[tuple[str, Tensor]], int]:
        p = self._pattern
        if p.indices is not None:
            members = [("indices", p.indices)]
        else:
            names = ("crow_indices", "col_indices") if p.layout in ROWS else ("ccol_indices", "row_indices")
            members = [(names[0], p.compressed), (names[1], p.plain)]  # type: ignore[list-item]
        return [*members, ("values", self._stored)], p.nnz

    def stride(self, dim: int | None = None) -> Any:
        """Zeros for COO, as PyTorch; compressed layouts have no strides."""
        if self._pattern.layout is not COO:
            raise RuntimeError("Sparse CSR tensors do not have strides")
        return (0,) * self.ndim if dim is None else 0

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """False: a sparse tensor has no memory in row-major order."""
        return False

    def data_ptr(self) -> int:
        """Refused: there is no one piece of memory."""
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    def storage(self) -> Any:
        """Refused: there is no one piece of memory."""
        raise NotImplementedError("Cannot access storage of SparseTensorImpl")

    untyped_storage = storage  # type: ignore[assignment]

    def is_shared(self) -> bool:
        """Whether the values lie in memory that processes share."""
        return self._stored.is_shared()  # type: ignore[no-any-return]

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: NumPy has no sparse arrays."""
        raise TypeError(f"can't convert {NAMES[self.layout]} layout tensor to numpy. Use Tensor.to_dense() first.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def item(self) -> Any:
        """The only element as a Python number."""
        if self.numel() != 1:
            raise RuntimeError(f"a Tensor with {self.numel()} elements cannot be converted to Scalar")
        return self._pattern.put(self._stored).item()

    def tolist(self) -> Any:
        """Nested lists of all elements."""
        return self._pattern.put(self._stored).tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        from torsh._utils import _rebuild_sparse_tensor

        p, size = self._pattern, Size(self._pattern.shape)
        members = (
            (p.compressed, p.plain, self._stored, size)
            if p.indices is None
            else (p.indices, self._stored, size, p.coalesced)
        )
        return _rebuild_sparse_tensor, (p.layout, members)

    def __deepcopy__(self, memo: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment."
            )
        if id(self) not in memo:
            copy = raw(self._pattern, self._stored.clone())
            copy._rg = self._rg
            if self._grad is not None:
                copy._grad = self._grad.__deepcopy__(memo)
            memo[id(self)] = copy
        return memo[id(self)]


def raw(pattern: Pattern, stored: Tensor) -> SparseTensor:
    """A sparse tensor without history."""
    state.overrides = True  # from the first sparse tensor on, ops ask whether they got one
    t = new(SparseTensor)
    t._pattern = pattern
    t._stored = stored.detach() if stored._rg else stored
    t._kind = stored._kind
    t._data = NoMemory(pattern.shape, pattern.layout)
    return t


def values_of(x: Any) -> Tensor:
    """The values of a sparse tensor, in its memory; their gradient has the tensor's pattern."""
    pattern = x._pattern
    return recorded(x._stored.detach(), x, "ValuesBackward0", lambda g: with_values(pattern, g))  # type: ignore[no-any-return]


def with_values(
    pattern: Pattern, values: Tensor, name: str = "SparseCooTensorWithDimsAndTensorsBackward0"
) -> SparseTensor:
    """Values on a pattern; their gradient is what the tensor's gradient has at the places."""

    def gather(g: Any) -> Tensor:
        if isinstance(g, SparseTensor):
            if g._pattern.same_places(pattern):
                return values_of(g)
            g = dense(g)
        return pattern.pick(g)

    return recorded(raw(pattern, values), values, name, gather)  # type: ignore[no-any-return]


def dense(x: Any) -> Any:
    """A sparse tensor as a dense one (a dense one as it is)."""
    if not isinstance(x, SparseTensor):
        return x
    if x._pattern.layout is COO and x._kind.dtype.name == "bool":
        x = coalesced(x)
    if x._pattern.layout is COO and not x._pattern.coalesced and x._rg and thread.enabled:
        x = coalesced(x)  # else the gradient had what belongs to a place once for each entry there
    return x._pattern.put(values_of(x))


def dense_unmasked(x: Any, name: str, backward: Callable[[Any], Any]) -> Any:
    """``dense`` with a gradient at all places, also those that are not stored: ``backward`` of the dense gradient."""
    with no_grad():
        out = dense(x)
    attach(out, x, name, backward)
    return out


def keys_of(indices: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """One number per entry: its place in row-major order over the sparse dimensions."""
    found = indices.new_zeros((indices.shape[1],))
    for row, n in zip(indices.unbind(0), sizes):
        found = found * n + row
    return found


def places_of(keys: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """``keys_of`` undone: (dimensions, entries)."""
    from torsh.ops.joining import stack

    rows = []
    for n in reversed(sizes):
        rows.append(keys % max(n, 1))
        keys = keys // max(n, 1)
    return stack(rows[::-1]) if rows else keys.new_zeros((0, keys.shape[0]))


def coalesced(x: Any) -> Any:
    """A COO tensor whose places are sorted and come once each; its gradient is handed on as it is."""
    p = x._pattern
    if p.coalesced or p.layout is not COO:
        return x
    if p.nnz < 2:
        return with_values(p.as_coalesced(True), values_of(x))
    sizes = p.shape[: p.sparse_dims]
    keys, where = keys_of(p.indices, sizes).unique(return_inverse=True)
    with no_grad():
        merged = merged_values(p, values_of(x), keys.shape[0], where)
    out = raw(Pattern(COO, p.shape, places_of(keys, sizes), coalesced=True), merged)
    attach(out, x, "CoalesceBackward0", lambda g: g)
    if state.levels:
        handed_on(merged, out)
    return out


def merged_values(p: Pattern, values: Tensor, count: int, where: Tensor) -> Tensor:
    """The sums (of bools: whether any is true) of the values that go to the same of ``count`` places."""
    if values._kind.dtype.name == "bool":
        flat: Tensor = values.new_zeros((count, *values.shape[1:]), dtype=indices_dtype(p)).index_add(
            0, where, values.long()
        )
        return flat != 0
    merged: Tensor = values.new_zeros((count, *values.shape[1:])).index_add(0, where, values)
    return merged


def indices_dtype(p: Pattern) -> Any:
    """The dtype of a pattern's index tensors."""
    return (p.indices if p.indices is not None else p.plain).dtype  # type: ignore[union-attr]


def like_layout(t: Tensor, pattern: Pattern) -> Any:
    """A dense tensor in the layout of a pattern."""
    from torsh.sparse._convert import to_layout

    return to_layout(t, pattern.layout, pattern.block, len(pattern.dense_shape) or None)


__all__ = ["Pattern", "Size", "SparseTensor", "coalesced", "dense", "raw", "values_of", "with_values"]
