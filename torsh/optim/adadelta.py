"""PyTorch's path of Adadelta."""

from torsh.optim._gradient import Adadelta

Adadelta.__module__ = __name__

__all__ = ["Adadelta"]
