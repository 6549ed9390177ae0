"""A backend from an Array API namespace."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype


class ArrayAPIBackend(Backend):
    """What an Array API namespace needs to be a backend; all kernels are the generic ones.

    A subclass gives ``name``, ``raw_type`` and ``xp``.  The arrays count as immutable (the standard leaves open whether
    indexing gives views), so torsh adds views and in-place writes above them.
    """

    def __init__(self) -> None:
        self._types: dict[Dtype, Any] = {d: getattr(self.xp, d.name) for d in dtypes.ALL if hasattr(self.xp, d.name)}
        self.capabilities = Capabilities(dtypes=frozenset(self._types), mutable=False)

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        return None

    def version(self) -> str:
        return str(getattr(self.xp, "__version__", self.xp.__array_api_version__))

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> Any:
        return self.xp.asarray(np.ascontiguousarray(array).reshape(array.shape), dtype=self._types[dtype])

    def to_host(self, raw: Any) -> np.ndarray[Any, Any]:
        return np.from_dlpack(raw)

    def dtype_of(self, raw: Any) -> Dtype:
        found = raw.dtype
        for d, t in self._types.items():
            if t == found:
                return d
        raise TypeError(f"backend {self.name!r} gave an array of {found}, which torsh has no dtype for")

    def as_raw(self, value: Any) -> Any:
        return value if isinstance(value, self.raw_type) else self.xp.asarray(value)

    def cast(self, raw: Any, dtype: Dtype, copy: bool = False) -> Any:
        xp, target = self.xp, self._types[dtype]
        if xp.isdtype(raw.dtype, "complex floating") and not dtype.is_complex:
            # The standard refuses this; PyTorch keeps the real part (and asks both parts for a bool).
            raw = raw != xp.zeros((), dtype=raw.dtype) if dtype is dtypes.bool else xp.real(raw)
        return xp.astype(raw, target, copy=copy)


__all__ = ["ArrayAPIBackend"]
