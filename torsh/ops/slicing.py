"""Views of a part of a tensor: slices, diagonals, windows."""

from __future__ import annotations

import operator
from typing import Any

from torsh.ops._args import wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops._view import view as view_op
from torsh.tensor import Tensor

_ALL = slice(None)


def _at(dim: int, index: Any) -> tuple[Any, ...]:
    """An index tuple that touches one dimension only."""
    return (*(_ALL,) * dim, index)


@primitive("", grad={"g": lambda g, index: g[index]}, args="g size index", tags="linear moves",
           meta=lambda g, size, index: (size, g.dtype))  # fmt: skip
def embed(g, size, index):
    """Zeros of a size with ``g`` at a basic index (integers and slices with positive steps): the gradient of slicing."""
    return (g, tuple(size), index)


@view_op("torch.select Tensor.select", args="input dim index",
         grad=lambda g, input_shape, dim, index: embed(g, input_shape, _at(dim, index)))  # fmt: skip
def select(input, dim, index):
    """A view of one position along a dimension, which disappears.

    Raises IndexError for a position or dimension that does not exist.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.select.html

    >>> import torsh
    >>> torsh.select(torsh.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = input._data.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    index, n = operator.index(index), shape[dim]
    if not -n <= index < n:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return (input, dim, index + n if index < 0 else index)


@view_op("", name="slice", args="input dim start stop step",
         grad=lambda g, input_shape, dim, start, stop, step: embed(g, input_shape, _at(dim, slice(start, stop, step))))  # fmt: skip
def slice_(input, dim, start, stop, step=1):
    """A view of the positions ``start`` (included) to ``stop`` (excluded) along a dimension; all within bounds."""
    return (input, dim, start, stop, step)


def clamped(start: Any, stop: Any, n: int) -> tuple[int, int]:
    """Slice bounds brought into 0..n, start <= stop, as Python does."""
    start = 0 if start is None else operator.index(start)
    stop = n if stop is None else operator.index(stop)
    start = min(max(start + n if start < 0 else start, 0), n)
    stop = min(max(stop + n if stop < 0 else stop, 0), n)
    return start, max(start, stop)


@composite("torch.narrow Tensor.narrow")
def narrow(input, dim, start, length):
    """A view of ``length`` positions from ``start`` on along a dimension.

    start: an integer, or a 0-d tensor of one.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.narrow.html

    >>> import torsh
    >>> torsh.narrow(torsh.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = input._data.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor) and (start.ndim or start._kind.inexact or start.dtype.name == "bool"):
        raise RuntimeError(f"start must be an 0-dim integral Tensor, got {start.ndim}-dim {start.dtype}.")
    dim = wrap_dim(dim, len(shape))
    n, start, length = shape[dim], operator.index(start), operator.index(length)
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slice_(input, dim, start, start + length)


