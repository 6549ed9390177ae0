"""Gathering from and scattering to places along a dimension, filling and choosing by masks."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.dispatch import state
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, has_values, wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops.creation import as_value, fill_number
from torsh.ops.indexing import index_put
from torsh.ops.shape import broadcast_shapes
from torsh.tensor import Tensor

# ---- checks ----------------------------------------------------------------------------------------------------------


_HALF_MAX = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}


def _value(value: Any, dtype: Any, name: str) -> Any:
    """A number as a value of a dtype; raises RuntimeError where it does not fit."""
    value = as_value(fill_number(value, name), dtype)
    most = _HALF_MAX.get(dtype.name)
    if most is not None and most < abs(value) < math.inf:
        raise RuntimeError(
            f"value cannot be converted to type c10::{scalar_name(dtype)} without overflow: {value} is beyond {most:g}"
        )
    return value


def _long(index: Any, name: str, words: str) -> Tensor:
    """The index as int64; int32 and int64 are accepted."""
    check_tensor(index, name, "index", 3)
    if index.dtype is dtypes.int64:
        return index
    if index.dtype is not dtypes.int32 and (index.numel() or name not in ("gather", "scatter")):
        raise RuntimeError(f"{name}(): Expected dtype {words} for index, got {index.dtype}; convert it with .long()")
    return index.to(dtypes.int64)


def _same_ndim(input: Tensor, other: Tensor, what: str) -> None:
    if max(input.ndim, 1) != max(other.ndim, 1):
        raise RuntimeError(
            f"{what} tensor must have the same number of dimensions as input tensor: {other.ndim} and {input.ndim}"
        )


def _scatter_args(
    input: Tensor, dim: int, index: Tensor, src: Tensor | None, name: str
) -> tuple[int, Tensor, Tensor | None]:
    """Checked dimension, index and source (cut to the index's shape) of a scatter."""
    check_tensor(input, name)
    dim = wrap_dim(dim, input.ndim)
    index = _long(index, name, "int32/int64")
    size, have = tuple(input._data.shape), tuple(index._data.shape)
    if (
        size == have
        and src is not None
        and type(src) is Tensor
        and src._kind is input._kind
        and have == src._data.shape
    ):
        return dim, index, src
    if index.numel() == 0:
        return dim, index, src
    _same_ndim(input, index, "Index")
    if src is not None:
        check_tensor(src, name, "src", 4)
        if src.dtype is not input.dtype:
            raise RuntimeError(
                f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.dtype} and {src.dtype}; convert "
                f"src with .to({input.dtype})"
            )
        _same_ndim(input, src, "Source")
    for d, n in enumerate(have):
        if d != dim and n > (size[d] if size else 1):
            raise RuntimeError(
                f"Expected index {list(have)} to be no larger than self {list(size)} apart from dimension {dim}"
                + (f" and to be no larger size than src {list(src.shape)}" if src is not None else "")
            )
        if src is not None and n > (src.shape[d] if src.ndim else 1):
            raise RuntimeError(
                f"Expected index {list(have)} to be no larger than self {list(size)} apart from dimension {dim} and "
                f"to be no larger size than src {list(src.shape)}"
            )
    if src is not None and tuple(src.shape) != have:
        src = src[tuple([slice(n) for n in have])] if have and src.ndim else src.reshape(have)
    return dim, index, src


def _vector(index: Any, name: str) -> Tensor:
    """An index of one dimension."""
    return index.reshape(1) if index.ndim == 0 else index


def _like_input(input, *rest):
    return (input.shape, input.dtype)


# ---- along a dimension, element by element ---------------------------------------------------------------------------


