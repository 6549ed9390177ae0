"""Arithmetic, products, reductions and shapes of sparse tensors, in dense ops on their values."""

from __future__ import annotations

from math import prod
from typing import Any

from torsh import dtypes
from torsh._over_dense import recorded
from torsh.sparse._convert import coo_from_compressed, entries_of, from_sparse, to_layout
from torsh.sparse._tensor import (
    BSC,
    BSR,
    COO,
    CSC,
    CSR,
    NAMES,
    Pattern,
    SparseTensor,
    coalesced,
    dense,
    keys_of,
    places_of,
    raw,
    unsupported,
    values_of,
    with_values,
)
from torsh.tensor import Tensor


def dims(dim: Any, rank: int) -> list[int]:
    """Dimensions as numbers from 0 on.  Raises IndexError for one that does not exist."""
    found = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if not -max(rank, 1) <= d < max(rank, 1):
            n = max(rank, 1)
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
        found.append(d % max(rank, 1))
    return found


def join(tensors: list[Tensor], dim: int = 0) -> Tensor:
    """Dense tensors one after the other."""
    from torsh.ops.joining import cat as join_dense

    return join_dense(tensors, dim)


def no_entries(x: Any, dtype: Any = None) -> SparseTensor:
    """A COO tensor like another, without entries."""
    p = x._pattern
    indices = p.indices[:, :0] if p.indices is not None else x._stored.new_zeros((x.ndim, 0), dtype=dtypes.int64)
    stored = x._stored.new_zeros((0, *p.shape[indices.shape[0] :]), dtype=dtype or x.dtype)
    return raw(Pattern(COO, p.shape, indices, coalesced=True), stored)


def as_coo(x: Any) -> Any:
    """Any sparse tensor as COO."""
    return x if x._pattern.layout is COO else coo_from_compressed(x)


# ---- elementwise -------------------------------------------------------------------------------------------------------


def add(a: Any, b: Any) -> Any:
    """The sum of two sparse tensors: the entries of both."""
    if a.shape != b.shape:
        raise RuntimeError(
            f"add: expected 'self' and 'other' to have same sizes, but {list(a.shape)} and {list(b.shape)} are different; sparse "
            "tensors do not broadcast"
        )
    p, q = a._pattern, b._pattern
    dtype = dtypes.promote_types(a.dtype, b.dtype)
    v, w = values_of(a).to(dtype), values_of(b).to(dtype)
    if p.same_places(q):
        return with_values(p, v + w)
    if p.layout is not COO or q.layout is not COO:
        if p.layout is not q.layout or p.batch:
            return (
                from_sparse(add(as_coo(a), as_coo(b)), p.layout)
                if not p.batch
                else to_layout(dense(a) + dense(b), p.layout)
            )
        return from_sparse(coalesced(add(as_coo(a), as_coo(b))), p.layout, p.block)
    if p.sparse_dims != q.sparse_dims:
        raise RuntimeError(
            f"add: expected 'self' and 'other' to have same number of sparse dimensions, but got {p.sparse_dims} and "
            f"{q.sparse_dims}"
        )
    if not q.nnz:
        return with_values(p, v)
    if not p.nnz:
        return with_values(q, w)
    total = with_values(Pattern(COO, p.shape, join([p.indices, q.indices], 1)), join([v, w]))
    return coalesced(total) if p.coalesced and q.coalesced else total


def times(a: Any, b: Any) -> Any:
    """A sparse tensor times another tensor, elementwise."""
    p = a._pattern
    if not isinstance(b, SparseTensor):
        if tuple(b.shape) != p.shape:
            b = b.expand(p.shape)
        return with_values(p, values_of(a) * p.pick(b))
    if p.shape != b._pattern.shape:
        raise RuntimeError(f"mul: expected both to have the same size, but got {list(a.shape)} and {list(b.shape)}")
    if p.layout is not COO:
        return from_sparse(times(as_coo(a), as_coo(b)), p.layout, p.block)
    a, b = coalesced(a), coalesced(as_coo(b))
    p, q = a._pattern, b._pattern
    if p.same_places(q):
        return with_values(p, values_of(a) * values_of(b))
    mine, theirs = shared_places(p, q)
    return with_values(
        Pattern(COO, p.shape, p.indices[:, mine], coalesced=True),
        values_of(a)[mine] * values_of(b)[theirs],
        "MulBackward0",
    )


