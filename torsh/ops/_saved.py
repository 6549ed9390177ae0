"""What a recorded call keeps for the backward pass: inputs with the version they had, outputs as memory, hooks on both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from torsh._callers import described
from torsh._versions import InferenceVersion
from torsh.autograd.engine import FREED, Node, edge_of
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.tensor import PLAIN, Tensor, new


def freed() -> RuntimeError:
    """The error for what a backward pass has dropped."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors after they have "
        "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
        "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
        "you need to access saved tensors after calling backward."
    )


class RawSaved:
    """One value a node keeps; hooks can still be put on it."""

    def __init__(self, node: Any = None, index: int = 0) -> None:
        if node is None:
            raise RuntimeError("Trying to create a SavedTensor object from Python is forbidden.")
        self._node, self._index = node, index

    def register_hooks(self, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        """Keep ``pack_hook(tensor)`` from now on, of which ``unpack_hook`` makes the tensor again."""
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(
                    "register_hooks(): incompatible function arguments: pack_hook and unpack_hook have to be functions, got "
                    f"{type(hook).__name__}"
                )
        node, saved = self._node, list(self._node.saved)
        if node.saved is FREED:
            raise freed()
        value = saved[self._index]
        if value is None:
            raise RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
        if (isinstance(value, Saved) and value.unpack_hook is not None) or (
            isinstance(value, SavedOutput) and value.kind is None
        ):
            raise RuntimeError("Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of "
                               "hooks is allowed at a time.")  # fmt: skip
        tensor = unpack(node, value)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"hooks can be registered on saved tensors only, this is a {type(tensor).__name__}")
        if not isinstance(value, (Saved, SavedOutput)):
            value = saved[self._index] = Saved(tensor)
        value.pack(tensor, pack_hook, unpack_hook)
        node.saved = tuple(saved)


class Saved:
    """An input kept for the backward pass, with the version it had."""

    __slots__ = ("edge", "packed", "tensor", "unpack_hook", "version")

    def __init__(self, tensor: Any) -> None:
        vc = tensor._vc
        if type(vc) is InferenceVersion:
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
                "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or "
                "use `torch.no_grad()` instead of `torch.inference_mode()`."
            )
        if vc is None:
            self.version, tensor._kept = 0, True
        else:
            self.version, vc.kept = vc.version, True
        self.tensor: Any = None
        self.packed = self.unpack_hook = None
        hooks = saved_tensor_hooks.top() if saved_tensor_hooks.active else None
        if hooks is not None:
            self.pack(tensor, *hooks)
        else:
            self.tensor = tensor

    def pack(self, tensor: Any, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        """Keep what a hook makes of the tensor, and the tensor's place in the graph."""
        self.edge = edge_of(tensor) if tensor._rg else None
        self.packed, self.unpack_hook, self.tensor = packed(tensor, pack_hook), unpack_hook, None

    def unpack(self, node: Any) -> Any:
        if self.unpack_hook is not None:
            return unpacked(self.unpack_hook, self.packed, self.edge)
        vc = self.tensor._vc
        if vc is not None and vc.version != self.version:
            raise modified(node, self.tensor, "an input of", vc.version, self.version, vc.write)
        return self.tensor


class SavedOutput:
    """An output kept for the backward pass: its memory only, since holding the tensor itself would make a cycle."""

    __slots__ = ("kind", "number", "raw")

    def __init__(self, tensor: Any, number: int) -> None:
        self.kind, self.number, self.raw = tensor._kind, number, tensor._data
        if state.watched and type(tensor) not in PLAIN:  # its values may be elsewhere
            self.pack(tensor.detach(), _same, _same)
        hooks = saved_tensor_hooks.top() if saved_tensor_hooks.active else None
        if hooks is not None:
            self.pack(tensor.detach(), *hooks)

    def pack(self, tensor: Any, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        """Keep what a hook makes of the output."""
        self.kind, self.raw = None, (unpack_hook, packed(tensor, pack_hook))

    def unpack(self, node: Any) -> Any:
        if self.kind is None:
            hook, kept = self.raw
            return unpacked(hook, kept, (node, self.number))
        t = new(Tensor)
        t._data, t._kind = self.raw, self.kind
        t._rg = False
        if node.dirty is not None and self.number in node.dirty:
            raise modified(node, t, f"output {self.number} of", 1, 0, node.dirty[self.number])
        if thread.enabled and self.kind.inexact:
            t._gf, t._nr, t._rg = node, self.number, True
        if node.tangents is not None:
            t._fw = node.tangents.get(self.number)
        return t


def _same(tensor: Any) -> Any:
    return tensor


def packed(tensor: Tensor, hook: Callable[..., Any]) -> Any:
    """What a pack hook makes of a tensor, which it must not write to.  What it computes is not recorded."""
    before = 0 if tensor._vc is None else tensor._vc.version
    enabled, thread.enabled = thread.enabled, False
    try:
        found = hook(tensor)
    finally:
        thread.enabled = enabled
    if tensor._vc is not None and tensor._vc.version != before:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified by "
            "in-place operations as this can lead to unexpected side-effects; write to a copy."
        )
    return found


def unpacked(hook: Callable[..., Any], kept: Any, edge: tuple[Any, int] | None) -> Tensor:
    """The tensor an unpack hook gives, in the place in the graph (edge, output number) of the one that was kept."""
    t = hook(kept)
    if not isinstance(t, Tensor):
        raise TypeError(
            f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(t).__name__}"
        )
    if edge is None or not thread.enabled or edge_of(t)[0] is edge[0]:
        return t
    t = t.detach()
    t._gf, t._nr = edge if isinstance(edge[0], Node) else (AliasBackward0(edge[0]), 0)
    t._rg = True
    return t


