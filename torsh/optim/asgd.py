"""PyTorch's path of ASGD."""

from torsh.optim._gradient import ASGD

ASGD.__module__ = __name__

__all__ = ["ASGD"]
