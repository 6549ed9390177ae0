"""Dropout in its forms."""

from __future__ import annotations

from torsh.nn import functional as F
from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class _DropoutNd(Module):
    __constants__ = ["p", "inplace"]
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, sets elements to 0 with probability p and scales the others by 1 / (1 - p).

    p: from 0 to 1, else ValueError. inplace: write the result into the input. After ``eval()`` it gives the input back.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html

    >>> import torsh
    >>> from torsh import nn
    >>> drop = nn.Dropout(p=0.5)
    >>> _ = torsh.manual_seed(0)
    >>> drop(torsh.ones(6))  # kept elements are scaled by 1 / (1 - p)
    tensor([0., 0., 2., 0., 0., 0.])
    >>> drop.eval()(torsh.ones(3))  # nothing is dropped in evaluation
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Dropout of whole channels of (N, C, L) or (C, L).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Dropout1d(0.2).eval()(torsh.ones(1, 2, 3)).shape
    torsh.Size([1, 2, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Dropout of whole channels of (N, C, H, W).

    p: the probability that a channel is zeroed. inplace: write the result into the input. After ``eval()`` it gives the input back.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.Dropout2d(0.5)(torsh.ones(1, 4, 2, 2)).sum((2, 3))  # whole channels
    tensor([[0., 0., 8., 0.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Dropout of whole channels of (N, C, D, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.Dropout3d(0.2).eval()(torsh.ones(1, 2, 3, 3, 3)).shape
    torsh.Size([1, 2, 3, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean and variance behind a SELU.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.AlphaDropout(0.2).eval()(torsh.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """Alpha dropout of whole channels.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.FeatureAlphaDropout(0.2).eval()(torsh.ones(1, 2, 2)).shape
    torsh.Size([1, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)


__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]
