"""Moving tensors between dtypes, devices and the host."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.autograd.grad_mode import thread
from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import Place, place_of
from torsh.dtypes import dtype as Dtype
from torsh.ops._op import composite, primitive
from torsh.tensor import Tensor, assign, check_writable, new


@primitive("", grad={"input": lambda g, source: g.to(source)}, args="input dtype copy source", tags="moves",
           meta=lambda input, dtype, copy, source: (input.shape, dtype), node_name="ToCopyBackward0")
def cast(input, dtype, copy):
    return (input, dtype, copy, input.dtype)


def to_place(t: Tensor, place: Place) -> Tensor:
    """The tensor held by another backend or on another device: values go through the host."""
    source, target = t._kind.backend, place.backend
    out = new(Tensor)
    out._kind = place[t.dtype]
    out._data = target.from_host(source.to_host(t._data), t.dtype, place.device)
    if t._rg and thread.enabled:
        from torsh.autograd.views import MovedBackward0

        out._gf, out._rg = MovedBackward0(t), True
    return out


@composite("Tensor.to")
def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """The tensor with another dtype and/or on another device; the tensor itself where nothing changes.

    Forms: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
    """
    for a in args:
        if isinstance(a, Dtype):
            dtype = a
        elif isinstance(a, (str, int, Device)) and not isinstance(a, bool):
            device = a
        elif isinstance(a, Tensor):
            dtype, device = a.dtype, a.device
        elif isinstance(a, bool):
            non_blocking = a
        elif a is not None:
            raise TypeError(f"to() received an invalid combination of arguments: got {type(a).__name__}")
    out = input
    if device is not None:
        place = place_of(as_device(device))
        if place is not input._kind.place:
            out = to_place(input, place)
    if dtype is not None and dtype is not out.dtype:
        return cast(out, dtype, True)
    return cast(out, out.dtype, True) if copy and out is input else out


def _numpy_dtype(d: Dtype) -> Any:
    from torsh_numpy.backend import TO_NUMPY

    return TO_NUMPY[d]


def host_array(t: Tensor) -> Any:
    """The values of a tensor as a NumPy array, shared where the tensor is on the host."""
    return t._kind.backend.to_host(t._data)


@composite("Tensor.numpy")
def numpy(input, *, force=False):
    """The tensor as a NumPy array that shares its memory.

    Raises TypeError for a tensor that is not on the CPU, RuntimeError for one that requires grad; ``force=True`` detaches
    and copies as needed.
    """
    if force:
        input = input.detach()
    if input._rg:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    if input.device.type != "cpu" and not force:
        raise TypeError(
            f"can't convert {input.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
            "first."
        )
    return host_array(input)


@composite("Tensor.item")
def item(input):
    """The value of a tensor with one element as a Python number."""
    if input.numel() != 1:
        raise RuntimeError(f"a Tensor with {input.numel()} elements cannot be converted to Scalar")
    return host_array(input).item() if input.dtype.category != dtypes.FLOAT else float(host_array(input).item())


@composite("torch.clone Tensor.clone")
def clone(input, *, memory_format=None):
    """A copy of the tensor in memory of its own; gradients flow through it."""
    return cast(input, input.dtype, True)


@composite("Tensor.copy_")
def copy_(self, src, non_blocking=False):
    """Write the values of ``src`` (broadcast, converted, moved as needed) into this tensor and return it."""
    check_writable(self, "copy_")
    if src._kind.place is not self._kind.place:
        src = to_place(src, self._kind.place)
    if src._kind is not self._kind:
        src = cast(src, self.dtype, False)
    if tuple(src.shape) != tuple(self.shape):
        src = src.expand(tuple(self.shape))
    return assign(self, src, "copy_")


@composite("Tensor.fill_")
def fill_(self, value):
    """Write one number into every element and return the tensor."""
    check_writable(self, "fill_")
    if isinstance(value, Tensor):
        return copy_(self, value)
    from torsh.ops.creation import make_full

    return copy_(self, make_full((), value, self.dtype, self.device, False))


@composite("torch.zero_ Tensor.zero_")
def zero_(self):
    """Write 0 into every element and return the tensor."""
    return fill_(self, 0)
