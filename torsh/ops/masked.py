"""``torch.masked``: reductions and normalizations of the elements that a mask selects.

Each op fills what the mask leaves out with a value that does not change the result, then calls the plain op.
"""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops import cumulative, reduction
from torsh.ops._args import check_tensor, has_values, wrap_dim, wrap_dims
from torsh.ops._op import add_doc, composite
from torsh.ops.norms import vector_norm
from torsh.ops.statistics import nanmedian

_SOURCE = "Source: https://docs.pytorch.org/docs/stable/generated/torch.masked.{}.html"


def _op(name: str) -> Any:
    return composite(f"torch.masked.{name}", name=f"masked_{name}")


def _full_mask(input: Any, mask: Any) -> Any:
    """The mask as bools of the input's shape."""
    if mask.ndim > input.ndim:
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    if tuple(mask.shape) != tuple(input.shape):
        mask = mask.expand(tuple(input.shape))
    return mask if mask.dtype is dtypes.bool else mask.to(dtypes.bool)


def _extreme(dtype: Any, largest: bool) -> Any:
    """The largest or smallest value of a dtype."""
    if dtype.is_complex or dtype is dtypes.bool:
        raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{dtype}'")
    if dtype.is_floating_point:
        return math.inf if largest else -math.inf
    bits = 8 * dtype.itemsize - dtype.is_signed
    return (1 << bits) - 1 if largest else -(1 << bits) if dtype.is_signed else 0


def _fill(input: Any, mask: Any, value: Any) -> Any:
    """The input with ``value`` where the mask is false; ``value`` may be a function of nothing, called if needed."""
    if mask is None:
        return input
    value = value() if callable(value) else value
    return input.where(_full_mask(input, mask), input.new_full((), value))