@composite("torch.narrow_copy Tensor.narrow_copy", layout="rows", out=True)
def narrow_copy(input, dim, start, length):
    """``narrow``, copied.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.narrow_copy.html

    >>> import torsh
    >>> torsh.narrow_copy(torsh.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    if dim >= input.ndim:
        raise RuntimeError(
            f"Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but dim is {dim} of {input.ndim}"
        )
    return narrow(input, dim, start, length).clone()


@view_op("torch.diagonal Tensor.diagonal", args="input offset dim1 dim2",
         grad=lambda g, input_shape, offset, dim1, dim2: diagonal_embed(g, input_shape, offset, dim1, dim2))  # fmt: skip
def diagonal(input, offset=0, dim1=0, dim2=1):
    """A view of the diagonal of two dimensions, which becomes the last one.

    offset: above (positive) or below the main diagonal.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.diagonal.html

    >>> import torsh
    >>> torsh.diagonal(torsh.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    >>> torsh.zeros(5, 2, 3).diagonal(dim1=1, dim2=2).shape
    torsh.Size([5, 2])
    """
    n = input.ndim
    dim1, dim2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rows, columns = input.shape[dim1], input.shape[dim2]
    return (input, max(-rows, min(offset, columns)), dim1, dim2)


@primitive("", grad={"g": lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2)}, args="g size offset dim1 dim2",
           tags="linear moves", meta=lambda g, size, offset, dim1, dim2: (size, g.dtype))  # fmt: skip
def diagonal_embed(g, size, offset, dim1, dim2):
    """Zeros of a size with ``g`` on a diagonal."""
    return (g, tuple(size), offset, dim1, dim2)


@composite("torch.diag_embed Tensor.diag_embed")
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dimension of ``input`` on a diagonal and zeros elsewhere.

    offset: which diagonal; dim1, dim2: where the result has the matrices' dimensions.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.diag_embed.html

    >>> import torsh
    >>> torsh.diag_embed(torsh.tensor([[1, 2], [3, 4]])).shape
    torsh.Size([2, 2, 2])
    """
    n = input.ndim + 1
    if input.ndim == 0:
        raise IndexError(
            "Dimension out of range (expected to be in range of [-1, 0], but got -1): diag_embed needs a dimension"
        )
    dim1, dim2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.shape[-1] + abs(offset)
    size = list(input.shape[:-1])
    for d in sorted((dim1, dim2)):
        size.insert(d, side)
    return diagonal_embed(input, tuple(size), offset, dim1, dim2)


@composite("torch.diag Tensor.diag", out=True)
def diag(input, diagonal=0):
    """A copy of a matrix's diagonal, or a matrix with a vector on its diagonal.

    input: a vector (n,) or a matrix (n, m). diagonal: 0 the main one, above it positive, below negative.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.diag.html

    >>> import torsh
    >>> torsh.diag(torsh.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> torsh.diag(torsh.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return _diagonal(input, diagonal).clone()


_diagonal = diagonal


@composite("torch.diagflat Tensor.diagflat")
def diagflat(input, offset=0):
    """A matrix with all elements of a tensor on its diagonal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.diagflat.html

    >>> import torsh
    >>> torsh.diagflat(torsh.tensor([1, 2]), offset=1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    return diag_embed(input.reshape(-1), offset)


@view_op("Tensor.unfold", args="input dimension size step",
         grad=lambda g, input_shape, dimension, size, step: fold_windows(g, input_shape, dimension, size, step))  # fmt: skip
def unfold(input, dimension, size, step):
    """A view of all windows of ``size`` along a dimension, ``step`` apart; positions in the window are the last dimension.

    The result has one dimension more; the memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.unfold.html

    >>> import torsh
    >>> torsh.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    dimension = wrap_dim(dimension, input.ndim)
    n = input.shape[dimension] if input.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {dimension} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if input.ndim == 0:
        input = input.reshape(1)
        return input[:size]
    return (input, dimension, size, min(step, max(n, 1)))  # a longer one makes no difference


@primitive("", grad={"g": lambda g, dimension, length, step: unfold(g, dimension, length, step)},
           args="g size dimension length step", meta=lambda g, size, dimension, length, step: (size, g.dtype), tags="linear")  # fmt: skip
def fold_windows(g, size, dimension, length, step):
    """Windows added up where they overlap: the gradient of ``unfold``."""
    return (g, tuple(size), dimension, length, step)


# ---- writing into a part, without changing the input -------------------------------------------------------------------


def _scattered(input: Tensor, src: Tensor, part: Any, name: str) -> Tensor:
    if hasattr(src, "_physical"):  # an example under vmap, to write into what may be none
        from torsh.func._batched import own_copy

        out = own_copy(input, src)
    else:
        out = input.clone()
    target = part(out)
    if tuple(target.shape) != tuple(src.shape):
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(target.shape)} ({name})"
        )
    target.copy_(src)
    return out


@composite("torch.select_scatter Tensor.select_scatter", out=True)
def select_scatter(input, src, dim, index):
    """A copy of ``input`` with ``src`` at one position along a dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.select_scatter.html

    >>> import torsh
    >>> torsh.select_scatter(torsh.zeros(2, 2), torsh.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    return _scattered(input, src, lambda x: select(x, dim, index), "select_scatter")


@composite("torch.slice_scatter Tensor.slice_scatter", out=True)
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of ``input`` with ``src`` in a slice along a dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.slice_scatter.html

    >>> import torsh
    >>> torsh.slice_scatter(torsh.zeros(4), torsh.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    dim = wrap_dim(dim, input.ndim)
    a, b = clamped(start, end, input.shape[dim])
    return _scattered(input, src, lambda x: slice_(x, dim, a, b, step), "slice_scatter")


@composite("torch.diagonal_scatter Tensor.diagonal_scatter", out=True)
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of ``input`` with ``src`` on a diagonal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.diagonal_scatter.html

    >>> import torsh
    >>> torsh.diagonal_scatter(torsh.zeros(2, 2), torsh.tensor([1., 2.]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return _scattered(input, src, lambda x: diagonal(x, offset, dim1, dim2), "diagonal_scatter")