@primitive(
    "torch.gather Tensor.gather", args="input dim index shape", out="exact", tags="linear moves",
    grad={"input": lambda g, dim, index, shape: g.new_zeros(shape).scatter_add_(dim, index, g)},
    meta=lambda input, dim, index, shape: (index.shape, input.dtype),
)  # fmt: skip
def gather(input, dim, index, *, sparse_grad=False):
    """``out[i][j] = input[index[i][j]][j]`` (for dim 0): values picked along a dimension.

    index: int64 or int32, with input's number of dimensions, and no longer than it except along ``dim``; the result
    has its shape.  Raises RuntimeError for an index out of range.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.gather.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 2], [3, 4]])
    >>> torsh.gather(x, 1, torsh.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    check_tensor(input, "gather")
    dim = wrap_dim(dim, input.ndim)
    index = _long(index, "gather", "int32/int64")
    shape = tuple(input._data.shape)
    if shape != index._data.shape and index.numel():
        _same_ndim(input, index, "Index")
        for d, n in enumerate(index.shape):
            if d != dim and n > (shape[d] if shape else 1):
                raise RuntimeError(
                    f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than "
                    f"self {list(shape)} apart from dimension {dim}"
                )
    return (input, dim, index, shape)


def _replaced_grad(g, dim, index, reduce):
    if reduce == "prod":
        raise NotImplementedError("scatter with reduce='multiply' has no derivative; use scatter_reduce(..., 'prod')")
    return g if reduce == "sum" else g.scatter(dim, index, 0)


@primitive(
    "torch.scatter Tensor.scatter", args="input dim index src reduce", out="exact", inplace="apart", tags="moves",
    meta=_like_input,
    grad={"input": _replaced_grad, "src": lambda g, dim, index: g.gather(dim, index)},
)  # fmt: skip
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of the input with ``src`` (a tensor or a number) written to the places ``index`` names along a dimension.

    reduce: ``"add"`` or ``"multiply"`` combines instead of replacing.  Which of several values for one place stays is
    not defined.  Raises RuntimeError for an index out of range.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html

    >>> import torsh
    >>> torsh.scatter(torsh.zeros(3), 0, torsh.tensor([2, 0]), torsh.tensor([1., 2.]))
    tensor([2., 0., 1.])
    >>> torsh.zeros(2, 3).scatter_(1, torsh.tensor([[2], [0]]), 1.)  # one hot
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if src is None:
        src = value
    if reduce is not None and reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
    is_tensor = isinstance(src, Tensor)
    dim, index, cut = _scatter_args(input, dim, index, src if is_tensor else None, "scatter")
    if not is_tensor:
        cut = _value(src, input.dtype, "scatter")
    return (input, dim, index, cut, None if reduce is None else "sum" if reduce == "add" else "prod")


@primitive(
    "torch.scatter_add Tensor.scatter_add", args="input dim index src", out="exact", inplace="apart", meta=_like_input,
    grad={"input": lambda g: g, "src": lambda g, dim, index: g.gather(dim, index)},
    tags="linear",
)  # fmt: skip
def scatter_add(input, dim, index, src):
    """A copy of the input with ``src`` added to the places that ``index`` names along a dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html

    >>> import torsh
    >>> torsh.scatter_add(torsh.zeros(3), 0, torsh.tensor([0, 0, 2]), torsh.tensor([1., 2., 3.]))
    tensor([3., 0., 3.])
    """
    if not isinstance(src, Tensor):
        raise TypeError(f"scatter_add(): argument 'src' (position 3) must be Tensor, not {type(src).__name__}")
    dim, index, src = _scatter_args(input, dim, index, src, "scatter")
    return (input, dim, index, src)


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _reduce_input_grad(g, input, dim, index, src, reduce, include_self, out):
    if reduce == "sum":
        found = g
    elif reduce == "mean":
        found = g / _counts(g, input, dim, index, src, include_self)
    elif reduce == "prod":
        ones = input.masked_fill(input == 0, 1)
        found = g * scatter_reduce(ones, dim, index, src, reduce, include_self) / ones
    else:
        found = (input == out).to(g.dtype) * _shared_among(g, input, dim, index, src, out)
    return found if include_self else found.scatter(dim, index, 0)


def _reduce_src_grad(g, input, dim, index, src, reduce, include_self, out):
    if reduce == "sum":
        return g.gather(dim, index)
    if reduce == "mean":
        return (g / _counts(g, input, dim, index, src, include_self)).gather(dim, index)
    if reduce == "prod":
        zero = src == 0
        zeros = input.new_zeros(tuple(input.shape)).scatter_add(dim, index, zero.to(input.dtype)).gather(dim, index)
        single = zero.logical_and(zeros == 1)
        without = scatter_reduce(input, dim, index, src.masked_fill(single, 1), reduce, include_self)
        plain = (g * out).gather(dim, index) / src.masked_fill(zero, 1)
        return (g * without).gather(dim, index).where(single, plain)
    value = out.gather(dim, index)
    return (src == value).to(g.dtype) * _shared_among(g, input, dim, index, src, out).gather(dim, index)


def _counts(g, input, dim, index, src, include_self):
    """How many values went into each mean."""
    start = g.new_ones(tuple(input.shape)) if include_self else g.new_zeros(tuple(input.shape))
    n = start.scatter_add(dim, index, g.new_ones(tuple(index.shape)))
    return n.masked_fill(n == 0, 1)


def _shared_among(g, input, dim, index, src, out):
    """The gradient of an extreme value, divided among all that reach it."""
    reached = (src == out.gather(dim, index)).to(g.dtype)
    return g / (input == out).to(g.dtype).scatter_add(dim, index, reached)


@primitive(
    "torch.scatter_reduce Tensor.scatter_reduce", args="input dim index src reduce include_self", out="exact",
    inplace="apart", meta=_like_input, grad={"input": _reduce_input_grad, "src": _reduce_src_grad},
)  # fmt: skip
def scatter_reduce(input, dim, index, src, reduce, include_self=True):
    """A copy of the input in which ``src`` is reduced into the places that ``index`` names along a dimension.

    reduce: sum, prod, mean, amax or amin.  include_self: whether the input's own values take part.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html

    >>> import torsh
    >>> torsh.scatter_reduce(torsh.zeros(2), 0, torsh.tensor([0, 0, 1]), torsh.tensor([1., 5., 3.]), reduce="amax")
    tensor([5., 3.])
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    dim, index, src = _scatter_args(input, dim, index, src, "scatter")
    if reduce == "mean" and input.dtype in (dtypes.float16, dtypes.bfloat16):  # the sum is rounded, as in PyTorch
        total = scatter_reduce(input, dim, index, src, "sum", include_self)
        return total / _counts(input, input, dim, index, src, include_self)
    return (input, dim, index, src, reduce, bool(include_self))


