"""Views: the same memory seen with another shape or other strides."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

from torsh import dtypes
from torsh._callers import warn
from torsh.ops._args import check_tensor, size_of, wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops._view import metadata_inplace
from torsh.ops._view import view as view_op
from torsh.tensor import Tensor, memory_of

# ---- shapes ------------------------------------------------------------------------------------------------------------


def infer_size(size: Sequence[int], numel: int) -> tuple[int, ...]:
    """A requested shape with its -1 replaced.  Raises RuntimeError where it does not hold ``numel`` elements."""
    if not size or min(size) >= 0:
        if math.prod(size) == numel:
            return tuple(size)
    else:
        known = -math.prod(size)
        if known > 0 and size.count(-1) == 1 and numel % known == 0:
            return tuple([numel // known if s == -1 else s for s in size])
    known, unknown = 1, None
    for i, s in enumerate(size):
        if s >= 0:
            known *= s
        elif s != -1:
            raise RuntimeError(f"invalid shape dimension {s} at index {i} of shape {list(size)}")
        elif unknown is not None:
            raise RuntimeError("only one dimension can be inferred")
        else:
            unknown = i
    if unknown is None:
        if known == numel:
            return tuple(size)
    elif known == 0:
        if numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified dimension size -1 can "
                "be any value and is ambiguous"
            )
    elif numel % known == 0:
        found = list(size)
        found[unknown] = numel // known
        return tuple(found)
    raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {numel}")


def view_strides(shape: Sequence[int], strides: Sequence[int], size: Sequence[int]) -> tuple[int, ...] | None:
    """The strides with which memory of ``shape`` and ``strides`` is seen as ``size``, None if only a copy can be."""
    numel = 1
    for s in shape:
        numel *= s
    if numel == 0 or not shape:
        return contiguous_strides(size)
    found = [0] * len(size)
    at = len(size) - 1
    chunk_stride = strides[-1]
    tensor_numel = view_numel = 1
    for d in range(len(shape) - 1, -1, -1):
        tensor_numel *= shape[d]
        # A run of dimensions that is contiguous within itself ends here?
        if d == 0 or (shape[d - 1] != 1 and strides[d - 1] != tensor_numel * chunk_stride):
            while at >= 0 and (view_numel < tensor_numel or size[at] == 1):
                found[at] = view_numel * chunk_stride
                view_numel *= size[at]
                at -= 1
            if view_numel != tensor_numel:
                return None
            if d > 0:
                chunk_stride = strides[d - 1]
                tensor_numel = view_numel = 1
    return tuple(found) if at == -1 else None


def contiguous_strides(size: Sequence[int]) -> tuple[int, ...]:
    """Strides of a freshly allocated tensor."""
    found, n = [], 1
    for s in reversed(size):
        found.append(n)
        n *= s if s > 1 else 1
    return tuple(reversed(found))


def viewable(input: Tensor, size: Sequence[int]) -> bool:
    """Whether the memory of a tensor can be seen in this shape without a copy."""
    backend = input._kind.backend
    raw = memory_of(input)
    if backend.contiguous(raw):
        return True
    if hasattr(input, "_physical"):  # an example under vmap: a view of each is one of the batch
        return viewable(input._physical, (input._physical.shape[0], *size))
    shape, strides, _ = backend.geometry(raw)
    return view_strides(shape, strides, size) is not None


# ---- reshaping ---------------------------------------------------------------------------------------------------------


@view_op("", name="view", args="input size", grad=lambda g, input_shape: reshape(g, input_shape))
def see_as(input, size):
    """The same memory in a shape known to be possible."""
    return (input, size)


_see_as = see_as.op


@composite("Tensor.view", name="view_any")
def view(input, *shape, size=None, dtype=None):
    """The same memory in another shape, or read as another element type.

    shape: integers (one may be -1, computed from the others) or one sequence of them; or a dtype.
    Raises RuntimeError where the strides do not allow it: ``reshape`` copies then.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html

    >>> import torsh
    >>> x = torsh.arange(6)
    >>> y = x.view(2, 3)
    >>> y[0, 0] = 100  # the memory is shared
    >>> x
    tensor([100,   1,   2,   3,   4,   5])
    >>> x.view(-1, 2).shape
    torsh.Size([3, 2])
    """
    if len(shape) == 1 and type(shape[0]) is type and shape[0] in dtypes.PYTHON:
        dtype = dtypes.PYTHON[shape[0]]
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], dtypes.dtype)):
        return view_dtype(input, shape[0] if dtype is None else dtype)
    data = input._memory if input._bits else input._data
    size = infer_size(size_of(shape if size is None else (size,)), math.prod(data.shape))
    if not input._kind.backend.contiguous(data) and not viewable(input, size):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return _see_as(input, size)


@primitive("", name="view_dtype", tags="view nondifferentiable", args="input dtype source")
def view_dtype(input, dtype):
    """The same memory read as another element type; the last dimension grows or shrinks with the element size.

    Raises RuntimeError where the last dimension's size, stride or offset does not fit.
    """
    if input._bits:
        raise RuntimeError(
            f"torch.Tensor.view is not supported for {'conjugate view tensors' if input.is_conj() else 'tensors with negative bit set'} "
            "when converting to a different dtype."
        )
    old, new = input.dtype.itemsize, dtype.itemsize
    if old != new:
        _check_view_dtype(input, dtype)
    return (input, dtype, input.dtype)


def _check_view_dtype(input: Tensor, dtype: dtypes.dtype) -> None:
    old, new = input.dtype.itemsize, dtype.itemsize
    words = f"to view {dtypes.scalar_name(input.dtype)} as {dtypes.scalar_name(dtype)} (different element sizes)"
    if input.ndim == 0:
        raise RuntimeError(f"self.dim() cannot be 0 {words}")
    if (last := input.stride(-1)) != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {words}, but got {last}")
    if new > old:
        ratio = new // old
        if (n := input.shape[-1]) % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {words}, but got {n}")
        if (offset := input.storage_offset()) % ratio:
            raise RuntimeError(f"self.storage_offset() must be divisible by {ratio} {words}, but got {offset}")
        for i, s in enumerate(input.stride()[:-1]):
            if s % ratio:
                raise RuntimeError(f"self.stride({i}) must be divisible by {ratio} {words}, but got {s}")


@composite("Tensor.view_as")
def view_as(input, other):
    """``input.view(other.size())``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view_as.html

    >>> import torsh
    >>> torsh.arange(4).view_as(torsh.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(input, tuple(other.shape))


@primitive("", name="reshape", grad={"input": lambda g, input_shape: reshape(g, input_shape)}, args="input size shape",
           tags="linear moves", node_name="UnsafeViewBackward0", meta=lambda input, size, shape: (size, input.dtype))  # fmt: skip
def reshape_copy(input, size):
    """The elements in another shape, in new memory."""
    return (input, size, tuple(input._data.shape))


@composite("torch.reshape Tensor.reshape", name="reshape_any")
def reshape(input, *dims, shape=None):
    """The same elements in another shape: a view where the strides allow it, a copy otherwise.

    dims: integers (one may be -1) or one sequence of them.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.reshape.html

    >>> import torsh
    >>> x = torsh.arange(6)
    >>> torsh.reshape(x, (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> x.reshape(3, 2).shape
    torsh.Size([3, 2])
    """
    data = input._memory if input._bits else input._data
    size = infer_size(size_of(dims if shape is None else (shape,)), math.prod(data.shape))
    if input._kind.backend.contiguous(data) or viewable(input, size):
        return _see_as(input, size)
    return reshape_copy(input, size)


@composite("Tensor.reshape_as")
def reshape_as(input, other):
    """``input.reshape(other.size())``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.reshape_as.html

    >>> import torsh
    >>> torsh.arange(6).reshape_as(torsh.zeros(2, 3))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return reshape(input, tuple(other.shape))


@composite("torch.flatten Tensor.flatten")
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions ``start_dim`` to ``end_dim`` (inclusive) made one; the tensor itself if that is a single one.

    A view where the memory allows it, else a copy. A 0-d tensor becomes one of shape (1,).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.flatten.html

    >>> import torsh
    >>> torsh.flatten(torsh.zeros(2, 3, 4), start_dim=1).shape
    torsh.Size([2, 12])
    """
    n = input.ndim
    start, end = wrap_dim(start_dim, n), wrap_dim(end_dim, n)
    if start > end:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim cannot come after end_dim (got {start_dim} and {end_dim} for {n} "
            "dimensions)"
        )
    if n == 0:
        return reshape(input, (1,))
    if start == end:
        return input
    shape = tuple(input._data.shape)
    merged = 1
    for s in shape[start : end + 1]:
        merged *= s
    size = (*shape[:start], merged, *shape[end + 1 :])
    return _see_as(input, size) if input._kind.backend.contiguous(memory_of(input)) else reshape(input, size)


@composite("torch.unflatten Tensor.unflatten")
def unflatten(input, dim, sizes):
    """One dimension split into several; one of ``sizes`` may be -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.unflatten.html

    >>> import torsh
    >>> torsh.unflatten(torsh.zeros(6, 5), 0, (2, -1)).shape
    torsh.Size([2, 3, 5])
    """
    dim = wrap_dim(dim, input.ndim)
    sizes = size_of((sizes,)) if isinstance(sizes, (tuple, list)) else size_of((tuple(sizes),))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    shape = tuple(input._data.shape)
    try:
        sizes = infer_size(sizes, shape[dim])
    except RuntimeError as e:
        if "only one" in str(e) or "ambiguous" in str(e):
            raise
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the input "
            "tensor"
        ) from None
    return view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@composite("torch.ravel Tensor.ravel")
