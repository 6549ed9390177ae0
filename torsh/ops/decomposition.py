"""Factorizations of matrices: Cholesky, QR, SVD, eigenvalues; triangular equations."""

from __future__ import annotations

from typing import Any

from torsh import dtypes, return_types
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, has_values
from torsh.ops._linalg import (
    LinAlgError,
    check_equation,
    check_info,
    check_matrices,
    check_type,
    converged,
    eye_like,
    off_diagonal,
    real,
    spread_batches,
)
from torsh.ops._op import composite, needs_grad, primitive
from torsh.ops.matmul import adjoint


def _batch(A: Any) -> tuple[int, ...]:
    return tuple(A.shape[:-2])


# ---- Cholesky ------------------------------------------------------------------------------------------------------


def _cholesky_gradient(g: Any, L: Any, upper: bool) -> Any:
    if g is None:
        return None
    if upper:
        L, g = adjoint(L), adjoint(g)
    phi = (adjoint(L) @ g).tril()
    s = phi + adjoint(phi.tril(-1))
    s = _solve_triangular.op(adjoint(L), s, True, True, False)
    return _solve_triangular.op(L, s, False, False, False) * 0.5


@primitive("", name="cholesky_op", args="A upper", node_name="LinalgCholeskyExBackward0",
           grad={"A": lambda g, upper, out0: _cholesky_gradient(g[0], out0, upper)},
           meta=lambda A, upper: [(tuple(A.shape), A.dtype), (tuple(A.shape[:-2]), dtypes.int32)])  # fmt: skip
def _cholesky(A, upper):
    return (A, upper)


def _not_definite(order: int) -> str:
    return (
        "The factorization could not be completed because the input is not positive-definite (the leading minor of "
        f"order {order} is not positive-definite)."
    )


@composite("torch.linalg.cholesky_ex", name="linalg_cholesky_ex", out=True)
def cholesky_ex(A, *, upper=False, check_errors=False):
    """The Cholesky factor and LAPACK's status of each matrix, as a named tuple (L, info).

    info: int32, 0 where it succeeded, else the order of the first minor that is not positive definite. check_errors: raise LinAlgError then.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html

    >>> import torsh
    >>> L, info = torsh.linalg.cholesky_ex(torsh.tensor([[1., 2.], [2., 1.]]))
    >>> info  # not positive definite from order 2 on; nothing is raised
    tensor(2, dtype=torsh.int32)
    """
    check_matrices("linalg.cholesky", A, "cholesky_cpu", square=True)
    L, info = _cholesky.op(A, bool(upper))
    if check_errors:
        check_info("linalg.cholesky_ex", info, _not_definite)
    return return_types.linalg_cholesky_ex(L, info)


