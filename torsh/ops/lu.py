"""Factorizations of matrices into triangular ones by elimination (LU, LDL), and products of Householder reflections."""

from __future__ import annotations

from typing import Any

from torsh import dtypes, return_types
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, has_values
from torsh.ops._linalg import (
    attached,
    check_equation,
    check_info,
    check_matrices,
    check_type,
    eye_like,
    spread_batches,
)
from torsh.ops._op import composite, needs_grad, primitive
from torsh.ops.decomposition import _solve_triangular
from torsh.ops.matmul import adjoint

# ---- LU ------------------------------------------------------------------------------------------------------------


def _rows(x: Any, perm: Any) -> Any:
    """The rows of (a batch of) matrices in the order ``perm``."""
    return x.gather(-2, perm.unsqueeze(-1).expand(*x.shape))


def _lu_gradient(g: Any, LU: Any, pivots: Any) -> Any:
    if g is None:
        return None
    from torsh.ops.joining import cat

    m, n = LU.shape[-2:]
    k = min(m, n)
    top = LU.narrow(-2, 0, k).narrow(-1, 0, k)
    L, U = top.tril(-1) + eye_like(top), top.triu()
    square = g.narrow(-2, 0, k).narrow(-1, 0, k)
    gL, gU = square.tril(-1), square.triu()
    right = below = None
    if n > k:  # U2 = L^-1 A2
        gU2, U2 = g.narrow(-1, k, n - k), LU.narrow(-1, k, n - k)
        right = _solve_triangular.op(adjoint(L), gU2, True, True, True)
        gL = gL - right @ adjoint(U2)
    if m > k:  # L2 = A2 U^-1
        gL2, L2 = g.narrow(-2, k, m - k), LU.narrow(-2, k, m - k)
        below = _solve_triangular.op(adjoint(U), gL2, False, False, False)
        gU = gU - adjoint(L2) @ below
    inner = (adjoint(L) @ gL).tril(-1) + (gU @ adjoint(U)).triu()
    found = _solve_triangular.op(adjoint(L), inner, True, True, True)
    found = _solve_triangular.op(adjoint(U), found, False, False, False)
    if right is not None:
        found = cat([found, right], -1)
    if below is not None:
        found = cat([found, below], -2)
    return _rows(found, _permutation.op(pivots, m, True))


def _lu_meta(A: Any) -> Any:
    batch, k = tuple(A.shape[:-2]), min(A.shape[-2:])
    return [(tuple(A.shape), A.dtype), ((*batch, k), dtypes.int32), (batch, dtypes.int32)]


@primitive("", layout="columns free free", name="lu_op", args="A", node_name="LinalgLuFactorExBackward0", meta=_lu_meta,
           grad={"A": lambda g, out0, out1: _lu_gradient(g[0], out0, out1)})  # fmt: skip
def _lu(A):
    return (A,)


@primitive("", name="lu_permutation", args="pivots rows inverse", tags="nondifferentiable",
           meta=lambda pivots, rows, inverse: ((*pivots.shape[:-1], rows), dtypes.int64))  # fmt: skip
def _permutation(pivots, rows, inverse):
    return (pivots, rows, inverse)


def _lu_checked(name: str, A: Any, pivot: bool, what: str) -> Any:
    if check_tensor(A, name).ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    if not A._kind.inexact:
        raise NotImplementedError(f"\"lu_cpu\" not implemented for '{scalar_name(A.dtype)}'; convert it first")
    check_type(name, A, "lu_cpu")
    if not pivot:
        raise RuntimeError(f"{what}: LU without pivoting is not implemented on the CPU")
    return _lu.op(A)


@composite("torch.linalg.lu_factor_ex", name="linalg_lu_factor_ex", out=True)
def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """The compact LU factorization, its pivots (from 1) and LAPACK's status: a named tuple (LU, pivots, info).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html

    >>> import torsh
    >>> LU, pivots, info = torsh.linalg.lu_factor_ex(torsh.tensor([[0., 0.], [0., 1.]]))
    >>> info
    tensor(1, dtype=torsh.int32)
    """
    LU, pivots, info = _lu_checked("torch.lu_factor", A, pivot, "linalg.lu_factor")
    if check_errors:
        check_info("torch.linalg.lu_factor_ex", info, _zero_pivot, RuntimeError)
    return return_types.linalg_lu_factor_ex(LU, pivots, info)


