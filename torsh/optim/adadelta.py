"""PyTorch's path of Adadelta."""

from torsh.optim._gradient import Adadelta

__all__ = ["Adadelta"]