def _sum_dtype(input: Any, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    return dtypes.int64 if input.dtype.category < dtypes.FLOAT else input.dtype


def _prepare(name: str, input: Any, dtype: Any) -> Any:
    check_tensor(input, name)
    return input if dtype is None or input.dtype is dtype else input.to(dtype)


def _counts(input: Any, dims: Any, keepdim: bool, mask: Any) -> Any:
    """How many elements go into each result."""
    ones = input.new_ones(tuple(input.shape), dtype=dtypes.int64) if mask is None else _full_mask(input, mask)
    return ones.sum(dims, keepdim)


# ---- reductions ----------------------------------------------------------------------------------------------------


@_op("sum")
def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the selected elements; 0 where none is.

    >>> import torsh
    >>> x, mask = torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([[True, False], [False, False]])
    >>> torsh.masked.sum(x, 1, mask=mask)  # 0 where nothing is selected
    tensor([1., 0.])
    """
    input = _prepare("sum", input, _sum_dtype(input, dtype))
    return _fill(input, mask, 0).sum(dim, keepdim, dtype=dtype)


@_op("prod")
def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the selected elements; 1 where none is.

    >>> import torsh
    >>> torsh.masked.prod(torsh.tensor([3., 4., 99.]), mask=torsh.tensor([True, True, False]))
    tensor(12.)
    """
    input = _prepare("prod", input, _sum_dtype(input, dtype))
    found = _fill(input, mask, 1)
    for d in sorted(wrap_dims(dim, input.ndim), reverse=True):
        found = found.prod(d, keepdim)
    return found


@_op("amax")
def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the selected elements; the smallest value of the dtype where none is.

    >>> import torsh
    >>> torsh.masked.amax(torsh.tensor([1., 9.]), mask=torsh.tensor([True, False]))
    tensor(1.)
    """
    input = _prepare("amax", input, dtype)
    return _fill(input, mask, lambda: _extreme(input.dtype, False)).amax(() if dim is None else dim, keepdim)


@_op("amin")
def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the selected elements; the largest value of the dtype where none is.

    >>> import torsh
    >>> torsh.masked.amin(torsh.tensor([[1., 9.]]), 1, mask=torsh.tensor([[False, True]]))
    tensor([9.])
    """
    input = _prepare("amin", input, dtype)
    return _fill(input, mask, lambda: _extreme(input.dtype, True)).amin(() if dim is None else dim, keepdim)


@_op("argmax")
def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The position of the largest of the selected elements, as a number of the input's dtype.

    >>> import torsh
    >>> torsh.masked.argmax(torsh.tensor([1., 9., 5.]), mask=torsh.tensor([True, False, True]))
    tensor(2.)
    """
    input = _prepare("argmax", input, dtype)
    found = reduction.argmax(_fill(input, mask, lambda: _extreme(input.dtype, False)), dim, bool(keepdim))
    return found.to(input.dtype)


@_op("argmin")
def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The position of the smallest of the selected elements, as a number of the input's dtype.

    >>> import torsh
    >>> torsh.masked.argmin(torsh.tensor([1., 9., 5.]), mask=torsh.tensor([False, True, True]))
    tensor(2.)
    """
    input = _prepare("argmin", input, dtype)
    found = reduction.argmin(_fill(input, mask, lambda: _extreme(input.dtype, True)), dim, bool(keepdim))
    return found.to(input.dtype)


@_op("mean")
def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the selected elements; nan where none is.  Integers raise ValueError unless ``dtype`` is given.

    >>> import torsh
    >>> torsh.masked.mean(torsh.tensor([1., 3., 99.]), mask=torsh.tensor([True, True, False]))
    tensor(2.)
    """
    input = _prepare("mean", input, dtype)
    if not input._kind.inexact:
        raise ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{input.dtype}"
        )
    if mask is None:
        return input.mean(dim, keepdim)
    return _fill(input, mask, 0).sum(dim, keepdim) / _counts(input, dim, keepdim, mask)


@_op("median")
def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median of the selected elements along a dimension; nan where none is.

    >>> import torsh
    >>> torsh.masked.median(torsh.tensor([1., 3., 99.]), 0, mask=torsh.tensor([True, True, False]))
    tensor(1.)
    """
    input = _prepare("median", input, dtype)
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return input.clone() if mask is None else _fill(input, mask, math.nan)
    if mask is None:
        return input.median(dim, keepdim).values
    if not input._kind.floating:
        if has_values(input) and not bool(_full_mask(input, mask).any(dim).all()):
            raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
        found = nanmedian(_fill(input.to(dtypes.float64), mask, math.nan), dim, keepdim).values
        return found.to(input.dtype)
    return nanmedian(_fill(input, mask, math.nan), dim, keepdim).values


@_op("logsumexp")
def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp)) of the selected elements; -inf where none is.

    >>> import torsh
    >>> torsh.masked.logsumexp(torsh.tensor([0., 0., 9.]), 0, mask=torsh.tensor([True, True, False]))
    tensor(0.6931)
    """
    input = _prepare("logsumexp", input, dtype)
    dims = wrap_dims(dim, input.ndim)
    lowest = -math.inf if input._kind.complex else lambda: _extreme(input.dtype, False)
    found = _fill(input, mask, lowest).logsumexp(dims, keepdim)
    return found.to(input.dtype)


@_op("norm")
def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of the selected elements.

    >>> import torsh
    >>> torsh.masked.norm(torsh.tensor([3., 4., 99.]), 2., 0, mask=torsh.tensor([True, True, False]))
    tensor(5.)
    """
    input = _prepare("norm", input, dtype)
    filled = _fill(input, mask, math.inf if ord == -math.inf else 0)
    return vector_norm(filled, ord, None if dim is None else wrap_dims(dim, input.ndim), keepdim)


def _moments(
    name: str, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: Any, dtype: Any, mask: Any
) -> Any:
    """The variance of the selected elements."""
    if unbiased is not None and correction is not None:
        raise RuntimeError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if dtype is None and not input._kind.inexact:
        dtype = dtypes.float32
    input = _prepare(name, input, dtype)
    if mask is None:
        return input.var(dim, keepdim=keepdim, correction=correction).to(input.dtype)
    n = _counts(input, dim, True, mask)
    mean = _fill(input, mask, 0).sum(dim, True) / n
    d = _fill(input - mean, mask, 0)
    squares = (d * d.conj()).real if d._kind.complex else d * d
    n = _counts(input, dim, keepdim, mask)
    return (squares.sum(dim, keepdim) / (n - correction).clamp(min=0)).to(input.dtype)


@_op("var")
def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the selected elements.

    >>> import torsh
    >>> torsh.masked.var(torsh.tensor([1., 3., 99.]), 0, unbiased=False, mask=torsh.tensor([True, True, False]))
    tensor(1.)
    """
    return _moments("var", check_tensor(input, "var"), dim, unbiased, correction, keepdim, dtype, mask)


@_op("std")
def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation of the selected elements.

    >>> import torsh
    >>> torsh.masked.std(torsh.tensor([1., 3., 99.]), 0, unbiased=False, mask=torsh.tensor([True, True, False]))
    tensor(1.)
    """
    return _moments("std", check_tensor(input, "std"), dim, unbiased, correction, keepdim, dtype, mask).sqrt()


