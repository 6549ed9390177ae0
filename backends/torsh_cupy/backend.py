"""What the CuPy backend is and how it moves data."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

# Types CuPy has arithmetic for; float16 is computed in float32, as the NumPy backend does.
_TYPES = (
    dtypes.bool, dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64, dtypes.int8, dtypes.int16, dtypes.int32,
    dtypes.int64, dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128,
)  # fmt: skip


class CupyBackend(Backend):
    """CuPy arrays on CUDA devices.  They can be written to and sliced as views, so nothing is added above them."""

    name = "cupy"
    device_types = ("cuda",)
    capabilities = Capabilities(dtypes=frozenset(_TYPES))

    def __init__(self) -> None:
        self._reason = self._why_not()
        self._table: dict[str, Kernel] | None = None
        if self._reason is None:
            import cupy

            self.xp = cupy
            self.raw_type = cupy.ndarray

    # ---- what it is

    @staticmethod
    def _why_not() -> str | None:
        if importlib.util.find_spec("cupy") is None:
            return "CuPy is not installed; install the package for your CUDA version, such as cupy-cuda12x"
        try:
            import cupy

            if cupy.cuda.runtime.getDeviceCount() == 0:
                return "CuPy sees no CUDA device"
        except Exception as e:  # a missing driver or library shows as one of many errors
            return f"CuPy cannot use a CUDA device here: {type(e).__name__}: {e}"
        return None

    def unavailable(self) -> str | None:
        return self._reason

    def version(self) -> str:
        import cupy

        return str(cupy.__version__)

    def devices(self) -> list[Device]:
        if self._reason is not None:
            return []
        return [Device("cuda", i) for i in range(self.xp.cuda.runtime.getDeviceCount())]

    # ---- kernels

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if self._table is None:
            from torsh_cupy.kernels import make_table

            self._table = make_table(self.xp)
        return self._table.get(name)

    def compute_dtype(self, dtype: Dtype) -> Dtype:
        return dtypes.float32 if dtype is dtypes.float16 else dtype

    # ---- data

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> Any:
        with self.xp.cuda.Device(device.index or 0):
            return self.xp.asarray(array)

    def to_host(self, raw: Any) -> np.ndarray[Any, Any]:
        return self.xp.asnumpy(raw)

    def dtype_of(self, raw: Any) -> Dtype:
        return dtypes.BY_NAME[raw.dtype.name]

    def device_of(self, raw: Any) -> Device:
        return Device("cuda", raw.device.id)

    def as_raw(self, value: Any) -> Any:
        return value if isinstance(value, self.raw_type) else self.xp.asarray(value)

    def cast(self, raw: Any, dtype: Dtype, copy: bool = False) -> Any:
        if raw.dtype.kind == "c" and not dtype.is_complex and dtype is not dtypes.bool:
            raw = raw.real
        return raw.astype(dtype.name, copy=copy)

    def write(self, target: Any, source: Any) -> None:
        if target is not source and self.xp.may_share_memory(target, source):
            source = source.copy()
        target[...] = source

    def into(self, kernel: Kernel) -> Kernel | None:
        return kernel if isinstance(kernel, self.xp.ufunc) else None

    def geometry(self, raw: Any) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        size = raw.itemsize
        return raw.shape, tuple(s // size for s in raw.strides), raw.data.ptr

    def fill(self, raw: Any, value: Any) -> None:
        raw.fill(value)

    def from_dlpack(self, source: Any) -> Any:
        return self.xp.from_dlpack(source)

    def storage(self, raw: Any) -> Any:
        owner = raw
        while owner.base is not None:
            owner = owner.base
        return owner.ravel("K").view("uint8")

    def contiguous(self, raw: Any) -> bool:
        return bool(raw.flags.c_contiguous)

    def synchronize(self, device: Device) -> None:
        self.xp.cuda.Device(device.index or 0).synchronize()


__all__ = ["CupyBackend"]
