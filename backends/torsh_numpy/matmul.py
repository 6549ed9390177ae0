"""Kernels of products."""

import numpy as np


def matmul(x, y):
    # ndarray.dot has a third of the overhead of np.matmul; it means the same up to two dimensions.
    if x.ndim <= 2 and y.ndim <= 2:
        return x.dot(y)
    if y.ndim == 2 and x.size:
        # One matrix for a batch: one large product instead of many small ones.
        return x.reshape(-1, x.shape[-1]).dot(y).reshape(*x.shape[:-1], y.shape[1])
    return np.matmul(x, y)


def addmm(input, mat1, mat2, beta, alpha):
    out = mat1.dot(mat2)
    if alpha != 1:
        out *= out.dtype.type(alpha)
    if beta == 1:
        out += input
    elif beta != 0:
        out += input * out.dtype.type(beta)
    return out


KERNELS = {"mm_op": lambda x, y: x.dot(y), "matmul": matmul, "addmm": addmm}
