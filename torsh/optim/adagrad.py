"""PyTorch's path of Adagrad."""

from torsh.optim._gradient import Adagrad

Adagrad.__module__ = __name__

__all__ = ["Adagrad"]
