"""Views and rearrangements."""

from __future__ import annotations

from torsh.ops._args import size_of, wrap_dim
from torsh.ops._op import composite, primitive


@primitive("torch.permute Tensor.permute", grad={"input": lambda g, dims: g.permute(inverse(dims))}, tags="view", args="input dims",
           meta=lambda input, dims: (tuple(input.shape[d] for d in dims), input.dtype))
def permute(input, *dims):
    """A view with its dimensions in another order."""
    return (input, tuple(wrap_dim(d, input.ndim) for d in size_of(dims)))


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    found = [0] * len(dims)
    for i, d in enumerate(dims):
        found[d] = i
    return tuple(found)


@primitive("torch.as_strided Tensor.as_strided", grad=None, tags="view nondifferentiable", args="input size stride storage_offset")
def as_strided(input, size, stride, storage_offset=None):
    """A view of the tensor's memory with any size and strides."""
    return (input, tuple(size), tuple(stride), storage_offset)


@composite("Tensor.new_empty_strided")
def new_empty_strided(self, size, stride):
    """A new tensor of a size and strides."""
    from torsh.ops.creation import empty

    n = 1 + sum((s - 1) * st for s, st in zip(size, stride)) if all(size) else 0
    return empty(n, dtype=self.dtype, device=self.device).as_strided(size, stride)


@primitive("Tensor.expand", grad=None, tags="view nondifferentiable", args="input size")
def expand(input, *size):
    return (input, size_of(size))


@primitive("torch.reshape Tensor.reshape", grad={"input": lambda g, shape: g.reshape(shape)}, args="input size shape", tags="moves")
def reshape(input, *shape):
    """The same elements in another shape; a view where possible."""
    return (input, size_of(shape), input.shape)