def shared_places(p: Pattern, q: Pattern) -> tuple[Tensor, Tensor]:
    """Positions of the entries two coalesced patterns have in common, in each of them."""
    from torsh.ops.sorting import searchsorted

    sizes = p.shape[: p.sparse_dims]
    keys, others = keys_of(p.indices, sizes), keys_of(q.indices, sizes)  # type: ignore[arg-type]
    if not others.shape[0]:
        return keys[:0], keys[:0]
    at = searchsorted(others, keys).clamp(max=others.shape[0] - 1)
    mine = (others[at] == keys).nonzero().squeeze(1)
    return mine, at[mine]


def mask_by(t: Any, mask: Any) -> Any:
    """``t`` at the places where ``mask`` has entries."""
    p = mask._pattern
    if t.shape != mask.shape:
        raise RuntimeError(
            f"sparse_mask(): operands have incompatible sizes; self has size {list(t.shape)} but mask has size {list(mask.shape)}"
        )
    return with_values(p, p.pick(dense(t)), "SparseMaskBackward0")


# ---- products ----------------------------------------------------------------------------------------------------------


def check_product(a: Any, b: Any) -> None:
    """Raise for matrices that cannot be multiplied."""
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise RuntimeError(f"mm: expected 2D tensors, got {a.ndim}D and {b.ndim}D")
    if a.shape[1] != b.shape[0]:
        if a.layout is COO and not isinstance(b, SparseTensor):
            raise RuntimeError(f"addmm: Argument #3 (dense): Expected dim 0 size {a.shape[1]}, got {b.shape[0]}")
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {'x'.join(map(str, b.shape))})"
        )


def times_dense(a: Any, b: Tensor) -> Tensor:
    """Sparse matrix times dense matrix (or vector): every entry adds a multiple of a row of ``b``."""
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {a.dtype} != {b.dtype}")
    _, rows, columns, values = entries_of(a)
    parts = b.index_select(0, columns) * (values if b.ndim == 1 else values.unsqueeze(1))
    return b.new_zeros((a.shape[0], *b.shape[1:])).index_add(0, rows, parts)


def times_sparse(a: Any, b: Any) -> Any:
    """The product of two sparse matrices: each entry of ``a`` meets the entries of a row of ``b``."""
    from torsh.ops.creation import arange

    layout = a.layout
    a, b = coalesced(as_coo(a)), coalesced(as_coo(b))
    rows, inner = a._pattern.indices.unbind(0)
    starts = b._pattern.indices[0].bincount(minlength=b.shape[0])
    counts = starts[inner]
    ends = starts.cumsum(0)
    left = arange(inner.shape[0], device=inner.device).repeat_interleave(counts)
    before = counts.cumsum(0) - counts
    right = (ends - starts)[inner][left] + arange(left.shape[0], device=inner.device) - before[left]
    values = values_of(a)[left] * values_of(b)[right]
    keys, where = (rows[left] * b.shape[1] + b._pattern.indices[1][right]).unique(return_inverse=True)
    shape = (a.shape[0], b.shape[1])
    summed = values.new_zeros((keys.shape[0],)).index_add(0, where, values)
    out = with_values(
        Pattern(COO, shape, places_of(keys, shape), coalesced=True), summed, "SparseSparseMatmulBackward0"
    )
    return out if layout is COO else from_sparse(out, layout)


def matmul(a: Any, b: Any) -> Any:
    """A matrix product with at least one sparse factor."""
    if a.ndim == 3 and b.ndim == 3:
        return bmm(a, b)
    if a.ndim == 1:
        return matmul(b.t(), a)
    check_product(a, b)
    if not isinstance(b, SparseTensor):
        return times_dense(a, b)
    if isinstance(a, SparseTensor):
        if a.dtype is not b.dtype:
            raise RuntimeError(
                f"mat1 dtype {dtypes.scalar_name(a.dtype)} does not match mat2 dtype {dtypes.scalar_name(b.dtype)}"
            )
        return times_sparse(a, b)
    return times_dense(transpose(b, 0, 1), a.transpose(0, 1)).transpose(0, 1)


