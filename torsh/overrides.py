"""``__torch_function__``: letting Tensor subclasses and other objects take over torsh's functions.

Source: https://docs.pytorch.org/docs/stable/torch.overrides.html
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from torsh.dispatch import state
from torsh.tensor import Parameter, Tensor


class _Thread(threading.local):
    disabled: int = 0
    modes: tuple[Any, ...] = ()


_thread = _Thread()
# Types that never override anything.
_NEVER = frozenset({Tensor, Parameter, int, float, bool, complex, str, type(None)})
_DEFAULT = Tensor.__torch_function__.__func__  # type: ignore[attr-defined]


def _overrides(value: Any) -> bool:
    kind = type(value)
    if kind is Tensor or kind is Parameter:
        return False
    function = getattr(kind, "__torch_function__", None)
    if function is None or function is _disabled_torch_function_impl:
        return False
    # A tensor of the real PyTorch is data: its default would call the function again, for ever.
    return getattr(function, "__module__", None) != "torch._tensor"


def has_modes() -> bool:
    """Whether a ``TorchFunctionMode`` is on in this thread."""
    return bool(_thread.modes)


def _candidates(args: Iterable[Any]) -> list[Any]:
    """Overriding arguments in the order they are asked: left to right, subclasses before their bases."""
    found: list[Any] = []
    for a in args:
        for x in a if type(a) in (tuple, list) else (a,):
            if _overrides(x) and type(x) not in [type(f) for f in found]:
                at = next((i for i, f in enumerate(found) if issubclass(type(x), type(f))), len(found))
                found.insert(at, x)
    return found


def handler(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """``handler(func, args, kwargs)`` that runs the overrides for a call, or None if nobody wants it."""
    if not _thread.modes:
        if _thread.disabled:
            return None
        if not kwargs:  # the usual call: nothing but plain tensors and numbers
            for a in args:
                if type(a) not in _NEVER:
                    break
            else:
                return None
    relevant = [] if _thread.disabled else _candidates([*args, *kwargs.values()])
    if not relevant and not _thread.modes:
        return None
    return lambda func, a, k: handle_torch_function(func, relevant, *a, **k)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """Ask the modes, then each overriding argument, to carry out a call.  Raises TypeError if nobody does.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.handle_torch_function

    >>> from torsh.overrides import handle_torch_function, has_torch_function
    >>> class Like:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return f"{func.__name__} handled"
    >>> def double(x):
    ...     if has_torch_function((x,)):
    ...         return handle_torch_function(double, (x,), x)
    ...     return 2 * x
    >>> double(Like())
    'double handled'
    """
    relevant = _candidates(relevant_args)
    types = tuple(type(a) for a in relevant)
    if _thread.modes:
        mode = _thread.modes[-1]
        previous, _thread.modes = _thread.modes, _thread.modes[:-1]
        try:
            result = mode.__torch_function__(public_api, types, args, kwargs)
        finally:
            _thread.modes = previous
        if result is not NotImplemented:
            return result
    for a in relevant:
        result = type(a).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(
        f"no implementation found for '{getattr(public_api, '__module__', '')}.{getattr(public_api, '__name__', public_api)}' on "
        f"types that implement __torch_function__: {[t.__name__ for t in types]}"
    )


def default(cls: type, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Tensor's own ``__torch_function__``: run the function, and give tensors in its result the subclass."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    return result if func in get_default_nowrap_functions() else _convert(result, cls)


def _convert(result: Any, cls: type) -> Any:
    if cls is Tensor:
        return result
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        parts = [_convert(r, cls) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def _disabled_torch_function_impl(cls: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


@functools.cache
def get_default_nowrap_functions() -> frozenset[Any]:
    """Functions whose results never get the subclass.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html
    """
    return frozenset({Tensor.grad.fget, Tensor.grad_fn.fget})  # type: ignore[attr-defined]


class DisableTorchFunctionSubclass(contextlib.ContextDecorator):
    """Inside, subclasses' overrides are not asked.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> class Labelled(torsh.Tensor):
    ...     pass
    >>> x = torsh.zeros(1).as_subclass(Labelled)
    >>> with torsh.DisableTorchFunctionSubclass():
    ...     print(type(x + 1).__name__)
    Tensor
    """

    def __enter__(self) -> None:
        _thread.disabled += 1

    def __exit__(self, *exc: object) -> None:
        _thread.disabled -= 1


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """Inside, neither subclasses' overrides nor modes are asked.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> class Labelled(torsh.Tensor):
    ...     pass
    >>> x = torsh.zeros(1).as_subclass(Labelled)
    >>> with torsh.DisableTorchFunction():
    ...     print(type(x + 1).__name__)
    Tensor
    """

    def __enter__(self) -> None:
        super().__enter__()
        self._modes, _thread.modes = _thread.modes, ()

    def __exit__(self, *exc: object) -> None:
        _thread.modes = self._modes
        super().__exit__(*exc)


class TorchFunctionMode:
    """A context in which ``__torch_function__(self, func, types, args, kwargs)`` sees every call of torsh's functions.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.TorchFunctionMode

    >>> import torsh
    >>> from torsh.overrides import TorchFunctionMode
    >>> class Log(TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Log():
    ...     _ = torsh.exp(torsh.zeros(1))
    zeros
    exp
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __torch_function__")

    def __enter__(self) -> Any:
        _thread.modes = (*_thread.modes, self)
        state.overrides = True
        state.busy += 1
        return self

    def __exit__(self, *exc: object) -> None:
        _thread.modes = _thread.modes[:-1]
        state.busy -= 1


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether any of the arguments (or a mode) overrides torsh's functions.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.has_torch_function

    >>> import torsh
    >>> from torsh.overrides import has_torch_function
    >>> has_torch_function((torsh.tensor([1.]),))
    False
    """
    return bool(_thread.modes) or (not _thread.disabled and any(_overrides(a) for a in relevant_args))


def has_torch_function_unary(arg: Any) -> bool:
    """``has_torch_function`` for one argument.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.has_torch_function_unary

    >>> import torsh
    >>> from torsh.overrides import has_torch_function_unary
    >>> has_torch_function_unary(torsh.tensor([1.]))
    False
    """
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """``has_torch_function`` for arguments given one by one.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.has_torch_function_variadic

    >>> import torsh
    >>> from torsh.overrides import has_torch_function_variadic
    >>> has_torch_function_variadic(torsh.tensor([1.]), 2)
    False
    """
    return has_torch_function(args)


def is_tensor_like(inp: Any) -> bool:
    """Whether an object is a Tensor or overrides torsh's functions.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.is_tensor_like.html

    >>> import torsh
    >>> from torsh.overrides import is_tensor_like
    >>> class Like:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return 42
    >>> is_tensor_like(Like()), is_tensor_like(3)
    (True, False)
    >>> torsh.add(Like(), 1)
    42
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function is one of Tensor's methods or a property's getter.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.is_tensor_method_or_property

    >>> import torsh
    >>> from torsh.overrides import is_tensor_method_or_property
    >>> is_tensor_method_or_property(torsh.Tensor.add)
    True
    """
    return func in _tensor_members()


def _tensor_members() -> set[Any]:
    members = set()
    for value in vars(Tensor).values():
        members.add(value.fget if isinstance(value, property) else value) if callable(value) or isinstance(
            value, property
        ) else None
    return members


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The public name of an overridable function, e.g. ``torch.add``.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.resolve_name

    >>> import torsh
    >>> from torsh.overrides import resolve_name
    >>> resolve_name(torsh.add)
    'torch.add'
    """
    op = getattr(f, "op", None)
    return op.paths[0] if op is not None and op.paths else None


def get_ignored_functions() -> set[Any]:
    """Public functions that cannot be overridden.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.get_ignored_functions

    >>> import torsh
    >>> from torsh.overrides import get_ignored_functions
    >>> torsh.is_tensor in get_ignored_functions()
    True
    """
    import torsh

    names = ("is_tensor", "is_storage", "set_default_dtype", "get_default_dtype", "manual_seed", "set_printoptions", "tensor")
    return {getattr(torsh, n) for n in names if hasattr(torsh, n)}


def get_overridable_functions() -> dict[Any, list[Any]]:
    """Overridable functions by namespace.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.get_overridable_functions

    >>> import torsh
    >>> from torsh.overrides import get_overridable_functions
    >>> torsh.add in get_overridable_functions()[torsh]
    True
    """
    import torsh
    from torsh.ops import NAMES

    found: dict[Any, list[Any]] = {torsh: list(NAMES["torch"].values())}
    found[Tensor] = [v for v in vars(Tensor).values() if callable(v) and hasattr(v, "op")]
    return found


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """Make a function of one's own overridable; ``dispatcher(*args)`` gives the arguments that count.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.wrap_torch_function

    >>> from torsh.overrides import wrap_torch_function
    >>> class Like:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return "handled"
    >>> @wrap_torch_function(lambda x: (x,))
    ... def double(x):
    ...     return 2 * x
    >>> double(Like()), double(2)
    ('handled', 4)
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            relevant = list(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(call, relevant, *args, **kwargs)
            return fn(*args, **kwargs)

        return call

    return decorate


@contextlib.contextmanager
def enable_reentrant_dispatch() -> Iterator[None]:
    """Accepted for programs that use it; overrides are always reentrant here.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.enable_reentrant_dispatch
    """
    yield
