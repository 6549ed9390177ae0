"""Joining tensors and splitting them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from torsh import dtypes
from torsh.autograd.grad_mode import thread
from torsh.ops._args import check_tensor, size_of, wrap_dim
from torsh.ops._op import Op, composite
from torsh.ops._view import view as view_op
from torsh.ops.shape import atleast_1d, atleast_2d, atleast_3d
from torsh.ops.slicing import slice_
from torsh.tensor import PLAIN, Tensor, new

# ---- joining -----------------------------------------------------------------------------------------------------------


def tensor_list(tensors: Any, op: str) -> list[Tensor]:
    """A sequence of tensors, checked."""
    if not isinstance(tensors, (tuple, list)):
        if isinstance(tensors, Tensor):
            raise TypeError(f"{op}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
        tensors = list(tensors)
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(t).__name__}; {op}() joins tensors only"
            )
    return list(tensors)


def promoted(tensors: list[Tensor]) -> list[Tensor]:
    """The tensors in the one dtype they promote to."""
    first = tensors[0]._kind
    if all(t._kind is first for t in tensors):
        return tensors
    dtype = dtypes.combine([t.dtype for t in tensors if t.ndim], [t.dtype for t in tensors if not t.ndim], ())
    return [t if t.dtype is dtype else t.to(dtype) for t in tensors]


def _cat_grad(g: Tensor, shapes: list[tuple[int, ...]], dim: int) -> list[Tensor]:
    found, at = [], 0
    for shape in shapes:
        n = shape[dim]
        found.append(slice_(g, dim, at, at + n))
        at += n
    return found


def _cat_meta(tensors, dim):
    shape = list(tensors[0].shape)
    shape[dim] = sum(t.shape[dim] for t in tensors)
    return tuple(shape), tensors[0].dtype


class Join(Op):
    """An op of a list of tensors of one kind and a dimension, one tensor out: ``Op._run`` written out for these."""

    def _run(self, tensors: Sequence[Tensor], dim: int) -> Tensor:
        k = tensors[0]._kind
        raws, tracked = [], False
        for t in tensors:
            if t._kind is not k:
                return super()._run(tensors, dim)
            raws.append(t._data)
            tracked = tracked or t._rg
        r = self.kernels[k](raws, dim)
        out = new(Tensor)
        out._data = r if type(r) is k.raw_type else k.as_raw(r)
        out._kind = k
        out._rg = False
        if tracked and thread.enabled and k.inexact:
            self.record((tensors, dim), (out,))
        return out


join = Join(
    "cat", None, ("tensors", "dim"), tags=("moves", "linear"), meta=_cat_meta,
    grads={"tensors": lambda g, tensors_shape, dim: _cat_grad(g, tensors_shape, dim)},
    doc="Concatenate tensors of one dtype whose shapes are known to fit.",
)  # fmt: skip


@composite("torch.cat torch.concat torch.concatenate", name="cat_any", out=True)
def cat(tensors, dim=0, *, axis=None):
    """Tensors one after the other along an existing dimension; all other dimensions must be equal.

    Empty one-dimensional tensors are skipped whatever the others' shape is.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cat.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 2]])
    >>> torsh.cat([x, x], dim=0)
    tensor([[1, 2],
            [1, 2]])
    >>> torsh.cat([x, torsh.tensor([[3]])], dim=1)
    tensor([[1, 2, 3]])
    """
    dim = dim if axis is None else axis
    if (type(tensors) is list or type(tensors) is tuple) and tensors and type(dim) is int and type(tensors[0]) in PLAIN:
        k, first = tensors[0]._kind, tensors[0]._data.shape
        n = len(first)
        if -n <= dim < n:
            at = dim + n if dim < 0 else dim
            for t in tensors:
                if type(t) not in PLAIN or t._kind is not k:
                    break
                shape = t._data.shape
                if shape != first and (
                    len(shape) != n or shape[:at] != first[:at] or shape[at + 1 :] != first[at + 1 :]
                ):
                    break
            else:
                return join(tensors, at)
    tensors = tensor_list(tensors, "cat")
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for i, t in enumerate(tensors):
        if not t._data.shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    tensors = promoted(tensors)
    kept = [t for t in tensors if tuple(t._data.shape) != (0,)]
    if len(kept) != len(tensors):
        if not kept:  # whatever dim is: such tensors were once put into any concatenation
            return join(tensors, 0)
        first = kept[0]
        if first.ndim == 1:
            kept = tensors
        tensors = kept
    first = tensors[0]._data.shape
    dim = wrap_dim(dim, len(first))
    for i, t in enumerate(tensors):
        shape = t._data.shape
        if len(shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)} (tensor {i} in the list)"
            )
        for d, (a, b) in enumerate(zip(first, shape)):
            if a != b and d != dim:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for tensor "
                    f"number {i} in the list."
                )
    return join(tensors, dim)


def _stack_meta(tensors, dim):
    shape = list(tensors[0].shape)
    shape.insert(dim, len(tensors))
    return tuple(shape), tensors[0].dtype


pile = Join(
    "stack", None, ("tensors", "dim"), tags=("moves", "linear"), meta=_stack_meta,
    decompose=lambda tensors, dim: join([t.unsqueeze(dim) for t in tensors], dim),
    grads={"tensors": lambda g, dim: list(unbind(g, dim))},
    doc="Stack tensors known to have one shape and dtype.",
)  # fmt: skip


@composite("torch.stack", name="stack_any", out=True)
def stack(tensors, dim=0):
    """Tensors of one shape along a new dimension.

    tensors: of the same shape; dtypes are promoted. dim: the new dimension's position, from -ndim-1 to ndim. RuntimeError for an empty
    list or different shapes.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.stack.html

    >>> import torsh
    >>> a, b = torsh.tensor([1, 2]), torsh.tensor([3, 4])
    >>> torsh.stack([a, b])
    tensor([[1, 2],
            [3, 4]])
    >>> torsh.stack([a, b], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    tensors = tensor_list(tensors, "stack")
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]._data.shape
    dim = wrap_dim(dim, len(first) + 1)
    for i, t in enumerate(tensors):
        if t._data.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and {list(t.shape)} at entry {i}"
            )
    return pile(promoted(tensors), dim)