@composite("torch.linalg.cholesky", name="linalg_cholesky", out=True)
def linalg_cholesky(A, *, upper=False):
    """The lower triangular L with L @ L.mH = A for Hermitian positive definite matrices (``upper``: L.mH).

    Raises LinAlgError for a matrix that is not positive definite.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.cholesky.html

    >>> import torsh
    >>> A = torsh.tensor([[4., 2.], [2., 5.]])
    >>> L = torsh.linalg.cholesky(A)
    >>> L
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_matrices("linalg.cholesky", A, "cholesky_cpu", square=True)
    L, info = _cholesky.op(A, bool(upper))
    check_info("linalg.cholesky", info, _not_definite)
    return L


@composite("torch.cholesky Tensor.cholesky", out=True)
def cholesky(input, upper=False):
    """The older form of ``torch.linalg.cholesky``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cholesky.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.cholesky
    >>> torsh.cholesky(torsh.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_matrices("cholesky", input, "cholesky_cpu", square=True)
    L, info = _cholesky.op(input, bool(upper))
    check_info("cholesky", info, _not_definite)
    return L


def _solve_by_cholesky(B: Any, L: Any, upper: bool) -> Any:
    if upper:
        L = adjoint(L)
    y = _solve_triangular.op(L, B, False, True, False)
    return _solve_triangular.op(adjoint(L), y, True, True, False)


def _cholesky_solve_gradient(g: Any, L: Any, out: Any, upper: bool) -> Any:
    common = _cholesky_solve.op(g, L, upper) @ adjoint(out)
    common = common + adjoint(common)
    return -(L @ common) if upper else -(common @ L)


@primitive("", layout="columns", name="cholesky_solve_op", args="B L upper", node_name="CholeskySolveBackward0",
           grad={"B": lambda g, L, upper: _cholesky_solve.op(g, L, upper),
                 "L": lambda g, L, out, upper: _cholesky_solve_gradient(g, L, out, upper)},
           meta=lambda B, L, upper: (tuple(B.shape), B.dtype), decompose=_solve_by_cholesky)  # fmt: skip
def _cholesky_solve(B, L, upper):
    return (B, L, upper)


@composite("torch.cholesky_solve Tensor.cholesky_solve", out=True)
def cholesky_solve(input, L, upper=False):
    """X with A X = input, where L is the Cholesky factor of A.

    input: (*, n, k); L: (*, n, n); upper: whether L is the upper factor.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cholesky_solve.html

    >>> import torsh
    >>> torsh.cholesky_solve(torsh.tensor([[8.], [9.]]), torsh.tensor([[2., 0.], [1., 2.]]))
    tensor([[1.3750],
            [1.2500]])
    """
    check_tensor(input, "cholesky_solve")
    if input.ndim < 2:
        raise RuntimeError(f"b should have at least 2 dimensions, but has {input.ndim} dimensions instead")
    if L.ndim < 2:
        raise RuntimeError(f"u should have at least 2 dimensions, but has {L.ndim} dimensions instead")
    if L.shape[-1] != L.shape[-2]:
        raise RuntimeError(
            f"A must be batches of square matrices, but they are {L.shape[-1]} by {L.shape[-2]} matrices"
        )
    if L.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L.shape[-1]} by {L.shape[-1]} but each "
            f"b matrix is {input.shape[-2]} by {input.shape[-1]}"
        )
    L, B = spread_batches(L, input)
    if L.dtype is not B.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {scalar_name(B.dtype)} and A of type "
            f"{scalar_name(L.dtype)} instead."
        )
    return _cholesky_solve.op(B, L, bool(upper))


@composite("torch.cholesky_inverse Tensor.cholesky_inverse", out=True)
def cholesky_inverse(L, upper=False):
    """The inverse of A, where L is its Cholesky factor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cholesky_inverse.html

    >>> import torsh
    >>> torsh.cholesky_inverse(torsh.tensor([[2., 0.], [1., 2.]]))
    tensor([[ 0.3125, -0.1250],
            [-0.1250,  0.2500]])
    """
    check_matrices("cholesky_inverse", L, "cholesky_inverse_out_cpu", square=True)
    from torsh.ops.conversion import host_array

    zero = L.detach().diagonal(0, -2, -1) == 0
    if has_values(L) and bool(zero.any()):
        d = host_array(zero)
        i, k = (int(x[0]) for x in d.reshape(-1, d.shape[-1]).nonzero())
        where = f"(Batch element {i}): " if d.ndim > 1 else ""
        raise LinAlgError(
            f"cholesky_inverse: {where}The diagonal element {k + 1} is zero, the inversion could not be completed "
            "because the input matrix is singular."
        )
    return cholesky_solve(eye_like(L).expand(*L.shape), L, upper)


# ---- triangular equations ------------------------------------------------------------------------------------------


def _triangular_grads(g: Any, A: Any, upper: bool, left: bool, unit: bool) -> Any:
    return _solve_triangular.op(adjoint(A), g, not upper, left, unit)


def _triangular_grad_A(g: Any, A: Any, out: Any, upper: bool, left: bool, unit: bool) -> Any:
    gB = _triangular_grads(g, A, upper, left, unit)
    gA = -(gB @ adjoint(out)) if left else -(adjoint(out) @ gB)
    return gA.triu(int(unit)) if upper else gA.tril(-int(unit))


@primitive("", name="solve_triangular_op", args="A B upper left unitriangular",
           node_name="LinalgSolveTriangularBackward0",
           grad={"A": lambda g, A, out, upper, left, unitriangular: _triangular_grad_A(
                     g, A, out, upper, left, unitriangular),
                 "B": lambda g, A, upper, left, unitriangular: _triangular_grads(g, A, upper, left, unitriangular)},
           meta=lambda A, B, upper, left, unitriangular: (tuple(B.shape), B.dtype))  # fmt: skip
def _solve_triangular(A, B, upper, left, unitriangular):
    return (A, B, upper, left, unitriangular)


