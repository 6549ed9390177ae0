"""Sorting, searching in sorted sequences, and finding what is unique."""

from __future__ import annotations

from typing import Any

from torsh import dtypes, return_types
from torsh.dtypes import promote_types, scalar_name
from torsh.ops._args import check_tensor, wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops.indexing import _no_meta
from torsh.ops.reduction import picked
from torsh.tensor import Tensor


def _selected_grad(g, out1, dim, shape):
    """The gradient of values picked along a dimension: it goes where they were picked."""
    return g[0].new_zeros(shape).scatter(dim, out1, g[0])


def _pair(shape, dtype):
    return [(shape, dtype), (shape, dtypes.int64)]


def _no_complex(input: Tensor, name: str) -> None:
    if input._kind.complex:
        raise RuntimeError(f" {name} does not support complex dtypes on CPU: complex numbers have no order")


# ---- sorting ---------------------------------------------------------------------------------------------------------


@primitive(
    "torch.sort Tensor.sort", layout="like", args="input dim descending shape", out="typed", returns=return_types.sort,
    grad={"input": _selected_grad}, meta=lambda input, dim, descending, shape: _pair(shape, input.dtype),
    jvp=lambda input_t, out1, dim: (picked(input_t, out1, dim, True), None),
)  # fmt: skip
def sort(input, dim=-1, descending=False, stable=False):
    """The values along a dimension in order, and where each was: a named tuple (values, indices).

    NaN counts as larger than any number.  Equal values stay in their order whether ``stable`` or not.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sort.html

    >>> import torsh
    >>> values, indices = torsh.sort(torsh.tensor([30, 10, 20]))
    >>> values, indices
    (tensor([10, 20, 30]), tensor([1, 2, 0]))
    >>> torsh.sort(torsh.tensor([[3, 1], [2, 4]]), dim=0, descending=True).values
    tensor([[3, 4],
            [2, 1]])
    """
    check_tensor(input, "sort")
    if type(dim) is bool:
        raise TypeError("sort() received an invalid combination of arguments: dim must be int, not bool")
    _no_complex(input, "Sort")
    return (input, wrap_dim(dim, input.ndim), bool(descending), tuple(input.shape))


