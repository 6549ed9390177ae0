"""PyTorch's path of NAdam."""

from torsh.optim._moments import NAdam

NAdam.__module__ = __name__

__all__ = ["NAdam"]
