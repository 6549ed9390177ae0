"""Discrete Fourier transforms.

Source: https://docs.pytorch.org/docs/stable/fft.html
"""

from torsh._namespace import fill
from torsh.tensor import Tensor

__all__ = fill(globals(), "fft", Tensor=Tensor)
