"""The op: one object per operation, declared once; everything else is derived from it.

A declaration is a Python function with PyTorch's signature and docstring.  For a *primitive* its body validates and
normalises, and returns the tuple of arguments that kernels, meta rule, gradient rules and modes get; a *composite* just
computes with other ops.  ``OPS`` is the table of all of them, which tests, docs and the conformance suite walk.

Gradient rules take what they need by name: ``g`` (the gradient of the output, a tuple for several outputs), the names
in the op's ``args``, ``input_shape`` for only the shape of the argument ``input`` (a list of shapes for a list of
tensors), ``out`` (the output; ``out0``, ``out1``, ... for several).  Only tensors that a needed rule names are kept for the
backward pass.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from torsh import dtypes
from torsh._callers import described
from torsh.autograd.engine import FREED, Node, edge_of
from torsh.autograd.grad_mode import thread
from torsh.dispatch import KernelCache, Kind, mixed_devices, state, through_modes, unallocatable
from torsh.ops._docs import dressed, dressed_as, inplace_doc
from torsh.ops._layout import WORDS as LAYOUTS
from torsh.ops._layout import arranged, laid_out
from torsh.ops._signature import parameters_of, signature_with
from torsh.tensor import (
    PLAIN,
    InferenceVersion,
    Tensor,
    check_apart,
    check_overlap,
    check_writable,
    new,
    overwrite,
    shared,
    wrap,
)

OPS: dict[str, Op] = {}


class Op:
    """One operation.  See the module's text for how one is declared.

    name: unique; kernels go by it (``add``, ``linalg_qr``, ``conv_transpose``).
    fn: the function users call.
    args: names of the normalised arguments, in the order in which kernels get them.
    grads: input name -> gradient rule; several names in one key ("input weight bias") share a rule that gives a tuple.
    meta: ``rule(*args) -> (shape, dtype)`` or a list of such, over anything with ``.shape`` and ``.dtype``.
    decompose: the op in other ops, for backends without a kernel (and without gradient rules, to differentiate through).
    paths: where users find it, e.g. ``("torch.add", "Tensor.add")``.
    tags: of ``TAGS``.
    layout: how results lie in memory, where that is not left to the kernel: see ``torsh.ops._layout``.
    """

    TAGS = frozenset(
        "pointwise reduction view random creation inplace data-dependent nondifferentiable composite moves".split()
    )

    def __init__(
        self,
        name: str,
        fn: Callable[..., Any] | None,
        args: Sequence[str] = (),
        *,
        grads: dict[str, Callable[..., Any]] | None = None,
        meta: Callable[..., Any] | None = None,
        decompose: Callable[..., Any] | None = None,
        paths: Sequence[str] = (),
        tags: Sequence[str] = (),
        returns: type | None = None,
        broadcasts: bool = False,
        node_name: str | None = None,
        doc: str | None = None,
        layout: str | None = None,
    ) -> None:
        if name in OPS:
            raise ValueError(f"op {name!r} is declared twice")
        unknown = set(tags) - Op.TAGS
        if unknown:
            raise ValueError(f"op {name!r} has unknown tags {sorted(unknown)}; known are {sorted(Op.TAGS)}")
        self.name = name
        self.fn = fn
        self.args = tuple(args)
        self.grads = grads or {}
        # Rules for several inputs together: [(names of the inputs, rule)].
        self.joint = [(key.split(), rule) for key, rule in self.grads.items() if " " in key]
        self.meta = meta
        self.decompose = decompose
        self.paths = tuple(paths)
        self.tags = frozenset(tags)
        self.returns: Any = returns  # a type of named tuples
        self.broadcasts = broadcasts
        self.view = "view" in self.tags
        # Whether a backend may do it in a wider type: not for what only moves data.
        self.computes = not self.tags & {"moves", "view", "creation"}
        self.doc = doc
        self.kernels = KernelCache(self)
        self.layout = layout
        if layout is not None and (wrong := set(layout.split()) - LAYOUTS):
            raise ValueError(f"op {name!r} has unknown layouts {sorted(wrong)}; known are {sorted(LAYOUTS)}")
        self._node_name = node_name
        # The in-place form, taking (self, ...); set by the templates or by ``derive_inplace``.
        self.inplace: Callable[..., Any] | None = None
        # What augmented operators (``+=``) call where it is not ``inplace``: it may return NotImplemented.
        self.augmented: Callable[..., Any] | None = None
        # Operands that PyTorch rounds to a narrow type (float16, bfloat16) where they are Python numbers.
        self.rounded: tuple[int, ...] = ()
        # What operators call where it is not ``fn``: the shortest path, which may return NotImplemented.
        self.short: Callable[..., Any] | None = None
        self._plans: dict[Any, Plan] = {}
        OPS[name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any) -> Any:
        """Run the op on normalised arguments."""
        return through_modes(self, args, self._run) if state.busy else self._run(*args)

    def _run(self, *args: Any) -> Any:
        first: Any = None
        raws: list[Any] = []
        tracked = False
        for a in args:
            t = type(a)
            if t in _PLAIN:
                raws.append(a)
            elif t is Tensor or isinstance(a, Tensor):
                kind, raw = a._kind, a._data
                if first is None:
                    first, lead, own = kind, a, raw
                elif kind.place is not first.place:
                    raise mixed_devices(first, kind)
                if a._rg:
                    tracked = True
                raws.append(raw)
            elif (
                (t is tuple or t is list)
                and a
                and not (type(a[0]) is int and type(a[-1]) is int)  # sizes and the like, the commonest case
                and any(isinstance(x, Tensor) for x in a)
            ):
                parts = []
                for x in a:
                    if not isinstance(x, Tensor):
                        parts.append(x)
                        continue
                    raw = x._data
                    if first is None:
                        first, lead, own = x._kind, x, raw
                    elif x._kind.place is not first.place:
                        raise mixed_devices(first, x._kind)
                    if x._rg:
                        tracked = True
                    parts.append(raw)
                raws.append(t(parts))
            else:
                raws.append(a)
        if tracked:
            tracked = thread.enabled and "nondifferentiable" not in self.tags
            if tracked and not self.grads and self.decompose is not None:
                return self._pack(self.decompose(*args))
        found = self.kernels[first](*raws)
        if self.layout is not None:
            found = arranged(self.layout, first, found, raws)
        if type(found) is tuple or type(found) is list:
            place = first.place
            outs = [wrap(r, place) if r is not None else None for r in found]
            if self.view:
                for part in outs:
                    if part is not None:
                        shared(part, lead)
            if tracked and self.grads:
                self.record(args, outs)
            return self._pack(outs)
        # ``wrap``, written out.
        if type(found) is not first.raw_type:
            found = first.as_raw(found)
        out = new(Tensor)
        out._data = found
        out._kind = first if found.dtype is own.dtype else first.place.kind_of(found)
        out._rg = False
        if self.view:
            shared(out, lead)
        if tracked:
            self.record(args, (out,))
        return out

    def _pack(self, outs: Any) -> Any:
        if isinstance(outs, Tensor):
            return outs
        return tuple(outs) if self.returns is None else tuple.__new__(self.returns, outs)  # a named tuple, without its checks

    # ---- recording

    def record(self, args: Sequence[Any], outs: Sequence[Any]) -> Node:
        """Attach a node to the outputs of a call whose inputs require grad."""
        key = tuple([a._rg if isinstance(a, Tensor) else False if type(a) in _PLAIN else _wants(a) for a in args])
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(self, key, len(outs))
        node: Node = plan.node_type()
        plan.fill(node, args, outs)
        for i, out in enumerate(outs):
            if out is not None and out._kind.inexact and i not in plan.integer_outputs:
                out._gf, out._nr, out._rg = node, i, True
                if out._vc is not None:
                    out._gf_version = out._vc.version
        return node

    @property
    def node_name(self) -> str:
        return self._node_name or "".join(p.capitalize() for p in self.name.split("_") if p) + "Backward0"

    @functools.cached_property
    def node_type(self) -> type[Node]:
        return type(self.node_name, (OpNode,), {"op": self, "__module__": "torch.autograd.graph"})


_PLAIN = frozenset({int, float, bool, str, type(None)})


def _wants(a: Any) -> Any:
    """Whether an argument needs a gradient: a bool, or a tuple of bools for a list of tensors."""
    if isinstance(a, Tensor):
        return a._rg
    if (type(a) is tuple or type(a) is list) and any(isinstance(x, Tensor) for x in a):
        return tuple(isinstance(x, Tensor) and x._rg for x in a)
    return False


# In a plan: the argument's shape is kept instead of the argument (a rule that names ``input_shape``).
SHAPE = "shape"


def shape_of(a: Any) -> Any:
    """The shape of a tensor, or the shapes of a list of tensors."""
    return tuple(a._data.shape) if isinstance(a, Tensor) else [tuple(x._data.shape) for x in a]


class Plan:
    """What to save and which rules to run for one pattern of inputs that need a gradient."""

    def __init__(self, op: Op, key: tuple[Any, ...], outputs: int) -> None:
        self.op = op
        self.outputs = outputs
        # A class per plan, so that a node need not carry its plan.
        self.node_type = type(op.node_name, (op.node_type,), {"plan": self, "__module__": op.node_type.__module__})
        self.integer_outputs: frozenset[int] = frozenset()
        wanted = [(i, op.args[i]) for i, w in enumerate(key) if w is True or (type(w) is tuple and any(w))]
        names: list[str] = []
        self.calls: list[tuple[Callable[..., Any], tuple[int, ...], bool]] = []
        self.slots: list[tuple[int, bool]] = []  # (argument position, is a list) of each gradient the calls give
        if op.joint:
            wanted = self._join(op, wanted, names)
        for i, name in wanted:
            rule = op.grads.get(name)
            if rule is None:
                rule = functools.partial(_no_rule, op.name, name)
                needs: tuple[str, ...] = ()
            else:
                code = rule.__code__
                needs = code.co_varnames[1 : code.co_argcount]
            for n in needs:
                if n not in names:
                    names.append(n)
            self.calls.append((rule, tuple(names.index(n) for n in needs), type(key[i]) is tuple))
            self.slots.append((i, type(key[i]) is tuple))
        self.names = names
        self.takes: list[tuple[Any, int]] = []  # (is an output, or SHAPE; position) of what is saved
        for n in names:
            if n in op.args:
                self.takes.append((False, op.args.index(n)))
            elif n == "out":
                self.takes.append((True, 0))
            elif n.startswith("out") and n[3:].isdigit():
                self.takes.append((True, int(n[3:])))
            elif n.endswith("_shape") and n[:-6] in op.args:
                self.takes.append((SHAPE, op.args.index(n[:-6])))
            else:
                raise TypeError(f"a gradient rule of op {op.name!r} asks for {n!r}: it has {', '.join(op.args)}, out")

        # The rule, where it is the only one, gives one gradient and takes at most one value.
        rule, positions, is_list = self.calls[0] if self.calls else (None, (), False)
        self.single = rule if len(self.calls) == 1 and not is_list and len(positions) == len(names) < 2 else None
        # The operand whose input alone is kept (0 or 1), 2 for none; anything else takes the general way.
        self.only = 2 if not self.takes else self.takes[0][1] if len(self.takes) == 1 and not self.takes[0][0] else 3
        # Whether two operands are kept, the second first: the usual case of a product.
        self.crossed = self.takes == [(False, 1), (False, 0)]

    def _join(self, op: Op, wanted: list[tuple[int, str]], names: list[str]) -> list[tuple[int, str]]:
        """Plan the rules that serve several inputs at once (key ``"input weight"``); what is left needs rules of its own.

        Such a rule gives one gradient per name of its key; it may ask for ``needs``, which of them are wanted.
        """
        for key, rule in op.joint:
            mine = [(i, n) for i, n in wanted if n in key]
            if not mine or (len(mine) < len(key) and all(n in op.grads for _, n in mine)):
                continue  # where there are rules for each input too, the joint one is for all of them: it may keep more
            code = rule.__code__
            asked = code.co_varnames[1 : code.co_argcount]
            given = tuple(n for n in asked if n != "needs")
            names.extend(n for n in given if n not in names)
            needs = tuple(any(k == n for _, n in mine) for k in key)
            self.calls.append((_pick(rule, needs, asked), tuple(names.index(n) for n in given), True))
            self.slots.extend((op.args.index(k), False) for k, want in zip(key, needs) if want)
            wanted = [w for w in wanted if w not in mine]
        return wanted

    def fill(self, node: Any, args: Sequence[Any], outs: Sequence[Any]) -> None:
        edges: list[Any] = []
        numbers: list[int] = []
        fits: list[Any] | None = [] if self.op.broadcasts else None
        for i, is_list in self.slots:
            for t in args[i] if is_list else (args[i],):
                if not isinstance(t, Tensor) or not t._rg:
                    edges.append(None)
                    numbers.append(0)
                else:
                    gf = t._gf if t._base is None else t.grad_fn
                    edges.append(t if gf is None else gf)
                    numbers.append(t._nr)
                if fits is not None:
                    fits.append((tuple(t.shape), t._kind) if isinstance(t, Tensor) else None)
        node.edges = tuple(edges)
        if any(numbers):
            node.numbers = tuple(numbers)
        node.fits = fits
        node.outputs = len(outs)
        node.saved = tuple(
            [
                save(args[j])
                if not what
                else shape_of(args[j])
                if what is not True
                else SavedOutput(outs[j], j)
                if outs[j]._kind.inexact
                else save(outs[j])  # integers know no node: to keep the tensor makes no cycle, and writes to it are noticed
                for what, j in self.takes
            ]
        )


class PlanCache(dict[Any, Plan]):
    """The plans of an op by which inputs need a gradient, each made when first asked for."""

    def __init__(self, op: Op, outputs: int) -> None:
        self.op, self.outputs = op, outputs

    def __missing__(self, key: Any) -> Plan:
        plan = self[key] = Plan(self.op, key, self.outputs)
        return plan


# PyTorch's names of what nodes keep, where they differ.
_SAVED_NAMES = {"input": "self", "out": "result"}


def freed() -> RuntimeError:
    """The error for what a backward pass has dropped."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors after they have "
        "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
        "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
        "you need to access saved tensors after calling backward."
    )