def ravel(input):
    """All elements in one dimension; a copy only where needed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.ravel.html

    >>> import torsh
    >>> torsh.ravel(torsh.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(input.contiguous(), (-1,))


# ---- reordering dimensions ---------------------------------------------------------------------------------------------


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    found = [0] * len(dims)
    for i, d in enumerate(dims):
        found[d] = i
    return tuple(found)


@view_op("torch.permute Tensor.permute", grad=lambda g, dims: permute(g, inverse(dims)), args="input dims")
def permute(input, *order, dims=None):
    """A view with its dimensions in another order.

    order: each dimension exactly once, as integers or one sequence.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.permute.html

    >>> import torsh
    >>> x = torsh.zeros(2, 3, 4)
    >>> torsh.permute(x, (2, 0, 1)).shape
    torsh.Size([4, 2, 3])
    >>> x.permute(2, 0, 1).shape
    torsh.Size([4, 2, 3])
    """
    if dims is None and not order:
        raise TypeError('permute() missing 1 required positional arguments: "dims"')
    order = size_of(order if dims is None else (dims,))
    n = input.ndim
    if len(order) != n:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(order)}"
        )
    order = tuple([wrap_dim(d, n) for d in order])
    if len(set(order)) != n:
        raise RuntimeError(f"permute(): duplicate dims are not allowed, got {list(order)}.")
    return (input, order)


@view_op("torch.transpose Tensor.transpose", grad=lambda g, dim0, dim1: transpose(g, dim0, dim1), inplace=True,
         decompose=lambda x, a, b: permute(x, _swap(x.ndim, a, b)))  # fmt: skip
def transpose(input, dim0, dim1):
    """A view with two dimensions exchanged.

    dim0, dim1: from -ndim to ndim - 1, else IndexError. The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.transpose.html

    >>> import torsh
    >>> torsh.transpose(torsh.zeros(2, 3, 4), 0, -1).shape
    torsh.Size([4, 3, 2])
    """
    n = input.ndim
    dim0, dim1 = wrap_dim(dim0, n), wrap_dim(dim1, n)
    return (input, dim0, dim1) if n else see_as(input, ())


def _swap(n: int, a: int, b: int) -> tuple[int, ...]:
    order = list(range(n))
    order[a], order[b] = b, a
    return tuple(order)


@composite("torch.swapaxes Tensor.swapaxes")
def swapaxes(input, axis0, axis1):
    """``transpose`` under NumPy's name.

    The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.swapaxes.html

    >>> import torsh
    >>> torsh.swapaxes(torsh.zeros(2, 3, 4), 0, 2).shape
    torsh.Size([4, 3, 2])
    """
    return transpose(input, axis0, axis1)


@composite("torch.swapdims Tensor.swapdims")
def swapdims(input, dim0, dim1):
    """``transpose`` under another name.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.swapdims.html

    >>> import torsh
    >>> torsh.swapdims(torsh.zeros(2, 3, 4), 0, 2).shape
    torsh.Size([4, 3, 2])
    """
    return transpose(input, dim0, dim1)


for _f in (swapaxes, swapdims):
    _f.op.inplace = metadata_inplace(_f.op.name, _f)


@view_op(
    "torch.t Tensor.t", grad=lambda g: t(g), inplace=True, decompose=lambda x: permute(x, tuple(range(x.ndim))[::-1])
)
def t(input):
    """The transpose of a matrix; a tensor with fewer dimensions as it is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.t.html

    >>> import torsh
    >>> torsh.t(torsh.tensor([[1, 2, 3]]))
    tensor([[1],
            [2],
            [3]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return (input,)


@composite("Tensor.T", name="numpy_T")
def T(input):
    """All dimensions in reverse order; other than for matrices use ``mT`` or ``permute``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.T.html

    >>> import torsh
    >>> torsh.zeros(2, 3).T.shape
    torsh.Size([3, 2])
    """
    n = input.ndim
    if n not in (0, 2):
        warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
            "error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
        )
    return t(input) if n == 2 else permute(input, tuple(range(n - 1, -1, -1)))


def _of_scalar(input: Tensor, what: str) -> Tensor:
    warnings.warn(
        f"{what} is deprecated on 0-D tensors. This function is the identity in these cases.", UserWarning, stacklevel=4
    )
    return input.view_as(input)


@composite("Tensor.mT", name="matrix_T")
def mT(input):
    """The last two dimensions exchanged.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.mT.html

    >>> import torsh
    >>> torsh.zeros(5, 2, 3).mT.shape
    torsh.Size([5, 3, 2])
    """
    if not input.ndim:
        return _of_scalar(input, "Tensor.mT")
    if input.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.ndim}-D tensor."
        )
    return transpose(input, -2, -1)


