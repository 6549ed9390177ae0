"""The reverse-mode engine: one for all backends.

A *node* is one recorded op call.  ``edges[i]`` says where the gradient of its i-th differentiable input goes: to another
node, to a leaf tensor, or nowhere (None).  Nodes are numbered as they are made and an edge always leads to a smaller
number, so working through a heap from the largest number down visits every node after all that feed it; no counting of
dependencies is needed.

Gradients are tensors and gradient rules are written in torsh ops, so ``create_graph=True`` is only a matter of recording
while the rules run.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from torsh.autograd.grad_mode import thread

if TYPE_CHECKING:
    from torsh.tensor import Tensor

_numbers = itertools.count()
FREED = object()


class Node:
    """One step of the recorded graph.  ``torsh.autograd.graph.Node`` is this class.

    Subclasses give ``apply(grads) -> sequence`` with one gradient (or None) per edge; ``grads`` is the gradient of the
    only output, or a list with one entry per output where ``outputs`` is larger than one.
    """

    edges: tuple[Any, ...] = ()
    numbers: tuple[int, ...] | None = None  # output number of each edge's node; None: all zero
    fits: tuple[Any, ...] | None = None  # (shape, kind) of each input where the gradient may need to be brought to it
    outputs: int = 1
    saved: Any = ()
    dirty: dict[int, str] | None = None  # outputs whose memory was written since, and by what
    pre_hooks: OrderedDict[int, Callable[..., Any]] | None = None
    post_hooks: OrderedDict[int, Callable[..., Any]] | None = None
    # output number -> hooks of the tensor that is this output (its own hooks, retain_grad, capture)
    tensor_hooks: dict[int, OrderedDict[int, Callable[..., Any]]] | None = None
    _metadata: dict[str, Any] | None = None

    def __init__(self) -> None:
        self.seq = next(_numbers)

    def apply(self, grads: Any) -> Sequence[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def release(self) -> None:
        """Drop what was saved for the backward pass."""
        if self.saved:
            self.saved = FREED

    # ---- PyTorch's public face of a node

    def name(self) -> str:
        """The node's name, e.g. ``AddBackward0``."""
        return type(self).__name__

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for the user's notes on this node."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """(node, output number) per edge; a leaf shows as its AccumulateGrad node."""
        numbers = self.numbers or (0,) * len(self.edges)
        return tuple((accumulator(e) if is_leaf(e) else e, n) for e, n in zip(self.edges, numbers))

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` after this node ran; a result replaces grad_inputs."""
        if self.post_hooks is None:
            self.post_hooks = OrderedDict()
        return RemovableHandle(self.post_hooks, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before this node runs; a result replaces them."""
        if self.pre_hooks is None:
            self.pre_hooks = OrderedDict()
        return RemovableHandle(self.pre_hooks, fn)

    def __call__(self, *grads: Any) -> Any:
        found = tuple(self.apply(grads[0] if self.outputs == 1 else list(grads)))
        return found[0] if len(found) == 1 else found


class AccumulateGrad(Node):
    """Stands for a leaf in ``next_functions``; ``variable`` is the leaf."""

    def __init__(self, variable: Tensor) -> None:
        super().__init__()
        self.variable = variable
        self.seq = sys.maxsize

    def apply(self, grads: Any) -> Sequence[Any]:
        accumulate(self.variable, grads, False)
        return ()


def is_leaf(edge: Any) -> bool:
    return edge is not None and not isinstance(edge, Node)


def accumulator(leaf: Tensor) -> AccumulateGrad:
    """The one AccumulateGrad node of a leaf, for as long as somebody holds it."""
    import weakref

    node = leaf._accumulator() if leaf._accumulator is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf._accumulator = weakref.ref(node)
    return node


class RemovableHandle:
    """Given by every ``register_*hook``; ``remove()`` takes the hook off, and so does leaving a ``with`` block."""

    _next = itertools.count()

    def __init__(self, hooks: Any, fn: Any = None, extra_dict: Any = None) -> None:
        self.id = next(RemovableHandle._next)
        self._hooks = hooks
        self._extra = extra_dict if isinstance(extra_dict, (list, tuple)) else ([extra_dict] if extra_dict is not None else [])
        if fn is not None:
            hooks[self.id] = fn

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        self._hooks.pop(self.id, None)
        for extra in self._extra:
            extra.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Running(threading.local):
    """The backward passes running in this thread: how many, and what to do when the outermost ends."""

    depth: int = 0
    callbacks: tuple[Callable[[], None], ...] = ()


_running = _Running()


def after_backward(callback: Callable[[], None]) -> None:
    """Call ``callback()`` when the running backward pass of this thread has ended."""
    _running.callbacks = (*_running.callbacks, callback)


class Anomaly(threading.local):
    """Whether nodes are watched (``autograd.detect_anomaly``), and their results checked for nan."""

    enabled: bool = False
    check_nan: bool = True


anomaly = Anomaly()


def _watched(node: Node, grads: Any) -> Sequence[Any]:
    """Run a node; where it fails or returns nan, tell where its forward was called."""
    try:
        found = node.apply(grads)
    except Exception:
        _tell_origin(node)
        raise
    if anomaly.check_nan:
        for i, g in enumerate(found):
            if g is not None and g._kind.inexact and bool(g.isnan().any()):
                _tell_origin(node)
                raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")
    return found


def _tell_origin(node: Node) -> None:
    origin = node.metadata.get("traceback_")
    warnings.warn(
        f"Error detected in {node.name()}. "
        + (f"Traceback of forward call that caused the error:\n{''.join(origin)}" if origin
           else "No forward pass information available. Enable detect anomaly during forward pass for more information."),
        UserWarning,
        stacklevel=3,
    )  # fmt: skip


# ---- running ---------------------------------------------------------------------------------------------------------


def edge_of(t: Tensor) -> tuple[Any, int]:
    """Where the gradient of a tensor goes: (node, output number), or (the leaf itself, 0)."""
    node = t.grad_fn
    return (t, 0) if node is None else (node, t._nr)


def run(
    roots: Iterable[tuple[Any, int, Tensor]],
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[tuple[Any, int]] | None = None,
    accumulate_leaves: bool = True,
) -> list[Tensor | None] | None:
    """Push gradients from ``roots`` (edge, output number, gradient) through the graph.

    targets: edges whose gradients are wanted.  Only what leads to them is run; with ``accumulate_leaves`` the leaves
    among them get their ``.grad``, otherwise the list of gradients is returned.
    """
    pending: dict[Any, Any] = {}
    heap: list[tuple[int, Node]] = []
    leaves: dict[Any, Any] = {}
    wanted: dict[tuple[int, int], Any] | None = None
    needed: Any = None  # ids of what leads to a target; None: everything is run
    if targets is not None:
        wanted = {(id(e), n): None for e, n in targets}
        needed = _leading_to([e for e, _, _ in roots], {id(e) for e, _ in targets})
    previous = thread.enabled
    thread.enabled = create_graph
    _running.depth += 1
    try:
        for edge, number, grad in roots:
            if needed is None or id(edge) in needed:
                _arrive(edge, number, grad, pending, heap, leaves)
        pop = heapq.heappop
        plain = wanted is None
        while heap:
            node = pop(heap)[1]
            grads = pending.pop(node)
            while True:  # on along a chain, without the heap, for as long as there is only one way to go
                if node.tensor_hooks is not None:
                    grads = _run_tensor_hooks(node, grads)
                if not plain:
                    _capture(node, grads, wanted)
                    if id(node) not in needed or not _goes_on(node, needed):
                        break
                if node.pre_hooks is not None:
                    grads = _run_pre_hooks(node, grads)
                found = _watched(node, grads) if anomaly.enabled else node.apply(grads)
                if node.post_hooks is not None:
                    found = _run_post_hooks(node, found, grads)
                if not retain_graph:
                    node.release()
                edges, numbers, fits = node.edges, node.numbers, node.fits
                if len(edges) == 1 and fits is None and not heap and plain:
                    edge, g = edges[0], found[0]
                    if g is not None and isinstance(edge, Node) and edge.outputs == 1:
                        node, grads = edge, g
                        continue
                for i, g in enumerate(found):
                    edge = edges[i]
                    if g is None or edge is None or (needed is not None and id(edge) not in needed):
                        continue
                    if fits is not None and fits[i] is not None:
                        g = _fit(g, *fits[i])
                    _arrive(edge, 0 if numbers is None else numbers[i], g, pending, heap, leaves)
                break
        del pending
        if wanted is not None and not accumulate_leaves:
            for leaf in list(leaves):
                wanted[id(leaf), 0] = _leaf_hooks(leaf, leaves.pop(leaf))
            return [wanted[id(e), n] for e, n in targets]  # type: ignore[union-attr]
        while leaves:
            leaf, g = leaves.popitem()
            accumulate(leaf, _leaf_hooks(leaf, g), create_graph)
    finally:
        thread.enabled = previous
        _running.depth -= 1
        if not _running.depth and _running.callbacks:
            callbacks, _running.callbacks = _running.callbacks, ()
            for callback in callbacks:
                callback()
    return None


def _arrive(edge: Any, number: int, g: Tensor, pending: dict[Any, Any], heap: list[Any], leaves: dict[Any, Any]) -> None:
    """A gradient reaches a node or a leaf: keep it, or add it to what came before."""
    if not isinstance(edge, Node):
        before = leaves.get(edge)
        leaves[edge] = g if before is None else before + g
        return
    if edge.outputs == 1:
        before = pending.get(edge)
        if before is None:
            pending[edge] = g
            heapq.heappush(heap, (-edge.seq, edge))
        else:
            pending[edge] = before + g
        return
    parts = pending.get(edge)
    if parts is None:
        parts = pending[edge] = [None] * edge.outputs
        heapq.heappush(heap, (-edge.seq, edge))
    parts[number] = g if parts[number] is None else parts[number] + g


def _fit(g: Tensor, shape: tuple[int, ...], kind: Any) -> Tensor:
    """Undo broadcasting and promotion: sum over the dimensions that were stretched, go back to the input's dtype."""
    if tuple(g.shape) != shape:
        g = g.sum_to_size(shape)
    if g._kind is not kind:
        if g._kind.complex and not kind.complex:
            g = g.real
        g = g.to(kind.dtype)
    return g


def accumulate(leaf: Tensor, g: Tensor | None, create_graph: bool) -> None:
    """Add a gradient to ``leaf.grad``."""
    if g is None:
        return
    old = leaf._grad
    if old is None:
        # The gradient becomes .grad as it is only if nobody else can see its memory: one reference here, one in the
        # caller's argument list (3: plus getrefcount's own); a view or a shared object is copied.
        if create_graph or (g._base is None and sys.getrefcount(g) <= 4 and g.is_contiguous()):
            leaf._grad = g
        else:
            leaf._grad = g.detach().clone()
    elif create_graph or thread.enabled or old.is_sparse or g.is_sparse:
        leaf._grad = old + g
    else:
        old.add_(g)
    if leaf._post_accumulate_hooks:
        for hook in list(leaf._post_accumulate_hooks.values()):
            hook(leaf)


def _leaf_hooks(leaf: Tensor, g: Any) -> Any:
    for hook in list((leaf._hooks or {}).values()):
        new = hook(g)
        if new is not None:
            g = new
    return g


def _capture(node: Node, grads: Any, wanted: Any) -> None:
    for number in range(node.outputs):
        if (id(node), number) in wanted:
            wanted[id(node), number] = grads if node.outputs == 1 else grads[number]


def _run_tensor_hooks(node: Node, grads: Any) -> Any:
    for number, hooks in node.tensor_hooks.items():  # type: ignore[union-attr]
        g = grads if node.outputs == 1 else grads[number]
        if g is None:
            continue
        for hook in list(hooks.values()):
            new = hook(g)
            if new is not None:
                g = new
        if node.outputs == 1:
            grads = g
        else:
            grads[number] = g
    return grads


def _run_pre_hooks(node: Node, grads: Any) -> Any:
    for hook in list(node.pre_hooks.values()):  # type: ignore[union-attr]
        new = hook((grads,) if node.outputs == 1 else tuple(grads))
        if new is not None:
            grads = new[0] if node.outputs == 1 else list(new)
    return grads


def _run_post_hooks(node: Node, found: Any, grads: Any) -> Any:
    given = (grads,) if node.outputs == 1 else tuple(grads)
    for hook in list(node.post_hooks.values()):  # type: ignore[union-attr]
        new = hook(tuple(found), given)
        if new is not None:
            found = new if isinstance(new, (tuple, list)) else (new,)
    return found


def _leading_to(roots: list[Any], targets: set[int]) -> set[int]:
    """ids of all nodes and leaves below ``roots`` from which a target can be reached (targets included)."""
    useful: set[int] = set()
    seen: set[int] = set()
    stack: list[tuple[Any, bool]] = [(e, False) for e in roots]
    while stack:
        edge, done = stack.pop()
        if done:
            if any(id(n) in useful for n in edge.edges if n is not None):
                useful.add(id(edge))
            continue
        if id(edge) in seen:
            continue
        seen.add(id(edge))
        if id(edge) in targets:
            useful.add(id(edge))
        if isinstance(edge, Node):
            stack.append((edge, True))
            stack.extend((n, False) for n in edge.edges if n is not None)
    return useful


def _goes_on(node: Node, needed: set[int]) -> bool:
    return any(e is not None and id(e) in needed for e in node.edges)
