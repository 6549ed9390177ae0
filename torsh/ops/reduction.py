"""Reductions: sums, products, extremes, moments and norms over all or some dimensions."""

from __future__ import annotations

import builtins
import functools
from typing import Any

from torsh import dtypes, return_types
from torsh.dispatch import state
from torsh.ops._args import check_tensor, wrap_dim
from torsh.ops._op import add_doc, composite, primitive, with_out
from torsh.ops._reduction import (
    BOOL,
    FLOAT,
    INEXACT,
    SUM,
    check_not_empty,
    count,
    dims_of,
    reduced_shape,
    reduction,
    restore,
)
from torsh.tensor import Tensor


def conj(x: Tensor) -> Tensor:
    """The conjugate, the tensor itself where it is real."""
    return x.conj_physical() if x._kind.complex else x


def spread(g: Any, dim: Any, keepdim: bool, shape: Any) -> Any:
    """The gradient of a sum: the same value for every summand."""
    return restore(g, dim, keepdim, shape).expand(shape)


# ---- sums and products ---------------------------------------------------------------------------------------------


@reduction(
    "torch.sum Tensor.sum", SUM, tags="linear", grad=lambda g, dim, keepdim, shape: spread(g, dim, keepdim, shape)
)
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of all elements, or over dimensions.

    dim: one dimension or several; None or an empty tuple means all.  keepdim: whether reduced dimensions stay as ones.
    dtype: what the input is converted to first; without it bools and integers are added up in int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sum.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> torsh.sum(x)
    tensor(10.)
    >>> x.sum(dim=1)
    tensor([3., 7.])
    >>> x.sum(dim=(0, 1), keepdim=True)
    tensor([[10.]])
    >>> torsh.sum(torsh.tensor([True, True]))  # bools are counted
    tensor(2)
    """


@reduction(
    "torch.nansum Tensor.nansum",
    SUM,
    refuse="complex",
    grad=lambda g, input, dim, keepdim, shape: spread(g, dim, keepdim, shape) * (input == input),
)
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum with nan counted as zero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nansum.html

    >>> import torsh
    >>> torsh.nansum(torsh.tensor([1., float("nan"), 3.]))
    tensor(4.)
    """