@composite("Tensor.H", name="matrix_H")
def H(input):
    """The conjugate transpose of a matrix.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.H.html

    >>> import torsh
    >>> torsh.tensor([[1. + 2.j, 3.]]).H
    tensor([[1.-2.j],
            [3.-0.j]])
    """
    if input.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {input.ndim}-D tensor. For batches of matrices, "
            "consider using tensor.mH"
        )
    out = t(input)
    return out.conj() if input._kind.complex else out


@composite("torch.adjoint Tensor.adjoint Tensor.mH")
def adjoint(input):
    """The last two dimensions exchanged, complex values conjugated.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.adjoint.html

    >>> import torsh
    >>> torsh.adjoint(torsh.tensor([[1. + 1.j, 2.]])).shape
    torsh.Size([2, 1])
    """
    if not input.ndim:
        out = _of_scalar(input, "adjoint()")
        return out.conj() if input._kind.complex else out
    if input.ndim < 2:
        raise RuntimeError(
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got {input.ndim}-D tensor."
        )
    out = transpose(input, -2, -1)
    return out.conj() if input._kind.complex else out


@composite("torch.movedim Tensor.movedim torch.moveaxis Tensor.moveaxis")
def movedim(input, source, destination):
    """Dimensions ``source`` moved to the positions ``destination``; the others keep their order.

    source, destination: ints, or tuples of one length. The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.movedim.html

    >>> import torsh
    >>> torsh.movedim(torsh.zeros(2, 3, 4), 0, -1).shape
    torsh.Size([3, 4, 2])
    """
    src = (source,) if not isinstance(source, (tuple, list)) else tuple(source)
    dst = (destination,) if not isinstance(destination, (tuple, list)) else tuple(destination)
    n = input.ndim
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(src)} dims) should contain the same number of dims "
            f"as destination ({list(dst)} dims)"
        )
    src, dst = tuple(wrap_dim(d, n) for d in src), tuple(wrap_dim(d, n) for d in dst)
    for name, dims in (("source", src), ("destination", dst)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    if n == 0:
        return input.view_as(input)
    order = [-1] * n
    for s, d in zip(src, dst):
        order[d] = s
    rest = iter([d for d in range(n) if d not in src])
    return permute(input, tuple(next(rest) if d == -1 else d for d in order))


# ---- adding, dropping and stretching dimensions ------------------------------------------------------------------------


@view_op("torch.unsqueeze Tensor.unsqueeze", grad=lambda g, dim: squeeze(g, dim), inplace=True,
         decompose=lambda x, dim: see_as(x, (*x.shape[:dim], 1, *x.shape[dim:])))  # fmt: skip
def unsqueeze(input, dim):
    """A view with a dimension of length 1 put in before position ``dim`` (-ndim-1 to ndim).

    The memory is shared. Another dim raises IndexError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.unsqueeze.html

    >>> import torsh
    >>> x = torsh.tensor([1, 2])
    >>> torsh.unsqueeze(x, 0).shape, x.unsqueeze(-1).shape
    (torsh.Size([1, 2]), torsh.Size([2, 1]))
    """
    return (input, wrap_dim(dim, len(input._data.shape) + 1))


@view_op("torch.squeeze Tensor.squeeze", grad=lambda g, input_shape: reshape(g, input_shape), inplace=True, args="input dims",
         decompose=lambda x, dims: see_as(x, tuple(s for i, s in enumerate(x.shape) if i not in dims)))  # fmt: skip
def squeeze(input, dim=None):
    """A view without dimensions of length 1: all such, or those among ``dim``.

    dim: an int or a tuple of ints; dimensions of another length among them stay. The memory is shared.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html

    >>> import torsh
    >>> x = torsh.zeros(1, 2, 1)
    >>> torsh.squeeze(x).shape
    torsh.Size([2])
    >>> x.squeeze(0).shape
    torsh.Size([2, 1])
    """
    shape = input._data.shape
    if dim is None:
        return (input, tuple([i for i, s in enumerate(shape) if s == 1]))
    n = len(shape)
    dims = [wrap_dim(d, n) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim {dims[-1]} appears multiple times in the list of dims")
    return (input, tuple([d for d in dims if n and shape[d] == 1]))


@view_op("Tensor.expand", grad=lambda g, input_shape: g.sum_to_size(input_shape), args="input size")
def expand(input, *sizes, size=None, implicit=False):
    """A view in which dimensions of length 1 are stretched (their stride becomes 0) and new ones put in front.

    sizes: -1 keeps a length.  Raises RuntimeError where a length is neither 1 nor the wanted one.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.expand.html

    >>> import torsh
    >>> x = torsh.tensor([[1], [2]])
    >>> x.expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    >>> x.expand(-1, 2).shape  # -1 keeps a size
    torsh.Size([2, 2])
    """
    wanted = size_of(sizes if size is None else (size,))
    shape = tuple(input._data.shape)
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand({input.type()}{{{list(shape)}}}, size={list(wanted)}): the number of sizes provided ({len(wanted)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    if wanted[lead:] == shape and min(wanted, default=0) >= 0:
        return (input, wanted)
    found = list(wanted)
    for i, w in enumerate(wanted):
        s = shape[i - lead] if i >= lead else None
        if w == -1:
            if s is None:
                raise RuntimeError(
                    f"The expanded size of the tensor ({w}) isn't allowed in a leading, non-existing dimension {i}"
                )
            found[i] = s
        elif w < -1:
            raise RuntimeError(f"The expanded size of the tensor ({w}) must not be negative at dimension {i}")
        elif s is not None and s not in (1, w):
            raise RuntimeError(
                f"The expanded size of the tensor ({w}) must match the existing size ({s}) at non-singleton dimension {i}.  "
                f"Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
            )
    return (input, tuple(found))


@composite("Tensor.expand_as")
def expand_as(input, other):
    """``input.expand(other.size())``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.expand_as.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).expand_as(torsh.zeros(3, 2)).shape
    torsh.Size([3, 2])
    """
    return expand(input, tuple(other.shape))


@composite("torch.broadcast_to Tensor.broadcast_to")
def broadcast_to(input, size):
    """``expand`` under NumPy's name.

    size: -1 keeps a length. The memory is shared, so write to a clone.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.broadcast_to.html

    >>> import torsh
    >>> torsh.broadcast_to(torsh.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, size)


def _as_shape(s: Any) -> tuple[int, ...]:
    return size_of((s,)) if isinstance(s, (tuple, list)) else (operator.index(s),)


def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to, as a ``Size``.  Raises RuntimeError where they do not.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.broadcast_shapes.html

    >>> import torsh
    >>> torsh.broadcast_shapes((2, 1), (3,), (1, 1, 1))
    torsh.Size([1, 2, 3])
    """
    from torsh.tensor import Size

    given = [_as_shape(s) for s in shapes]
    found = [1] * max((len(s) for s in given), default=0)
    for shape in given:
        for i in range(-1, -1 - len(shape), -1):
            n = shape[i]
            if n < 0:
                raise ValueError(
                    f"Attempting to broadcast a dimension with negative length! It is {n} in {list(shape)}"
                )
            if n != 1 and n != found[i]:
                if found[i] != 1:
                    raise RuntimeError(
                        "Shape mismatch: objects cannot be broadcast to a single shape: "
                        f"{', '.join(str(tuple(s)) for s in given)}"
                    )
                found[i] = n
    return Size(found)


@composite("torch.broadcast_tensors torch.functional.broadcast_tensors")
def broadcast_tensors(*tensors):
    """All tensors expanded to the shape they broadcast to, as a tuple.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.broadcast_tensors.html

    >>> import torsh
    >>> a, b = torsh.broadcast_tensors(torsh.tensor([1, 2, 3]), torsh.tensor([[0], [1]]))
    >>> a.shape, b.shape
    (torsh.Size([2, 3]), torsh.Size([2, 3]))
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    for i, x in enumerate(tensors):
        check_tensor(x, "broadcast_tensors", "tensors", i + 1)
    shape = joint_shape([tuple(x.shape) for x in tensors])
    return tuple(expand(x, shape) for x in tensors)


def joint_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape operands broadcast to; the error is the one elementwise ops give."""
    found: list[int] = [1] * max((len(s) for s in shapes), default=0)
    for shape in shapes:
        for i in range(-1, -1 - len(shape), -1):
            if shape[i] != 1 and shape[i] != found[i]:
                if found[i] != 1:
                    raise RuntimeError(
                        f"The size of tensor a ({found[i]}) must match the size of tensor b ({shape[i]}) at non-singleton "
                        f"dimension {len(found) + i}"
                    )
                found[i] = shape[i]
    return tuple(found)


def _atleast(n: int) -> Any:
    def raise_to(tensors: Any) -> Any:
        if len(tensors) == 1:
            x = tensors[0]
            if isinstance(x, (tuple, list)):
                return tuple(raise_to((y,)) for y in x)
            d = check_tensor(x, f"atleast_{n}d", "tensors").ndim
            if d >= n:
                return x
            if n == 3 and d == 1:
                return unsqueeze(unsqueeze(x, 0), -1)
            if n == 3 and d == 2:
                return unsqueeze(x, -1)
            return unsqueeze(x, 0) if d else reshape(x, (1,) * n)
        return tuple(raise_to((y,)) for y in tensors)

    return raise_to


@composite("torch.atleast_1d torch.functional.atleast_1d")
def atleast_1d(*tensors):
    """Tensors with at least one dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.atleast_1d.html

    >>> import torsh
    >>> torsh.atleast_1d(torsh.tensor(1.))
    tensor([1.])
    """
    return _atleast(1)(tensors)


@composite("torch.atleast_2d torch.functional.atleast_2d")
def atleast_2d(*tensors):
    """Tensors with at least two dimensions, new ones in front.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.atleast_2d.html

    >>> import torsh
    >>> torsh.atleast_2d(torsh.tensor([1., 2.]))
    tensor([[1., 2.]])
    """
    return _atleast(2)(tensors)


@composite("torch.atleast_3d torch.functional.atleast_3d")
def atleast_3d(*tensors):
    """Tensors with at least three dimensions, as in NumPy.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.atleast_3d.html

    >>> import torsh
    >>> torsh.atleast_3d(torsh.tensor([1., 2.])).shape
    torsh.Size([1, 2, 1])
    """
    return _atleast(3)(tensors)
