"""Tensor classes over ordinary tensors: sparse, nested, masked and quantized ones.

Such a tensor is a place of its own in the autograd graph.  Two steps lead in and out of it (``recorded``); what lies between are
ordinary ops on ordinary tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh.autograd._forward import handed_on
from torsh.autograd.engine import Node, edge_of
from torsh.autograd.grad_mode import thread
from torsh.dispatch import Kind, state
from torsh.tensor import Tensor, new, version_of


class Rules(dict[str, Callable[..., Any]]):
    """What ops do with tensors of a class: functions of the op's own arguments, by the op's name."""

    def declare(self, *names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator: what the ops of these names do."""

        def put(fn: Callable[..., Any]) -> Callable[..., Any]:
            self.update(dict.fromkeys(names, fn))
            return fn

        return put


def sharing(cls: type[Tensor], source: Tensor, kind: Kind | None = None) -> Any:
    """A tensor of a class, without history, over the memory of another; ``kind`` where it is not that of the source."""
    state.overrides = True  # from the first such tensor on, ops ask whether they got one
    t = new(cls)
    t._data = source._data
    t._kind = source._kind if kind is None else kind
    t._vc = version_of(source)
    return t


class RuleNode(Node):
    """A step with one input: ``rule`` turns the gradient of the output into that of the input."""

    rule: Callable[[Any], Any]

    def apply(self, grads: Any) -> Any:
        return (self.rule(grads),)


@functools.cache
def node_type(name: str, base: type = RuleNode) -> type:
    """A node class by the name that PyTorch prints."""
    return type(name, (base,), {"__module__": "torch.autograd.graph"})


def recorded(out: Any, source: Tensor, name: str, rule: Callable[[Any], Any]) -> Any:
    """Record that ``out`` came from ``source``."""
    attach(out, source, name, rule)
    if state.levels:
        handed_on(source, out)  # the tangent of such a tensor is kept as that of its values
    return out


def attach(out: Any, source: Tensor, name: str, rule: Callable[[Any], Any]) -> None:
    """``recorded`` for reverse mode only: the result has its own tangent."""
    if thread.enabled and source._rg and out._kind.inexact:
        node = node_type(name)()
        node.rule = rule
        edge, number = edge_of(source)
        node.edges = (edge,)
        if number:
            node.numbers = (number,)
        out._gf, out._nr, out._rg = node, 0, True
