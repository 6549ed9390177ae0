"""History of memory that several tensors share: in-place writes to views and to their bases."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from torsh._attributes import held
from torsh.autograd._forward import keep
from torsh.autograd.engine import Node, edge_of
from torsh.dispatch import state
from torsh.tensor import Tensor, memory_of

Geometry = tuple[tuple[int, ...], tuple[int, ...], int]


def geometry_in_base(view: Tensor) -> Geometry:
    """(shape, strides, offset) of a view, in elements, counted from its base's first element."""
    backend = view._kind.backend
    base = view._base
    assert base is not None
    shape, strides, start = backend.geometry(memory_of(view))
    _, _, base_start = backend.geometry(base._data)
    return shape, strides, (start - base_start) // view._kind.dtype.itemsize


def replay_of(view: Tensor) -> Callable[[Tensor], Tensor]:
    """How to make a tensor again from its base (from itself, if it is none's view)."""
    if view._base is None:
        return lambda base: base
    if view._replay is not None:
        return view._replay
    geometry = geometry_in_base(view)
    return lambda base: strided(base, geometry)


def chained(view: Tensor, of: Tensor) -> Callable[[Tensor], Tensor]:
    """How to make a view of a view again, where the latter has a replay and geometry says the rest."""
    backend = view._kind.backend
    shape, strides, start = backend.geometry(memory_of(view))
    offset = (start - backend.geometry(memory_of(of))[2]) // view._kind.dtype.itemsize
    before = of._replay
    assert before is not None
    return lambda base: strided(before(base), (shape, strides, offset))


def strided(t: Tensor, geometry: Geometry) -> Tensor:
    """A view of a tensor with this geometry; the offset counts from its first element."""
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
        shape, strides, offset = self.geometry
        if any(s == 0 and n > 1 for n, s in zip(shape, strides)):  # several elements of the view are one of the base
            from torsh.ops.storage import as_strided_grad

            return (as_strided_grad(grads, *self.base_geometry, shape, strides, offset),)
        whole = _blank(grads, self.base_geometry)
        whole.as_strided(shape, strides, offset).add_(grads)
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

    _spoilt = False

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    @property
    def dirty(self) -> Any:  # type: ignore[override]
        """The memory was written again: the nodes whose results were written before learn of it, each once."""
        return None

    @dirty.setter
    def dirty(self, value: dict[int, Any] | None) -> None:
        node: Any = self
        (write,) = (value or {}).values()
        while isinstance(node, CopySlices) and not node._spoilt:
            node._spoilt = True
            assert node.numbers is not None
            written = node.edges[1]
            if isinstance(written, Node) and not isinstance(written, CopySlices):
                written.dirty = {**(written.dirty or {}), node.numbers[1]: write}
            node = node.edges[0]

    def apply(self, grads: Any) -> Sequence[Any]:
        whole = _blank(grads, self.base_geometry).copy_(grads)
        part = self.part(whole)
        of_written = part.clone()
        part.zero_()
        return (whole, of_written)


class CopyBackwards(Node):
    """Another tensor's values were written over a whole tensor: they get the gradient, the old ones get zeros."""

    def __init__(self, t: Tensor, source: Tensor) -> None:
        super().__init__()
        old = edge_of(t) if t._rg else (None, 0)
        written = edge_of(source)
        self.edges, self.numbers = (old[0], written[0]), (old[1], written[1])

    def apply(self, grads: Any) -> Sequence[Any]:
        return (None if self.edges[0] is None else zeros_as(grads), grads)


def copied(t: Tensor, source: Tensor) -> Tensor:
    """``source`` as what is written over ``t``: the result of an operation on both."""
    result = source._alias()
    result._gf, result._rg = CopyBackwards(t, source), True
    return keep(source, result) if state.levels else result


def zeros_as(g: Tensor) -> Tensor:
    """Zeros in the form of a gradient."""
    return g.new_zeros(tuple(g.shape))  # type: ignore[no-any-return]


class ErasedBackward0(Node):
    """A tensor was filled with values that have no history: nothing flows to the old ones."""

    def __init__(self, t: Tensor) -> None:
        super().__init__()
        edge, number = edge_of(t)
        self.edges, self.numbers = (edge,), (number,)

    def apply(self, grads: Any) -> Sequence[Any]:
        return (zeros_as(grads),)


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
    if view._made is not None:
        raise forbidden(view, indirect=True)
    if view._replay is not None:
        again = view._replay(base)
        view._gf, view._nr = again._gf, again._nr
    else:
        view._gf, view._nr = AsStridedBackward0(base, geometry_in_base(view)), 0
    view._gf_version = vc.version
    if view._retains is not None:
        view._retain_with(view._retains[1])


# Why a view must not be written to while recording (``Tensor._made``): what the error says after naming the view.
_CLARIFY = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
    "the inplace either both inside the {} block (if you don't want the inplace to be tracked) or both outside (if you want the "
    "inplace to be tracked)."
)
REASONS = {
    "no_grad": _CLARIFY.format("no_grad"),
    "inference": _CLARIFY.format("inference_mode"),
    "multi": "This view is the output of a function that returns multiple views. Such functions do not allow the output views to "
    "be modified inplace. You should replace the inplace operation by an out-of-place one.",
    "custom": "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to "
    "handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. "
    "This behavior is forbidden. You can fix this by cloning the output of the custom Function.",
}


def forbidden(view: Tensor, indirect: bool = False) -> RuntimeError:
    """The error for a write to a view that cannot tell its base.  indirect: the base was written, and the view is asked for
    its history.
    """
    node, made = view._gf, view._made
    assert made is not None
    changed = "its base or another view of its base has been" if indirect else "is being"
    name = (
        ""
        if node is None
        else f"Output {view._nr} of {node.name().removesuffix('Backward0').removesuffix('Backward')} is "
    )
    if node is not None and made in ("multi", "custom"):
        text = f"{name}a view and {changed} modified inplace. "
    else:
        text = f"{name}a view of a view which was created in" if name else "A view was created in"
        text += (
            f" inference mode and {changed} modified inplace in normal mode. " if made == "inference"
            else f" no_grad mode and {changed} modified inplace with grad mode enabled. "
        )  # fmt: skip
    return RuntimeError(text + REASONS[made])


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
        if t._vc is not None:
            t._vc.source = (t._gf, t._nr)
        if t._retains is not None:
            t._retain_with(t._retains[1])
        if newly:
            tell_views(t)
        return
    node = CopySlices(base, replay_of(t), result if has_history else None)
    base._gf, base._nr, base._rg = node, 0, True
    if base._vc is not None:
        base._vc.source = (node, 0)
    if newly:
        tell_views(base, told=1)
    t._rg = True
    regenerate(t)


def tell_views(base: Tensor, has_history: bool = True, told: int = 0) -> None:
    """Views made while the base did not require grad do so now.

    has_history: whether they must ask it for their history.  told: how many views know already.  The others are found by asking
    the garbage collector who holds the version object that views share.  That is slow, but needed only when a tensor with other
    living views starts to require grad; keeping a list would cost every view a tenth of its time.
    """
    vc = base._vc
    if vc is None or sys.getrefcount(vc) <= 3 + told:  # the base, this variable, the argument: no other view lives
        return
    for holder in gc.get_referrers(vc):
        owners = [holder]
        if type(holder) is dict:
            owners = [o for o in gc.get_referrers(holder) if isinstance(o, Tensor) and held(o) is holder]
        for view in owners:
            if isinstance(view, Tensor) and view._vc is vc and view._base is base:
                view._rg = True
                if has_history:
                    view._gf_version = -1
