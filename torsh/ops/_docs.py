"""Names and docstrings that follow from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def dressed(wrapper: Callable[..., Any], fn: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper with the name, the docstring and the attributes of what it wraps.

    ``functools.update_wrapper`` without its loops, which for 1,400 functions are a part of the time to import torsh that counts.
    """
    target: Any = wrapper
    target.__module__, target.__doc__ = fn.__module__, fn.__doc__
    target.__name__, target.__qualname__ = fn.__name__, fn.__qualname__
    if fn.__dict__:
        target.__dict__.update(fn.__dict__)
    target.__wrapped__ = fn
    return wrapper


def dressed_as(fn: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``dressed`` as a decorator."""
    return lambda wrapper: dressed(wrapper, fn)


def inplace_doc(op: Any) -> str:
    """The docstring of an in-place form: its parameters and examples are those of the op."""
    name = next((p[7:] for p in op.paths if p.startswith("Tensor.") and not p.startswith("Tensor._")), op.name)
    return (
        f"In-place form of :func:`{name}`: writes the result into the tensor and returns it.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}_.html"
    )
