"""PyTorch's path of RMSprop."""

from torsh.optim._gradient import RMSprop

RMSprop.__module__ = __name__

__all__ = ["RMSprop"]
