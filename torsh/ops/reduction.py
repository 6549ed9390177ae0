"""Reductions."""

from __future__ import annotations

from torsh.ops._args import wrap_dims
from torsh.ops._op import composite, primitive


def _reduced(shape, dims, keepdim):
    return tuple(1 if i in dims else n for i, n in enumerate(shape) if keepdim or i not in dims)


@primitive("torch.sum Tensor.sum", out=True, tags="reduction", args="input dim keepdim shape",
           grad={"input": lambda g, shape, dim, keepdim: spread(g, shape, dim, keepdim)},
           meta=lambda input, dim, keepdim, shape: (_reduced(input.shape, dim, keepdim), input.dtype))
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of all elements, or over dimensions."""
    return (input, wrap_dims(dim, input.ndim), keepdim, input.shape)


def spread(g, shape, dims, keepdim):
    """The gradient of a sum: the same value for every summand."""
    if not keepdim:
        sizes = tuple(1 if i in dims else n for i, n in enumerate(shape))
        g = g.reshape(sizes)
    return g.expand(shape)


@composite("Tensor.sum_to_size")
def sum_to_size(input, *size):
    """Sum over the dimensions that broadcasting from ``size`` would have stretched."""
    from torsh.ops._args import size_of

    size = size_of(size)
    lead = input.ndim - len(size)
    dims = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(size) if n == 1 and input.shape[i + lead] != 1)
    out = sum(input, dims, True) if dims else input
    return out.reshape(size) if lead else out