@composite("torch.argsort Tensor.argsort")
def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort the values along a dimension.

    dim: the dimension to sort along. descending: largest first. stable: keep the order of equal values. The result is int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.argsort.html

    >>> import torsh
    >>> torsh.argsort(torsh.tensor([30, 10, 20]))
    tensor([1, 2, 0])
    >>> torsh.argsort(torsh.tensor([30, 10, 20]), descending=True)
    tensor([0, 2, 1])
    """
    return sort(input.detach(), dim, descending, stable)[1]


@composite("torch.msort Tensor.msort", out="typed")
def msort(input):
    """The values sorted along the first dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.msort.html

    >>> import torsh
    >>> torsh.msort(torsh.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return sort(input, 0)[0]


@primitive(
    "torch.topk Tensor.topk", args="input k dim largest ordered shape", out="typed", returns=return_types.topk,
    grad={"input": _selected_grad}, jvp=lambda input_t, out1, dim: (picked(input_t, out1, dim, True), None),
    meta=lambda input, k, dim, largest, ordered, shape: _pair(_with(shape, dim, k), input.dtype),
)  # fmt: skip
def topk(input, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) values along a dimension: a named tuple (values, indices).

    sorted: whether they are in order; otherwise they come as PyTorch's selection leaves them.  Which of equal values are taken is
    PyTorch's choice, too.  NaN counts as larger than any number.  Raises RuntimeError if the dimension has fewer than k elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.topk.html

    >>> import torsh
    >>> values, indices = torsh.topk(torsh.tensor([5, 1, 9, 7]), 2)
    >>> values, indices
    (tensor([9, 7]), tensor([2, 3]))
    """
    check_tensor(input, "topk")
    _no_complex(input, "topk")
    if input.dtype is dtypes.bool:
        raise RuntimeError("topk does not support bool dtypes on CPU; convert with .to(torch.uint8)")
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim] if input.ndim else 1
    k = int(k)
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k is {k}, the dimension has {n} elements")
    return (input, k, dim, bool(largest), bool(sorted), tuple(input.shape))


def _with(shape: Any, dim: int, n: int) -> tuple[int, ...]:
    return (*shape[:dim], n, *shape[dim + 1 :]) if shape else ()


def _kth_grad(g, out1, dim, keepdim, shape):
    at, part = out1, g[0]
    if not keepdim and shape:
        at, part = at.unsqueeze(dim), part.unsqueeze(dim)
    return part.new_zeros(shape).scatter(dim, at, part)


@primitive(
    "torch.kthvalue Tensor.kthvalue", args="input k dim keepdim shape", out="exact", returns=return_types.kthvalue,
    grad={"input": _kth_grad}, jvp=lambda input_t, out1, dim, keepdim: (picked(input_t, out1, dim, keepdim), None),
    meta=lambda input, k, dim, keepdim, shape: _pair(
        _with(shape, dim, 1) if keepdim else shape[:dim] + shape[dim + 1 :], input.dtype
    ),
)  # fmt: skip
def kthvalue(input, k, dim=-1, keepdim=False):
    """The k-th smallest value (k from 1) along a dimension, and where it was: a named tuple (values, indices).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.kthvalue.html

    >>> import torsh
    >>> torsh.kthvalue(torsh.tensor([30, 10, 20]), 2)
    torsh.return_types.kthvalue(
    values=tensor(20),
    indices=tensor(2))
    """
    check_tensor(input, "kthvalue")
    dim = wrap_dim(dim, input.ndim)
    n = input.shape[dim] if input.ndim else 1
    if not n:
        raise IndexError(f"kthvalue(): Expected reduction dim {dim} to have non-zero size.")
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}: k is {k}, the size {n}")
    if input.ndim and (input._kind.complex or input.dtype is dtypes.bool):
        raise NotImplementedError(f"\"kthvalue_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    return (input, int(k), dim, bool(keepdim), tuple(input.shape))


# ---- searching -------------------------------------------------------------------------------------------------------


@primitive(
    "torch.searchsorted", args="sorted_sequence values right out_int32 sorter", out="typed", tags="nondifferentiable",
    meta=lambda sorted_sequence, values, right, out_int32, sorter: (
        values.shape, dtypes.int32 if out_int32 else dtypes.int64
    ),
)  # fmt: skip
def searchsorted(
    sorted_sequence, values=None, *, out_int32=False, right=False, side=None, sorter=None, input=None, self=None
):
    """Where values would have to be inserted along the last dimension of a sorted sequence to keep its order.

    values: a number, or a tensor whose leading dimensions are the sequence's (any shape for a vector).  right: after
    equal values instead of before them (``side="right"``).  sorter: the indices that sort the sequence, if it is not
    sorted.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.searchsorted.html

    >>> import torsh
    >>> torsh.searchsorted(torsh.tensor([1, 3, 5, 7]), torsh.tensor([3, 6]))
    tensor([1, 3])
    >>> torsh.searchsorted(torsh.tensor([1, 3, 5, 7]), torsh.tensor([3, 6]), right=True)
    tensor([2, 3])
    """
    values = next((v for v in (values, input, self) if v is not None), None)
    if values is None:
        raise TypeError("searchsorted() missing 1 required positional argument: 'input' (the values to look for)")
    name = "torch.searchsorted()"
    check_tensor(sorted_sequence, "searchsorted", "sorted_sequence")
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"{name}: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(f"{name}: side and right can't be set to opposites, got side of left while right was True")
    if not isinstance(values, Tensor):
        if sorted_sequence.ndim != 1:
            raise RuntimeError(
                f"{name}: input value can be a scalar only when boundaries tensor dimension is 1, but got boundaries "
                f"tensor dim({sorted_sequence.ndim}) and input value's dim(0) numel(1)"
            )
        values = sorted_sequence.new_full(
            (), values, dtype=promote_types(dtypes.of_number(values), sorted_sequence.dtype)
        )
    if not sorted_sequence.ndim:
        raise RuntimeError(f"{name}: boundaries tensor should have positive dimension, but got 0 dimension")
    if sorter is not None:
        if tuple(sorter.shape) != tuple(sorted_sequence.shape):
            raise RuntimeError(
                f"{name}: boundary and sorter must have the same size, but got boundary tensor "
                f"{list(sorted_sequence.shape)} and got sorter tensor {list(sorter.shape)}"
            )
        if sorter.dtype is not dtypes.int64:
            raise RuntimeError(
                f"{name}: sorter must be a tensor of long dtype but got dtype {scalar_name(sorter.dtype)}"
            )
    if sorted_sequence.ndim != 1 and tuple(sorted_sequence.shape[:-1]) != tuple(values.shape[:-1]):
        raise RuntimeError(
            f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            f"input value tensor must match, but we got boundaries tensor {list(sorted_sequence.shape)} and input "
            f"value tensor {list(values.shape)}"
        )
    return _search(sorted_sequence, values, right or side == "right", out_int32, sorter)


def _search(sequence: Tensor, values: Tensor, right: Any, out_int32: Any, sorter: Any) -> tuple[Any, ...]:
    if sequence.dtype is not values.dtype:
        wide = promote_types(sequence.dtype, values.dtype)
        sequence, values = sequence.to(wide), values.to(wide)
    if sequence._kind.complex or sequence.dtype is dtypes.bool:
        raise NotImplementedError(f"\"searchsorted_out_cpu\" not implemented for '{scalar_name(sequence.dtype)}'")
    return (sequence, values, bool(right), bool(out_int32), sorter)


@composite("torch.bucketize", out="typed")
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The number of the bucket, between sorted boundaries (a vector), that each value falls into.

    right: whether a boundary belongs to the bucket above it.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.bucketize.html

    >>> import torsh
    >>> torsh.bucketize(torsh.tensor([3, 6, 9]), torsh.tensor([1, 3, 5, 7, 9]))
    tensor([1, 3, 4])
    """
    check_tensor(boundaries, "bucketize", "boundaries", 2)
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# ---- unique ----------------------------------------------------------------------------------------------------------


@primitive("", name="unique_values", args="input inverse counts dim consecutive",
           tags="nondifferentiable data-dependent",
           meta=lambda *args: _no_meta("unique"))  # fmt: skip
def _unique(input, inverse, counts, dim, consecutive):
    """(unique values, where each element's is or None, how often each occurs or None)."""
    return (input, inverse, counts, dim, consecutive)


def _unique_of(input: Tensor, inverse: bool, counts: bool, dim: int | None, consecutive: bool) -> Any:
    check_tensor(input, "unique")
    if input._kind.complex:
        raise NotImplementedError(f"\"unique\" not implemented for '{scalar_name(input.dtype)}'")
    if dim is not None:
        dim = wrap_dim(dim, input.ndim)
        if any(n == 0 for d, n in enumerate(input.shape) if d != dim):
            raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    found = _unique(input.detach(), bool(inverse), bool(counts), dim, consecutive)
    if not inverse and not counts:
        return found[0]
    return tuple(t for t, wanted in zip(found, (True, inverse, counts)) if wanted)


@composite("torch.unique Tensor.unique", tags="data-dependent")
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different values of a tensor, in order; with ``dim`` the different slices along it.

    return_inverse: also where in the result each element (slice) is.  return_counts: also how often each occurs.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.unique.html

    >>> import torsh
    >>> torsh.unique(torsh.tensor([3, 1, 3, 2]))
    tensor([1, 2, 3])
    >>> values, inverse, counts = torsh.unique(torsh.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    >>> inverse, counts
    (tensor([1, 0, 1]), tensor([1, 2]))
    """
    return _unique_of(input, return_inverse, return_counts, dim, False)


@composite("torch.unique_consecutive Tensor.unique_consecutive", tags="data-dependent")
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """One of each run of equal elements (slices along ``dim``).

    return_inverse, return_counts: also where each element went, and how long each run is. The size depends on the values.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.unique_consecutive.html

    >>> import torsh
    >>> torsh.unique_consecutive(torsh.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    return _unique_of(input, return_inverse, return_counts, dim, True)


@primitive(
    "torch.isin", args="elements test_elements invert", out="exact", tags="nondifferentiable",
    meta=lambda elements, test_elements, invert: (elements.shape, dtypes.bool),
)  # fmt: skip
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each element is one of ``test_elements`` (either may be a number, not both).

    assume_unique: both have no duplicates, which can be faster. invert: the opposite. The result is bool, of the shape of ``elements``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.isin.html

    >>> import torsh
    >>> torsh.isin(torsh.tensor([1, 2, 3]), torsh.tensor([2, 3]))
    tensor([False,  True,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError(
            f"isin() received an invalid combination of arguments - got ({type(elements).__name__}, "
            f"{type(test_elements).__name__}): one of them must be a tensor"
        )
    if not isinstance(elements, Tensor):
        elements = test_elements.new_full((), elements, dtype=dtypes.of_number(elements))
    elif not isinstance(test_elements, Tensor):
        test_elements = elements.new_full((), test_elements, dtype=dtypes.of_number(test_elements))
    for t in (elements, test_elements):
        if t._kind.complex or t.dtype is dtypes.bool:
            raise RuntimeError(f"Unsupported input type encountered for isin(): {scalar_name(t.dtype)}")
    if elements.dtype is not test_elements.dtype:
        wide = promote_types(elements.dtype, test_elements.dtype)
        elements, test_elements = elements.to(wide), test_elements.to(wide)
    return (elements.detach(), test_elements.detach(), bool(invert))


__all__ = ["argsort", "isin", "searchsorted", "sort", "topk", "unique"]
