"""Normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from torsh_numpy._blocks import LARGE
from torsh_numpy._compiled import LOOPS

Array = Any


def _per_channel(x: Array) -> Array:
    """The sum over samples and positions of (N, C, P)."""
    n, c, p = x.shape
    if p == 1:
        return np.add.reduce(x.reshape(n, c), 0)
    if p <= 4096 and x.dtype.kind == "f":
        # A product with ones goes through BLAS: five times as fast as add.reduce over short rows.
        rows = np.matmul(x.reshape(n * c, p), np.ones(p, x.dtype))
        return np.add.reduce(rows.reshape(n, c), 0)
    return np.add.reduce(np.add.reduce(x, 2), 0)


def _products(x: Array, y: Array) -> Array:
    """The sum over samples and positions of x * y."""
    if x.shape[2] == 1:
        return np.einsum("ncp,ncp->c", x, y)
    return np.add.reduce(np.vecdot(x, y), 0)


def _flat(x: Array) -> Array:
    return x.reshape(x.shape[0], x.shape[1], math.prod(x.shape[2:]))


# Elements from which batch normalisation is compiled: NumPy takes many passes for it.
_MANY = 16


def _compiled(flat):
    return flat.size >= _MANY and flat.dtype == np.float32 and flat.shape[2] >= 8


def _batch_norm_compiled(x, flat, weight, bias, eps):
    from torsh_numpy import _activations

    flat = np.ascontiguousarray(flat)
    channels = flat.shape[1]
    n = flat.shape[0] * flat.shape[2]
    mean, var = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    _activations.channel_statistics(flat, mean, var)
    invstd = (1 / np.sqrt(var + eps)).astype(x.dtype, copy=False)
    scale = invstd if weight is None else (invstd * weight).astype(x.dtype, copy=False)
    shift = np.zeros(channels, x.dtype) if bias is None else np.ascontiguousarray(bias, x.dtype)
    out = np.empty(flat.shape, x.dtype)
    _activations.scale_channels(flat, mean, scale, shift, out)
    return out.reshape(x.shape), mean, invstd, (var * (n / max(n - 1, 1))).astype(x.dtype, copy=False)


def batch_norm_train(x, weight, bias, eps):
    flat = _flat(x)
    if _compiled(flat):
        return _batch_norm_compiled(x, flat, weight, bias, eps)
    n = max(flat.shape[0] * flat.shape[2], 1)
    mean = _per_channel(flat) / n
    out = flat - mean[:, None]
    var = _products(out, out) / n
    invstd = 1 / np.sqrt(var + eps)
    out *= (invstd if weight is None else invstd * weight)[:, None].astype(x.dtype, copy=False)
    if bias is not None:
        out += bias[:, None]
    return (
        out.reshape(x.shape),
        mean.astype(x.dtype, copy=False),
        invstd.astype(x.dtype, copy=False),
        (var * (n / max(n - 1, 1))).astype(x.dtype, copy=False),
    )


def batch_norm_backward(g, x, weight, mean, invstd, eps, needs):
    flat, grad = _flat(x), _flat(g)
    n = flat.shape[0] * flat.shape[2]
    if _compiled(flat):
        from torsh_numpy import _activations

        flat, grad = np.ascontiguousarray(flat), np.ascontiguousarray(grad)
        total, along = np.empty_like(mean), np.empty_like(mean)
        _activations.channel_products(grad, flat, np.ascontiguousarray(mean), total, along)
        along *= invstd
        gx = None
        if needs[0]:
            scale = np.ascontiguousarray(invstd if weight is None else invstd * weight, x.dtype)
            slope, offset = scale * invstd * along / -n, scale * total / -n
            gx = np.empty(flat.shape, x.dtype)
            _activations.batch_norm_gradient(
                grad, flat, np.ascontiguousarray(mean), scale, slope.astype(x.dtype, copy=False),
                offset.astype(x.dtype, copy=False), gx,
            )  # fmt: skip
            gx = gx.reshape(x.shape)
        return gx, along if needs[1] else None, total if needs[2] else None
    center = flat - mean[:, None]
    along = _products(grad, center) * invstd
    total = _per_channel(grad)
    gx = None
    if needs[0]:
        scale = invstd if weight is None else invstd * weight
        gx = grad * scale[:, None]
        center *= (scale * invstd * along / -n)[:, None]
        gx += center
        gx -= (scale * total / n)[:, None]
        gx = gx.reshape(x.shape)
    return gx, along if needs[1] else None, total if needs[2] else None


def _affine(weight, bias, cols):
    """Weight and bias as vectors, ones and zeros where there is none."""
    return (
        np.ones(cols, np.float32) if weight is None else np.ascontiguousarray(weight).reshape(-1),
        np.zeros(cols, np.float32) if bias is None else np.ascontiguousarray(bias).reshape(-1),
    )


_layer_norm = LOOPS["layer_norm"]
_ROWS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def native_layer_norm(x, shape, weight, bias, eps):
    cols = math.prod(shape)
    lead = x.shape[: x.ndim - len(shape)]
    stat = (*lead, *(1,) * len(shape))
    rows = x.reshape(math.prod(lead), cols)
    if x.size >= LARGE and x.dtype == np.float32:
        from torsh_numpy._activations import layer_norm

        w, b = _affine(weight, bias, cols)
        out, mean, rstd = np.empty(rows.shape, x.dtype), np.empty(len(rows), x.dtype), np.empty(len(rows), x.dtype)
        layer_norm(np.ascontiguousarray(rows), w, b, np.float32(eps), out, mean, rstd)
        return out.reshape(x.shape), mean.reshape(stat), rstd.reshape(stat)
    run = _layer_norm.run or _layer_norm.worth(x.size)
    if run is not None and rows.size and x.dtype in _ROWS:
        out, mean, rstd = np.empty(rows.shape, x.dtype), np.empty(stat, x.dtype), np.empty(stat, x.dtype)
        rows = np.ascontiguousarray(rows)
        first = rows[0]  # stands for a weight or bias that is not there
        run(
            rows, first if weight is None else np.ascontiguousarray(weight).ravel(),
            first if bias is None else np.ascontiguousarray(bias).ravel(), weight is not None, bias is not None,
            x.dtype.type(eps), out, mean.ravel(), rstd.ravel(),
        )  # fmt: skip
        return out.reshape(x.shape), mean, rstd
    if not rows.flags.c_contiguous:
        rows = np.ascontiguousarray(rows)
    mean = np.add.reduce(rows, 1, None, None, True)
    mean /= max(cols, 1)
    out = rows - mean
    var = np.add.reduce(out * out, 1, None, None, True)
    var /= max(cols, 1)
    var += x.dtype.type(eps)
    rstd = 1 / np.sqrt(var)
    out *= rstd
    if weight is not None:
        out *= weight.reshape(-1)
    if bias is not None:
        out += bias.reshape(-1)
    return out.reshape(x.shape), mean.reshape(stat), rstd.reshape(stat)


def layer_norm_backward(g, x, shape, weight, mean, rstd, eps, needs):
    cols = max(math.prod(shape), 1)
    rows = x.reshape(-1, cols) if x.size else x.reshape(0, cols)
    grad = g.reshape(rows.shape)
    if x.size >= LARGE and x.dtype == np.float32:
        from torsh_numpy import _activations

        w, _ = _affine(weight, None, cols)
        gx, gw, gb = np.empty(rows.shape, x.dtype), np.zeros(cols, x.dtype), np.zeros(cols, x.dtype)
        _activations.layer_norm_backward(
            np.ascontiguousarray(grad), np.ascontiguousarray(rows), w, mean.reshape(-1), rstd.reshape(-1), gx, gw, gb
        )
        return (
            gx.reshape(x.shape) if needs[0] else None,
            gw.reshape(shape) if needs[1] else None,
            gb.reshape(shape) if needs[2] else None,
        )
    normal = rows - mean.reshape(-1, 1)[: len(rows)]
    normal *= rstd.reshape(-1, 1)[: len(rows)]
    gw = np.einsum("rc,rc->c", grad, normal).reshape(shape) if needs[1] else None
    gb = np.add.reduce(grad, 0).reshape(shape) if needs[2] else None
    gx = None
    if needs[0]:
        h = grad if weight is None else grad * weight.reshape(-1)
        along = np.vecdot(h, normal)[:, None]
        along /= -cols
        normal *= along
        normal += h
        mean_h = np.add.reduce(h, 1, keepdims=True)
        mean_h /= cols
        normal -= mean_h
        normal *= rstd.reshape(-1, 1)[: len(rows)]
        gx = normal.reshape(x.shape)
    return gx, gw, gb


KERNELS = {f.__name__: f for f in (batch_norm_train, batch_norm_backward, native_layer_norm, layer_norm_backward)}
