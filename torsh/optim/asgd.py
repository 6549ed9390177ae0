"""PyTorch's path of ASGD."""

from torsh.optim._gradient import ASGD

__all__ = ["ASGD"]
