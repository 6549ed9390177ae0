"""PyTorch's path of RAdam."""

from torsh.optim._moments import RAdam

__all__ = ["RAdam"]
