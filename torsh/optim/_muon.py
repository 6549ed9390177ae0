"""PyTorch's path of Muon."""

from torsh.optim._matrix import Muon

Muon.__module__ = __name__

__all__ = ["Muon"]
