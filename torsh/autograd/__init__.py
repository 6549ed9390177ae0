"""Automatic differentiation.  Source: https://docs.pytorch.org/docs/stable/autograd.html"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from torsh.autograd import engine
from torsh.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function", "anomaly_mode", "backward", "detect_anomaly", "enable_grad",
    "enforce_grad_layout_policy", "function", "functional", "grad", "grad_mode",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "is_grad_enabled",
    "is_inference_mode_enabled", "no_grad", "set_detect_anomaly",
    "set_grad_enabled", "set_multithreading_enabled", "variable",
]  # fmt: skip

# What is rarely used, or needs the ops, comes when first asked for.
_LATER = {
    "Function": "function", "detect_anomaly": "anomaly_mode", "set_detect_anomaly": "anomaly_mode", "gradcheck": "gradcheck",
    "gradgradcheck": "gradcheck", "Variable": "variable", "once_differentiable": "function",
}  # fmt: skip
_MODULES = ("anomaly_mode", "forward_ad", "function", "functional", "graph", "profiler", "variable")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES, "is_tensor_like"})


def __getattr__(name: str) -> Any:
    if name == "is_tensor_like":
        from torsh.overrides import is_tensor_like as value
    elif name in _LATER:
        value = getattr(importlib.import_module(f"torsh.autograd.{_LATER[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"torsh.autograd.{name}")
    else:
        raise AttributeError(f"module 'torch.autograd' has no attribute {name!r}")
    globals()[name] = value
    return value


class enforce_grad_layout_policy:
    """Accepted for programs that use it: a gradient's memory layout is whatever its computation gave."""

    def __init__(self, enable: bool = True) -> None:
        self.mode = enable

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


class set_multithreading_enabled:
    """Accepted for programs that use it: the engine runs every backward pass in the calling thread."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


def _sequence(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) and not hasattr(x, "output_nr") else (x,)


def _edge(target: Any) -> tuple[Any, int]:
    """The place a tensor, or a ``GradientEdge``, stands for."""
    if isinstance(target, tuple):
        node, number = target[0], target[1]
        return (node.variable if isinstance(node, engine.AccumulateGrad) else node, number)
    return engine.edge_of(target)


def _roots(tensors: Sequence[Any], grads: Sequence[Any]) -> list[tuple[Any, int, Any]]:
    if len(grads) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grads)} gradients")
    roots = []
    for i, (t, g) in enumerate(zip(tensors, grads)):
        if not t._rg:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if t.numel() != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            from torsh.ops.creation import make_full

            g = make_full(tuple(t.shape), 1, t.dtype, t.device, False)
        elif tuple(g.shape) != tuple(t.shape):
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of {t.shape}."
            )
        roots.append((*engine.edge_of(t), g))
    return roots


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False, *, inputs: Any = None
) -> None:
    """Accumulate the gradients of tensors into the leaves they were computed from.

    grad_tensors: one gradient per tensor, of its shape; None for tensors with one element.
    inputs: accumulate only into these.
    """
    tensors = _sequence(tensors)
    grads = (None,) * len(tensors) if grad_tensors is None else _sequence(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(tensors, grads)
    if inputs is None:
        engine.run(roots, keep, create_graph)
        return
    inputs = _sequence(inputs)
    if not inputs:
        raise RuntimeError("inputs argument to torch.autograd.backward cannot be empty.")
    found = engine.run(roots, keep, create_graph, [_edge(t) for t in inputs], False)
    for t, g in zip(inputs, found or ()):
        engine.accumulate(t, g, create_graph)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, as a tuple; no ``.grad`` changes.

    allow_unused: give None for an input that the outputs do not depend on, instead of raising RuntimeError.
    materialize_grads: give zeros instead of None.
    """
    outputs, inputs = _sequence(outputs), _sequence(inputs)
    grads = (None,) * len(outputs) if grad_outputs is None else _sequence(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    for t in inputs:
        if not isinstance(t, tuple) and not t._rg:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    found = engine.run(_roots(outputs, grads), keep, create_graph, [_edge(t) for t in inputs], False) or []
    for i, g in enumerate(found):
        if g is None and materialize_grads:
            found[i] = inputs[i].detach() * 0
        elif g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
                "this is the desired behavior."
            )
    return tuple(found)
