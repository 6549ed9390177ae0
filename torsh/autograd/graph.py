"""Looking at and steering the recorded graph.

Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.graph
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torsh.autograd import engine
from torsh.autograd.engine import Node, RemovableHandle
from torsh.ops._op import saved_tensor_hooks
from torsh.tensor import Tensor

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


class GradientEdge(NamedTuple):
    """A place in the graph where a gradient arrives; stands for a tensor in ``autograd.grad`` without keeping it."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor that requires grad, else RuntimeError."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    return GradientEdge(engine.accumulator(tensor) if node is None else node, tensor.output_nr)


def increment_version(tensor: Any) -> None:
    """Note a write to a tensor (or several) that torsh did not see."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        t._bump("increment_version")


class saved_tensors_hooks:
    """Inside, tensors kept for backward pass through ``pack_hook`` when kept and ``unpack_hook`` when needed.

    pack_hook: tensor -> anything.  unpack_hook: what pack_hook gave -> a tensor with the same values.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if saved_tensor_hooks.refusal is not None:
            raise RuntimeError(saved_tensor_hooks.refusal)
        saved_tensor_hooks.push(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc: object) -> None:
        saved_tensor_hooks.pop()


class save_on_cpu(saved_tensors_hooks):
    """Inside, tensors kept for backward are kept on the CPU and moved back when needed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Tensor) -> Any:
            return t.device, t.detach().to("cpu", copy=True)

        def unpack(packed: Any) -> Tensor:
            where, t = packed
            return t.to(where)

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, using ``saved_tensors_hooks`` raises RuntimeError with this message."""
    previous, saved_tensor_hooks.refusal = saved_tensor_hooks.refusal, error_message
    try:
        yield
    finally:
        saved_tensor_hooks.refusal = previous


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Inside, tensors kept for backward are copied, so that writing to the originals is allowed."""
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        yield


class _MultiHandle(RemovableHandle):
    """Removes several hooks at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for h in self.handles:
            h.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all") -> RemovableHandle:
    """Call ``fn`` once per backward: with the list of all gradients ("all", None for those that did not come) after the
    last arrived, or with the first to arrive ("any").
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    state: dict[str, Any] = {"grads": [None] * len(tensors), "seen": 0, "fired": False}

    def flush() -> None:
        """Give out what arrived: after the last of all, or at the end of a backward pass that reached only some."""
        with lock:
            seen, grads = state["seen"], state["grads"]
            state["grads"], state["seen"] = [None] * len(tensors), 0
        if seen:
            fn(grads)

    def hook_for(i: int) -> Callable[[Tensor], None]:
        def hook(g: Tensor) -> None:
            with lock:
                if mode == "any":
                    fire = not state["fired"]
                    state["fired"] = True
                else:
                    if not state["seen"]:
                        engine.after_backward(flush)
                    state["grads"][i] = g
                    state["seen"] += 1
                    fire = state["seen"] == len(tensors)
            if fire:
                if mode == "any":
                    engine.after_backward(lambda: state.update(fired=False))
                    fn(g)
                else:
                    flush()

        return hook

    return _MultiHandle([t.register_hook(hook_for(i)) for i, t in enumerate(tensors)])

