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
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd.engine import FREED, Node
from torsh.autograd.grad_mode import thread
from torsh.dispatch import KernelCache, Kind, mixed_devices, state, through_modes
from torsh.tensor import PLAIN, Tensor, check_writable, new, overwrite, shared, wrap

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
    """

    TAGS = frozenset(
        {
            "pointwise", "reduction", "view", "random", "creation", "inplace", "data-dependent", "nondifferentiable",
            "composite", "moves",
        }
    )  # fmt: skip

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
        self.returns = returns
        self.broadcasts = broadcasts
        self.view = "view" in self.tags
        # Whether a backend may do it in a wider type: not for what only moves data.
        self.computes = not self.tags & {"moves", "view", "creation"}
        self.doc = doc
        self.kernels = KernelCache(self)
        self.node_name = node_name or "".join(p.capitalize() for p in name.split("_") if p) + "Backward0"
        # The in-place form, taking (self, ...); set by the templates or by ``derive_inplace``.
        self.inplace: Callable[..., Any] | None = None
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
            if isinstance(a, Tensor):
                kind = a._kind
                if first is None:
                    first = kind
                elif kind.place is not first.place:
                    raise mixed_devices(first, kind)
                tracked = tracked or a._rg
                raws.append(a._data)
            elif (
                (type(a) is tuple or type(a) is list)
                and a
                and not (type(a[0]) is int and type(a[-1]) is int)  # sizes and the like, the commonest case
                and any(isinstance(x, Tensor) for x in a)
            ):
                parts = []
                for x in a:
                    if not isinstance(x, Tensor):
                        parts.append(x)
                        continue
                    if first is None:
                        first = x._kind
                    elif x._kind.place is not first.place:
                        raise mixed_devices(first, x._kind)
                    tracked = tracked or x._rg
                    parts.append(x._data)
                raws.append(type(a)(parts))
            else:
                raws.append(a)
        tracked = tracked and thread.enabled
        if tracked and not self.grads and self.decompose is not None and "nondifferentiable" not in self.tags:
            return self._pack(self.decompose(*args))
        found = self.kernels[first](*raws)
        place = first.place
        if type(found) is tuple or type(found) is list:
            outs = [wrap(r, place) if r is not None else None for r in found]
            if self.view:
                for part in outs:
                    if part is not None:
                        shared(part, _first_tensor(args))
            if tracked and self.grads:
                self.record(args, outs)
            return self._pack(outs)
        out = wrap(found, place)
        if self.view:
            shared(out, _first_tensor(args))
        if tracked and "nondifferentiable" not in self.tags:
            self.record(args, [out])
        return out

    def _pack(self, outs: Any) -> Any:
        if isinstance(outs, Tensor):
            return outs
        return tuple(outs) if self.returns is None else self.returns(*outs)

    # ---- recording

    def record(self, args: Sequence[Any], outs: Sequence[Any]) -> Node:
        """Attach a node to the outputs of a call whose inputs require grad."""
        key = tuple(_wants(a) for a in args)
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

    @functools.cached_property
    def node_type(self) -> type[Node]:
        return type(self.node_name, (OpNode,), {"op": self, "__module__": "torch.autograd.graph"})


def _first_tensor(args: Sequence[Any]) -> Tensor:
    return next(a for a in args if isinstance(a, Tensor))


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
            if not mine:
                continue
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
                save(args[j]) if not what else SavedOutput(outs[j], j) if what is True else shape_of(args[j])
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


class OpNode(Node):
    """A recorded op call."""

    op: Op
    plan: Plan

    def apply(self, grads: Any) -> Sequence[Any]:
        saved = self.saved
        if saved is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
                "you need to access saved tensors after calling backward."
            )
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


class Saved:
    """An input kept for the backward pass, with the version it had."""

    __slots__ = ("packed", "tensor", "unpack_hook", "version")

    def __init__(self, tensor: Any) -> None:
        vc = tensor._vc
        self.version = 0 if vc is None else vc.version
        self.tensor: Any = None
        self.packed = self.unpack_hook = None
        hooks = saved_tensor_hooks.top() if saved_tensor_hooks.active else None
        if hooks is not None:
            self.unpack_hook = hooks[1]
            self.packed = hooks[0](tensor)
        else:
            self.tensor = tensor

    def unpack(self, node: Any) -> Any:
        if self.unpack_hook is not None:
            return self.unpack_hook(self.packed)
        vc = self.tensor._vc
        if vc is not None and vc.version != self.version:
            raise modified(node, self.tensor, "an input of", vc.version, self.version, vc.writer)
        return self.tensor


class SavedOutput:
    """An output kept for the backward pass: its memory only, since holding the tensor itself would make a cycle."""

    __slots__ = ("kind", "number", "raw")

    def __init__(self, tensor: Any, number: int) -> None:
        self.kind, self.number, self.raw = tensor._kind, number, tensor._data
        hooks = saved_tensor_hooks.top() if saved_tensor_hooks.active else None
        if hooks is not None:
            self.kind, self.raw = None, (hooks[1], hooks[0](tensor.detach()))

    def unpack(self, node: Any) -> Any:
        if self.kind is None:
            hook, packed = self.raw
            return hook(packed)
        t = new(Tensor)
        t._data, t._kind = self.raw, self.kind
        if node.dirty is not None and self.number in node.dirty:
            raise modified(node, t, f"output {self.number} of", 1, 0, node.dirty[self.number])
        if thread.enabled and self.kind.inexact:
            t._gf, t._nr, t._rg = node, self.number, True
        return t


def modified(node: Any, t: Tensor, role: str, version: int, expected: int, writer: str | None) -> RuntimeError:
    """The error for a saved tensor whose memory was written before backward needed it."""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{t.type()} {list(t.shape)}], which is {role} {node.name()}, is at version {version}; expected version "
        f"{expected} instead." + (f" It was written by {writer}." if writer else "")
        + " Clone the tensor before writing to it, or use the operation that is not in place."
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
        return value if value._vc is None and not saved_tensor_hooks.active else Saved(value)
    if (type(value) is list or type(value) is tuple) and value and any(isinstance(v, Tensor) for v in value):
        return list(value)
    return value


def unpack(node: Any, value: Any) -> Any:
    """What ``save`` kept, as the rule gets it; raises if it was written since."""
    kind = type(value)
    if kind is Saved or kind is SavedOutput:
        return value.unpack(node)
    if kind in PLAIN:  # saved without a version object: any write since then made one
        vc = value._vc
        if vc is not None and vc.version:
            raise modified(node, value, "an input of", vc.version, 0, vc.writer)
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
    out: bool | str = False,
    inplace: bool = False,
    node_name: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a primitive.  The function's body returns the normalised arguments (a tuple), or a Tensor (or a tuple of
    them) if there is nothing left to do.

    paths: where it is found, separated by spaces, e.g. ``"torch.gather Tensor.gather"``.
    args: names of the normalised arguments; default: the function's parameters.
    out: whether it takes ``out=``, and by which rule (``with_out``).  inplace: whether it has an in-place form (``name_``).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        names = args.split() if args is not None else [p for p in parameters_of(fn) if p != "out"]
        op = Op(
            name or fn.__name__, None, names, grads=grad, meta=meta, decompose=decompose, paths=paths.split(),
            tags=tags.split(), returns=returns, broadcasts=broadcasts, node_name=node_name, doc=fn.__doc__,
        )  # fmt: skip

        @functools.wraps(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(public, a, k)
            try:
                normal = fn(*a, **k)
            except TypeError:
                if (renamed := torch_names(fn, k)) is None:
                    raise
                normal = fn(*a, **renamed)
            if type(normal) is tuple:
                return op(*normal)
            return tuple(normal) if type(normal) is Ready else normal

        op.inplace = derive_inplace(op, public, fn) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        op.fn = with_out(public, out) if out else public
        return op.fn

    return declare


# NumPy's names of parameters, which PyTorch takes too.
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def torch_names(fn: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Keyword arguments with NumPy's names replaced by those of the function's parameters; None where there are none."""
    code = fn.__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if not any(n not in own and _NUMPY_NAMES.get(n) in own for n in kwargs):
        return None
    return {n if n in own else _NUMPY_NAMES.get(n, n): v for n, v in kwargs.items()}


