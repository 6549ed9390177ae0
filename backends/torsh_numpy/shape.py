"""Views, rearrangements and copies."""

import numpy as np

from torsh_numpy.backend import TO_NUMPY


class _Window:
    """Memory of an array from another starting point, kept alive with it."""

    def __init__(self, interface, owner):
        self.__array_interface__ = interface
        self.owner = owner


def as_strided(x, size, stride, offset):
    """offset: elements from the first element of ``x``."""
    interface = dict(x.__array_interface__)
    pointer, readonly = interface["data"]
    interface["data"] = (pointer + (offset or 0) * x.itemsize, readonly)
    interface["shape"] = size
    interface["strides"] = tuple(s * x.itemsize for s in stride)
    found = np.asarray(_Window(interface, x))
    # The interface has no name for the types of ml_dtypes.
    return found if found.dtype == x.dtype else found.view(x.dtype)


def full(size, value, dtype, device):
    if value is None:
        return np.empty(size, TO_NUMPY[dtype])
    return np.full(size, value, TO_NUMPY[dtype])


def cast(x, dtype, copy, source):
    return x.astype(TO_NUMPY[dtype], copy=copy)


KERNELS = {
    "permute": np.transpose,
    "as_strided": as_strided,
    "expand": lambda x, size: np.broadcast_to(x, size),
    "reshape": lambda x, size, shape: x.reshape(size),
    "full": full,
    "cast": cast,
}
