"""The meta device: tensors with a shape, a dtype and strides but no memory.

Ops on them run the ops' meta rules, so they give what the real call would, without its cost.  Views are worked out by
NumPy's own view kernels on arrays over reserved address space that is never touched (``functionalize``).
Source: https://docs.pytorch.org/docs/stable/meta.html
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import FROM_NUMPY, TO_NUMPY, Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype


class _Memory:
    """What would be memory: so many bytes."""

    __slots__ = ("shape",)
    dtype = dtypes.uint8

    def __init__(self, nbytes: int) -> None:
        self.shape = (nbytes,)


class MetaArray:
    """Shape, dtype, strides and offset (in bytes) of an array that is not there."""

    __slots__ = ("buffer", "dtype", "offset", "shape", "strides")

    def __init__(
        self, shape: Any, dtype: Dtype, strides: Any = None, offset: int = 0, buffer: _Memory | None = None
    ) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = dtype
        size = dtype.itemsize
        if strides is None:
            found, n = [], size
            for length in reversed(self.shape):
                found.append(n)
                n *= max(length, 1)
            strides = tuple(reversed(found))
        self.strides = tuple(strides)
        self.offset = offset
        if buffer is None:
            empty = 0 in self.shape
            nbytes = 0 if empty else size + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
            if nbytes >> 63:
                raise RuntimeError(f"Storage size calculation overflowed with sizes={list(self.shape)}")
            buffer = _Memory(nbytes)
        self.buffer = buffer

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, index: Any) -> MetaArray:
        index = index if type(index) is tuple else (index,)
        if not any(i is Ellipsis for i in index):
            index = (*index, Ellipsis)  # so that NumPy gives a 0-d array and does not read a scalar
        return _view(lambda ghost: ghost[index], self)


def _like(x: MetaArray, dtype: Dtype) -> MetaArray:
    """A copy of an array in another type, its dimensions in the same order in memory."""
    from torsh.memory_format import preserved_strides

    size = x.dtype.itemsize
    strides = preserved_strides(x.shape, [s // size for s in x.strides])
    return MetaArray(x.shape, dtype, None if strides is None else [s * dtype.itemsize for s in strides])


def _pointwise(dtype: Dtype, *operands: Any) -> MetaArray:
    from torsh.ops.shape import joint_shape

    arrays = [x for x in operands if type(x) is MetaArray]
    shapes = [x.shape for x in arrays]
    shape = joint_shape(shapes)
    first = arrays[0]
    if all(
        x.shape == shape and x.strides == first.strides and x.dtype.itemsize == first.dtype.itemsize for x in arrays
    ):
        return _like(first, dtype)
    return MetaArray(shape, dtype)


def _made(found: Any) -> Any:
    if isinstance(found, list) or (found and isinstance(found[0], (tuple, list)) and len(found[0]) == 2
                                   and isinstance(found[0][1], Dtype)):  # fmt: skip
        return tuple(None if f is None else MetaArray(*f) for f in found)
    return MetaArray(*found)


class MetaBackend(Backend):
    """Arrays without memory."""

    name = "meta"
    device_types = ("meta",)
    raw_type = MetaArray
    capabilities = Capabilities()

    def version(self) -> str:
        from torsh import version

        return str(version.__version__)

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        from torsh.ops._op import OPS
        from torsh.ops._pointwise import BOOL, REAL, Pointwise

        op = OPS.get(name.removesuffix("_"))
        if op is None:
            return None
        if isinstance(op, Pointwise):
            out = dtypes.bool if op.promote is BOOL else dtype.to_real() if op.promote is REAL else dtype
            return functools.partial(_pointwise, out)
        if name == "clone":
            return lambda x: _like(x, x.dtype)
        if name == "cast":
            return lambda x, dtype, copy, source: _like(x, dtype) if copy or dtype is not x.dtype else x
        if op.view:
            from torsh import registry

            geometry = registry.load("numpy").kernel(name, dtype)
            return None if geometry is None else functools.partial(_view, geometry)
        if op.meta is None:
            return None
        return lambda *args: _made(op.meta(*args))

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> MetaArray:
        return MetaArray(array.shape, dtype)

    def to_host(self, raw: MetaArray) -> np.ndarray[Any, Any]:
        raise NotImplementedError(
            "Cannot copy out of meta tensor; no data! A tensor on the meta device has a shape and a dtype only; make one with "
            "values by torch.empty_like(t, device='cpu')"
        )

    def dtype_of(self, raw: MetaArray) -> Dtype:
        return raw.dtype

    def as_raw(self, value: Any) -> MetaArray:
        return value

    def cast(self, raw: MetaArray, dtype: Dtype, copy: bool = False) -> MetaArray:
        return raw if raw.dtype is dtype and not copy else _like(raw, dtype)

    def write(self, target: MetaArray, source: MetaArray) -> None:
        """Nothing to write."""

    def fill(self, raw: MetaArray, value: Any) -> None:
        """Nothing to write."""

    def geometry(self, raw: MetaArray) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        size = raw.dtype.itemsize
        return raw.shape, tuple(s // size for s in raw.strides), raw.offset

    def storage(self, raw: MetaArray) -> MetaArray:
        return MetaArray(raw.buffer.shape, dtypes.uint8, buffer=raw.buffer)


# Where arrays that are too large to reserve address space for pretend to be.  View kernels do not look at memory.
_NOWHERE = 1 << 46


class _Pretended:
    def __init__(self, nbytes: int) -> None:
        self.__array_interface__ = {"data": (_NOWHERE, False), "shape": (nbytes,), "typestr": "|u1", "version": 3}


def _ghost(x: MetaArray) -> tuple[np.ndarray[Any, Any], int]:
    """An array with the geometry of ``x`` over memory that is not used, and that memory's address."""
    from torsh.functionalize import _ghosts

    nbytes = x.buffer.shape[0]
    if nbytes < 1 << 32:
        ghost = _ghosts.make(x)
        return ghost, ghost.base.__array_interface__["data"][0]
    return np.ndarray(x.shape, TO_NUMPY[x.dtype], np.asarray(_Pretended(nbytes)), x.offset, x.strides), _NOWHERE


def _view(geometry: Kernel, x: MetaArray, *params: Any) -> Any:
    ghost, start = _ghost(x)
    found = geometry(ghost, *params)
    if isinstance(found, (tuple, list)):
        return tuple(_placed(g, start, x) for g in found)
    return _placed(found, start, x)


def _placed(ghost: np.ndarray[Any, Any], start: int, x: MetaArray) -> MetaArray:
    """Where a view of an array's ghost lies in the array's memory."""
    offset = ghost.__array_interface__["data"][0] - start if ghost.size else x.offset
    return MetaArray(ghost.shape, FROM_NUMPY[ghost.dtype], ghost.strides, offset, x.buffer)
