"""The standard's ``linalg`` extension."""

from __future__ import annotations

from typing import Any, NamedTuple

import torsh
from torsh.array_api import _functions
from torsh.array_api._array import standard
from torsh.array_api._creation import promoted
from torsh.array_api._functions import matmul, matrix_transpose, tensordot, vecdot

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot",
    "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """An orthogonal and an upper triangular factor."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


class SVDResult(NamedTuple):
    """Left singular vectors, singular values, right singular vectors (conjugate transposed)."""

    U: Any
    S: Any
    Vh: Any


def _take(name: str) -> Any:
    return standard(getattr(torsh.linalg, name))


det, eigvalsh, eigvals, inv, matrix_power, svdvals = map(
    _take, ("det", "eigvalsh", "eigvals", "inv", "matrix_power", "svdvals")
)


@standard
def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The Cholesky factor of positive definite matrices."""
    return torsh.linalg.cholesky(x, upper=upper)


@standard
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Cross products of vectors of length 3 along an axis."""
    return torsh.linalg.cross(*torsh.broadcast_tensors(*promoted((x1, x2))), dim=axis)


@standard
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """A diagonal of the matrices in the last two axes."""
    return torsh.diagonal(x, offset, -2, -1)


@standard
def eigh(x: Any, /) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices."""
    return EighResult(*torsh.linalg.eigh(x))


@standard
def eig(x: Any, /) -> Any:
    """Eigenvalues and eigenvectors of matrices."""
    return EigResult(*torsh.linalg.eig(x))


@standard
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norms of the matrices in the last two axes."""
    return torsh.linalg.matrix_norm(x, ord=ord, keepdim=keepdims)


@standard
def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """Ranks of matrices."""
    return torsh.linalg.matrix_rank(x, rtol=rtol)


@standard
def outer(x1: Any, x2: Any, /) -> Any:
    """The outer product of two vectors."""
    return torsh.outer(*promoted((x1, x2)))


@standard
def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """Pseudo-inverses of matrices."""
    return torsh.linalg.pinv(x, rtol=rtol)


@standard
def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """The QR factorisation of matrices."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"mode must be 'reduced' or 'complete', got {mode!r}")
    return QRResult(*torsh.linalg.qr(x, mode))


@standard
def slogdet(x: Any, /) -> Any:
    """Sign and logarithm of the absolute value of determinants."""
    return SlogdetResult(*torsh.linalg.slogdet(x))


@standard
def solve(x1: Any, x2: Any, /) -> Any:
    """Solutions of systems of linear equations; only a one-dimensional right-hand side is a vector."""
    x1, x2 = promoted((x1, x2))
    if x2.ndim == 1:
        lead = tuple(x1.shape[:-2])
        return torsh.linalg.solve(x1, x2.unsqueeze(-1).expand((*lead, x2.shape[0], 1))).squeeze(-1)
    lead = torsh.broadcast_shapes(tuple(x1.shape[:-2]), tuple(x2.shape[:-2]))
    return torsh.linalg.solve(x1.expand((*lead, *x1.shape[-2:])), x2.expand((*lead, *x2.shape[-2:])))


@standard
def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """The singular value decomposition of matrices."""
    return SVDResult(*torsh.linalg.svd(x, full_matrices=full_matrices))


@standard
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sums of a diagonal of the matrices in the last two axes."""
    return _functions.sum(torsh.diagonal(x, offset, -2, -1), axis=-1, dtype=dtype)


@standard
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norms of vectors along axes (None: of all elements)."""
    if axis == ():
        return torsh.abs(x) if ord != 0 else (x != 0).to(x.dtype.to_real())
    return torsh.linalg.vector_norm(x, ord=ord, dim=axis, keepdim=keepdims)
