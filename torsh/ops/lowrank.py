"""Approximate factorizations of large matrices from random projections.

Halko, Martinsson and Tropp, "Finding structure with randomness", https://arxiv.org/abs/0909.4061
"""

from __future__ import annotations

from typing import Any

from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.ops.decomposition import linalg_qr, linalg_svd
from torsh.ops.matmul import adjoint


def _basis(A: Any, q: int, niter: int, M: Any) -> Any:
    """Orthonormal columns that span nearly the range of A - M (algorithm 4.4)."""
    from torsh.ops import NAMES

    def times(x: Any) -> Any:
        return A @ x if M is None else A @ x - M @ x

    def adjoint_times(x: Any) -> Any:
        return adjoint(A) @ x if M is None else adjoint(A) @ x - adjoint(M) @ x

    R = NAMES["torch"]["randn"](A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = linalg_qr(times(R)).Q
    for _ in range(niter):
        Q = linalg_qr(adjoint_times(Q)).Q
        Q = linalg_qr(times(Q)).Q
    return Q


@composite("torch.svd_lowrank", tags="random")
def svd_lowrank(A, q=6, niter=2, M=None):
    """An approximate singular value decomposition of rank ``q`` of A (of A - M): (U, S, V).

    niter: steps of subspace iteration.  The result depends on the random generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.svd_lowrank.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> U, S, V = torsh.svd_lowrank(torsh.diag(torsh.tensor([3., 2., 1e-3])), q=2)
    >>> S
    tensor([3.0000, 2.0000])
    """
    check_tensor(A, "svd_lowrank", "A")
    m, n = A.shape[-2:]
    if M is not None:
        M = M.expand(*A.shape)
    if m < n:
        A, M = adjoint(A), None if M is None else adjoint(M)
    Q = _basis(A, q, niter, M)
    B = adjoint(Q) @ A
    if M is not None:
        B = B - adjoint(Q) @ M
    U, S, Vh = linalg_svd(B, False)
    U, V = Q @ U, adjoint(Vh)
    return (V, S, U) if m < n else (U, S, V)


@composite("torch.pca_lowrank", tags="random")
def pca_lowrank(A, q=None, center=True, niter=2):
    """An approximate principal component analysis of rank ``q`` (default: at most 6): (U, S, V).

    center: whether the mean of each column is taken off first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.pca_lowrank.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> U, S, V = torsh.pca_lowrank(torsh.eye(4, 3), q=2)
    >>> U.shape, S.shape, V.shape
    (torsh.Size([4, 2]), torsh.Size([2]), torsh.Size([3, 2]))
    """
    check_tensor(A, "pca_lowrank", "A")
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, True) if center else A, q, niter)
