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
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd.engine import Node
from torsh.autograd.grad_mode import thread
from torsh.dispatch import KernelCache, mixed_devices, state, through_modes, unallocatable
from torsh.ops._calls import MISTAKES, rearranged
from torsh.ops._docs import dressed, dressed_as
from torsh.ops._inplace import derive_inplace
from torsh.ops._layout import WORDS as LAYOUTS
from torsh.ops._layout import arranged, laid_out
from torsh.ops._overriding import override_of, overriding
from torsh.ops._record import PLAIN_TYPES, OpNode, Plan, needs_grad, wants
from torsh.ops._signature import parameters_of, signature_with
from torsh.ops._unrolled import unrolled
from torsh.tensor import Tensor, new, shared, wrap

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
    tags: of ``TAGS``.  jvp: the rule of forward mode where none follows from these (``autograd._forward_rules``).
    layout: how results lie in memory, where that is not left to the kernel: see ``torsh.ops._layout``.
    """

    TAGS = frozenset(
        "pointwise reduction view random creation inplace data-dependent nondifferentiable composite moves "
        "linear multilinear symmetric holomorphic".split()
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
        jvp: Callable[..., Any] | None = None,
    ) -> None:
        if name in OPS:
            raise ValueError(f"op {name!r} is declared twice")
        unknown = set(tags) - Op.TAGS
        if unknown:
            raise ValueError(f"op {name!r} has unknown tags {sorted(unknown)}; known are {sorted(Op.TAGS)}")
        self.name = name
        self.fn = fn
        self.args = tuple(args)
        self.grads, self.jvp = grads or {}, jvp
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
        if type(self) is Op and self.args:
            self._run = self._first_run  # type: ignore[method-assign]
        OPS[name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any) -> Any:
        """Run the op on normalised arguments."""
        return through_modes(self, args, self._run) if state.busy else self._run(*args)

    def _first_run(self, *args: Any) -> Any:
        """The first run makes the function for all others: making it takes too long for an import."""
        self._run = unrolled(self)  # type: ignore[method-assign]
        return self._run(*args)

    def _run(self, *args: Any) -> Any:
        first: Any = None
        raws: list[Any] = []
        tracked = False
        for a in args:
            t = type(a)
            if t in PLAIN_TYPES:
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
        return (
            tuple(outs) if self.returns is None else tuple.__new__(self.returns, outs)
        )  # a named tuple, without its checks

    # ---- recording

    def record(self, args: Sequence[Any], outs: Sequence[Any]) -> Node:
        """Attach a node to the outputs of a call whose inputs require grad."""
        key = tuple([a._rg if isinstance(a, Tensor) else False if type(a) in PLAIN_TYPES else wants(a) for a in args])
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
    jvp: Callable[..., Any] | None = None,
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
            layout=layout, jvp=jvp,
        )  # fmt: skip

        run: Callable[..., Any]

        def first_run(*args: Any) -> Any:
            nonlocal run
            found = op._first_run(*args)
            run = op._run
            return found

        run = first_run

        @dressed_as(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(users, a, k)  # handlers are looked up by the function that users see
            try:
                normal = fn(*a, **k) if k else fn(*a)  # merging no keywords takes time, too
            except MISTAKES:
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (other := rearranged(fn, a, k, op)) is None:
                    raise
                normal = fn(*other[0], **other[1])
            if type(normal) is tuple:
                try:
                    return through_modes(op, normal, run) if state.busy else run(*normal)
                except MemoryError as e:
                    raise unallocatable(e) from e.__cause__
                except MISTAKES as e:
                    if (other := rearranged(fn, a, k, op)) is None:
                        raise unallocatable(e) from e.__cause__
                    return public(*other[0], **other[1])
            return tuple(normal) if type(normal) is Ready else normal

        def filling(*a: Any, out: Any = None, **k: Any) -> Any:
            # ``public`` and ``with_out`` in one for the usual call: each packs the arguments anew.
            if out is not None or state.overrides or state.busy:
                return general(*a, out=out, **k)
            try:
                normal = fn(*a, **k) if k else fn(*a)
            except MISTAKES:
                return general(*a, **k)  # with other names of arguments, or the error again
            if type(normal) is tuple:
                try:
                    return run(*normal)
                except MemoryError as e:
                    raise unallocatable(e) from e.__cause__
                except MISTAKES:
                    return general(*a, **k)
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
                return handler(op.fn, a, k)  # handlers are looked up by the function that users see
            try:
                return fn(*a, **k) if k else fn(*a)
            except MemoryError as e:
                raise unallocatable(e) from e.__cause__
            except MISTAKES as e:
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (other := rearranged(fn, a, k, op)) is None:
                    raise unallocatable(e) from e.__cause__
                return fn(*other[0], **other[1])

        def filling(*a: Any, out: Any = None, **k: Any) -> Any:
            # ``public`` and ``with_out`` in one for the usual call: each packs the arguments anew.
            if out is not None or state.overrides:
                return general(*a, out=out, **k)
            try:
                return fn(*a, **k) if k else fn(*a)
            except MemoryError as e:
                raise unallocatable(e) from e.__cause__
            except MISTAKES as e:
                if rearranged(fn, a, k, op) is None and (state.overrides or not overriding(a, k)):
                    raise unallocatable(e) from e.__cause__
                return general(*a, **k)

        op.inplace = derive_inplace(op, public, rule=inplace) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        if not out:
            op.fn = public
            return public
        general = with_out(public, out)
        op.fn = dressed(filling, general)
        return op.fn

    return declare


def add_doc(fn: Any, text: str) -> None:
    """Put a paragraph into a declared function's docstring, before its examples."""
    head, mark, example = (fn.__doc__ or "").partition("\n\n    >>> ")
    fn.__doc__ = fn.op.doc = f"{head.rstrip()}\n\n    {text.strip()}{mark}{example}" + ("" if mark else "\n    ")


def with_out(fn: Callable[..., Any], rule: bool | str | Callable[..., None] = True) -> Callable[..., Any]:
    """``fn`` with an ``out=`` keyword: the result is written into that tensor (or tuple of tensors), which is returned.

    rule: True: its dtype may differ from the result's if that can be cast; "any": in any case; "typed", "same": it may not (in
    PyTorch's two ways to say so); "magnitude": so, and real even where ``dtype`` is complex; "exact": nor may it
    share memory with the inputs; a function of (tensors of out, keyword arguments) that raises: an op's own checks before those
    of "exact".
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


__all__ = ["OPS", "Op", "composite", "needs_grad", "primitive", "with_out"]
