"""Making arrays, and copies in another type."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import TO_NUMPY
from torsh_numpy._compiled import LOOPS, between_halves

_E4M3FN, _E8M0FNU = TO_NUMPY[dtypes.float8_e4m3fn], TO_NUMPY[dtypes.float8_e8m0fnu]
_HALF = np.dtype(np.float16)
_COMPLEX32 = TO_NUMPY[dtypes.complex32]


def full(size, value, dtype, device):
    if value is None:
        return np.empty(size, TO_NUMPY[dtype])
    if type(value) is not float and not value:  # -0.0 is not 0
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
        if x.dtype.itemsize < 4:
            x = x.astype(np.float32)
        if target == np.uint64:
            return np.where(x < 0, x.astype(np.int64).view(np.uint64), x.astype(np.uint64))
        if target.itemsize < 4 or target == np.uint32:
            # The integer type the machine's conversion goes through; what does not fit there becomes its smallest value.
            x = x.astype(np.int64 if target == np.uint8 or target == np.uint32 else np.int32)
    elif kind == "c" and target.kind not in "cb" and target != _COMPLEX32:
        x = x.real
    if target.itemsize == 1 and target.kind not in "iub" and x.dtype != target:
        x = x.astype(np.float32)
        if target == _E4M3FN:  # has no infinity: PyTorch saturates, ml_dtypes gives nan
            x = x.clip(-448, 448)
        elif target == _E8M0FNU:  # has no zero
            x = np.maximum(x, np.float32(2.0**-127))
    if _HALF in (x.dtype, target) and x.ndim and (found := between_halves(x, target)) is not None:
        return found
    return x.astype(target, copy=copy)


KERNELS: dict[str, Any] = {"full": full, "cast": cast}


# PyTorch's CPU kernels round the start of each vector register to the result's type and add the steps to that: registers
# of 32 bytes on every machine.  Following that makes ranges equal bit for bit.
_LANES = {4: 8, 8: 4}


def arange(start, step, count, dtype, device, lo=0):
    """lo: the first of the elements that are made, a multiple of 8 (for pieces of long ranges); ``count`` is where they end."""
    target = TO_NUMPY[dtype]
    if target == np.int64:
        return np.arange(start + lo * step, start + count * step, step)
    if target.kind in "iu":
        return (np.arange(lo, count, dtype=np.int64) * step + start).astype(target)
    if start == int(start) and step == int(step) and abs(start) + abs(step) * count < 1 << 24:
        return (start + step * np.arange(lo, count, dtype=np.float64)).astype(target)
    lanes = _LANES.get(target.itemsize, 1)
    whole = count - count % lanes
    found = np.empty(count - lo, target)
    # longdouble: rounded once, as a fused multiply-add is; too slow for long ranges, where the last digit may differ.
    work = np.longdouble if target == np.float64 and count - lo <= 1 << 16 else np.float64
    bases = (work(start) + work(step) * np.arange(lo, whole, lanes, dtype=work)).astype(target).astype(np.float64)
    np.add(bases[:, None], step * np.arange(lanes), out=found[: whole - lo].reshape(-1, lanes), casting="same_kind")
    found[whole - lo :] = work(start) + work(step) * np.arange(whole, count, dtype=work)
    return found


_spaced = LOOPS["spaced"]


def linspace(start, end, count, dtype, device, lo=0, hi=None):
    """lo, hi: the part of the elements that is made."""
    target = TO_NUMPY[dtype]
    if count == 0:
        return np.empty(0, target)
    if count == 1:
        return convert(np.full(1, start), target, False)
    return convert(spaced(start, end, count, target, lo, count if hi is None else hi), target, False)


def spaced(start, end, count, target, lo, hi):
    """Evenly spaced values, each half counted from its own end, in the precision PyTorch uses for the type."""
    half = count // 2
    if target.kind in "iu":
        start, end = float(int(start)), float(int(end))
        step = np.longdouble((end - start) / (count - 1))
        work = np.longdouble
    elif target.kind == "c":
        step = (complex(end) - complex(start)) / (count - 1)
        at = np.arange(lo, hi)
        return np.where(at < half, start + step * at, end - step * (count - 1 - at))
    else:
        narrow = target.type if target.kind in "fV" else np.float32
        step = narrow(narrow(end) - narrow(start)) / narrow(count - 1)
        start, end = narrow(start), narrow(end)
        # Products of two float32 are exact in float64, so that this rounds once, like a fused multiply-add.
        work = {np.float32: np.float64, np.float64: np.longdouble}.get(narrow, narrow)
    if count > 1 << 16 and work is np.longdouble:
        work = np.float64  # 30 times faster; an element in a few differs by one unit in the last place
    found = np.empty(hi - lo, np.float64 if target.kind in "iu" or work is np.longdouble else target)
    if target == np.float32 and hi - lo == count and (run := _spaced.run or _spaced.worth(count)) is not None:
        run(float(start), float(end), float(step), found)
        return found
    half = min(max(half, lo), hi)
    # Counted in whole numbers: NumPy fills a range of bfloat16 by steps in bfloat16, which end at 256.
    found[: half - lo] = work(start) + work(step) * np.arange(lo, half).astype(work)
    found[half - lo :] = work(end) - work(step) * np.arange(count - 1 - half, count - 1 - hi, -1).astype(work)
    return found


def logspace(start, end, count, base, dtype, device):
    target = TO_NUMPY[dtype]
    if count == 0:
        return np.empty(0, target)
    if target.kind in "iu":
        start, end = int(start), int(end)
    work: Any = np.complex128 if target.kind == "c" else np.float64
    if target.kind not in "iuc":
        narrow = target.type if target.kind == "f" else np.float32
        work = np.float32 if target.itemsize < 4 else work
        start, end = narrow(start), narrow(end)
    at = np.arange(count).astype(work)
    step = work(end - start) / work(max(count - 1, 1))
    powers = np.where(at.real < count // 2, work(start) + step * at, work(end) - step * (count - 1 - at))
    return convert(np.power(work(base), powers if count > 1 else work(start)).reshape(count), target, False)


def eye(n, m, dtype, device, lo=0):
    """lo: the column of the first row's one."""
    return np.eye(n, m, lo, dtype=TO_NUMPY[dtype])


KERNELS.update(arange=arange, linspace=linspace, logspace=logspace, eye=eye)


def clone(x):
    return x.copy("K") if x.flags.forc or 0 not in x.strides else packed(x)


def packed(x):
    """A copy of an array that is stretched somewhere: row-major, as PyTorch packs what overlaps itself."""
    return x.copy("C")


KERNELS.update(clone=clone, packed=packed)
