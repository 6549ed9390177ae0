"""PyTorch's path of RAdam."""

from torsh.optim._moments import RAdam

RAdam.__module__ = __name__

__all__ = ["RAdam"]