def _zero_pivot(i: int) -> str:
    return (
        f"U[{i},{i}] is zero and using it on lu_solve would result in a division by zero. If you still want to "
        "perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
    )


@composite("torch.linalg.lu_factor", name="linalg_lu_factor", out=True)
def lu_factor(A, *, pivot=True):
    """The compact LU factorization and its pivots (from 1), as a named tuple (LU, pivots).

    Raises RuntimeError where a pivot is zero.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html

    >>> import torsh
    >>> LU, pivots = torsh.linalg.lu_factor(torsh.tensor([[1., 2.], [3., 4.]]))
    >>> LU, pivots
    (tensor([[3.0000, 4.0000],
            [0.3333, 0.6667]]), tensor([2, 2], dtype=torsh.int32))
    """
    LU, pivots, info = _lu_checked("torch.lu_factor", A, pivot, "linalg.lu_factor")
    check_info("torch.linalg.lu_factor", info, _zero_pivot, RuntimeError)
    return return_types.linalg_lu_factor(LU, pivots)


@composite("torch.lu")
def lu(A, pivot=True, get_infos=False, out=None):
    """The older form of ``torch.linalg.lu_factor``: (LU, pivots), with ``get_infos`` also LAPACK's status.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lu.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.lu_factor
    >>> LU, pivots = torsh.lu(torsh.tensor([[1., 2.], [3., 4.]]))
    >>> LU, pivots
    (tensor([[3.0000, 4.0000],
            [0.3333, 0.6667]]), tensor([2, 2], dtype=torsh.int32))
    """
    LU, pivots, info = _lu_checked("torch.lu_factor", A, pivot, "linalg.lu_factor")
    found = return_types.linalg_lu_factor_ex(LU, pivots, info) if get_infos else (LU, pivots)
    if out is not None:
        for t, r in zip(out, found):
            t.resize_(tuple(r.shape)).copy_(r)
        return out
    return found


@composite("Tensor.lu", name="tensor_lu")
def tensor_lu(self, pivot=True, get_infos=False):
    """``torch.lu`` as a method; always a plain tuple.

    Gives what :func:`lu` gives: (LU, pivots), with ``get_infos`` a third tensor that is 0 where it succeeded.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.lu.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.lu_factor
    >>> torsh.tensor([[1., 2.], [3., 4.]]).lu()
    (tensor([[3.0000, 4.0000],
            [0.3333, 0.6667]]), tensor([2, 2], dtype=torsh.int32))
    """
    return tuple(lu(self, pivot, get_infos))


@composite("torch.lu_unpack", out=True)
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """The permutation, lower and upper triangular matrices of a compact LU factorization: a named tuple (P, L, U).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lu_unpack.html

    >>> import torsh
    >>> A = torsh.tensor([[1., 2.], [3., 4.]])
    >>> P, L, U = torsh.lu_unpack(*torsh.linalg.lu_factor(A))
    >>> torsh.allclose(P @ L @ U, A)
    True
    """
    check_tensor(LU_data, "lu_unpack", "LU_data")
    if LU_pivots.dtype is not dtypes.int32 and unpack_pivots:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this "
            "function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    P = L = U = LU_data.new_empty((0,))
    if unpack_data:
        L = LU_data.narrow(-1, 0, k).tril(-1)
        L = L + eye_like(L, m).narrow(-1, 0, k)
        U = LU_data.narrow(-2, 0, k).triu()
    if unpack_pivots:
        if has_values(LU_pivots) and LU_pivots.numel() and bool(((LU_pivots < 1) | (LU_pivots > m)).any()):
            raise RuntimeError(
                "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive. "
                "Did you properly pass the result of lu_factor?"
            )
        perm = _permutation.op(LU_pivots, m, False)
        P = (perm.unsqueeze(-2) == _arange(perm, m).unsqueeze(-1)).to(LU_data.dtype)
    return return_types.lu_unpack(P, L, U)


