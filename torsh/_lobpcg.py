"""Locally optimal block preconditioned conjugate gradients: a few eigenpairs of a large symmetric matrix.

A. Knyazev, "Toward the optimal preconditioned eigensolver", SIAM J. Sci. Comput. 23 (2001) 517,
https://doi.org/10.1137/S1064827500366124
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh._asking import overridable
from torsh.tensor import Tensor


@overridable
def lobpcg(
    A: Any, k: int | None = None, B: Any = None, X: Any = None, n: int | None = None, iK: Any = None, niter: int | None = None,
    tol: float | None = None, largest: bool | None = None, method: str | None = None, tracker: Callable[[Any], None] | None = None,
    ortho_iparams: Any = None, ortho_fparams: Any = None, ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The ``k`` largest (or smallest) eigenvalues of ``A x = e B x`` and their vectors: (E (..., k), V (..., m, k)).

    A (..., m, m): symmetric, dense or sparse.  B: symmetric positive definite, the identity if None.  X (..., m, n): where to
    begin (random otherwise).  iK: a preconditioner, about the inverse of A.  niter: iterations at most; tol: the residual's
    norm relative to those of A and x (default: the square root of the type's precision).  largest: True unless said otherwise.
    method: "ortho" and "basic" both mean the one there is, with an orthonormal basis in every step.
    Gradients flow through E and V, for dense A.  Raises ValueError if A has fewer than 3k rows.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.lobpcg.html

    >>> import torsh
    >>> values, vectors = torsh.lobpcg(torsh.diag(torsh.arange(1.0, 10.0)), k=1)
    >>> round(values.item(), 4)
    9.0
    """
    import torsh

    largest = True if largest is None else bool(largest)
    if A.dtype not in (torsh.float32, torsh.float64):
        raise ValueError(f"lobpcg expects a matrix of float32 or float64, got {A.dtype}")
    m = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    size = (k if X is None else X.shape[-1]) if n is None else n
    if m < 3 * size:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of requested "
            f"eigenpairs (={size})"
        )
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"unknown method {method!r}: expected 'basic' or 'ortho'")
    if not A.is_sparse and torsh.is_grad_enabled() and (A.requires_grad or (B is not None and B.requires_grad)):
        return _dense(A, B, k, largest)  # all eigenpairs: what gradients of vectors need
    tolerance = tol if tol is not None else torsh.finfo(A.dtype).eps ** 0.5
    batch = tuple(A.shape[:-2])
    start = torsh.randn((*batch, m, size), dtype=A.dtype, device=A.device) if X is None else X
    with torsh.no_grad():
        if not batch:
            return _one(A, B, start, iK, k, niter or 1000, tolerance, largest, tracker)
        flat = [t if t is None else t.reshape(-1, *t.shape[-2:]) for t in (A, B, start, iK)]
        found = [
            _one(*[t if t is None else t[i] for t in flat], k, niter or 1000, tolerance, largest, tracker)
            for i in range(flat[0].shape[0])
        ]
        return (
            torsh.stack([e for e, _ in found]).reshape(*batch, k),
            torsh.stack([v for _, v in found]).reshape(*batch, m, k),
        )


def _dense(A: Any, B: Any, k: int, largest: bool) -> tuple[Tensor, Tensor]:
    """The same from all eigenpairs, differentiable."""
    import torsh

    A = (A + A.mT) / 2
    if B is None:
        e, v = torsh.linalg.eigh(A)
    else:
        inverse = torsh.linalg.inv(torsh.linalg.cholesky((B + B.mT) / 2))
        e, v = torsh.linalg.eigh(inverse @ A @ inverse.mT)
        v = inverse.mT @ v
    return (e[..., -k:].flip(-1), v[..., -k:].flip(-1)) if largest else (e[..., :k], v[..., :k])


def _basis(S: Any, B: Any) -> Any:
    """A B-orthonormal basis of the columns of S, without those that depend on others."""
    import torsh

    for _ in range(2):  # twice is enough
        S = S / torsh.linalg.vector_norm(S, dim=0).clamp_min(torsh.finfo(S.dtype).tiny)
        gram = S.mT @ (S if B is None else B @ S)
        d, U = torsh.linalg.eigh((gram + gram.mT) / 2)
        keep = d > d[-1] * torsh.finfo(S.dtype).eps * S.shape[1] * 10
        S = (S @ U)[:, keep] / d[keep].sqrt()
    return S


def _one(
    A: Any,
    B: Any,
    X: Any,
    iK: Any,
    k: int,
    niter: int,
    tol: float,
    largest: bool,
    tracker: Callable[[Any], None] | None,
) -> tuple[Tensor, Tensor]:
    """One matrix."""
    import torsh

    def ritz(S: Any) -> tuple[Any, Any]:
        H = S.mT @ (A @ S)
        e, Z = torsh.linalg.eigh((H + H.mT) / 2)
        return (e.flip(0), Z.flip(1)) if largest else (e, Z)

    width = X.shape[1]
    S = _basis(X, B)
    e, Z = ritz(S)
    X, P = S @ Z[:, :width], None
    e = e[:width]
    scale = torsh.linalg.vector_norm(A @ X) / torsh.linalg.vector_norm(X)
    for _ in range(niter):
        R = A @ X - (X if B is None else B @ X) * e
        size = torsh.linalg.vector_norm(R, dim=0)
        if bool((size[:k] <= tol * (scale + e[:k].abs()) * torsh.linalg.vector_norm(X[:, :k], dim=0)).all()):
            break
        W = R if iK is None else iK @ R
        S = _basis(torsh.cat([X, W] if P is None else [X, W, P], 1), B)
        new, Z = ritz(S)
        Y = S @ Z[:, :width]
        # The direction of the step: what the new block has beyond the old one.
        P = Y - X @ (X.mT @ (Y if B is None else B @ Y))
        X, e = Y, new[:width]
        if tracker is not None:
            tracker((e, X, size))
    return e[:k], X[:, :k]


__all__ = ["lobpcg"]