def bmm(a: Any, b: Any) -> Any:
    """Products of a batch of matrices, the first (or second) of them sparse: entries add multiples of rows."""
    if isinstance(b, SparseTensor):
        if isinstance(a, SparseTensor):
            raise unsupported("bmm", b.layout)
        return bmm(transpose(b, 1, 2), a.transpose(1, 2)).transpose(1, 2)
    if a.ndim != 3 or b.ndim != 3 or a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(f"bmm: batches of {list(a.shape)} and {list(b.shape)} matrices cannot be multiplied")
    n, rows, inner = a.shape
    a = as_coo(a)
    batch, row, column = a._pattern.places()
    parts = b.reshape(n * inner, b.shape[2]).index_select(0, batch * inner + column) * values_of(a).unsqueeze(1)
    return b.new_zeros((n * rows, b.shape[2])).index_add(0, batch * rows + row, parts).reshape(n, rows, b.shape[2])


def addmm(input: Any, mat1: Any, mat2: Any, beta: Any = 1, alpha: Any = 1, multiply: Any = matmul) -> Any:
    """``beta * input + alpha * mat1 @ mat2``."""
    product = multiply(mat1, mat2)
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    if beta != 1:
        input = input * beta
    return input + product


def reduced_mm(a: Any, b: Tensor, reduce: str) -> Tensor:
    """``mm`` where the products of a row are not added but averaged, or the largest or smallest taken."""
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in ("sum", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, mean, amax or amin, got {reduce}")
    if a.layout is not CSR:
        raise RuntimeError(f"Expected sparse CSR tensor for the reduction {reduce!r}, got {a.layout}")
    check_product(a, b)
    if reduce == "sum":
        return times_dense(a, b)
    _, rows, columns, values = entries_of(a)
    parts = b.index_select(0, columns) * values.unsqueeze(1)
    out = parts.new_zeros((a.shape[0], b.shape[1]))
    return out.index_reduce(0, rows, parts, reduce, include_self=False)


def sampled_addmm(input: Any, mat1: Tensor, mat2: Tensor, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)`` at the places of ``input``: only those products are computed."""
    if not isinstance(input, SparseTensor) or input.layout is not CSR:
        raise RuntimeError("Expected input tensor to be in sparse CSR layout, got " + str(input.layout))
    if mat1.ndim < 2 or mat1.shape[-1] != mat2.shape[-2]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({mat1.shape[-2]}x{mat1.shape[-1]} and {mat2.shape[-2]}x{mat2.shape[-1]})"
        )
    p = input._pattern
    b, r, c = p.places()
    n = prod(p.batch)
    left = mat1.reshape(n, *mat1.shape[-2:])[b, r]
    right = mat2.transpose(-1, -2).reshape(n, mat2.shape[-1], mat2.shape[-2])[b, c]
    products = (left * right).sum(-1).reshape(p.values_shape())
    return with_values(p, values_of(input) * beta + products * alpha)


# ---- reductions --------------------------------------------------------------------------------------------------------


def sum_over(x: Any, dim: Any, dtype: Any = None) -> Any:
    """The sum over some dimensions: dense if no sparse dimension is left, else COO."""
    which = dims(dim, x.ndim)
    if len(set(which)) != len(which):
        raise RuntimeError(f"dim {which[-1]} appears multiple times in the list of dims")
    x = as_coo(x)
    p = x._pattern
    values = values_of(x)
    n = p.sparse_dims
    inner = [d - n + 1 for d in which if d >= n]
    if inner:
        values = values.sum(inner, dtype=dtype)
    elif dtype is not None:
        values = values.to(dtype)
    elif values.dtype.category < dtypes.FLOAT:
        values = values.to(dtypes.int64)
    kept = [d for d in range(n) if d not in which]
    shape = [s for d, s in enumerate(p.shape) if d not in which]
    if not kept:
        return values.sum(0)
    same = len(kept) == n
    indices = p.indices if same else p.indices.index_select(0, p.indices.new_tensor(kept))
    out = with_values(Pattern(COO, shape, indices, coalesced=p.coalesced and same), values)
    return coalesced(out)


def softmax(x: Any, dim: int, dtype: Any = None, log: bool = False) -> Any:
    """Softmax over a dimension in which places without an entry count as minus infinity."""
    x = coalesced(as_coo(x))
    p = x._pattern
    (d,) = dims(dim, x.ndim)
    values = values_of(x)
    if dtype is not None:
        values = values.to(dtype)
    if d >= p.sparse_dims:
        d = d - p.sparse_dims + 1
        return with_values(p, values.log_softmax(d) if log else values.softmax(d))
    others = [i for i in range(p.sparse_dims) if i != d]
    sizes = tuple(p.shape[i] for i in others)
    keys = keys_of(p.indices.index_select(0, p.indices.new_tensor(others, dtype=dtypes.int64)), sizes)
    kinds, pool = keys.unique(return_inverse=True)
    shape = (kinds.shape[0], *values.shape[1:])
    plain = values.detach()
    top = (
        plain.new_full(shape, -float("inf")).index_reduce(0, pool, plain, "amax")
        if kinds.shape[0]
        else plain.new_zeros(shape)
    )
    moved = values - top[pool]
    total = values.new_zeros(shape).index_add(0, pool, moved.exp())[pool]
    return with_values(p, moved - total.log() if log else moved.exp() / total)


# ---- shape -------------------------------------------------------------------------------------------------------------

_FLIPPED = {CSR: CSC, CSC: CSR, BSR: BSC, BSC: BSR}


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; of a compressed layout the two sparse ones."""
    a, b = dims((dim0, dim1), x.ndim)
    if a == b:
        return x
    p = x._pattern
    if p.layout is COO:
        order = list(range(x.ndim))
        order[a], order[b] = b, a
        return permute(x, order)
    at = len(p.batch)
    if sorted((a, b)) != [at, at + 1]:
        raise RuntimeError(
            f"transpose(): can only transpose the sparse dimensions of a {NAMES[p.layout]} tensor, {at} and {at + 1}, got {a} and {b}"
        )
    shape = list(p.shape)
    shape[a], shape[b] = shape[b], shape[a]
    values, block = values_of(x), p.block
    if block is not None:
        values, block = values.transpose(at + 1, at + 2), block[::-1]
    return with_values(Pattern(_FLIPPED[p.layout], shape, compressed=p.compressed, plain=p.plain, block=block), values)


def permute(x: Any, order: Any) -> Any:
    """The dimensions in another order; sparse ones stay sparse."""
    order = dims(order, x.ndim)
    if sorted(order) != list(range(x.ndim)):
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
            f"dimensions i.e. input.dim() = {x.ndim} is not equal to len(dims) = {len(order)}"
        )
    p = x._pattern
    if p.layout is not COO:
        raise unsupported("permute", p.layout)
    n = p.sparse_dims
    if any((new < n) != (old < n) for new, old in enumerate(order)):
        raise RuntimeError(
            "transpose(): sparse dimensions and dense dimensions cannot change places; the tensor has "
            f"{n} sparse dimensions, the order is {order}"
        )
    values = values_of(x)
    if order[n:] != list(range(n, x.ndim)):
        values = values.permute(0, *[d - n + 1 for d in order[n:]])
    same = order[:n] == list(range(n))
    indices = p.indices if same else p.indices.index_select(0, p.indices.new_tensor(order[:n], dtype=dtypes.int64))
    return with_values(Pattern(COO, [p.shape[d] for d in order], indices, coalesced=same and p.coalesced), values)