def _arange(like: Any, n: int) -> Any:
    from torsh.ops import NAMES

    return NAMES["torch"]["arange"](n, device=like.device)


@composite("torch.linalg.lu", name="linalg_lu", out=True)
def linalg_lu(A, *, pivot=True):
    """A = P L U with a permutation, a unit lower and an upper triangular matrix, as a named tuple (P, L, U).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu.html

    >>> import torsh
    >>> P, L, U = torsh.linalg.lu(torsh.tensor([[1., 2.], [3., 4.]]))
    >>> P
    tensor([[0., 1.],
            [1., 0.]])
    >>> L
    tensor([[1.0000, 0.0000],
            [0.3333, 1.0000]])
    >>> U
    tensor([[3.0000, 4.0000],
            [0.0000, 0.6667]])
    """
    LU, pivots, _ = _lu_checked("linalg.lu", A, pivot, "linalg.lu_factor")
    return return_types.linalg_lu(*lu_unpack(LU, pivots))


@composite("torch.linalg.lu_solve", layout="columns", name="linalg_lu_solve", out=True)
def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """X with A X = B (X A = B for ``left`` False; A.mH for ``adjoint``), where LU and pivots factorize A.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.lu_solve.html

    >>> import torsh
    >>> LU, pivots = torsh.linalg.lu_factor(torsh.tensor([[2., 0.], [0., 4.]]))
    >>> torsh.linalg.lu_solve(LU, pivots, torsh.tensor([[2.], [2.]]))
    tensor([[1.0000],
            [0.5000]])
    """
    from torsh.ops.matmul import adjoint as transposed

    check_matrices("torch.linalg.lu_solve", LU, "lu_solve_cpu", square=True, role="LU")
    check_tensor(B, "linalg.lu_solve", "B", 3)
    if pivots.dtype is not dtypes.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    check_equation("linalg.lu_solve", LU, B, left)
    if pivots.shape[-1] != LU.shape[-1]:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    if tuple(pivots.shape[:-1]) != tuple(LU.shape[:-2]):
        raise RuntimeError(
            f"linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    n = LU.shape[-1]
    if has_values(pivots) and pivots.numel():
        for wrong, bound in ((pivots < 1, "greater or equal to 1"), (pivots > n, "smaller or equal to LU.size(-2)")):
            if bool(wrong.any()):
                raise RuntimeError(
                    f"Pivots given to lu_solve must all be {bound}. Did you properly pass the result of lu_factor?"
                )
    if not left:  # X A = B is A^H X^H = B^H
        B, adjoint = transposed(B), not adjoint
    perm = _permutation.op(pivots, n, bool(adjoint))
    LU, B = spread_batches(LU, B)
    perm = perm.expand(*B.shape[:-2], n)
    if not adjoint:
        x = _solve_triangular.op(LU, _rows(B, perm), False, True, True)
        x = _solve_triangular.op(LU, x, True, True, False)
    else:
        h = transposed(LU)
        x = _solve_triangular.op(h, B, False, True, False)
        x = _rows(_solve_triangular.op(h, x, True, True, True), perm)
    return x if left else transposed(x)


@composite("torch.lu_solve Tensor.lu_solve", layout="columns", out=True)
def lu_solve(b, LU_data, LU_pivots):
    """The older form of ``torch.linalg.lu_solve``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.lu_solve.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.lu_solve
    >>> torsh.lu_solve(torsh.tensor([[2.], [2.]]), *torsh.linalg.lu_factor(torsh.tensor([[2., 0.], [0., 4.]])))
    tensor([[1.0000],
            [0.5000]])
    """
    return linalg_lu_solve(LU_data, LU_pivots, b)


# ---- LDL -----------------------------------------------------------------------------------------------------------


@primitive("", name="ldl_op", args="A hermitian", tags="nondifferentiable",
           meta=lambda A, hermitian: [(tuple(A.shape), A.dtype), (tuple(A.shape[:-1]), dtypes.int32),
                                      (tuple(A.shape[:-2]), dtypes.int32)])  # fmt: skip
def _ldl(A, hermitian):
    return (A, hermitian)


@composite(
    "torch.linalg.ldl_factor_ex",
    layout="columns free free",
    name="linalg_ldl_factor_ex",
    out=True,
    tags="nondifferentiable",
)
def ldl_factor_ex(A, *, hermitian=False, check_errors=False):
    """The compact LDL factorization of symmetric (Hermitian) matrices with status: a named tuple (LD, pivots, info).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html

    >>> import torsh
    >>> LD, pivots, info = torsh.linalg.ldl_factor_ex(torsh.tensor([[2., 1.], [1., 2.]]))
    >>> info
    tensor(0, dtype=torsh.int32)
    """
    check_matrices("torch.linalg.ldl_factor_ex", A, "ldl_factor_kernel_cpu", square=True)
    LD, pivots, info = _ldl.op(A, bool(hermitian) and A._kind.complex)
    if check_errors:
        check_info("torch.linalg.ldl_factor_ex", info, lambda i: f"Unknown error code: {i}.", RuntimeError)
    return return_types.linalg_ldl_factor_ex(LD, pivots, info)


@composite("torch.linalg.ldl_factor", name="linalg_ldl_factor", out=True, tags="nondifferentiable")
def ldl_factor(A, *, hermitian=False):
    """The compact LDL factorization of symmetric (Hermitian) matrices and its pivots: a named tuple (LD, pivots).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_factor.html

    >>> import torsh
    >>> LD, pivots = torsh.linalg.ldl_factor(torsh.tensor([[2., 1.], [1., 2.]]))
    >>> LD
    tensor([[2.0000, 0.0000],
            [0.5000, 1.5000]])
    """
    LD, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    check_info("torch.linalg.ldl_factor", info, lambda i: f"Unknown error code: {i}.", RuntimeError)
    return return_types.linalg_ldl_factor(LD, pivots)


@primitive("", layout="columns", name="ldl_solve_op", args="LD pivots B hermitian", tags="nondifferentiable",
           meta=lambda LD, pivots, B, hermitian: (tuple(B.shape), B.dtype))  # fmt: skip
def _ldl_solve(LD, pivots, B, hermitian):
    return (LD, pivots, B, hermitian)


@composite("torch.linalg.ldl_solve", name="linalg_ldl_solve", out=True, tags="nondifferentiable")
def ldl_solve(LD, pivots, B, *, hermitian=False):
    """X with A X = B, where LD and pivots factorize A.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.ldl_solve.html

    >>> import torsh
    >>> LD, pivots = torsh.linalg.ldl_factor(torsh.tensor([[2., 1.], [1., 2.]]))
    >>> torsh.linalg.ldl_solve(LD, pivots, torsh.tensor([[3.], [3.]]))
    tensor([[1.],
            [1.]])
    """
    check_matrices("torch.linalg.ldl_solve", LD, "ldl_solve_kernel_cpu", square=True, role="LD")
    if pivots.dtype.category != dtypes.INT:
        raise RuntimeError(f"torch.linalg.ldl_solve: Expected pivots to be integers. Got {scalar_name(pivots.dtype)}")
    if tuple(LD.shape[:-1]) != tuple(pivots.shape):
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots.shape)} instead"
        )
    check_equation("torch.linalg.ldl_solve", LD, B)
    n = LD.shape[-1]
    LD, B = spread_batches(LD, B)
    return _ldl_solve.op(LD, pivots.expand(*LD.shape[:-2], n), B, bool(hermitian) and LD._kind.complex)