@composite("torch.linalg.solve_triangular", name="linalg_solve_triangular", out=True)
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B (X A = B for ``left`` False), for triangular A; only that triangle is read.

    unitriangular: the diagonal is taken as ones.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve_triangular.html

    >>> import torsh
    >>> A = torsh.tensor([[2., 0.], [1., 4.]])
    >>> torsh.linalg.solve_triangular(A, torsh.tensor([[2.], [9.]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    check_tensor(A, "linalg.solve_triangular", "A")
    check_tensor(B, "linalg.solve_triangular", "B", 2)
    if A.ndim < 2:
        raise RuntimeError("linalg.solve_triangular: The input tensor A must have at least 2 dimensions.")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.solve_triangular: A must be batches of square matrices, but they are {A.shape[-2]} by "
            f"{A.shape[-1]} matrices"
        )
    check_equation("linalg.solve_triangular", A, B, left)
    check_type("linalg.solve_triangular", A, "triangular_solve_cpu")
    A, B = spread_batches(A, B)
    return _solve_triangular.op(A, B, bool(upper), bool(left), bool(unitriangular))


@composite("torch.triangular_solve Tensor.triangular_solve", layout="columns", out=True)
def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False):
    """The older form of ``torch.linalg.solve_triangular``: a named tuple (solution, cloned_coefficient).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.triangular_solve.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.solve_triangular
    >>> torsh.triangular_solve(torsh.tensor([[4.], [8.]]), torsh.tensor([[1., 1.], [0., 4.]])).solution
    tensor([[2.],
            [2.]])
    """
    check_tensor(b, "triangular_solve", "b")
    for role, t in (("b", b), ("A", A)):
        if t.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {role} to have at least 2 dimensions, but it has {t.ndim} "
                "dimensions instead"
            )
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"triangular_solve: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} "
            "matrices"
        )
    check_equation("triangular_solve", A, b)
    A, b = spread_batches(A, b)
    x = _solve_triangular.op(
        A.transpose(-2, -1) if transpose else A, b, bool(upper) != bool(transpose), True, bool(unitriangular)
    )
    return return_types.triangular_solve(x, A.clone())


# ---- QR ------------------------------------------------------------------------------------------------------------


def _qr_gradient(gQ: Any, gR: Any, Q: Any, R: Any, mode: str) -> Any:
    if gQ is None and gR is None:
        return None
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = Q.shape[-2], R.shape[-1]
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'."
        )
    if m < n:
        # A = (A1 A2): a square factorization A1 = Q R1, and R2 = Q^H A2.
        R1, R2 = R.narrow(-1, 0, m), R.narrow(-1, m, n - m)
        if gR is None:
            gA2, gR1 = Q @ R2 * 0, None
        else:
            gR1, gR2 = gR.narrow(-1, 0, m), gR.narrow(-1, m, n - m)
            gA2 = Q @ gR2
            more = Q @ R2 @ adjoint(gR2)
            gQ = more if gQ is None else gQ + more
        from torsh.ops.joining import cat

        return cat([_qr_gradient(gQ, gR1, Q, R1, "reduced"), gA2], -1)
    inner = None if gR is None else gR @ adjoint(R)
    if gQ is not None:
        other = adjoint(Q) @ gQ
        inner = -other if inner is None else inner - other
    inner = inner.triu()
    inner = inner + adjoint(inner) - real(inner.diagonal(0, -2, -1)).diag_embed()
    gA = Q @ inner
    if gQ is not None:
        gA = gA + gQ
    return _solve_triangular.op(adjoint(R), gA, False, False, False)


def _qr_meta(A: Any, mode: str) -> Any:
    *batch, m, n = A.shape
    k = min(m, n)
    columns = m if mode == "complete" else k
    Q = (0,) if mode == "r" else (*batch, m, columns)
    return [(Q, A.dtype), ((*batch, k if mode != "complete" else m, n), A.dtype)]


@primitive("", layout="columns", name="qr_op", args="A mode", node_name="LinalgQrBackward0", meta=_qr_meta,
           returns=return_types.linalg_qr,
           grad={"A": lambda g, out0, out1, mode: _qr_gradient(g[0], g[1], out0, out1, mode)})  # fmt: skip
def _qr(A, mode):
    return (A, mode)


