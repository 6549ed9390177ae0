"""Helpers that PyTorch's own code imports under this name."""

from __future__ import annotations

import os
from typing import Any

# What PyTorch's own namespace has by these names.
TYPE_CHECKING = False
PRIVATE_OPS = ("unique_dim",)
USE_GLOBAL_DEPS = True
USE_RTLD_GLOBAL_WITH_LIBTORCH = False

torch_parent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def get_file_path(*path_components: str) -> str:
    """A path below the folder that the package is in.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import os
    >>> os.path.exists(torsh.get_file_path("torsh", "__init__.py"))
    True
    """
    return os.path.join(torch_parent, *path_components)


def prepare_multiprocessing_environment(path: str) -> None:
    """Nothing to prepare.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.prepare_multiprocessing_environment("")
    """


def profiler_allow_cudagraph_cupti_lazy_reinit_cuda12() -> bool:
    """A setting of PyTorch's CUDA profiler: True.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.profiler_allow_cudagraph_cupti_lazy_reinit_cuda12()
    True
    """
    return True


class _ClassProperty:
    def __init__(self, getter: Any) -> None:
        self.getter = getter

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.getter.__get__(instance, owner if owner is not None else type(instance))()


def classproperty(func: Any) -> Any:
    """A property of the class itself.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> class Circle:
    ...     @torsh.classproperty
    ...     def corners(cls):
    ...         return 0
    >>> Circle.corners
    0
    """
    return _ClassProperty(func if isinstance(func, (classmethod, staticmethod)) else classmethod(func))
