"""Matrix products and linear algebra."""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.pointwise import is_bool, is_complex, like


def matmul(xp, x, y):
    return xp.matmul(x, y)


def addmm(xp, x, a, b, beta, alpha):
    found = xp.matmul(a, b)
    found = found if alpha == 1 else found * like(xp, alpha, found)
    if beta == 0:
        return found
    return found + (x if beta == 1 else x * like(xp, beta, x))


def linear(xp, x, w, bias):
    found = xp.matmul(x, xp.permute_dims(w, tuple(reversed(range(w.ndim)))))
    return found if bias is None else found + bias


def vector_norm(xp, x, ord, dim, keepdim, *shape):
    size = xp.abs(x)
    if ord == math.inf:
        return xp.max(size, axis=dim, keepdims=keepdim)
    if ord == -math.inf:
        return xp.min(size, axis=dim, keepdims=keepdim)
    if ord == 0:
        return xp.sum(xp.astype(size != like(xp, 0.0, size), size.dtype), axis=dim, keepdims=keepdim)
    if ord == 1:
        return xp.sum(size, axis=dim, keepdims=keepdim)
    if ord == 2:
        return xp.sqrt(xp.sum(size * size, axis=dim, keepdims=keepdim))
    return xp.pow(xp.sum(xp.pow(size, like(xp, ord, size)), axis=dim, keepdims=keepdim), like(xp, 1.0 / ord, size))


def triangle(function):
    def run(xp, x, diagonal):
        if is_bool(xp, x):
            return xp.astype(getattr(xp, function)(xp.astype(x, xp.uint8), k=diagonal), xp.bool)
        return getattr(xp, function)(x, k=diagonal)

    return run


def conj(xp, x):
    return xp.conj(x) if is_complex(xp, x) else x


KERNELS: dict[str, Any] = {
    "matmul": matmul,
    "mm_op": matmul,
    "addmm": addmm,
    "linear": linear,
    "vector_norm": vector_norm,
    "tril": triangle("tril"),
    "triu": triangle("triu"),
    "conj_physical": conj,
}
