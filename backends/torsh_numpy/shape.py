"""Views."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from torsh.backend import TO_NUMPY
from torsh_numpy.backend import owner_of, window

_ALL = slice(None)
_NEW = [(*(_ALL,) * d, None) for d in range(9)]
_new_array = np.ndarray


def as_strided(x, size, stride, offset, own_strides=None):
    """offset: elements from the first element of ``x``."""
    n = x.itemsize
    owner = owner_of(x)
    if owner.flags.forc and owner.dtype == x.dtype and 0 not in size:
        start = 0 if owner is x else x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        return _new_array(size, x.dtype, owner, start + (offset or 0) * n, [s * n for s in stride])
    return window(x, size, [s * n for s in stride], (offset or 0) * n)


def expand(x, size):
    if x.shape == size:
        return x[...]
    lead = len(size) - x.ndim
    strides = [0] * lead + [0 if n == 1 else s for n, s in zip(x.shape, x.strides)]
    if x.flags.c_contiguous and x.size:
        return _new_array(size, x.dtype, x, 0, strides)
    return window(x, size, strides, 0)


def unsqueeze(x, dim):
    return x[_NEW[dim] if dim < 9 else (*(_ALL,) * dim, None)]


def select(x, dim, index):
    return x[(*(_ALL,) * dim, index)] if dim else x[index, ...]


def slice_(x, dim, start, stop, step):
    return x[(*(_ALL,) * dim, slice(start, stop, step))] if dim else x[start:stop:step]


def diagonal(x, offset, dim1, dim2):
    found = np.diagonal(x, offset, dim1, dim2)
    if x.flags.writeable:
        found.flags.writeable = True  # NumPy means it as a safeguard: it is a view like any other
    return found


def unfold(x, dim, size, step):
    shape, strides = list(x.shape), list(x.strides)
    window_stride = strides[dim]
    shape[dim] = (shape[dim] - size) // step + 1
    strides[dim] *= step
    return window(x, (*shape, size), (*strides, window_stride), 0)


def view_dtype(x, dtype, source):
    target = TO_NUMPY[dtype]
    if not x.ndim or target.itemsize == x.itemsize or (x.size and x.flags.c_contiguous):
        return x.view(target)
    # NumPy asks for a contiguous last dimension, which a length of 1 hides, and leaves no strides to an empty array.
    shape, strides = list(x.shape), list(x.strides)
    if not any(strides):
        strides = [x.itemsize * prod(n or 1 for n in shape[d + 1 :]) for d in range(x.ndim)]
    shape[-1] = shape[-1] * x.itemsize // target.itemsize
    strides[-1] = target.itemsize
    return window(x, tuple(shape), strides, 0, target)


KERNELS: dict[str, Any] = {
    "view": lambda x, size: x.reshape(size),
    "reshape": lambda x, size, shape: x.reshape(size) if not x.flags.c_contiguous else x.reshape(size).copy(),
    "permute": lambda x, dims: x.transpose(dims),
    "transpose": lambda x, a, b: x.swapaxes(a, b),
    "t": lambda x: x.T,
    "unsqueeze": unsqueeze,
    "squeeze": lambda x, dims: x.squeeze(dims),
    "expand": expand,
    "as_strided": as_strided,
    "view_dtype": view_dtype,
    "select": select,
    "slice": slice_,
    "diagonal": diagonal,
    "unfold": unfold,
}
