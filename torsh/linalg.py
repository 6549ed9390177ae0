"""Linear algebra.

Source: https://docs.pytorch.org/docs/stable/linalg.html
"""

from torsh._namespace import fill
from torsh.ops._linalg import LinAlgError

# What the pages of several functions have in common; PyTorch has a dict of this name for its own.
common_notes = {
    "batches": "Leading dimensions are batch dimensions: each matrix of the last two is treated by itself.",
    "dtypes": "float32, float64, complex64 and complex128 are computed as they are; half types in float32, rounded once.",
}

__all__ = fill(globals(), "linalg", LinAlgError=LinAlgError)
