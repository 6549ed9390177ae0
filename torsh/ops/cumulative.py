"""Running sums, products and extremes, differences, and integration by them."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes, return_types
from torsh.autograd.grad_mode import thread
from torsh.ops._args import check_tensor, in_float32, wrap_dim, wrap_dims
from torsh.ops._op import composite, primitive
from torsh.ops.reduction import conj, picked
from torsh.tensor import Tensor


def _args(input: Any, dim: Any, dtype: Any, name: str) -> tuple[Any, int]:
    """The input in the type that is accumulated in, and the dimension."""
    check_tensor(input, name)
    if dim is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "dim"')
    dim = wrap_dim(dim, input.ndim)
    if dtype is not None and dtype is not input.dtype:
        if dtype.category < dtypes.FLOAT and input.dtype.category < dtypes.FLOAT:
            return input.to(dtypes.int64), dim
        input = input.to(dtype)
    return input, dim


def _running_meta(input: Any, dim: int) -> Any:
    return (tuple(input.shape), dtypes.int64 if input.dtype.category < dtypes.FLOAT else input.dtype)


def from_the_end(x: Any, dim: int) -> Any:
    """The running sum that starts at the last element."""
    return x.flip(dim).cumsum(dim).flip(dim)


@primitive("", layout="rows", name="cumsum_op", args="input dim", grad={"input": lambda g, dim: from_the_end(g, dim) if g.ndim else g},
           meta=_running_meta, node_name="CumsumBackward0", tags="linear")  # fmt: skip
def _cumsum(input, dim):
    return (input, dim)


@primitive("", layout="rows", name="cumprod_op", args="input dim", meta=_running_meta, node_name="CumprodBackward0",
           grad={"input": lambda g, input, out, dim: cumprod_gradient(g, input, out, dim)})  # fmt: skip
def _cumprod(input, dim):
    return (input, dim)


def cumprod_gradient(g: Any, input: Any, out: Any, dim: int) -> Any:
    """The gradient of a running product, right where there are zeros too."""
    if not input.ndim:
        return g
    if not input.numel():
        return g
    x, y = conj(input), conj(out)
    if thread.enabled:
        # To be differentiated again: element by element, with x_k left out of the product by putting 1 in its place.
        n = x.shape[dim]
        parts = []
        for k in range(n):
            head = x.narrow(dim, 0, k).prod(dim, True)
            tail = x.narrow(dim, k + 1, n - k - 1)
            from torsh.ops.joining import cat

            rest = cat([head, tail], dim).cumprod(dim)
            parts.append((g.narrow(dim, k, n - k) * rest).sum(dim, True))
        return cat(parts, dim)
    zero = x == 0
    # Up to the first zero the product over x; at the first zero the product of the others; nothing behind it.
    seen = zero.to(dtypes.int64).cumsum(dim)
    first = zero & (seen == 1)
    plain = from_the_end(g * y, dim) / x.masked_fill(zero, 1)
    without = x.masked_fill(first, 1).cumprod(dim)
    behind = (g * without).masked_fill(seen != 1, 0)
    at_zero = from_the_end(behind, dim)
    nothing = x.new_zeros(())
    return plain.masked_fill(seen != 0, 0) + at_zero.where(first, nothing)


@composite("torch.cumsum Tensor.cumsum", out=True, inplace=True)
def cumsum(input, dim=None, *, dtype=None, axis=None):
    """The running sum along a dimension.

    Bools and integers are added up in int64 unless ``dtype`` says otherwise.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cumsum.html

    >>> import torsh
    >>> torsh.cumsum(torsh.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> x.cumsum(dim=1)
    tensor([[1., 3.],
            [3., 7.]])
    """
    input, dim = _args(input, dim if axis is None else axis, dtype, "cumsum")
    out = _cumsum.op(input, dim)
    return out if dtype is None or out.dtype is dtype else out.to(dtype)


@composite("torch.cumprod Tensor.cumprod", out=True, inplace=True)
def cumprod(input, dim=None, *, dtype=None, axis=None):
    """The running product along a dimension.

    Bools and integers are multiplied in int64 unless ``dtype`` says otherwise.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cumprod.html

    >>> import torsh
    >>> torsh.cumprod(torsh.tensor([1, 2, 3, 4]), dim=0)
    tensor([ 1,  2,  6, 24])
    """
    input, dim = _args(input, dim if axis is None else axis, dtype, "cumprod")
    out = _cumprod.op(input, dim)
    return out if dtype is None or out.dtype is dtype else out.to(dtype)


def _scatter_add(g: Any, indices: Any, dim: int, shape: Any) -> Any:
    if g is None:
        return None
    return g if not shape else g.new_zeros(shape).scatter_add(dim, indices, g)


_EXTREME: dict[str, Any] = {
    "args": "input dim shape", "out": "scalar",
    "grad": {"input": lambda g, dim, shape, out1: _scatter_add(g[0], out1, dim, shape)},
    "jvp": lambda input_t, out1, dim: (picked(input_t, out1, dim, True), None),
    "meta": lambda input, dim, shape: [(tuple(input.shape), input.dtype), (tuple(input.shape), dtypes.int64)],
}  # fmt: skip


def _extreme_args(input: Any, dim: Any, axis: Any, name: str) -> Any:
    check_tensor(input, name)
    if dim is None and axis is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "dim"')
    if input._kind.complex and input.ndim:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'")
    return (input, wrap_dim(dim if axis is None else axis, input.ndim), tuple(input.shape))


@primitive("torch.cummax Tensor.cummax", layout="rows", returns=return_types.cummax, **_EXTREME)
def cummax(input, dim=None, *, axis=None):
    """The largest element so far along a dimension and where it is, as a named tuple (values, indices).

    Among equal elements the last counts; after a nan all is nan.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cummax.html

    >>> import torsh
    >>> torsh.cummax(torsh.tensor([1, 3, 2, 5]), dim=0)
    torsh.return_types.cummax(
    values=tensor([1, 3, 3, 5]),
    indices=tensor([0, 1, 1, 3]))
    """
    return _extreme_args(input, dim, axis, "cummax")


@primitive("torch.cummin Tensor.cummin", layout="rows", returns=return_types.cummin, **_EXTREME)
def cummin(input, dim=None, *, axis=None):
    """The smallest element so far along a dimension and where it is, as a named tuple (values, indices).

    Among equal elements the last counts; after a nan all is nan.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cummin.html

    >>> import torsh
    >>> torsh.cummin(torsh.tensor([4, 3, 5, 1]), dim=0)
    torsh.return_types.cummin(
    values=tensor([4, 3, 3, 1]),
    indices=tensor([0, 1, 1, 3]))
    """
    return _extreme_args(input, dim, axis, "cummin")


def _logcumsumexp_gradient(g: Any, input: Any, out: Any, dim: int) -> Any:
    if not input.ndim or not input.numel():
        return g
    if input._kind.complex:
        return conj(((conj(g).log() - out).flip(dim).logcumsumexp(dim).flip(dim) + input).exp())
    # sum over i >= k of g_i exp(x_k - out_i), in logarithms, with the two signs of g apart.
    lowest = g.new_full((), -math.inf)

    def part(p: Any) -> Any:
        # The logarithm of nothing but positive numbers (and nan), so that all derivatives are finite.
        above = (p <= 0).logical_not()
        terms = (p.where(above, p.new_ones(())).log() - out).where(above, lowest)
        return (terms.flip(dim).logcumsumexp(dim).flip(dim) + input).exp()

    return part(g) - part(-g)


@primitive("torch.logcumsumexp Tensor.logcumsumexp", layout="rows", args="input dim", out="scalar",
           meta=lambda input, dim: (tuple(input.shape), input.dtype),
           grad={"input": lambda g, input, out, dim: _logcumsumexp_gradient(g, input, out, dim)})  # fmt: skip
def logcumsumexp(input, dim):
    """log(cumsum(exp(input))) along a dimension, without overflow on the way.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logcumsumexp.html

    >>> import torsh
    >>> torsh.logcumsumexp(torsh.tensor([0., 0., 0.]), dim=0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    check_tensor(input, "logcumsumexp")
    dim = wrap_dim(dim, input.ndim)
    if not input._kind.inexact:
        raise NotImplementedError(
            f"\"logcumsumexp_out_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'; convert the input to a "
            "floating point type first"
        )
    return (input, dim)


# ---- differences and integrals -------------------------------------------------------------------------------------


@composite("torch.diff Tensor.diff", out=True)
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """The n-th differences along a dimension, optionally with tensors joined to either end first.

    n: how often. prepend, append: tensors of the same number of dimensions. The result is n shorter; bools give bools (xor).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.diff.html

    >>> import torsh
    >>> torsh.diff(torsh.tensor([1, 4, 9]))
    tensor([3, 5])
    >>> torsh.diff(torsh.tensor([1, 4, 9]), n=2)
    tensor([2])
    """
    from torsh.ops.joining import cat

    check_tensor(input, "diff")
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = wrap_dim(dim, input.ndim)
    for role, t in (("prepend", prepend), ("append", append)):
        if t is None:
            continue
        if t.ndim != input.ndim:
            raise RuntimeError(
                f"diff expects prepend or append to be the same dimension as input; {role} has {t.ndim} dimensions, "
                f"the input {input.ndim}"
            )
        for i in range(input.ndim):
            if i != dim and t.shape[i] != input.shape[i]:
                raise RuntimeError(
                    f"diff expects the shape of tensor to prepend or append to match that of input except along the "
                    f"differencing dimension; input.size({i}) = {input.shape[i]}, but got tensor.size({i}) = "
                    f"{t.shape[i]}"
                )
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n:
        return input.clone()
    parts = [t for t in (prepend, input, append) if t is not None]
    x = cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[dim])):
        size = x.shape[dim]
        a, b = x.narrow(dim, 1, size - 1), x.narrow(dim, 0, size - 1)
        x = a ^ b if x.dtype is dtypes.bool else a - b
    return x


