"""``Op._run`` written out argument by argument, for calls on tensors, numbers and sizes: a loop takes twice as long."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsh.autograd.grad_mode import thread
from torsh.device import device as Device
from torsh.dispatch import mixed_devices
from torsh.dtypes import dtype as Dtype
from torsh.ops._layout import arranged
from torsh.ops._record import PLAIN_TYPES
from torsh.tensor import Parameter, Tensor, new, wrap

if TYPE_CHECKING:
    from torsh.ops._op import Op

# What kernels get as it is.
_PLAIN = PLAIN_TYPES | {Device, Dtype}
# What sizes and the like are made of, so that they hold no tensors.
_NUMBERS = frozenset({int, bool, float})
_here = sys.modules[__name__]  # ``new`` is looked up in it: see ``torsh.autograd.inference``


@functools.cache
def _code(count: int, layout: bool, differentiable: bool, composed: bool) -> Any:
    """The compiled source for ops of ``count`` arguments; most ops share theirs with others.

    composed: whether the gradient is that of the decomposition.
    """
    names = [f"a{i}" for i in range(count)]
    args, raws = ", ".join(names), ", ".join(f"r{i}" for i in range(count))
    lines = [f"def run({args}):", "    first = None", "    tracked = False"]
    for i, a in enumerate(names):
        lines += [
            f"    t = type({a})",
            f"    if t in PLAIN: r{i} = {a}",
            "    elif t is Tensor or t is Parameter:",
            f"        r{i} = {a}._data",
            f"        if first is None: first = {a}._kind; own = r{i}",
            f"        elif {a}._kind is not first and {a}._kind.place is not first.place: raise mixed_devices(first, {a}._kind)",
            f"        if {a}._rg: tracked = True",
            f"    elif t is tuple and (not {a} or type({a}[0]) in NUMBERS and type({a}[-1]) in NUMBERS): r{i} = {a}",
            f"    else: return general({args})",
        ]
    lines.append(f"    if first is None: return general({args})")
    if composed:
        lines.append(f"    if tracked and thread.enabled: return general({args})")
    lines.append(f"    found = kernels[first]({raws})")
    if layout:
        lines.append(f"    found = arranged(layout, first, found, ({raws},))")
    record = "if tracked and thread.enabled: op.record"
    lines += [
        "    if type(found) is not first.raw_type:",
        "        if type(found) is tuple or type(found) is list:",
        "            place = first.place",
        "            outs = []",
        "            for r in found:",
        "                if type(r) is not first.raw_type: o = None if r is None else wrap(r, place)",
        "                else:",
        "                    o = here.new(Tensor)",
        "                    o._data = r",
        "                    o._kind = first if r.dtype is own.dtype else place.kind_of(r)",
        "                    o._rg = False",
        "                outs.append(o)",
        *([f"            {record}(({args},), outs)"] if differentiable else []),
        "            return op._pack(outs)",
        "        found = first.as_raw(found)",
        "    out = here.new(Tensor)",
        "    out._data = found",
        "    out._kind = first if found.dtype is own.dtype else first.place.kind_of(found)",
        "    out._rg = False",
        *([f"    {record}(({args},), (out,))"] if differentiable else []),
        "    return out",
    ]
    return compile("\n".join(lines), f"{__file__} (call path)", "exec")


def unrolled(op: Op) -> Callable[..., Any]:
    """``op._run`` for the usual arguments; anything else goes to the general form."""
    differentiable = "nondifferentiable" not in op.tags
    general = functools.partial(type(op)._run, op)
    if op.view or not op.args:
        return general
    grads = differentiable and bool(op.grads)
    scope: dict[str, Any] = {
        "NUMBERS": _NUMBERS, "PLAIN": _PLAIN, "Parameter": Parameter, "Tensor": Tensor, "arranged": arranged, "general": general,
        "kernels": op.kernels, "layout": op.layout, "mixed_devices": mixed_devices, "here": _here, "op": op, "thread": thread,
        "wrap": wrap,
    }  # fmt: skip
    composed = differentiable and not grads and op.decompose is not None
    exec(_code(len(op.args), op.layout is not None, differentiable, composed), scope)
    return scope["run"]  # type: ignore[no-any-return]


__all__ = ["new", "unrolled"]
