"""Distances as modules."""

from __future__ import annotations

from torsh.nn import functional as F
from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class PairwiseDistance(Module):
    """The p-norm of the differences of corresponding vectors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.PairwiseDistance(p=2)(torsh.tensor([[0., 0.]]), torsh.tensor([[3., 4.]]))
    tensor([5.0000])
    """

    __constants__ = ["norm", "eps", "keepdim"]

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along ``dim``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.CosineSimilarity(dim=1)(torsh.tensor([[1., 0.]]), torsh.tensor([[1., 1.]]))
    tensor([0.7071])
    """

    __constants__ = ["dim", "eps"]

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


__all__ = ["CosineSimilarity", "PairwiseDistance"]
