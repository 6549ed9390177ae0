"""The masked operations, by the module's name in PyTorch.  Source: https://docs.pytorch.org/docs/stable/masked.html"""

from torsh._namespace import fill

__all__ = fill(globals(), "masked")
