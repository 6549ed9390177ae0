"""``__torch_function__``: letting Tensor subclasses and other objects take over torsh's functions.

Source: https://docs.pytorch.org/docs/stable/torch.overrides.html
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from torsh import _asking
from torsh._callers import is_ours, warn
from torsh.dispatch import _lock, state
from torsh.tensor import Parameter, Tensor


class _Thread(threading.local):
    disabled: int = 0
    skip: bool = False  # whether the next who asks is told that nobody overrides: ``redispatch_function``
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


def _foreign(x: Any) -> bool:
    """Whether an overriding object is no tensor of torsh's own kinds (sparse, nested, ...)."""
    return "_plain" not in type(x).__dict__


def handler(args: Sequence[Any], kwargs: dict[str, Any], foreign: bool = False) -> Callable[..., Any] | None:
    """``handler(func, args, kwargs)`` that runs the overrides for a call, or None if nobody wants it.

    foreign: whether torsh's own kinds of tensors (sparse, nested, ...) are left out: they have methods and properties of their own.
    """
    if _thread.skip:
        _thread.skip = False
        return None
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
    if foreign and relevant:
        relevant = list(filter(_foreign, relevant))
    if not relevant and not _thread.modes:
        return None
    return lambda func, a, k: _asked(func, relevant, a, k)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
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
    relevant = [] if _thread.disabled else list(filter(_foreign, _candidates(relevant_args)))
    return _asked(public_api, relevant, args, kwargs)


