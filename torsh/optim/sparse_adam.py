"""PyTorch's path of SparseAdam."""

from torsh.optim._moments import SparseAdam

__all__ = ["SparseAdam"]