@composite("torch.linalg.qr", name="linalg_qr", out=True)
def linalg_qr(A, mode="reduced"):
    """A = Q R with orthonormal columns in Q and an upper triangular R, as a named tuple (Q, R).

    mode: 'reduced', 'complete' (Q square) or 'r' (Q empty).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.qr.html

    >>> import torsh
    >>> A = torsh.tensor([[3., 1.], [4., 2.]])
    >>> Q, R = torsh.linalg.qr(A)
    >>> torsh.allclose(Q @ R, A)
    True
    """
    check_matrices("linalg.qr", A, "geqrf_cpu")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return _qr.op(A, mode)


@composite("torch.qr Tensor.qr", out=True)
def qr(input, some=True):
    """The older form of ``torch.linalg.qr``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.qr.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.qr
    >>> Q, R = torsh.qr(torsh.eye(3, 2))
    >>> Q.shape, R.shape
    (torsh.Size([3, 2]), torsh.Size([2, 2]))
    """
    return return_types.qr(*linalg_qr(input, "reduced" if some else "complete"))


# ---- SVD -----------------------------------------------------------------------------------------------------------


def _svd_gradient(gU: Any, gS: Any, gVh: Any, U: Any, S: Any, Vh: Any) -> Any:
    if gU is None and gS is None and gVh is None:
        return None
    m, n, k = U.shape[-2], Vh.shape[-1], S.shape[-1]
    # Of full matrices only the first k vectors are determined by A.
    if U.shape[-1] > k:
        U, gU = U.narrow(-1, 0, k), None if gU is None else gU.narrow(-1, 0, k)
    if Vh.shape[-2] > k:
        Vh, gVh = Vh.narrow(-2, 0, k), None if gVh is None else gVh.narrow(-2, 0, k)
    if gU is None and gVh is None:
        gS = gS.to(U.dtype)
        return U @ (gS.unsqueeze(-1) * Vh) if m >= n else (U * gS.unsqueeze(-2)) @ Vh
    squares = S * S
    gaps = off_diagonal(squares.unsqueeze(-2) - squares.unsqueeze(-1), 1)
    inner = None
    if gU is not None:
        skew = adjoint(U) @ gU
        skew = skew - adjoint(skew)
        inner = skew / gaps * S.unsqueeze(-2)
        if U._kind.complex:
            inner = inner + (skew.diagonal(0, -2, -1) / (S * 2)).diag_embed()
    if gVh is not None:
        skew_v = Vh @ adjoint(gVh)
        skew_v = skew_v - adjoint(skew_v)
        part = S.unsqueeze(-1) * (skew_v / gaps)
        inner = part if inner is None else inner + part
    if gS is not None:
        inner = inner + gS.diag_embed()
    if m > k and gU is not None:
        scaled = gU / S.unsqueeze(-2)
        return (U @ inner + scaled - U @ (adjoint(U) @ scaled)) @ Vh
    if n > k and gVh is not None:
        scaled = gVh / S.unsqueeze(-1)
        return U @ (inner @ Vh + scaled - (scaled @ adjoint(Vh)) @ Vh)
    return U @ (inner @ Vh) if m >= n else (U @ inner) @ Vh


def _svd_meta(A: Any, full_matrices: bool) -> Any:
    *batch, m, n = A.shape
    k = min(m, n)
    return [
        ((*batch, m, m if full_matrices else k), A.dtype),
        ((*batch, k), A.dtype.to_real()),
        ((*batch, n if full_matrices else k, n), A.dtype),
    ]


@primitive("", name="svd_op", args="A full_matrices", node_name="LinalgSvdBackward0", meta=_svd_meta,
           returns=return_types.linalg_svd,
           grad={"A": lambda g, out0, out1, out2: _svd_gradient(g[0], g[1], g[2], out0, out1, out2)})  # fmt: skip
def _svd(A, full_matrices):
    return (A, full_matrices)


@primitive("", name="svdvals_op", args="A", node_name="LinalgSvdvalsBackward0", tags="nondifferentiable",
           meta=lambda A: ((*A.shape[:-2], min(A.shape[-2:])), A.dtype.to_real()))  # fmt: skip
def _svdvals(A):
    return (A,)


