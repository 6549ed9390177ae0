"""The loop behind interpolation of large arrays, compiled by Numba when first needed."""

from __future__ import annotations

from torsh_numpy._loops import _loop


@_loop
def sparse_product(x, starts, places, weights, out):
    """out[a, j, b] = sum of weights[k] * x[a, places[k], b] for k from starts[j] to starts[j + 1]."""
    before, length, after = out.shape
    zero = x.dtype.type(0)
    for a in range(before):
        if after == 1:
            for j in range(length):
                total = zero
                for k in range(starts[j], starts[j + 1]):
                    total += weights[k] * x[a, places[k], 0]
                out[a, j, 0] = total
            continue
        for j in range(length):
            into = out[a, j]
            into[:] = zero
            for k in range(starts[j], starts[j + 1]):
                w, row = weights[k], x[a, places[k]]
                for b in range(after):
                    into[b] += w * row[b]
