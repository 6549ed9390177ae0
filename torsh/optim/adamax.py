"""PyTorch's path of Adamax."""

from torsh.optim._moments import Adamax

Adamax.__module__ = __name__

__all__ = ["Adamax"]
