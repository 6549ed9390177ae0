"""TorchScript's names.  Functions stay Python functions, as in PyTorch with ``PYTORCH_JIT=0``.

Source: https://docs.pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

from typing import Any

from torsh.compat import placeholders


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function, class or module itself."""
    return obj


def export(fn: Any) -> Any:
    """Mark a method for compilation; it stays as it is."""
    return fn


script_method = script_if_tracing = unused = export


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Mark a function to be left to Python, which all are; with or without arguments."""
    return drop if callable(drop) else (lambda fn: fn)


def is_scripting() -> bool:
    """Whether code is being compiled; never."""
    return False


def is_tracing() -> bool:
    """Whether code is being traced by ``jit.trace``; never."""
    return False


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's ``isinstance``, for plain classes and ``typing`` containers."""
    import builtins
    import typing

    origin = typing.get_origin(target_type)
    return builtins.isinstance(obj, origin or target_type)


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value; the type is for the compiler."""
    return the_value


class Attribute:
    """A value with a type for the compiler: ``Attribute(value, type)`` gives the value."""

    def __new__(cls, value: Any, type: Any) -> Any:
        return value


def fork(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the function now and keep its result for ``wait``."""
    return _Done(func(*args, **kwargs))


class _Done:
    def __init__(self, value: Any) -> None:
        self._value = value

    def wait(self) -> Any:
        """The result."""
        return self._value


def wait(future: Any) -> Any:
    """The result of a ``fork``."""
    return future.wait()


class Final:
    """For annotations: ``Final[int]``."""

    def __class_getitem__(cls, item: Any) -> Any:
        return item


# What PyTorch has here and torsh does not: it can be named, and says so when it is used.
_MISSING = frozenset(
    "CompilationUnit Future RecursiveScriptClass ScriptFunction ScriptModule TracerWarning enable_onednn_fusion freeze interface "
    "last_executed_optimized_graph load onednn_fusion_enabled optimize_for_inference optimized_execution save set_fusion_strategy "
    "strict_fusion trace trace_module".split()
)


def __getattr__(name: str) -> Any:
    if name in _MISSING:
        return placeholders.missing(f"torch.jit.{name}")
    raise AttributeError(f"module 'torch.jit' has no attribute {name!r}")
