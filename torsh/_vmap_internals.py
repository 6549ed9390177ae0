"""The first ``vmap`` of PyTorch, which some programs still import: ``torsh.vmap`` with flat ``out_dims`` and without random numbers.

Source: https://docs.pytorch.org/docs/stable/generated/torch.vmap.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh import _callers
from torsh.func._batched import VmapMode
from torsh.func._tree import flatten
from torsh.func._vmap import _create_batched_inputs, _get_name, _Level, _process_batched_inputs, _remove_batch_dim
from torsh.tensor import Tensor


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0) -> Callable[..., Any]:
    """Deprecated: use ``torch.vmap``."""
    _callers.warn("Please use `torch.vmap` instead of `torch._vmap_internals.vmap`.", FutureWarning)
    return _vmap(func, in_dims, out_dims)


def _vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, allow_none_pass_through: bool = False
) -> Callable[..., Any]:
    """``func`` on batches; its results are a tensor or a tuple of tensors (or None, with ``allow_none_pass_through``)."""

    @functools.wraps(func)
    def wrapped(*args: Any) -> Any:
        name = _get_name(func)
        if not isinstance(out_dims, int) and not (
            isinstance(out_dims, tuple) and all(isinstance(d, int) for d in out_dims)
        ):
            raise ValueError(
                f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int or a tuple of int representing where in the outputs "
                "the vmapped dimension should appear."
            )
        if args and isinstance(in_dims, (int, tuple)):
            _refuse_negative(name, in_dims, args)
        size, dims, leaves, spec = _process_batched_inputs(in_dims, args, func)
        with _Level() as level:
            given = _create_batched_inputs(dims, leaves, level, spec)
            with VmapMode(level, size, "error"):
                result = func(*given)
            outs = result if isinstance(result, tuple) else (result,)
            for i, t in enumerate(outs):
                if not isinstance(t, Tensor) and not (t is None and allow_none_pass_through):
                    which = f" for return {i}" if isinstance(result, tuple) else " as the return"
                    raise ValueError(
                        f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(t)}{which}."
                    )
            places = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(outs)
            if len(places) != len(outs):
                raise ValueError(
                    f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must have one dim per output (got {len(outs)} outputs) of {name}."
                )
            found = tuple(None if t is None else _remove_batch_dim(t, level, size, d) for t, d in zip(outs, places))
        return found if isinstance(result, tuple) else found[0]

    return wrapped


def _refuse_negative(name: str, in_dims: Any, args: Any) -> None:
    """This ``vmap`` counts dimensions from the front only."""
    for d in flatten(in_dims)[0]:
        if isinstance(d, int) and d < 0:
            ranks = [t.ndim for t in flatten(args)[0] if isinstance(t, Tensor)]
            raise ValueError(
                f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={d} for some input, but that input is a Tensor of "
                f"dimensionality {min(ranks, default=0)} so expected in_dim to satisfy 0 <= in_dim < {min(ranks, default=0)}."
            )
