"""What libraries import from ``torch.distributions.utils`` beside what torsh's own distributions use."""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions.multivariate import sum_rightmost
from torsh.tensor import Tensor

_sum_rightmost = sum_rightmost
euler_constant = 0.57721566490153286060  # Euler Mascheroni Constant


def _standard_normal(shape: Any, dtype: Any, device: Any) -> Tensor:
    """Draws from N(0, 1)."""
    import torsh

    return torsh.normal(
        torsh.zeros(tuple(shape), dtype=dtype, device=device), torsh.ones(tuple(shape), dtype=dtype, device=device)
    )


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The lower triangles (down from diagonal ``diag``) whose elements are given row by row in the last dimension.

    Source: https://docs.pytorch.org/docs/stable/distributions.html

    >>> import torsh
    >>> torsh.distributions.utils.vec_to_tril_matrix(torsh.tensor([1., 2., 3.]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    # diag + n rows of n columns: the count of elements is quadratic in n.
    n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1))) / 2
    if not round(n) - n <= 1e-7 * n:
        raise ValueError(
            f"The size of last dimension is {vec.shape[-1]} which cannot be expressed as the lower triangular part of a square D x D matrix."
        )
    import torsh

    size = round(n)
    matrix = torsh.zeros((*vec.shape[:-1], size, size), dtype=vec.dtype, device=vec.device)
    rows, columns = torsh.tril_indices(size, size, diag, device=vec.device)
    matrix[..., rows, columns] = vec
    return matrix


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements of lower triangles, down from diagonal ``diag``, row by row.

    Source: https://docs.pytorch.org/docs/stable/distributions.html

    >>> import torsh
    >>> torsh.distributions.utils.tril_matrix_to_vec(torsh.tensor([[1., 0.], [2., 3.]]))
    tensor([1., 2., 3.])
    """
    import torsh

    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = torsh.tril_indices(n, n, diag, device=mat.device)
    return mat[..., rows, columns]
