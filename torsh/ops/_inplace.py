"""In-place forms of ops that are not pointwise: the op's result, written into the tensor it was called on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsh.autograd._forward import keep
from torsh.dispatch import Kind, mixed_devices, state
from torsh.ops._docs import inplace_doc
from torsh.ops._overriding import asked, override_of, without_autocast
from torsh.ops._record import needs_grad
from torsh.tensor import PLAIN, Tensor, check_memory, check_writable, new, overwrite

if TYPE_CHECKING:
    from torsh.ops._op import Op


class _Writers(dict[Kind, Any]):
    """The kernels of an op's in-place form by kind, None where a backend has none."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def __missing__(self, kind: Kind) -> Any:
        backend, dtype = kind.backend, kind.dtype
        direct = not self.op.computes or backend.compute_dtype(dtype) is dtype
        found = self[kind] = backend.kernel(self.op.name + "_", dtype) if direct else None
        return found


def _raw(a: Any, kind: Kind) -> Any:
    if isinstance(a, Tensor):
        if a._kind.place is not kind.place:
            raise mixed_devices(kind, a._kind)
        return a._data
    if type(a) is list or type(a) is tuple:
        return type(a)([_raw(x, kind) for x in a])
    return a


def derive_inplace(
    op: Op, fn: Callable[..., Any], body: Callable[..., Any] | None = None, rule: bool | str = True
) -> Callable[..., Any]:
    """The in-place form of an op: its result, written into the tensor it was called on.

    rule: what is said of memory besides: "apart": no operand may share it with the tensor; "apart-or-same": only if it is
    the same memory altogether; "valued": the last operand is a number, read before anything is written; "alike": it may be
    memory that elements share, with a warning that this is deprecated.
    body: what normalises a primitive's arguments.  With it, and where the backend has a kernel ``<name>_`` that writes into
    its first operand, nothing is copied (unless the write is recorded or watched by a mode).
    """
    name = op.name + "_"
    writers = _Writers(op)
    rules = rule.split() if isinstance(rule, str) else ()
    alike = "alike" in rules

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if state.overrides and (handler := asked((self, *args), kwargs)) is not None:
            return handler(inplace, (self, *args), kwargs)  # type: ignore[no-any-return]
        check_writable(self, name)
        if self._base is not None or rules:
            check_memory(self, name, (*args, *kwargs.values()), rules)
        if (
            body is not None
            and not state.busy
            and not (state.overrides and override_of((self, *args), kwargs) is not None)
            and not self._bits
            and not needs_grad(self, *args, *kwargs.values())
        ):
            kernel = writers[self._kind]
            if kernel is not None:
                normal = body(self, *args, **kwargs)
                onto_itself = type(normal) is tuple and normal[0] is self
                if onto_itself:
                    kernel(*[_raw(a, self._kind) for a in normal])
                    self._bump(name)
                    return self
                result: Tensor = op(*normal) if type(normal) is tuple else normal
                return overwrite(self, result, name, alike)
        source = with_history(self) if needs_grad(self, *args, *kwargs.values()) else self
        return overwrite(self, without_autocast(fn, (source, *args), kwargs), name, alike)

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = inplace_doc(op)
    return inplace


def with_history(t: Tensor) -> Tensor:
    """A copy of a tensor's values with its history, for a rule that needs what an in-place op is about to overwrite."""
    if hasattr(t, "_physical"):  # an example under vmap
        return t._of_batch(lambda whole, _: with_history(whole))  # type: ignore[attr-defined,no-any-return]
    if state.watched and type(t) not in PLAIN:  # its values may be elsewhere
        copy: Tensor = t.detach().clone()
        copy._gf, copy._nr, copy._rg = t.grad_fn, t._nr, t._rg
        return copy
    copy = new(Tensor)
    copy._data, copy._kind = t._kind.backend.cast(t._data, t.dtype, copy=True), t._kind
    copy._gf, copy._nr, copy._rg = t.grad_fn, t._nr, t._rg
    if state.levels:
        keep(t, copy)
    return copy
