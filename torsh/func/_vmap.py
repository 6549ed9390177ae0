"""``vmap``: run a function on every example of a batch at once.

The steps have the names they have in PyTorch, as libraries replace some of them to let ``vmap`` go over classes of their own
(``torch._functorch.vmap`` is this module).

Source: https://docs.pytorch.org/docs/stable/generated/torch.func.vmap.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torsh.func._batched import VmapMode, at_level, batched, is_batched, pull
from torsh.func._tree import flatten as tree_flatten
from torsh.func._tree import spread as _broadcast_to_and_flatten
from torsh.func._tree import unflatten as tree_unflatten
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
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """``func`` with a batch dimension added to its arguments and results.

    in_dims: which dimension of each positional argument is mapped (None: not mapped), one for all or a structure like the
    arguments.  out_dims: where the batch dimension goes in the results.  randomness: "error", "different" or "same" random
    numbers for the examples.  chunk_size: how many examples at a time.  Keyword arguments are not mapped.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.vmap.html

    >>> import torsh
    >>> torsh.vmap(torsh.dot)(torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([[1., 1.], [1., 1.]]))
    tensor([3., 7.])
    >>> torsh.vmap(lambda x, y: x + y, in_dims=(0, None))(torsh.tensor([1, 2]), torsh.tensor([10, 20]))
    tensor([[11, 21],
            [12, 22]])
    """
    _check_randomness_arg(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        _check_out_dims_is_int_or_int_pytree(out_dims, func)
        size, dims, leaves, spec = _process_batched_inputs(in_dims, args, func)
        if chunk_size is None or chunk_size >= size:
            return _flat_vmap(func, size, dims, leaves, spec, out_dims, randomness, **kwargs)
        return _chunked(func, size, dims, leaves, spec, out_dims, randomness, chunk_size, kwargs)

    return mapped


def _check_randomness_arg(randomness: str) -> None:
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


def _get_name(func: Any) -> str:
    if hasattr(func, "__name__"):
        return str(func.__name__)
    if isinstance(func, functools.partial):
        return f"functools.partial({_get_name(func.func)}, ...)"
    return repr(func)


# ---- arguments ---------------------------------------------------------------------------------------------------------


def _process_batched_inputs(in_dims: Any, args: tuple[Any, ...], func: Any) -> tuple[int, list[Any], list[Any], Any]:
    """(the batch's length, the mapped dimension of each leaf, the leaves of the arguments, how to put these together)."""
    call = f"vmap({_get_name(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, got: "
            f"{type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({_get_name(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    leaves, spec = tree_flatten(args)
    dims = _broadcast_to_and_flatten(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure {tree_flatten(in_dims)[1]} but "
            f"inputs has structure {spec}."
        )
    for i, (t, d) in enumerate(zip(leaves, dims)):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(
                f"{call}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(t, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={d} for an input but the input is of type {type(t)}. We cannot vmap over non-Tensor arguments, "
                "please use None as the respective in_dim"
            )
        if not -t.ndim <= d < t.ndim:
            raise ValueError(
                f"{call}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {t.ndim} so expected in_dim to "
                f"satisfy -{t.ndim} <= in_dim < {t.ndim}."
            )
        dims[i] = d % t.ndim
    return _validate_and_get_batch_size(dims, leaves), dims, leaves, spec


def _validate_and_get_batch_size(dims: Sequence[Any], leaves: Sequence[Any]) -> int:
    sizes = [int(t.size(d)) for t, d in zip(leaves, dims) if d is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over (one whose in_dim is not None)")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
        )
    return sizes[0]


def _add_batch_dim(t: Tensor, dim: int, level: int) -> Tensor:
    """An example of the batch along dimension ``dim``."""
    return batched(t if dim == 0 else t.movedim(dim, 0), level)


def _create_batched_inputs(dims: Sequence[Any], leaves: Sequence[Any], level: int, spec: Any) -> Any:
    return tree_unflatten([t if d is None else _add_batch_dim(t, d, level) for t, d in zip(leaves, dims)], spec)


# ---- results -----------------------------------------------------------------------------------------------------------


def _check_out_dims_is_int_or_int_pytree(out_dims: Any, func: Any) -> None:
    if isinstance(out_dims, int) or all(d is None or isinstance(d, int) for d in tree_flatten(out_dims)[0]):
        return
    raise ValueError(
        f"vmap({_get_name(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints representing "
        "where in the outputs the vmapped dimension should appear."
    )


def _remove_batch_dim(t: Tensor, level: int, size: int, dim: int) -> Tensor:
    """The batch behind an example, its dimension at ``dim``; what is no batch is repeated."""
    found = pull(t, level, size)
    return found if dim == 0 else found.movedim(0, dim)


def _maybe_remove_batch_dim(name: str, t: Any, level: int, size: int, dim: int | None) -> Any:
    """A result with its batch as dimension ``dim``; as it is for None, if it is no batch."""
    if dim is None:
        if is_batched(t):
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return t
    if not isinstance(t, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(t)}. Did you mean to set out_dims= to None for output?"
        )
    return _remove_batch_dim(t, level, size, dim)


