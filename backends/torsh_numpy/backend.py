"""What the NumPy backend is and how it moves data."""

from __future__ import annotations

import importlib
import operator
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import FROM_NUMPY, TO_NUMPY, Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype
from torsh_numpy._blocks import in_parts
from torsh_numpy._compiled import between_halves

# NumPy has no arithmetic of its own for these, or rounds after every step: computed one size up.
WIDER = {
    dtypes.float16: dtypes.float32, dtypes.bfloat16: dtypes.float32, dtypes.complex32: dtypes.complex64,
    **dict.fromkeys(dtypes.FLOAT8, dtypes.float32),
}  # fmt: skip

_STORED = frozenset(TO_NUMPY)  # more than ``capabilities`` has: those it computes with

# Where kernels are: one module per family, imported when a name is first looked up.
_MODULES = (
    "arithmetic", "pointwise", "comparison", "special", "complex", "reduction", "shape", "slicing", "creation",
    "rearranging", "joining", "indexing", "scatter", "sorting", "cumulative", "statistics", "matmul", "decomposition", "linalg", "fft", "random",
    "activation", "convolution", "pooling", "normalization", "loss", "attention", "embedding", "vision",
    "linear", "padding",
    "optimizer", "recurrent_steps",
)  # fmt: skip


# Elements from which looking for another way between float32 and float16 may pay.
_HALVES = 1000


class _Window:
    """Memory of an array seen from another starting point, kept alive with it."""

    def __init__(self, interface: dict[str, Any], owner: Any) -> None:
        self.__array_interface__ = interface
        self.owner = owner
        self.owner_is_foreign = False  # whether the memory counts as starting here


def window(
    x: np.ndarray[Any, Any], shape: Any, strides: Any, offset: int = 0, dtype: np.dtype[Any] | None = None
) -> np.ndarray[Any, Any]:
    """Memory of ``x`` from ``offset`` bytes after its first element, with any shape and strides (in bytes)."""
    interface = dict(x.__array_interface__)
    pointer, readonly = interface["data"]
    interface.update(data=(pointer + offset, readonly), shape=tuple(shape), strides=tuple(strides))
    dtype = dtype or x.dtype
    interface["typestr"] = dtype.str if dtype.isbuiltin != 2 else f"|V{dtype.itemsize}"
    interface.pop("descr", None)
    found = np.asarray(_Window(interface, x))
    # The interface has no name for the types of ml_dtypes.
    return found if found.dtype == dtype else found.view(dtype)


def owner_of(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory ``x`` looks at."""
    while True:
        base = x.base
        if type(base) is _Window:
            base = None if base.owner_is_foreign else base.owner
        if type(base) is not np.ndarray:
            return x
        x = base


def detached_from_base(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same array as the beginning of a memory of its own: a part of a bigger array that is given as a whole."""
    base = owner_of(x)
    if base is x or base.size == x.size or base.__array_interface__["data"][0] == x.__array_interface__["data"][0]:
        return x
    found = window(x, x.shape, x.strides)
    (found if type(found.base) is _Window else found.base).base.owner_is_foreign = True
    return found


class NumpyBackend(Backend):
    """NumPy arrays on the host."""

    name = "numpy"
    device_types = ("cpu",)
    raw_type = np.ndarray
    told_by_dtype = True
    capabilities = Capabilities()

    def __init__(self) -> None:
        self._table: dict[str, Kernel] | None = None

    def version(self) -> str:
        return np.__version__

    def dtypes_on(self, device: Device) -> frozenset[Dtype]:
        return _STORED

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if self._table is None:
            self._table = {}
            for module in _MODULES:
                self._table.update(importlib.import_module(f"torsh_numpy.{module}").KERNELS)
        return self._table.get(name)

    def compute_dtype(self, dtype: Dtype) -> Dtype:
        return WIDER.get(dtype, dtype)

    def widened(self, op: Any, kernel: Kernel) -> Kernel:
        return in_parts(kernel) if "pointwise" in op.tags else kernel

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> np.ndarray[Any, Any]:
        return array

    def to_host(self, raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return raw

    def dtype_of(self, raw: np.ndarray[Any, Any]) -> Dtype:
        return FROM_NUMPY[raw.dtype]

    def as_raw(self, value: Any) -> np.ndarray[Any, Any]:
        return np.asarray(value)

    def cast(self, raw: np.ndarray[Any, Any], dtype: Dtype, copy: bool = False) -> np.ndarray[Any, Any]:
        if raw.size >= _HALVES and (found := between_halves(raw, TO_NUMPY[dtype])) is not None:
            return found
        with np.errstate(all="ignore"):
            return raw.astype(TO_NUMPY[dtype], copy=copy)

    def write(self, target: np.ndarray[Any, Any], source: np.ndarray[Any, Any]) -> None:
        target[...] = source

    def into(self, kernel: Kernel) -> Kernel | None:
        return kernel if isinstance(kernel, np.ufunc) else getattr(kernel, "into", None)

    def fill(self, raw: np.ndarray[Any, Any], value: Any) -> None:
        raw.fill(value)

    def strides(self, raw: np.ndarray[Any, Any]) -> tuple[int, ...]:
        size = raw.itemsize
        return tuple([s // size for s in raw.strides])

    # Asked for many results: without a Python function around it, it takes half as long.
    contiguous = staticmethod(operator.attrgetter("flags.c_contiguous"))  # type: ignore[assignment]

    def to_dlpack(self, raw: np.ndarray[Any, Any], **options: Any) -> Any:
        dtype = FROM_NUMPY[raw.dtype]
        from torsh_numpy._dlpack import CODES, export

        if dtype not in CODES:
            return super().to_dlpack(raw, **options)
        if options.get("stream") == -1:
            options["stream"] = None
        return export(raw, dtype, **{n: v for n, v in options.items() if v is not None})

    def from_dlpack(self, source: Any) -> np.ndarray[Any, Any]:
        from torsh_numpy._dlpack import Exporter

        exporter = Exporter(source)
        found = np.from_dlpack(exporter)
        if (
            not found.flags.writeable
        ):  # NumPy trusts no exporter of the old protocol; tensors are there to be written to
            interface = dict(found.__array_interface__)
            interface["data"] = (interface["data"][0], False)
            found = np.asarray(_Window(interface, found))
        return found if exporter.dtype is None else found.view(TO_NUMPY[exporter.dtype])

    def shares(self, raw: np.ndarray[Any, Any]) -> bool:
        return raw.base is not None

    def shared_copy(self, raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        import mmap

        alike = np.empty_like(raw)  # dense, the dimensions in the same order
        found = np.ndarray(raw.shape, raw.dtype, mmap.mmap(-1, max(raw.nbytes, 1)), 0, alike.strides)
        found[...] = raw
        return found

    def is_shared(self, raw: np.ndarray[Any, Any]) -> bool:
        base = owner_of(raw).base
        if isinstance(base, memoryview):
            base = base.obj
        return type(base).__name__ == "mmap"

    def storage(self, raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        owner = owner_of(raw)
        if not owner.flags.c_contiguous:
            if not owner.flags.f_contiguous:  # a part of memory that another library owns
                reach = sum((n - 1) * s for n, s in zip(owner.shape, owner.strides)) + owner.itemsize
                return window(owner, (reach if owner.size else 0,), (1,), 0, np.dtype(np.uint8))
            owner = owner.T
        return owner.reshape(-1).view(np.uint8)

    def geometry(self, raw: np.ndarray[Any, Any]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        size = raw.itemsize
        return raw.shape, tuple(s // size for s in raw.strides), raw.__array_interface__["data"][0]
