"""Memory formats and layouts: small named objects, and the strides they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torsh import dtypes


class memory_format:
    """In which order a tensor's dimensions lie in memory, e.g. ``torsh.channels_last``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.zeros(1, 2, 3, 4).to(memory_format=torsh.channels_last).stride()
    (24, 1, 8, 2)
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{dtypes.namespace}.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout:
    """How a tensor's elements are stored, e.g. ``torsh.strided``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.zeros(1).layout, torsh.eye(2).to_sparse().layout
    (torsh.strided, torsh.sparse_coo)
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{dtypes.namespace}.{self.name}"

    def __reduce__(self) -> str:
        return self.name


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
FORMATS = (contiguous_format, preserve_format, channels_last, channels_last_3d)

strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
jagged = layout("jagged")
_mkldnn = layout("_mkldnn")
LAYOUTS = (strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged, _mkldnn)

_ORDER = {channels_last: (0, 2, 3, 1), channels_last_3d: (0, 2, 3, 4, 1)}


def order_of(format: memory_format) -> tuple[int, ...]:
    """The dimensions of a channels-last format from outermost to innermost in memory."""
    return _ORDER[format]


def is_contiguous(t: Any, format: memory_format) -> bool:
    """Whether the elements of a tensor lie in memory as a format says."""
    backend = t._kind.backend
    if format is contiguous_format or format is preserve_format:
        return bool(backend.contiguous(t._data))
    order = _ORDER[format]
    if t.ndim != len(order):
        return False
    shape, strides, _ = backend.geometry(t._data)
    expected = 1
    for d in reversed(order):
        if shape[d] != 1:
            if strides[d] != expected:
                return False
            expected *= shape[d]
    return True


def format_strides(shape: Sequence[int], format: memory_format) -> tuple[int, ...]:
    """Strides of a new tensor of a shape in a format.  Raises RuntimeError where the number of dimensions is wrong."""
    order = _ORDER.get(format, tuple(range(len(shape))))
    if len(order) != len(shape):
        name = f"{len(order)} tensor to use {format.name} format"
        raise RuntimeError(f"required rank {name}; this one has {len(shape)} dimensions")
    found, n = [0] * len(shape), 1
    for d in reversed(order):
        found[d] = n
        n *= max(shape[d], 1)
    return tuple(found)


def preserved_strides(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...] | None:
    """Strides of a dense copy with the dimensions in the same order in memory; None where that is row-major.

    A tensor that overlaps itself or has gaps is copied in the order of its strides too, as PyTorch does.
    """
    n = len(shape)
    if 0 in shape:
        return None
    dense = sorted(range(n), key=lambda d: (-strides[d], d))
    expected = 1
    for d in reversed(dense):  # non-overlapping and dense: the strides stay as they are
        if shape[d] != 1:
            if strides[d] != expected:
                break
            expected *= shape[d]
    else:
        return tuple(strides)
    order = perm_by_stride(shape, strides)
    found, step = [0] * n, 1
    for d in reversed(order):
        found[d] = step
        step *= max(shape[d], 1)
    return tuple(found)


def perm_by_stride(shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Dimensions from outermost to innermost in memory; ties and stretched dimensions keep their places."""
    perm = list(range(len(shape)))[::-1]

    def swap(a: int, b: int) -> int:  # is b, now further out, to go inside of a?
        sa, sb = strides[a], strides[b]
        if sa == 0 or sb == 0:
            return 0
        if sa != sb:
            return -1 if sa < sb else 1
        return 1 if shape[a] > shape[b] else 0

    for i in range(1, len(perm)):
        d1 = i
        for d0 in range(i - 1, -1, -1):
            c = swap(perm[d0], perm[d1])
            if c > 0:
                perm[d0], perm[d1] = perm[d1], perm[d0]
                d1 = d0
            elif c < 0:
                break
    return perm[::-1]
