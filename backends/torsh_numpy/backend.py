"""What the NumPy backend is and how it moves data."""

from __future__ import annotations

import importlib
from typing import Any

import ml_dtypes
import numpy as np

from torsh import dtypes
from torsh.backend import Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

TO_NUMPY: dict[Dtype, np.dtype[Any]] = {
    d: np.dtype(getattr(ml_dtypes, d.name) if hasattr(ml_dtypes, d.name) else d.name) for d in dtypes.ALL
}
FROM_NUMPY = {n: d for d, n in TO_NUMPY.items()}

# NumPy has no arithmetic of its own for these, or rounds after every step: computed one size up.
_WIDER = {
    dtypes.float16: dtypes.float32, dtypes.bfloat16: dtypes.float32, dtypes.complex32: dtypes.complex64,
    **{d: dtypes.float32 for d in dtypes.FLOAT8},
}  # fmt: skip

# Where kernels are: one module per family, imported when a name is first looked up.
_MODULES = (
    "pointwise", "comparison", "special", "reduction", "shape", "joining", "indexing", "sorting", "linalg", "fft", "random",
    "activation", "convolution", "pooling", "normalization", "loss", "attention", "embedding", "vision",
    "linear", "dropout",
)  # fmt: skip


class NumpyBackend(Backend):
    """NumPy arrays on the host."""

    name = "numpy"
    device_types = ("cpu",)
    raw_type = np.ndarray
    capabilities = Capabilities()

    def __init__(self) -> None:
        self._table: dict[str, Kernel] | None = None

    def version(self) -> str:
        return np.__version__

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if self._table is None:
            self._table = {}
            for module in _MODULES:
                self._table.update(importlib.import_module(f"torsh_numpy.{module}").KERNELS)
        return self._table.get(name)

    def compute_dtype(self, dtype: Dtype) -> Dtype:
        return _WIDER.get(dtype, dtype)

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> np.ndarray[Any, Any]:
        return array

    def to_host(self, raw: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return raw

    def dtype_of(self, raw: np.ndarray[Any, Any]) -> Dtype:
        return FROM_NUMPY[raw.dtype]

    def as_raw(self, value: Any) -> np.ndarray[Any, Any]:
        return np.asarray(value)

    def cast(self, raw: np.ndarray[Any, Any], dtype: Dtype, copy: bool = False) -> np.ndarray[Any, Any]:
        with np.errstate(all="ignore"):
            return raw.astype(TO_NUMPY[dtype], copy=copy)

    def write(self, target: np.ndarray[Any, Any], source: np.ndarray[Any, Any]) -> None:
        target[...] = source

    def into(self, kernel: Kernel) -> Kernel | None:
        return kernel if isinstance(kernel, np.ufunc) else None

    def geometry(self, raw: np.ndarray[Any, Any]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        size = raw.itemsize
        return raw.shape, tuple(s // size for s in raw.strides), raw.__array_interface__["data"][0]
