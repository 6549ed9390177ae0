"""Conjugation and negation that wait: views of memory whose values are computed when somebody reads them.

``x.conj()`` of a complex tensor shares x's memory, as in PyTorch: writing to either is seen by both.  Array libraries have no
such view, so it is a tensor of a class of its own, ``Pending``.  It keeps the raw array over the memory in ``_memory`` and what
is to be done to it in ``_bits``; its ``_data`` is a property that does it.  Whatever reads ``_data`` therefore gets right
values, without knowing of this; what writes to memory goes through ``assign``, which asks ``_assign`` here; what looks at
geometry asks ``memory_of``.  The short paths, which ask ``type(x) is Tensor``, are not slowed and never see one.

A pending tensor is always a view that geometry cannot describe (``_base`` and ``_replay`` are set), so that view ops meet it
in the branch they have for these, and slices or transposes of it wait as well.  Every other op gives a plain tensor.
Source: https://docs.pytorch.org/docs/stable/generated/torch.conj.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torsh.autograd._forward import keep
from torsh.autograd.grad_mode import thread
from torsh.autograd.views import strided
from torsh.dispatch import state
from torsh.ops._op import OPS
from torsh.ops._view import View, unrecorded
from torsh.overrides import _disabled_torch_function_impl
from torsh.tensor import Size, Tensor, memory_of, new, version_of, wrote

CONJ = 1
NEG = 2
# The op that computes what a bit says, by the bit.
_COMPUTES = {CONJ: "conj_physical", NEG: "neg"}


def applied(raw: Any, kind: Any, bits: int) -> Any:
    """A raw array conjugated and negated as ``bits`` say: new memory.  Twice is not at all."""
    for bit, name in _COMPUTES.items():
        if bits & bit:
            op: Any = OPS[name]
            op.check(kind)
            raw = op.kernels[kind](raw)
            if type(raw) is not kind.raw_type:
                raw = kind.as_raw(raw)
    return raw


class Pending(Tensor):
    """A tensor whose elements are those in its memory, conjugated or negated or both."""

    _plain = True
    _memory: Any
    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    @property
    def _data(self) -> Any:  # type: ignore[override]
        return applied(self._memory, self._kind, self._bits)

    @property
    def __class__(self) -> type:
        return Tensor

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError(
            "the class of a conjugated or negated view cannot be changed: make a tensor of it with clone() first"
        )

    # ---- geometry, which nothing needs to be computed for

    @property
    def shape(self) -> Size:
        """The length of each dimension."""
        return Size(self._memory.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._memory.shape)

    # ---- sharing and writing

    def _alias(self) -> Tensor:
        return over(plain(self), self._bits, detached=True)

    def detach(self) -> Tensor:
        """The same memory outside the graph; writing to either is seen by both."""
        return self._alias()

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, whose writes autograd does not see."""
        t = new(Tensor)
        t._data, t._kind = self._memory, self._kind
        return over(t, self._bits, detached=True)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if value._bits != self._bits:  # memory of its own, with what this is the conjugate of
            other, value = value, new(Tensor)
            value._data, value._kind = applied(other._data, other._kind, self._bits), other._kind
        self._see(value)

    def _computed(self) -> Tensor:
        """The values as a plain tensor in memory of its own, in the same place of the graph."""
        node = self.grad_fn
        if node is None and self._rg and thread.enabled:
            return self.clone()
        out = new(Tensor)
        out._data, out._kind = self._data, self._kind
        out._gf, out._nr, out._rg = node, self._nr, self._rg
        return keep(self, out) if state.levels else out

    def _assign(self, result: Tensor, name: str) -> Tensor:
        """Write in place: into the memory, so that reading gives the result."""
        kind = self._kind
        kind.backend.write(self._memory, applied(result._data, kind, self._bits))
        wrote(self, result, name)
        return self

    def _see(self, other: Tensor) -> None:
        """Look at another tensor's memory from now on; what is pending stays pending."""
        self._memory, self._kind = memory_of(other), other._kind
        self._base, self._vc = plain(self), version_of(other)
        self._base._vc = self._vc
        self._replay, self._detached = partial(_same, self._bits), True


