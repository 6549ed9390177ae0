"""DLPack for element types that NumPy's own implementation does not know: bfloat16, float8 and complex32.

They travel as unsigned integers of the same size; only the type in the capsule's header is changed on the way.
Source: https://dmlc.github.io/dlpack/latest/c_api.html
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.dtypes import dtype as Dtype

# (type code, bits) of the header; DLPack 1.1 added float8.
CODES: dict[Dtype, tuple[int, int]] = {
    dtypes.bfloat16: (4, 16),
    dtypes.complex32: (5, 32),
    dtypes.float8_e4m3fn: (10, 8),
    dtypes.float8_e4m3fnuz: (11, 8),
    dtypes.float8_e5m2: (12, 8),
    dtypes.float8_e5m2fnuz: (13, 8),
    dtypes.float8_e8m0fnu: (14, 8),
}
_BY_CODE = {code: dtype for dtype, code in CODES.items()}
_UNSIGNED = 1

# Where DLTensor.dtype lies in a DLManagedTensor, and in the versioned struct (after version, context, deleter and flags).
_OFFSETS = {b"dltensor": 20, b"dltensor_versioned": 52}


class _Type(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


def _type_of(capsule: Any) -> _Type:
    """The element type in a capsule's header, to be read and written."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    try:
        name = api.PyCapsule_GetName(capsule)
    except ValueError:  # no capsule
        name = None
    if name not in _OFFSETS:
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
            "already constructed a tensor from it once."
        )
    return _Type.from_address(api.PyCapsule_GetPointer(capsule, name) + _OFFSETS[name])


def export(raw: np.ndarray[Any, Any], dtype: Dtype, **options: Any) -> Any:
    """A capsule of an array of one of the types above."""
    capsule = raw.view(f"u{raw.itemsize}").__dlpack__(**options)
    header = _type_of(capsule)
    header.code, header.bits = CODES[dtype]
    return capsule


class Exporter:
    """Another exporter, whose capsules are checked, and changed where NumPy would not know their type.

    ``dtype`` is that type after NumPy took a capsule, None for those it knows.
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.dtype: Dtype | None = None

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.source.__dlpack__(**options)
        header = _type_of(capsule)
        self.dtype = _BY_CODE.get((header.code, header.bits))
        if self.dtype is not None:
            header.code = _UNSIGNED
        return capsule

    def __dlpack_device__(self) -> Any:
        return self.source.__dlpack_device__()
