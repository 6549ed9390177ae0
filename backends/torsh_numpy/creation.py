"""Making arrays, and copies in another type."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh_numpy.backend import TO_NUMPY


def full(size, value, dtype, device):
    if value is None:
        return np.empty(size, TO_NUMPY[dtype])
    if not value and value == 0:
        return np.zeros(size, TO_NUMPY[dtype])
    return np.full(size, value, TO_NUMPY[dtype])


def cast(x, dtype, copy, source):
    return convert(x, TO_NUMPY[dtype], copy)


def convert(x, target, copy):
    """``astype`` with C's rules where NumPy has others: floats outside an integer type's range wrap around."""
    kind = x.dtype.kind
    if target.kind in "iu" and kind not in "iub":
        if kind == "c":
            x = x.real
        if target.itemsize < 8 and x.dtype.itemsize >= 4:
            return x.astype(np.int64).astype(target)
        if target.kind == "u" and target.itemsize == 8:
            return np.where(x < 0, x.astype(np.int64).view(np.uint64), x.astype(np.uint64))
        if target.itemsize < 8:
            return x.astype(np.float32).astype(np.int64).astype(target)
    elif kind == "c" and target.kind != "c" and target.kind != "b":
        x = x.real
    return x.astype(target, copy=copy)


KERNELS: dict[str, Any] = {"full": full, "cast": cast}


def arange(start, step, count, dtype, device):
    target = TO_NUMPY[dtype]
    if target.kind in "iu":
        return (np.arange(count, dtype=np.int64) * step + start).astype(target)
    # In double and rounded at the end, as PyTorch's accumulation type has it.
    return (start + step * np.arange(count, dtype=np.float64)).astype(target)


def linspace(start, end, count, dtype, device):
    target = TO_NUMPY[dtype]
    if count == 0:
        return np.empty(0, target)
    if count == 1:
        return np.full(1, start).astype(target)
    at = np.arange(count)
    if target.kind in "iu":
        step = np.float32((float(end) - float(start)) / (count - 1))
        low = (start + step * at.astype(np.float32)).astype(np.int64)
        high = (end - step * (count - 1 - at).astype(np.float32)).astype(np.int64)
        return np.where(at < count // 2, low, high).astype(target)
    work = np.dtype(np.complex128 if target.kind == "c" or dtype.is_complex else np.float64)
    step = (work.type(end) - work.type(start)) / (count - 1)
    found = np.where(at < count // 2, start + step * at, end - step * (count - 1 - at))
    return found.astype(target)


def logspace(start, end, count, base, dtype, device):
    target = TO_NUMPY[dtype]
    if count == 0:
        return np.empty(0, target)
    work = np.complex128 if isinstance(start, complex) or isinstance(end, complex) or dtype.is_complex else np.float64
    powers = np.full(1, start, work) if count == 1 else np.asarray(linspace_wide(start, end, count, work))
    return convert(np.power(np.asarray(base, work), powers), target, False)


def linspace_wide(start, end, count, work):
    at = np.arange(count)
    step = (work(end) - work(start)) / (count - 1)
    return np.where(at < count // 2, start + step * at, end - step * (count - 1 - at))


def eye(n, m, dtype, device):
    return np.eye(n, m, dtype=TO_NUMPY[dtype])


KERNELS.update(arange=arange, linspace=linspace, logspace=logspace, eye=eye)


def clone(x):
    return x.copy("K") if x.flags.forc or 0 not in x.strides else packed(x)


def packed(x):
    """A copy of an array that is stretched somewhere: row-major, as PyTorch packs what overlaps itself."""
    return x.copy("C")


KERNELS.update(clone=clone)
