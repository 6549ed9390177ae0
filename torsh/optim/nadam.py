"""PyTorch's path of NAdam."""

from torsh.optim._moments import NAdam

__all__ = ["NAdam"]