# ---- Householder reflections ---------------------------------------------------------------------------------------


@primitive("", layout="columns free", name="geqrf_op", args="A", tags="nondifferentiable",
           meta=lambda A: [(tuple(A.shape), A.dtype), ((*A.shape[:-2], min(A.shape[-2:])), A.dtype)])  # fmt: skip
def _geqrf(A):
    return (A,)


@composite("torch.geqrf Tensor.geqrf", out=True, tags="nondifferentiable")
def geqrf(input):
    """The QR factorization as LAPACK keeps it: reflections below the diagonal and their factors: (a, tau).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.geqrf.html

    >>> import torsh
    >>> a, tau = torsh.geqrf(torsh.tensor([[3., 1.], [4., 2.]]))
    >>> a.shape, tau.shape
    (torsh.Size([2, 2]), torsh.Size([2]))
    """
    if check_tensor(input, "geqrf").ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    check_type("geqrf", input, "geqrf_cpu")
    return return_types.geqrf(*_geqrf.op(input))


def _reflections(A: Any, tau: Any, columns: int) -> Any:
    """H_1 H_2 ... H_k (m x columns), each H_i = I - tau_i v_i v_i^H, in differentiable steps."""
    m, k = A.shape[-2], tau.shape[-1]
    Q = eye_like(A, m).narrow(-1, 0, columns).expand(*A.shape[:-2], m, columns)
    if not k:
        return attached(Q, A) if columns == A.shape[-1] else Q
    A = A.narrow(-1, 0, k)
    below = A.tril(-1) + eye_like(A, m).narrow(-1, 0, k)
    for i in reversed(range(k)):
        v = below.narrow(-1, i, 1)
        Q = Q - tau.narrow(-1, i, 1).unsqueeze(-1) * (v @ (adjoint(v) @ Q))
    return Q