@composite("torch.take_along_dim Tensor.take_along_dim", out="exact")
def take_along_dim(input, indices, dim=None):
    """Values picked along a dimension by indices that broadcast against the input; without ``dim`` from the flat input.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.take_along_dim.html

    >>> import torsh
    >>> x = torsh.tensor([[30, 10], [20, 40]])
    >>> torsh.take_along_dim(x, x.argsort(dim=1), dim=1)
    tensor([[10, 30],
            [20, 40]])
    """
    if indices.dtype is not dtypes.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {scalar_name(indices.dtype)}; convert "
            f"them with .long()"
        )
    if dim is not None and tuple(input._data.shape) == tuple(indices._data.shape):
        dim = wrap_dim(dim, input.ndim)
        return gather(input, dim, _wrapped(indices, input.shape[dim] if input.ndim else 1))
    if dim is None:
        flat = input.reshape(-1)
        return gather(flat, 0, _wrapped(indices.reshape(-1), flat.shape[0]))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim]
    rest = broadcast_shapes(
        [1 if d == dim else s for d, s in enumerate(input.shape)],
        [1 if d == dim else s for d, s in enumerate(indices.shape)],
    )
    rest = list(rest)
    whole, picked = list(rest), list(rest)
    whole[dim], picked[dim] = n, indices.shape[dim]
    if tuple(input._data.shape) != tuple(whole):
        input = input.expand(whole)
    return gather(input, dim, _wrapped(indices, n).expand(picked))


