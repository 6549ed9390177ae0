"""Kernels of complex numbers."""

import numpy as np

from torsh import dtypes
from torsh.backend import TO_NUMPY

_PARTS = {2: np.dtype(np.float16), 4: np.dtype(np.float32), 8: np.dtype(np.float64)}
_WHOLE = {4: np.dtype(np.complex64), 8: np.dtype(np.complex128)}


def view_as_real(x):
    return x[..., None].view(_PARTS[x.itemsize // 2])


def view_as_complex(x):
    if x.itemsize == 2:
        return x.view(TO_NUMPY[dtypes.complex32])[..., 0]
    return x.view(_WHOLE[x.itemsize])[..., 0]


def make(real, imag):
    kind = _WHOLE[real.itemsize]
    if real.flags.c_contiguous and imag.flags.c_contiguous:
        found = np.empty(np.broadcast_shapes(real.shape, imag.shape), kind)
    else:  # the dimensions in the order in which NumPy leaves them for elementwise functions
        found = np.empty_like(np.add(real, imag), kind)
    found.real = real
    found.imag = imag
    return found


def angle(x):
    if x.dtype.kind == "c":
        return np.arctan2(x.imag, x.real)
    return np.where(np.isnan(x), x, np.where(x < 0, np.pi, 0.0).astype(x.dtype))


KERNELS = {
    # complex32 is no complex type to NumPy: its .real would be all of it.
    "real_part": lambda x: x.real if x.dtype.kind == "c" else view_as_real(x)[..., 0],
    "imag_part": lambda x: x.imag if x.dtype.kind == "c" else view_as_real(x)[..., 1],
    "view_as_real": view_as_real,
    "view_as_complex": view_as_complex,
    "conj_physical": lambda x: np.conjugate(x) if x.dtype.kind == "c" else x.copy("K"),
    "angle": angle,
    "complex": make,
}
