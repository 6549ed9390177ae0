"""Conversions between the layouts, written in dense ops, so that gradients flow through all of them."""

from __future__ import annotations

from math import prod
from typing import Any

from torsh.sparse._tensor import (
    BLOCKS,
    COO,
    NAMES,
    ROWS,
    STRIDED,
    Pattern,
    SparseTensor,
    coalesced,
    dense,
    keys_of,
    places_of,
    values_of,
    with_values,
)
from torsh.tensor import Tensor

COMPRESSED = tuple(f for f in NAMES if f is not COO and f is not STRIDED)


def convert(t: Any, sparse_dim: Any = None, layout: Any = None, blocksize: Any = None, dense_dim: Any = None) -> Any:
    """``Tensor.to_sparse``: to COO with a number of sparse dimensions, or to a named layout."""
    if layout is not None and sparse_dim is not None:
        raise TypeError("to_sparse() takes 0 positional arguments but 1 was given")
    own = t.layout
    if layout is not None and layout not in NAMES:
        raise RuntimeError(f"to_sparse: unexpected layout {layout}; one of {', '.join(map(str, NAMES))} is expected")
    if blocksize is not None and layout not in BLOCKS:
        target = NAMES[layout or COO]
        raise RuntimeError(
            f"{'dense_to_sparse' if own not in COMPRESSED and own is not COO else 'to_sparse'}: conversion from {NAMES[own]} to "
            f"{target} with blocksize argument given is not supported"
        )
    if layout in BLOCKS and blocksize is None and own is not layout:
        name = "to_sparse" if isinstance(t, SparseTensor) else "dense_to_sparse"
        raise RuntimeError(
            f"{name}: conversion from {NAMES[own]} to {NAMES[layout]} without blocksize argument given is not supported"
        )
    return to_layout(t, layout or COO, blocksize, dense_dim, sparse_dim)


def to_layout(t: Any, layout: Any, block: Any = None, dense_dim: Any = None, sparse_dim: Any = None) -> Any:
    """A tensor of any layout in another one."""
    if layout is STRIDED:
        return dense(t)
    if isinstance(t, SparseTensor):
        return from_sparse(t, layout, block, sparse_dim)
    return coo_from_dense(t, sparse_dim) if layout is COO else compressed_from_dense(t, layout, block, dense_dim)


def any_over(mask: Tensor, kept: int) -> Tensor:
    """Whether anything is true in the dimensions after the first ``kept``."""
    return mask.flatten(kept).any(-1) if mask.ndim > kept else mask


def coo_from_dense(t: Tensor, sparse_dim: Any = None) -> SparseTensor:
    """The places that are not zero."""
    n = t.ndim if sparse_dim is None else int(sparse_dim)
    if not 0 <= n <= t.ndim or (n == 0 and t.ndim):
        raise RuntimeError(f"dense_to_sparse: sparse_dim argument must be in [0,{t.ndim}] range, but {n} is given")
    plain = t.detach()
    if n == 0:
        keep = int(bool(plain != 0))
        return with_values(
            Pattern(COO, t.shape, plain.new_zeros((0, keep), dtype=_int64()), coalesced=True),
            t.reshape(1)[:keep],
            "ToSparseBackward0",
        )
    indices = any_over(plain != 0, n).nonzero().t().contiguous()
    name = "ToSparseBackward0" if sparse_dim is not None else "ToSparseBackward1"
    return with_values(Pattern(COO, t.shape, indices, coalesced=True), t[tuple(indices.unbind(0))], name)


def _int64() -> Any:
    from torsh.dtypes import int64

    return int64


def check_block(block: Any, sizes: tuple[int, int], name: str) -> tuple[int, int]:
    """A block size as two numbers that divide the sizes."""
    if isinstance(block, int):
        block = (block, block)
    block = tuple(int(b) for b in block)
    if len(block) != 2:
        raise RuntimeError(f"{name}: blocksize needs to be a tuple of size 2, but got {len(block)}")
    if min(block) <= 0:
        raise RuntimeError(f"{name}: blocksize needs to be positive, but got {list(block)}")
    if sizes[0] % block[0] or sizes[1] % block[1]:
        raise RuntimeError(
            f"{name}: tensor sparse size ({sizes[0]},{sizes[1]}) must be divisible by given blocksize ({block[0]},{block[1]})"
        )
    return block  # type: ignore[return-value]


