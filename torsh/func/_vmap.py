"""``vmap``: run a function on every example of a batch at once.

Source: https://docs.pytorch.org/docs/stable/generated/torch.func.vmap.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torsh.func._batched import VmapMode, at_level, batched, pull
from torsh.func._tree import flatten, spread, unflatten
from torsh.tensor import Tensor

_levels: list[int] = [0]


class _Level:
    """Numbers the nested maps of a process; a deeper one has a higher number."""

    def __enter__(self) -> int:
        _levels.append(_levels[-1] + 1)
        return _levels[-1]

    def __exit__(self, *exc: object) -> None:
        _levels.pop()


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """``func`` with a batch dimension added to its arguments and results.

    in_dims: which dimension of each argument is mapped (None: not mapped), one for all or a structure like the arguments.
    out_dims: where the batch dimension goes in the results.  randomness: "error", "different" or "same" random numbers for the
    examples.  chunk_size: how many examples at a time.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = flatten(args)
        kw_leaves, kw_spec = flatten(kwargs)
        if not isinstance(in_dims, (int, tuple, list)):
            raise ValueError(
                f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) "
                f"tuple matching the structure of inputs, got: {type(in_dims)}."
            )
        dims = spread(tuple(in_dims) if isinstance(in_dims, list) else in_dims, args)
        if dims is None:
            raise ValueError(
                f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of `inputs`. "
                f"in_dims has structure {in_dims} but inputs has {len(args)} arguments."
            )
        dims = dims + [None] * len(kw_leaves)
        leaves = leaves + kw_leaves
        size = _batch_size(func, leaves, dims)
        dims = [None if d is None else d % t.ndim for d, t in zip(dims, leaves)]
        if chunk_size is None or chunk_size >= size:
            return _run(func, leaves, dims, size, len(leaves) - len(kw_leaves), spec, kw_spec, out_dims, randomness)
        return _in_chunks(func, leaves, dims, size, len(leaves) - len(kw_leaves), spec, kw_spec, out_dims, randomness, chunk_size)

    return mapped


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def _batch_size(func: Any, leaves: Sequence[Any], dims: Sequence[Any]) -> int:
    sizes = []
    for t, d in zip(leaves, dims):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(f"vmap({_name(func)}, ...): Got in_dim={d} for an input but in_dim must be either an integer or None")
        if not isinstance(t, Tensor):
            raise ValueError(
                f"vmap({_name(func)}, ...): Got in_dim={d} for an input but the input is of type {type(t)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -t.ndim <= d < t.ndim:
            raise ValueError(
                f"vmap({_name(func)}, ...): Got in_dim={d} for some input, but that input is a Tensor of dimensionality {t.ndim} so "
                f"expected in_dim to satisfy -{t.ndim} <= in_dim < {t.ndim}."
            )
        sizes.append(int(t.shape[d]))
    if not sizes:
        raise ValueError("vmap: at least one input must be a Tensor that is mapped (an in_dim that is not None)")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
        )
    return sizes[0]


def _run(
    func: Any, leaves: Any, dims: Any, size: int, split: int, spec: Any, kw_spec: Any, out_dims: Any, randomness: str
) -> Any:
    with _Level() as level:
        given = [t if d is None else batched(t.movedim(d, 0), level) for t, d in zip(leaves, dims)]
        args, kwargs = unflatten(given[:split], spec), unflatten(given[split:], kw_spec)
        with VmapMode(level, size, randomness):
            result = func(*args, **kwargs)
        return _unwrap(func, result, out_dims, level, size)


def _unwrap(func: Any, result: Any, out_dims: Any, level: int, size: int) -> Any:
    leaves, spec = flatten(result)
    dims = spread(out_dims, result if isinstance(result, tuple) else (result,)) if not isinstance(out_dims, int) else None
    if isinstance(out_dims, int):
        dims = [out_dims] * len(leaves)
    if dims is None or len(dims) != len(leaves):
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims}): out_dims is not compatible with the structure of the outputs"
        )
    outs = []
    for t, d in zip(leaves, dims):
        if not isinstance(t, Tensor):
            raise ValueError(
                f"vmap({_name(func)}, ...): `{_name(func)}` must only return Tensors, got type {type(t)}."
            )
        if d is None:
            if at_level(t, level):
                raise ValueError(
                    f"vmap({_name(func)}, ...): `{_name(func)}` can not return a BatchedTensor when out_dim is None"
                )
            outs.append(t)
        else:
            outs.append(pull(t, level, size).movedim(0, d))
    return unflatten(outs, spec)


def _in_chunks(
    func: Any, leaves: Any, dims: Any, size: int, split: int, spec: Any, kw_spec: Any, out_dims: Any, randomness: str, chunk: int
) -> Any:
    import torsh

    parts = []
    for start in range(0, size, chunk):
        n = min(chunk, size - start)
        piece = [t if d is None else t.narrow(d, start, n) for t, d in zip(leaves, dims)]
        parts.append(_run(func, piece, dims, n, split, spec, kw_spec, out_dims, randomness))
    flat = [flatten(p) for p in parts]
    where = spread(out_dims, parts[0] if isinstance(parts[0], tuple) else (parts[0],)) or [0] * len(flat[0][0])
    if isinstance(out_dims, int):
        where = [out_dims] * len(flat[0][0])
    joined = [torsh.cat(list(ts), dim=d) for ts, d in zip(zip(*[f[0] for f in flat]), where)]
    return unflatten(joined, flat[0][1])


def chunk_vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", chunks: int = 2
) -> Callable[..., Any]:
    """``vmap`` in a number of pieces."""

    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = spread(in_dims, args) or []
        size = _batch_size(func, flatten(args)[0], dims)
        return vmap(func, in_dims, out_dims, randomness, chunk_size=-(-size // chunks))(*args, **kwargs)

    return mapped