class Ready(list[Any]):
    """What a primitive's body returns instead of arguments when it already has several results."""


def composite(
    paths: str,
    *,
    name: str | None = None,
    out: bool | str = False,
    inplace: bool = False,
    tags: str = "",
    of: Op | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an op whose body computes with other ops; gradient, meta and every backend follow from those.

    of: the primitive that the function is the public form of (creation functions: their primitive takes no tensor).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        if of is None:
            op = Op(name or fn.__name__, None, (), paths=paths.split(), tags=("composite", *tags.split()), doc=fn.__doc__)
        else:
            op, of.paths, of.doc = of, tuple(paths.split()), fn.__doc__

        @functools.wraps(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(public, a, k)
            try:
                return fn(*a, **k)
            except TypeError:
                if (renamed := torch_names(fn, k)) is None:
                    raise
                return fn(*a, **renamed)

        op.inplace = derive_inplace(op, public) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        op.fn = with_out(public, out) if out else public
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


def derive_inplace(
    op: Op, fn: Callable[..., Any], body: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """The in-place form of an op: its result, written into the tensor it was called on.

    body: what normalises a primitive's arguments.  With it, and where the backend has a kernel ``<name>_`` that writes into
    its first operand, nothing is copied (unless the write is recorded or watched by a mode).
    """
    name = op.name + "_"
    writers = _Writers(op)

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self, name)
        if body is not None and not state.busy and not state.overrides and not needs_grad(self, *args, *kwargs.values()):
            kernel = writers[self._kind]
            if kernel is not None:
                normal = body(self, *args, **kwargs)
                onto_itself = type(normal) is tuple and normal[0] is self
                if onto_itself:
                    kernel(*[_raw(a, self._kind) for a in normal])
                    self._bump(name)
                    return self
                result: Tensor = op(*normal) if type(normal) is tuple else normal
                return overwrite(self, result, name)
        source = with_history(self) if needs_grad(self, *args, *kwargs.values()) else self
        return overwrite(self, fn(source, *args, **kwargs), name)

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = f"In-place form of :func:`{op.name}`: writes the result into the tensor and returns it."
    return inplace


def with_history(t: Tensor) -> Tensor:
    """A copy of a tensor's values with its history, for a rule that needs what an in-place op is about to overwrite."""
    copy = new(Tensor)
    copy._data, copy._kind = t._kind.backend.cast(t._data, t.dtype, copy=True), t._kind
    copy._gf, copy._nr, copy._rg = t.grad_fn, t._nr, t._rg
    return copy


def override_of(args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The __torch_function__ handler that wants this call, or None."""
    from torsh import overrides

    return overrides.handler(args, kwargs)


def with_out(fn: Callable[..., Any], rule: bool | str = True) -> Callable[..., Any]:
    """``fn`` with an ``out=`` keyword: the result is written into that tensor (or tuple of tensors), which is returned.

    rule: True: its dtype may differ from the result's; "typed": it may not; "exact": nor may it share memory with the
    inputs.
    """

    @functools.wraps(fn)
    def public(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs) if out is None else None
        if out is None:
            return result
        from torsh.ops._out import write_out

        return write_out(fn, args, kwargs, out, rule)

    public.__signature__ = signature_with(fn, {"out": None})  # type: ignore[attr-defined]
    return public


def signature_with(fn: Callable[..., Any], extra: dict[str, Any]) -> inspect.Signature:
    """A function's signature with further keyword-only parameters (name -> default).

    Read off its code object: ``inspect.signature`` takes five times as long, which counts for hundreds of ops at import.
    """
    while not hasattr(fn, "__signature__") and hasattr(fn, "__wrapped__"):
        fn = fn.__wrapped__
    known = getattr(fn, "__signature__", None)
    if known is not None:
        found = list(known.parameters.values())
    else:
        code, kind = fn.__code__, inspect.Parameter
        n, names = code.co_argcount, code.co_varnames
        defaults = (kind.empty,) * (n - len(fn.__defaults__ or ())) + (fn.__defaults__ or ())  # type: ignore[attr-defined]
        found = [
            kind(name, kind.POSITIONAL_ONLY if i < code.co_posonlyargcount else kind.POSITIONAL_OR_KEYWORD, default=d)
            for i, (name, d) in enumerate(zip(names[:n], defaults))
        ]
        after = n + code.co_kwonlyargcount
        if code.co_flags & inspect.CO_VARARGS:
            found.append(kind(names[after], kind.VAR_POSITIONAL))
            after += 1
        keyword = fn.__kwdefaults__ or {}  # type: ignore[attr-defined]
        found += [
            kind(name, kind.KEYWORD_ONLY, default=keyword.get(name, kind.empty))
            for name in names[n : n + code.co_kwonlyargcount]
        ]
        if code.co_flags & inspect.CO_VARKEYWORDS:
            found.append(kind(names[after], kind.VAR_KEYWORD))
    given = {p.name for p in found}
    at = len(found) - (bool(found) and found[-1].kind is inspect.Parameter.VAR_KEYWORD)
    found[at:at] = [inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=v) for k, v in extra.items() if k not in given]
    return inspect.Signature(found, __validate_parameters__=False)


def parameters_of(fn: Callable[..., Any]) -> list[str]:
    """Names of a plain function's parameters, without those of ``*args`` and ``**kwargs``."""
    code = fn.__code__
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def needs_grad(*tensors: Any) -> bool:
    """Whether a call on these would be recorded."""
    return thread.enabled and any(isinstance(t, Tensor) and t._rg for t in tensors)


__all__ = ["OPS", "PLAIN", "Op", "composite", "needs_grad", "primitive", "with_out"]
