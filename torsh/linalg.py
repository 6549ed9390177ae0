"""Linear algebra.

Source: https://docs.pytorch.org/docs/stable/linalg.html
"""

from torsh._namespace import fill
from torsh.ops._linalg import LinAlgError

__all__ = fill(globals(), "linalg", LinAlgError=LinAlgError)