def _wrapped(indices: Tensor, n: int) -> Tensor:
    if not n or (
        indices.numel()
        and not state.busy
        and has_values(indices)
        and indices.amin().item() >= 0
        and indices.amax().item() < n
    ):
        return indices
    return indices.remainder(n)


# ---- along a dimension, slice by slice -------------------------------------------------------------------------------


@primitive(
    "torch.index_select Tensor.index_select", args="input dim index shape", out="exact", tags="linear moves",
    grad={"input": lambda g, dim, index, shape: g.new_zeros(shape).index_add_(dim, index, g)},
    meta=lambda input, dim, index, shape: (
        (*shape[:dim], index.shape[0], *shape[dim + 1 :]) if shape else (), input.dtype
    ),
)  # fmt: skip
def index_select(input, dim, index):
    """The slices of the input along a dimension that ``index`` (a vector of int64 or int32) names.

    Raises IndexError for an index out of range (negative ones are).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.index_select.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 2, 3], [4, 5, 6]])
    >>> torsh.index_select(x, 1, torsh.tensor([2, 0]))
    tensor([[3, 1],
            [6, 4]])
    """
    check_tensor(input, "index_select")
    dim = wrap_dim(dim, input.ndim)
    index = _long(index, "index_select", "int32 or int64")
    if index.ndim > 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, but it has {index.ndim} dimensions")
    index = _vector(index, "index_select")
    if not input.ndim and index.shape[0] != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.shape[0]} value(s)")
    return (input, dim, index, tuple(input.shape))


def _slices(input: Tensor, dim: int, index: Tensor, source: Tensor, name: str) -> None:
    """Raise where source is not a stack of input's slices, one for each index."""
    n = source.shape[dim] if dim < source.ndim else 1
    if source.ndim and dim >= source.ndim:
        raise RuntimeError(f"{name}(): Indexing dim {dim} is out of bounds of the source tensor with dim {source.ndim}")
    if index.numel() != n:
        raise RuntimeError(
            f"{name}(): Number of indices ({index.numel()}) should be equal to source.size(dim): ({n}), for dim: {dim}"
        )
    a, b = [[n for d, n in enumerate(t.shape) if d != dim] for t in (input, source)]
    if a != b or input.ndim != source.ndim:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input.shape)} source.shape = {list(source.shape)}"
        )


@primitive(
    "torch.index_add Tensor.index_add", args="input dim index source alpha", out="exact", inplace="apart",
    meta=_like_input,
    grad={
        "input": lambda g: g,
        "source": lambda g, dim, index, source, alpha: _scaled(_selected(g, dim, index, source), alpha),
    },
    tags="linear",
)  # fmt: skip
def index_add(input, dim, index, source, *, alpha=1):
    """A copy of the input with ``alpha`` times the slices of ``source`` added to the slices that ``index`` names.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html

    >>> import torsh
    >>> torsh.index_add(torsh.zeros(3), 0, torsh.tensor([0, 2, 0]), torsh.tensor([1., 2., 3.]))
    tensor([4., 0., 2.])
    """
    name = "index_add_"
    check_tensor(input, name)
    dim = wrap_dim(dim, input.ndim)
    index = _long(index, name, "int32/int64")
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but it has {index.ndim} dimensions")
    check_tensor(source, name, "source", 3)
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"{name}(): self ({scalar_name(input.dtype)}) and source ({scalar_name(source.dtype)}) must have the same "
            f"scalar type"
        )
    _slices(input, dim, index, source, name)
    if isinstance(alpha, complex) and not input._kind.complex:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    return (input, dim, _vector(index, name), source, as_value(fill_number(alpha, name), input.dtype))


