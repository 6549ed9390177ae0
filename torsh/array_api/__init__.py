"""The Array API standard (2025.12) over torsh.

The functions take any Tensor and return ``Array``, a Tensor with the standard's attributes and operators.  ``namespace(name)``
gives the same namespace with creation bound to another backend.

Source: https://data-apis.org/array-api/2025.12/
"""

from __future__ import annotations

import functools as _functools
import math as _math
from types import ModuleType as _ModuleType
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
    """A namespace (this one, ``fft``, ``linalg``) with every function run while a backend is bound to the CPU."""

    def __init__(self, backend: str, names: dict[str, Any], path: str = "torsh.array_api") -> None:
        self._backend, self._names = backend, names
        self.__name__ = f"{path}[{backend}]"

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(f"{self.__name__} has no attribute {name!r}")
        value = self._names[name]
        if isinstance(value, _ModuleType):
            value = _Bound(self._backend, vars(value), value.__name__)
        elif callable(value) and not isinstance(value, (type, _dtypes.dtype)):
            value = self._bound(value)
        self.__dict__[name] = value
        return value

    def _bound(self, function: Any) -> Any:
        from torsh import registry

        @_functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with registry.use(self._backend):
                return function(*args, **kwargs)

        return call


def namespace(backend: str) -> Any:
    """The namespace bound to a backend, e.g. ``namespace("torch")``; raises BackendUnavailable if it cannot run."""
    from torsh import registry

    registry.get(backend)
    return _Bound(backend, globals())
