"""Linear algebra: equations, inverses, determinants, functions of matrices."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes, return_types
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, same_dtype, wrap_dim
from torsh.ops._linalg import (
    attached,
    check_equation,
    check_info,
    check_matrices,
    check_type,
    conj,
    eye_like,
    is_vector,
    real,
    spread_batches,
    whole_batch,
)
from torsh.ops._op import composite, needs_grad, primitive
from torsh.ops.decomposition import eigh, eigvalsh, linalg_svd, svdvals
from torsh.ops.matmul import adjoint, broadcast_shapes
from torsh.ops.norms import matrix_norm, vector_norm
from torsh.tensor import Tensor

# ---- equations -----------------------------------------------------------------------------------------------------


def _solve_tangent(A: Any, A_t: Any, B_t: Any, X: Any) -> Any:
    """The derivative of X with A X = B."""
    if A_t is None:
        return solve_op(A, B_t)
    return solve_op(A, -(A_t @ X) if B_t is None else B_t - A_t @ X)


def solve_op(A: Any, B: Any) -> Any:
    """X with A X = B, of operands with equal batches, without a look at the status."""
    return _solve.op(A, B)[0]


@primitive("", name="solve_op", args="A B", node_name="LinalgSolveExBackward0",
           grad={"A": lambda g, A, out0: None if g[0] is None else -(solve_op(adjoint(A), g[0]) @ adjoint(out0)),
                 "B": lambda g, A: None if g[0] is None else solve_op(adjoint(A), g[0])},
           jvp=lambda A, A_t, B_t, out0: (_solve_tangent(A, A_t, B_t, out0), None),
           meta=lambda A, B: [(tuple(B.shape), B.dtype), (tuple(A.shape[:-2]), dtypes.int32)])  # fmt: skip
def _solve(A, B):
    return (A, B)


def _solve_equation(name: str, A: Any, B: Any, left: bool) -> tuple[Any, Any]:
    check_matrices(name, A, square=True)
    check_tensor(B, name, "B", 2)
    vector = is_vector(A, B)
    if vector and not left:
        raise RuntimeError(f"{name}: Vector broadcasting of the left hand side is not supported for left=False.")
    if B.ndim == 0:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    right = B.unsqueeze(-1) if vector else B
    check_equation(name, A, right, left)
    batch = tuple(A.shape[:-2])
    A, right = spread_batches(A, right)
    if left:
        x, info = _solve.op(A, right)
    else:
        x, info = _solve.op(adjoint(A), adjoint(right))
        x = adjoint(x)
    if tuple(info.shape) != batch:  # one matrix was used for many right sides
        for _ in range(info.ndim - len(batch)):
            info = info.select(0, 0) if info.shape[0] else info.new_zeros(info.shape[1:])
        info = info.narrow(0, 0, 1) if batch == (1,) and info.ndim else info
    return (x.squeeze(-1) if vector else x), info


_SINGULAR = "The solver failed because the input matrix is singular."


@composite("torch.linalg.solve", name="linalg_solve", out=True)
def solve(A, B, *, left=True):
    """The X with A X = B, or X A = B for ``left`` False; B may be (a batch of) vectors.

    Raises LinAlgError for a singular A.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve.html

    >>> import torsh
    >>> A, b = torsh.tensor([[2., 1.], [1., 3.]]), torsh.tensor([3., 5.])
    >>> x = torsh.linalg.solve(A, b)
    >>> x
    tensor([0.8000, 1.4000])
    """
    x, info = _solve_equation("linalg.solve", A, B, left)
    check_info("torch.linalg.solve", info, lambda i: _SINGULAR)
    return x


@composite("torch.linalg.solve_ex", name="linalg_solve_ex", out=True)
def solve_ex(A, B, *, left=True, check_errors=False):
    """``solve`` with LAPACK's status of each matrix instead of an error: a named tuple (result, info).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html

    >>> import torsh
    >>> x, info = torsh.linalg.solve_ex(torsh.tensor([[2., 0.], [0., 4.]]), torsh.tensor([2., 2.]))
    >>> x, info
    (tensor([1.0000, 0.5000]), tensor(0, dtype=torsh.int32))
    """
    x, info = _solve_equation("linalg.solve", A, B, left)
    if check_errors:
        check_info("torch.linalg.solve_ex", info, lambda i: _SINGULAR)
    return return_types.linalg_solve_ex(x, info)


@primitive("", layout="columns", name="inv_op", args="A", node_name="LinalgInvExBackward0",
           grad={"A": lambda g, out0: None if g[0] is None else -(adjoint(out0) @ (g[0] @ adjoint(out0)))},
           jvp=lambda A_t, out0: (-(out0 @ A_t @ out0), None),
           meta=lambda A: [(tuple(A.shape), A.dtype), (tuple(A.shape[:-2]), dtypes.int32)])  # fmt: skip
def _inv(A):
    return (A,)


def _zero_diagonal(i: int) -> str:
    return (
        f"The diagonal element {i} is zero, the inversion could not be completed because the input matrix is singular."
    )


@composite("torch.linalg.inv torch.inverse Tensor.inverse", name="linalg_inv", out=True)
def inv(A):
    """The inverse of square matrices; LinAlgError for a singular one.

    A: (*, n, n), floating or complex; the result has its shape. Solving (:func:`linalg.solve`) is faster and more exact than
    multiplying with an inverse.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.inv.html

    >>> import torsh
    >>> torsh.linalg.inv(torsh.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    x, info = _inv.op(check_matrices("linalg.inv", A, square=True))
    check_info("linalg.inv", info, _zero_diagonal)
    return x


@composite("torch.linalg.inv_ex", name="linalg_inv_ex", out=True)
def inv_ex(A, *, check_errors=False):
    """The inverse with LAPACK's status instead of an error: a named tuple (inverse, info).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html

    >>> import torsh
    >>> inverse, info = torsh.linalg.inv_ex(torsh.tensor([[0., 0.], [0., 1.]]))
    >>> info  # singular; nothing is raised
    tensor(1, dtype=torsh.int32)
    """
    x, info = _inv.op(check_matrices("linalg.inv", A, square=True))
    if check_errors:
        check_info("linalg.inv_ex", info, _zero_diagonal)
    return return_types.linalg_inv_ex(x, info)


# ---- determinants --------------------------------------------------------------------------------------------------


def _times_inverse_adjoint(g: Any, A: Any, singular: Any) -> Any:
    """g A^-H for a number g per matrix, with the identity in place of singular matrices (where g is 0)."""
    safe = eye_like(A).where(singular.unsqueeze(-1).unsqueeze(-1), A)
    return g.unsqueeze(-1).unsqueeze(-1) * adjoint(_inv.op(safe)[0])


@primitive("", name="det_op", args="A", node_name="LinalgDetBackward0", meta=lambda A: (tuple(A.shape[:-2]), A.dtype),
           grad={"A": lambda g, A, out: _times_inverse_adjoint(g * conj(out), A, (out == 0).detach())})  # fmt: skip
def _det(A):
    return (A,)


@composite("torch.linalg.det torch.det Tensor.det", name="linalg_det", out=True)
def det(A):
    """The determinant of square matrices.

    A: (*, n, n), floating or complex; the result has shape (*).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.det.html

    >>> import torsh
    >>> torsh.det(torsh.tensor([[1., 2.], [3., 5.]]))
    tensor(-1.)
    """
    return _det.op(check_matrices("linalg.det", A, "lu_cpu", square=True))


def _slogdet_gradient(g: Any, A: Any, sign: Any) -> Any:
    g_sign, g_log = g
    if g_log is None and g_sign is None:
        return None
    total = g_log
    if A._kind.complex:
        total = sign * 0 if total is None else total.to(A.dtype)
        if g_sign is not None:
            total = total - (conj(g_sign) * sign).imag * 1j
    if total is None:
        return None
    return total.unsqueeze(-1).unsqueeze(-1) * adjoint(_inv.op(A)[0])


@primitive("", name="slogdet_op", args="A", node_name="LinalgSlogdetBackward0",
           meta=lambda A: [(tuple(A.shape[:-2]), A.dtype), (tuple(A.shape[:-2]), A.dtype.to_real())],
           grad={"A": lambda g, A, out0: _slogdet_gradient(g, A, out0)})  # fmt: skip
def _slogdet(A):
    return (A,)


@composite("torch.linalg.slogdet", name="linalg_slogdet", out=True)
def linalg_slogdet(A):
    """The sign and the logarithm of the absolute value of the determinant, as a named tuple (sign, logabsdet).

    A: (*, n, n). A singular matrix has sign 0 and logarithm -inf.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.slogdet.html

    >>> import torsh
    >>> sign, logabsdet = torsh.linalg.slogdet(torsh.tensor([[0., 2.], [3., 0.]]))
    >>> sign, logabsdet
    (tensor(-1.), tensor(1.7918))
    """
    return return_types.linalg_slogdet(*_slogdet.op(check_matrices("linalg.slogdet", A, square=True)))


@composite("torch.slogdet Tensor.slogdet", out=True)
def slogdet(input):
    """The same as ``torch.linalg.slogdet``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.slogdet.html

    >>> import torsh
    >>> torsh.slogdet(torsh.tensor([[0., 2.], [3., 0.]]))
    torsh.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(1.7918))
    """
    return return_types.slogdet(*linalg_slogdet(input))


@composite("torch.logdet Tensor.logdet")
def logdet(input):
    """The logarithm of the determinant: nan where that is negative, -inf where it is zero.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.logdet.html

    >>> import torsh
    >>> torsh.logdet(torsh.tensor([[2., 0.], [0., 4.]]))
    tensor(2.0794)
    """
    check_matrices("logdet", input, square=True)
    sign, log = _slogdet.op(input)
    if sign._kind.complex:
        return log + sign.log()
    return log.masked_fill(sign < 0, math.nan)


# ---- pseudoinverse, rank, condition --------------------------------------------------------------------------------


def _pinv_gradient(g: Any, A: Any, P: Any) -> Any:
    Ph, gh = adjoint(P), adjoint(g)
    if A.shape[-2] <= A.shape[-1]:
        K = gh @ P
        KPh = K @ Ph
        return -adjoint(P @ K) + KPh - (A @ P) @ KPh + (Ph @ P) @ (gh - K @ A)
    K = P @ gh
    PhK = Ph @ K
    return -adjoint(K @ P) + (gh - A @ K) @ P @ Ph + PhK - (PhK @ P) @ A


@primitive("", name="pinv_op", args="A atol rtol hermitian", node_name="LinalgPinvBackward0",
           grad={"A": lambda g, A, out: _pinv_gradient(g, A, out)},
           meta=lambda A, atol, rtol, hermitian: ((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype),
           decompose=lambda A, atol, rtol, hermitian: _pinv_by_svd(A, atol, rtol, hermitian))  # fmt: skip
def _pinv(A, atol, rtol, hermitian):
    return (A, atol, rtol, hermitian)


def _pinv_by_svd(A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if hermitian:
        s, U = eigh(A)
        size, Vh = s.abs(), adjoint(U)
        top = size.amax(-1, True)
    else:
        U, s, Vh = linalg_svd(A, False)
        size, top = s, s.narrow(-1, 0, 1)
    limit = _limit(top, atol, rtol)
    inverse = (1 / s).masked_fill(size <= limit, 0)
    return adjoint(Vh) @ (inverse.unsqueeze(-1).to(U.dtype) * adjoint(U))


def _limit(top: Any, atol: Any, rtol: Any) -> Any:
    relative = (rtol.unsqueeze(-1) if isinstance(rtol, Tensor) else rtol) * top
    return relative.maximum(atol.unsqueeze(-1)) if isinstance(atol, Tensor) else relative.clamp(min=atol)


def _eps(A: Any) -> float:
    return 2.0**-23 if A.dtype.to_real() is dtypes.float32 else 2.0**-52


def _tolerances(A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """The absolute and relative tolerance below which a singular value counts as zero."""
    default = _eps(A) * max(A.shape[-2:])
    if rtol is None:
        if isinstance(atol, Tensor):
            rtol = (atol > 0).logical_not().to(A.dtype.to_real()) * default
        else:
            rtol = 0.0 if atol is not None and atol > 0 else default
    return (0.0 if atol is None else atol), rtol


def _check_tolerance(name: str, value: Any, role: str) -> None:
    if isinstance(value, Tensor) and value._kind.complex:
        raise RuntimeError(f"{name}: {role} tensor of complex type is not supported. Got {scalar_name(value.dtype)}")


@composite("torch.linalg.pinv", name="linalg_pinv", out=True)
def linalg_pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None):
    """The pseudoinverse of matrices; singular values up to max(atol, rtol * the largest) count as zero.

    hermitian: take A as Hermitian and use its eigenvalues.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.pinv.html

    >>> import torsh
    >>> torsh.linalg.pinv(torsh.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    check_tensor(A, "linalg.pinv", "A")
    if A.ndim < 2 or not A._kind.inexact or A.dtype.to_real() not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"linalg.pinv({scalar_name(A.dtype)}{{{list(A.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    rtol = rcond if rtol is None else rtol
    for role, value in (("atol", atol), ("rtol", rtol)):
        _check_tolerance("torch.linalg.pinv", value, role)
    if 0 in A.shape:
        return adjoint(A) * 1
    if hermitian and A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.eigh: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    atol, rtol = _tolerances(A, atol, rtol)
    return _pinv.op(A, atol, rtol, bool(hermitian))


@composite("torch.pinverse Tensor.pinverse")
def pinverse(input, rcond=1e-15):
    """The pseudoinverse; see ``torch.linalg.pinv``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.pinverse.html

    >>> import torsh
    >>> torsh.pinverse(torsh.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    return linalg_pinv(input, rcond)


@composite("torch.linalg.matrix_rank", name="linalg_matrix_rank", out=True, tags="nondifferentiable")
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None):
    """The number of singular values above max(atol, rtol * the largest).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html

    >>> import torsh
    >>> torsh.linalg.matrix_rank(torsh.tensor([[1., 2.], [2., 4.]]))
    tensor(1)
    """
    check_tensor(A, "torch.linalg.matrix_rank", "A")
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    if not A._kind.inexact:
        raise RuntimeError("This function doesn't handle types other than float and double")
    for role, value in (("atol", atol), ("rtol", rtol), ("tol", tol)):
        _check_tolerance("torch.linalg.matrix_rank", value, role)
    if tol is not None:  # NumPy's older argument is an absolute tolerance
        atol, rtol = tol, 0.0 if rtol is None else rtol
    A = A.detach()
    if 0 in A.shape:
        return A.new_zeros(A.shape[:-2], dtype=dtypes.int64)
    atol, rtol = _tolerances(A, atol, rtol)
    s = eigvalsh(A).abs() if hermitian else svdvals(A)
    top = s.amax(-1, True)
    return (s > _limit(top, atol, rtol)).sum(-1)


@composite("torch.linalg.cond", name="linalg_cond", out=True)
def cond(A, p=None):
    """The condition number of matrices in a norm.

    p: None, 2 or -2 (from singular values), 'fro', 'nuc', inf, -inf, 1 or -1 (the norm of A times that of its
    inverse; inf for a singular A).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.cond.html

    >>> import torsh
    >>> torsh.linalg.cond(torsh.tensor([[1., 0.], [0., 0.5]]))
    tensor(2.)
    """
    if check_tensor(A, "linalg.cond", "A").ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if p is not None and not isinstance(p, str) and p not in (2, -2, 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if p is None or p in (2, -2):
        check_matrices("linalg.svd", A, "linalg_svd_cpu")
        s = svdvals(A)
        if 0 in A.shape[-2:]:
            return s.new_zeros(A.shape[:-2])
        large, small = s.select(-1, 0), s.select(-1, s.shape[-1] - 1)
        return small / large if p == -2 else large / small
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.cond with norm={p} requires square matrices: they are {A.shape[-2]} by {A.shape[-1]}"
        )
    if 0 in A.shape:
        return A.new_zeros(A.shape[:-2], dtype=A.dtype.to_real())
    check_type("linalg.cond", A, "lu_cpu")
    if p == "nuc":
        return matrix_norm(A, p) * matrix_norm(inv(A), p)
    inverse, info = _inv.op(A)
    found = matrix_norm(A, p) * matrix_norm(inverse, p)
    return found.masked_fill(info > 0, math.inf)


# ---- least squares -------------------------------------------------------------------------------------------------


def _lstsq_meta(A: Any, B: Any, rcond: Any, driver: Any) -> Any:
    batch = tuple(A.shape[:-2])
    return [
        ((*batch, A.shape[-1], B.shape[-1]), A.dtype),
        ((*batch, B.shape[-1]), A.dtype.to_real()),
        (batch, dtypes.int64),
        ((*batch, min(A.shape[-2:])), A.dtype.to_real()),
    ]


@primitive("", name="lstsq_op", args="A B rcond driver", tags="nondifferentiable", meta=_lstsq_meta)
def _lstsq(A, B, rcond, driver):
    return (A, B, rcond, driver)


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@composite("torch.linalg.lstsq", layout="columns free free free", name="linalg_lstsq", out=True)
def lstsq(A, B, rcond=None, *, driver=None):
    """The X that minimises the norm of A X - B: a named tuple (solution, residuals, rank, singular_values).

    driver: the LAPACK routine; residuals are given for full rank systems with more rows than columns, rank by all but
    'gels', singular values by 'gelsd' and 'gelss'.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.lstsq.html

    >>> import torsh
    >>> A, B = torsh.tensor([[1., 0.], [1., 1.], [1., 2.]]), torsh.tensor([[1.], [3.], [5.]])
    >>> solution = torsh.linalg.lstsq(A, B).solution
    >>> torsh.allclose(solution, torsh.tensor([[1.], [2.]]), atol=1e-5)
    True
    """
    name = "torch.linalg.lstsq"
    check_tensor(A, name, "input")
    check_tensor(B, name, "other", 2)
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype {scalar_name(A.dtype)} "
            f"and other's dtype {scalar_name(B.dtype)}"
        )
    difference = A.ndim - B.ndim
    if not 0 <= difference <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    vector = difference == 1
    right = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != right.shape[-2]:
        dim = -1 if vector else -2
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({dim})")
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    check_type(name, A, "linalg_lstsq_cpu")
    driver = driver or "gelsy"
    m, n = A.shape[-2:]
    A, right = spread_batches(A, right)
    limit = _eps(A) * max(m, n) if rcond is None else rcond
    x, residuals, rank, s = _lstsq.op(A.detach(), right.detach(), limit, driver)
    if needs_grad(A, right):
        x = linalg_pinv(A) @ right
    empty = A.new_empty((0,), dtype=A.dtype.to_real())
    nothing = attached(empty, real(A).reshape(-1).narrow(0, 0, 0)) if A._rg else empty
    full = m > n and driver != "gelsy"
    if full and (driver == "gels" or A.device.type == "meta" or bool((whole_batch(rank) == n).all())):
        difference_ = (A @ x - right).abs()
        residuals = (difference_ * difference_).sum(-2)
    else:
        residuals = nothing
    return return_types.linalg_lstsq(
        x.squeeze(-1) if vector else x,
        residuals,
        A.new_empty((0,), dtype=dtypes.int64) if driver == "gels" else rank,
        s if driver in ("gelsd", "gelss") else empty,
    )


# ---- functions of matrices -----------------------------------------------------------------------------------------


@composite("torch.linalg.matrix_power torch.matrix_power Tensor.matrix_power", name="linalg_matrix_power", out=True)
def matrix_power(A, n):
    """The n-th power of square matrices, by repeated squaring; negative powers of the inverse.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html

    >>> import torsh
    >>> torsh.matrix_power(torsh.tensor([[1., 1.], [0., 1.]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    check_tensor(A, "linalg.matrix_power", "A")
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.matrix_power: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} "
            "matrices"
        )
    if n == 0:
        return attached(eye_like(A).expand(*A.shape), A).clone()
    if n < 0:
        A, n = inv(A), -n
    found = None
    while n:
        if n & 1:
            found = A if found is None else found @ A
        n >>= 1
        if n:
            A = A @ A
    return found.clone() if found is A else found


def _matrix_exp_gradient(g: Any, A: Any) -> Any:
    """The upper right block of the exponential of ((A^H, G), (0, A^H))."""
    from torsh.ops.joining import cat

    h = adjoint(A)
    n = A.shape[-1]
    block = cat([cat([h, g], -1), cat([h * 0, h], -1)], -2)
    return _matrix_exp.op(block).narrow(-2, 0, n).narrow(-1, n, n)


@primitive("", name="matrix_exp_op", args="A", node_name="LinalgMatrixExpBackward0",
           meta=lambda A: (tuple(A.shape), A.dtype), grad={"A": lambda g, A: _matrix_exp_gradient(g, A)})  # fmt: skip
def _matrix_exp(A):
    return (A,)


@composite("torch.linalg.matrix_exp torch.matrix_exp Tensor.matrix_exp", name="linalg_matrix_exp")
def matrix_exp(A):
    """The exponential of square matrices.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html

    >>> import torsh
    >>> torsh.matrix_exp(torsh.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    name = "linalg.matrix_exp"
    check_tensor(A, name, "A")
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if not A._kind.inexact:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(A.dtype)}")
    return _matrix_exp.op(A)


# ---- tensors as matrices -------------------------------------------------------------------------------------------


@composite("torch.linalg.tensorinv", name="linalg_tensorinv", out=True)
def tensorinv(A, ind=2):
    """The inverse of a tensor as a linear map.

    Its first ``ind`` dimensions become the result's last, the others the result's first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html

    >>> import torsh
    >>> torsh.linalg.tensorinv(torsh.eye(6).reshape(2, 3, 6), ind=2).shape
    torsh.Size([6, 2, 3])
    """
    check_tensor(A, "tensorinv", "A")
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(rows) != math.prod(columns):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(columns)} != {math.prod(rows)}"
        )
    return inv(A.reshape(math.prod(rows), math.prod(columns))).reshape(*columns, *rows)