def _selected(g: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The slices of a gradient that belong to a source."""
    found = g.index_select(dim, index)
    return found if tuple(found.shape) == tuple(source.shape) else found.reshape(tuple(source.shape))


def _scaled(g: Tensor, alpha: Any) -> Tensor:
    if alpha == 1:
        return g
    return g * (alpha.conjugate() if isinstance(alpha, complex) else alpha)


@primitive(
    "torch.index_copy Tensor.index_copy", args="input dim index source", out="exact", inplace="apart", tags="linear moves",
    meta=_like_input,
    grad={
        "input": lambda g, dim, index: g.index_fill(dim, index, 0),
        "source": lambda g, dim, index, source: _selected(g, dim, index, source),
    },
)  # fmt: skip
def index_copy(input, dim, index, source):
    """A copy of the input with the slices of ``source`` in place of the slices that ``index`` names.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html

    >>> import torsh
    >>> torsh.index_copy(torsh.zeros(3), 0, torsh.tensor([2, 0]), torsh.tensor([1., 2.]))
    tensor([2., 0., 1.])
    """
    name = "index_copy_"
    check_tensor(input, name)
    dim = wrap_dim(dim, input.ndim)
    check_tensor(index, name, "index", 2)
    check_tensor(source, name, "source", 3)
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index should have dimension 1 or 0 (got {index.ndim})")
    if source.ndim == 0 and index.numel() != 1:
        raise IndexError(f"{name}(): When source is scalar, index should have one element (got {index.numel()})")
    if source.ndim and input.ndim and source.ndim != input.ndim:
        raise IndexError(
            f"{name}(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if index.dtype is not dtypes.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {scalar_name(index.dtype)}")
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"{name}(): self and source expected to have the same dtype, but got (self) {scalar_name(input.dtype)} and "
            f"(source) {scalar_name(source.dtype)}"
        )
    a = [n for d, n in enumerate(input.shape) if d != dim]
    b = [n for d, n in enumerate(source.shape) if d != dim]
    if a != b and source.ndim and input.ndim:
        raise RuntimeError(
            f"{name}(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, a))} at dimension {dim} and source slice shape: {' '.join(map(str, b))} at dimension "
            f"0."
        )
    if source.ndim and index.numel() != source.shape[dim]:
        raise IndexError(
            f"{name}(): Number of indices ({index.numel()}) should be equal to source.size(dim) ({source.shape[dim]})"
        )
    if not source.ndim and input.ndim:
        source = source.reshape((1,) * input.ndim)
    return (input, dim, _vector(index, name), source)


@primitive(
    "torch.index_fill Tensor.index_fill", layout="like", args="input dim index value", inplace="apart alike valued", tags="linear moves", meta=_like_input,
    grad={
        "input": lambda g, dim, index: g.index_fill(dim, index, 0),
        # each filled place once, however often the index names it
        "value": lambda g, dim, index: (g - g.index_fill(dim, index, 0)).sum(),
    },
)  # fmt: skip
def index_fill(input, dim, index, value):
    """A copy of the input with one value (a number or a 0-d tensor) in the slices that ``index`` (int64) names.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_fill_.html

    >>> import torsh
    >>> torsh.index_fill(torsh.zeros(3), 0, torsh.tensor([0, 2]), 7.)
    tensor([7., 0., 7.])
    """
    name = "index_fill_"
    check_tensor(input, name)
    check_tensor(index, name, "index", 2)
    dim = wrap_dim(dim, input.ndim)
    if index.dtype is not dtypes.int64:
        raise IndexError(f"{name}(): Expected dtype int64 for index, got {index.dtype}")
    if index.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar, but it has {index.ndim} dimensions")
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"{name} only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
            )
        if value._kind.complex and not input._kind.complex:
            raise RuntimeError(f"{name}(): Converting complex Scalar to non-complex type is not supported")
        value = value.to(input.device, input.dtype) if value._kind is not input._kind else value
    else:
        if isinstance(value, complex) and not input._kind.complex:
            raise RuntimeError(f"{name}(): Converting complex Scalar to non-complex type is not supported")
        value = _value(value, input.dtype, name)
    return (input, dim, _vector(index, name), value)


@composite("torch.index_reduce Tensor.index_reduce", out="exact", inplace="apart")
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """A copy of the input in which the slices of ``source`` are reduced into the slices that ``index`` names.

    reduce: prod, mean, amax or amin.  include_self: whether the input's own values take part.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_reduce_.html

    >>> import torsh
    >>> torsh.index_reduce(torsh.ones(2), 0, torsh.tensor([0, 0, 1]), torsh.tensor([2., 3., 4.]), "prod")
    tensor([6., 4.])
    """
    name = "index_reduce"
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"{name}(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = wrap_dim(dim, input.ndim)
    index = _long(index, name, "int32/int64")
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but it has {index.ndim} dimensions")
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"{name}(): self ({scalar_name(input.dtype)}) and source ({scalar_name(source.dtype)}) must have the same "
            f"scalar type"
        )
    _slices(input, dim, index, source, name)
    shape = [1] * source.ndim
    if shape:
        shape[dim] = index.numel()
    index = index.reshape(shape).expand(tuple(source.shape))
    try:
        return scatter_reduce(input, dim, index, source, reduce, include_self)
    except RuntimeError as e:
        if "out of bounds" in str(e):
            raise IndexError(f"index out of range in self: {e}") from None
        raise


# ---- masks -----------------------------------------------------------------------------------------------------------


def _masked_shape(input: Tensor, mask: Tensor) -> tuple[int, ...]:
    a, b = tuple(mask.shape), tuple(input.shape)
    for d in range(1, min(len(a), len(b)) + 1):
        if a[-d] != b[-d] and a[-d] != 1 and b[-d] != 1:
            raise RuntimeError(
                f"The size of tensor a ({a[-d]}) must match the size of tensor b ({b[-d]}) at non-singleton dimension "
                f"{max(len(a), len(b)) - d}: the mask has shape {list(a)}, the tensor {list(b)}"
            )
    return b if a == b else tuple(broadcast_shapes(a, b))


@primitive(
    "torch.masked_fill Tensor.masked_fill", args="input mask value", inplace="apart-or-same alike valued", tags="linear moves", meta=_like_input,
    grad={
        "input": lambda g, mask: g.masked_fill(mask, 0),
        "value": lambda g, mask: g.masked_fill(mask.logical_not(), 0).sum(),
    },
)  # fmt: skip
def masked_fill(input, mask, value):
    """A copy of the input with one value wherever the mask, which broadcasts with it, is True.

    value: a number or a 0-d tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_fill_.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2., 3.])
    >>> x.masked_fill(x > 1, float("-inf"))
    tensor([1., -inf, -inf])
    """
    check_tensor(input, "masked_fill")
    check_tensor(mask, "masked_fill", "mask", 2)
    kind = input._kind
    if mask.dtype is not dtypes.bool:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} "
                f"dimension(s)."
            )
        if value._kind is not kind:
            if value._kind.complex and not kind.complex:
                raise RuntimeError(
                    f"value cannot be converted to type {kind.dtype.name} without overflow: it is complex"
                )
            value = value.to(input.device, kind.dtype)
    else:
        value = _value(value, kind.dtype, "masked_fill")
    if tuple(mask.shape) != tuple(input.shape):
        shape = _masked_shape(input, mask)
        if shape != tuple(input.shape):
            input = input.expand(shape)
    return (input, mask, value)


@composite("torch.masked_select Tensor.masked_select", out="exact", tags="data-dependent")
def masked_select(input, mask):
    """The elements of the input where the mask, which broadcasts with it, is True: a vector.

    mask: bool. A copy; its length depends on the values, so lazy backends compute them.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.masked_select.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 2], [3, 4]])
    >>> torsh.masked_select(x, x > 2)
    tensor([3, 4])
    """
    if mask.dtype is not dtypes.bool:
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, got {mask.dtype}")
    shape = _masked_shape(input, mask)
    if shape == ():
        input, mask, shape = input.reshape(1), mask.reshape(1), (1,)
    return input.expand(shape)[mask.expand(shape)]


@primitive(
    "torch.masked_scatter Tensor.masked_scatter", args="input mask source", inplace=True, tags="linear moves",
    meta=_like_input,
    grad={
        "input": lambda g, mask: g.masked_fill(mask, 0),
        "source": lambda g, mask, source: _under_mask(g, mask, tuple(source.shape)),
    },
)  # fmt: skip
def masked_scatter(input, mask, source):
    """A copy of the input whose elements under a mask are the first ones of ``source``, in order.

    The mask broadcasts with the input.  Raises RuntimeError where it has more places than ``source`` elements.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.masked_scatter_.html

    >>> import torsh
    >>> torsh.zeros(3).masked_scatter(torsh.tensor([True, False, True]), torsh.tensor([1., 2.]))
    tensor([1., 0., 2.])
    """
    check_tensor(input, "masked_scatter")
    if mask.dtype is not dtypes.bool:
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {scalar_name(mask.dtype)}"
        )
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {scalar_name(input.dtype)} and "
            f"{scalar_name(source.dtype)}"
        )
    shape = _masked_shape(input, mask)
    if shape != tuple(input.shape):
        input = input.expand(shape)
    if shape != tuple(mask.shape):
        mask = mask.expand(shape)
    return (input, mask, source)


def _under_mask(g: Tensor, mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of a source of which only the first elements were used."""
    n = math.prod(shape)
    if not g._kind.backend.capabilities.data_dependent_shapes:
        # How many there are is not known: each goes to its number, those outside the mask to a place behind the last one.
        number = mask.reshape(-1).cumsum(0) - 1
        return g.new_zeros(n + 1).scatter(0, number.masked_fill(~mask.reshape(-1), n), g.reshape(-1))[:n].reshape(shape)
    g = g.masked_select(mask)
    if g.shape[0] < n:
        whole = g.new_zeros(n)
        whole[: g.shape[0]] = g
        g = whole
    return g.reshape(shape)


