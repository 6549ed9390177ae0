"""Kernels of Fourier transforms."""

from torch import fft


def _scaled(x, scale):
    return x if scale == 1 else x * scale


def c2c(x, dims, scale, forward):
    return _scaled(fft.fftn(x, dim=dims) if forward else fft.ifftn(x, dim=dims, norm="forward"), scale)


def r2c(x, dims, scale, onesided, size):
    return _scaled(fft.rfftn(x, dim=dims) if onesided else fft.fftn(x, dim=dims), scale)


def c2r(x, dims, scale, size):
    shape = [x.shape[d] for d in dims[:-1]] + [size]
    return _scaled(fft.irfftn(x, s=shape, dim=dims, norm="forward"), scale)


KERNELS = {"fft_c2c": c2c, "fft_r2c": r2c, "fft_c2r": c2r}
