"""Rearrangements that copy: flips, rolls, repeats, triangles, grids."""

from __future__ import annotations

import itertools
import operator
import warnings
from collections.abc import Sequence
from typing import Any

from torsh import dtypes
from torsh.dtypes import scalar_name
from torsh.ops._args import by_example, check_elements, check_pinnable, check_tensor, mapped, size_of, wrap_dim
from torsh.ops._op import Op, composite, primitive
from torsh.ops.creation import arange, create, make_full
from torsh.ops.joining import pile
from torsh.tensor import Tensor

# ---- flips and rolls ---------------------------------------------------------------------------------------------------


@primitive("torch.flip Tensor.flip", layout="like", args="input dims", tags="linear moves", grad={"input": lambda g, dims: flip(g, dims)},
           meta=lambda input, dims: (input.shape, input.dtype))  # fmt: skip
def flip(input, *order, dims=None):
    """A copy with the order of elements reversed along dimensions.

    dims: ints or one sequence of them, each once.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.flip.html

    >>> import torsh
    >>> torsh.flip(torsh.tensor([[1, 2], [3, 4]]), (0, 1))
    tensor([[4, 3],
            [2, 1]])
    """
    if dims is None and not order:
        raise TypeError('flip() missing 1 required positional arguments: "dims"')
    order = size_of(order if dims is None else (dims,))
    n = input.ndim
    found = tuple([wrap_dim(d, n) for d in order])
    if len(set(found)) != len(found):
        repeated = next(d for i, d in enumerate(found) if d in found[:i])
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return (input, found if n else ())