def compressed_from_dense(t: Tensor, layout: Any, block: Any = None, dense_dim: Any = None) -> SparseTensor:
    """The rows and columns that are not zero, of every batch equally many."""
    name = f"dense_to_{layout.name}"
    inner = int(dense_dim or 0)
    if t.ndim < 2:
        raise RuntimeError(
            f"{name}: expected a tensor of at least 2 dimensions, got {t.ndim}: only two-dimensional tensors (and batches of "
            "them) have rows and columns"
        )
    if not 0 <= inner <= t.ndim - 2:
        raise RuntimeError(f"{name}: dense_dim argument must be in [0,{t.ndim - 2}] range, but {inner} is given")
    at = t.ndim - 2 - inner
    shape = tuple(t.shape)
    batch, rest = shape[:at], shape[at + 2 :]
    if layout in BLOCKS:
        block = check_block(block, shape[at : at + 2], name)
    pattern = Pattern(layout, shape, block=block)
    rows, columns = shape[at : at + 2]
    if block is None:
        full = t.reshape(prod(batch), rows, columns, *rest)
    else:
        full = t.reshape(prod(batch), rows // block[0], block[0], columns // block[1], block[1], *rest).transpose(2, 3)
    mask = any_over(full.detach() != 0, 3)
    b, r, c = mask.nonzero().unbind(1)
    counts = mask.flatten(1).sum(1)
    if counts.shape[0] > 1 and bool((counts != counts[0]).any()):
        raise RuntimeError("Expect the same number of specified elements per batch.")
    suffix = "".join(part.capitalize() for part in layout.name.split("_"))
    return compress(pattern, batch, b, r, c, full, f"To{suffix}Backward0", from_grid=True)


def compress(
    pattern: Pattern,
    batch: tuple[int, ...],
    b: Tensor,
    r: Tensor,
    c: Tensor,
    values: Tensor,
    name: str,
    from_grid: bool = False,
) -> SparseTensor:
    """Entries (batch, row, column, value), each once, in a compressed layout.

    from_grid: ``values`` are indexed by the three, instead of in the entries' order.
    """
    from torsh.ops.joining import cat

    layout, block = pattern.layout, pattern.block
    at = len(batch)
    rows, columns = pattern.shape[at : at + 2]
    if block is not None:
        rows, columns = rows // block[0], columns // block[1]
    first, second, n, m = (r, c, rows, columns) if layout in ROWS else (c, r, columns, rows)
    line = b * n + first
    order = (line * m + second).argsort(stable=True)
    batches = prod(batch)
    counts = line.bincount(minlength=batches * n).reshape(batches, n)
    compressed = cat([counts.new_zeros((batches, 1)), counts.cumsum(1)], 1).reshape(*batch, n + 1)
    nnz = line.shape[0] // batches if batches else 0
    plain = second[order].reshape(*batch, nnz)
    found = Pattern(layout, pattern.shape, compressed=compressed, plain=plain, block=block)
    entries = values[b[order], r[order], c[order]] if from_grid else values[order]
    trailing = tuple(entries.shape)[1:]
    return with_values(found, entries.reshape(*batch, nnz, *trailing), name)


def entries_of(t: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(batch, row, column, value) of every stored element; blocks are taken apart."""
    from torsh.ops.creation import arange

    p = t._pattern
    values = values_of(t)
    if p.indices is not None:
        r, c = p.indices.unbind(0)
        return r.new_zeros(r.shape), r, c, values
    b, r, c = p.places()
    flat = values.reshape(prod(p.batch) * p.nnz, *values.shape[len(p.batch) + 1 :])
    if p.block is None:
        return b, r, c, flat
    height, width = p.block
    i = arange(height, device=values.device).reshape(1, height, 1)
    j = arange(width, device=values.device).reshape(1, 1, width)
    size = (flat.shape[0], height, width)
    r = (r.reshape(-1, 1, 1) * height + i).expand(size).reshape(-1)
    c = (c.reshape(-1, 1, 1) * width + j).expand(size).reshape(-1)
    return b.reshape(-1, 1, 1).expand(size).reshape(-1), r, c, flat.flatten(0, 2)


def from_sparse(t: Any, layout: Any, block: Any = None, sparse_dim: Any = None) -> Any:
    """A sparse tensor in another sparse layout."""
    p = t._pattern
    own = p.layout
    if layout is COO:
        if sparse_dim is not None and sparse_dim != p.sparse_dims + len(p.batch):
            raise RuntimeError(
                f"to_sparse: conversion from {NAMES[own]} to Sparse with sparse_dim argument !=self.sparse_dim() is not supported"
            )
        return t if own is COO else coo_from_compressed(t)
    if own is layout and (block is None or (block, block) == p.block or tuple(_pair(block)) == p.block):
        return t
    if own in BLOCKS and layout not in BLOCKS:
        raise RuntimeError(
            f"sparse_compressed_to_{layout.name}: expected SparseCsr or SparseCsc layout but got {NAMES[own]}"
        )
    if own is COO:
        if p.sparse_dims != 2:
            raise RuntimeError(
                f"coo_to_{layout.name}: conversion from Sparse to {NAMES[layout]} for input tensors with sparse_dim()!=2 is not "
                f"supported; this one has {p.sparse_dims}"
            )
        t = coalesced(t)
    at = len(p.batch)
    b, r, c, values = entries_of(t)
    if layout not in BLOCKS:
        return compress(Pattern(layout, p.shape), p.batch, b, r, c, values, "ToSparseBackward0")
    block = check_block(p.block if block is None else block, p.shape[at : at + 2], f"to_{layout.name}")
    rows, columns = p.shape[at] // block[0], p.shape[at + 1] // block[1]
    key = (b * rows + r // block[0]) * columns + c // block[1]
    keys, where = key.unique(return_inverse=True)
    blocks = values.new_zeros((keys.shape[0], *block, *values.shape[1:]))
    blocks = blocks.index_put((where, r % block[0], c % block[1]), values)
    b, r, c = places_of(keys, (max(prod(p.batch), 1), rows, columns)).unbind(0)
    return compress(Pattern(layout, p.shape, block=block), p.batch, b, r, c, blocks, "ToSparseBackward0")


def _pair(block: Any) -> Any:
    return (block, block) if isinstance(block, int) else block


def coo_from_compressed(t: Any) -> SparseTensor:
    """Rows and columns (and batches) of the entries as COO indices, sorted."""
    from torsh.ops.joining import cat

    p = t._pattern
    b, r, c, values = entries_of(t)
    indices = cat([places_of(b, p.batch), r.unsqueeze(0), c.unsqueeze(0)])
    order = keys_of(indices, p.shape[: indices.shape[0]]).argsort(stable=True)
    return with_values(Pattern(COO, p.shape, indices[:, order], coalesced=True), values[order], "ToSparseBackward0")


__all__ = ["compress", "convert", "coo_from_compressed", "coo_from_dense", "entries_of", "from_sparse", "to_layout"]