class OpNode(Node):
    """A recorded op call.  What it keeps can be looked at as ``_saved_<name>`` and, packed, as ``_raw_saved_<name>``."""

    op: Op
    plan: Plan

    def __getattr__(self, name: str) -> Any:
        raw = name.startswith("_raw_saved_")
        if not raw and not name.startswith("_saved_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        wanted = name.removeprefix("_raw_saved_").removeprefix("_saved_")
        for i, kept in enumerate(self.plan.names):
            if _SAVED_NAMES.get(kept, kept) == wanted:
                if self.saved is FREED:
                    raise freed()
                return RawSaved(self, i) if raw else unpack(self, self.saved[i])
        if wanted in (_SAVED_NAMES.get(n, n) for n in self.op.args) and not raw:
            return None
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}': it keeps {', '.join(self.plan.names) or 'nothing'}")

    def release(self) -> None:
        """Drop the tensors that were saved; what only keeps sizes and the like can be gone through again."""
        for v in self.saved:
            if type(v) in _KEEPERS or isinstance(v, Tensor) or self.op.broadcasts:
                self.saved = FREED
                return

    def spread(self, found: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([None if i is None else found[i] for i in self._layout()])

    def gather(self, spread: Sequence[Any]) -> Sequence[Any]:
        return [g for g, i in sorted(((g, i) for g, i in zip(spread, self._layout()) if i is not None), key=lambda p: p[1])]

    def _layout(self) -> list[int | None]:
        """For every input with a gradient rule, in order: which edge is its own, None where no gradient was wanted."""
        differentiable = {n for key in self.op.grads for n in key.split()}
        single = {position: None for position, is_list in self.plan.slots if not is_list}
        lists = [position for position, is_list in self.plan.slots if is_list]
        edges = iter(range(len(self.edges)))
        if lists:  # lists of tensors: an edge for each of them
            return list(edges)
        order = {position: next(edges) for position in single}
        return [order.get(i) for i, n in enumerate(self.op.args) if n in differentiable]

    def apply(self, grads: Any) -> Sequence[Any]:
        saved = self.saved
        if saved is FREED:
            raise freed()
        plan = self.plan
        if plan.single is not None:  # one rule that needs at most one value: most nodes of a chain
            if not saved:
                return (plan.single(grads),)
            v = saved[0]
            if type(v) is not Tensor or v._vc is not None:
                v = unpack(self, v)
            return (plan.single(grads, v),)
        values = [unpack(self, v) for v in saved]
        found: list[Any] = []
        for rule, positions, is_list in self.plan.calls:
            g = rule(grads, *[values[p] for p in positions])
            if is_list:
                found.extend(g)
            else:
                found.append(g)
        return found


def _pick(rule: Callable[..., Any], needs: tuple[bool, ...], asked: tuple[str, ...]) -> Callable[..., Any]:
    """A joint rule that gives only the gradients that are wanted."""
    at = asked.index("needs") if "needs" in asked else None

    def run(g: Any, *values: Any) -> list[Any]:
        found = rule(g, *values) if at is None else rule(g, *values[:at], needs, *values[at:])
        return [f for f, want in zip(found, needs) if want]

    return run


def _no_rule(op: str, name: str, g: Any) -> Any:
    raise NotImplementedError(f"the derivative for '{op}' with respect to {name!r} is not implemented")


class RawSaved:
    """One value a node keeps; hooks can still be put on it."""

    def __init__(self, node: OpNode, index: int) -> None:
        self._node, self._index = node, index

    def register_hooks(self, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        """Keep ``pack_hook(tensor)`` from now on, of which ``unpack_hook`` makes the tensor again."""
        node, saved = self._node, list(self._node.saved)
        value = saved[self._index]
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
        return t


def packed(tensor: Tensor, hook: Callable[..., Any]) -> Any:
    """What a pack hook makes of a tensor, which it must not write to."""
    before = 0 if tensor._vc is None else tensor._vc.version
    found = hook(tensor)
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
        raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(t).__name__}")
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


_KEEPERS = frozenset({Tensor, Saved, SavedOutput, SavedList})


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


# ---- declaring ops -----------------------------------------------------------------------------------------------------


def primitive(
    paths: str,
    *,
    name: str | None = None,
    args: str | None = None,
    grad: dict[str, Callable[..., Any]] | None = None,
    meta: Callable[..., Any] | None = None,
    decompose: Callable[..., Any] | None = None,
    tags: str = "",
    returns: type | None = None,
    broadcasts: bool = False,
    out: bool | str | Callable[..., None] = False,
    inplace: bool | str = False,
    node_name: str | None = None,
    layout: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a primitive.  The function's body returns the normalised arguments (a tuple), or a Tensor (or a tuple of
    them) if there is nothing left to do.

    paths: where it is found, separated by spaces, e.g. ``"torch.gather Tensor.gather"``.
    args: names of the normalised arguments; default: the function's parameters.
    out: whether it takes ``out=``, and by which rule (``with_out``).  inplace: whether it has an in-place form (``name_``), and by
    which rule (``derive_inplace``).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        names = args.split() if args is not None else [p for p in parameters_of(fn) if p != "out"]
        op = Op(
            name or fn.__name__, None, names, grads=grad, meta=meta, decompose=decompose, paths=paths.split(),
            tags=tags.split(), returns=returns, broadcasts=broadcasts, node_name=node_name, doc=fn.__doc__,
            layout=layout,
        )  # fmt: skip

        run = op._run

        @dressed_as(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(users, a, k)  # handlers are looked up by the function that users see
            try:
                normal = fn(*a, **k) if k else fn(*a)  # merging no keywords takes time, too
            except (TypeError, AttributeError):
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (renamed := torch_names(fn, k)) is None:
                    raise
                normal = fn(*a, **renamed)
            if type(normal) is tuple:
                try:
                    return through_modes(op, normal, run) if state.busy else run(*normal)
                except (MemoryError, ValueError) as e:
                    raise unallocatable(e) from e.__cause__
            return tuple(normal) if type(normal) is Ready else normal

        def filling(*a: Any, out: Any = None, **k: Any) -> Any:
            # ``public`` and ``with_out`` in one for the usual call: each packs the arguments anew.
            if out is not None or state.overrides or state.busy:
                return general(*a, out=out, **k)
            try:
                normal = fn(*a, **k) if k else fn(*a)
            except (TypeError, AttributeError):
                return general(*a, **k)  # with other names of arguments, or the error again
            if type(normal) is tuple:
                try:
                    return run(*normal)
                except (MemoryError, ValueError) as e:
                    raise unallocatable(e) from e.__cause__
            return tuple(normal) if type(normal) is Ready else normal

        op.inplace = derive_inplace(op, public, fn, inplace) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        if not out:
            users = op.fn = public
            return public
        general = with_out(public, out)
        users = op.fn = dressed(filling, general)
        return op.fn

    return declare


# NumPy's names of parameters, which PyTorch takes too.
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def torch_names(fn: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Keyword arguments with NumPy's names replaced by those of the function's parameters, and Python's types given for dtypes
    by dtypes; None where there is nothing to replace.
    """
    code = getattr(fn, "__wrapped__", fn).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if type(kwargs.get("dtype")) is type and (dtype := dtypes.PYTHON.get(kwargs["dtype"])) is not None:
        return {**kwargs, "dtype": dtype}
    if not any(n not in own and _NUMPY_NAMES.get(n) in own for n in kwargs):
        return None
    return {n if n in own else _NUMPY_NAMES.get(n, n): v for n, v in kwargs.items()}


class Ready(list[Any]):
    """What a primitive's body returns instead of arguments when it already has several results."""


def composite(
    paths: str,
    *,
    name: str | None = None,
    out: bool | str | Callable[..., None] = False,
    inplace: bool | str = False,
    tags: str = "",
    of: Op | None = None,
    bare: bool = False,
    layout: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an op whose body computes with other ops; gradient, meta and every backend follow from those.

    bare: the body is the public function itself, for the few of which a wrapper would be most of the time; it asks for
    overrides itself.  of: the primitive that the function is the public form of (creation functions: their primitive takes no tensor).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        if of is None:
            op = Op(
                name or fn.__name__, None, (), paths=paths.split(), tags=("composite", *tags.split()), doc=fn.__doc__,
                layout=layout,
            )  # fmt: skip
        else:
            op, of.paths, of.doc = of, tuple(paths.split()), fn.__doc__
        if bare:
            fn.op, op.fn = op, fn  # type: ignore[attr-defined]
            return fn
        if layout is not None:
            fn = laid_out(fn, layout)

        @dressed_as(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(users, a, k)  # handlers are looked up by the function that users see
            try:
                return fn(*a, **k) if k else fn(*a)
            except (MemoryError, ValueError) as e:
                raise unallocatable(e) from e.__cause__
            except (TypeError, AttributeError):
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (renamed := torch_names(fn, k)) is None:
                    raise
                return fn(*a, **renamed)

        def filling(*a: Any, out: Any = None, **k: Any) -> Any:
            # ``public`` and ``with_out`` in one for the usual call: each packs the arguments anew.
            if out is not None or state.overrides:
                return general(*a, out=out, **k)
            try:
                return fn(*a, **k) if k else fn(*a)
            except (MemoryError, ValueError) as e:
                raise unallocatable(e) from e.__cause__
            except (TypeError, AttributeError):
                if torch_names(fn, k) is None and (state.overrides or not overriding(a, k)):
                    raise
                return general(*a, **k)

        op.inplace = derive_inplace(op, public, rule=inplace) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        if not out:
            users = op.fn = public
            return public
        general = with_out(public, out)
        users = op.fn = dressed(filling, general)
        return op.fn

    return declare


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


def add_doc(fn: Any, text: str) -> None:
    """Put a paragraph into a declared function's docstring, before its examples."""
    head, mark, example = (fn.__doc__ or "").partition("\n\n    >>> ")
    fn.__doc__ = fn.op.doc = f"{head.rstrip()}\n\n    {text.strip()}{mark}{example}" + ("" if mark else "\n    ")


def derive_inplace(
    op: Op, fn: Callable[..., Any], body: Callable[..., Any] | None = None, rule: bool | str = True
) -> Callable[..., Any]:
    """The in-place form of an op: its result, written into the tensor it was called on.

    rule: what is said of memory besides: "apart": no operand may share it with the tensor; "alike": it may be memory that
    elements share, since all of them get the same value; or both.
    body: what normalises a primitive's arguments.  With it, and where the backend has a kernel ``<name>_`` that writes into
    its first operand, nothing is copied (unless the write is recorded or watched by a mode).
    """
    name = op.name + "_"
    writers = _Writers(op)
    rules = rule.split() if isinstance(rule, str) else ()
    apart, alike = "apart" in rules, "alike" in rules

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if state.overrides and (handler := asked((self, *args), kwargs)) is not None:
            return handler(inplace, (self, *args), kwargs)  # type: ignore[no-any-return]
        check_writable(self, name)
        if self._base is not None and not alike:
            check_overlap(self)
        if apart:
            for a in (*args, *kwargs.values()):
                if isinstance(a, Tensor):
                    check_apart(self, a, same=False)
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
    copy = new(Tensor)
    copy._data, copy._kind = t._kind.backend.cast(t._data, t.dtype, copy=True), t._kind
    copy._gf, copy._nr, copy._rg = t.grad_fn, t._nr, t._rg
    return copy


def overriding(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call failed because an argument is of a class that overrides functions and is no Tensor: there was no telling
    when the class was made.  From now on calls ask first.
    """
    from torsh.overrides import has_torch_function

    if not has_torch_function([x for a in (*args, *kwargs.values()) for x in (a if type(a) in (tuple, list) else (a,))]):
        return False
    state.overrides = True
    return True


def override_of(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The __torch_function__ handler that wants this call, or autocast, or None."""
    from torsh import overrides

    found = overrides.handler(args, kwargs)
    if found is None and state.autocasts:
        from torsh.amp import _casting

        return _casting.handler()
    return found


def asked(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """``override_of`` for what writes into its arguments: autocast has no part in it, and torsh's own kinds of tensors (sparse,
    nested, ...) are written to in the usual way.
    """
    from torsh import overrides

    found = overrides.handler(args, kwargs)
    if found is not None and not overrides.has_modes():
        own = ("torsh", "torch")
        if all(type(a).__module__.partition(".")[0] in own for a in (*args, *kwargs.values()) if overrides._overrides(a)):
            return None
    return found


def without_autocast(fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a function gives where the dtype of the result is settled: autocast leaves in-place and ``out=`` forms alone."""
    if not state.autocasts:
        return fn(*args, **kwargs)
    from torsh.amp import _casting

    with _casting.switched_off():
        return fn(*args, **kwargs)


def with_out(fn: Callable[..., Any], rule: bool | str | Callable[..., None] = True) -> Callable[..., Any]:
    """``fn`` with an ``out=`` keyword: the result is written into that tensor (or tuple of tensors), which is returned.

    rule: True: its dtype may differ from the result's if that can be cast; "any": in any case; "typed", "same": it may not (in
    PyTorch's two ways to say so); "exact": nor may it share memory with the
    inputs; a function of (tensors of out, keyword arguments) that raises: an op's own checks before those of "exact".
    "filled": the result is made in its dtype, for functions that take one; "spread": as that, and it keeps its shape if
    it has room for as many elements.
    """

    @dressed_as(fn)
    def public(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return fn(*args, **kwargs)
        from torsh.ops._out import write_out

        return write_out(fn, args, kwargs, out, rule)

    public.__signature__ = signature_with(fn, {"out": None})  # type: ignore[attr-defined]
    return public


def needs_grad(*tensors: Any) -> bool:
    """Whether a call on these would be recorded."""
    return thread.enabled and any(isinstance(t, Tensor) and t._rg for t in tensors)


__all__ = ["OPS", "PLAIN", "Op", "composite", "needs_grad", "primitive", "with_out"]