@composite("torch.fliplr Tensor.fliplr")
def fliplr(input):
    """``flip`` of the second dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fliplr.html

    >>> import torsh
    >>> torsh.fliplr(torsh.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d, got {input.ndim}-d.")
    return flip(input, (1,))


@composite("torch.flipud Tensor.flipud")
def flipud(input):
    """``flip`` of the first dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.flipud.html

    >>> import torsh
    >>> torsh.flipud(torsh.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d, got 0-d.")
    return flip(input, (0,))


@composite("torch.rot90 Tensor.rot90", layout="rows")
def rot90(input, k=1, dims=(0, 1)):
    """Rotated by ``k`` quarter turns in the plane of two dimensions, from the first towards the second.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.rot90.html

    >>> import torsh
    >>> torsh.rot90(torsh.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    n = input.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == n:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    for i, d in enumerate(dims):
        if not -n <= d < n:
            raise RuntimeError(f"Rotation dim{i} out of range, dim{i} = {d}")
    a, b = (d % n for d in dims)
    k %= 4
    if k == 1:
        return flip(input, (b,)).transpose(a, b)
    if k == 2:
        return flip(input, (a, b))
    return flip(input, (a,)).transpose(a, b) if k == 3 else input.clone()


@primitive("", name="roll", args="input shifts dims", tags="linear moves", meta=lambda input, shifts, dims: (input.shape, input.dtype),
           grad={"input": lambda g, shifts, dims: rolled(g, tuple(-s for s in shifts), dims)})  # fmt: skip
def rolled(input, shifts, dims):
    """Rolled along known dimensions."""
    return (input, shifts, dims)


@composite("torch.roll Tensor.roll", name="roll_any")
def roll(input, shifts, dims=None):
    """Elements shifted along dimensions, those pushed out coming in at the other end; without dims, of the flat tensor.

    shifts: an int, or one per dimension of ``dims``; positive towards higher indices.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.roll.html

    >>> import torsh
    >>> torsh.roll(torsh.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    >>> torsh.roll(torsh.tensor([[1, 2], [3, 4]]), shifts=1, dims=1)
    tensor([[2, 1],
            [4, 3]])
    """
    shifts = size_of((shifts,)) if isinstance(shifts, (tuple, list)) else (operator.index(shifts),)
    dims = () if dims is None else size_of((dims,)) if isinstance(dims, (tuple, list)) else (operator.index(dims),)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return rolled(input.reshape(-1), shifts, (0,)).view(tuple(input.shape))
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return rolled(input, shifts, tuple(wrap_dim(d, input.ndim) for d in dims))


# ---- repeats -----------------------------------------------------------------------------------------------------------


@composite("Tensor.repeat")
def repeat(input, *sizes, repeats=None):
    """The tensor laid out ``sizes`` times along each dimension, new dimensions in front.

    At least as many numbers as dimensions (RuntimeError). A copy; :meth:`expand` repeats without one.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.repeat.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    sizes = size_of(sizes if repeats is None else (repeats,))
    lead = len(sizes) - input.ndim
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"got {len(sizes)} for {input.ndim} dimensions"
        )
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeats {list(sizes)}")
    return repeated(input, sizes)


def _repeat_meta(input, sizes):
    shape = (*(1,) * (len(sizes) - len(input.shape)), *input.shape)
    return tuple(n * r for n, r in zip(shape, sizes)), input.dtype


def _repeat_grad(g: Tensor, input_shape: tuple[int, ...], sizes: tuple[int, ...]) -> Tensor:
    if 0 in sizes:
        return g.new_zeros(input_shape)
    lead = len(sizes) - len(input_shape)
    shape = (*(1,) * lead, *input_shape)
    split = [n for pair in zip(sizes, shape) for n in pair]
    out = g.reshape(split)
    dims = tuple(2 * i for i, r in enumerate(sizes) if r != 1)
    if dims:
        out = out.sum(dims)
    return out.reshape(input_shape)


@primitive("", name="repeat_kernel", args="input sizes", tags="linear moves", meta=_repeat_meta, node_name="RepeatBackward0",
           grad={"input": lambda g, input_shape, sizes: _repeat_grad(g, input_shape, sizes)})  # fmt: skip
def repeated(input, sizes):
    """Repeated by checked sizes."""
    return (input, sizes)


@composite("torch.tile Tensor.tile")
def tile(input, *order, dims=None):
    """``repeat`` with NumPy's rule: where there are fewer numbers than dimensions, the first dimensions repeat once.

    dims: ints or one sequence of them. A copy.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tile.html

    >>> import torsh
    >>> torsh.tile(torsh.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    order = size_of(order if dims is None else (dims,))
    return repeat(input, (*(1,) * (input.ndim - len(order)), *order))


def _interleave_grad(g: Tensor, input_shape: tuple[int, ...], counts: Any, dim: int) -> Tensor:
    if isinstance(counts, int):
        if counts == 0:
            return g.new_zeros(input_shape)
        return g.reshape((*input_shape[: dim + 1], counts, *input_shape[dim + 1 :])).sum(dim + 1)
    index = repeat_interleave(arange(input_shape[dim], device=g.device), counts)
    return g.new_zeros(input_shape).index_add(dim, index, g)


def _interleave_meta(input, counts, dim, size):
    shape = list(input.shape)
    if isinstance(counts, int):
        shape[dim] *= counts
    else:
        shape[dim] = size
    return tuple(shape), input.dtype


@primitive("", name="repeat_interleave_kernel", args="input counts dim size", tags="linear moves", meta=_interleave_meta,
           node_name="RepeatInterleaveBackward0",
           grad={"input": lambda g, input_shape, counts, dim: _interleave_grad(g, input_shape, counts, dim)})  # fmt: skip
def interleaved(input, counts, dim, size):
    """Each position repeated, checked arguments: counts is an int or a 1-D int64 tensor."""
    return (input, counts, dim, size)


def _of_example(input: Any, repeats: Any, dim: Any, output_size: Any) -> Any:
    return repeat_interleave(input, repeats, dim, output_size=output_size)


@composite("torch.repeat_interleave Tensor.repeat_interleave")
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (or position along ``dim``) repeated in place.

    repeats: how often, one number for all or one per position.  With a single argument, that is the tensor of counts and
    the result the positions 0, 1, ..., each as often as its count.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html

    >>> import torsh
    >>> torsh.repeat_interleave(torsh.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> torsh.repeat_interleave(torsh.tensor([[1], [2]]), torsh.tensor([1, 2]), dim=0)
    tensor([[1],
            [2],
            [2]])
    """
    if repeats is None:
        if input.ndim != 1:
            raise RuntimeError(f"repeat_interleave only accept 1D vector as repeat, got {input.ndim} dimensions")
        return repeat_interleave(
            arange(input.shape[0], dtype=input.dtype, device=input.device), input, 0, output_size=output_size
        )
    if isinstance(repeats, Tensor):
        if repeats.dtype not in (dtypes.int64, dtypes.int32):
            raise NotImplementedError(
                f"\"repeat_interleave_cpu\" not implemented for '{scalar_name(repeats.dtype)}'; the counts are a Long or Int tensor"
            )
        if repeats.ndim > 1:
            raise RuntimeError(f"repeats must be 0-dim or 1-dim tensor, got {repeats.ndim} dimensions")
        if mapped(repeats):
            return by_example(_of_example, input, repeats, dim, output_size)
    if dim is None:
        input, dim = input.reshape(-1), 0
    elif not input.ndim:
        input = input.reshape(-1)
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(repeats, (tuple, list)):
        from torsh.ops.data import tensor

        repeats = tensor(repeats, device=input.device)
    if not isinstance(repeats, Tensor):
        counts: Any = operator.index(repeats)
        if counts < 0:
            raise RuntimeError(f"Repeats must be non-negative, got {counts}")
        check_elements((n * counts,))
        return interleaved(input, counts, dim, n * counts)
    if repeats.ndim == 0 or (repeats.shape[0] == 1 and n != 1):
        repeats = repeats.reshape(1).expand(n)
    if repeats.shape[0] != n:
        raise RuntimeError(f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats.shape[0]} and "
                           f"input.size({dim}) = {n}")  # fmt: skip
    if repeats.device.type == "meta" and output_size is not None:
        return interleaved(input, repeats.to(dtypes.int64), dim, output_size)
    if (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    size = int(repeats.sum())
    if output_size is not None and size != output_size:
        raise RuntimeError(
            f"allocated size does not match required size: output_size={output_size}, repeats add up to {size}"
        )
    return interleaved(input, repeats.to(dtypes.int64), dim, size)


# ---- triangles ---------------------------------------------------------------------------------------------------------


def _matrix(input: Tensor, op: str) -> None:
    if check_tensor(input, op).ndim < 2:
        raise RuntimeError(f"{op}: input tensor must have at least 2 dimensions, got {input.ndim}")


@primitive("torch.tril Tensor.tril", layout="rows", args="input diagonal", tags="linear moves", out=True, inplace=True,
           grad={"input": lambda g, diagonal: tril(g, diagonal)}, meta=lambda input, diagonal: (input.shape, input.dtype))  # fmt: skip
def tril(input, diagonal=0):
    """The lower triangle of matrices, zeros elsewhere.

    input: (*, n, m). diagonal: the highest that is kept: 0 the main one, above it positive, below negative.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tril.html

    >>> import torsh
    >>> torsh.tril(torsh.ones(3, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.],
            [1., 1., 1.]])
    """
    _matrix(input, "tril")
    return (input, diagonal)


@primitive("torch.triu Tensor.triu", layout="rows", args="input diagonal", tags="linear moves", out=True, inplace=True,
           grad={"input": lambda g, diagonal: triu(g, diagonal)}, meta=lambda input, diagonal: (input.shape, input.dtype))  # fmt: skip
def triu(input, diagonal=0):
    """The upper triangle of matrices, zeros elsewhere.

    input: (*, n, m). diagonal: the lowest that is kept: 0 the main one, above it positive, below negative.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.triu.html

    >>> import torsh
    >>> torsh.triu(torsh.ones(3, 3), diagonal=1)
    tensor([[0., 1., 1.],
            [0., 0., 1.],
            [0., 0., 0.]])
    """
    _matrix(input, "triu")
    return (input, diagonal)


triangle_op = Op(
    "triangle_indices", None, ("row", "col", "offset", "upper", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda row, col, offset, upper, dtype, device: ((2, triangle_size(row, col, offset, upper)), dtype),
)  # fmt: skip


def triangle_size(row: int, col: int, offset: int, upper: bool) -> int:
    """How many elements a triangle of a row by col matrix has."""
    lower = sum(min(max(i + 1 + (offset - 1 if upper else offset), 0), col) for i in range(row))
    return row * col - lower if upper else lower


def _inside(row: int, col: int, offset: int, upper: bool) -> int:
    """How many elements of a matrix are in its triangle."""
    below = offset - 1 if upper else offset  # the last diagonal of the lower part
    full = max(min(row, row - (col - 1 - below)), 0)  # rows that lie in it altogether
    first = max(-below, 0)  # the first row with an element in it
    partial = max(row - full - first, 0)
    lower = full * col + partial * (max(1 + below, 1) + max(1 + below, 1) + partial - 1) // 2
    return row * col - lower if upper else lower


def _triangle(op: str, row: int, col: int, offset: int, upper: bool, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        name, value = ("row", row) if row < 0 else ("col", col)
        raise RuntimeError(f"{name} must be non-negative, got {value}")
    if row * col > 1 << 32:  # refused before anything of that size is made
        make_full((2, _inside(row, col, offset, upper)), None, dtype, device, False)
    return create(triangle_op, (row, col, offset, upper), dtype, device)


@composite("torch.tril_indices", tags="creation")
def tril_indices(
    row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None, requires_grad=False, pin_memory=False
):
    """Row and column numbers of the lower triangle of a matrix, as a 2 x N tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.tril_indices.html

    >>> import torsh
    >>> torsh.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    if pin_memory:
        check_pinnable()
    return _triangle("tril_indices", row, col, offset, False, dtype or dtypes.int64, device)


@composite("torch.triu_indices", tags="creation")
def triu_indices(
    row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None, requires_grad=False, pin_memory=False
):
    """Row and column numbers of the upper triangle of a matrix, as a 2 x N tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.triu_indices.html

    >>> import torsh
    >>> torsh.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    if pin_memory:
        check_pinnable()
    return _triangle("triu_indices", row, col, offset, True, dtype or dtypes.int64, device)


@composite("Tensor.fill_diagonal_", name="fill_diagonal_", tags="inplace")
def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number into the main diagonal; with ``wrap``, a tall matrix gets further diagonals below.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.fill_diagonal_.html

    >>> import torsh
    >>> torsh.zeros(2, 3).fill_diagonal_(5)
    tensor([[5., 0., 0.],
            [0., 5., 0.]])
    """
    shape = tuple(self.shape)
    if len(shape) < 2:
        raise RuntimeError(f"dimensions must larger than 1, got {len(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, got {list(shape)}")
    strides, size = self.stride(), min(shape)
    if size == 0:
        return self
    self.as_strided((size,), (sum(strides),)).fill_(fill_value)
    height, width = shape[:2]
    if wrap and len(shape) == 2 and height > width + 1:
        count = (height * width + width) // (width + 1) - size
        self.as_strided((count,), (sum(strides),), self.storage_offset() + strides[0] * (width + 1)).fill_(fill_value)
    return self


# ---- grids and combinations --------------------------------------------------------------------------------------------


def _tensors(args: Sequence[Any]) -> list[Tensor]:
    return list(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else list(args)


@composite("torch.meshgrid torch.functional.meshgrid")
def meshgrid(*tensors, indexing=None):
    """The coordinates of a grid: one tensor per given vector, all of the grid's shape.

    indexing: ``"ij"`` (the default) or ``"xy"``, which exchanges the first two dimensions.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.meshgrid.html

    >>> import torsh
    >>> x, y = torsh.meshgrid(torsh.tensor([1, 2]), torsh.tensor([3, 4, 5]), indexing="ij")
    >>> x
    tensor([[1, 1, 1],
            [2, 2, 2]])
    >>> y
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    tensors = _tensors(tensors)
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for t in tensors:
        if check_tensor(t, "meshgrid", "tensors").ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: shape {list(t.shape)}"
            )
    if any(t.dtype is not tensors[0].dtype for t in tensors):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if any(t.device != tensors[0].device for t in tensors):
        raise RuntimeError("torch.meshgrid expects all tensors to have the same device")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=3,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) >= 2
    if swap:
        tensors[0], tensors[1] = tensors[1], tensors[0]
    shape = tuple(t.numel() for t in tensors)
    n = len(shape)
    grids = [t.reshape((*(1,) * i, -1, *(1,) * (n - 1 - i))).expand(shape) for i, t in enumerate(tensors)]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


@composite("torch.cartesian_prod torch.functional.cartesian_prod")
def cartesian_prod(*tensors):
    """All combinations of one element from each vector, as rows.

    tensors: 1-D, of one dtype. Of one tensor it is the tensor itself.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cartesian_prod.html

    >>> import torsh
    >>> torsh.cartesian_prod(torsh.tensor([1, 2]), torsh.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    tensors = _tensors(tensors)
    for t in tensors:
        if t.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return pile([g.reshape(-1) for g in meshgrid(tensors, indexing="ij")], 1)


@composite("torch.combinations")
def combinations(input, r=2, with_replacement=False):
    """All ``r``-element combinations of a vector's elements, as rows.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.combinations.html

    >>> import torsh
    >>> torsh.combinations(torsh.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return make_full((0,), None, input.dtype, input.device, False)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    from torsh.ops.data import tensor

    index = tensor(rows, dtype=dtypes.int64, device=input.device).reshape(len(rows), r)
    return input.index_select(0, index.reshape(-1)).reshape(len(rows), r)
