"""What happens in a call while autocast is on.

The public function of every op asks ``_overriding.override_of`` where anybody may want to take the call over; while autocast is on in
some thread, that asks ``handler`` here.  A function of the list is called again with its floating tensors cast and autocast
off, so that what it is made of is left alone; any other function is just called, and the functions that it calls ask anew.
While autocast is off nothing here is even imported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from torsh import dispatch, dtypes
from torsh.amp._lists import ALONE, FLOAT32, FLOAT32_UNLESS_DTYPE, NARROW, REFUSED, WIDEST, policy_of
from torsh.dispatch import state
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Tensor


class _Thread(threading.local):
    def __init__(self) -> None:
        self.enabled: set[str] = set()  # device types
        self.dtypes: dict[str, Dtype] = {"cpu": dtypes.bfloat16}
        self.off = 0  # depth of what runs with autocast off whatever is enabled
        self.passing = False  # whether the next call to ask has been looked at already
        self.cache_enabled = True
        self.nesting = 0
        # (id of a weight, whether recorded) -> (the weight, its version, the cast): the weight is kept so that its id stays its own.
        self.cache: dict[tuple[int, bool], tuple[Tensor, int, Tensor]] = {}


thread = _Thread()


class _Asking:
    """What ``state.overrides`` is while only autocast needs to be asked: true, and told apart from what is set for good."""

    def __bool__(self) -> bool:
        return True


_ASKING: Any = _Asking()


def enable(device: str, on: bool) -> None:
    """Switch autocast on or off for a device type in this thread."""
    before = bool(thread.enabled)
    (thread.enabled.add if on else thread.enabled.discard)(device)
    change = bool(thread.enabled) - before
    if not change:
        return
    with dispatch._lock:
        state.autocasts += change
        state.busy += change
        if state.autocasts and state.overrides is False:
            state.overrides = _ASKING
        elif not state.autocasts and state.overrides is _ASKING:
            state.overrides = False


def dtype_on(device: str) -> Dtype | None:
    """The dtype that calls on a device type are cast to now; None while autocast is off there."""
    return thread.dtypes.get(device, dtypes.float16) if device in thread.enabled and not thread.off else None


class switched_off:
    """Autocast off in this thread, for the insides of an op and for gradient rules, whatever ``is_autocast_enabled`` says."""

    def __enter__(self) -> None:
        thread.off += 1

    def __exit__(self, *exc: object) -> None:
        thread.off -= 1


class switched_on:
    """Autocast as the user set it, for the user's own code called from inside ``switched_off``."""

    def __enter__(self) -> None:
        self._before, thread.off = thread.off, 0

    def __exit__(self, *exc: object) -> None:
        thread.off = self._before


def active() -> bool:
    """Whether calls in this thread are being cast."""
    return bool(thread.enabled) and not thread.off


def handler() -> Callable[..., Any] | None:
    """What takes a call over, or None where autocast is off in this thread or has seen the call."""
    if not active():
        return None
    if thread.passing:
        thread.passing = False
        return None
    return _call


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    op = getattr(fn, "op", None)
    if op is not None:
        for device in thread.enabled:
            policy = policy_of(device, op.name, args, kwargs)
            if policy is not None and kwargs.get("out") is None and _any_on(device, (*args, *kwargs.values())):
                target = _target(policy, op.name, device, args, kwargs)
                if target is None and policy != ALONE:
                    break
                with switched_off():
                    return fn(
                        *[cast(a, target, device) for a in args],
                        **{k: cast(v, target, device) for k, v in kwargs.items()},
                    )
    thread.passing = True
    try:
        return fn(*args, **kwargs)
    finally:
        thread.passing = False


def _target(policy: str, name: str, device: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Dtype | None:
    values = (*args, *kwargs.values())
    if policy == NARROW:
        return dtype_on(device)
    if policy == FLOAT32:
        return dtypes.float32
    if policy == ALONE:
        return None
    if policy == FLOAT32_UNLESS_DTYPE:
        return None if any(isinstance(v, Dtype) for v in values) else dtypes.float32
    if policy == WIDEST:
        found = {t.dtype for t in _tensors(values) if _eligible(t, device)}
        if not found <= {dtypes.float32, dtype_on(device)}:
            raise RuntimeError(
                f"Unexpected floating ScalarType in at::autocast::prioritize: {name.removesuffix('_any')} under autocast takes {dtype_on(device)}, "
                f"float32 and float64, got {', '.join(sorted(map(str, found)))}"
            )
        return dtypes.float32 if dtypes.float32 in found else dtype_on(device)
    if policy == REFUSED:
        raise RuntimeError(
            f"torch.nn.functional.{name} and torch.nn.BCELoss are unsafe to autocast.\nMany models use a sigmoid layer right "
            "before the binary cross entropy layer. In this case, combine the two layers using "
            "torch.nn.functional.binary_cross_entropy_with_logits or torch.nn.BCEWithLogitsLoss, which are safe to autocast."
        )
    raise ValueError(f"autocast's list has {policy!r} for {name}: no such policy")


def _tensors(values: Any) -> Iterator[Tensor]:
    for v in values:
        if isinstance(v, Tensor):
            yield v
        elif type(v) in (list, tuple):
            yield from _tensors(v)


def _any_on(device: str, values: Any) -> bool:
    return any(_eligible(t, device) for t in _tensors(values))


def _eligible(t: Tensor, device: str) -> bool:
    kind = t._kind
    return kind.floating and kind.device.type == device and kind.dtype is not dtypes.float64


def cast(value: Any, target: Dtype | None, device: str) -> Any:
    """A tensor on the device type in another dtype, if it is of a floating dtype but float64; lists of them one by one."""
    if target is None:
        return value
    if isinstance(value, Tensor):
        return _cast(value, target) if _eligible(value, device) and value.dtype is not target else value
    if type(value) in (list, tuple):
        return type(value)([cast(v, target, device) for v in value])
    return value


def _cast(t: Tensor, target: Dtype) -> Tensor:
    from torsh.autograd.grad_mode import thread as recording

    weight = thread.cache_enabled and t.dtype is dtypes.float32 and t._rg and t._base is None and t.grad_fn is None
    if not weight:
        return t.to(target)
    key = (id(t), recording.enabled)
    kept = thread.cache.get(key)
    if kept is None or kept[1] != t._version or kept[2].dtype is not target:
        kept = thread.cache[key] = (t, t._version, t.to(target))
    return kept[2]
