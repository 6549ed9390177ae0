"""Looking at and steering the recorded graph.

Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.graph
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torsh.autograd import _task, engine
from torsh.autograd.engine import Node, RemovableHandle
from torsh.ops._saved import saved_tensor_hooks
from torsh.tensor import Tensor

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


class GradientEdge(NamedTuple):
    """A place in the graph where a gradient arrives; stands for a tensor in ``autograd.grad`` without keeping it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.GradientEdge.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> edge = torsh.autograd.graph.get_gradient_edge(x * 2)
    >>> edge.node.name(), edge.output_nr
    ('MulBackward0', 0)
    """

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor that requires grad, else RuntimeError.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.get_gradient_edge.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> torsh.autograd.graph.get_gradient_edge(x * 2).output_nr
    0
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    if node is None:
        node = engine.accumulator(tensor)
    # For ``backward`` from the edge without a gradient.
    node.outputs_at = {**node.outputs_at, tensor.output_nr: (tuple(tensor.shape), tensor._kind)}
    return GradientEdge(node, tensor.output_nr)


def increment_version(tensor: Any) -> None:
    """Note a write to a tensor (or several) that torsh did not see.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.increment_version.html

    >>> import torsh
    >>> x = torsh.zeros(2)
    >>> torsh.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        t._bump("increment_version")


class saved_tensors_hooks:
    """Inside, tensors kept for backward pass through ``pack_hook`` when kept and ``unpack_hook`` when needed.

    pack_hook: tensor -> anything.  unpack_hook: what pack_hook gave -> a tensor with the same values.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.saved_tensors_hooks.html

    >>> import torsh
    >>> pack = lambda x: x.to(torsh.float16)  # keep half of the bytes
    >>> unpack = lambda x: x.to(torsh.float32)
    >>> x = torsh.tensor([3.], requires_grad=True)
    >>> with torsh.autograd.graph.saved_tensors_hooks(pack, unpack):
    ...     y = x.exp() * x
    >>> y.shape
    torsh.Size([1])
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
    """Inside, tensors kept for backward are kept on the CPU and moved back when needed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.save_on_cpu.html

    >>> import torsh
    >>> x = torsh.tensor([3.], requires_grad=True)
    >>> with torsh.autograd.graph.save_on_cpu():
    ...     y = x ** 2
    >>> y.backward()
    >>> x.grad
    tensor([6.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Tensor) -> Any:
            return t.device, t.detach().to("cpu", copy=True)

        def unpack(packed: Any) -> Tensor:
            where, t = packed
            return t.to(where)

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, using ``saved_tensors_hooks`` raises RuntimeError with this message.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.disable_saved_tensors_hooks.html

    >>> import torsh
    >>> with torsh.autograd.graph.disable_saved_tensors_hooks("no hooks here"):
    ...     pass
    """
    if saved_tensor_hooks.active and saved_tensor_hooks.top() is not None:
        raise RuntimeError(error_message)
    previous, saved_tensor_hooks.refusal = saved_tensor_hooks.refusal, error_message
    try:
        yield
    finally:
        saved_tensor_hooks.refusal = previous


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_AllowMutationOnSavedContext]:
    """Inside, tensors kept for backward are copied, so that writing to the originals is allowed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.allow_mutation_on_saved_tensors.html

    >>> import torsh
    >>> x = torsh.ones(2, requires_grad=True)
    >>> with torsh.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x.clone()
    ...     z = (y ** 2).sum()
    ...     _ = y.detach().zero_()  # z's backward pass still gets the values it saved
    ...     z.backward()
    >>> x.grad
    tensor([2., 2.])
    """
    if _mutable.context is not None:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = _mutable.context = _AllowMutationOnSavedContext()

    def unpack(t: Tensor) -> Tensor:
        if _mutable.context is not context:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was originally "
                "recorded; call backward() inside the `with` block"
            )
        return t

    try:
        with saved_tensors_hooks(lambda t: t.detach().clone(), unpack):
            yield context
    finally:
        _mutable.context = None


class _AllowMutationOnSavedContext:
    """What ``allow_mutation_on_saved_tensors`` gives."""

    def clear(self) -> None:
        """Nothing is kept here: every node keeps its own copies."""


class _Mutable(threading.local):
    context: _AllowMutationOnSavedContext | None = None


_mutable = _Mutable()


class _MultiHandle(RemovableHandle):
    """Removes several hooks at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for h in self.handles:
            h.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once per backward: with the list of all gradients ("all", None for those that did not come) after the
    last arrived, or with the first to arrive ("any").
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.register_multi_grad_hook.html

    >>> import torsh
    >>> a, b = torsh.tensor([1.], requires_grad=True), torsh.tensor([2.], requires_grad=True)
    >>> handle = torsh.autograd.graph.register_multi_grad_hook((a, b), lambda grads: print(grads))
    >>> (a * b).backward()
    [tensor([2.]), tensor([1.])]
    >>> handle.remove()
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    edges = [engine.edge_of(t)[0] for t in tensors]
    lock = threading.Lock()
    passes: dict[int, list[Any]] = {}  # by the number of a backward pass: gradients, how many came, how many will come

    def hook_for(i: int) -> Callable[[Tensor], None]:
        def hook(g: Tensor) -> None:
            number = engine._running.number
            with lock:
                if number not in passes:
                    passes[number] = [[None] * len(tensors), 0, _task.how_many_run(edges)]
                    engine.after_backward(lambda: passes.pop(number, None))  # also where the pass fails
                found = passes[number]
                found[0][i] = g
                found[1] += 1
                last = found[1] == (1 if mode == "any" else found[2])
            if last:
                fn(g if mode == "any" else found[0])

        return hook

    return _MultiHandle([t.register_hook(hook_for(i)) for i, t in enumerate(tensors)])
