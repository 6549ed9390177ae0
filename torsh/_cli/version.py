"""``torsh version``."""

from __future__ import annotations

import importlib.metadata
import platform


def version() -> int:
    """Print the versions of torsh and of the libraries it stands on."""
    print(f"torsh {importlib.metadata.version('torsh-array')}")
    print(f"python {platform.python_version()}")
    for name in ("numpy", "scipy", "numba", "ml_dtypes", "torch", "dask", "distributed", "cupy"):
        try:
            print(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return 0