@reduction(
    "torch.mean Tensor.mean",
    INEXACT,
    grad=lambda g, dim, keepdim, shape: spread(g / builtins.max(count(shape, dim), 1), dim, keepdim, shape),
    tags="linear",
)
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of all elements, or over dimensions; nan where there are none.

    The input must be of floating point or complex type unless ``dtype`` gives one, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.mean.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> torsh.mean(x)
    tensor(2.5000)
    >>> x.mean(dim=0, keepdim=True)
    tensor([[2., 3.]])
    >>> torsh.mean(torsh.tensor([1, 2]), dtype=torsh.float64)
    tensor(1.5000, dtype=torsh.float64)
    """


@composite("torch.nanmean Tensor.nanmean", out=True)
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of the elements that are not nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nanmean.html

    >>> import torsh
    >>> torsh.nanmean(torsh.tensor([1., float("nan"), 3.]))
    tensor(2.)
    """
    check_tensor(input, "nanmean")
    if not input._kind.floating and not input._kind.complex:
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{dtypes.scalar_name(input.dtype)}"
        )
    factor = (input == input).detach().sum(dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / factor


@primitive("", name="prod_op", args="input dim keepdim", tags="reduction",
           grad={"input": lambda g, input, dim, keepdim: prod_gradient(g, input, dim, keepdim)},
           meta=lambda input, dim, keepdim: (
               reduced_shape(input.shape, dim, keepdim),
               dtypes.int64 if input.dtype.category < dtypes.FLOAT else input.dtype))  # fmt: skip
def _prod(input, dim, keepdim):
    return (input, dim, keepdim)


def prod_gradient(g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """The product of all others, from products of what lies before and behind: right where there are zeros too."""
    from torsh.ops.joining import cat

    shape = tuple(input.shape)
    if not shape:
        return g
    x, d = (input.reshape(-1), 0) if dim is None else (input, dim[0])
    n = x.shape[d]
    if not n:
        return input * 0
    if dim is not None or keepdim:
        g = g.reshape(-1) if dim is None else restore(g, dim, keepdim, shape)
    one = x.narrow(d, 0, 1) * 0 + 1
    before = cat([one, x.narrow(d, 0, n - 1)], d).cumprod(d)
    behind = cat([one, x.flip(d).narrow(d, 0, n - 1)], d).cumprod(d).flip(d)
    return (g * conj(before * behind)).reshape(shape)


def _check_keepdim(keepdim: Any, name: str) -> None:
    if type(keepdim) is not bool:
        raise TypeError(f"{name}(): argument 'keepdim' must be bool, not {type(keepdim).__name__}")


@composite("torch.prod Tensor.prod", out=True)
def prod(input, dim=None, keepdim=False, *, dtype=None, axis=None):
    """The product of all elements, or over one dimension.

    dtype: what the input is converted to first; without it bools and integers are multiplied in int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.prod.html

    >>> import torsh
    >>> torsh.prod(torsh.tensor([[1, 2], [3, 4]]), dim=1)
    tensor([ 2, 12])
    """
    check_tensor(input, "prod")
    dim = axis if dim is None else dim
    if dim is None and keepdim:
        raise TypeError("prod() received an invalid combination of arguments: keepdim needs dim")
    if dtype is not None and dtype is not input.dtype:
        input = input.to(dtype)
    dims = None if dim is None else (wrap_dim(dim, input.ndim),)
    out = _prod.op(input, dims if input.ndim else None, keepdim)
    return out.to(dtype) if dtype is not None and out.dtype is not dtype else out


# ---- truth ---------------------------------------------------------------------------------------------------------


@reduction("torch.all Tensor.all", BOOL)
def all(input, dim=None, keepdim=False):
    """Whether all elements are nonzero (nan is); uint8 gives uint8.

    dim: one dimension, several, or None for all. keepdim: whether reduced dimensions stay as ones. True where there are no elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.all.html

    >>> import torsh
    >>> x = torsh.tensor([[True, True], [True, False]])
    >>> torsh.all(x)
    tensor(False)
    >>> torsh.all(x, dim=1)
    tensor([ True, False])
    """


@reduction("torch.any Tensor.any", BOOL)
def any(input, dim=None, keepdim=False):
    """Whether any element is nonzero (nan is); uint8 gives uint8.

    dim: one dimension, several, or None for all. keepdim: whether reduced dimensions stay as ones. False where there are no elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.any.html

    >>> import torsh
    >>> torsh.any(torsh.tensor([[False, True], [False, False]]), dim=1)
    tensor([ True, False])
    """


@composite("torch.count_nonzero Tensor.count_nonzero", out=False)
def count_nonzero(input, dim=None):
    """How many elements are not zero.

    dim: one dimension, several, or None for all. The result is int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.count_nonzero.html

    >>> import torsh
    >>> torsh.count_nonzero(torsh.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    check_tensor(input, "count_nonzero")
    return (input != 0).sum(dim)


# ---- extremes ------------------------------------------------------------------------------------------------------


def share(g: Any, input: Any, out: Any, dim: Any, keepdim: bool, shape: Any) -> Any:
    """The gradient of an extreme: shared equally among the elements that attain it."""
    mask = input == restore(out, dim, keepdim, shape).detach()
    if dim is None:
        # With a nan among the elements the extreme is nan, and the nans share the gradient.
        nan = input != input
        mask = mask | (nan & (out != out))
    return restore(g, dim, keepdim, shape) / mask.sum(dim, True) * mask


@reduction(
    "torch.amax Tensor.amax",
    identity=False,
    refuse="complex",
    grad=lambda g, input, out, dim, keepdim, shape: share(g, input, out, dim, keepdim, shape),
)
def amax(input, dim=(), keepdim=False):
    """The largest element, of all or over dimensions; nan if there is one.

    dim: one dimension or several, the empty tuple for all. keepdim: whether they stay as ones. Equal largest elements share the gradient.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.amax.html

    >>> import torsh
    >>> torsh.amax(torsh.tensor([[1., 4.], [3., 2.]]), dim=1, keepdim=True)
    tensor([[4.],
            [3.]])
    """


@reduction(
    "torch.amin Tensor.amin",
    identity=False,
    refuse="complex",
    grad=lambda g, input, out, dim, keepdim, shape: share(g, input, out, dim, keepdim, shape),
)
def amin(input, dim=(), keepdim=False):
    """The smallest element, of all or over dimensions; nan if there is one.

    dim: one dimension or several, the empty tuple for all. keepdim: whether they stay as ones. Equal smallest elements share the gradient.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.amin.html

    >>> import torsh
    >>> torsh.amin(torsh.tensor([[1., 4.], [3., 2.]]), dim=(0, 1))
    tensor(1.)
    """


def _position_meta(input: Any, dim: Any, keepdim: bool) -> Any:
    return (reduced_shape(input.shape, dim, keepdim), dtypes.int64)


def _position_args(input: Any, dim: Any, keepdim: Any, name: str) -> Any:
    check_tensor(input, name)
    if input.dtype.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise NotImplementedError(
            f"\"{name}_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'; convert the input to another "
            "dtype first"
        )
    shape = input._data.shape
    dims = None if dim is None else (wrap_dim(dim, len(shape)),)
    if dims is not None or 0 in shape:
        check_not_empty(name, shape, dims)
    return (input, dims if shape else None, keepdim)


@primitive(
    "torch.argmax Tensor.argmax",
    tags="reduction nondifferentiable",
    args="input dim keepdim",
    out=True,
    meta=_position_meta,
)
def argmax(input, dim=None, keepdim=False):
    """The position of the largest element (of the first if there are several, of the first nan if there is one).

    dim None: the position in the flattened tensor.  The result is int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.argmax.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 5], [7, 2]])
    >>> torsh.argmax(x)  # in the flattened tensor
    tensor(2)
    >>> torsh.argmax(x, dim=1)
    tensor([1, 0])
    """
    return _position_args(input, dim, keepdim, "argmax")


@primitive(
    "torch.argmin Tensor.argmin",
    tags="reduction nondifferentiable",
    args="input dim keepdim",
    out=True,
    meta=_position_meta,
)
def argmin(input, dim=None, keepdim=False):
    """The position of the smallest element (of the first if there are several, of the first nan if there is one).

    dim None: the position in the flattened tensor.  The result is int64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.argmin.html

    >>> import torsh
    >>> torsh.argmin(torsh.tensor([[1, 5], [7, 2]]), dim=1, keepdim=True)
    tensor([[0],
            [1]])
    """
    return _position_args(input, dim, keepdim, "argmin")


def put_back(g: Any, indices: Any, dim: int, keepdim: bool, shape: Any) -> Any:
    """The gradient of values picked along a dimension: at their places, zero elsewhere."""
    if g is None:
        return None
    if not shape:
        return g
    if not keepdim:
        g, indices = g.unsqueeze(dim), indices.unsqueeze(dim)
    return g.new_zeros(shape).scatter(dim, indices, g)


def picked(t: Any, indices: Any, dim: int, keepdim: bool) -> Any:
    """The elements at places along a dimension: the adjoint of ``put_back``."""
    if not t.ndim:
        return t
    if keepdim:
        return t.gather(dim, indices)
    return t.gather(dim, indices.unsqueeze(dim)).squeeze(dim)


def _pair_meta(input: Any, dim: int, keepdim: bool, shape: Any) -> Any:
    found = reduced_shape(input.shape, (dim,), keepdim) if input.shape else ()
    return [(found, input.dtype), (found, dtypes.int64)]


_PAIR: dict[str, Any] = {
    "args": "input dim keepdim shape", "tags": "reduction", "meta": _pair_meta,
    "grad": {"input": lambda g, dim, keepdim, shape, out1: put_back(g[0], out1, dim, keepdim, shape)},
    "jvp": lambda input_t, out1, dim, keepdim: (picked(input_t, out1, dim, keepdim), None),
}  # fmt: skip


@primitive("", layout="rows", name="max_dim", returns=return_types.max, **_PAIR)
def _max_dim(input, dim, keepdim, shape):
    return (input, dim, keepdim, shape)


@primitive("", layout="rows", name="min_dim", returns=return_types.min, **_PAIR)
def _min_dim(input, dim, keepdim, shape):
    return (input, dim, keepdim, shape)


def _along(op: Any, input: Any, dim: Any, keepdim: Any, name: str) -> Any:
    shape = tuple(input.shape)
    dim = wrap_dim(dim, len(shape))
    _check_keepdim(keepdim, name)
    if input._kind.complex:
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtypes.scalar_name(input.dtype)}'")
    check_not_empty(name, shape, (dim,) if shape else ())
    return op(input, dim, keepdim, shape)


def _extreme(input: Any, dim: Any, keepdim: Any, name: str, op: Any, whole: Any, pointwise: str) -> Any:
    if dim is None:
        check_tensor(input, name)
        if keepdim is not False:
            raise TypeError(f"{name}() received an invalid combination of arguments: keepdim needs dim")
        if 0 in input._data.shape:
            check_not_empty(name, input._data.shape, None)
        return whole(input)
    if isinstance(dim, Tensor):
        from torsh.ops import NAMES

        return NAMES["torch"][pointwise](input, dim)
    check_tensor(input, name)
    return _along(op, input, dim, keepdim, name)


@composite("torch.max Tensor.max")
def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None, out=None):
    """The largest element of all, along a dimension, or of two tensors position by position.

    max(input) is a tensor, max(input, dim) a named tuple (values, indices), max(input, other) the larger of two
    elements everywhere.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.max.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 5], [7, 2]])
    >>> torsh.max(x)
    tensor(7)
    >>> values, indices = torsh.max(x, dim=1)
    >>> values, indices
    (tensor([5, 7]), tensor([1, 0]))
    >>> torsh.max(x, torsh.tensor(4))  # elementwise, of two tensors
    tensor([[4, 5],
            [7, 4]])
    """
    dim = other if other is not None else axis if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    if out is not None:
        return _max_out(input, dim, keepdim, out=out)
    return _extreme(input, dim, keepdim, "max", _max_dim.op, amax, "maximum")


@composite("torch.min Tensor.min")
def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None, out=None):
    """The smallest element of all, along a dimension, or of two tensors position by position.

    min(input) is a tensor, min(input, dim) a named tuple (values, indices), min(input, other) the smaller of two
    elements everywhere.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.min.html

    >>> import torsh
    >>> torsh.min(torsh.tensor([[1, 5], [7, 2]]), dim=0)
    torsh.return_types.min(
    values=tensor([1, 2]),
    indices=tensor([0, 1]))
    """
    dim = other if other is not None else axis if axis is not None else dim
    keepdim = keepdim if keepdims is None else keepdims
    if out is not None:
        return _min_out(input, dim, keepdim, out=out)
    return _extreme(input, dim, keepdim, "min", _min_dim.op, amin, "minimum")


_max_out, _min_out = with_out(max), with_out(min)


def _short(full: Any, whole: Any) -> Any:
    """``max`` and ``min`` with a short way to their commonest form, which has no further argument."""

    @functools.wraps(full)
    def public(input: Any, dim: Any = None, keepdim: Any = False, **named: Any) -> Any:
        if (
            dim is None
            and not named
            and keepdim is False
            and type(input) is Tensor
            and 0 not in input._data.shape
            and not state.busy
        ):
            return whole(input)
        given = (dim, keepdim) if keepdim is not False else () if dim is None else (dim,)
        return full(input, *given, **named)

    full.op.fn = public
    return public


max, min = _short(max, amax), _short(min, amin)


@composite("torch.aminmax Tensor.aminmax", layout="rows", out="typed")
def aminmax(input, *, dim=None, keepdim=False):
    """The smallest and the largest element, of all or along a dimension, as a named tuple (min, max).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.aminmax.html

    >>> import torsh
    >>> torsh.aminmax(torsh.tensor([3, 1, 2]))
    torsh.return_types.aminmax(
    min=tensor(1),
    max=tensor(3))
    """
    check_tensor(input, "aminmax")
    shape = input._data.shape
    dims = None if dim is None else (wrap_dim(dim, len(shape)),)
    if 0 in shape:
        if dim is None:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
            )
        check_not_empty("aminmax", shape, dims)
    return return_types.aminmax(amin(input, dims, keepdim), amax(input, dims, keepdim))


# ---- moments -------------------------------------------------------------------------------------------------------


def _moment_meta(input: Any, dim: Any, keepdim: bool, correction: float, shape: Any) -> Any:
    return (reduced_shape(input.shape, dim, keepdim), input.dtype.to_real())


def _over(a: float, b: float) -> float:
    """a / b with b no smaller than zero, infinite for b = 0."""
    return a / b if b > 0 else float("inf")


def var_gradient(g: Any, input: Any, dim: Any, keepdim: bool, correction: float, shape: Any) -> Any:
    g = restore(g, dim, keepdim, shape)
    return g * _over(2.0, count(shape, dim) - correction) * (input - input.mean(dim, True))


def std_gradient(g: Any, input: Any, out: Any, dim: Any, keepdim: bool, correction: float, shape: Any) -> Any:
    g = (g / (out * 2)).masked_fill(out == 0, 0)
    return var_gradient(g, input, dim, keepdim, correction, shape)


@primitive("", name="var_op", args="input dim keepdim correction shape", tags="reduction", meta=_moment_meta,
           node_name="VarBackward0",
           grad={"input": lambda g, input, dim, keepdim, correction, shape: var_gradient(
               g, input, dim, keepdim, correction, shape)})  # fmt: skip
def _var(input, dim, keepdim, correction, shape):
    return (input, dim, keepdim, correction, shape)


@primitive("", name="std_op", args="input dim keepdim correction shape", tags="reduction", meta=_moment_meta,
           node_name="StdBackward0", decompose=lambda *a: _var.op(*a).sqrt(),
           grad={"input": lambda g, input, out, dim, keepdim, correction, shape: std_gradient(
               g, input, out, dim, keepdim, correction, shape)})  # fmt: skip
def _std(input, dim, keepdim, correction, shape):
    return (input, dim, keepdim, correction, shape)


def _moment_args(name: str, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: Any, axis: Any) -> Any:
    check_tensor(input, name)
    if not input._kind.inexact:
        raise RuntimeError(
            f"std and var only support floating point and complex dtypes; {name} got {dtypes.scalar_name(input.dtype)}, convert it "
            "first"
        )
    if axis is not None:
        dim = axis
    if type(dim) is bool:  # var(input, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased is True else 0
    elif unbiased is not None:
        raise TypeError(f"{name}() received an invalid combination of arguments: give unbiased or correction, not both")
    shape = tuple(input._data.shape)
    return (input, dims_of(dim, len(shape)), keepdim, correction, shape)


_MOMENT_DOC = """dim: one dimension or several, None for all.  correction: what is subtracted from the number of elements before
    dividing (1: the unbiased estimate; ``unbiased=False`` is correction 0).  Integers are refused with RuntimeError;
    complex input gives a real result.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.{}.html"""


@composite("torch.var Tensor.var", out=True)
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None):
    """The variance of all elements, or over dimensions.

    >>> import torsh
    >>> torsh.var(torsh.tensor([[1., 3.], [2., 6.]]), dim=1)
    tensor([2., 8.])
    >>> torsh.var(torsh.tensor([1., 3.]), correction=0)
    tensor(1.)
    """
    return _var.op(*_moment_args("var", input, dim, unbiased, correction, keepdim, axis))


@composite("torch.std Tensor.std", out=True)
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None):
    """The standard deviation of all elements, or over dimensions.

    >>> import torsh
    >>> x = torsh.tensor([[1., 3.], [2., 6.]])
    >>> torsh.std(x, dim=1)
    tensor([1.4142, 2.8284])
    >>> torsh.std(x, dim=1, correction=0)
    tensor([1., 2.])
    """
    return _std.op(*_moment_args("std", input, dim, unbiased, correction, keepdim, axis))


@composite("torch.var_mean")
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None):
    """The variance and the mean, as a tuple.

    >>> import torsh
    >>> torsh.var_mean(torsh.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    args = _moment_args("var_mean", input, dim, unbiased, correction, keepdim, axis)
    return _var.op(*args), mean(input, args[1], keepdim)


@composite("torch.std_mean")
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None):
    """The standard deviation and the mean, as a tuple.

    >>> import torsh
    >>> torsh.std_mean(torsh.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
    """
    args = _moment_args("std_mean", input, dim, unbiased, correction, keepdim, axis)
    return _std.op(*args), mean(input, args[1], keepdim)


