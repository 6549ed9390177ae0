"""TorchScript's names.  Functions stay Python functions, as in PyTorch with ``PYTORCH_JIT=0``.

Source: https://docs.pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

import builtins
from typing import Any

from torsh._errors import JITException as Error
from torsh.compat import placeholders
from torsh.futures import Future
from torsh.jit._tracing import (
    TracerWarning,
    enable_onednn_fusion,
    freeze,
    fuser,
    load,
    onednn_fusion_enabled,
    optimize_for_inference,
    optimized_execution,
    save,
    trace,
    trace_module,
)


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function, class or module itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.script.html

    >>> import torsh
    >>> @torsh.jit.script
    ... def f(x):
    ...     return x * 2
    >>> f(torsh.tensor([1.]))
    tensor([2.])
    """
    return obj


def export(fn: Any) -> Any:
    """Mark a method for compilation; it stays as it is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.export.html

    >>> import torsh
    >>> from torsh import nn
    >>> class M(nn.Module):
    ...     @torsh.jit.export
    ...     def double(self, x):
    ...         return 2 * x
    >>> M().double(torsh.tensor([1.]))
    tensor([2.])
    """
    return fn


script_method = script_if_tracing = unused = export
_overload = _overload_method = _script_if_tracing = export


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Mark a function to be left to Python, which all are; with or without arguments.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.ignore.html

    >>> import torsh
    >>> from torsh import nn
    >>> class M(nn.Module):
    ...     @torsh.jit.ignore
    ...     def log(self, x):
    ...         print(x)
    >>> M().log("plain Python")
    plain Python
    """
    return drop if callable(drop) else (lambda fn: fn)


def is_scripting() -> bool:
    """Whether code is being compiled; never.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.is_scripting.html

    >>> import torsh
    >>> torsh.jit.is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """Whether code is being traced by ``jit.trace``; never.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.is_tracing.html

    >>> import torsh
    >>> torsh.jit.is_tracing()
    False
    """
    return False


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's ``isinstance``, for plain classes and ``typing`` containers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.isinstance.html

    >>> import torsh
    >>> torsh.jit.isinstance([1, 2], list[int])
    True
    """
    import builtins
    import typing

    origin = typing.get_origin(target_type)
    return builtins.isinstance(obj, origin or target_type)


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value; the type is for the compiler.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.annotate.html

    >>> import torsh
    >>> torsh.jit.annotate(list[int], [])
    []
    """
    return the_value


class Attribute:
    """A value with a type for the compiler: ``Attribute(value, type)`` gives the value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.Attribute.html

    >>> import torsh
    >>> torsh.jit.Attribute(0.5, float)
    0.5
    """

    def __new__(cls, value: Any, type: Any) -> Any:
        return value


def fork(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the function now and keep its result for ``wait``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.fork.html

    >>> import torsh
    >>> future = torsh.jit.fork(lambda x: x + 1, torsh.tensor([1.]))
    >>> torsh.jit.wait(future)
    tensor([2.])
    """
    found: Future[Any] = Future()
    found.set_result(func(*args, **kwargs))
    return found


def wait(future: Any) -> Any:
    """The result of a ``fork``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.wait.html

    >>> import torsh
    >>> future = torsh.jit.fork(lambda x: x + 1, torsh.tensor([1.]))
    >>> torsh.jit.wait(future)
    tensor([2.])
    """
    if not builtins.isinstance(future, Future):
        raise TypeError(
            "wait(): incompatible function arguments. The following argument types are supported:\n"
            f"    1. (arg0: torch._C.Future) -> object\n\nInvoked with: {future!r}"
        )
    return future.wait()


def interface(obj: type) -> type:
    """The class itself: nothing is compiled that would have to know what its objects can do.

    Raises RuntimeError for what is no class.
    Source: https://docs.pytorch.org/docs/stable/jit.html

    >>> import torsh
    >>> @torsh.jit.interface
    ... class Layer:
    ...     def forward(self, x: torsh.Tensor) -> torsh.Tensor:
    ...         pass
    >>> Layer.__name__
    'Layer'
    """
    if not isinstance(obj, type):
        raise RuntimeError(f"interface must be applied to a class, got {type(obj).__name__}")
    return obj


class Final:
    """For annotations: ``Final[int]``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.Final.html

    >>> import torsh
    >>> from torsh import nn
    >>> class Model(nn.Module):
    ...     size: torsh.jit.Final[int] = 3
    >>> Model().size
    3
    """

    def __class_getitem__(cls, item: Any) -> Any:
        return item


# What PyTorch has here and torsh does not: it can be named, and says so when it is used.
_MISSING = frozenset(
    "CompilationUnit RecursiveScriptClass RecursiveScriptModule ScriptFunction ScriptModule "
    "last_executed_optimized_graph set_fusion_strategy strict_fusion".split()
)


def __getattr__(name: str) -> Any:
    return placeholders.listed("torch.jit", _MISSING, name)
