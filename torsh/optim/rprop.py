"""PyTorch's path of Rprop."""

from torsh.optim._gradient import Rprop

Rprop.__module__ = __name__

__all__ = ["Rprop"]
