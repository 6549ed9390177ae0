"""Discrete Fourier transforms.

Source: https://docs.pytorch.org/docs/stable/fft.html
"""

from torsh._namespace import fill

__all__ = fill(globals(), "fft")
