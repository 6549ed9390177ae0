"""Helpers of TorchScript that code outside the compiler uses: names of annotations, choosing a function by an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class BroadcastingListCls:
    """For annotations ``BroadcastingList2[int]``: a list of two, or one that stands for both."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1 = BroadcastingListCls()
BroadcastingList2 = BroadcastingListCls()
BroadcastingList3 = BroadcastingListCls()


def boolean_dispatch(
    arg_name: str,
    arg_index: int,
    default: bool,
    if_true: Callable[..., Any],
    if_false: Callable[..., Any],
    module_name: str,
    func_name: str,
) -> Callable[..., Any]:
    """A function that calls ``if_true`` or ``if_false`` by the value of one of its arguments."""

    def fn(*args: Any, **kwargs: Any) -> Any:
        flag = kwargs[arg_name] if arg_name in kwargs else args[arg_index] if arg_index < len(args) else default
        return (if_true if flag else if_false)(*args, **kwargs)

    fn.__doc__ = if_false.__doc__ or if_true.__doc__
    if module_name is not None:
        fn.__module__ = module_name
    if func_name is not None:
        fn.__name__ = func_name
    return fn


def _unchanged(fn: Any) -> Any:
    """The function itself: what PyTorch's compiler is told about it is of no use here."""
    return fn


_copy_to_script_wrapper = _overload = _overload_method = _unchanged
_SAME_AS_JIT = frozenset({"export", "ignore", "unused", "is_scripting", "Final", "Future"})


def __getattr__(name: str) -> Any:
    """The rest of PyTorch's module by this name can be named, and says so when it is used."""
    if name.startswith("__"):
        raise AttributeError(f"module 'torch._jit_internal' has no attribute {name!r}")
    if name in _SAME_AS_JIT:
        from torsh import jit

        return getattr(jit, name)
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._jit_internal.{name}")
