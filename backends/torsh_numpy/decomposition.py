"""Kernels of factorizations: NumPy's batched LAPACK calls where it has them, SciPy's one matrix at a time elsewhere."""

import numpy as np


def _each(fn, arrays, outs):
    """Call ``fn`` on every matrix of a batch; outs: (shape behind the batch, dtype) of each result."""
    batch = arrays[0].shape[: arrays[0].ndim - 2]
    found = [np.empty((*batch, *shape), dtype) for shape, dtype in outs]
    for i in np.ndindex(*batch):
        results = fn(*[a[i] for a in arrays])
        for out, r in zip(found, results):
            out[i] = r
    return found


def _lapack(names, like):
    from scipy.linalg import lapack

    return lapack.get_lapack_funcs(names, (like,))


def _herm(x):
    x = x.swapaxes(-1, -2)
    return x.conj() if x.dtype.kind == "c" else x


# ---- Cholesky and triangular equations -----------------------------------------------------------------------------


def cholesky(A, upper):
    batch = A.shape[:-2]
    try:
        L = np.linalg.cholesky(_herm(A) if upper else A)
        return (_herm(L) if upper else L), np.zeros(batch, np.int32)
    except np.linalg.LinAlgError:
        pass
    n = A.shape[-1]
    (potrf,) = _lapack(("potrf",), A)

    def one(a):
        c, info = potrf(a, lower=not upper, clean=True)
        return c, info

    return tuple(_each(one, (A,), (((n, n), A.dtype), ((), np.int32))))


def solve_triangular(A, B, upper, left, unit):
    if not B.size:
        return np.zeros(B.shape, B.dtype)
    from scipy.linalg import blas

    (trsm,) = blas.get_blas_funcs(("trsm",), (A, B))

    def one(a, b):
        # BLAS wants columns: a row-major matrix is handed over as the transpose it is there.
        return (trsm(1, a, b, side=not left, lower=not upper, diag=unit),)

    return _each(one, (A, B), ((B.shape[-2:], B.dtype),))[0]


# ---- QR ------------------------------------------------------------------------------------------------------------


def qr(A, mode):
    m, n = A.shape[-2:]
    k = min(m, n)
    if mode == "r":
        return np.empty((0,), A.dtype), np.linalg.qr(A, mode="r") if A.size else np.zeros(
            (*A.shape[:-2], k, n), A.dtype
        )
    if not A.size:
        columns = m if mode == "complete" else k
        Q = np.zeros((*A.shape[:-2], m, columns), A.dtype)
        Q[...] = np.eye(m, columns)
        return Q, np.zeros((*A.shape[:-2], columns, n), A.dtype)
    Q, R = np.linalg.qr(A, mode=mode)
    return Q, R


def geqrf(A):
    m, n = A.shape[-2:]
    k = min(m, n)
    if not A.size:
        return A.copy(), np.zeros((*A.shape[:-2], k), A.dtype)
    (fn,) = _lapack(("geqrf",), A)

    def one(a):
        qr, tau, _, _ = fn(a)
        return qr, tau

    return tuple(_each(one, (A,), (((m, n), A.dtype), ((k,), A.dtype))))


def householder(A, tau):
    m, n = A.shape[-2:]
    if not A.size:
        return A.copy()
    Q = np.zeros(A.shape, A.dtype)
    Q[...] = np.eye(m, n)
    below = np.tril(A, -1)
    below[..., range(n), range(n)] = 1
    for i in reversed(range(tau.shape[-1])):
        v = below[..., :, i : i + 1]
        Q -= tau[..., i, None, None] * (v @ (_herm(v) @ Q))
    return Q


# ---- singular values and eigenvalues -------------------------------------------------------------------------------


