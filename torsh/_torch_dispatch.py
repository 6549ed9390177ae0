"""``__torch_dispatch__``: what modes and Tensor subclasses get asked below autograd, with PyTorch's names of operators.

A mode is an entry on the stack of modes; a subclass is asked where an op has gone through all of them.  Nothing here is imported,
and nothing asked, before the first mode is entered or the first tensor of such a class is made; ``dispatch.state.watched`` counts
them.  Ops that PyTorch computes with others are taken apart first (``ops/_aten_calls.PIECES``).

Source: https://docs.pytorch.org/docs/stable/notes/extending.html#extending-torch-native-api
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from math import prod
from types import SimpleNamespace
from typing import Any

from torsh import dispatch
from torsh._attributes import held
from torsh._custom_op import CustomOp
from torsh.autograd.grad_mode import thread as grad_mode
from torsh.dispatch import Mode, state
from torsh.ops import _aten_calls as calls
from torsh.ops._op import Op, needs_grad
from torsh.ops.aten import OpOverload
from torsh.tensor import PLAIN, Tensor, check_writable, new, version_of

Ask = Callable[..., Any]


class _Thread(threading.local):
    off: int = 0  # inside ``no_dispatch``
    passing: bool = False  # the call that comes next has been looked at


thread = _Thread()


class Counted:
    """Lives in a tensor with a ``__torch_dispatch__`` (and in an entered mode): while there is one, ops take their long paths."""

    __slots__ = ()

    def __init__(self) -> None:
        dispatch.below = below
        with dispatch._lock:
            state.overrides = True
            state.watched += 1
            state.busy += 1

    def __del__(self) -> None:
        with dispatch._lock:
            state.watched -= 1
            state.busy -= 1


def asks(kind: type) -> bool:
    """Whether a class has a ``__torch_dispatch__`` of its own."""
    return kind not in PLAIN and getattr(kind, "__torch_dispatch__", _default) is not _default


_default = Tensor.__torch_dispatch__


def marked(t: Any) -> Any:
    """A tensor of some class, counted if that class is to be asked."""
    if asks(type(t)):
        t._counted = Counted()
    return t


class no_dispatch:
    """Inside, neither modes nor classes are asked."""

    def __enter__(self) -> None:
        thread.off += 1
        self._modes, dispatch._stack.modes = (
            dispatch._stack.modes,
            tuple(m for m in dispatch.modes() if type(m) is not Entry),
        )

    def __exit__(self, *exc: object) -> None:
        thread.off -= 1
        dispatch._stack.modes = self._modes


# ---- tensors without memory --------------------------------------------------------------------------------------------


class Hollow:
    """Stands where the raw array of a wrapper would be: it has a geometry and no values.  Whatever asks for these fails here."""

    __slots__ = ("itemsize", "offset", "shape", "steps")

    def __init__(self, shape: Sequence[int], strides: Sequence[int] | None, offset: int, itemsize: int) -> None:
        self.shape = tuple(int(n) for n in shape)
        if strides is None:
            found: list[int] = []
            step = 1
            for n in reversed(self.shape):
                found.insert(0, step)
                step *= max(n, 1)
            strides = found
        self.steps, self.offset, self.itemsize = tuple(int(s) for s in strides), int(offset), itemsize

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    # As NumPy arrays say it.

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(s * self.itemsize for s in self.steps)

    @property
    def flags(self) -> Any:
        dense = self.is_contiguous()
        return SimpleNamespace(c_contiguous=dense, f_contiguous=dense and self.ndim < 2, forc=dense, contiguous=dense)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"data": (self.offset * self.itemsize, False)}

    # As torch tensors say it.

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        expected = 1
        for n, s in zip(reversed(self.shape), reversed(self.steps)):
            if n != 1 and s != expected and self.size:
                return False
            expected *= n
        return True

    def stride(self) -> tuple[int, ...]:
        return self.steps

    def storage_offset(self) -> int:
        return self.offset

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.values

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            "Cannot access data pointer of Tensor that doesn't have storage: it was made by _make_wrapper_subclass, and holds no values "
            f"of its own (asked for {name!r}). Its __torch_dispatch__ has to handle the operator, or use the tensor inside it"
        )


def make_wrapper(
    cls: type, size: Any, *, strides: Any = None, storage_offset: Any = None, memory_format: Any = None, dtype: Any = None,
    layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
    dispatch_sizes_strides_policy: Any = None, dispatch_device: bool = False, dispatch_layout: bool = False,
    _extra_dispatch_keys: Any = None, storage_size: Any = None,
) -> Any:  # fmt: skip
    """A tensor of a subclass with a shape, dtype and device, and no memory."""
    from torsh import dtypes
    from torsh.device import as_device

    if not isinstance(cls, type) or not issubclass(cls, Tensor):
        raise TypeError(f"cls must be a subclass of Tensor, got {cls!r}")
    if getattr(cls, "__torch_dispatch__", _default) is _default:
        raise RuntimeError(
            f"{cls.__module__}.{cls.__name__} must define __torch_dispatch__ to be made by _make_wrapper_subclass, as there is no memory "
            "to compute with otherwise"
        )
    if dispatch_sizes_strides_policy is not None or dispatch_device or dispatch_layout:
        raise NotImplementedError(
            "_make_wrapper_subclass: torsh asks no __torch_dispatch__ for a tensor's shape, strides, device or layout; give them when the "
            "wrapper is made, without dispatch_sizes_strides_policy, dispatch_device and dispatch_layout"
        )
    kind = dispatch.place_of(as_device(device))[dtype or dtypes.get_default_dtype()]
    if memory_format is not None and strides is None:
        import torsh

        strides = torsh.empty(tuple(size), device="meta", memory_format=memory_format).stride()
    t = new(cls)
    t._kind = kind
    if kind.device.type == "meta":
        import torsh

        t._data = torsh.empty_strided(
            tuple(size), tuple(strides or Hollow(size, None, 0, 1).steps), dtype=kind.dtype, device="meta"
        )._data
    else:
        t._data = Hollow(tuple(size), strides, storage_offset or 0, kind.dtype.itemsize)
    t._rg = False
    if layout is not None and str(layout).rpartition(".")[2] != "strided":
        t._wrapped_layout = layout
    t._counted = Counted()
    if requires_grad:
        t.requires_grad = True
    return t


# ---- asking ------------------------------------------------------------------------------------------------------------


def _tensors(values: Any) -> Iterator[Tensor]:
    for v in values:
        if isinstance(v, Tensor):
            yield v
        elif type(v) is tuple or type(v) is list:
            yield from _tensors(v)


def _classes(values: Any) -> list[type]:
    """The classes to be asked, subclasses before their bases, else in the order of arguments."""
    found: list[type] = []
    for t in _tensors(values):
        kind = type(t)
        if kind not in PLAIN and kind not in found and asks(kind):
            at = next((i for i, k in enumerate(found) if issubclass(kind, k)), len(found))
            found.insert(at, kind)
    return found


def _ask_classes(classes: list[type]) -> Ask:
    def ask(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for kind in classes:
            found = kind.__torch_dispatch__(func, tuple(classes), args, kwargs)  # type: ignore[attr-defined]
            if found is not NotImplemented:
                return found
        listed = "\n".join(f"  - tensor subclass {kind}" for kind in classes)
        raise TypeError(
            f"Multiple dispatch failed for 'torch.ops.{func}'; all __torch_dispatch__ handlers returned NotImplemented:\n\n{listed}\n\n"
            "Let one of them handle the operator"
        )

    return ask


class Entry(Mode):
    """A ``TorchDispatchMode`` on the stack of modes."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def ask(self, func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the mode makes of a call; the classes among the arguments are asked where it makes nothing of it."""
        classes = _classes((*args, *kwargs.values()))
        for kind, rule in func._op.modes if isinstance(getattr(func, "_op", None), CustomOp) else ():
            if isinstance(self.owner, kind):
                return rule(self.owner, func, tuple(classes), args, kwargs)
        asked = self.owner.__torch_dispatch__
        if getattr(asked, "__self__", None) is type(self.owner):
            raise RuntimeError(
                f"Defining your mode's `__torch_dispatch__` as a classmethod is not supported, please make it a plain method: "
                f"{type(self.owner).__name__}"
            )
        return asked(func, tuple(classes), args, kwargs)

    def intercept(self, op: Op, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        return _dispatched(op, args, self.ask, proceed, self)


class _Again:
    """The modes as they were before one of them was asked."""

    def __init__(self, entry: Entry | None) -> None:
        self.entry = entry

    def __enter__(self) -> None:
        self.before = dispatch._stack.modes
        if self.entry is not None:
            dispatch._stack.modes = (*self.before, self.entry)

    def __exit__(self, *exc: object) -> None:
        dispatch._stack.modes = self.before


class _Without:
    """Without the mode on top, and with nothing recorded: what is inside a ``__torch_dispatch__``."""

    def __init__(self, entry: Entry | None = None) -> None:
        self.entry = entry

    def __enter__(self) -> None:
        self.modes, self.enabled = dispatch._stack.modes, grad_mode.enabled
        if self.entry is not None:
            dispatch._stack.modes = self.modes[:-1]
        grad_mode.enabled = False

    def __exit__(self, *exc: object) -> None:
        dispatch._stack.modes, grad_mode.enabled = self.modes, self.enabled


def below(op: Op, args: tuple[Any, ...], run: Callable[..., Any]) -> Any:
    """Run an op that has gone through all modes: the classes of its arguments are asked now."""
    if not state.watched or thread.off:
        return run(*args)
    classes = _classes(args)
    return _dispatched(op, args, _ask_classes(classes), run, None) if classes else run(*args)


def _dispatched(op: Op, args: tuple[Any, ...], ask: Ask, proceed: Callable[..., Any], entry: Entry | None) -> Any:
    if isinstance(op, CustomOp):  # records itself, and asks below that
        with _Again(entry):
            return op._run(*args)
    made_of = calls.pieces(op, args)
    tracked = grad_mode.enabled and "nondifferentiable" not in op.tags and any(t._rg for t in _tensors(args))
    if made_of is None and tracked and not op.grads and op.decompose is not None:
        made_of = lambda *a: op._pack(op.decompose(*a))  # type: ignore[misc]
    if made_of is not None:
        with _Again(entry):
            return made_of(*args)
    func, given, named = calls.call_of(op, args)
    with _Without():
        found = ask(func, given, named)
    if found is NotImplemented:
        return proceed(*args)
    if getattr(func, "_opname", None) == "convolution_backward":  # of the three gradients, the one that was asked for
        found = found[1]
    return _settled(op, args, found, tracked)


def _settled(op: Op, args: tuple[Any, ...], found: Any, tracked: bool) -> Any:
    """The answer as the result of the op: with its place in the graph, and as a view where the op is one."""
    several = isinstance(found, (tuple, list))
    outs: list[Any] = list(found) if several else [found]
    inputs = list(_tensors(args))
    for i, out in enumerate(outs):
        if isinstance(out, Tensor) and any(out is t for t in inputs):
            with _Without():
                outs[i] = out.detach()
    if op.view and inputs:
        for i, out in enumerate(outs):
            if isinstance(out, Tensor):
                _as_view(op, args, out, i if several else None, inputs[0])
    if tracked and op.grads:
        op.record(args, outs)
    if not several:
        return outs[0]
    return op._pack(outs) if op.returns is not None else tuple(outs)


def _as_view(op: Op, args: tuple[Any, ...], out: Tensor, part: int | None, of: Tensor) -> None:
    """Mark an answer as a view of the first argument, made anew from its base by the op itself."""
    base = of if of._base is None else of._base
    out._rg = False
    out._made = "multi" if part is not None and grad_mode.enabled else of._made
    if type(out) in PLAIN and out._base is not None:
        return
    before = of._replay or (lambda t: t)
    params = args[1:]
    out._base, out._vc = base, version_of(base)
    out._gf_version = out._vc.version
    out._replay = (lambda t: op(before(t), *params)) if part is None else (lambda t: op(before(t), *params)[part])


# ---- functions that are no primitives: what PyTorch has an operator for, and what writes ---------------------------------------

# Functions whose operator has another name.
_OPERATORS = {"item": "_local_scalar_dense", "rand": "rand", "tensor": ""}


def _asked_first(values: Any) -> tuple[Ask, Entry | None] | None:
    """Who is to be asked about a call just now: the mode on top, or where there are no modes at all, the classes."""
    if thread.off:
        return None
    stack = dispatch._stack.modes
    if stack:
        top = stack[-1]
        return (top.ask, top) if type(top) is Entry else None
    classes = _classes(values)
    return (_ask_classes(classes), None) if classes else None


def handler(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """What takes over a call of a function, or None."""
    if thread.passing:
        thread.passing = False
        return None
    return _call if _asked_first((*args, *kwargs.values())) is not None else None


def _pass(fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    thread.passing = True
    try:
        return fn(*args, **kwargs)
    finally:
        thread.passing = False


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    op = getattr(fn, "op", None)
    name = op.name if op is not None else getattr(fn, "__name__", "")
    if kwargs.get("out") is not None or (op is not None and "composite" not in op.tags and op.inplace is not fn):
        return _pass(fn, args, kwargs)
    given = {k: v for k, v in kwargs.items() if k not in ("requires_grad", "out")}
    call = calls.bind(_OPERATORS.get(name, name), args, given)
    if call is None or call[0].implicit:
        return _pass(fn, args, kwargs)
    if call[0].schema.is_mutable:
        return _write(call, fn, args, kwargs)
    differentiable = name != "item" and not name.startswith("new_") and not name.endswith("_like")
    if differentiable and needs_grad(*_tensors((*args, *kwargs.values()))):
        return _pass(fn, args, kwargs)  # recorded as what it is made of
    asked = _asked_first((*args, *kwargs.values()))
    assert asked is not None
    call = _placed(call)
    with _Without(asked[1]):
        found = asked[0](*call)
    if found is NotImplemented:
        return _pass(fn, args, kwargs)
    return found.requires_grad_() if kwargs.get("requires_grad") else found


def _placed(call: calls.Call) -> calls.Call:
    """A call of a factory with the device and the kind of memory written out, as PyTorch's functions do."""
    func, args, kwargs = call
    names = {a.name for a in func.schema.arguments}
    if "pin_memory" not in names:
        return call
    if not any(True for _ in _tensors(args)) and "device" in names and kwargs.get("device") is None:
        from torsh.device import get_default_device

        kwargs = {**kwargs, "device": get_default_device()}
    order = [a.name for a in func.schema.arguments]
    kwargs = {"pin_memory": False, **kwargs}
    return func, args, {k: kwargs[k] for k in sorted(kwargs, key=order.index)}


def custom(op: CustomOp, args: tuple[Any, ...]) -> Any:
    """What a mode or class makes of a call of a custom operator; NotImplemented where nobody is asked."""
    asked = _asked_first(args)
    if asked is None:
        return NotImplemented
    with _Without(asked[1]):
        return asked[0](*calls.call_of(op, args))


def write_handler(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """What takes over a call of an in-place form, or None."""
    if thread.passing:
        thread.passing = False
        return None
    return _call_write if _asked_first((*args, *kwargs.values())) is not None else None


def _call_write(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = calls.bind(fn.__name__, args, kwargs)
    return _pass(fn, args, kwargs) if call is None or call[0].implicit else _write(call, fn, args, kwargs)


def _write(call: calls.Call, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An operator that writes to its first argument.  Where the write is recorded it is computed apart, and copied in."""
    target = args[0]
    recorded = needs_grad(*_tensors((*args, *kwargs.values())))
    if recorded:
        return _pass(fn, args, kwargs)
    check_writable(target, call[0]._opname)
    asked = _asked_first((*args, *kwargs.values()))
    assert asked is not None
    version = _version(target)
    with _Without(asked[1]):
        found = asked[0](*call)
    if found is NotImplemented:
        return _pass(fn, args, kwargs)
    if _version(target) == version:
        target._bump(call[0]._opname)
    return target


def _version(t: Tensor) -> int:
    return 0 if t._vc is None else t._vc.version


def assigned(t: Tensor, result: Tensor) -> bool:
    """Let the class of a tensor carry out a write of values computed apart; False where it is not to be asked."""
    if thread.off or not asks(type(t)):
        return False
    with _Without():
        _ask_classes(_classes((t, result)))(*calls.of("copy_", t, result.detach()))
    return True


def detached(t: Tensor) -> Tensor | None:
    """What ``detach`` gives for a tensor whose class, or a mode, is to be asked."""
    asked = _asked_first((t,))
    if asked is None:
        return None
    with _Without(asked[1]):
        found = asked[0](*calls.of("detach", t))
    if found is NotImplemented:
        return None
    if found is t:
        found = copied(t)
    found._gf, found._nr, found._rg = None, 0, False
    return found  # type: ignore[no-any-return]


def copied(t: Tensor) -> Tensor:
    """Another tensor object of the same class, memory and attributes, outside the graph."""
    out = new(type(t))
    held(out).update(held(t))
    for kind in type(t).__mro__:
        for slot in getattr(kind, "__slots__", ()):
            if hasattr(t, slot) and slot not in ("__dict__", "__weakref__"):
                setattr(out, slot, getattr(t, slot))
    out._gf, out._nr, out._rg, out._grad, out._hooks = None, 0, False, None, None
    out._vc = version_of(t)
    return out  # type: ignore[no-any-return]
