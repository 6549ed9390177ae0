"""History of memory that several tensors share: in-place writes to views and to their bases."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd.engine import Node, edge_of
from torsh.tensor import Tensor

Geometry = tuple[tuple[int, ...], tuple[int, ...], int]


def geometry_in_base(view: Tensor) -> Geometry:
    """(shape, strides, offset) of a view, in elements, counted from its base's first element."""
    backend = view._kind.backend
    base = view._base
    assert base is not None
    shape, strides, start = backend.geometry(view._data)
    _, _, base_start = backend.geometry(base._data)
    return shape, strides, (start - base_start) // view._kind.dtype.itemsize


def replay_of(view: Tensor) -> Callable[[Tensor], Tensor]:
    """How to make a tensor again from its base (from itself, if it is none's view)."""
    if view._base is None:
        return lambda base: base
    if view._replay is not None:
        return view._replay
    geometry = geometry_in_base(view)
    return lambda base: _strided(base, geometry)


def chained(view: Tensor, of: Tensor) -> Callable[[Tensor], Tensor]:
    """How to make a view of a view again, where the latter has a replay and geometry says the rest."""
    backend = view._kind.backend
    shape, strides, start = backend.geometry(view._data)
    offset = (start - backend.geometry(of._data)[2]) // view._kind.dtype.itemsize
    before = of._replay
    assert before is not None
    return lambda base: _strided(before(base), (shape, strides, offset))


def _strided(t: Tensor, geometry: Geometry) -> Tensor:
    from torsh.ops.storage import strided_view

    found: Tensor = strided_view(t, *geometry, t.stride())
    return found


class AsStridedBackward0(Node):
    """The gradient of a view whose history was made anew from its base's."""

    def __init__(self, base: Tensor, geometry: Geometry) -> None:
        super().__init__()
        edge, number = edge_of(base)
        self.edges, self.numbers = (edge,), (number,)
        self.base_geometry = _own_geometry(base)
        self.geometry = geometry

    def apply(self, grads: Any) -> Sequence[Any]:
        whole = _blank(grads, self.base_geometry)
        whole.as_strided(*self.geometry).add_(grads)
        return (whole,)


class CopySlices(Node):
    """A write into a part of a tensor: the old values of that part get no gradient, the written ones get theirs."""

    def __init__(self, base: Tensor, part: Callable[[Tensor], Tensor], result: Tensor | None) -> None:
        super().__init__()
        old = edge_of(base) if base._rg else (None, 0)
        written = edge_of(result) if result is not None and result._rg else (None, 0)
        self.edges, self.numbers = (old[0], written[0]), (old[1], written[1])
        self.base_geometry = _own_geometry(base)
        self.part = part

    def apply(self, grads: Any) -> Sequence[Any]:
        whole = _blank(grads, self.base_geometry).copy_(grads)
        part = self.part(whole)
        of_written = part.clone()
        part.zero_()
        return (whole, of_written)


class ErasedBackward0(Node):
    """A tensor was filled with values that have no history: nothing flows to the old ones."""

    def __init__(self, t: Tensor) -> None:
        super().__init__()
        edge, number = edge_of(t)
        self.edges, self.numbers = (edge,), (number,)

    def apply(self, grads: Any) -> Sequence[Any]:
        return (grads * 0,)


class MovedBackward0(Node):
    """A tensor was moved to another device or backend: its gradient moves back."""

    def __init__(self, t: Tensor) -> None:
        super().__init__()
        edge, number = edge_of(t)
        self.edges, self.numbers = (edge,), (number,)
        self.place = t._kind.place

    def apply(self, grads: Any) -> Sequence[Any]:
        from torsh.ops.conversion import to_place

        return (to_place(grads, self.place),)


def _own_geometry(base: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape, strides, _ = base._kind.backend.geometry(base._data)
    return shape, strides


def _blank(grads: Tensor, geometry: tuple[tuple[int, ...], tuple[int, ...]]) -> Tensor:
    found: Tensor = grads.new_empty_strided(*geometry).zero_()
    return found


def regenerate(view: Tensor) -> None:
    """Give a view the history its base has now, after somebody wrote to the memory."""
    base, vc = view._base, view._vc
    assert base is not None and vc is not None
    if view._replay is not None:
        again = view._replay(base)
        view._gf, view._nr = again._gf, again._nr
    else:
        view._gf, view._nr = AsStridedBackward0(base, geometry_in_base(view)), 0
    view._gf_version = vc.version


def rebase(t: Tensor, result: Tensor | None) -> None:
    """Replace the history of ``t`` (and of its base) after its memory was written with ``result``."""
    base = t._base
    has_history = result is not None and result._rg
    newly = not (t if base is None else base)._rg
    if base is None:
        if has_history:
            assert result is not None
            gf = result.grad_fn
            if gf is None:  # a leaf was copied in as it is
                result = result.view_as(result)
                gf = result._gf
            t._gf, t._nr = gf, result._nr
        else:
            t._gf, t._nr = ErasedBackward0(t), 0
        t._rg = True
        if newly:
            _tell_views(t)
        return
    node = CopySlices(base, replay_of(t), result if has_history else None)
    base._gf, base._nr, base._rg = node, 0, True
    if newly:
        _tell_views(base)
    t._rg = True
    regenerate(t)


def _tell_views(base: Tensor) -> None:
    """Views made while the base did not require grad must ask it for their history from now on.

    They are found by asking the garbage collector who holds the version object that views share.  That is slow, but needed
    only when a tensor with living views starts to require grad; keeping a list would cost every view a tenth of its time.
    """
    vc = base._vc
    if vc is None or sys.getrefcount(vc) <= 3:  # the base, this variable and the argument: no view lives
        return
    for holder in gc.get_referrers(vc):
        owners = [holder]
        if type(holder) is dict:
            owners = [o for o in gc.get_referrers(holder) if isinstance(o, Tensor) and o.__dict__ is holder]
        for view in owners:
            if isinstance(view, Tensor) and view._vc is vc and view._base is base:
                view._rg = True
                view._gf_version = -1