def _unwrap_batched(result: Any, out_dims: Any, level: int, size: int, func: Any) -> Any:
    leaves, spec = tree_flatten(result)
    if isinstance(result, Tensor):
        # A tuple of one dimension may stand for a single tensor.
        dims = (
            [out_dims]
            if out_dims is None or isinstance(out_dims, int)
            else list(out_dims)
            if _single(out_dims)
            else None
        )
    else:
        dims = _broadcast_to_and_flatten(out_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap({_get_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. "
            f"out_dims has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    name = _get_name(func)
    return tree_unflatten([_maybe_remove_batch_dim(name, t, level, size, d) for t, d in zip(leaves, dims)], spec)


def _single(out_dims: Any) -> bool:
    return isinstance(out_dims, tuple) and len(out_dims) == 1


# ---- calls -------------------------------------------------------------------------------------------------------------


def _flat_vmap(
    func: Any,
    size: int,
    dims: Sequence[Any],
    leaves: Sequence[Any],
    spec: Any,
    out_dims: Any,
    randomness: str,
    **kwargs: Any,
) -> Any:
    with _Level() as level:
        args = _create_batched_inputs(dims, leaves, level, spec)
        with VmapMode(level, size, randomness):
            result = func(*args, **kwargs)
        return _unwrap_batched(result, out_dims, level, size, func)


def _chunked(
    func: Any,
    size: int,
    dims: Sequence[Any],
    leaves: Sequence[Any],
    spec: Any,
    out_dims: Any,
    randomness: str,
    chunk: int,
    kwargs: dict[str, Any],
) -> Any:
    import torsh

    state = torsh.get_rng_state() if randomness == "same" else None
    parts = []
    for start in range(0, size, chunk):
        if state is not None:
            torsh.set_rng_state(state)
        n = min(chunk, size - start)
        piece = [t if d is None else t.narrow(d, start, n) for t, d in zip(leaves, dims)]
        parts.append(_flat_vmap(func, n, dims, piece, spec, out_dims, randomness, **kwargs))
    flat = [tree_flatten(p) for p in parts]
    given = out_dims[0] if _single(out_dims) and isinstance(parts[0], Tensor) else out_dims
    where = _broadcast_to_and_flatten(given, flat[0][1]) or []
    joined = [torsh.cat(list(ts), dim=d) for ts, d in zip(zip(*[f[0] for f in flat]), where)]
    return tree_unflatten(joined, flat[0][1])


def chunk_vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", chunks: int = 2
) -> Callable[..., Any]:
    """``vmap`` in a number of pieces.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.vmap.html

    >>> import torsh
    >>> torsh.func.chunk_vmap(lambda x: x * 2, chunks=2)(torsh.tensor([1, 2, 3]))
    tensor([2, 4, 6])
    """
    _check_randomness_arg(randomness)

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        size = _process_batched_inputs(in_dims, args, func)[0]
        return vmap(func, in_dims, out_dims, randomness, chunk_size=max(1, -(-size // chunks)))(*args, **kwargs)

    return mapped


def restore_vmap(func: Callable[..., Any], in_dims: Any, batch_size: int, randomness: str) -> Callable[..., Any]:
    """``func`` on batches, giving (results, the batch's dimension in each): nothing is checked, and there may be no batch at all."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten(args)
        dims = _broadcast_to_and_flatten(in_dims, spec)
        if dims is None:
            raise ValueError(f"in_dims {in_dims} does not fit arguments of structure {spec}")
        with _Level() as level:
            with VmapMode(level, batch_size, randomness):
                result = func(*_create_batched_inputs(dims, leaves, level, spec), **kwargs)
            outs, out_spec = tree_flatten(result)
            mapped = [at_level(o, level) for o in outs]
            plain = [o._physical if m else o for o, m in zip(outs, mapped)]
        return tree_unflatten(plain, out_spec), tree_unflatten([0 if m else None for m in mapped], out_spec)

    return inner
