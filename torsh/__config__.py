"""How the library below was built: for torsh, what is installed and serves which device.

Source: https://docs.pytorch.org/docs/stable/config_mod.html
"""

from __future__ import annotations


def show() -> str:
    """A readable list of versions and of the backends that are in use.

    Source: https://docs.pytorch.org/docs/stable/config_mod.html

    >>> import torsh
    >>> print(torsh.__config__.show().splitlines()[0])
    torsh built with:
    """
    import platform

    import numpy

    from torsh import registry, version

    lines = [
        "torsh built with:",
        f"  - torsh {version.torsh}, the API of PyTorch {version.API}",
        f"  - Python {platform.python_version()} ({platform.machine()})",
        f"  - NumPy {numpy.__version__}",
        *(f"  - device {kind}: backend {name}" for kind, name in registry.bindings().items()),
    ]
    return "\n".join(lines) + "\n"


def parallel_info() -> str:
    """How many threads operations use.

    Source: https://docs.pytorch.org/docs/stable/config_mod.html

    >>> import torsh
    >>> print(torsh.__config__.parallel_info().splitlines()[0])
    ATen/Parallel:
    """
    import os

    import torsh

    return (
        f"ATen/Parallel:\n\tat::get_num_threads() : {torsh.get_num_threads()}\n"
        f"\tat::get_num_interop_threads() : {torsh.get_num_interop_threads()}\n"
        f"std::thread::hardware_concurrency() : {os.cpu_count()}\n"
    )
