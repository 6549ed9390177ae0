"""Switches of the libraries PyTorch is built on.  torsh has other libraries below; programs may still set them.

Source: https://docs.pytorch.org/docs/stable/backends.html
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


class Switches(ModuleType):
    """A namespace of settings that can be read and set and have no effect; it is not available."""

    def __init__(self, name: str, **settings: Any) -> None:
        super().__init__(f"torsh.backends.{name}", f"Settings of {name}; without effect in torsh.")
        self.__dict__.update(settings)
        sys.modules[self.__name__] = self

    def is_available(self) -> bool:
        """False: torsh does not use this library."""
        return False

    is_built = is_available

    def version(self) -> None:
        """None: there is no such library here."""
        return None

    @contextlib.contextmanager
    def flags(self, **settings: Any) -> Iterator[None]:
        """Other settings inside a ``with`` block."""
        before = {k: getattr(self, k, None) for k in settings}
        self.__dict__.update(settings)
        try:
            yield
        finally:
            self.__dict__.update(before)


cudnn = Switches(
    "cudnn",
    enabled=True,
    benchmark=False,
    deterministic=False,
    allow_tf32=True,
    benchmark_limit=10,
    fp32_precision="none",
)
mps = Switches("mps")
mkl = Switches("mkl", VERBOSE_OFF=0, VERBOSE_ON=1)
mkldnn = Switches("mkldnn", enabled=True, allow_tf32=True, deterministic=False)
openmp = Switches("openmp")
opt_einsum = Switches("opt_einsum", enabled=True, strategy="auto")
opt_einsum.is_available = lambda: True  # type: ignore[method-assign]
quantized = Switches("quantized", engine="none", supported_engines=["none"])
xeon = Switches("xeon")
cusparselt = Switches("cusparselt")
cpu = Switches("cpu", get_cpu_capability=lambda: "DEFAULT")


def __getattr__(name: str) -> Any:
    if name != "cuda":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module("torsh.backends.cuda")
