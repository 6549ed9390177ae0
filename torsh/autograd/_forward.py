"""Forward mode: levels, which push tangents through every op that runs inside them.

A *level* is a mode.  Tensors that depend on what the level differentiates with respect to carry a tangent of it
(``Tensor._fw``); the level sees every op, lets it run, and gives the results their tangents by the op's rule
(``_forward_rules``).  Where no level is on, nothing of this costs anything.

A level lies below the maps of ``vmap`` that it is entered in, so that it sees whole batches: the reverse engine works on
these, and what its nodes keep has tangents.  The tangent of an example is the example of the batch's tangent.

Tangents are not written to, with one exception: the tangent of memory that is written in parts through views belongs to that
memory alone (``_fw_own``), and the parts of it are the views' tangents.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd.engine import Node
from torsh.dispatch import Mode, _lock, _stack, state
from torsh.tensor import Tensor


class _Switch(threading.local):
    enabled: bool = True


switch = _Switch()


class Level(Mode):
    """One directional derivative (or several at once, where tangents are batches of a ``Directions`` below)."""

    def __init__(self) -> None:
        # Tensors from outside that got a tangent by a write through a view of theirs.
        self.touched: list[weakref.ref[Tensor]] = []

    def __enter__(self) -> Level:
        place_below_maps(self)
        with _lock:
            state.levels += 1
        return self

    def __exit__(self, *exc: object) -> None:
        take_off(self)
        with _lock:
            state.levels -= 1
        for ref in self.touched:
            t = ref()
            if t is not None and t._fw is not None:
                t._fw.pop(self, None)

    # ---- tangents of tensors

    def of(self, t: Tensor) -> Tensor | None:
        """The tangent of a tensor, None for zero."""
        fw, base = t._fw, t._base
        if base is None:
            if fw is not None:
                found = fw.get(self)
                return found[0] if type(found) is tuple else found  # a tuple: it was a view when it got it
            inner = getattr(t, "_physical", None)
            if inner is None:
                return None
            found = self.of(inner)
            return None if found is None else _example(found, t)
        # Of a view: what was noted for it holds for as long as its base's tangent is the one it is a part of.
        source = None if base._fw is None else base._fw.get(self)
        noted = None if fw is None else fw.get(self)
        if noted is not None and noted[1] is source:
            return noted[0]  # type: ignore[no-any-return]
        if source is None or not t._kind.inexact:
            return None
        from torsh.autograd.views import replay_of

        with below(self):
            part = replay_of(t)(self.arranged(base, source))
        self._note(t, (part, base._fw[self]))  # type: ignore[index]
        return part

    def give(self, t: Tensor, tangent: Tensor) -> None:
        """Set the tangent of a tensor."""
        inner = getattr(t, "_physical", None)
        if inner is not None:
            from torsh.func._batched import physical

            self.give(inner, physical(tangent, t._level, int(inner.shape[0])))  # type: ignore[attr-defined]
            return
        base = t._base
        self._note(t, tangent if base is None else (tangent, None if base._fw is None else base._fw.get(self)))

    def _note(self, t: Tensor, value: Any) -> None:
        if t._fw is None:
            t._fw = {self: value}
        else:
            t._fw[self] = value
        node = t._gf
        if node is not None and t._base is None:  # what the node keeps of its output is found again with its tangent
            if node.tangents is None:
                node.tangents = {}
            node.tangents[t._nr] = t._fw

    def arranged(self, t: Tensor, tangent: Tensor) -> Tensor:
        """The tangent of a tensor that is nobody's view, lying in memory as the tensor does: views are taken of both alike."""
        backend = t._kind.backend
        if hasattr(tangent, "_physical") or tangent.is_sparse or not hasattr(backend, "strides"):
            return tangent
        own = t._memory if t._bits else t._data  # type: ignore[attr-defined]
        if tangent._bits == t._bits:
            if backend.strides(own) == backend.strides(tangent._memory if t._bits else tangent._data):
                return tangent
        elif tangent._bits:
            tangent = tangent._computed()
        found: Tensor = (
            tangent.new_empty_strided(tuple(t.shape), t.stride()).copy_(tangent) if _dense(t) else tangent.contiguous()
        )
        self._note(t, found)
        return found

    # ---- ops

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        """Run an op and give its results their tangents."""
        tangents = self.tangents(args) if switch.enabled else None
        if tangents is None:
            return proceed(*args)
        rule = _rules.get(op.name)
        if rule is None or rule[0] is not op:
            rule = _found(op)
        if state.busy != 1:
            return rule[1](self, op, args, tangents, proceed)
        # This is the only mode there is: without it, the ops of the rule may take their short paths.
        with _lock:
            state.busy -= 1
        try:
            return rule[1](self, op, args, tangents, proceed)
        finally:
            with _lock:
                state.busy += 1

    def tangents(self, args: Sequence[Any]) -> list[Any] | None:
        """The tangents of an op's arguments (lists of them for lists), None where none has one."""
        some = False
        found: list[Any] = []
        of = self.of
        for a in args:
            t = type(a)
            if t is Tensor or isinstance(a, Tensor):
                d = of(a)
                if d is not None:
                    some = True
                found.append(d)
            elif (t is list or t is tuple) and a and any(isinstance(x, Tensor) for x in a):
                parts = [of(x) if isinstance(x, Tensor) else None for x in a]
                if any(p is not None for p in parts):
                    some = True
                    found.append(parts)
                else:
                    found.append(None)
            else:
                found.append(None)
        return found if some else None

    def result(self, out: Tensor, tangent: Tensor) -> None:
        """Give a result of an op its tangent, as a tensor of its shape and type."""
        if tangent._kind is not out._kind and tangent.dtype is not out.dtype:
            if tangent._kind.complex and not out._kind.complex:
                tangent = tangent.real
            tangent = tangent.to(out.dtype)
        if tangent._data.shape != out._data.shape:
            tangent = tangent.expand(tuple(out.shape))
        if tangent._fw_own or (tangent._base is not None and tangent._base._fw_own):
            tangent = tangent.clone()  # it will be written to together with other memory
        self.give(out, tangent)

    # ---- writes

    def write(self, t: Tensor, result: Tensor | None) -> None:
        """A tensor's memory was written with a result's values (None: with constants)."""
        if not t._kind.inexact or result is t or not switch.enabled:
            return
        new = None if result is None else self.of(result)
        old = self.of(t)
        if new is None and old is None:
            return
        if new is None:
            new = t.detach().new_zeros(tuple(t.shape))
        elif new._kind is not t._kind and new.dtype is not t.dtype:
            new = new.to(t.dtype)
        if tuple(new.shape) != tuple(t.shape):
            new = new.expand(tuple(t.shape))
        base = t._base
        if base is None or t._detached:
            if (
                old is not None
                and old._fw_own
                and not (old._rg and old.is_leaf)
                and hasattr(old, "_physical") >= hasattr(new, "_physical")
            ):
                old.copy_(new)
            else:
                self.give(t, new.clone() if new._base is not None or new._fw_own else new)
            return
        from torsh.autograd.views import replay_of
        from torsh.func._batched import own_copy

        whole = None if base._fw is None else base._fw.get(self)
        if whole is None:
            whole = own_copy(_blank(base), new)
            self.touched.append(weakref.ref(base))
        elif not whole._fw_own or (hasattr(new, "_physical") and not hasattr(whole, "_physical")):
            whole = own_copy(self.arranged(base, whole), new)
        whole._fw_own = True
        self._note(base, whole)
        part = replay_of(t)(whole)
        part.copy_(new)
        self._note(t, (part, whole))


