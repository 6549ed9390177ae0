"""Recording events: a mode that times every op, and named ranges around them."""

from __future__ import annotations

import functools
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from torsh import dispatch
from torsh.dispatch import Mode
from torsh.ops._op import Op
from torsh.profiler.events import Event
from torsh.tensor import Tensor


class _Active(threading.local):
    recorders: tuple[Recorder, ...] = ()


_active = _Active()


class Recorder(Mode):
    """Times ops and ranges of the thread that started it.

    shapes, memory, stack, flops: what is kept besides.  synchronize: wait for the device after each op, so that its
    time is the device's and not that of the launch.
    """

    def __init__(
        self,
        shapes: bool = False,
        memory: bool = False,
        stack: bool = False,
        flops: bool = False,
        synchronize: bool = False,
    ) -> None:
        self.shapes, self.memory, self.stack, self.flops, self.sync = shapes, memory, stack, flops, synchronize
        self.events: list[Event] = []
        self._open: list[Event] = []
        self.began = self.ended = 0

    # ---- on and off; a recorder may be stopped while later modes are still on

    def start(self) -> None:
        self.began = time.perf_counter_ns()
        _active.recorders = (*_active.recorders, self)
        self.__enter__()

    def stop(self) -> None:
        self.ended = time.perf_counter_ns()
        while self._open:
            self.close()
        _active.recorders = tuple(r for r in _active.recorders if r is not self)
        stack = dispatch._stack.modes
        if self in stack:
            dispatch._stack.modes = tuple(m for m in stack if m is not self)
            with dispatch._lock:
                dispatch.state.busy -= 1

    # ---- events

    def open(self, name: str, kind: str) -> Event:
        event = Event(name, kind, threading.get_native_id(), self._open[-1] if self._open else None)
        if event.parent is not None:
            event.parent.children.append(event)
        self._open.append(event)
        self.events.append(event)
        event.start = time.perf_counter_ns()
        return event

    def close(self) -> None:
        event = self._open.pop()
        event.end = time.perf_counter_ns()

    def intercept(self, op: Op, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        name = op.name.removesuffix("_op")
        event = self.open(f"aten::{name}", "cpu_op")
        first = _first(args)
        if self.shapes:
            event.shapes = [_shape(a) for a in args]
            event.dtypes = [_dtype(a) for a in args]
        if self.stack:
            event.stack = _frames()
        try:
            result = proceed(*args)
            if self.sync and first is not None and first._kind.device.type != "cpu":
                first._kind.backend.synchronize(first._kind.device)
        finally:
            self.close()
        first = first if first is not None else _first((result,))
        if first is not None:
            event.device = first._kind.device.type
            event.backend = first._kind.backend.name
            event.source = op.kernels.sources.get(first._kind, "")
        if self.memory and not op.view:
            event.memory = sum(t.numel() * t._kind.dtype.itemsize for t in _tensors(result))
        if self.flops:
            event.flops = flops(name, args, result)
        return result


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in _tensors(v)]
    return []


def _first(args: Any) -> Tensor | None:
    found = _tensors(args)
    return found[0] if found else None


def _shape(a: Any) -> Any:
    if isinstance(a, Tensor):
        return list(a.shape)
    return [_shape(x) for x in a] if isinstance(a, (list, tuple)) and _tensors(a) else []


def _dtype(a: Any) -> str:
    if isinstance(a, Tensor):
        return a.dtype.name
    return "TensorList" if _tensors(a) else "Scalar" if isinstance(a, (int, float, complex)) else ""


def _frames() -> list[str]:
    """The program's own frames, innermost first."""
    found = []
    for frame in reversed(traceback.extract_stack(limit=40)):
        if not frame.filename.startswith("<") and "/torsh/" not in frame.filename and "/torsh_" not in frame.filename:
            found.append(f"{frame.filename}({frame.lineno}): {frame.name}")
    return found


def flops(name: str, args: tuple[Any, ...], result: Any) -> int:
    """Floating point operations of the calls whose number is known: products, convolutions, additions."""
    out = _first((result,))
    tensors = [t for t in args if isinstance(t, Tensor)]
    if out is None or not tensors:
        return 0
    if name in ("mm", "bmm", "matmul", "mv", "dot", "linear"):
        return 2 * out.numel() * int(tensors[0].shape[-1] if tensors[0].ndim else 1)
    if name in ("addmm", "baddbmm") and len(tensors) > 1:
        return 2 * out.numel() * int(tensors[1].shape[-1])
    if name in ("convolution", "conv") and len(tensors) > 1:
        weight = tensors[1].shape
        return 2 * out.numel() * weight[1:].numel()
    return out.numel() if name in ("add", "sub", "mul", "div") else 0


class record_function:
    """A named range in the profile: a ``with`` block, or a decorator.

    name: what it is called.  args: kept for compatibility.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.profiler.record_function.html

    >>> import torsh
    >>> from torsh.profiler import profile, record_function
    >>> with profile() as prof:
    ...     with record_function("my step"):
    ...         _ = torsh.ones(2) + 1
    >>> any(event.key == "my step" for event in prof.key_averages())
    True
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._recorders: tuple[Recorder, ...] = ()

    def __enter__(self) -> record_function:
        self._recorders = _active.recorders
        for r in self._recorders:
            r.open(self.name, "user_annotation")
        return self

    def __exit__(self, *exc: object) -> None:
        for r in self._recorders:
            if r._open and r._open[-1].name == self.name:
                r.close()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def ranged(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return ranged