def unsqueeze(x: Any, dim: int) -> Any:
    """A new dimension of length 1, sparse if it comes among (or right after) the sparse ones."""
    (d,) = dims(dim, x.ndim + 1)
    p = x._pattern
    if p.layout is not COO:
        raise unsupported("unsqueeze", p.layout)
    shape = [*p.shape[:d], 1, *p.shape[d:]]
    n = p.sparse_dims
    if d > n:
        return with_values(Pattern(COO, shape, p.indices, coalesced=p.coalesced), values_of(x).unsqueeze(d - n + 1))
    zeros = p.indices.new_zeros((1, p.nnz))
    return with_values(Pattern(COO, shape, join([p.indices[:d], zeros, p.indices[d:]])), values_of(x))


def select(x: Any, dim: int, index: int) -> Any:
    """One slice: dense if no sparse dimension is left."""
    (d,) = dims(dim, x.ndim)
    size, index = x.shape[d], int(index)
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(x.shape)} at dimension {d}")
    index %= size
    layout = x.layout
    x = as_coo(x)
    p = x._pattern
    n = p.sparse_dims
    shape = [*p.shape[:d], *p.shape[d + 1 :]]
    if d >= n:
        return with_values(Pattern(COO, shape, p.indices, coalesced=p.coalesced), values_of(x).select(d - n + 1, index))
    found = (p.indices[d] == index).nonzero().squeeze(1)
    values = values_of(x).index_select(0, found)
    if n == 1:
        return values.sum(0)
    indices = join([p.indices[:d], p.indices[d + 1 :]]).index_select(1, found)
    out = with_values(Pattern(COO, shape, indices, coalesced=p.coalesced), values)
    return from_sparse(out, layout) if layout is not COO and n > 2 else out


