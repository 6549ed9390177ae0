"""Who else wants a call: ``__torch_function__`` handlers, autocast, ``__torch_dispatch__``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torsh.dispatch import state


def overriding(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call failed because an argument is of a class that overrides functions and is no Tensor: there was no telling
    when the class was made.  From now on calls ask first.
    """
    from torsh.overrides import has_torch_function

    if not has_torch_function(
        [x for a in (*args, *kwargs.values()) for x in (a if type(a) in (tuple, list) else (a,))]
    ):
        return False
    state.overrides = True
    return True


def override_of(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The __torch_function__ handler that wants this call, or autocast, or None."""
    from torsh import overrides

    found = overrides.handler(args, kwargs)
    if found is None and state.autocasts:
        from torsh.amp import _casting

        found = _casting.handler()
    if found is None and state.watched:
        from torsh import _torch_dispatch

        found = _torch_dispatch.handler(args, kwargs)
    return found


def asked(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """``override_of`` for what writes into its arguments: autocast has no part in it, and torsh's own kinds of tensors (sparse,
    nested, ...) are written to in the usual way.
    """
    from torsh import overrides

    found = overrides.handler(args, kwargs)
    if found is not None and not overrides.has_modes():
        own = ("torsh", "torch")
        if all(
            type(a).__module__.partition(".")[0] in own for a in (*args, *kwargs.values()) if overrides._overrides(a)
        ):
            return None
    if found is None and state.watched:
        from torsh import _torch_dispatch

        found = _torch_dispatch.write_handler(args, kwargs)
    return found


def without_autocast(fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a function gives where the dtype of the result is settled: autocast leaves in-place and ``out=`` forms alone."""
    if not state.autocasts:
        return fn(*args, **kwargs)
    from torsh.amp import _casting

    with _casting.switched_off():
        return fn(*args, **kwargs)
