"""Whether operations are recorded for differentiation: no_grad, enable_grad, set_grad_enabled, inference_mode.

Each is a context manager and a decorator; the setting belongs to the thread.
Source: https://docs.pytorch.org/docs/stable/autograd.html#locally-disabling-gradient-computation
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from typing import Any


class _Thread(threading.local):
    enabled: bool = True  # whether operations are recorded: what the call path asks
    inference: bool = False
    asked: bool = (
        False  # in inference mode, where nothing is recorded: whether the grad mode was switched on all the same
    )


thread = _Thread()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require grad are recorded in this thread.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_grad_enabled.html

    >>> import torsh
    >>> with torsh.no_grad():
    ...     print(torsh.is_grad_enabled())
    False
    """
    return thread.enabled or (thread.inference and thread.asked)


def _set_grad_mode(value: bool) -> None:
    """Switch recording on or off; inference mode keeps it off."""
    if thread.inference:
        thread.asked = value
    else:
        thread.enabled = value


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on in this thread.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_inference_mode_enabled.html

    >>> import torsh
    >>> with torsh.inference_mode():
    ...     print(torsh.is_inference_mode_enabled())
    True
    """
    return thread.inference


class _DecoratorContextManager:
    """A context manager that is a decorator, too: it is entered around every call of what it decorates.

    A decorated generator function has the context inside its body only, not in its consumer's code between items.
    """

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> Any:
        raise NotImplementedError

    def clone(self) -> Any:
        """A new manager of the same setting: a decorated function may run recursively or in several threads."""
        return type(self)()

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(fn):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or "
                f"methods; decorate {fn.__name__}.__init__ for what decorating the class does",
                FutureWarning,
                stacklevel=2,
            )
            return functools.wraps(fn, updated=())(self(lambda *args, **kwargs: fn(*args, **kwargs)))
        if inspect.isgeneratorfunction(fn):

            @functools.wraps(fn)
            def generate(*args: Any, **kwargs: Any) -> Any:
                gen = fn(*args, **kwargs)
                step: Callable[[], Any] = functools.partial(gen.send, None)
                while True:
                    try:
                        with self.clone():
                            item = step()
                    except StopIteration as stop:
                        return stop.value
                    try:
                        got = yield item
                    except GeneratorExit:
                        with self.clone():
                            gen.close()
                        raise
                    except BaseException as e:
                        step = functools.partial(gen.throw, e)
                    else:
                        step = functools.partial(gen.send, got)

            return generate

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return fn(*args, **kwargs)

        return call


class _Switch(_DecoratorContextManager):
    """A context manager that sets the thread's grad mode."""

    _value: bool

    def __enter__(self) -> None:
        self.prev = thread.asked if thread.inference else thread.enabled
        _set_grad_mode(self._value)

    def __exit__(self, *exc: object) -> None:
        _set_grad_mode(self.prev)

    def clone(self) -> _Switch:
        found = object.__new__(type(self))
        found._value = self._value
        return found


class no_grad(_Switch):
    """Record nothing inside: results do not require grad.

    A context manager and a decorator (``@torsh.no_grad()``), for the thread it runs in. Factory functions with ``requires_grad=True`` still
    give tensors that require grad.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html

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
    """Record inside, also within a surrounding ``no_grad``.

    A context manager and a decorator (``@torsh.enable_grad()``), for the thread it runs in.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.enable_grad.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> with torsh.no_grad():
    ...     with torsh.enable_grad():
    ...         y = x * 2
    >>> y.requires_grad
    True
    """

    _value = True

    def __new__(cls, fn: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if fn is None else made(fn)


class set_grad_enabled(_Switch):
    """Set the grad mode at once; as a context manager, only until its end.

    mode: True to record, False not to.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_grad_enabled.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> with torsh.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self._value = mode
        self.prev = thread.asked if thread.inference else thread.enabled
        _set_grad_mode(mode)

    def __enter__(self) -> None:
        _set_grad_mode(self._value)

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        _set_grad_mode(self.prev)
        return super().__call__(fn)

    def clone(self) -> _Switch:
        switch: _Switch = enable_grad() if self._value else no_grad()
        return switch


class _unsafe_preserve_version_counter:
    """Inside, writes to a tensor (or a tuple of them) are not counted: autograd does not notice them."""

    def __init__(self, tensors: Any) -> None:
        self.tensors = tensors if isinstance(tensors, (tuple, list)) else (tensors,)

    def __enter__(self) -> None:
        # A write makes the version object that counts it, where there is none.
        self.before = [(t, t._vc, (0, None) if t._vc is None else (t._vc.version, t._vc.write)) for t in self.tensors]

    def __exit__(self, *exc: object) -> None:
        for t, vc, state in self.before:
            if (counted := vc or t._vc) is not None:
                counted.version, counted.write = state


class inference_mode(_Switch):
    """Like ``no_grad``, and the tensors made inside are inference tensors: outside they can neither be written to nor be
    kept for a backward pass (RuntimeError), only read or cloned.

    mode: False switches a surrounding inference mode off.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html

    >>> import torsh
    >>> with torsh.inference_mode():
    ...     y = torsh.ones(2) * 2
    >>> y.is_inference()
    True
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def clone(self) -> _Switch:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        from torsh.autograd import inference

        self._before = (thread.enabled, thread.inference, thread.asked)
        thread.enabled, thread.inference, thread.asked = not self.mode, self.mode, False
        if self.mode:
            inference.begin()

    def __exit__(self, *exc: object) -> None:
        from torsh.autograd import inference

        thread.enabled, thread.inference, thread.asked = self._before
        if self.mode:
            inference.end()