def index_select(x: Any, dim: int, index: Tensor) -> Any:
    """Some slices, in the order asked for."""
    from torsh.ops.creation import arange

    if index.ndim != 1:
        raise RuntimeError(f"index_select() argument index must be 1-D long-tensor, got {index.ndim} dimensions")
    (d,) = dims(dim, x.ndim)
    x = as_coo(x)
    p = x._pattern
    n = p.sparse_dims
    shape = [*p.shape[:d], index.shape[0], *p.shape[d + 1 :]]
    if d >= n:
        return with_values(
            Pattern(COO, shape, p.indices, coalesced=p.coalesced), values_of(x).index_select(d - n + 1, index)
        )
    size = p.shape[d]
    if index.numel() and (int(index.min()) < -size or int(index.max()) >= size):
        raise IndexError(
            f"index_select(): index contains a value out of range for tensor of size {list(x.shape)} at dimension {d}"
        )
    index = index % size
    order = p.indices[d].argsort(stable=True)  # the entries, slice after slice
    counts = p.indices[d].bincount(minlength=size)
    asked = counts[index]
    new = arange(index.shape[0], device=index.device).repeat_interleave(asked)
    first = (counts.cumsum(0) - counts)[index][new]
    within = arange(new.shape[0], device=index.device) - (asked.cumsum(0) - asked)[new]
    entries = order[first + within]
    indices = p.indices.index_select(1, entries)
    indices = join([indices[:d], new.unsqueeze(0), indices[d + 1 :]])
    out = with_values(Pattern(COO, shape, indices), values_of(x).index_select(0, entries))
    return coalesced(out) if p.coalesced else out


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """A range of a dimension."""
    (d,) = dims(dim, x.ndim)
    p = x._pattern
    size = x.shape[d]
    start = start + size if start < 0 else start
    if p.layout is not COO or start + length > size:
        raise (
            RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size})")
            if p.layout is COO
            else (unsupported("narrow_copy", p.layout))
        )
    n = p.sparse_dims
    shape = [*p.shape[:d], length, *p.shape[d + 1 :]]
    if d >= n:
        return with_values(
            Pattern(COO, shape, p.indices, coalesced=p.coalesced), values_of(x).narrow(d - n + 1, start, length)
        )
    row = p.indices[d]
    found = ((row >= start) & (row < start + length)).nonzero().squeeze(1)
    indices = p.indices.index_select(1, found)
    indices = join([indices[:d], (indices[d] - start).unsqueeze(0), indices[d + 1 :]])
    return with_values(Pattern(COO, shape, indices, coalesced=p.coalesced), values_of(x).index_select(0, found))


def cat(tensors: Any, dim: int = 0) -> Any:
    """COO tensors one after the other."""
    tensors = list(tensors)
    if not all(isinstance(t, SparseTensor) and t.layout is COO for t in tensors):
        raise RuntimeError(
            "cat: all tensors must be sparse COO tensors, or none of them; convert with .to_sparse() or .to_dense()"
        )
    first = tensors[0]._pattern
    (d,) = dims(dim, len(first.shape))
    n = first.sparse_dims
    for i, t in enumerate(tensors):
        p = t._pattern
        if p.sparse_dims != n or p.shape[:d] != first.shape[:d] or p.shape[d + 1 :] != first.shape[d + 1 :]:
            raise RuntimeError(
                f"Concatenating sparse tensors, but a dimension mismatch was found at position {i}: {list(t.shape)} does not go "
                f"with {list(first.shape)} along dimension {d}"
            )
    total = sum(t.shape[d] for t in tensors)
    shape = [*first.shape[:d], total, *first.shape[d + 1 :]]
    moved, values, at = [], [], 0
    for t in tensors:
        p, v = t._pattern, values_of(t)
        if d < n:
            moved.append(join([p.indices[:d], (p.indices[d] + at).unsqueeze(0), p.indices[d + 1 :]]))
        else:  # the values get zeros where the other tensors are
            k = d - n + 1
            sides = [v.new_zeros([*v.shape[:k], m, *v.shape[k + 1 :]]) for m in (at, total - at - t.shape[d])]
            moved.append(p.indices)
            v = join([sides[0], v, sides[1]], k)
        values.append(v)
        at += t.shape[d]
    return with_values(Pattern(COO, shape, join(moved, 1)), join(values))


