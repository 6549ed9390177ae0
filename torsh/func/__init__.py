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
    "chunk_vmap", "debug_unwrap", "fallbacks", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev",
    "jvp", "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """The tensor behind an example that ``vmap`` made (behind all levels with ``recurse``), to print or look into; not to compute with.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.debug_unwrap.html

    >>> import torsh
    >>> seen = []
    >>> _ = torsh.vmap(lambda v: (seen.append(torsh.func.debug_unwrap(v)), v)[1])(torsh.tensor([[1., 2.], [3., 4.]]))
    >>> seen[0]
    tensor([[1., 2.],
            [3., 4.]])
    """
    from torsh.func._batched import Batched

    while type(tensor) is Batched:
        tensor = tensor._physical
        if not recurse:
            break
    return tensor


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: Any = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers: a dictionary by name, or several.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.functional_call.html

    >>> import torsh
    >>> from torsh import nn
    >>> layer = nn.Linear(2, 1)
    >>> weights = {"weight": torsh.ones(1, 2), "bias": torsh.zeros(1)}
    >>> torsh.func.functional_call(layer, weights, (torsh.tensor([1., 2.]),))
    tensor([3.])
    """
    from torsh.nn.utils.stateless import _functional_call as call

    values = parameter_and_buffer_dicts
    if isinstance(values, (tuple, list)):
        merged: dict[str, Any] = {}
        for d in values:
            repeated = merged.keys() & d.keys()
            if repeated:
                raise ValueError(
                    f"{sorted(repeated)[0]} appears in multiple dictionaries; behavior of functional call is ambiguous"
                )
            merged.update(d)
        values = merged
    return call(module, values, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of modules of one kind, stacked by name, to ``vmap`` over the modules.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.stack_module_state.html

    >>> import torsh
    >>> from torsh import nn
    >>> models = [nn.Linear(2, 3) for _ in range(4)]
    >>> params, buffers = torsh.func.stack_module_state(models)
    >>> params["weight"].shape
    torsh.Size([4, 3, 2])
    """
    import torsh

    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(kind: str) -> dict[str, Any]:
        named = [dict(getattr(m, kind)()) for m in models]
        found = {}
        for name in named[0]:
            each = [d[name] for d in named]
            if len({t.requires_grad for t in each}) > 1:
                raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
            found[name] = torsh.stack(each)
            if each[0].requires_grad:
                found[name] = found[name].detach().requires_grad_()
        return found

    return stacked("named_parameters"), stacked("named_buffers")


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let all batch normalisations in a module forget their running statistics and keep none, which ``vmap`` can go over.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.replace_all_batch_norm_modules_.html

    >>> import torsh
    >>> model = torsh.func.replace_all_batch_norm_modules_(torsh.nn.Sequential(torsh.nn.BatchNorm1d(3)))
    >>> model[0].running_mean is None
    True
    """
    from torsh.nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = None
            module.running_var = None
            module.num_batches_tracked = None
            module.track_running_stats = False
    return root
