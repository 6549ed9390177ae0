"""Futures: values to come, and what happens when they have.

Source: https://docs.pytorch.org/docs/stable/futures.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
S = TypeVar("S")


class Future(Generic[T]):
    """A value that another thread sets once.

    devices: the devices on which values may lie; torsh's backends need not be told.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> future = torsh.futures.Future()
    >>> doubled = future.then(lambda f: 2 * f.value())
    >>> future.set_result(21)
    >>> doubled.wait()
    42
    """

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        from torsh.device import device as Device

        for d in devices or ():
            if Device(d).index is None:
                raise ValueError(f"Expected devices to have indices, got {Device(d)}")
        self._condition = threading.Condition()
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], Any]] = []

    def done(self) -> bool:
        """Whether there is a value or an error."""
        return self._done

    def _wait_until_done(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._done)

    def wait(self) -> T:
        """The value, waited for; the error if it ended with one."""
        self._wait_until_done()
        return self.value()

    def value(self) -> T:
        """The value; RuntimeError if it is not there yet, the error if it ended with one."""
        if not self._done:
            raise RuntimeError("completed() is false: the Future has no value yet; call wait()")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]

    def _complete(self, value: Any, error: BaseException | None) -> None:
        with self._condition:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked completed once."
                )
            self._done, self._value, self._error = True, value, error
            callbacks, self._callbacks = self._callbacks, []
            self._condition.notify_all()
        for callback in callbacks:
            callback(self)

    def set_result(self, result: T) -> None:
        """Set the value and run the callbacks.  Raises RuntimeError the second time."""
        self._complete(result, None)

    def set_exception(self, result: BaseException) -> None:
        """End with an error, which ``wait`` and ``value`` raise."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def _when_done(self, callback: Callable[[Any], Any]) -> None:
        with self._condition:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """A future of what ``callback(self)`` gives, called as soon as there is a value."""
        found: Future[S] = Future()

        def run(me: Future[T]) -> None:
            try:
                value = callback(me)
            except Exception as e:
                error = RuntimeError(f"Got the following error when running the callback: {type(e).__name__}: {e}")
                error.__cause__ = e
                found._complete(None, error)
            else:
                found._complete(value, None)

        self._when_done(run)
        return found

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Call ``callback(self)`` as soon as there is a value.  What it raises is logged."""

        def run(me: Future[T]) -> None:
            try:
                callback(me)
            except Exception:
                logging.getLogger("torch.futures").exception("Got the following error when running the callback:")

        self._when_done(run)


def collect_all(futures: Sequence[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of the list of futures, done when all of them are; it ends with the first error.

    Source: https://docs.pytorch.org/docs/stable/futures.html#torch.futures.collect_all

    >>> import torsh
    >>> a, b = torsh.futures.Future(), torsh.futures.Future()
    >>> both = torsh.futures.collect_all([a, b])
    >>> a.set_result(1)
    >>> b.set_result(2)
    >>> [f.wait() for f in both.wait()]
    [1, 2]
    """
    found: Future[list[Future[Any]]] = Future()
    left = len(futures)
    lock = threading.Lock()
    if not left:
        found.set_result([])

    def one_done(f: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            errors = [x._error for x in futures if x._error is not None]
            found._complete(None if errors else list(futures), errors[0] if errors else None)

    for f in futures:
        f._when_done(one_done)
    return found


def wait_all(futures: Sequence[Future[Any]]) -> list[Any]:
    """The values of all futures, waited for; the first error if there is one.

    Source: https://docs.pytorch.org/docs/stable/futures.html#torch.futures.wait_all

    >>> import torsh
    >>> a, b = torsh.futures.Future(), torsh.futures.Future()
    >>> a.set_result(1)
    >>> b.set_result(2)
    >>> torsh.futures.wait_all([a, b])
    [1, 2]
    """
    return [f.wait() for f in collect_all(futures).wait()]
