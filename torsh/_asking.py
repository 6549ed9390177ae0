"""Members of Tensor that are not ops ask ``__torch_function__`` too, from the moment somebody could answer.

Ops ask for themselves (``ops._overriding``).  Properties (``x.shape``) and plain methods (``x.backward``) do not, so that ordinary
tensors pay nothing, until the first subclass of a program is made or the first ``TorchFunctionMode`` entered: then ``install``
gives each of them a form that asks first.  Properties and functions stay the objects they were: a handler's table that has
``Tensor.shape.__get__`` or ``Tensor.backward`` for a key answers whenever it was written.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from torsh.dispatch import state
from torsh.tensor import PLAIN, Tensor

# Methods that ask for themselves.
ASKING = frozenset({"__getitem__", "__setitem__", "__eq__"})
# These, and methods that PyTorch does not let anybody take over.
IGNORED = ASKING | frozenset(
    "__new__ __init_subclass__ __hash__ __iter__ __delitem__ __torch_function__ __torch_dispatch__ __array_namespace__ __setattr__ "
    "as_subclass new new_tensor stride reinforce eig lstsq solve symeig to_padded_tensor _repr_html_ _alias _bump _retain_with "
    "_typed_storage _make_subclass _make_wrapper_subclass".split()
)
# Methods among the ops' files that are none.
_OTHERS = frozenset(
    "__float__ __int__ __complex__ __index__ __bool__ __nonzero__ __format__ __array__ __array_wrap__ __contains__ data_ptr "
    "storage_offset float_power_".split()
)
_HOMES = ("torsh.tensor", "torsh.tensor_methods", "torsh.tensor_copies", "torsh.tensor_memory")
_installed = False


def noticed(cls: type) -> None:
    """A subclass of Tensor was made: from now on ops ask, and so does everything else if the class is a program's."""
    if cls.__dict__.get("_plain", False):  # torsh's own: ops that meet one say so
        return
    if cls.__module__.partition(".")[0] == "torsh":
        state.overrides = bool(state.overrides) or "__torch_function__" in cls.__dict__
        return
    from torsh import overrides

    if getattr(cls.__torch_function__, "__func__", None) is overrides._DEFAULT and _dispatches(cls):
        # A class that sees the operators below has no part in the functions above, as in PyTorch, unless it says so.
        cls.__torch_function__ = overrides._disabled_torch_function_impl  # type: ignore[attr-defined]
    if cls.__torch_function__ is not overrides._disabled_torch_function_impl:  # type: ignore[attr-defined]
        state.overrides = True
        install()


def _dispatches(cls: Any) -> bool:
    return getattr(cls.__torch_dispatch__, "__func__", cls.__torch_dispatch__) is not getattr(
        Tensor.__torch_dispatch__, "__func__", Tensor.__torch_dispatch__
    )


def plain_methods() -> Iterator[tuple[str, Any]]:
    """Tensor's methods that are no ops and may be taken over, by name."""
    for name, value in vars(Tensor).items():
        if inspect.isfunction(value) and name not in IGNORED and not hasattr(value, "op"):
            if name in _OTHERS or value.__module__ in _HOMES:
                yield name, value


def properties() -> Iterator[tuple[str, property]]:
    """Tensor's properties, by name."""
    for name, value in vars(Tensor).items():
        if isinstance(value, property):
            yield name, value


def ask(api: Callable[..., Any], run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What those give who may take a call over, or what ``run`` gives."""
    from torsh import overrides

    handler = overrides.handler(args, kwargs, foreign=True)
    return run(*args, **kwargs) if handler is None else handler(api, args, kwargs)


def overridable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a function that is no op: it asks where its first argument is no ordinary tensor, or a mode is on."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) in PLAIN and not state.busy:
            return fn(*args, **kwargs)
        return ask(call, fn, args, kwargs)

    call._overridable = True  # type: ignore[attr-defined]
    return call


def overridable_by_name(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``overridable`` for a function whose handlers get all arguments by name, those left out too (``nn.init``'s)."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) in PLAIN and not state.busy:
            return fn(*args, **kwargs)
        bound = inspect.signature(fn).bind(*args, **kwargs)
        bound.apply_defaults()
        return ask(call, fn, (), bound.arguments)

    call._overridable = True  # type: ignore[attr-defined]
    return call


def _template(*args: Any, **kwargs: Any) -> Any:
    asking: Any = "ASK"  # ``_let_ask`` puts what asks in the place of the text
    return asking(args, kwargs)


def _let_ask(fn: FunctionType) -> None:
    """Make a function ask first.  It stays the same object; what it did is done by a copy."""
    copy = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    copy.__kwdefaults__, copy.__qualname__ = fn.__kwdefaults__, fn.__qualname__

    def asking(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) == 1 and not kwargs and type(args[0]) in PLAIN and not state.busy:
            return copy(args[0])
        return ask(fn, copy, args, kwargs)

    code: CodeType = _template.__code__
    fn.__signature__ = inspect.signature(fn)  # type: ignore[attr-defined]
    fn.__code__ = code.replace(
        co_consts=tuple(asking if c == "ASK" else c for c in code.co_consts),
        co_name=fn.__code__.co_name, co_qualname=fn.__code__.co_qualname, co_freevars=fn.__code__.co_freevars,
    )  # fmt: skip


def _let_property_ask(name: str, found: property) -> None:
    """Make a property ask first; it stays the same object."""
    read, write, delete = found.fget, found.fset, found.fdel
    assert read is not None

    def fget(self: Any) -> Any:
        if type(self) in PLAIN and not state.busy:
            return read(self)
        return ask(found.__get__, lambda t, owner=None: read(t), (self,), {})

    def fset(self: Any, value: Any) -> None:
        if type(self) in PLAIN and not state.busy:
            write(self, value)  # type: ignore[misc]
        else:
            ask(found.__set__, write, (self, value), {})  # type: ignore[arg-type]

    def fdel(self: Any) -> None:
        ask(found.__delete__, delete, (self,), {})  # type: ignore[arg-type]

    for asking, was in ((fget, read), (fset, write), (fdel, delete)):
        if was is not None:
            functools.update_wrapper(asking, was)
    found.__init__(fget, write and fset, delete and fdel, found.__doc__)  # type: ignore[misc]
    setattr(Tensor, name, found)  # what an interpreter remembers of the class is out of date


def install() -> None:
    """From now on all members of Tensor ask.  Doing it again does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    done: set[int] = set()
    for name, found in list(properties()):
        if id(found) not in done:
            done.add(id(found))
            _let_property_ask(name, found)
    for _, method in list(plain_methods()):
        if id(method) not in done:
            done.add(id(method))
            _let_ask(method)
