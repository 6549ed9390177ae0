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


# ---- the standard's extensions: a namespace without them lacks these ops ---------------------------------------------


def _herm(xp, x):
    return conj(xp, xp.matrix_transpose(x))


def _status(xp, x):
    """What LAPACK reports besides the result: success, since these functions raise otherwise."""
    return xp.zeros(x.shape[:-2], dtype=xp.int32)


def cholesky(xp, x, upper):
    found = xp.linalg.cholesky(_herm(xp, x) if upper else x)
    return (_herm(xp, found) if upper else found), _status(xp, x)


def qr(xp, x, mode):
    q, r = xp.linalg.qr(x, mode="reduced" if mode == "r" else mode)
    return (xp.zeros((0,), dtype=x.dtype), r) if mode == "r" else (q, r)


def svd(xp, x, full_matrices):
    return tuple(xp.linalg.svd(x, full_matrices=full_matrices))


def _from_triangle(xp, x, uplo):
    """The Hermitian matrix whose one triangle is read."""
    strict = xp.triu(x, k=1) if uplo == "U" else xp.tril(x, k=-1)
    return xp.triu(xp.tril(x)) + strict + _herm(xp, strict)


def slogdet(xp, x):
    found = xp.linalg.slogdet(x)
    return found[0], found[1]


def _transform(xp, x, dims, name, **options):
    for d in dims:
        x = getattr(xp.fft, name)(x, axis=d, **options)
    return x


def fft_c2c(xp, x, dims, scale, forward):
    found = _transform(xp, x, dims, "fft") if forward else _transform(xp, x, dims, "ifft", norm="forward")
    return found * like(xp, scale, found)


def fft_r2c(xp, x, dims, scale, onesided, size):
    if onesided:
        found = xp.fft.rfft(x, axis=dims[-1])
    else:
        x = xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128)
        found = xp.fft.fft(x, axis=dims[-1])
    found = _transform(xp, found, dims[:-1], "fft")
    return found * like(xp, scale, found)


def fft_c2r(xp, x, dims, scale, size):
    found = _transform(xp, x, dims[:-1], "ifft", norm="forward")
    found = xp.fft.irfft(found, n=size, axis=dims[-1], norm="forward")
    return found * like(xp, scale, found)


KERNELS: dict[str, Any] = {
    "matmul": matmul,
    "mm_op": matmul,
    "addmm": addmm,
    "linear": linear,
    "vector_norm": vector_norm,
    "tril": triangle("tril"),
    "triu": triangle("triu"),
    "conj_physical": conj,
    "cholesky_op": cholesky,
    "qr_op": qr,
    "svd_op": svd,
    "svdvals_op": lambda xp, x: xp.linalg.svdvals(x),
    "eigh_op": lambda xp, x, uplo: tuple(xp.linalg.eigh(_from_triangle(xp, x, uplo))),
    "eigvalsh_op": lambda xp, x, uplo: xp.linalg.eigvalsh(_from_triangle(xp, x, uplo)),
    "solve_op": lambda xp, a, b: (xp.linalg.solve(a, b), _status(xp, a)),
    "inv_op": lambda xp, a: (xp.linalg.inv(a), _status(xp, a)),
    "det_op": lambda xp, a: xp.linalg.det(a),
    "slogdet_op": slogdet,
    "fft_c2c": fft_c2c,
    "fft_r2c": fft_r2c,
    "fft_c2r": fft_c2r,
}
