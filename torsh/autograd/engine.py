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
from torsh.dispatch import state
from torsh.memory_format import contiguous_format, strided

if TYPE_CHECKING:
    from torsh.tensor import Tensor

_numbers = itertools.count()
FREED: tuple[Any, ...] = (object(),)
LAST = -1  # among a tensor's hooks: the one of retain_grad, which runs after all others


class Node:
    """One step of the recorded graph.  ``torsh.autograd.graph.Node`` is this class.

    Subclasses give ``apply(grads) -> sequence`` with one gradient (or None) per edge; ``grads`` is the gradient of the
    only output, or a list with one entry per output where ``outputs`` is larger than one.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.Node.name.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> node = (x.exp() * x).grad_fn
    >>> node.name(), node.next_functions[0][0].name()
    ('MulBackward0', 'ExpBackward0')
    """

    edges: tuple[Any, ...] = ()
    numbers: tuple[int, ...] | None = None  # output number of each edge's node; None: all zero
    fits: tuple[Any, ...] | None = None  # (shape, kind) of each input where the gradient may need to be brought to it
    outputs: int = 1
    saved: Any = ()
    # outputs whose memory was written since, and by what: see ``Version.write``
    dirty: dict[int, Any] | None = None
    pre_hooks: OrderedDict[int, Callable[..., Any]] | None = None
    post_hooks: OrderedDict[int, Callable[..., Any]] | None = None
    # output number -> hooks of the tensor that is this output (its own hooks, retain_grad, capture)
    tensor_hooks: dict[int, OrderedDict[int, Callable[..., Any]]] | None = None
    outputs_at: dict[int, tuple[tuple[int, ...], Any]] = {}  # (shape, kind) of outputs that a GradientEdge stands for
    _metadata: dict[str, Any] | None = None
    tangents: dict[int, Any] | None = None  # of outputs by number, for those that the node keeps: see ``_forward``

    def __init__(self) -> None:
        self.seq = next(_numbers)

    def apply(self, grads: Any) -> Sequence[Any]:
        """Compute the gradients of the inputs from those of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def release(self) -> None:
        """Drop what was saved for the backward pass."""
        if self.saved:
            self.saved = FREED

    # ---- PyTorch's public face of a node

    def name(self) -> str:
        """The node's name, e.g. ``AddBackward0``."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

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
        found = [(accumulator(e) if is_leaf(e) else e, n) for e, n in zip(self.edges, numbers)]
        return tuple((None, 0) if pair is None else pair for pair in self.spread(found))

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

    def spread(self, found: Sequence[Any]) -> tuple[Any, ...]:
        """One gradient per edge as one per input that the operation could differentiate: what hooks and users see."""
        return tuple(found)

    def gather(self, spread: Sequence[Any]) -> Sequence[Any]:
        """The inverse of ``spread``."""
        return spread

    def __call__(self, *grads: Any) -> Any:
        if len(grads) != self.outputs:
            raise TypeError(
                f"expected {self.outputs} arguments, got {len(grads)} instead: one gradient per output of {self.name()}"
            )
        found = tuple(self.apply(grads[0] if self.outputs == 1 else list(grads)))
        return found[0] if len(found) == 1 else found