def getitem(x: Any, index: Any) -> Any:
    """Indexing, one dimension after the other."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(p is Ellipsis for p in parts):
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        used = sum(p is not None for p in parts) - 1
        parts[at : at + 1] = [slice(None)] * (x.ndim - used)
    d = 0
    for part in parts:
        if part is None:
            x = x.unsqueeze(d)
            d += 1
        elif isinstance(part, int) or (isinstance(part, Tensor) and not part.ndim and part.dtype is dtypes.int64):
            x = x.select(d, int(part))
        elif isinstance(part, slice):
            start, stop, step = part.indices(x.shape[d])
            if step != 1:
                raise ValueError("step must be 1 for a slice of a sparse tensor; use index_select")
            if (start, stop) != (0, x.shape[d]):
                x = x.narrow_copy(d, start, max(stop - start, 0))
            d += 1
        else:
            if not isinstance(part, Tensor):
                from torsh.ops.data import tensor

                part = tensor(part)
            if part.dtype is dtypes.bool:
                part = part.nonzero().squeeze(1)
            x = x.index_select(d, part)
            d += 1
    return x


def spdiags(diagonals: Any, offsets: Any, shape: Any, layout: Any = None) -> Any:
    """A sparse matrix with given diagonals; ``diagonals[k, j]`` goes to column j.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.spdiags.html

    >>> import torsh
    >>> torsh.sparse.spdiags(torsh.tensor([[1., 2., 3.]]), torsh.tensor([1]), (3, 3)).to_dense()
    tensor([[0., 2., 0.],
            [0., 0., 3.],
            [0., 0., 0.]])
    """
    from torsh.ops.creation import arange

    if diagonals.ndim == 1:
        diagonals = diagonals.unsqueeze(0)
    if offsets.ndim == 0:
        offsets = offsets.unsqueeze(0)
    if diagonals.ndim != 2:
        raise RuntimeError("Diagonals must be vector or matrix")
    if len(shape) != 2:
        raise RuntimeError("Output shape must be 2d")
    if offsets.ndim != 1:
        raise RuntimeError("Offsets must be scalar or vector")
    if diagonals.shape[0] != offsets.shape[0]:
        raise RuntimeError(
            f"Number of diagonals ({diagonals.shape[0]}) does not match the number of offsets ({offsets.shape[0]})"
        )
    if layout is not None and layout not in (COO, CSR, CSC):
        raise RuntimeError(f"Only output layouts (Sparse, SparseCsc, SparseCsr) are supported, got {layout}")
    listed = offsets.tolist()
    if len(set(listed)) != len(listed):
        raise RuntimeError("Offset tensor contains duplicate values")
    rows, columns = shape
    if diagonals.dtype is dtypes.bool:
        diagonals = diagonals.clone()
    parts, values = [], []
    for k, offset in enumerate(listed):
        first, last = max(offset, 0), min(rows + offset, columns, diagonals.shape[1])
        c = arange(first, max(last, first), device=diagonals.device)
        parts.append(join([(c - offset).unsqueeze(0), c.unsqueeze(0)]))
        values.append(diagonals[k, first : max(last, first)])
    out = with_values(Pattern(COO, (rows, columns), join(parts, 1)), join(values))
    return out if layout is None or layout is COO else from_sparse(out, layout)


def embedding_rows(weight: Tensor, indices: Tensor, padding_idx: int) -> Tensor:
    """Rows of a table whose gradient is a COO tensor with one entry per index used."""
    from torsh.autograd.grad_mode import no_grad
    from torsh.ops.embedding import take_rows

    with no_grad():
        out = take_rows.op(weight, indices, padding_idx, False)
    shape = tuple(weight.shape)

    def rule(g: Tensor) -> SparseTensor:
        # A copy: what is written to the indices afterwards must not change the gradient.
        used, grads = indices.reshape(-1).to(dtypes.int64, copy=True), g.reshape(indices.numel(), shape[1])
        if padding_idx >= 0:
            kept = (used != padding_idx).nonzero().squeeze(1)
            used, grads = used[kept], grads[kept]
        return with_values(Pattern(COO, shape, used.unsqueeze(0), coalesced=used.shape[0] < 2), grads)

    return recorded(out, weight, "EmbeddingBackward0", rule)  # type: ignore[no-any-return]


__all__ = ["addmm", "bmm", "embedding_rows", "matmul", "reduced_mm", "sampled_addmm", "softmax", "spdiags", "sum_over"]
