"""Making tensors from nothing, from Python values and from arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh import dtypes
from torsh.device import as_device
from torsh.dispatch import place_of
from torsh.ops._args import size_of
from torsh.ops._op import Op, composite
from torsh.ops.conversion import _numpy_dtype
from torsh.tensor import Tensor, from_host, new

# Creation kernels get (size, value, dtype, device).
full_op = Op("full", None, ("size", "value", "dtype", "device"), tags=("creation", "nondifferentiable"))


def make_full(size: tuple[int, ...], value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A new tensor of one value (None: whatever the memory holds)."""
    place = place_of(as_device(device))
    kind = place[dtype or dtypes.get_default_dtype()]
    t = new(Tensor)
    t._data = full_op.kernels[kind](size, value, kind.dtype, kind.device)
    t._kind = kind
    if requires_grad:
        t.requires_grad = True
    return t


@composite("torch.empty", out=True, tags="creation")
def empty(*size, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """A tensor of a size with whatever its memory holds."""
    return make_full(size_of(size), None, dtype, device, requires_grad)


@composite("torch.zeros", out=True, tags="creation")
def zeros(*size, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor filled with 0."""
    return make_full(size_of(size), 0, dtype, device, requires_grad)


@composite("torch.ones", out=True, tags="creation")
def ones(*size, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor filled with 1."""
    return make_full(size_of(size), 1, dtype, device, requires_grad)


@composite("torch.tensor", tags="creation")
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor with a copy of Python numbers (nested sequences), an array or a tensor."""
    array = np.asarray(data)
    if dtype is None:
        dtype = dtypes.get_default_dtype() if array.dtype == np.float64 else dtypes.BY_NAME[array.dtype.name]
    t = from_host(np.array(array, _numpy_dtype(dtype)), dtype, device)
    t.requires_grad = requires_grad
    return t


@composite("torch.from_numpy", tags="creation")
def from_numpy(ndarray):
    """A tensor that shares the memory of a NumPy array."""
    return from_host(ndarray, dtypes.BY_NAME[ndarray.dtype.name], "cpu")
