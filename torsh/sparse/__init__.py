"""Sparse tensors: their functions, and ``check_sparse_tensor_invariants``.

Source: https://docs.pytorch.org/docs/stable/sparse.html
"""

from torsh._namespace import fill
from torsh.sparse._construct import check_sparse_tensor_invariants
from torsh.sparse._gradcheck import as_sparse_gradcheck
from torsh.sparse._legacy import TYPES
from torsh.sparse._math import spdiags

__all__ = fill(
    globals(), "sparse", check_sparse_tensor_invariants=check_sparse_tensor_invariants,
    as_sparse_gradcheck=as_sparse_gradcheck, spdiags=spdiags, **TYPES,
)  # fmt: skip
