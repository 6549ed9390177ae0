"""The CPU backend: NumPy arrays, with Numba kernels where they win."""

from torsh_numpy.backend import NumpyBackend

__all__ = ["NumpyBackend"]
