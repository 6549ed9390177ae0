"""``__array_namespace_info__``: what the namespace can do."""

from __future__ import annotations

from typing import Any

import torsh
from torsh import dtypes as _dtypes
from torsh import registry
from torsh.array_api._creation import isdtype

_NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip


class Info:
    """Capabilities, devices and dtypes of the namespace."""

    def capabilities(self) -> dict[str, Any]:
        """Whether boolean indexing and data-dependent shapes work, and the largest number of dimensions."""
        can = registry.serving(torsh.device("cpu")).capabilities.data_dependent_shapes
        return {"boolean indexing": can, "data-dependent shapes": can, "max dimensions": 64}

    def default_device(self) -> Any:
        """The device creation functions use."""
        return torsh.get_default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes creation functions use."""
        real = _dtypes.get_default_dtype()
        return {
            "real floating": real, "complex floating": real.to_complex(), "integral": torsh.int64, "indexing": torsh.int64,
        }  # fmt: skip

    def devices(self) -> tuple[Any, ...]:
        """The devices there are."""
        found = []
        for name in registry.names():
            if name in registry.loaded() and registry.load(name).unavailable() is None:
                found += [d for d in registry.load(name).devices() if d not in found and d.type != "meta"]
        return tuple(found) or (torsh.device("cpu"),)

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes there are, by name; of a kind if one is given."""
        found = {n: _dtypes.BY_NAME[n] for n in _NAMES}
        return found if kind is None else {n: d for n, d in found.items() if isdtype(d, kind)}


def __array_namespace_info__() -> Info:
    """An object that tells what the namespace can do."""
    return Info()