def _asked(public_api: Callable[..., Any], relevant: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    types = tuple(type(a) for a in relevant)
    if _thread.modes:
        mode: Any = _thread.modes[-1]
        asked: Any = mode.__torch_function__
        if getattr(asked, "__self__", None) is not mode:
            raise RuntimeError(
                f"Defining your mode's `__torch_function__` as a classmethod is not supported, please make it a plain method: {type(mode).__name__}"
            )
        previous, _thread.modes = _thread.modes, _thread.modes[:-1]
        try:
            result = asked(public_api, types, args, kwargs)
        finally:
            _thread.modes = previous
        if result is not NotImplemented:
            return result
    for a in relevant:
        function: Any = getattr(a, "__torch_function__")  # noqa: B009  # an instance, of whatever class
        if getattr(function, "__self__", None) is a:
            warn(
                f"Defining your `__torch_function__` as a plain method is deprecated and will be an error in future, please define it as a "
                f"classmethod: {type(a).__name__}",
                UserWarning if _below_python(public_api) else DeprecationWarning,
            )
        result = function(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    nor = f" nor in mode {_thread.modes[-1]}" if _thread.modes else ""
    raise TypeError(
        f"no implementation found for '{_described(public_api)}' on types that implement __torch_function__: "
        f"{[t.__name__ for t in types]}{nor}"
    )


def redispatch_function(func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """Call a function from a ``__torch_function__`` as if nobody overrode it; what it calls in turn may be overridden again.

    torsh's own functions run through without asking, as those of PyTorch that are not written in Python do.
    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.redispatch_function

    >>> import torsh
    >>> from torsh.overrides import handle_torch_function, has_torch_function, redispatch_function
    >>> class Log(torsh.Tensor):
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return redispatch_function(func, types, args, kwargs)
    >>> def square(x):
    ...     return handle_torch_function(square, (x,), x) if has_torch_function((x,)) else x * x
    >>> square(torsh.tensor([3.]).as_subclass(Log))
    square
    mul
    tensor([9.])
    """
    code = getattr(func, "__code__", None)
    if code is None or hasattr(func, "op") or is_ours(code):
        with DisableTorchFunction():
            return func(*args, **(kwargs or {}))
    before, _thread.skip = _thread.skip, True
    try:
        return func(*args, **(kwargs or {}))
    finally:
        _thread.skip = before


def _below_python(func: Callable[..., Any]) -> bool:
    """Whether a function of PyTorch's is not written in Python: it warns programs, not their developers."""
    op = getattr(func, "op", None)
    return op is not None and not (op.paths and str(op.paths[0]).startswith("torch.nn.functional"))


def _described(func: Callable[..., Any]) -> str:
    op = getattr(func, "op", None)
    if op is not None and op.paths:
        return str(op.paths[0])
    return f"{getattr(func, '__module__', '')}.{getattr(func, '__name__', func)}"


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


# Subclasses of Parameter override nothing unless they say so.
Parameter.__torch_function__ = _disabled_torch_function_impl  # type: ignore[method-assign, assignment]


@functools.cache
def get_default_nowrap_functions() -> frozenset[Any]:
    """Functions whose results never get the subclass.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html
    """
    return frozenset({Tensor.grad.__get__})  # type: ignore[attr-defined]


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


class _EnableTorchFunction:
    """Overrides are asked again for as long as the object lives."""

    def __init__(self) -> None:
        self._disabled, _thread.disabled = _thread.disabled, 0

    def __del__(self) -> None:
        _thread.disabled = self._disabled


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
        _push_mode(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _pop_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Any:
        """The mode itself; an older spelling of ``with Mode():``."""
        warn("`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`")
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that lets every call through: a base class for modes that look at some of them only.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html

    >>> import torsh
    >>> from torsh.overrides import BaseTorchFunctionMode
    >>> with BaseTorchFunctionMode():
    ...     torsh.exp(torsh.zeros(1))
    tensor([1.])
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def _push_mode(mode: TorchFunctionMode) -> None:
    _asking.install()
    _thread.modes = (*_thread.modes, mode)
    state.overrides = True
    with _lock:
        state.busy += 1


def _pop_mode() -> TorchFunctionMode:
    mode: TorchFunctionMode = _thread.modes[-1]
    _thread.modes = _thread.modes[:-1]
    with _lock:
        state.busy -= 1
    return mode


@contextlib.contextmanager
def _pop_mode_temporarily() -> Iterator[TorchFunctionMode]:
    mode = _pop_mode()
    try:
        yield mode
    finally:
        _push_mode(mode)


def _get_current_function_mode() -> TorchFunctionMode | None:
    return _thread.modes[-1] if _thread.modes else None


def _get_current_function_mode_stack() -> list[TorchFunctionMode]:
    return list(_thread.modes)


@contextlib.contextmanager
def _enable_torch_function() -> Iterator[None]:
    disabled, _thread.disabled = _thread.disabled, 0
    try:
        yield
    finally:
        _thread.disabled = disabled


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether any of the arguments (or a mode) overrides torsh's functions.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.has_torch_function

    >>> import torsh
    >>> from torsh.overrides import has_torch_function
    >>> has_torch_function((torsh.tensor([1.]),))
    False
    """
    if _thread.skip:
        _thread.skip = False
        return False
    if _thread.modes:
        return True
    try:
        return not _thread.disabled and any(_overrides(a) and _foreign(a) for a in relevant_args)
    except TypeError as e:
        raise TypeError(
            f"has_torch_function(): expected a sequence of arguments, got {type(relevant_args).__name__} ({e})"
        ) from None


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
    from torsh import _overridable

    return func in _overridable.members() or getattr(func, "__name__", "") == "__get__"


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The public name of an overridable function, e.g. ``torch.add``.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.resolve_name

    >>> import torsh
    >>> from torsh.overrides import resolve_name
    >>> resolve_name(torsh.add)
    'torch.add'
    """
    from torsh import _overridable

    schema = getattr(f, "_schema", None)
    if schema is not None:  # an operator of torch.ops
        return str(f)
    return _overridable.table()[1].get(f)


def get_ignored_functions() -> set[Any]:
    """Public functions that cannot be overridden.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.get_ignored_functions

    >>> import torsh
    >>> from torsh.overrides import get_ignored_functions
    >>> torsh.is_tensor in get_ignored_functions()
    True
    """
    from torsh import _overridable

    return set(_overridable.table()[2])


def get_testing_overrides() -> dict[Any, Callable[..., Any]]:
    """For every overridable function a stand-in with the same parameters, which gives -1.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.get_testing_overrides

    >>> import inspect
    >>> import torsh
    >>> from torsh.overrides import get_testing_overrides
    >>> inspect.signature(get_testing_overrides()[torsh.trace])
    <Signature (input)>
    """
    from torsh import _overridable

    return dict(_overridable.stand_ins())


def get_overridable_functions() -> dict[Any, list[Any]]:
    """Overridable functions by namespace.

    Source: https://docs.pytorch.org/docs/stable/torch.overrides.html#torch.overrides.get_overridable_functions

    >>> import torsh
    >>> from torsh.overrides import get_overridable_functions
    >>> torsh.add in get_overridable_functions()[torsh]
    True
    """
    from torsh import _overridable

    return _overridable.table()[0]


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
