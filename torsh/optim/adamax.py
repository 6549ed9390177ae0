"""PyTorch's path of Adamax."""

from torsh.optim._moments import Adamax

__all__ = ["Adamax"]
