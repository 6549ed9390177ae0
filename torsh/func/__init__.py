"""Function transforms, which compose: ``grad``, ``vmap``, ``vjp``, ``jvp``, Jacobians, Hessians.

Source: https://docs.pytorch.org/docs/stable/func.html
"""

from __future__ import annotations

from typing import Any

from torsh.func._rearrange import rearrange
from torsh.func._rules import fallbacks
from torsh.func._transforms import (
    functionalize,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
)
from torsh.func._vmap import chunk_vmap, vmap

__all__ = [
    "chunk_vmap", "fallbacks", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev",
    "jvp", "linearize", "rearrange", "stack_module_state", "vjp", "vmap",
]  # fmt: skip


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *, tie_weights: bool = True, strict: bool = False
) -> Any:
    """Call a module with other parameters and buffers: a dictionary by name, or several."""
    from torsh.nn.utils.stateless import _functional_call as call

    values = parameter_and_buffer_dicts
    if isinstance(values, (tuple, list)):
        merged: dict[str, Any] = {}
        for d in values:
            repeated = merged.keys() & d.keys()
            if repeated:
                raise ValueError(f"{sorted(repeated)[0]} appears in multiple dictionaries; behavior of functional call is ambiguous")
            merged.update(d)
        values = merged
    return call(module, values, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of modules of one kind, stacked by name, to ``vmap`` over the modules."""
    import torsh

    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(kind: str, track: bool) -> dict[str, Any]:
        named = [dict(getattr(m, kind)()) for m in models]
        found = {k: torsh.stack([d[k].detach() if track else d[k] for d in named]) for k in named[0]}
        return {k: v.requires_grad_(named[0][k].requires_grad) for k, v in found.items()} if track else found

    return stacked("named_parameters", True), stacked("named_buffers", False)
