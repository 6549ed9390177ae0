"""PyTorch's path of Rprop."""

from torsh.optim._gradient import Rprop

__all__ = ["Rprop"]
