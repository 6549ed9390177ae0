"""Shuffling channels between groups."""

from __future__ import annotations

from torsh.nn import functional as F
from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class ChannelShuffle(Module):
    """Mixes the channels of (N, C, *) among ``groups``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.ChannelShuffle(2)(torsh.arange(4.).reshape(1, 4, 1, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    __constants__ = ["groups"]

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


__all__ = ["ChannelShuffle"]