class AliasBackward0(Node):
    """Stands for a leaf where another tensor has its values."""

    def __init__(self, leaf: Tensor) -> None:
        super().__init__()
        self.edges = (leaf,)

    def apply(self, grads: Any) -> Sequence[Any]:
        return (grads,)


def modified(node: Any, t: Tensor, role: str, version: int, expected: int, write: Any) -> RuntimeError:
    """The error for a saved tensor whose memory was written before backward needed it: who wrote, and who had kept it."""
    from torsh.autograd.anomaly_mode import kept_at

    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{t.type()} {list(t.shape)}], which is {role} {node.name()}, is at version {version}; expected version "
        f"{expected} instead.{described(write)} {kept_at(node)} "
        "Clone the tensor before writing to it, or use the operation that is not in place."
    )


class _SavedTensorHooks(threading.local):
    """Each thread's (pack, unpack) pairs set by ``autograd.graph.saved_tensors_hooks``, innermost last."""

    pairs: tuple[tuple[Callable[..., Any], Callable[..., Any]], ...] = ()
    refusal: str | None = None


class _SavedTensorHooksState:
    """``active`` counts the pairs of all threads, so that saving a tensor asks one plain attribute."""

    active: int = 0

    def __init__(self) -> None:
        self._thread = _SavedTensorHooks()

    @property
    def refusal(self) -> str | None:
        return self._thread.refusal

    @refusal.setter
    def refusal(self, message: str | None) -> None:
        self._thread.refusal = message

    def push(self, pack: Callable[..., Any], unpack: Callable[..., Any]) -> None:
        self._thread.pairs = (*self._thread.pairs, (pack, unpack))
        self.active += 1

    def pop(self) -> None:
        self._thread.pairs = self._thread.pairs[:-1]
        self.active -= 1

    def top(self) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
        pairs = self._thread.pairs
        return pairs[-1] if pairs else None


saved_tensor_hooks = _SavedTensorHooksState()


def save(value: Any) -> Any:
    """What a node keeps of one argument."""
    if isinstance(value, Tensor):
        if value._vc is None and not saved_tensor_hooks.active:
            value._kept = True
            return value
        return Saved(value)
    if (type(value) is list or type(value) is tuple) and value and any(isinstance(v, Tensor) for v in value):
        return SavedList([save(v) for v in value])
    return value


class SavedList(list[Any]):
    """A list of tensors kept for the backward pass."""


KEEPERS = frozenset({Tensor, Saved, SavedOutput, SavedList})


def unpack(node: Any, value: Any) -> Any:
    """What ``save`` kept, as the rule gets it; raises if it was written since."""
    kind = type(value)
    if kind is Saved or kind is SavedOutput:
        return value.unpack(node)
    if kind is SavedList:
        return [unpack(node, v) for v in value]
    if kind in PLAIN:  # saved without a version object: any write since then made one
        vc = value._vc
        if vc is not None and vc.version:
            raise modified(node, value, "an input of", vc.version, 0, vc.write)
    return value
