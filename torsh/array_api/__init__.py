"""The Array API standard (2025.12) over torsh.

The functions take any Tensor and return ``Array``, a Tensor with the standard's attributes and operators.  ``namespace(name)``
gives the same namespace with creation bound to another backend.

Source: https://data-apis.org/array-api/2025.12/
"""

from __future__ import annotations

import math as _math
from typing import Any

from torsh import dtypes as _dtypes
from torsh.array_api import _creation, _elementwise, _functions, fft, linalg
from torsh.array_api._array import Array, attach_operators
from torsh.array_api._info import __array_namespace_info__

__array_api_version__ = "2025.12"

for _module in (_creation, _elementwise, _functions):
    globals().update({_n: getattr(_module, _n) for _n in _module.__all__})
_TYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip
globals().update({_n: _dtypes.BY_NAME[_n] for _n in _TYPES})
e, pi, inf, nan, newaxis = _math.e, _math.pi, _math.inf, _math.nan, None
attach_operators(_elementwise)

__all__ = sorted(
    [
        *_creation.__all__, *_elementwise.__all__, *_functions.__all__, *_TYPES, "Array", "__array_api_version__",
        "__array_namespace_info__", "e", "fft", "inf", "linalg", "nan", "namespace", "newaxis", "pi",
    ]
)  # fmt: skip


class _Bound:
    """The namespace with every function run while a backend is bound to the CPU."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self.__name__ = f"torsh.array_api[{backend}]"

    def __getattr__(self, name: str) -> Any:
        value = globals().get(name)
        if value is None and name not in globals():
            raise AttributeError(f"{self.__name__} has no attribute {name!r}")
        if not callable(value) or isinstance(value, (type, _dtypes.dtype)):
            return value
        from torsh import registry

        def call(*args: Any, **kwargs: Any) -> Any:
            with registry.use(self._backend):
                return value(*args, **kwargs)

        call.__name__, call.__doc__ = name, value.__doc__
        self.__dict__[name] = call
        return call


def namespace(backend: str) -> Any:
    """The namespace bound to a backend, e.g. ``namespace("torch")``; raises BackendUnavailable if it cannot run."""
    from torsh import registry

    registry.get(backend)
    return _Bound(backend)