def _blank(t: Tensor) -> Tensor:
    """Zeros that lie in memory as a tensor does."""
    t = t.detach()
    return t.new_empty_strided(tuple(t.shape), t.stride()).zero_() if _dense(t) else t.new_zeros(tuple(t.shape))  # type: ignore[no-any-return]


def _dense(t: Tensor) -> bool:
    return all(s != 0 or n < 2 for n, s in zip(t.shape, t.stride()))


def _example(found: Tensor, t: Any) -> Tensor:
    from torsh.func._batched import batched

    return batched(found, t._level)


_rules: dict[str, tuple[Any, Callable[..., Any]]] = {}


def _found(op: Any) -> tuple[Any, Callable[..., Any]]:
    from torsh.autograd._forward_rules import rule_of

    found = _rules[op.name] = (op, rule_of(op))
    return found


# ---- the stack of modes ------------------------------------------------------------------------------------------------


def place_below_maps(mode: Mode) -> None:
    """Put a mode on the stack, below the maps of ``vmap`` on top of it."""
    from torsh.func._batched import VmapMode

    stack = _stack.modes
    at = len(stack)
    while at and isinstance(stack[at - 1], VmapMode) and not isinstance(stack[at - 1], directions_type()):
        at -= 1
    _stack.modes = (*stack[:at], mode, *stack[at:])
    with _lock:
        state.busy += 1


def take_off(mode: Mode) -> None:
    """Take a mode off the stack, wherever it is."""
    _stack.modes = tuple([m for m in _stack.modes if m is not mode])
    with _lock:
        state.busy -= 1