def _spacings(y: Any, x: Any, dim: int, name: str) -> Any:
    """Differences of ``x`` along ``dim`` that broadcast against those of ``y``."""
    if not x.ndim:
        raise IndexError("The provided `x` is not a vector or tensor: a 0-d tensor has no spacings")
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        shape = [1] * y.ndim
        shape[dim] = x.shape[0]
        x = x.reshape(shape)
    else:
        if x.ndim < y.ndim:
            x = x.reshape([1] * (y.ndim - x.ndim) + list(x.shape))
    n = x.shape[dim]
    return x.narrow(dim, 1, n - 1) - x.narrow(dim, 0, n - 1)


def _trapezoids(y: Any, x: Any, dx: Any, dim: Any, name: str) -> tuple[Any, int]:
    check_tensor(y, name, "y")
    dim = wrap_dim(dim, y.ndim)
    if y.dtype is dtypes.bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    if not y.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    n = y.shape[dim]
    if x is not None:
        if x.dtype is dtypes.bool:
            raise RuntimeError(f"{name}: received a bool input for `x`, but bool is not supported")
        steps = _spacings(y, x, dim, name)
        if not n:
            return None, dim
        a, b = y.narrow(dim, 0, n - 1), y.narrow(dim, 1, n - 1)
        return (a + b) * steps, dim
    if isinstance(dx, bool):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number, not bool")
    if isinstance(dx, complex):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
    if not n:
        return None, dim
    return (y.narrow(dim, 0, n - 1) + y.narrow(dim, 1, n - 1)) * dx, dim


