"""Embeddings."""

from __future__ import annotations

import numpy as np

from torsh_numpy._compiled import LARGE, loop


def take_rows(weight, indices, padding_idx, by_freq):
    try:
        return np.take(weight, indices, axis=0) if not indices.size or indices.min() >= 0 else _refuse(weight, indices)
    except IndexError:
        return _refuse(weight, indices)


def _refuse(weight, indices):
    raise IndexError(
        f"index out of range in self: indices are {indices.min()} to {indices.max()}, rows 0 to {len(weight) - 1}"
    )


def embedding_backward(g, indices, rows, padding_idx, by_freq):
    flat = indices.reshape(-1)
    columns = g.shape[-1]
    grads = g.reshape(flat.size, columns)
    out = np.zeros((rows, columns), g.dtype)
    if not flat.size:
        return out
    if g.size >= LARGE and g.dtype.kind == "f" and not by_freq:
        loop("add_rows")(out, np.ascontiguousarray(flat), np.ascontiguousarray(grads))
        if padding_idx >= 0:
            out[padding_idx] = 0
        return out
    # Sorted by row, each row's gradients are one run, and add.reduceat sums the runs.
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sums = np.add.reduceat(grads[order], starts, axis=0)
    if by_freq:
        sums /= np.diff(np.append(starts, flat.size))[:, None]
    out[ordered[starts]] = sums
    if padding_idx >= 0:
        out[padding_idx] = 0
    return out


def one_hot_op(x, classes):
    out = np.zeros((*x.shape, classes), np.int64)
    if x.size:
        out.ravel()[x.ravel() + np.arange(0, out.size, classes)] = 1
    return out


KERNELS = {"one_hot_op": one_hot_op, "take_rows": take_rows, "embedding_backward": embedding_backward}
