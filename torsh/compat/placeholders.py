"""Namespaces of PyTorch that torsh does not have yet.

Many programs import them and few use them, so importing works; using something raises an error that names it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
from types import ModuleType
from typing import Any

# Packages of PyTorch; everything below one of them counts as existing.
PACKAGES = (
    "ao", "backends", "compiler", "contrib", "cpu", "cuda", "distributed", "export", "fx", "futures", "hub", "jit", "library",
    "masked", "monitor", "mps", "mtia", "multiprocessing", "nested", "onnx", "package", "profiler", "quantization", "quasirandom",
    "serialization", "sparse", "storage", "testing", "utils", "xpu", "_dynamo", "_inductor", "_C", "_jit_internal", "_utils",
    "_ops", "_prims", "_refs", "_subclasses", "_higher_order_ops", "_decomp", "_guards", "_export", "_functorch", "_logging",
    "_lowrank", "_tensor", "_tensor_str", "_vmap_internals", "_weights_only_unpickler", "_library", "functional", "overrides",
    "types", "_six", "_sources", "return_types", "amp", "autograd",
)  # fmt: skip


class MissingAPI(NotImplementedError):
    """Something of PyTorch that torsh does not have was used; the message names it."""


def exists(fullname: str) -> bool:
    """Whether PyTorch has a package that this module name is in."""
    if fullname == "functorch.compile":
        return True
    return fullname.startswith("torch.") and fullname.split(".")[1] in PACKAGES


class Loader(importlib.abc.Loader):
    """Makes a placeholder module."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class Placeholder(ModuleType):
    """A module of PyTorch that torsh does not have: any name can be imported from it, nothing can be used."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "is_available":
            return lambda: False
        found = missing(f"{self.__name__}.{name}")
        setattr(self, name, found)
        return found


class _Missing(type):
    """The type of stand-ins: attributes are stand-ins again, so that ``torch.x.Y.Z`` can be named."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return missing(f"{cls._path}.{name}")  # type: ignore[attr-defined]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise MissingAPI(f"{cls._path} is not in torsh yet")  # type: ignore[attr-defined]


def listed(module: str, names: frozenset[str], name: str) -> type:
    """For a module's ``__getattr__``: the stand-in for one of the names it lacks, AttributeError for any other."""
    if name in names:
        return missing(f"{module}.{name}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def missing(path: str) -> type:
    """A class that stands for a missing name: it can be imported and used with isinstance, not called."""
    module, _, name = path.rpartition(".")
    if name.startswith(("__", "pytest")):  # asked for by Python and pytest of any module
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    def refuse(cls: type, /, **kwargs: Any) -> None:
        raise MissingAPI(f"{path} is not in torsh yet, so it cannot be subclassed")

    return _Missing(name, (), {"_path": path, "__init_subclass__": classmethod(refuse), "__module__": module})
