"""Kernels of linear algebra."""

import torch
from torch import linalg


def lstsq(A, B, rcond, driver):
    found = linalg.lstsq(A, B, rcond=rcond, driver="gelsd" if A.device.type == "cpu" else "gels")
    batch, k = A.shape[:-2], min(A.shape[-2:])
    residuals = A.new_zeros((*batch, B.shape[-1]), dtype=A.real.dtype)
    if A.device.type == "cpu":
        return found.solution, residuals, found.rank, found.singular_values
    rank = torch.full(batch, k, dtype=torch.int64, device=A.device)
    return found.solution, residuals, rank, A.new_zeros((*batch, k), dtype=A.real.dtype)


def pinv(A, atol, rtol, hermitian):
    if isinstance(atol, torch.Tensor) or isinstance(
        rtol, torch.Tensor
    ):  # PyTorch takes numbers or tensors, not one of each
        real = A.real.dtype if A.is_complex() else A.dtype
        atol, rtol = (
            t if t is None or isinstance(t, torch.Tensor) else torch.full((), t, dtype=real, device=A.device)
            for t in (atol, rtol)
        )
    return linalg.pinv(A, atol=atol, rtol=rtol, hermitian=hermitian)


KERNELS = {
    "solve_op": lambda A, B: tuple(linalg.solve_ex(A, B)),
    "inv_op": lambda A: tuple(linalg.inv_ex(A)),
    "det_op": linalg.det,
    "slogdet_op": lambda A: tuple(linalg.slogdet(A)),
    "pinv_op": pinv,
    "lstsq_op": lstsq,
    "matrix_exp_op": linalg.matrix_exp,
}
