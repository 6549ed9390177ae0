"""PyTorch's path of Adafactor."""

from torsh.optim._matrix import Adafactor

__all__ = ["Adafactor"]
