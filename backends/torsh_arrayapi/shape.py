"""Views, rearrangements, joining, making arrays."""

from __future__ import annotations

from typing import Any

from torsh_arrayapi.pointwise import like


def full(xp, size, value, dtype, device):
    return xp.full(size, 0 if value is None else value, dtype=getattr(xp, dtype.name))


def arange(xp, start, end, step, dtype, device, *rest):
    return xp.arange(start, end, step, dtype=getattr(xp, dtype.name))


def cast(xp, x, dtype, copy, source):
    if xp.isdtype(x.dtype, "complex floating") and not dtype.is_complex:
        x = x != like(xp, 0j, x) if dtype.name == "bool" else xp.real(x)
    return xp.astype(x, getattr(xp, dtype.name), copy=copy)


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


def split(xp, x, sizes, dim):
    found, start = [], 0
    for n in sizes:
        found.append(x[at(dim, slice(start, start + n))])
        start += n
    return tuple(found)


KERNELS: dict[str, Any] = {
    "full": full,
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
