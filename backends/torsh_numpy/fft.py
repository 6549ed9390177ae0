"""Kernels of Fourier transforms."""

import numpy as np


def _scaled(x, scale):
    return x if scale == 1 else np.multiply(x, x.real.dtype.type(scale), out=x)


# From here on SciPy, which transforms several lines at once; below it its calls cost more.
_LARGE = 10_000


def _library(x):
    if x.size < _LARGE:
        return np.fft
    import scipy.fft

    return scipy.fft


def c2c(x, dims, scale, forward):
    if not x.size:
        return np.zeros_like(x)
    fft = _library(x)
    # Without factors: they are on the other direction for norm="forward".
    found = fft.fftn(x, axes=dims) if forward else fft.ifftn(x, axes=dims, norm="forward")
    return _scaled(found, scale)


def _complex(x):
    return np.complex64 if x.dtype == np.float32 else np.complex128


def r2c(x, dims, scale, onesided, size):
    if not x.size:
        shape = list(x.shape)
        if onesided:
            shape[dims[-1]] = size // 2 + 1
        return np.zeros(shape, _complex(x))
    fft = _library(x)
    return _scaled(fft.rfftn(x, axes=dims) if onesided else fft.fftn(x, axes=dims), scale)


def c2r(x, dims, scale, size):
    shape = [x.shape[d] for d in dims[:-1]] + [size]
    if not x.size:
        full = list(x.shape)
        full[dims[-1]] = size
        return np.zeros(full, x.real.dtype)
    return _scaled(_library(x).irfftn(x, s=shape, axes=dims, norm="forward"), scale)


KERNELS = {"fft_c2c": c2c, "fft_r2c": r2c, "fft_c2r": c2r}