@composite("torch.hstack", out=True)
def hstack(tensors):
    """Joined along the second dimension (the first, for 1-D tensors).

    tensors: their shapes agree but in that dimension, the dtypes are promoted.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.hstack.html

    >>> import torsh
    >>> torsh.hstack([torsh.tensor([1, 2]), torsh.tensor([3])])
    tensor([1, 2, 3])
    """
    tensors = _joinable(tensors, "hstack", atleast_1d)
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


def _joinable(tensors: Any, op: str, atleast: Any) -> list[Tensor]:
    tensors = tensor_list(tensors, op)
    if not tensors:
        raise RuntimeError(f"{op} expects a non-empty TensorList")
    return [atleast(t) for t in tensors]


@composite("torch.vstack torch.row_stack", out=True)
def vstack(tensors):
    """Joined along the first dimension; 1-D tensors become rows.

    tensors: their shapes agree but in the first dimension, the dtypes are promoted.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.vstack.html

    >>> import torsh
    >>> torsh.vstack([torsh.tensor([1, 2]), torsh.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(_joinable(tensors, "vstack", atleast_2d), 0)


@composite("torch.dstack", out=True)
def dstack(tensors):
    """Joined along the third dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.dstack.html

    >>> import torsh
    >>> torsh.dstack([torsh.tensor([1, 2]), torsh.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat(_joinable(tensors, "dstack", atleast_3d), 2)


@composite("torch.column_stack", out=True)
def column_stack(tensors):
    """Like ``hstack``, but tensors with fewer than two dimensions become columns.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.column_stack.html

    >>> import torsh
    >>> torsh.column_stack([torsh.tensor([1, 2]), torsh.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    tensors = tensor_list(tensors, "column_stack")
    if not tensors:
        raise RuntimeError("column_stack expects a non-empty TensorList")
    return hstack([t.reshape(t.numel(), 1) if t.ndim <= 1 else t for t in tensors])


@composite("torch.block_diag torch.functional.block_diag")
def block_diag(*tensors):
    """A matrix with the given matrices along its diagonal and zeros elsewhere; 1-D tensors count as rows.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.block_diag.html

    >>> import torsh
    >>> torsh.block_diag(torsh.tensor([[1, 2]]), torsh.tensor([[3]]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    from torsh.ops.slicing import embed

    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        raise TypeError(
            f"block_diag(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors[0]).__name__}"
        )
    if not tensors:
        from torsh.ops.creation import empty

        return empty(1, 0)
    blocks = []
    for i, t in enumerate(tensors):
        if check_tensor(t, "block_diag", "tensors", i + 1).ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {t.ndim} dimensions"
            )
        blocks.append(atleast_2d(t))
    blocks = promoted(blocks)
    rows, columns = sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)
    bands, at = [], 0
    for b in blocks:
        h, w = b.shape
        bands.append(embed(b, (h, columns), (slice(None), slice(at, at + w))))
        at += w
    return cat(bands, 0) if rows else blocks[0].new_zeros((rows, columns))


# ---- splitting ---------------------------------------------------------------------------------------------------------


def _unbind_grad(g: Sequence[Tensor | None], input_shape: tuple[int, ...], dim: int) -> Tensor:
    g = (g,) if isinstance(g, Tensor) else g
    given = next(x for x in g if x is not None)
    return pile([given.new_zeros(tuple(given.shape)) if x is None else x for x in g], dim)


@view_op("torch.unbind Tensor.unbind", several=True, grad=lambda g, input_shape, dim: _unbind_grad(g, input_shape, dim))
def unbind(input, dim=0):
    """Views of all positions along a dimension, as a tuple.

    dim: the dimension that goes away; as many tensors as it is long. The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.unbind.html

    >>> import torsh
    >>> torsh.unbind(torsh.tensor([[1, 2], [3, 4]]), dim=1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    if not input._data.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return (input, wrap_dim(dim, input.ndim))


def _split_grad(g: Sequence[Tensor | None], input_shape: tuple[int, ...], sizes: tuple[int, ...], dim: int) -> Tensor:
    g = (g,) if isinstance(g, Tensor) else g
    given = next(x for x in g if x is not None)
    parts = []
    for x, n in zip(g, sizes):
        if x is None:
            shape = list(input_shape)
            shape[dim] = n
            x = given.new_zeros(tuple(shape))
        parts.append(x)
    return join(parts, dim)


@view_op(
    "", name="split", args="input sizes dim", several=True,
    grad=lambda g, input_shape, sizes, dim: _split_grad(g, input_shape, sizes, dim),
)  # fmt: skip
def pieces(input, sizes, dim):
    """Views of consecutive pieces of known sizes."""
    return (input, sizes, dim)


@composite("torch.split Tensor.split torch.functional.split", name="split_any")
def split(tensor, split_size_or_sections=None, dim=0, *, split_size=None):
    """Views of consecutive pieces along a dimension, as a tuple.

    split_size_or_sections: the length of each piece (the last may be shorter), or a list of lengths.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.split.html

    >>> import torsh
    >>> torsh.split(torsh.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torsh.split(torsh.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    size = split_size if split_size_or_sections is None else split_size_or_sections
    if isinstance(size, (tuple, list)):
        return split_with_sizes(tensor, size, dim)
    if isinstance(size, Tensor) and size.ndim:
        return split_with_sizes(tensor, size.tolist(), dim)
    if not tensor._data.shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim, size = wrap_dim(dim, tensor.ndim), operator.index(size)
    n = tensor.shape[dim]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0:
        if n:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
        return pieces(tensor, (0,), dim)
    count = max((n + size - 1) // size, 1)
    return pieces(tensor, (*(size,) * (count - 1), n - size * (count - 1)), dim)


@composite("torch.split_with_sizes Tensor.split_with_sizes")
def split_with_sizes(input, split_sizes, dim=0):
    """Views of consecutive pieces of the given lengths, which must add up to the dimension's.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.split.html

    >>> import torsh
    >>> torsh.split_with_sizes(torsh.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    if not input._data.shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, input.ndim)
    sizes, n = size_of((tuple(split_sizes),)), input.shape[dim]
    if any(s < 0 for s in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
        )
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), but got "
            f"split_sizes={list(sizes)}"
        )
    return pieces(input, sizes, dim)


@composite("torch.chunk Tensor.chunk")
def chunk(input, chunks, dim=0):
    """At most ``chunks`` views of equal length along a dimension (the last may be shorter).

    chunks: a positive int. The memory is shared; there can be fewer than ``chunks``, see :func:`tensor_split`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.chunk.html

    >>> import torsh
    >>> torsh.chunk(torsh.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not input._data.shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim]
    size = (n + chunks - 1) // chunks
    if size == 0:
        return pieces(input, (0,) * chunks, dim)
    return split(input, size, dim)


def _on_their_own(parts: Sequence[Tensor]) -> Sequence[Tensor]:
    """Views as tensors that autograd takes for tensors with memory of their own: each may be written to, unseen by the rest."""
    for t in parts:
        t._base = t._vc = t._made = t._replay = None
        t._gf_version = 0
    return parts


@composite("torch.unsafe_split Tensor.unsafe_split")
def unsafe_split(tensor, split_size=None, dim=0):
    """``split``, whose pieces autograd does not know to share memory: none may be used after another was written to.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.unsafe_split.html

    >>> import torsh
    >>> torsh.unsafe_split(torsh.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
    """
    return _on_their_own(split(tensor, split_size, dim))


@composite("torch.unsafe_split_with_sizes Tensor.unsafe_split_with_sizes")
def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """``split_with_sizes``, whose pieces autograd does not know to share memory.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.unsafe_split_with_sizes(torsh.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return _on_their_own(split_with_sizes(input, split_sizes, dim))


@composite("torch.unsafe_chunk Tensor.unsafe_chunk")
def unsafe_chunk(input, chunks, dim=0):
    """``chunk``, whose pieces autograd does not know to share memory.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.unsafe_chunk.html

    >>> import torsh
    >>> torsh.unsafe_chunk(torsh.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return _on_their_own(chunk(input, chunks, dim))


@composite("torch.tensor_split Tensor.tensor_split")
def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Views of pieces along a dimension: a number of nearly equal ones, or cut at given positions.

    indices_or_sections: an int, or a list, tuple or 1-D tensor of positions. The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tensor_split.html

    >>> import torsh
    >>> torsh.tensor_split(torsh.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torsh.tensor_split(torsh.arange(5), [1, 3])
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    given = next((x for x in (indices_or_sections, indices, sections) if x is not None), None)
    if not input._data.shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(given, Tensor):
        if given.device.type != "cpu":
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to be on cpu, but it's on {given.device}"
            )
        if given.dtype is not dtypes.int64:
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {dtypes.scalar_name(given.dtype)}"
            )
        if given.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a "
                f"tensor with {given.ndim} dims"
            )
        given = given.tolist()
    if isinstance(given, (tuple, list)):
        cuts = [operator.index(i) for i in given]
        bounds = zip([0, *cuts], [*cuts, n])
        parts = []
        for a, b in bounds:
            a = min(max(a + n if a < 0 else a, 0), n)
            b = min(max(b + n if b < 0 else b, 0), n)
            parts.append(slice_(input, dim, a, max(a, b)))
        return tuple(parts)
    if given is None:
        raise TypeError("tensor_split(): pass the number of sections or the indices to split at")
    k = operator.index(given)
    if k <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {k}")
    size, extra = divmod(n, k)
    parts, at = [], 0
    for i in range(k):
        step = size + (i < extra)
        parts.append(slice_(input, dim, at, at + step))
        at += step
    return tuple(parts)


def _evenly(input: Tensor, given: Any, dim: int, op: str, least: int) -> Any:
    if input.ndim < least:
        raise RuntimeError(
            f"torch.{op} requires a tensor with at least {least} dimension{'s' if least > 1 else ''}, but got a tensor with "
            f"{input.ndim} dimensions!"
        )
    if isinstance(given, (tuple, list)):
        return tensor_split(input, given, dim)
    if given <= 0:
        raise RuntimeError(f"torch.{op}: split_size must be larger than 0, got {given}")
    if input.shape[dim] % given:
        raise RuntimeError(
            f"torch.{op} attempted to split along dimension {dim}, but the size of the dimension {input.shape[dim]} is not "
            f"divisible by the split_size {given}!"
        )
    return tensor_split(input, given, dim)


def _sections(op: str, a: Any, indices: Any, sections: Any) -> Any:
    given = next((x for x in (a, indices, sections) if x is not None), None)
    if given is None:
        raise TypeError(
            f"{op}() missing 1 required positional argument: 'indices_or_sections' (an int or a sequence of ints)"
        )
    return given


@composite("torch.hsplit Tensor.hsplit")
def hsplit(input, indices_or_sections=None, *, indices=None, sections=None):
    """``tensor_split`` along the second dimension (the first, for a 1-D tensor); sections must be equal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.hsplit.html

    >>> import torsh
    >>> torsh.hsplit(torsh.tensor([1, 2, 3, 4]), [1])
    (tensor([1]), tensor([2, 3, 4]))
    """
    return _evenly(
        input, _sections("hsplit", indices_or_sections, indices, sections), 0 if input.ndim == 1 else 1, "hsplit", 1
    )


@composite("torch.vsplit Tensor.vsplit")
def vsplit(input, indices_or_sections=None, *, indices=None, sections=None):
    """``tensor_split`` along the first dimension; sections must be equal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.vsplit.html

    >>> import torsh
    >>> [p.shape for p in torsh.vsplit(torsh.zeros(4, 2), 2)]
    [torsh.Size([2, 2]), torsh.Size([2, 2])]
    """
    return _evenly(input, _sections("vsplit", indices_or_sections, indices, sections), 0, "vsplit", 2)


@composite("torch.dsplit Tensor.dsplit")
def dsplit(input, indices_or_sections=None, *, indices=None, sections=None):
    """``tensor_split`` along the third dimension; sections must be equal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.dsplit.html

    >>> import torsh
    >>> [p.shape for p in torsh.dsplit(torsh.zeros(1, 2, 4), 2)]
    [torsh.Size([1, 2, 2]), torsh.Size([1, 2, 2])]
    """
    return _evenly(input, _sections("dsplit", indices_or_sections, indices, sections), 2, "dsplit", 3)
