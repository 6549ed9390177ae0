"""PyTorch's path of RMSprop."""

from torsh.optim._gradient import RMSprop

__all__ = ["RMSprop"]
