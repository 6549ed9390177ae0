"""Kernels of Fourier transforms."""

import numpy as np


def _scaled(x, scale):
    return x if scale == 1 else np.multiply(x, x.real.dtype.type(scale), out=x)


def c2c(x, dims, scale, forward):
    if not x.size:
        return np.zeros_like(x)
    # Without factors: NumPy puts them on the other direction for norm="forward".
    found = np.fft.fftn(x, axes=dims) if forward else np.fft.ifftn(x, axes=dims, norm="forward")
    return _scaled(found, scale)


def _complex(x):
    return np.complex64 if x.dtype == np.float32 else np.complex128


def r2c(x, dims, scale, onesided, size):
    if not x.size:
        shape = list(x.shape)
        if onesided:
            shape[dims[-1]] = size // 2 + 1
        return np.zeros(shape, _complex(x))
    found = np.fft.rfftn(x, axes=dims) if onesided else np.fft.fftn(x, axes=dims)
    return _scaled(found, scale)


def c2r(x, dims, scale, size):
    shape = [x.shape[d] for d in dims[:-1]] + [size]
    if not x.size:
        full = list(x.shape)
        full[dims[-1]] = size
        return np.zeros(full, x.real.dtype)
    return _scaled(np.fft.irfftn(x, s=shape, axes=dims, norm="forward"), scale)


KERNELS = {"fft_c2c": c2c, "fft_r2c": r2c, "fft_c2r": c2r}