def svd(A, full_matrices):
    m, n = A.shape[-2:]
    if not A.size:
        k = min(m, n)
        batch = A.shape[:-2]
        U = np.zeros((*batch, m, m if full_matrices else k), A.dtype)
        Vh = np.zeros((*batch, n if full_matrices else k, n), A.dtype)
        U[...], Vh[...] = np.eye(*U.shape[-2:]), np.eye(*Vh.shape[-2:])
        return U, np.zeros((*batch, k), A.real.dtype), Vh
    U, S, Vh = np.linalg.svd(A, full_matrices=full_matrices)
    return U, S, Vh


def svdvals(A):
    if not A.size:
        return np.zeros((*A.shape[:-2], min(A.shape[-2:])), A.real.dtype)
    return np.linalg.svd(A, compute_uv=False)


def eigh(A, UPLO):
    L, V = np.linalg.eigh(A, UPLO)
    return L, V


def _complex(A):
    return np.complex128 if A.dtype.itemsize == (8 if A.dtype.kind == "f" else 16) else np.complex64


def eig(A, is_complex):
    L, V = np.linalg.eig(A)
    return L.astype(_complex(A), copy=False), V.astype(_complex(A), copy=False)


def eigvals(A):
    return np.linalg.eigvals(A).astype(_complex(A), copy=False)


# ---- LU and LDL ----------------------------------------------------------------------------------------------------


def lu(A):
    m, n = A.shape[-2:]
    k = min(m, n)
    batch = A.shape[:-2]
    if not A.size:
        return (
            A.copy(),
            np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), (*batch, k)).copy(),
            np.zeros(batch, np.int32),
        )
    (getrf,) = _lapack(("getrf",), A)

    def one(a):
        LU, piv, info = getrf(a)
        return LU, piv + 1, info

    return tuple(_each(one, (A,), (((m, n), A.dtype), ((k,), np.int32), ((), np.int32))))


def lu_permutation(pivots, rows, inverse):
    batch = pivots.shape[:-1]
    flat = pivots.reshape(-1, pivots.shape[-1]) if pivots.size else pivots.reshape(int(np.prod(batch)), 0)
    perm = np.tile(np.arange(rows), (len(flat), 1))
    each = np.arange(len(flat))
    for i in range(pivots.shape[-1] if len(flat) and rows else 0):
        j = flat[:, i] - 1
        perm[each, i], perm[each, j] = perm[each, j], perm[each, i].copy()
    perm = perm.reshape(*batch, rows)
    return np.argsort(perm, axis=-1) if inverse else perm


def _ldl_names(A, hermitian):
    return "he" if hermitian and A.dtype.kind == "c" else "sy"


def ldl(A, hermitian):
    n = A.shape[-1]
    batch = A.shape[:-2]
    if not A.size:
        return A.copy(), np.zeros((*batch, n), np.int32), np.zeros(batch, np.int32)
    (trf,) = _lapack((_ldl_names(A, hermitian) + "trf",), A)

    def one(a):
        # LAPACK leaves the other triangle as it was; PyTorch gives it as zero.
        LD, piv, info = trf(a, lower=1)
        return np.tril(LD), piv, info

    return tuple(_each(one, (A,), (((n, n), A.dtype), ((n,), np.int32), ((), np.int32))))


def ldl_solve(LD, pivots, B, hermitian):
    if not B.size:
        return B.copy()
    (trs,) = _lapack((_ldl_names(LD, hermitian) + "trs",), LD)
    return _each(
        lambda ld, p, b: (trs(ld, p[:, 0], b, lower=1)[0],), (LD, pivots[..., None], B), ((B.shape[-2:], B.dtype),)
    )[0]


KERNELS = {
    "cholesky_op": cholesky,
    "solve_triangular_op": solve_triangular,
    "qr_op": qr,
    "geqrf_op": geqrf,
    "householder_op": householder,
    "svd_op": svd,
    "svdvals_op": svdvals,
    "eigh_op": eigh,
    "eigvalsh_op": lambda A, UPLO: np.linalg.eigvalsh(A, UPLO),
    "eig_op": eig,
    "eigvals_op": eigvals,
    "lu_op": lu,
    "lu_permutation": lu_permutation,
    "ldl_op": ldl,
    "ldl_solve_op": ldl_solve,
}
