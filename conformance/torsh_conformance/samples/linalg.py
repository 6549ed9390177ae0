"""Samples of products and linear algebra."""

from __future__ import annotations

import numpy as np

from torsh_conformance.sample import S, samples


def _regular(make, *shape):
    """Matrices far from singular."""
    a = make(*shape)
    n = min(a.shape[-2:])
    a[..., range(n), range(n)] += 6
    return a


def _definite(make, *shape):
    """Hermitian positive definite matrices."""
    a = make(*shape)
    h = a @ np.swapaxes(a.conj(), -1, -2)
    h[..., range(shape[-1]), range(shape[-1])] += 1
    return h.astype(a.dtype)


def _triangular(make, *shape):
    return np.tril(_regular(make, *shape))


# ---- products ------------------------------------------------------------------------------------------------------


@samples("torch.matmul", "torch.linalg.matmul", "Tensor.__matmul__")
def matmul(make):
    yield S(make(3, 4), make(4, 5))
    yield S(make(4), make(4)).named("vectors")
    yield S(make(3, 4), make(4)).named("matrix, vector")
    yield S(make(4), make(2, 4, 3)).named("vector, batch")
    yield S(make(2, 3, 4), make(4, 5)).named("batch, matrix")
    yield S(make(2, 1, 3, 4), make(5, 4, 2)).named("broadcast")
    yield S(make(2, 3, 4), make(4)).named("batch, vector")
    yield S(make(4, 3).T, make(5, 4).T).named("transposed")
    yield S(make(3, 0), make(0, 2)).named("empty")
    yield S(make(3, 4), make(3, 4)).named("do not fit")


@samples("Tensor.__rmatmul__")
def rmatmul(make):
    yield S(make(4, 5), make(3, 4))


@samples("torch.mm")
def mm(make):
    yield S(make(3, 4), make(4, 5))
    yield S(make(2, 3, 4), make(4, 5)).named("no matrix")


@samples("torch.bmm")
def bmm(make):
    yield S(make(2, 3, 4), make(2, 4, 5))


@samples("torch.mv")
def mv(make):
    yield S(make(3, 4), make(4))


@samples("torch.dot", "torch.vdot")
def dot(make):
    yield S(make(5), make(5))
    yield S(make(5), make(4)).named("do not fit")


@samples("torch.addmm")
def addmm(make):
    yield S(make(3, 5), make(3, 4), make(4, 5))
    yield S(make(5), make(3, 4), make(4, 5), beta=2, alpha=3)
    yield S(make(3, 1), make(3, 4), make(4, 5), beta=0)


@samples("torch.addmv")
def addmv(make):
    yield S(make(3), make(3, 4), make(4), beta=2, alpha=3)


@samples("torch.baddbmm")
def baddbmm(make):
    yield S(make(2, 3, 5), make(2, 3, 4), make(2, 4, 5), beta=2)
    yield S(make(5), make(2, 3, 4), make(2, 4, 5)).without("inplace")


@samples("torch.addbmm")
def addbmm(make):
    yield S(make(3, 5), make(2, 3, 4), make(2, 4, 5), alpha=2)


@samples("torch.addr")
def addr(make):
    yield S(make(3, 4), make(3), make(4), beta=2)


@samples("torch.outer", "torch.ger")
def outer(make):
    yield S(make(3), make(4))


@samples("torch.inner")
def inner(make):
    yield S(make(3, 4), make(2, 4))
    yield S(make(), make(3))


@samples("torch.kron")
def kron(make):
    yield S(make(2, 3), make(3, 2))
    yield S(make(2, 3), make(4))


@samples("torch.tensordot")
def tensordot(make):
    yield S(make(2, 3, 4), make(3, 4, 5))
    yield S(make(2, 3, 4), make(4, 5, 3), ([1, 2], [2, 0]))
    yield S(make(3), make(4), 0)


