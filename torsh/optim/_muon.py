"""PyTorch's path of Muon."""

from torsh.optim._matrix import Muon

__all__ = ["Muon"]