@composite("torch.trapezoid torch.trapz")
def trapezoid(y, x=None, *, dx=None, dim=-1):
    """The integral along a dimension by the trapezoidal rule.

    x: the sample points, 1-D or of ``y``'s shape; without it they are ``dx`` (default 1) apart.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.trapezoid.html

    >>> import torsh
    >>> torsh.trapezoid(torsh.tensor([1., 2., 3.]), dx=0.5)
    tensor(2.)
    """
    if x is not None and dx is not None:
        raise TypeError("trapezoid() received an invalid combination of arguments: give x or dx, not both")
    areas, dim = _trapezoids(y, x, 1 if dx is None else dx, dim, "trapezoid")
    if areas is None:
        shape = list(y.shape)
        del shape[dim]
        return y.new_zeros(shape)
    return areas.sum(dim) / 2.0


@composite("torch.cumulative_trapezoid")
def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """The running integral along a dimension by the trapezoidal rule.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html

    >>> import torsh
    >>> torsh.cumulative_trapezoid(torsh.tensor([1., 2., 3.]))
    tensor([1.5000, 4.0000])
    """
    if x is not None and dx is not None:
        raise TypeError("cumulative_trapezoid() received an invalid combination of arguments: give x or dx, not both")
    areas, dim = _trapezoids(y, x, 1 if dx is None else dx, dim, "cumulative_trapezoid")
    if areas is None:
        return y.new_zeros(y.shape)
    return areas.cumsum(dim) / 2.0