def _check_driver(driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


@composite("torch.linalg.svd", name="linalg_svd", out=True)
def linalg_svd(A, full_matrices=True, *, driver=None):
    """A = U diag(S) Vh, singular values from the largest down, as a named tuple (U, S, Vh).

    A: (*, m, n). full_matrices: U (*, m, m) and Vh (*, n, n) instead of (*, m, k) and (*, k, n) with k = min(m, n). driver: refused, for CUDA only.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.svd.html

    >>> import torsh
    >>> A = torsh.tensor([[3., 0.], [0., 4.], [0., 0.]])
    >>> U, S, Vh = torsh.linalg.svd(A, full_matrices=False)
    >>> U.shape, S, Vh.shape
    (torsh.Size([3, 2]), tensor([4., 3.]), torsh.Size([2, 2]))
    """
    check_matrices("linalg.svd", A, "linalg_svd_cpu")
    _check_driver(driver)
    return converged("linalg.svd", _svd.op, A, bool(full_matrices))


@composite("torch.linalg.svdvals", name="linalg_svdvals", out=True)
def svdvals(A, *, driver=None):
    """The singular values of matrices, from the largest down.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.svdvals.html

    >>> import torsh
    >>> torsh.linalg.svdvals(torsh.tensor([[3., 0.], [0., 4.]]))
    tensor([4., 3.])
    """
    check_matrices("linalg.svd", A, "linalg_svd_cpu")
    _check_driver(driver)
    if needs_grad(A):
        return converged("linalg.svd", _svd.op, A, False)[1]
    return converged("linalg.svd", _svdvals.op, A)


@composite("torch.svd Tensor.svd", out=True)
def svd(input, some=True, compute_uv=True):
    """The older form of ``torch.linalg.svd``: a named tuple (U, S, V) with input = U diag(S) V^H.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.svd.html

    >>> import torsh
    >>> U, S, V = torsh.svd(torsh.tensor([[3., 0.], [0., 4.], [0., 0.]]))
    >>> U.shape, S, V.shape  # V, where linalg.svd gives its conjugate transpose
    (torsh.Size([3, 2]), tensor([4., 3.]), torsh.Size([2, 2]))
    """
    if check_tensor(input, "svd").ndim < 2:
        raise RuntimeError(
            "linalg.svd: input should have at least 2 dimensions, but has {input.ndim} dimensions instead"
        )
    if not compute_uv:
        m, n = input.shape[-2:]
        s = svdvals(input)
        batch = _batch(input)
        return return_types.svd(input.new_zeros((*batch, m, m)), s, input.new_zeros((*batch, n, n)))
    u, s, vh = linalg_svd(input, not some)
    return return_types.svd(u, s, adjoint(vh))


# ---- eigenvalues ---------------------------------------------------------------------------------------------------


def _eigh_gradient(gL: Any, gV: Any, L: Any, V: Any) -> Any:
    if gV is None:
        return None if gL is None else (V * gL.unsqueeze(-2)) @ adjoint(V)
    inner = adjoint(V) @ gV
    # Only its skew part moves V within the unitary matrices.
    inner = (inner - adjoint(inner)) / off_diagonal((L.unsqueeze(-2) - L.unsqueeze(-1)) * 2, 1)
    inner = off_diagonal(inner, 0)
    if gL is not None:
        inner = inner + gL.diag_embed()
    return V @ (inner @ adjoint(V))


def _eigen_meta(A: Any, kind: Any) -> Any:
    return [(tuple(A.shape[:-1]), kind(A.dtype)), (tuple(A.shape), A.dtype if kind is _to_real else kind(A.dtype))]


def _to_real(d: Any) -> Any:
    return d.to_real()


@primitive("", layout="free columns", name="eigh_op", args="A UPLO", node_name="LinalgEighBackward0", returns=return_types.linalg_eigh,
           meta=lambda A, UPLO: _eigen_meta(A, _to_real),
           grad={"A": lambda g, out0, out1: _eigh_gradient(g[0], g[1], out0, out1)})  # fmt: skip
def _eigh(A, UPLO):
    return (A, UPLO)


@primitive("", name="eigvalsh_op", args="A UPLO", tags="nondifferentiable",
           meta=lambda A, UPLO: (tuple(A.shape[:-1]), A.dtype.to_real()))  # fmt: skip
def _eigvalsh(A, UPLO):
    return (A, UPLO)


def _check_hermitian(A: Any, UPLO: Any) -> str:
    check_tensor(A, "linalg.eigh", "A")
    if A.ndim < 2 or A._kind.inexact:
        check_matrices("linalg.eigh", A, "linalg_eigh_cpu", square=True)
    else:
        raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{scalar_name(A.dtype)}'; convert it first")
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper()


@composite("torch.linalg.eigh", name="linalg_eigh", out=True)
def eigh(A, UPLO="L"):
    """Eigenvalues (ascending) and eigenvectors (columns) of Hermitian matrices, of which one triangle is read.

    A: (*, n, n). UPLO: L or U, the triangle. A named tuple; the eigenvalues are real, of shape (*, n).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigh.html

    >>> import torsh
    >>> values, vectors = torsh.linalg.eigh(torsh.tensor([[2., 1.], [1., 2.]]))
    >>> values
    tensor([1., 3.])
    """
    return converged("linalg.eigh", _eigh.op, A, _check_hermitian(A, UPLO))


@composite("torch.linalg.eigvalsh", name="linalg_eigvalsh", out=True)
def eigvalsh(A, UPLO="L"):
    """The eigenvalues of Hermitian matrices, ascending.

    A: (*, n, n); UPLO: L or U, the triangle that is read. The result is real, of shape (*, n).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html

    >>> import torsh
    >>> torsh.linalg.eigvalsh(torsh.tensor([[2., 1.], [1., 2.]]))
    tensor([1., 3.])
    """
    UPLO = _check_hermitian(A, UPLO)
    if needs_grad(A):
        return converged("linalg.eigh", _eigh.op, A, UPLO)[0]
    return converged("linalg.eigh", _eigvalsh.op, A, UPLO)


def _eig_gradient(gL: Any, gV: Any, L: Any, V: Any, is_complex: bool) -> Any:
    if gL is None and gV is None:
        return None
    Vh = adjoint(V)
    if gV is None:
        inner = gL.diag_embed()
    else:
        product = Vh @ gV
        product = product - Vh @ (V * real(product.diagonal(0, -2, -1)).unsqueeze(-2))
        inner = off_diagonal(product / off_diagonal((L.unsqueeze(-2) - L.unsqueeze(-1)).conj(), 1), 0)
        if gL is not None:
            inner = inner + gL.diag_embed()
    from torsh.ops.linalg import solve_op

    found = solve_op(Vh, inner @ Vh)
    return found if is_complex else found.real


@primitive("", layout="free columns", name="eig_op", args="A is_complex", node_name="LinalgEigBackward0", returns=return_types.linalg_eig,
           meta=lambda A, is_complex: _eigen_meta(A, lambda d: d.to_complex()),
           grad={"A": lambda g, out0, out1, is_complex: _eig_gradient(g[0], g[1], out0, out1, is_complex)})  # fmt: skip
def _eig(A, is_complex):
    return (A, is_complex)


@primitive("", name="eigvals_op", args="A", tags="nondifferentiable",
           meta=lambda A: (tuple(A.shape[:-1]), A.dtype.to_complex()))  # fmt: skip
def _eigvals(A):
    return (A,)


def _check_square(name: str, A: Any) -> None:
    check_tensor(A, name, "A")
    if not A._kind.inexact:
        raise RuntimeError(f"Unknown Complex ScalarType for {scalar_name(A.dtype)}; convert it first")
    check_matrices(name, A, "linalg_eig_out_cpu", square=True)
    if has_values(A) and not bool(A.detach().isfinite().all()):
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@composite("torch.linalg.eig", name="linalg_eig", out=True)
def eig(A):
    """Eigenvalues and eigenvectors (columns) of square matrices; complex also where A is real.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.eig.html

    >>> import torsh
    >>> values, vectors = torsh.linalg.eig(torsh.tensor([[2., 0.], [0., 3.]]))
    >>> values
    tensor([2.+0.j, 3.+0.j])
    """
    _check_square("linalg.eig", A)
    return converged("linalg.eig", _eig.op, A, A._kind.complex)


@composite("torch.linalg.eigvals", name="linalg_eigvals", out=True)
def eigvals(A):
    """The eigenvalues of square matrices, complex.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigvals.html

    >>> import torsh
    >>> torsh.linalg.eigvals(torsh.tensor([[0., -1.], [1., 0.]])).imag.sort().values
    tensor([-1.,  1.])
    """
    _check_square("linalg.eigvals", A)
    if needs_grad(A):
        return converged("linalg.eig", _eig.op, A, A._kind.complex)[0]
    return converged("linalg.eig", _eigvals.op, A)
