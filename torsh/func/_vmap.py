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
    Source: https://docs.pytorch.org/docs/stable/generated/torch.vmap.html

    >>> import torsh
    >>> torsh.vmap(torsh.dot)(torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([[1., 1.], [1., 1.]]))
    tensor([3., 7.])
    >>> torsh.vmap(lambda x, y: x + y, in_dims=(0, None))(torsh.tensor([1, 2]), torsh.tensor([10, 20]))
    tensor([[11, 21],
            [12, 22]])
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
        if not leaves[: len(leaves) - len(kw_leaves)]:
            raise ValueError(
                f"vmap({_name(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
                "function with no inputs. The latter is unsupported."
            )
        size = _batch_size(f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>)", leaves, dims)
        dims = [None if d is None else d % t.ndim for d, t in zip(dims, leaves)]
        if chunk_size is None or chunk_size >= size:
            return _run(func, leaves, dims, size, len(leaves) - len(kw_leaves), spec, kw_spec, out_dims, randomness)
        return _in_chunks(func, leaves, dims, size, len(leaves) - len(kw_leaves), spec, kw_spec, out_dims, randomness, chunk_size)

    return mapped


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def _batch_size(call: str, leaves: Sequence[Any], dims: Sequence[Any]) -> int:
    sizes = []
    for t, d in zip(leaves, dims):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(f"{call}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None.")
        if not isinstance(t, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={d} for an input but the input is of type {type(t)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -t.ndim <= d < t.ndim:
            raise ValueError(
                f"{call}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {t.ndim} so "
                f"expected in_dim to satisfy -{t.ndim} <= in_dim < {t.ndim}."
            )
        sizes.append(int(t.shape[d]))
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over (one whose in_dim is not None)")
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


def _out_dims(out_dims: Any, result: Any, leaves: Sequence[Any]) -> list[Any] | None:
    """Where the batch goes in each tensor of a result; None where ``out_dims`` does not fit it."""
    if isinstance(out_dims, int):
        return [out_dims] * len(leaves)
    if type(out_dims) is tuple and len(out_dims) == 1 and not isinstance(result, tuple):
        out_dims = out_dims[0]  # a tuple of one for a single result
    return spread(out_dims, result)


def _unwrap(func: Any, result: Any, out_dims: Any, level: int, size: int) -> Any:
    leaves, spec = flatten(result)
    if not all(d is None or isinstance(d, int) for d in flatten(out_dims)[0]):
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints "
            "representing where in the outputs the vmapped dimension should appear."
        )
    dims = _out_dims(out_dims, result, leaves)
    if dims is None:
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. "
            f"out_dims has {len(flatten(out_dims)[0])} dimensions but outputs has {len(leaves)} tensors."
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
    where = _out_dims(out_dims, parts[0], flat[0][0]) or []
    joined = [torsh.cat(list(ts), dim=d) for ts, d in zip(zip(*[f[0] for f in flat]), where)]
    return unflatten(joined, flat[0][1])


def chunk_vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", chunks: int = 2
) -> Callable[..., Any]:
    """``vmap`` in a number of pieces.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.vmap.html

    >>> import torsh
    >>> torsh.func.chunk_vmap(lambda x: x * 2, chunks=2)(torsh.tensor([1, 2, 3]))
    tensor([2, 4, 6])
    """

    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = spread(in_dims, args) or []
        size = _batch_size(f"chunk_vmap({_name(func)}, ...)(<inputs>)", flatten(args)[0], dims)
        return vmap(func, in_dims, out_dims, randomness, chunk_size=-(-size // chunks))(*args, **kwargs)

    return mapped