def _slope(x: Any, spacing: Any, dim: int, edge_order: int) -> Any:
    """The derivative along one dimension by central differences; spacing: a number or a 1-D tensor of coordinates."""
    from torsh.ops.joining import cat

    n = x.shape[dim]

    def at(start: int, length: int) -> Any:
        return x.narrow(dim, start, length)

    if isinstance(spacing, Tensor):
        shape = [1] * x.ndim
        shape[dim] = n - 1
        h = (spacing.narrow(0, 1, n - 1) - spacing.narrow(0, 0, n - 1)).reshape(shape)
        slopes = (at(1, n - 1) - at(0, n - 1)) / h
        a, b = h.narrow(dim, 0, n - 2), h.narrow(dim, 1, n - 2)
        s0, s1 = slopes.narrow(dim, 0, n - 2), slopes.narrow(dim, 1, n - 2)
        middle = (a * s1 + b * s0) / (a + b)
        if edge_order == 1:
            first, last = slopes.narrow(dim, 0, 1), slopes.narrow(dim, n - 2, 1)
        else:
            h0, h1 = h.narrow(dim, 0, 1), h.narrow(dim, 1, 1)
            g0, g1 = slopes.narrow(dim, 0, 1), slopes.narrow(dim, 1, 1)
            first = g0 - (g1 - g0) * h0 / (h0 + h1)
            hl, hk = h.narrow(dim, n - 2, 1), h.narrow(dim, n - 3, 1)
            gl, gk = slopes.narrow(dim, n - 2, 1), slopes.narrow(dim, n - 3, 1)
            last = gl + (gl - gk) * hl / (hl + hk)
    else:
        middle = (at(2, n - 2) - at(0, n - 2)) / (2 * spacing)
        if edge_order == 1:
            first, last = (at(1, 1) - at(0, 1)) / spacing, (at(n - 1, 1) - at(n - 2, 1)) / spacing
        else:
            first = (at(1, 1) * 4 - at(0, 1) * 3 - at(2, 1)) / (2 * spacing)
            last = (at(n - 1, 1) * 3 - at(n - 2, 1) * 4 + at(n - 3, 1)) / (2 * spacing)
    return cat([first, middle, last], dim)


@composite("torch.gradient", layout="rows")
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """Estimates of the derivatives along dimensions, by central differences inside and one-sided ones at the edges.

    spacing: the distance of the samples (one number, or one per dimension), or a sequence of 1-D tensors with their
    coordinates.  edge_order: 1 or 2, the accuracy at the edges.  Gives a tuple of tensors of the input's shape.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.gradient.html

    >>> import torsh
    >>> torsh.gradient(torsh.tensor([0., 1., 4., 9.]))
    (tensor([1., 2., 4., 5.]),)
    """
    check_tensor(input, "gradient")
    dims = wrap_dims(dim, input.ndim)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if spacing is None or isinstance(spacing, (int, float, complex)):
        spacings: list[Any] = [1 if spacing is None else spacing] * len(dims)
    elif isinstance(spacing, Tensor):
        spacings = [spacing] if spacing.ndim else [spacing.item()]
    else:
        spacings = list(spacing)
    if len(spacings) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to the number of "
            f"dimensions it differentiates ({len(dims)}), but got a list of length {len(spacings)}"
        )
    for s in spacings:
        if isinstance(s, Tensor):
            if s.ndim != 1:
                raise RuntimeError(
                    "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                    f"{s.ndim} dimensions"
                )
            if s.device != input.device:
                raise RuntimeError(
                    "torch.gradient expects each tensor to be on the same device, but got devices "
                    f"{s.device} and {input.device}"
                )
    for d, s in zip(dims, spacings):
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1; dimension "
                f"{d} has size {input.shape[d]}"
            )
        if isinstance(s, Tensor) and s.shape[0] != input.shape[d]:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have the size of the dimension it belongs to: got "
                f"{s.shape[0]} for dimension {d} of size {input.shape[d]}"
            )
    if not input._kind.inexact:
        input = input.to(dtypes.get_default_dtype()) if input.dtype is not dtypes.bool else input
    found = []
    for d, s in zip(dims, spacings):
        # Differences of neighbours in the coordinates' precision: rounded ones would be divided by small distances.
        x = input.to(dtypes.promote_types(input.dtype, s.dtype)) if isinstance(s, Tensor) and s._kind.inexact else input
        found.append(in_float32(_slope, x, s, d, edge_order))
    return tuple(found)