@samples("torch.einsum")
def einsum(make):
    yield S("ij,jk->ik", make(2, 3), make(3, 4))
    yield S("bij,bjk", make(2, 3, 4), make(2, 4, 5)).named("implicit")
    yield S("ii->i", make(3, 3)).named("diagonal")
    yield S("...ij,...j->...i", make(2, 1, 3, 4), make(5, 4)).named("ellipsis")
    yield S("ab,bc,cd->ad", make(2, 3), make(3, 4), make(4, 5)).named("three")
    yield S("i,j->ij", make(3), make(4)).named("outer")
    yield S("ij->", make(3, 4)).named("sum")
    yield S("ij,ij", make(3, 4), make(3, 1)).named("size one")


@samples("torch.linalg.multi_dot")
def multi_dot(make):
    yield S([make(2, 3), make(3, 4), make(4, 5)])
    yield S([make(3), make(3, 4), make(4)])


@samples("torch.chain_matmul")
def chain_matmul(make):
    yield S(make(2, 3), make(3, 4), make(4, 5))


# ---- equations and inverses ----------------------------------------------------------------------------------------


@samples("torch.linalg.solve", "torch.linalg.solve_ex")
def solve(make):
    yield S(_regular(make, 3, 3), make(3, 2))
    yield S(_regular(make, 2, 3, 3), make(2, 3))
    yield S(_regular(make, 3, 3), make(2, 3, 2)).named("broadcast")
    yield S(_regular(make, 3, 3), make(2, 3), left=False).named("from the right")
    yield S(np.zeros_like(make(2, 2)), make(2, 1)).named("singular").without("grad")


@samples(
    "torch.linalg.inv", "torch.linalg.inv_ex", "torch.inverse", "torch.linalg.det", "torch.det", "torch.linalg.slogdet",
    "torch.slogdet", "torch.logdet", "torch.linalg.cond", "torch.linalg.lu_factor", "torch.linalg.lu_factor_ex",
)  # fmt: skip
def square(make):
    yield S(_regular(make, 3, 3))
    yield S(_regular(make, 2, 4, 4))
    yield S(_regular(make, 4, 4).T).named("transposed")


@samples("torch.linalg.matrix_exp", "torch.matrix_exp")
def matrix_exp(make):
    yield S(make(3, 3, high=1))
    yield S(make(2, 4, 4, low=-1, high=1))


@samples("torch.linalg.eigh")
def eigh(make):
    yield S(_definite(make, 3, 3))
    yield S(_definite(make, 2, 4, 4), "U")


@samples("torch.linalg.pinv", "torch.pinverse")
def pinv(make):
    yield S(make(3, 5))
    yield S(make(2, 5, 3))


@samples("torch.linalg.matrix_rank")
def matrix_rank(make):
    yield S(make(3, 5))
    yield S(np.ones_like(make(4, 4)))


@samples("torch.linalg.matrix_power", "torch.matrix_power")
def matrix_power(make):
    yield S(_regular(make, 3, 3), 3)
    yield S(_regular(make, 2, 3, 3), -2)
    yield S(make(3, 3), 0)


@samples("torch.linalg.lstsq")
def lstsq(make):
    yield S(make(5, 3), make(5, 2))
    yield S(make(2, 5, 3), make(2, 5, 2), driver="gelsd")
    yield S(make(3, 5), make(3, 1))


@samples("torch.linalg.solve_triangular")
def solve_triangular(make):
    yield S(_triangular(make, 3, 3), make(3, 2), upper=False)
    yield S(_triangular(make, 2, 3, 3).swapaxes(1, 2), make(2, 3, 4), upper=True)
    yield S(_triangular(make, 3, 3), make(2, 3), upper=False, left=False, unitriangular=True)


@samples("torch.triangular_solve")
def triangular_solve(make):
    yield S(make(3, 2), np.triu(_regular(make, 3, 3)))
    yield S(make(3, 2), _triangular(make, 3, 3), upper=False, transpose=True)


@samples("torch.linalg.cholesky", "torch.cholesky", "torch.linalg.cholesky_ex")
def cholesky(make):
    yield S(_definite(make, 3, 3))
    yield S(_definite(make, 2, 4, 4))
    yield S(-np.eye(3).astype(make(1).dtype)).named("not definite").without("grad")


@samples("torch.cholesky_solve")
def cholesky_solve(make):
    yield S(make(3, 2), _triangular(make, 3, 3))
    yield S(make(2, 3, 2), _triangular(make, 3, 3).T, True)


