"""Operations on the elements that a mask selects.

Source: https://docs.pytorch.org/docs/stable/masked.html
"""

from torsh._namespace import fill

__all__ = fill(globals(), "masked")
