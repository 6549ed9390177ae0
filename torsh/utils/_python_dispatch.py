"""``TorchDispatchMode``: seeing every operator below autograd, under PyTorch's names.

Source: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-all-torch-api-with-modes
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torsh import dispatch
from torsh._torch_dispatch import Counted, Entry, asks
from torsh.tensor import Tensor

__all__ = [
    "BaseTorchDispatchMode", "TorchDispatchMode", "any_torch_dispatch_mode_on_stack", "is_in_torch_dispatch_mode",
    "is_traceable_wrapper_subclass", "is_traceable_wrapper_subclass_type", "return_and_correct_aliasing", "transform_subclass",
]  # fmt: skip


class TorchDispatchMode:
    """A context in which ``__torch_dispatch__(self, func, types, args, kwargs)`` sees every operator that runs, in this thread.

    func: a ``torch.ops.aten`` overload, to be called for the result.  It sees the backward pass as well, since gradients are
    computed with operators too; the mode itself is off inside.
    Source: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-all-torch-api-with-modes

    >>> import torsh
    >>> from torsh.utils._python_dispatch import TorchDispatchMode
    >>> class Log(TorchDispatchMode):
    ...     def __torch_dispatch__(self, func, types, args=(), kwargs=None):
    ...         print(func)
    ...         return func(*args, **(kwargs or {}))
    >>> x = torsh.ones(2)
    >>> with Log():
    ...     _ = (x * 2).exp().sum()
    aten.mul.Tensor
    aten.exp.default
    aten.sum.default
    """

    supports_higher_order_operators = False

    def __init__(self, _dispatch_key: Any = None) -> None:
        if _dispatch_key is not None:
            self.__dict__["_dispatch_key"] = _dispatch_key

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define __torch_dispatch__(self, func, types, args=(), kwargs=None)"
        )

    def __enter__(self) -> Any:
        _push_mode(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _pop_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Any:
        """The old way to make a mode."""
        return cls(*args, **kwargs)

    @classmethod
    def is_infra_mode(cls) -> bool:
        """Whether it is one of PyTorch's own modes for tracing; never here."""
        return False


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that lets every operator run as it is."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


# ---- the stack ---------------------------------------------------------------------------------------------------------


def _push_mode(mode: TorchDispatchMode) -> None:
    entry = Entry(mode)
    entry.counted = Counted()  # type: ignore[attr-defined]
    dispatch._stack.modes = (*dispatch.modes(), entry)


def _pop_mode(k: Any = None) -> Any:
    stack = dispatch.modes()
    at = max((i for i, m in enumerate(stack) if type(m) is Entry), default=None)
    if at is None:
        raise AssertionError("trying to pop from an empty stack of TorchDispatchModes")
    found: Any = stack[at]
    dispatch._stack.modes = stack[:at] + stack[at + 1 :]
    return found.owner


def _get_current_dispatch_mode_stack() -> list[Any]:
    """The modes of this thread, outermost first."""
    return [m.owner for m in dispatch.modes() if type(m) is Entry]


def _get_current_dispatch_mode() -> Any:
    """The innermost mode of this thread, None where there is none."""
    stack = _get_current_dispatch_mode_stack()
    return stack[-1] if stack else None


def _len_torch_dispatch_stack() -> int:
    return len(_get_current_dispatch_mode_stack())


@contextlib.contextmanager
def _pop_mode_temporarily(k: Any = None) -> Iterator[Any]:
    """Inside, the innermost mode is off."""
    mode = _pop_mode()
    try:
        yield mode
    finally:
        _push_mode(mode)


@contextlib.contextmanager
def _disable_current_modes() -> Iterator[list[Any]]:
    """Inside, all modes are off."""
    before = dispatch.modes()
    modes = _get_current_dispatch_mode_stack()
    dispatch._stack.modes = tuple(m for m in before if type(m) is not Entry)
    try:
        yield modes
    finally:
        dispatch._stack.modes = before


def is_in_torch_dispatch_mode(include_infra_modes: bool = True) -> bool:
    """Whether a mode is on in this thread."""
    return bool(_get_current_dispatch_mode_stack())


is_in_any_mode_without_ignore_compile_internals = any_torch_dispatch_mode_on_stack = is_in_torch_dispatch_mode


# ---- wrappers ----------------------------------------------------------------------------------------------------------


def is_traceable_wrapper_subclass(t: object) -> bool:
    """Whether an object is a tensor of a class that can be taken apart (``__tensor_flatten__``) and put together again."""
    return isinstance(t, Tensor) and is_traceable_wrapper_subclass_type(type(t))


def is_traceable_wrapper_subclass_type(t: type) -> bool:
    """``is_traceable_wrapper_subclass`` for a class."""
    return asks(t) and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")


def transform_subclass(
    t: Any, callback: Callable[[str, Any], Any], outer_size: Any = None, outer_stride: Any = None
) -> Any:
    """A wrapper like another, over ``callback(name, tensor)`` of each of the tensors inside."""
    names, context = t.__tensor_flatten__()
    parts = {name: callback(name, getattr(t, name)) for name in names}
    size = t.size() if outer_size is None else outer_size
    stride = t.stride() if outer_stride is None else outer_stride
    made = type(t).__tensor_unflatten__(parts, context, size, stride)
    if tuple(made.shape) != tuple(size):
        raise AssertionError(
            f"{type(t).__name__}.__tensor_unflatten__ gave shape {tuple(made.shape)}, expected {tuple(size)}"
        )
    return made


def return_and_correct_aliasing(func: Any, args: Any, kwargs: Any, out: Any) -> Any:
    """An answer of ``__torch_dispatch__`` as PyTorch wants it: an operator that writes gives the tensor it wrote to.

    torsh makes views' and their bases' common history itself, so nothing needs to be done to their memory.
    """
    schema = func.schema
    names = [a.name for a in schema.arguments]
    values = {**dict(zip(names, args)), **(kwargs or {})}
    written = [values[a.name] for a in schema.arguments if a.is_write and a.name in values]
    if not written:
        return out
    return written[0] if schema.single else type(out)(written)
