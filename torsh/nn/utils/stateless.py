"""Calling a module with other parameters.

Source: https://docs.pytorch.org/docs/stable/generated/torch.func.functional_call.html
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


def _untie(module: Module, given: dict[str, Any]) -> dict[str, Any]:
    """``given`` with every tensor under all the names it has in the module."""
    names: dict[Any, list[str]] = {}
    for find in (module.named_parameters, module.named_buffers):
        for name, t in find(remove_duplicate=False):
            names.setdefault(t, []).append(name)
    tied = {n: tuple(group) for group in names.values() for n in group}
    found: dict[str, Any] = {}
    source: dict[tuple[str, ...], str] = {}
    for name, value in given.items():
        group = tied.get(name, (name,))
        other = source.setdefault(group, name)
        if other != name and given[other] is not value:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted((other, name))}, which are tied. Consider using "
                "tie_weights=False"
            )
        for n in group:
            found[n] = value
    return found


def _table(module: Module, name: str) -> tuple[dict[str, Any], str]:
    """The dictionary of a submodule that has a tensor by this dotted name, and the name in it."""
    path, _, own = name.rpartition(".")
    owner = module.get_submodule(path)
    for table in (owner._parameters, owner._buffers):
        if own in table:
            return table, own
    if isinstance(owner.__dict__.get(own), Tensor):
        return owner.__dict__, own
    raise AttributeError(f"{owner._get_name()} has no attribute `{own}`")


@contextlib.contextmanager
def _reparametrize_module(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    *,
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> Iterator[None]:
    given = _untie(module, parameters_and_buffers) if tie_weights else dict(parameters_and_buffers)
    if strict:
        own = {n for n, _ in module.named_parameters(remove_duplicate=False)}
        own |= {n for n, _ in module.named_buffers(remove_duplicate=False)}
        missing, unexpected = own - set(given), set(given) - own
        if missing or unexpected:
            message = "Error(s) in passing parameters and buffers to functional_call:\n\t"
            if unexpected:
                message += f"Unexpected key(s): {', '.join(map(repr, sorted(unexpected)))}.\n\t"
            if missing:
                message += f"Missing key(s): {', '.join(map(repr, sorted(missing)))}.\n\t"
            raise RuntimeError(message)
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, value in given.items():
            table, own_name = _table(module, name)
            before.append((table, own_name, table[own_name]))
            table[own_name] = value
        yield
        # A buffer the call wrote to is written in what was given.
        for (table, own_name, _), name in zip(before, given):
            if name in parameters_and_buffers and table.get(own_name) is not given[name]:
                parameters_and_buffers[name] = table[own_name]
    finally:
        for table, own_name, value in reversed(before):
            table[own_name] = value


def _functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **(kwargs or {}))


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Deprecated: use ``torch.func.functional_call``."""
    warnings.warn(
        "This API is deprecated as of PyTorch 2.0 and will be removed in a future version of PyTorch. Please use "
        "torch.func.functional_call instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


__all__ = ["functional_call"]
