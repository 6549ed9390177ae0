"""PyTorch's path of Adafactor."""

from torsh.optim._matrix import Adafactor

Adafactor.__module__ = __name__

__all__ = ["Adafactor"]
