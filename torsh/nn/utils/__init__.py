"""Helpers for modules and their parameters."""

from torsh.nn.utils import rnn

__all__ = ["rnn"]