class AccumulateGrad(Node):
    """Stands for a leaf in ``next_functions``; ``variable`` is the leaf."""

    def __init__(self, variable: Tensor) -> None:
        super().__init__()
        self.variable = variable
        self.seq = sys.maxsize

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        self._stay()
        return super().register_hook(fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        self._stay()
        return super().register_prehook(fn)

    def _stay(self) -> None:
        """Live as long as the leaf: nothing in the graph holds this node, and its hooks are to run."""
        self.variable._accumulator = lambda: self

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
    """Given by every ``register_*hook``; ``remove()`` takes the hook off, and so does leaving a ``with`` block.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.graph.RemovableHandle.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> handle.remove()  # the hook is not called any more
    >>> x.sum().backward()
    >>> x.grad
    tensor([1.])
    """

    _next = itertools.count()

    def __init__(self, hooks: Any, fn: Any = None, extra_dict: Any = None) -> None:
        self.id = next(RemovableHandle._next)
        self._hooks = hooks
        self._extra = (
            extra_dict if isinstance(extra_dict, (list, tuple)) else ([extra_dict] if extra_dict is not None else [])
        )
        if fn is not None:
            hooks[self.id] = fn

    def hooks_dict_ref(self) -> Any:
        """The table that holds the hook, for programs that read it (a reference to be called in PyTorch)."""
        return self._hooks

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
    partial: bool = False  # whether the innermost goes for certain inputs only
    number: int = -1  # of the innermost
    callbacks: tuple[Callable[[], None], ...] = ()


_running = _Running()
_passes = itertools.count()


def is_partial() -> bool:
    """Whether the backward pass that runs in this thread goes for certain inputs only."""
    return _running.partial


def after_backward(callback: Callable[[], None]) -> None:
    """Call ``callback()`` when the running backward pass of this thread has ended; RuntimeError where none is running."""
    if not _running.depth:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    _running.callbacks = (*_running.callbacks, callback)


def _call_back() -> None:
    """What is to be done at the end of a backward pass; that may add more."""
    while _running.callbacks:
        callbacks, _running.callbacks = _running.callbacks, ()
        _running.depth += 1
        try:
            for callback in callbacks:
                callback()
        finally:
            _running.depth -= 1


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


def ones_as(t: Tensor) -> Tensor:
    """The gradient a backward pass begins with: ones of the tensor's shape and type."""
    global _full
    if _full is None:
        from torsh.ops.creation import make_full as _full
    return _full(tuple(t._data.shape), 1, t._kind.dtype, t._kind.device, False)  # type: ignore[no-any-return]


_full: Any = None


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
    if state.autocasts:
        from torsh.amp import _casting

        if _casting.active():  # gradient rules work in the dtypes that the forward pass had
            with _casting.switched_off():
                return run(roots, retain_graph, create_graph, targets, accumulate_leaves)
    pending: dict[Any, Any] = {}
    heap: list[tuple[int, Node]] = []
    leaves = _Leaves()
    wanted: dict[tuple[int, int], Any] | None = None
    needed: Any = None  # ids of what leads to a target; None: everything is run
    if targets is not None:
        wanted = {(id(e), n): None for e, n in targets}
        needed = _leading_to([e for e, _, _ in roots], {id(e) for e, _ in targets})
    captures = None if accumulate_leaves else wanted
    previous = thread.enabled
    thread.enabled = create_graph and not thread.inference
    _running.depth += 1
    was_partial, _running.partial = _running.partial, targets is not None
    was_number, _running.number = _running.number, next(_passes)
    try:
        for edge, number, grad in roots:
            if needed is None or id(edge) in needed:
                _arrive(edge, number, grad, pending, heap, leaves)
        if leaves.watched:
            leaves.settle(None, heap, needed, captures, create_graph)
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
                    if captures is not None and not _goes_on(node, needed):
                        break
                if node.pre_hooks is not None:
                    grads = _run_pre_hooks(node, grads)
                found: Any = _watched(node, grads) if anomaly.enabled else node.apply(grads)
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
                        g = fit(g, *fits[i])
                    _arrive(edge, 0 if numbers is None else numbers[i], g, pending, heap, leaves)
                if leaves.watched:
                    edge = g = found = None
                    leaves.settle(node, heap, needed, captures, create_graph)
                break
        del pending
        edge = g = found = grads = None  # so that nothing but ``leaves`` holds a gradient that is to become a ``.grad``
        for leaf in list(leaves):
            leaves.finish(leaf, captures, create_graph)
        if captures is not None:
            return [captures[id(e), n] for e, n in targets]  # type: ignore[union-attr]
    finally:
        thread.enabled = previous
        _running.depth -= 1
        _running.partial = was_partial
        _running.number = was_number
        if not _running.depth and _running.callbacks:
            _call_back()
    return None


class _Leaves(dict[Any, Any]):
    """The gradients that have reached leaves in a backward pass.

    Leaves get theirs at the end, unless somebody watches: a leaf with hooks gets its gradient as soon as all edges to it
    have been gone, between its neighbours in the graph.  Edges are counted from the moment when the first such leaf is met.
    """

    watched: tuple[Any, ...] = ()  # leaves with hooks that have a gradient now
    coming: dict[Any, int] | None = None  # how many more edges lead to a leaf

    def settle(self, node: Node | None, heap: list[Any], needed: Any, captures: Any, create_graph: bool) -> None:
        """After a node: give those watched leaves their gradients that nothing more can come for."""
        if self.coming is None:
            self.coming = _edges_to_leaves([n for _, n in heap], needed)
        elif node is not None:
            for edge in node.edges:
                if edge in self.coming:
                    self.coming[edge] -= 1
        ready = [leaf for leaf in self.watched if not self.coming.get(leaf)]
        if ready:
            self.watched = tuple([leaf for leaf in self.watched if self.coming.get(leaf)])
            for leaf in ready:
                self.finish(leaf, captures, create_graph)

    def finish(self, leaf: Tensor, captures: Any, create_graph: bool) -> None:
        """Run a leaf's hooks and give it its gradient, in its dtype."""
        g = self[leaf]
        if g._kind is not leaf._kind and g.dtype is not leaf.dtype and leaf._kind.inexact:
            self[leaf] = fit(g, tuple(g.shape), leaf._kind)
        g = None  # so that only ``self`` holds it
        if captures is not None:
            captures[id(leaf), 0] = _leaf_hooks(leaf, self.pop(leaf))
            return
        node = leaf._accumulator() if leaf._accumulator is not None else None
        if node is None or (node.pre_hooks is None and node.post_hooks is None):
            accumulate(leaf, _leaf_hooks(leaf, self.pop(leaf)), create_graph)
            return
        g = _leaf_hooks(leaf, self.pop(leaf))
        if node.pre_hooks is not None:
            g = _run_pre_hooks(node, g)
        accumulate(leaf, g, create_graph)
        if node.post_hooks is not None:
            _run_post_hooks(node, (), g)


def _edges_to_leaves(nodes: list[Node], needed: Any) -> dict[Any, int]:
    """How many edges lead to each leaf from some nodes and all below them."""
    counts: dict[Any, int] = {}
    seen = {id(n) for n in nodes}
    stack = list(nodes)
    while stack:
        for edge in stack.pop().edges:
            if edge is None or (needed is not None and id(edge) not in needed):
                continue
            if not isinstance(edge, Node):
                counts[edge] = counts.get(edge, 0) + 1
            elif id(edge) not in seen:
                seen.add(id(edge))
                stack.append(edge)
    return counts


def _arrive(edge: Any, number: int, g: Tensor, pending: dict[Any, Any], heap: list[Any], leaves: _Leaves) -> None:
    """A gradient reaches a node or a leaf: keep it, or add it to what came before."""
    if not isinstance(edge, Node):
        before = leaves.get(edge)
        if before is None:
            leaves[edge] = g
            if edge._hooks or edge._post_accumulate_hooks or edge._accumulator is not None:
                leaves.watched += (edge,)
        else:
            leaves[edge] = _added(before, g)
        return
    if edge.outputs == 1:
        before = pending.get(edge)
        if before is None:
            pending[edge] = g
            heapq.heappush(heap, (-edge.seq, edge))
        else:
            pending[edge] = _added(before, g)
        return
    parts = pending.get(edge)
    if parts is None:
        parts = pending[edge] = [None] * edge.outputs
        heapq.heappush(heap, (-edge.seq, edge))
    parts[number] = g if parts[number] is None else _added(parts[number], g)


def _added(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two gradients.  Addition wants a dense one first; places that are stored keep the order of the program."""
    total: Tensor = b + a if a.is_sparse else a + b
    return total


def fit(g: Tensor, shape: tuple[int, ...], kind: Any) -> Tensor:
    """Undo broadcasting and promotion: sum over the dimensions that were stretched, go back to the input's dtype."""
    if tuple(g.shape) != shape:
        g = g.sum_to_size(shape)
    if g._kind is not kind:
        if g._kind.complex and not kind.complex:
            g = g.real
        g = g.to(kind.dtype)
    return g


_accumulating = threading.RLock()


def accumulate(leaf: Tensor, g: Tensor | None, create_graph: bool) -> None:
    """Add a gradient to ``leaf.grad``; several threads may do so at once."""
    if g is None:
        return
    if g._bits:
        g = g.resolve_conj().resolve_neg()
    with _accumulating:
        old = leaf._grad
        if old is None:
            # The gradient becomes .grad as it is only if nobody else can see its memory: one reference here, one of
            # getrefcount's; a view, what shares its memory, or an object that others hold is copied.  It lies as the leaf does.
            if create_graph or (
                g._base is None and g._vc is None and sys.getrefcount(g) <= 2 and _laid_out_as(g, leaf)
            ):
                leaf._grad = g
            elif g.is_sparse:
                leaf._grad = g.detach().clone()
            elif leaf.is_sparse or leaf.is_contiguous():
                leaf._grad = g.detach().clone(memory_format=contiguous_format)
            else:
                from torsh.ops.creation import empty_like

                leaf._grad = empty_like(leaf.detach()).copy_(g.detach())
        elif create_graph or thread.enabled or (old.is_sparse and not g.is_sparse):
            leaf._grad = _added(old, g)
        else:
            old.add_(g)
    if leaf._post_accumulate_hooks:
        for hook in list(leaf._post_accumulate_hooks.values()):
            given = hook(leaf)
            if given is not None:
                raise _not_a_tensor(hook, given)


def _laid_out_as(g: Tensor, leaf: Tensor) -> bool:
    if g.is_sparse:
        return True
    if leaf.is_contiguous():
        return g.is_contiguous()
    # A leaf of a compressed layout has no strides; its gradient may have its layout or be dense.
    return leaf.layout is not strided or g.stride() == leaf.stride()


def _hooked(hooks: OrderedDict[int, Any], g: Any) -> Any:
    """A gradient after its tensor's hooks, in the order in which they were registered; retain_grad's is the last."""
    for key, hook in list(hooks.items()):
        if key == LAST:
            continue
        new = hook(g)
        if new is not None:
            if not hasattr(new, "_kind"):
                raise _not_a_tensor(hook, new)
            if g is None:
                raise RuntimeError(
                    f"can't replace a None gradient with a non-None value: hook '{_name_of(hook)}' returned a tensor"
                )
            if tuple(new.shape) != tuple(g.shape):
                raise RuntimeError(
                    f"hook '{_name_of(hook)}' has changed the size of value: expected {list(g.shape)}, got {list(new.shape)}"
                )
            if new._kind is not g._kind:
                raise RuntimeError(
                    f"hook '{_name_of(hook)}' has changed the type of value: was {g.dtype}, now {new.dtype}"
                )
            g = new
    last = hooks.get(LAST)
    if last is not None and g is not None:
        last(g)
    return g


def _not_a_tensor(hook: Any, value: Any) -> TypeError:
    return TypeError(
        f"expected Variable, but hook returned '{type(value).__name__}'; {_name_of(hook)} must return a Tensor or nothing"
    )


def _name_of(hook: Any) -> str:
    return getattr(hook, "__name__", None) or repr(hook)


def _leaf_hooks(leaf: Tensor, g: Any) -> Any:
    return _hooked(leaf._hooks, g) if leaf._hooks and g is not None else g


def _capture(node: Node, grads: Any, wanted: Any) -> None:
    for number in range(node.outputs):
        if (id(node), number) in wanted:
            wanted[id(node), number] = grads if node.outputs == 1 else grads[number]


def _run_tensor_hooks(node: Node, grads: Any) -> Any:
    for number, hooks in node.tensor_hooks.items():  # type: ignore[union-attr]
        # None for an output that the pass does not come from, where another output of the node has a gradient.
        g = _hooked(hooks, grads if node.outputs == 1 else grads[number])
        if node.outputs == 1:
            grads = g
        else:
            grads[number] = g
    return grads


def _run_pre_hooks(node: Node, grads: Any) -> Any:
    for hook in list(node.pre_hooks.values()):  # type: ignore[union-attr]
        new = hook((grads,) if node.outputs == 1 else tuple(grads))
        if new is not None:
            new = new if isinstance(new, (tuple, list)) else (new,)
            _check_count(hook, new, node.outputs)
            grads = new[0] if node.outputs == 1 else list(new)
    return grads


def _run_post_hooks(node: Node, found: Any, grads: Any) -> Any:
    given = (grads,) if node.outputs == 1 else tuple(grads)
    seen = node.spread(found)
    for hook in list(node.post_hooks.values()):  # type: ignore[union-attr]
        new = hook(seen, given)
        if new is not None:
            new = tuple(new) if isinstance(new, (tuple, list)) else (new,)
            _check_count(hook, new, len(seen))
            seen = new
    return node.gather(seen)


def _check_count(hook: Any, values: Sequence[Any], expected: int) -> None:
    if len(values) != expected:
        raise RuntimeError(
            f"hook '{_name_of(hook)}' has returned an incorrect number of values (got {len(values)}, but expected {expected})"
        )


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
