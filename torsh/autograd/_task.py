"""Questions about the backward pass that runs just now: for hooks that want to know where they are.

Nothing is noted for them while a pass runs: the answers are in the variables of the engine's running function.
"""

from __future__ import annotations

import sys
from typing import Any

from torsh.autograd import engine
from torsh.autograd.engine import Node


def _running() -> dict[str, Any] | None:
    """The variables of the innermost backward pass of this thread, None outside of one."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code is engine.run.__code__ and "heap" in frame.f_locals:
            return frame.f_locals  # type: ignore[no-any-return]
        frame = frame.f_back
    return None


def current_graph_task_id() -> int:
    """The number of the backward pass that runs in this thread, -1 outside of one."""
    return -1 if _running() is None else engine._running.number


def current_autograd_node() -> Node | None:
    """The node whose gradients are being computed."""
    found = _running()
    return None if found is None else found.get("node")


def will_engine_execute_node(node: Any) -> bool:
    """Whether the running backward pass computes the gradients of a node.  Raises RuntimeError outside of a pass."""
    variables = _running()
    if variables is None:
        raise RuntimeError("_get_should_execute_nodes should only be called during the backward pass")
    if not isinstance(node, Node):
        raise RuntimeError(f"_will_engine_execute_node expects an grad_fn, but got {type(node).__name__}")
    edge = node.variable if isinstance(node, engine.AccumulateGrad) else node
    needed = variables.get("needed")
    if needed is None:
        return id(edge) in _all_below(variables)
    if edge is not node and not variables.get("accumulate_leaves"):
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is currently not "
            "supported; ask about a node that is no leaf's"
        )
    return id(edge) in needed


def how_many_run(edges: Any) -> int:
    """Of some nodes and leaves, how many the running backward pass gives a gradient."""
    variables = _running()
    if variables is None:
        return 0
    needed = variables.get("needed")
    if needed is None:
        needed = _all_below(variables)
    return sum(id(edge) in needed for edge in edges)


def _all_below(variables: dict[str, Any]) -> set[int]:
    """Everything that the roots of a pass lead to."""
    seen: set[int] = set()
    stack = [edge for edge, _, _ in variables["roots"]]
    while stack:
        edge = stack.pop()
        if edge is None or id(edge) in seen:
            continue
        seen.add(id(edge))
        if isinstance(edge, Node):
            stack.extend(edge.edges)
    return seen


def current_graph_task_execution_order() -> list[Node]:
    """The nodes that the running pass has still to go through, in order; leaves as their AccumulateGrad nodes, last."""
    variables = _running()
    if variables is None:
        raise RuntimeError("_current_graph_task_execution_order should only be called during the backward pass")
    needed = variables.get("needed")
    nodes: dict[int, Any] = {}
    leaves: dict[int, Any] = {}
    stack = [n for _, n in variables["heap"]]
    if variables.get("node") is not None:
        stack.append(variables["node"])
    while stack:
        edge = stack.pop()
        if edge is None or id(edge) in nodes or (needed is not None and id(edge) not in needed):
            continue
        if isinstance(edge, Node):
            nodes[id(edge)] = edge
            stack.extend(edge.edges)
        else:
            leaves[id(edge)] = edge
    return [*sorted(nodes.values(), key=lambda n: -n.seq), *(engine.accumulator(leaf) for leaf in leaves.values())]