# ---- running sums and normalizations -------------------------------------------------------------------------------


@_op("cumsum")
def cumsum(input, dim, *, dtype=None, mask=None):
    """The running sum of the selected elements.

    >>> import torsh
    >>> torsh.masked.cumsum(torsh.tensor([2., 3., 4.]), 0, mask=torsh.tensor([True, False, True]))
    tensor([2., 2., 6.])
    """
    input = _prepare("cumsum", input, dtype)
    return cumulative.cumsum(_fill(input, mask, 0), dim, dtype=input.dtype)


@_op("cumprod")
def cumprod(input, dim, *, dtype=None, mask=None):
    """The running product of the selected elements.

    >>> import torsh
    >>> torsh.masked.cumprod(torsh.tensor([2., 3., 4.]), 0, mask=torsh.tensor([True, False, True]))
    tensor([2., 2., 8.])
    """
    input = _prepare("cumprod", input, dtype)
    return cumulative.cumprod(_fill(input, mask, 1), dim, dtype=input.dtype)


def _torch(name: str) -> Any:
    from torsh.ops import NAMES

    return NAMES["torch"][name]


@_op("softmax")
def softmax(input, dim, *, dtype=None, mask=None):
    """softmax over the selected elements; the others get 0.

    >>> import torsh
    >>> torsh.masked.softmax(torsh.tensor([1., 1., 9.]), 0, mask=torsh.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    input = _prepare("softmax", input, dtype)
    return _torch("softmax")(_fill(input, mask, lambda: _extreme(input.dtype, False)), wrap_dim(dim, input.ndim))


@_op("log_softmax")
def log_softmax(input, dim, *, dtype=None, mask=None):
    """The logarithm of softmax over the selected elements; the others get -inf.

    >>> import torsh
    >>> torsh.masked.log_softmax(torsh.tensor([1., 1., 9.]), 0, mask=torsh.tensor([True, True, False]))
    tensor([-0.6931, -0.6931,    -inf])
    """
    input = _prepare("log_softmax", input, dtype)
    return _torch("log_softmax")(_fill(input, mask, lambda: _extreme(input.dtype, False)), wrap_dim(dim, input.ndim))


@_op("softmin")
def softmin(input, dim, *, dtype=None, mask=None):
    """softmax of the negative of the selected elements; the others get 0.

    >>> import torsh
    >>> torsh.masked.softmin(torsh.tensor([1., 1., 9.]), 0, mask=torsh.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    input = _prepare("softmin", input, dtype)
    return _torch("softmax")(-_fill(input, mask, lambda: _extreme(input.dtype, True)), wrap_dim(dim, input.ndim))


@_op("normalize")
def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The selected elements divided by their norm along a dimension (or by ``eps`` if that is larger).

    >>> import torsh
    >>> torsh.masked.normalize(torsh.tensor([3., 4., 99.]), 2., 0, mask=torsh.tensor([True, True, False]))
    tensor([0.6000, 0.8000, 0.0000])
    """
    input = _prepare("normalize", input, dtype)
    size = norm(input, ord, dim, keepdim=True, mask=mask)
    return _fill(input, mask, 0) / size.maximum(size.new_full((), eps))


@_op("logaddexp")
def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)) where what a mask leaves out counts as exp(-inf).

    >>> import torsh
    >>> torsh.masked.logaddexp(torsh.tensor([0., 0.]), torsh.tensor([0., 0.]), input_mask=torsh.tensor([True, False]))
    tensor([0.6931, 0.0000])
    """
    input, other = _prepare("logaddexp", input, dtype), _prepare("logaddexp", other, dtype)
    a = _fill(input, input_mask, lambda: _extreme(input.dtype, False))
    b = _fill(other, other_mask, lambda: _extreme(other.dtype, False))
    return _torch("logaddexp")(a, b)


for _f in (
    sum, prod, amax, amin, argmax, argmin, mean, median, logsumexp, norm, var, std, cumsum, cumprod, softmax,
    log_softmax, softmin, normalize, logaddexp,
):  # fmt: skip
    add_doc(_f, f"mask: bools that broadcast to the input; None selects all.\n    {_SOURCE.format(_f.__name__)}")