@primitive("", name="householder_op", args="A tau", tags="nondifferentiable",
           meta=lambda A, tau: (tuple(A.shape), A.dtype))  # fmt: skip
def _householder(A, tau):
    return (A, tau)


def _check_reflections(name: str, A: Any, tau: Any) -> None:
    check_tensor(A, name)
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if A.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if A.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {A.ndim}"
        )
    if tuple(tau.shape[:-1]) != tuple(A.shape[:-2]):
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if tau.dtype is not A.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {scalar_name(tau.dtype)} does not match input dtype {scalar_name(A.dtype)}"
        )


@composite(
    "torch.linalg.householder_product torch.orgqr Tensor.orgqr",
    layout="columns",
    name="linalg_householder_product",
    out=True,
)
def householder_product(A, tau):
    """The first columns of the product of the reflections that ``torch.geqrf`` gives.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.householder_product.html

    >>> import torsh
    >>> A = torsh.tensor([[3., 1.], [4., 2.]])
    >>> Q = torsh.linalg.householder_product(*torsh.geqrf(A))
    >>> torsh.allclose(Q.T @ Q, torsh.eye(2), atol=1e-6)
    True
    """
    name = "torch.linalg.householder_product"
    check_tensor(A, name)
    if A.ndim >= 2 and A.shape[-2] < A.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    _check_reflections(name, A, tau)
    return _reflections(A, tau, A.shape[-1]) if needs_grad(A, tau) else _householder.op(A, tau)


@composite("torch.ormqr Tensor.ormqr", layout="columns", out=True)
def ormqr(input, tau, other, left=True, transpose=False):
    """The product of a matrix with the full Q of ``torch.geqrf``, from the left or right, or with its adjoint.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.ormqr.html

    >>> import torsh
    >>> A = torsh.tensor([[3., 1.], [4., 2.]])
    >>> a, tau = torsh.geqrf(A)
    >>> torsh.allclose(torsh.ormqr(a, tau, A, transpose=True).tril(-1), torsh.zeros(2, 2), atol=1e-6)  # Q.T @ A = R
    True
    """
    _check_reflections("torch.ormqr", input, tau)
    if other.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    if other.shape[-2 if left else -1] < tau.shape[-1]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be greater than or equal to tau.shape[-1]"
        )
    if other.shape[-2 if left else -1] != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2]")
    if tuple(other.shape[:-2]) != tuple(input.shape[:-2]):
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    Q = _reflections(input, tau, input.shape[-2])
    if transpose:
        Q = adjoint(Q)
    return Q @ other if left else other @ Q