def directions_type() -> Any:
    """The class of the map over directions, below a level."""
    from torsh.func._directions import Directions

    return Directions


class below:
    """Inside, ops go to the modes below a level only."""

    def __init__(self, level: Level) -> None:
        self.level = level

    def __enter__(self) -> None:
        stack = self.before = _stack.modes
        for i, m in enumerate(stack):
            if m is self.level:
                _stack.modes = stack[:i]
                return

    def __exit__(self, *exc: object) -> None:
        _stack.modes = self.before


def levels() -> list[Level]:
    """The levels of this thread, outermost first."""
    return [m for m in _stack.modes if isinstance(m, Level)]


# ---- what other parts of torsh ask -------------------------------------------------------------------------------------


def carries(t: Tensor) -> bool:
    """Whether a tensor has a tangent of some level of this thread."""
    return any(level.of(t) is not None for level in levels())


def wrote(t: Tensor, result: Tensor | None) -> None:
    """Memory was written: tangents follow."""
    stack = _stack.modes
    try:
        for i, m in enumerate(stack):
            if isinstance(m, Level):
                _stack.modes = stack[:i]
                m.write(t, result)
    finally:
        _stack.modes = stack


def keep(source: Tensor, copy: Tensor) -> Tensor:
    """Give a tensor of the same values the tangents of another."""
    for level in levels():
        tangent = level.of(source)
        if tangent is not None:
            level.give(copy, tangent)
        elif copy._fw is not None:
            copy._fw.pop(level, None)
    return copy


def handed_on(source: Tensor, out: Tensor) -> None:
    """Give a tensor that is another's values in another form the other's tangents."""
    for level in levels():
        tangent = level.of(source)
        if tangent is not None and level.of(out) is None:
            level.give(out, tangent)


def shown(t: Tensor, tangent: Tensor) -> Tensor:
    """A tangent as users see it: a sparse tensor's, kept as that of its values, is sparse."""
    if not t.is_sparse or tangent.is_sparse or not hasattr(t, "_pattern"):
        return tangent
    from torsh.sparse._tensor import with_values

    return with_values(t._pattern, tangent)


def detached(t: Tensor) -> Tensor:
    """A tensor of the same values outside the graph of reverse mode, with its tangents."""
    if hasattr(t, "_physical"):
        return _example(detached(t._physical), t)
    found = t.detach()
    return keep(t, found) if state.levels else found


def released(t: Tensor) -> Tensor:
    """A tensor of the same values outside the graph of reverse mode, with tangents outside it."""
    if hasattr(t, "_physical"):
        return _example(released(t._physical), t)
    found = t.detach()
    if state.levels:
        for level in levels():
            tangent = level.of(t)
            if tangent is not None:
                with below(level):
                    level.give(found, released(tangent))
    return found


def recorded(t: Tensor) -> bool:
    """Whether a tensor, or a tangent of it, is part of the graph of reverse mode."""
    if t._rg:
        return True
    for level in levels() if state.levels else ():
        tangent = level.of(t)
        if tangent is not None:
            with below(level):
                if recorded(tangent):
                    return True
    return False


def rooted(t: Tensor) -> Tensor:
    """A tensor of the same values in the same place of the graph that counts as nobody's view."""
    if hasattr(t, "_physical"):
        return _example(rooted(t._physical), t)
    if t._rg:
        out: Tensor = t.view_as(t)
        tangents = [(level, level.of(out)) for level in levels()]
        node, number = (out.grad_fn, out._nr)
        out._base, out._fw = None, None
        out._gf, out._nr = node, number
        out._made = None
        for level, d in tangents:
            if d is not None:
                level.give(out, d)
        return out
    return keep(t, t._alias())


def _maps_of(t: Any) -> set[int]:
    """The maps of ``vmap`` that a tensor is an example of."""
    found = set()
    while hasattr(t, "_physical"):
        found.add(t._level)
        t = t._physical
    return found


def dual(level: Level, primal: Tensor, tangent: Tensor) -> Tensor:
    """A tensor of the same values with a tangent."""
    from torsh.func._batched import VmapMode, pull, push

    if (wanted := _maps_of(tangent)) and (missing := wanted - _maps_of(primal)):
        for m in _stack.modes:
            if isinstance(m, VmapMode) and not isinstance(m, directions_type()) and m.level in missing:
                primal = push(pull(primal, m.level, m.size), m.level)
    out = rooted(primal)
    level.give(out, tangent)
    return out


__all__ = ["Level", "Node", "below", "carries", "detached", "dual", "keep", "levels", "rooted", "switch", "wrote"]
