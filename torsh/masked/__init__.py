"""Operations on the elements that a mask selects.

Source: https://docs.pytorch.org/docs/stable/masked.html
"""

from torsh._namespace import fill
from torsh.masked import _ops as _ops

__all__ = fill(globals(), "masked")
