"""Whether operations are recorded for differentiation: no_grad, enable_grad, set_grad_enabled, inference_mode.

Each is a context manager and a decorator; the setting belongs to the thread.
Source: https://docs.pytorch.org/docs/stable/autograd.html#locally-disabling-gradient-computation
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Thread(threading.local):
    enabled: bool = True
    inference: bool = False


thread = _Thread()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require grad are recorded in this thread."""
    return thread.enabled


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on in this thread."""
    return thread.inference


class _Switch:
    """A context manager that sets the thread's grad mode, and a decorator that does so around every call.

    A decorated generator function has the mode inside its body only, not in its consumer's code between items.
    """

    _value: bool
    _inference: bool | None = None

    def __enter__(self) -> None:
        self._previous = (thread.enabled, thread.inference)
        thread.enabled = self._value
        if self._inference is not None:
            thread.inference = self._inference

    def __exit__(self, *exc: object) -> None:
        thread.enabled, thread.inference = self._previous

    def _fresh(self) -> _Switch:
        """A new manager of the same setting: a decorated function may run recursively or in several threads."""
        clone = object.__new__(type(self))
        clone._value, clone._inference = self._value, self._inference
        return clone

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(fn):
            fn.__init__ = self(fn.__init__)  # type: ignore[method-assign]
            return fn
        if inspect.isgeneratorfunction(fn):

            @functools.wraps(fn)
            def generate(*args: Any, **kwargs: Any) -> Any:
                with self._fresh():
                    gen = fn(*args, **kwargs)
                send: Callable[[], Any] = lambda: next(gen)
                try:
                    while True:
                        try:
                            with self._fresh():
                                item = send()
                        except StopIteration as stop:
                            return stop.value
                        try:
                            got = yield item
                        except GeneratorExit:
                            raise
                        except BaseException as e:
                            send = functools.partial(gen.throw, e)
                        else:
                            send = functools.partial(gen.send, got)
                finally:
                    gen.close()

            return generate

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return fn(*args, **kwargs)

        return call


class no_grad(_Switch):
    """Record nothing inside: results do not require grad.

    >>> import torsh
    >>> x = torsh.ones(2, requires_grad=True)
    >>> with torsh.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    _value = False

    def __new__(cls, fn: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if fn is None else made(fn)


class enable_grad(_Switch):
    """Record inside, also within a surrounding ``no_grad``."""

    _value = True

    def __new__(cls, fn: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if fn is None else made(fn)


class set_grad_enabled(_Switch):
    """Set the grad mode at once; as a context manager, only until its end.

    mode: True to record, False not to.
    """

    def __init__(self, mode: bool) -> None:
        self._value = mode
        self._previous = (thread.enabled, thread.inference)
        thread.enabled = mode

    def __enter__(self) -> None:
        thread.enabled = self._value

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        thread.enabled = self._previous[0]
        return super().__call__(fn)

    def _fresh(self) -> _Switch:
        switch: _Switch = enable_grad() if self._value else no_grad()
        return switch


class inference_mode(_Switch):
    """Like ``no_grad``, and results can never take part in a recorded computation.

    mode: False switches a surrounding inference mode off.
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made._value, made._inference = False, True
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self._inference = mode
        self._value = not mode