# ---- flat positions --------------------------------------------------------------------------------------------------


@primitive(
    "torch.take Tensor.take", args="input index shape", out="exact", tags="linear moves",
    grad={"input": lambda g, index, shape: g.new_zeros(shape).put_(index, g, True)},
    meta=lambda input, index, shape: (index.shape, input.dtype),
)  # fmt: skip
def take(input, index):
    """The elements at flat positions (int64, negative ones count from the end), in the index's shape.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.take.html

    >>> import torsh
    >>> torsh.take(torsh.tensor([[1, 2], [3, 4]]), torsh.tensor([0, 3]))
    tensor([1, 4])
    """
    check_tensor(input, "take")
    check_tensor(index, "take", "index", 2)
    if index.dtype is not dtypes.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {scalar_name(index.dtype)}")
    if not input.numel() and index.numel():
        raise IndexError("take(): tried to take from an empty tensor")
    return (input, index, tuple(input.shape))


@composite("torch.put Tensor.put", layout="like", inplace="apart")
def put(input, index, source, accumulate=False):
    """A copy of the input with the elements of ``source`` at (or, with ``accumulate``, added to) flat positions.

    index: int64 positions in the flattened input; source: as many elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.put_.html

    >>> import torsh
    >>> torsh.put(torsh.zeros(2, 2), torsh.tensor([3, 0]), torsh.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 1.]])
    """
    if not accumulate:
        from torsh._functions import alert_not_deterministic

        alert_not_deterministic("put_")
    if index.dtype is not dtypes.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {scalar_name(index.dtype)}")
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(input.dtype)} and source.dtype = {scalar_name(source.dtype)}"
        )
    if index.numel() != source.numel():
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel()}, index.numel() = {index.numel()}"
        )
    if not input.numel() and index.numel():
        raise IndexError("put_(): tried to put elements into an empty tensor")
    try:
        return index_put(input.reshape(-1), (index.reshape(-1),), source.reshape(-1), accumulate).reshape(
            tuple(input.shape)
        )
    except IndexError as e:
        raise IndexError(
            f"out of range: tried to access an element of a tensor of {input.numel()} elements: {e}"
        ) from None


__all__ = ["gather", "index_add", "index_select", "masked_fill", "scatter", "scatter_add"]
