"""Views, rearrangements, joining, making arrays."""

from __future__ import annotations

import math
from typing import Any

from torsh_arrayapi.pointwise import like


def type_in(xp, dtype):
    """A namespace's own dtype; TypeError where it has none."""
    found = getattr(xp, dtype.name, None)
    if found is None:
        raise TypeError(f"{xp.__name__} has no {dtype} arrays; convert to another dtype")
    return found


def full(xp, size, value, dtype, device):
    return xp.full(size, 0 if value is None else value, dtype=type_in(xp, dtype))


def arange(xp, start, step, count, dtype, device):
    # In double and rounded at the end; integers exactly.
    at = xp.arange(count, dtype=xp.float64 if dtype.is_floating_point else xp.int64)
    return xp.astype(at * (step + 0) + (start + 0), type_in(xp, dtype))  # + 0: of bools


def linspace(xp, start, end, count, dtype, device):
    wide = xp.float64 if dtype.is_floating_point else xp.complex128 if dtype.is_complex else None
    if wide is None or count < 2:
        return xp.astype(xp.linspace(start, end, count, dtype=xp.float64), type_in(xp, dtype))
    at = xp.astype(xp.arange(count, dtype=xp.float64), wide)
    step = (end - start) / (count - 1)
    low, high = at * step + start, at * step + (end - step * (count - 1))
    return xp.astype(xp.where(xp.arange(count) < count // 2, low, high), type_in(xp, dtype))


def eye(xp, n, m, dtype, device):
    if dtype.name == "bool":
        return xp.astype(xp.eye(n, m, dtype=xp.uint8), xp.bool)
    return xp.eye(n, m, dtype=type_in(xp, dtype))


def cast(xp, x, dtype, copy, source):
    if xp.isdtype(x.dtype, "complex floating") and not dtype.is_complex:
        x = x != like(xp, 0j, x) if dtype.name == "bool" else xp.real(x)
    return xp.astype(x, type_in(xp, dtype), copy=copy)


def at(dim, key):
    return (*(slice(None),) * dim, key, ...)


def squeeze(xp, x, dims):
    return xp.squeeze(x, axis=tuple(dims))


def embed(xp, g, size, index):
    """Zeros of a size with ``g`` at a basic index."""
    from torsh.functionalize import Moves

    key, d = [], 0
    used = sum(1 for i in index if i is not None and i is not Ellipsis)
    drop = []  # positions of g's dimensions that the index put in
    for i in index:
        if i is None:
            drop.append(d)
        elif i is Ellipsis:
            rest = len(size) - used
            key.extend([slice(None)] * rest)
            d += rest
            continue
        elif isinstance(i, slice):
            key.append(i)
        else:
            key.append(i % size[len(key)])
            continue
        d += 1
    key.extend([slice(None)] * (len(size) - len(key)))
    if drop:
        g = xp.squeeze(g, axis=tuple(drop))
    return Moves(xp).put(xp.zeros(size, dtype=g.dtype), tuple(key), g)


def repeat_interleave(xp, x, counts, dim, size):
    return xp.repeat(x, counts if isinstance(counts, int) else xp.astype(counts, xp.int64), axis=dim)


def make_complex(xp, real, imag):
    target = xp.complex64 if real.dtype == xp.float32 else xp.complex128
    return xp.astype(real, target) + xp.astype(imag, target) * 1j


def angle(xp, x):
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.atan2(xp.imag(x), xp.real(x))
    pi = like(xp, math.pi, x)
    found = xp.where(x < like(xp, 0, x), pi, like(xp, 0.0, x))
    return xp.where(xp.isnan(x), x, found)


def diagonal_embed(xp, g, size, offset, dim1, dim2):
    """Zeros of a size with ``g`` on a diagonal of two dimensions."""
    rows, columns = size[dim1], size[dim2]
    n = g.shape[-1]
    row = xp.arange(rows)[:, None] + max(offset, 0)
    column = xp.arange(columns)[None, :] + max(-offset, 0)
    source = xp.clip(xp.minimum(xp.broadcast_to(row, (rows, columns)), column) - abs(offset), 0, max(n - 1, 0))
    taken = xp.reshape(xp.take(g, xp.reshape(source, (-1,)), axis=-1), (*g.shape[:-1], rows, columns)) if n else None
    whole = xp.zeros((*g.shape[:-1], rows, columns), dtype=g.dtype)
    found = xp.where(row == column, taken, whole) if n else whole
    rest = [d for d in range(len(size)) if d not in (dim1, dim2)]
    order = [*rest, dim1, dim2]
    return xp.permute_dims(found, tuple(order.index(d) for d in range(len(size))))


def split(xp, x, sizes, dim):
    found, start = [], 0
    for n in sizes:
        found.append(x[at(dim, slice(start, start + n))])
        start += n
    return tuple(found)


KERNELS: dict[str, Any] = {
    "full": full,
    "arange": arange,
    "linspace": linspace,
    "eye": eye,
    "clone": lambda xp, x: xp.asarray(x, copy=True),
    "packed": lambda xp, x: xp.asarray(x, copy=True),
    "cat": lambda xp, xs, dim: xp.concat(xs, axis=dim),
    "stack": lambda xp, xs, dim: xp.stack(xs, axis=dim),
    "unbind": lambda xp, x, dim: xp.unstack(x, axis=dim),
    "split": split,
    "flip": lambda xp, x, dims: xp.flip(x, axis=tuple(dims)) if dims else xp.asarray(x, copy=True),
    "roll": lambda xp, x, shifts, dims: xp.roll(x, shifts, axis=dims),
    "repeat_kernel": lambda xp, x, sizes: xp.tile(x, tuple(sizes)),
    "repeat_interleave_kernel": repeat_interleave,
    "complex": make_complex,
    "angle": angle,
    "diagonal_embed": diagonal_embed,
    "cast": cast,
    "view": lambda xp, x, size: xp.reshape(x, size),
    "reshape": lambda xp, x, size, *shape: xp.reshape(x, size, copy=True),
    "permute": lambda xp, x, dims: xp.permute_dims(x, dims),
    "transpose": lambda xp, x, a, b: xp.permute_dims(x, _swapped(x.ndim, a, b)),
    "t": lambda xp, x: xp.permute_dims(x, tuple(reversed(range(x.ndim)))),
    "unsqueeze": lambda xp, x, dim: xp.expand_dims(x, axis=dim),
    "squeeze": squeeze,
    "expand": lambda xp, x, size: xp.broadcast_to(x, size),
    "select": lambda xp, x, dim, index: x[at(dim, index)],
    "slice": lambda xp, x, dim, start, stop, step: x[at(dim, slice(start, stop, step))],
    "getitem_basic": lambda xp, x, index, shape: x[index if Ellipsis in index else (*index, ...)],
    "diagonal": lambda xp, x, offset, a, b: xp.linalg.diagonal(xp.permute_dims(x, _last(x.ndim, a, b)), offset=offset),
    "embed": embed,
}


def _swapped(ndim, a, b):
    axes = list(range(ndim))
    if ndim:
        axes[a], axes[b] = axes[b], axes[a]
    return tuple(axes)


def _last(ndim, a, b):
    return (*[d for d in range(ndim) if d not in (a, b)], a, b)
