"""Kernels of linear algebra."""

import numpy as np

from torsh_numpy.decomposition import _each, _lapack


def solve(A, B):
    batch = A.shape[:-2]
    if not B.size or not A.size:
        return np.zeros(B.shape, B.dtype), np.zeros(batch, np.int32)
    try:
        return np.linalg.solve(A, B), np.zeros(batch, np.int32)
    except np.linalg.LinAlgError:
        pass
    getrf, getrs = _lapack(("getrf", "getrs"), A)

    def one(a, b):
        lu, pivots, info = getrf(a)
        # Also for a singular matrix: PyTorch gives what the division by zero leaves.
        return getrs(lu, pivots, b)[0], info

    return tuple(_each(one, (A, B), ((B.shape[-2:], B.dtype), ((), np.int32))))


def inv(A):
    batch = A.shape[:-2]
    try:
        return np.linalg.inv(A), np.zeros(batch, np.int32)
    except np.linalg.LinAlgError:
        pass
    getrf, getrs = _lapack(("getrf", "getrs"), A)
    identity = np.eye(A.shape[-1], dtype=A.dtype)

    def one(a):
        lu, pivots, info = getrf(a)
        return getrs(lu, pivots, identity)[0], info

    return tuple(_each(one, (A,), ((A.shape[-2:], A.dtype), ((), np.int32))))


def slogdet(A):
    sign, log = np.linalg.slogdet(A)
    return sign, log


def lstsq(A, B, rcond, driver):
    m, n = A.shape[-2:]
    k, columns, real = min(m, n), B.shape[-1], A.real.dtype

    def one(a, b):
        if not a.size or not b.size:
            return np.zeros((n, columns)), np.zeros(columns), 0, np.zeros(k)
        x, _, rank, s = np.linalg.lstsq(a, b, rcond=rcond)
        return x, np.zeros(columns), rank, s

    outs = (((n, columns), A.dtype), ((columns,), real), ((), np.int64), ((k,), real))
    return tuple(_each(one, (A, B), outs))


def matrix_exp(A):
    if not A.size:
        return A.copy()
    from scipy.linalg import expm

    return expm(A).astype(A.dtype, copy=False)


KERNELS = {
    "solve_op": solve,
    "inv_op": inv,
    "det_op": lambda A: np.linalg.det(A),
    "slogdet_op": slogdet,
    "lstsq_op": lstsq,
    "matrix_exp_op": matrix_exp,
}