@samples("torch.cholesky_inverse")
def cholesky_inverse(make):
    yield S(np.linalg.cholesky(_definite(make, 3, 3).astype(complex)).astype(make(1).dtype))


# ---- factorizations: samples whose factors are unique up to what PyTorch also leaves open --------------------------


@samples("torch.linalg.svdvals", "torch.linalg.eigvalsh", "torch.trace")
def values(make):
    yield S(_definite(make, 4, 4))


@samples("torch.linalg.qr", "torch.qr")
def qr(make):
    yield S(make(4, 3))
    yield S(make(2, 3, 4))


@samples("torch.linalg.lu", "torch.lu", "Tensor.lu")
def lu(make):
    yield S(_regular(make, 3, 3))
    yield S(_regular(make, 2, 4, 3))
    yield S(_regular(make, 3, 4))


def _factored(make, n):
    """A matrix as if from lu_factor: pivots that swap nothing but the first two rows."""
    pivots = np.arange(1, n + 1, dtype=np.int32)
    pivots[0] = 2
    return _regular(make, n, n), pivots


@samples("torch.lu_unpack")
def lu_unpack(make):
    yield S(*_factored(make, 3))


@samples("torch.linalg.lu_solve")
def lu_solve(make):
    yield S(*_factored(make, 3), make(3, 2))
    yield S(*_factored(make, 3), make(3, 2), adjoint=True)
    yield S(*_factored(make, 3), make(2, 3), left=False)


@samples("torch.lu_solve")
def old_lu_solve(make):
    yield S(make(3, 2), *_factored(make, 3))


@samples("torch.linalg.ldl_factor", "torch.linalg.ldl_factor_ex")
def ldl_factor(make):
    yield S(_definite(make, 3, 3), hermitian=True)


@samples("torch.linalg.ldl_solve")
def ldl_solve(make):
    yield S(_triangular(make, 3, 3), np.arange(1, 4, dtype=np.int32), make(3, 2))


@samples("torch.geqrf")
def geqrf(make):
    yield S(make(4, 3))


@samples("torch.linalg.householder_product", "torch.orgqr")
def householder_product(make):
    yield S(make(4, 3), make(3))
    yield S(make(2, 4, 3), make(2, 2))


@samples("torch.ormqr")
def ormqr(make):
    yield S(make(4, 3), make(3), make(4, 2))
    yield S(make(4, 3), make(3), make(2, 4), False, True)


@samples("torch.linalg.tensorinv")
def tensorinv(make):
    a = make(2, 3, 6)
    yield S((a.reshape(6, 6) + 6 * np.eye(6)).reshape(2, 3, 6).astype(a.dtype))


@samples("torch.linalg.tensorsolve")
def tensorsolve(make):
    a = make(2, 3, 6)
    yield S((a.reshape(6, 6) + 6 * np.eye(6)).reshape(2, 3, 6).astype(a.dtype), make(2, 3))


@samples("torch.linalg.vecdot")
def vecdot(make):
    yield S(make(2, 4), make(4))
    yield S(make(4, 3), make(4, 3), dim=0)


@samples("torch.linalg.cross", "torch.cross")
def cross(make):
    yield S(make(2, 3), make(2, 3))
    yield S(make(3, 4), make(3, 4), dim=0)


@samples("torch.linalg.diagonal")
def diagonal(make):
    yield S(make(3, 4))
    yield S(make(2, 3, 4), offset=1)


@samples("torch.linalg.vander")
def linalg_vander(make):
    yield S(make(2, 3))
    yield S(make(3), N=4)


@samples("torch.vander")
def vander(make):
    yield S(make(3))
    yield S(make(3), 4, True)


@samples("torch.svd_lowrank")
def svd_lowrank(make):
    yield S(make(7, 5), 3).without("value", "grad", "repeat")
    yield S(make(4, 7), 2, 1, M=make(4, 7)).without("value", "grad", "repeat")


@samples("torch.pca_lowrank")
def pca_lowrank(make):
    yield S(make(7, 5)).without("value", "grad", "repeat")
