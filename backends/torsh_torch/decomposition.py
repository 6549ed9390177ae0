"""Kernels of factorizations."""

import torch
from torch import linalg


def lu_permutation(pivots, rows, inverse):
    batch = pivots.shape[:-1]
    perm = torch.arange(rows, device=pivots.device).expand(*batch, rows).contiguous()
    for i in range(pivots.shape[-1]):
        j = pivots[..., i : i + 1].long() - 1
        here, there = perm[..., i : i + 1].clone(), perm.gather(-1, j)
        perm.scatter_(-1, j, here)
        perm[..., i : i + 1] = there
    return perm.argsort(-1) if inverse else perm


KERNELS = {
    "cholesky_op": lambda A, upper: tuple(linalg.cholesky_ex(A, upper=upper)),
    "cholesky_solve_op": torch.cholesky_solve,
    "solve_triangular_op": lambda A, B, upper, left, unit: linalg.solve_triangular(
        A, B, upper=upper, left=left, unitriangular=unit
    ),
    "qr_op": lambda A, mode: tuple(linalg.qr(A, mode)),
    "geqrf_op": lambda A: tuple(torch.geqrf(A)),
    "householder_op": linalg.householder_product,
    "svd_op": lambda A, full_matrices: tuple(linalg.svd(A, full_matrices)),
    "svdvals_op": linalg.svdvals,
    "eigh_op": lambda A, UPLO: tuple(linalg.eigh(A, UPLO)),
    "eigvalsh_op": linalg.eigvalsh,
    "eig_op": lambda A, is_complex: tuple(linalg.eig(A)),
    "eigvals_op": linalg.eigvals,
    "lu_op": lambda A: tuple(linalg.lu_factor_ex(A)),
    "lu_permutation": lu_permutation,
    "ldl_op": lambda A, hermitian: tuple(linalg.ldl_factor_ex(A, hermitian=hermitian)),
    "ldl_solve_op": lambda LD, pivots, B, hermitian: linalg.ldl_solve(LD, pivots, B, hermitian=hermitian),
}