@composite("torch.linalg.tensorsolve", name="linalg_tensorsolve", out=True)
def tensorsolve(A, B, dims=None):
    """The X with tensordot(A, X, X.ndim) = B.

    dims: dimensions of A that are moved to its end first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html

    >>> import torsh
    >>> torsh.linalg.tensorsolve(torsh.eye(6).reshape(2, 3, 6), torsh.ones(2, 3))
    tensor([1., 1., 1., 1., 1., 1.])
    """
    check_tensor(A, "tensorsolve", "A")
    check_tensor(B, "tensorsolve", "B", 2)
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = tuple(A.shape[B.ndim :])
    rows = math.prod(A.shape[: B.ndim])
    if math.prod(shape) != rows:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {math.prod(shape)} != {rows}"
        )
    return solve(A.reshape(rows, rows), B.reshape(-1)).reshape(shape)


# ---- small things --------------------------------------------------------------------------------------------------


@composite("torch.linalg.vecdot", name="linalg_vecdot", out=True)
def vecdot(x, y, *, dim=-1):
    """Sums of products along a dimension, the first factor conjugated; the operands broadcast.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.vecdot.html

    >>> import torsh
    >>> torsh.linalg.vecdot(torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([1., 1.]))
    tensor([3., 7.])
    """
    check_tensor(x, "linalg.vecdot", "x")
    check_tensor(y, "linalg.vecdot", "y", 2)
    if not x._kind.inexact:
        raise RuntimeError(
            f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {scalar_name(x.dtype)}; convert "
            "it"
        )
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {scalar_name(x.dtype)} and y of type "
            f"{scalar_name(y.dtype)} instead"
        )
    return (conj(x) * y).sum(dim)


