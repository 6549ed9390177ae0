"""Kernels of products."""

import numpy as np


def matmul(x, y):
    # ndarray.dot has a third of the overhead of np.matmul; it means the same up to two dimensions.
    if x.ndim <= 2 and y.ndim <= 2:
        return x.dot(y)
    if y.ndim == 2 and x.size:
        # One matrix for a batch: one large product instead of many small ones.
        return x.reshape(-1, x.shape[-1]).dot(y).reshape(*x.shape[:-1], y.shape[1])
    if x.shape[-1] == 1 and x.ndim > 1 and y.ndim > 1 and x.dtype != bool:
        # Products of columns and rows (gradients of single examples): one product per element, a BLAS call per matrix takes 2-4 times as long.
        return x * y
    return np.matmul(x, y)


def _affine(input, out, beta, alpha):
    if alpha != 1:
        out = out * out.dtype.type(alpha)
    if beta == 1:
        return out + input
    return out if beta == 0 else out + input * out.dtype.type(beta)


def addmm(input, mat1, mat2, beta, alpha):
    return _affine(input, mat1.dot(mat2), beta, alpha)


def addbmm(input, batch1, batch2, beta, alpha):
    return _affine(input, np.add.reduce(np.matmul(batch1, batch2), axis=0, dtype=input.dtype), beta, alpha)


KERNELS = {
    "mm_op": lambda x, y: x.dot(y),
    "matmul": matmul,
    "addmm": addmm,
    "addmv": addmm,
    "addbmm": addbmm,
    "baddbmm": lambda input, a, b, beta, alpha: _affine(input, np.matmul(a, b), beta, alpha),
    "addr": lambda input, a, b, beta, alpha: _affine(input, a[:, None] * b, beta, alpha),
}
