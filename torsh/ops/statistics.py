"""Order statistics and covariance."""

from __future__ import annotations

from typing import Any

from torsh import dtypes, return_types
from torsh.ops._args import check_tensor, has_values, wrap_dim
from torsh.ops._op import composite, primitive, with_out
from torsh.ops.reduction import _PAIR, _along, share
from torsh.tensor import Tensor

# ---- medians and modes ---------------------------------------------------------------------------------------------


def _refuse_unordered(input: Any, name: str) -> None:
    check_tensor(input, name)
    if input.dtype.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise NotImplementedError(
            f"\"{name}_out_impl\" not implemented for '{dtypes.scalar_name(input.dtype)}'; convert the input to "
            "another dtype"
        )


_WHOLE: dict[str, Any] = {
    "args": "input shape", "tags": "reduction", "meta": lambda input, shape: ((), input.dtype),
    "grad": {"input": lambda g, input, out, shape: share(g, input, out, None, False, shape)},
    "jvp": lambda input_t, input, out, shape: (share(input.new_ones(()), input, out, None, False, shape) * input_t).sum(),
}  # fmt: skip


@primitive("", name="median_op", **_WHOLE)
def _median_whole(input, shape):
    return (input, shape)


@primitive("", name="nanmedian_op", **_WHOLE)
def _nanmedian_whole(input, shape):
    return (input, shape)


@primitive("", layout="rows", name="median_dim", returns=return_types.median, **_PAIR)
def _median_dim(input, dim, keepdim, shape):
    return (input, dim, keepdim, shape)


@primitive("", layout="rows", name="nanmedian_dim", returns=return_types.nanmedian, **_PAIR)
def _nanmedian_dim(input, dim, keepdim, shape):
    return (input, dim, keepdim, shape)


@composite("torch.median Tensor.median")
def median(input, dim=None, keepdim=False, *, out=None):
    """The median, the lower one of two in the middle; with ``dim`` a named tuple (values, indices).

    A nan makes the result nan.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.median.html

    >>> import torsh
    >>> torsh.median(torsh.tensor([4., 1., 3., 2.]))  # the lower of two middle values
    tensor(2.)
    >>> torsh.median(torsh.tensor([[3, 1, 2]]), dim=1)
    torsh.return_types.median(
    values=tensor([2]),
    indices=tensor([2]))
    """
    if out is not None:
        return _median_out(input, dim, keepdim, out=out)
    _refuse_unordered(input, "median")
    if dim is None:
        return _median_whole.op(input, tuple(input.shape))
    return _along(_median_dim.op, input, dim, keepdim, "median")


@composite("torch.nanmedian Tensor.nanmedian")
def nanmedian(input, dim=None, keepdim=False, *, out=None):
    """The median of what is not nan, the lower one of two in the middle; with ``dim`` a named tuple (values, indices).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nanmedian.html

    >>> import torsh
    >>> torsh.nanmedian(torsh.tensor([1., float("nan"), 3.]))
    tensor(1.)
    """
    if out is not None:
        return _nanmedian_out(input, dim, keepdim, out=out)
    _refuse_unordered(input, "nanmedian")
    if dim is None:
        return _nanmedian_whole.op(input, tuple(input.shape))
    return _along(_nanmedian_dim.op, input, dim, keepdim, "nanmedian")


_median_out, _nanmedian_out = with_out(median), with_out(nanmedian)


# ---- quantiles -----------------------------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@composite("torch.mode Tensor.mode", out="exact")
def mode(input, dim=-1, keepdim=False):
    """The most frequent value along a dimension and where it occurs last: a named tuple (values, indices).

    Of equally frequent values it is the smallest.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.mode.html

    >>> import torsh
    >>> torsh.mode(torsh.tensor([3, 1, 3, 2]))
    torsh.return_types.mode(
    values=tensor(3),
    indices=tensor(2))
    """
    import torsh

    if check_tensor(input, "mode").ndim and input._kind.complex:
        raise NotImplementedError(f"\"mode_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'")
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return return_types.mode(input.clone(), torsh.zeros_like(input, dtype=dtypes.int64, requires_grad=False))
    n = input.shape[dim]
    if not n:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    values, order = input.detach().transpose(dim, -1).sort(-1, stable=True)
    place = torsh.arange(n, device=input.device).expand(values.shape)
    # Where the run of equal values that a place belongs to begins; the longest run ends where the way back is longest.
    first = torsh.zeros_like(order)
    first[..., 1:] = torsh.where(values[..., 1:] != values[..., :-1], place[..., 1:], 0)
    last = (place - first.cummax(-1).values).argmax(-1, keepdim=True)
    index = order.gather(-1, last).transpose(dim, -1)
    found = input.gather(dim, index)
    return return_types.mode(*((found, index) if keepdim else (found.squeeze(dim), index.squeeze(dim))))


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, ignore_nan: bool) -> Any:
    check_tensor(input, name)
    if 0 in input.shape:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype is not input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if q.device != input.device:
            raise RuntimeError(f"{name}() q tensor must be on the same device as the input tensor")
        if q.numel() and has_values(q) and not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = input.new_full((), q)
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    n = input.ndim
    if dim is None:
        x, shape = input.reshape(-1), [1] * n if keepdim else []
    else:
        d = wrap_dim(dim, n)
        x = input.unsqueeze(-1).transpose(d, -1).squeeze(d) if n else input.reshape(1)
        shape = [1 if i == d else s for i, s in enumerate(input.shape) if keepdim or i != d]
    x = x.sort(-1)[0]
    size = x.shape[-1]
    if ignore_nan:
        valid = (x == x).sum(-1, True)
        ranks = q * (valid - 1).clamp(min=0)
    else:
        spoilt = (x != x).any(-1, True)
        ranks = (q * (size - 1)).expand(*x.shape[:-1], q.numel()).masked_fill(spoilt, size - 1)
    if interpolation == "lower":
        ranks = ranks.floor()
    elif interpolation == "higher":
        ranks = ranks.ceil()
    elif interpolation == "nearest":
        ranks = ranks.round()
    if ranks.ndim < x.ndim or ranks.shape[:-1] != x.shape[:-1]:
        ranks = ranks.expand(*x.shape[:-1], q.numel())
    below = ranks.to(dtypes.int64)
    found = x.gather(-1, below)
    if interpolation in ("linear", "midpoint"):
        weights = ranks - below if interpolation == "linear" else (ranks * 0 + 0.5)
        above = x.gather(-1, ranks.ceil().to(dtypes.int64))
        found = found.lerp(above, weights)
    if q.ndim:
        found = found.movedim(-1, 0)
        return found.reshape([q.shape[0], *shape])
    return found.reshape(shape)