def _cross(x: Any, y: Any, dim: int) -> Any:
    a, b, c = x.unbind(dim)
    d, e, f = y.unbind(dim)
    from torsh.ops.joining import stack

    return stack([b * f - c * e, c * d - a * f, a * e - b * d], dim)


@composite("torch.linalg.cross", layout="rows", name="linalg_cross", out=True)
def linalg_cross(input, other, *, dim=-1):
    """The cross product of vectors of three elements along a dimension.

    input, other: broadcast, with 3 elements along ``dim``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.cross.html

    >>> import torsh
    >>> torsh.linalg.cross(torsh.tensor([[1., 0., 0.]]), torsh.tensor([[0., 1., 0.], [0., 0., 1.]]))
    tensor([[ 0.,  0.,  1.],
            [ 0., -1.,  0.]])
    """
    check_tensor(input, "linalg.cross")
    check_tensor(other, "linalg.cross", "other", 2)
    same_dtype(input, other)
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = wrap_dim(dim, input.ndim)
    if input.shape[d] != 3 or other.shape[d] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[d]} and {other.shape[d]}"
        )
    shape = broadcast_shapes(input.shape, other.shape)
    return _cross(input.expand(shape), other.expand(shape), d)


@composite("torch.cross Tensor.cross", layout="rows", out=True)
def cross(input, other, dim=None):
    """The cross product along a dimension, by default the first one of three elements.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cross.html

    >>> import torsh
    >>> torsh.cross(torsh.tensor([1., 0., 0.]), torsh.tensor([0., 1., 0.]), dim=0)
    tensor([0., 0., 1.])
    """
    check_tensor(input, "cross")
    if dim is None:
        dim = next((i for i, s in enumerate(input.shape) if s == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return linalg_cross(input, other, dim=dim)


@composite("torch.linalg.diagonal", name="linalg_diagonal")
def linalg_diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """A view of the diagonals of matrices.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.diagonal.html

    >>> import torsh
    >>> torsh.linalg.diagonal(torsh.eye(2).expand(3, 2, 2)).shape
    torsh.Size([3, 2])
    """
    return A.diagonal(offset, dim1, dim2)


@composite("torch.linalg.vander", name="linalg_vander")
def linalg_vander(x, N=None):
    """The powers 0 to N - 1 of each element, in a new last dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.vander.html

    >>> import torsh
    >>> torsh.linalg.vander(torsh.tensor([1, 2, 3]), N=4)
    tensor([[ 1,  1,  1,  1],
            [ 1,  2,  4,  8],
            [ 1,  3,  9, 27]])
    """
    check_tensor(x, "linalg.vander", "x")
    if x.dtype is dtypes.bool:
        raise RuntimeError("linalg.vander: Expected a floating point, complex, or integral tensor, but got Bool")
    if x.dtype in (dtypes.float16, dtypes.bfloat16, dtypes.complex32):
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {scalar_name(x.dtype)}"
        )
    if not x.ndim:
        x = x.reshape(1)
    N = x.shape[-1] if N is None else N
    if N <= 1:
        raise RuntimeError("N must be greater than 1.")
    from torsh.ops.joining import cat

    if not x._kind.inexact:
        x = x.to(dtypes.int64)
    x = x.unsqueeze(-1)
    return cat([x.new_ones(x.shape), x.expand(*x.shape[:-1], N - 1)], -1).cumprod(-1)


@composite("torch.vander")
def vander(x, N=None, increasing=False):
    """Powers of each element of a vector, highest first unless ``increasing``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.vander.html

    >>> import torsh
    >>> torsh.vander(torsh.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    check_tensor(x, "vander", "x")
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    N = x.shape[0] if N is None else N
    if N < 0:
        raise RuntimeError("N must be non-negative.")
    from torsh.ops.joining import cat

    if not x._kind.inexact:
        x = x.to(dtypes.int64)
    column = x.unsqueeze(-1)
    if N == 0:
        return x.new_empty((x.shape[0], 0))
    powers = cat([column.new_ones(column.shape), column.expand(x.shape[0], N - 1)], -1).cumprod(-1)
    return powers if increasing else powers.flip(-1)


@composite("torch.trace Tensor.trace")
def trace(input):
    """The sum of a matrix's diagonal.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.trace.html

    >>> import torsh
    >>> torsh.trace(torsh.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if check_tensor(input, "trace").ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return input.diagonal().sum()


@composite("torch.frobenius_norm", out=True)
def frobenius_norm(input, dim, keepdim=False):
    """The square root of the sum of squares over one or two dimensions.

    dim: the dimensions to reduce, one or two, or an empty list for all.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.frobenius_norm(torsh.tensor([[3., 4.]]), [0, 1])
    tensor(5.)
    """
    return vector_norm(check_tensor(input, "frobenius_norm"), 2, dim or None, keepdim)
