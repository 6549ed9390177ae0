"""What concerns a tensor's memory: strides, offset, contiguity, views by stride."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from torsh.memory_format import contiguous_format, preserve_format
from torsh.ops._args import check_pinnable, name_error, size_of, wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops._view import view as view_op
from torsh.ops.conversion import clone
from torsh.ops.shape import contiguous_strides
from torsh.tensor import Tensor, memory_of

# ---- geometry ----------------------------------------------------------------------------------------------------------


def stride(self: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours are in memory: for every dimension as a tuple, or for one.

    dim: one dimension, whose stride is returned as an int; None gives a tuple of all. Counted in elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.stride.html

    >>> import torsh
    >>> x = torsh.zeros(2, 3)
    >>> x.stride(), x.stride(0)
    ((3, 1), 3)
    """
    strides = self._kind.backend.strides(self._data)
    if 0 in strides:
        strides = _plausible(tuple(self._data.shape), strides)
    if dim is None:
        return strides
    try:
        return strides[wrap_dim(dim, len(strides))]
    except TypeError as e:
        name_error(e, stride, ("Tensor.stride",))  # a plain method: no call path adds its name
        raise


def _plausible(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides with those of length-1 dimensions as PyTorch has them: NumPy makes a new dimension's stride 0."""
    if 0 in shape and not any(strides):  # what NumPy gives a new array without elements
        return contiguous_strides(shape)
    found = list(strides)
    for d in range(len(shape) - 1, -1, -1):
        if found[d] == 0 and shape[d] == 1:
            found[d] = shape[d + 1] * found[d + 1] if d + 1 < len(shape) else 1
    return tuple(found)


def storage_offset(self: Tensor) -> int:
    """The position of the first element in the storage, in elements.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.storage_offset.html

    >>> import torsh
    >>> torsh.arange(6)[2:].storage_offset()
    2
    """
    backend = self._kind.backend
    if type(self) is not Tensor and (wrapper := getattr(self._data, "storage_offset", None)) is not None:
        return int(wrapper())
    if self._base is None and not backend.shares(self._data):
        return 0
    start = backend.geometry(self._data)[2]
    return int(start - backend.geometry(backend.storage(self._data))[2]) // self._kind.dtype.itemsize


def data_ptr(self: Tensor) -> int:
    """The address of the first element (0 for a tensor without elements).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.data_ptr.html

    >>> import torsh
    >>> x = torsh.zeros(4)
    >>> x[1:].data_ptr() - x.data_ptr()  # bytes
    4
    """
    return int(self._kind.backend.geometry(self._data)[2]) if self.numel() else 0


for _f in (stride, storage_offset, data_ptr):
    setattr(Tensor, _f.__name__, _f)


def storage_elements(t: Tensor) -> int:
    """How many elements of the tensor's type its storage holds."""
    while hasattr(t, "_physical"):  # an example under vmap: what is behind it
        t = t._physical
    return int(t._kind.backend.storage(memory_of(t)).shape[0]) // t._kind.dtype.itemsize


def reach(size: Sequence[int], stride: Sequence[int]) -> int:
    """How many elements of memory a shape with strides spans."""
    if 0 in size:
        return 0
    return 1 + sum((n - 1) * s for n, s in zip(size, stride))


# ---- as_strided --------------------------------------------------------------------------------------------------------


def as_strided_grad(g: Any, input_shape: Any, input_strides: Any, size: Any, stride: Any, offset: int) -> Any:
    """The gradient of as_strided: summed into flat memory, read back with the input's own geometry."""
    low = min(offset, 0)
    n = max(reach(input_shape, input_strides), offset + reach(size, stride)) - low
    flat = strided_sum(g, n, size, stride, offset - low)
    if 0 in input_shape:
        return g.new_zeros(input_shape)
    overlapping = any(s == 0 and n > 1 for s, n in zip(input_strides, input_shape))
    if overlapping:  # every element of the input is one of several for its place in memory
        count = strided_sum(g.new_ones(input_shape), n, input_shape, input_strides, -low)
        flat = flat / count.clamp(min=1)
    return strided_view(flat, input_shape, input_strides, -low, (1,))


@view_op("", name="as_strided", args="input size stride offset input_strides",
         grad=lambda g, input_shape, input_strides, size, stride, offset:
         as_strided_grad(g, input_shape, input_strides, size, stride, offset))  # fmt: skip
def strided_view(input, size, stride, offset, input_strides):
    """A view by strides; the offset counts from the first element of ``input``."""
    return (input, size, stride, offset, input_strides)


@primitive("", grad={"g": lambda g, size, stride, offset: strided_view(g, size, stride, offset, (1,))},
           args="g n size stride offset", meta=lambda g, n, size, stride, offset: ((n,), g.dtype), tags="linear")  # fmt: skip
def strided_sum(g, n, size, stride, offset):
    """The elements of a view by strides added into flat memory of ``n`` elements."""
    return (g, n, size, stride, offset)


@composite("torch.as_strided Tensor.as_strided", name="as_strided_any")
def as_strided(input, size, stride, storage_offset=None):
    """A view of the tensor's memory with any size and strides.

    storage_offset: position in the storage of the first element; default: that of ``input``.
    Raises RuntimeError where the view would leave the storage.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.as_strided.html

    >>> import torsh
    >>> x = torsh.arange(5)
    >>> torsh.as_strided(x, (3, 2), (1, 1))  # overlapping pairs
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    size, stride = size_of((tuple(size),)), size_of((tuple(stride),))
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {len(stride)} strides for {len(size)} sizes")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    if any(s < 0 for s in size):
        raise RuntimeError(f"as_strided: sizes must not be negative, got {list(size)}")
    own = input.storage_offset()
    offset = own if storage_offset is None else operator.index(storage_offset)
    if offset < 0:
        raise RuntimeError(f"Storage offset must be non-negative, got {offset}")
    needs, has = reach(size, stride) + (offset if 0 not in size else 0), storage_elements(input)
    if needs > has and 0 not in size:
        item = input.dtype.itemsize
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {item} requiring a "
            f"storage size of {needs * item} are out of bounds for storage of size {has * item}"
        )
    return strided_view(input, size, stride, offset - own, input.stride())


@composite("Tensor.as_strided_")
def as_strided_(self, size, stride, storage_offset=None):
    """``as_strided`` of the tensor itself: it gets the new geometry.

    size, stride, storage_offset: as of :func:`as_strided`; the tensor keeps its memory and gets this geometry.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.arange(5).as_strided_((2,), (2,))
    tensor([0, 2])
    """
    return _as_strided_inplace(self, size, stride, storage_offset)


@composite("torch.as_strided_scatter Tensor.as_strided_scatter", out=True)
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of ``input`` with ``src`` written to the elements that ``as_strided`` would show.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.as_strided_scatter.html

    >>> import torsh
    >>> torsh.as_strided_scatter(torsh.zeros(4), torsh.ones(2), (2,), (2,))
    tensor([1., 0., 1., 0.])
    """
    from torsh.func._batched import own_copy

    out = own_copy(input, src)
    part = as_strided(out, size, stride, storage_offset)
    if tuple(part.shape) != tuple(src.shape):
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    part.copy_(src)
    return out


@composite("torch.empty_strided")
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of a size and strides with whatever its memory holds.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.empty_strided.html

    >>> import torsh
    >>> torsh.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    if pin_memory:
        check_pinnable()
    from torsh.ops.creation import make_full

    size, stride = size_of((tuple(size),)), size_of((tuple(stride),))
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}: strides must not be negative"
        )
    if len(size) != len(stride):
        raise RuntimeError(
            f"empty_strided: dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    if stride == contiguous_strides(size):
        return make_full(size, None, dtype, device, requires_grad)
    flat = make_full((reach(size, stride),), None, dtype, device, False)
    out = strided_view(flat, size, stride, 0, (1,)).detach()
    if requires_grad:
        out.requires_grad = True
    return out


@composite("Tensor.new_empty_strided")
def new_empty_strided(self, size, stride, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """``empty_strided`` with the dtype and device of this tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_empty_strided.html

    >>> import torsh
    >>> torsh.zeros(1).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    if pin_memory:
        check_pinnable()
    if hasattr(self, "_physical"):  # an example under vmap: one for each of them
        size, stride = tuple(size), tuple(stride)
        span = max(reach(size, stride), 1)
        return self._of_batch(
            lambda b, n: new_empty_strided(b, (n, *size), (span, *stride), dtype, layout, device, requires_grad)
        )
    return empty_strided(
        size,
        stride,
        dtype=dtype or self.dtype,
        device=self.device if device is None else device,
        requires_grad=requires_grad,
    )


from torsh.ops._view import metadata_inplace  # noqa: E402

_as_strided_inplace = metadata_inplace("as_strided", as_strided)


# ---- contiguity --------------------------------------------------------------------------------------------------------


@composite("Tensor.contiguous")
def contiguous(input, memory_format=None):
    """The tensor itself if its elements lie in row-major order (or in that of the memory format), else a copy that does.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.contiguous.html

    >>> import torsh
    >>> x = torsh.zeros(2, 3).t()
    >>> x.is_contiguous(), x.contiguous().is_contiguous()
    (False, True)
    """
    if memory_format is None:
        return (
            input if input._kind.backend.contiguous(memory_of(input)) else clone(input, memory_format=contiguous_format)
        )
    if input.is_contiguous(memory_format=memory_format):
        return input
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator: clone() knows it")
    return clone(input, memory_format=memory_format)