@composite("torch.quantile Tensor.quantile", out=True)
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """Quantiles along a dimension, or of all elements; a 1-D tensor ``q`` gives a leading dimension.

    q: between 0 and 1, a number or a tensor of the input's dtype (float32 or float64).  A nan makes a quantile nan.
    interpolation: linear, lower, higher, midpoint or nearest.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.quantile.html

    >>> import torsh
    >>> x = torsh.tensor([0., 1., 2., 3.])
    >>> torsh.quantile(x, torsh.tensor([0.25, 0.5]))
    tensor([0.7500, 1.5000])
    >>> torsh.quantile(x, 0.6, interpolation="nearest")
    tensor(2.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@composite("torch.nanquantile Tensor.nanquantile", out=True)
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """Quantiles of what is not nan; see ``quantile``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nanquantile.html

    >>> import torsh
    >>> torsh.nanquantile(torsh.tensor([1., float("nan"), 3.]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


# ---- covariance ----------------------------------------------------------------------------------------------------


def _weights(w: Any, n: int, name: str) -> None:
    if w.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.ndim} dimensions"
        )
    integral = name == "fweights"
    if w.dtype.category != (dtypes.INT if integral else dtypes.FLOAT):
        raise RuntimeError(
            f"cov(): expected {name} to have {'integral' if integral else 'floating point'} dtype but got {name} with "
            f"{dtypes.scalar_name(w.dtype)} dtype"
        )
    if w.numel() != n:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got {w.numel()} "
            f"!= {n}"
        )
    if n and has_values(w) and bool(w.min() < 0):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite("torch.cov Tensor.cov")
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables in rows, observed in columns.

    correction: subtracted from the number of observations.  fweights: how often each was observed (integers);
    aweights: how much each counts.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cov.html

    >>> import torsh
    >>> torsh.cov(torsh.tensor([[1., 2., 3.], [3., 2., 1.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    check_tensor(input, "cov")
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if input.dtype is dtypes.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    n = x.shape[1]
    w = None
    if fweights is not None:
        _weights(fweights, n, "fweights")
        w = fweights
    if aweights is not None:
        _weights(aweights, n, "aweights")
        w = aweights if w is None else w * aweights
    if w is not None:
        w = w.reshape(-1)
        total = w.sum()
        if n and has_values(total) and bool(total == 0):
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        average = (x * w).sum(1) / total
        if correction and aweights is not None:
            divisor = total - correction * (w * aweights.reshape(-1)).sum() / total
        else:
            divisor = total - correction
        divisor = divisor.clamp(min=0)
    else:
        total = n
        average = x.sum(1) / n if n else x.sum(1) / x.new_zeros(())
        divisor = x.new_full((), max(n - correction, 0)) if x._kind.inexact else max(n - correction, 0)
    centered = x - average.unsqueeze(1)
    weighted = centered if w is None else centered * w
    right = weighted.transpose(0, 1)
    product = centered @ (right.conj() if right._kind.complex else right).to(centered.dtype)
    return (product / divisor).squeeze() if input.ndim < 2 or x.shape[0] == 1 else product / divisor


@composite("torch.corrcoef Tensor.corrcoef")
def corrcoef(input):
    """The matrix of correlation coefficients of variables in rows, observed in columns.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.corrcoef.html

    >>> import torsh
    >>> torsh.corrcoef(torsh.tensor([[1., 2., 3.], [3., 2., 1.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    check_tensor(input, "corrcoef")
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    c = cov(input)
    if not c.ndim:
        return c / c
    deviation = c.diagonal()
    deviation = (deviation.real if deviation._kind.complex else deviation).sqrt()
    c = c / deviation.unsqueeze(-1) / deviation.unsqueeze(0)
    if not c._kind.complex:
        return c.clamp(-1, 1)
    from torsh.ops import NAMES

    return NAMES["torch"]["complex"](c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