for _f in (var, std, var_mean, std_mean):
    add_doc(_f, _MOMENT_DOC.format(_f.__name__))


# ---- log-sum-exp ---------------------------------------------------------------------------------------------------


@reduction(
    "torch.logsumexp Tensor.logsumexp torch.special.logsumexp",
    FLOAT,
    grad=lambda g, input, out, dim, keepdim, shape: logsumexp_gradient(g, input, out, dim, keepdim, shape),
)
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over dimensions, without overflow on the way.

    dim: one dimension or several. keepdim: whether they stay as ones. Integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logsumexp.html

    >>> import torsh
    >>> torsh.logsumexp(torsh.tensor([1000., 1000.]), dim=0)  # no overflow
    tensor(1000.6932)
    """


def logsumexp_gradient(g: Any, input: Any, out: Any, dim: Any, keepdim: bool, shape: Any) -> Any:
    weights = (input - restore(out, dim, keepdim, shape)).exp()
    return restore(g, dim, keepdim, shape) * conj(weights)


# ---- shapes of sums ------------------------------------------------------------------------------------------------


@composite("Tensor.sum_to_size")
def sum_to_size(input, *size):
    """Sum over the dimensions that broadcasting from ``size`` would have stretched.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html

    >>> import torsh
    >>> torsh.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    from torsh.ops._args import size_of

    size = size_of(size)
    shape = input._data.shape
    lead = len(shape) - len(size)
    if lead < 0 or not builtins.all(n == shape[i + lead] or n == 1 for i, n in enumerate(size)):
        raise RuntimeError(
            f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}: sum_to_size sums a tensor to a size "
            "that broadcasts to its own"
        )
    if not size:
        return sum(input)  # of integers int64, though there be nothing to add up
    dims = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(size) if n == 1 and shape[i + lead] != 1)
    out = sum(input, dims, True) if dims else input
    return out.reshape(size) if lead else out


__all__ = ["conj", "put_back", "spread"]
