"""CuPy as a backend for CUDA devices: the generic kernels bound to it, and its own where NumPy's names fit better."""

from torsh_cupy.backend import CupyBackend

__all__ = ["CupyBackend"]
