"""Linear maps."""

from __future__ import annotations

import math

import numpy as np


def linear(x, w, bias):
    if x.ndim > 2:  # one product of matrices instead of many
        lead = x.shape[:-1]
        out = np.matmul(x.reshape(math.prod(lead), x.shape[-1]), w.T).reshape(*lead, w.shape[0])
    else:
        out = np.matmul(x, w.T)
    if bias is not None:
        out += bias
    return out


def linear_backward(g, x, w):
    """The gradients of input, weight and bias."""
    columns, rows = w.shape
    flat = g if g.ndim == 2 else g.reshape(-1, columns)
    of_input = flat.dot(w.conj() if w.dtype.kind == "c" else w)
    inputs = x if x.ndim == 2 else x.reshape(-1, rows)
    of_weight = flat.T.dot(inputs.conj() if x.dtype.kind == "c" else inputs)
    return of_input if g.ndim == 2 else of_input.reshape(x.shape), of_weight, np.add.reduce(flat, 0)


KERNELS = {"linear": linear, "linear_backward": linear_backward}