Pending.__name__ = Pending.__qualname__ = "Tensor"
Pending.__module__ = Tensor.__module__


def _of_memory(name: str) -> Callable[..., Any]:
    def answer(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(plain(self), name)(*args, **kwargs)

    answer.__name__ = answer.__qualname__ = name
    return answer


# What a tensor over the same memory answers as well.
for _name in (
    "dim size numel __len__ ndimension nelement stride storage_offset data_ptr is_contiguous dim_order untyped_storage "
    "_typed_storage"
).split():
    setattr(Pending, _name, _of_memory(_name))


def plain(t: Tensor) -> Tensor:
    """A tensor over the memory of ``t`` as it is there, without history."""
    out = new(Tensor)
    out._data, out._kind = memory_of(t), t._kind
    out._vc, out._base = version_of(t), t._base
    return out


def over(t: Tensor, bits: int, detached: bool = False) -> Tensor:
    """A pending tensor over all of a tensor's memory."""
    out = new(Pending)
    out._memory, out._kind, out._bits = t._data, t._kind, bits
    if detached:
        out._detached = True
        t._base = None
    root = t if t._base is None else t._base
    out._base, out._vc = root, version_of(root)
    out._gf_version = out._vc.version
    out._replay = partial(_same, bits)
    return out


def _same(bits: int, base: Tensor) -> Tensor:
    return with_bits(base, bool(bits & CONJ), bool(bits & NEG))


def with_bits(t: Tensor, conj: bool, neg: bool) -> Tensor:
    """A view of a tensor with these flipped."""
    if conj:
        t = conj_view(t)
    return neg_view(t) if neg else t


class PendingView(View):
    """``conj_view`` and ``neg_view``: the same memory with one bit of what is pending flipped."""

    bit: int

    def _run(self, input: Tensor, *params: Any) -> Tensor:
        kind = input._kind
        raw = memory_of(input)
        bits = input._bits ^ self.bit
        if bits:
            out = new(Pending)
            out._memory, out._bits = raw, bits
        else:
            out = new(Tensor)
            out._data = raw
        out._kind = kind
        root = input._base
        if root is None:
            root = input
            out._replay = self
        elif input._replay is not None:
            out._replay = partial(_after, self, input._replay)
        else:
            out._replay = partial(_part_of, self, raw, root._data)
        vc = version_of(root)
        out._base, out._vc, out._gf_version = root, vc, vc.version
        if input._base is not None and input._made is not None:
            out._made = input._made
        if input._rg and kind.inexact:
            if thread.enabled:
                self._record(input, params, out)
            else:
                unrecorded(out)
        return out


def _after(op: Any, before: Callable[[Tensor], Tensor], base: Tensor) -> Any:
    return op(before(base))


def _part_of(op: Any, raw: Any, root: Any, base: Tensor) -> Any:
    backend = base._kind.backend
    shape, strides, start = backend.geometry(raw)
    offset = (start - backend.geometry(root)[2]) // base._kind.dtype.itemsize
    return op(strided(base, (shape, strides, offset)))


def _view(name: str, bit: int, grad: Any, node_name: str) -> PendingView:
    op = PendingView(
        name, None, ("input",), grads={"input": grad}, meta=lambda input: (input.shape, input.dtype), tags=("view",),
        decompose=lambda input: OPS[_COMPUTES[bit]](input), node_name=node_name,
    )  # fmt: skip
    op.bit = bit
    return op


conj_view = _view("conj_view", CONJ, lambda g: g.conj(), "ConjBackward0")
neg_view = _view("neg_view", NEG, lambda g: -g, "NegViewBackward0")


def has_bit(t: Any, bit: int) -> bool:
    """Whether a tensor (under ``vmap``: the batch behind it) has a conjugation or negation pending."""
    while (batch := getattr(t, "_physical", None)) is not None:
        t = batch
    return bool(t._bits & bit)


__all__ = ["CONJ", "NEG", "Pending", "PendingView", "applied", "conj_view", "has_bit", "neg_view", "with_bits"]
