"""Padding."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def pad_constant(x, pads, value):
    lead = x.ndim - len(pads)
    source = [slice(None)] * x.ndim
    target = [slice(None)] * x.ndim
    shape = list(x.shape)
    for axis, (lo, hi) in enumerate(pads, lead):
        n = x.shape[axis]
        shape[axis] = n + lo + hi
        source[axis] = slice(max(-lo, 0), n - max(-hi, 0))
        target[axis] = slice(max(lo, 0), n + lo + hi - max(hi, 0))
    out = np.zeros(shape, x.dtype) if not value else np.full(shape, value, x.dtype)
    out[tuple(target)] = x[tuple(source)]
    return out


def _sources(n: int, lo: int, hi: int, mode: str) -> Array:
    """Which element each place of a padded dimension is a copy of."""
    at = np.arange(-lo, n + hi)
    if mode == "replicate":
        return np.clip(at, 0, n - 1)
    if mode == "circular":  # what is cut off does not come round again
        first, kept = max(-lo, 0), n - max(-lo, 0) - max(-hi, 0)
        return np.arange(-max(lo, 0), kept + max(hi, 0)) % max(kept, 1) + first
    at = np.abs(at)
    return np.where(at >= n, 2 * (n - 1) - at, at)


def pad_mirror(x, pads, mode):
    for axis, (lo, hi) in enumerate(pads, x.ndim - len(pads)):
        x = np.take(x, _sources(x.shape[axis], lo, hi, mode), axis)
    return x


def pad_mirror_backward(g, shape, pads, mode):
    for axis, (lo, hi) in enumerate(pads, len(shape) - len(pads)):
        sources = _sources(shape[axis], lo, hi, mode)
        sizes = list(g.shape)
        sizes[axis] = shape[axis]
        out = np.zeros(sizes, g.dtype)
        # Runs of places with distinct sources are added at once.
        moved, given = np.moveaxis(out, axis, 0), np.moveaxis(g, axis, 0)
        start = 0
        while start < len(sources):
            seen: set[int] = set()
            end = start
            while end < len(sources) and sources[end] not in seen:
                seen.add(sources[end])
                end += 1
            moved[sources[start:end]] += given[start:end]
            start = end
        g = out
    return g


KERNELS = {"pad_constant": pad_constant, "pad_mirror": pad_mirror, "pad_mirror_backward": pad_mirror_backward}
