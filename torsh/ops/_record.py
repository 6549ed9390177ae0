"""Recording a call: which rules its node runs, what they need kept, and the node itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torsh.autograd._forward import carries
from torsh.autograd.engine import FREED, Node
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.ops._saved import KEEPERS, RawSaved, SavedOutput, freed, save, unpack
from torsh.tensor import Tensor

if TYPE_CHECKING:
    from torsh.ops._op import Op

PLAIN_TYPES = frozenset({int, float, bool, str, type(None)})


def wants(a: Any) -> Any:
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
                else save(
                    outs[j]
                )  # integers know no node: to keep the tensor makes no cycle, and writes to it are noticed
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
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}': it keeps {', '.join(self.plan.names) or 'nothing'}"
        )

    def release(self) -> None:
        """Drop the tensors that were saved; what only keeps sizes and the like can be gone through again."""
        for v in self.saved:
            if type(v) in KEEPERS or isinstance(v, Tensor) or self.op.broadcasts:
                self.saved = FREED
                return

    def spread(self, found: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([None if i is None else found[i] for i in self._layout()])

    def gather(self, spread: Sequence[Any]) -> Sequence[Any]:
        return [
            g for g, i in sorted(((g, i) for g, i in zip(spread, self._layout()) if i is not None), key=lambda p: p[1])
        ]

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


def needs_grad(*tensors: Any) -> bool:
    """Whether a call on these would be recorded, or gives a result with a tangent."""
    if state.levels and any(isinstance(t, Tensor) and carries(t) for t in tensors):
        return True
    return thread.enabled and any(isinstance(t, Tensor) and t._rg for t in tensors)
