"""PyTorch's path of SparseAdam."""

from torsh.optim._moments import SparseAdam

SparseAdam.__module__ = __name__

__all__ = ["SparseAdam"]
