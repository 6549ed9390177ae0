"""PyTorch's path of Adagrad."""

from torsh.optim._gradient import Adagrad

__all__ = ["Adagrad"]
