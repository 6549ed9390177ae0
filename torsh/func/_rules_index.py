"""Batching rules of ops that pick or write elements by index."""

from __future__ import annotations

from typing import Any

from torsh.func._batched import VmapMode, at_level, batched, has_batch, physical
from torsh.func._rules import aligned, composed, one_by_one, rule, wrap
from torsh.tensor import Tensor


def _along(index: Any, dim: int, like: Any) -> Any:
    """An index vector as an index for gather and scatter: it runs along ``dim`` of ``like``'s shape."""
    shape = [1] * like.ndim
    shape[dim] = -1
    return index.reshape(shape).expand((*like.shape[:dim], index.numel(), *like.shape[dim + 1 :]))


@rule("embed")
def _embed(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    g, size, index = args
    index = index if isinstance(index, tuple) else (index,)
    return batched(op(g._physical, (mode.size, *size), (slice(None), *index)), mode.level)


@rule("getitem_basic")
def _getitem(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, index = args[:2]
    index = index if isinstance(index, tuple) else (index,)
    return batched(input._physical[(slice(None), *index)], mode.level)


def _fronted(mode: VmapMode, input: Any, indices: Any) -> tuple[Any, list[Any], list[int], Any]:
    """(the batch with the indexed dimensions right behind the batch, the index tensors for it, the order, where results go).

    The last is None where the index's dimensions stay in front of an example's others.
    """
    at = [d for d, i in enumerate(indices) if i is not None]
    rest = [d for d in range(input.ndim) if d not in at]
    order = [*at, *rest]
    p = physical(input, mode.level, mode.size).permute((0, *(d + 1 for d in order)))
    given = [i for i in indices if i is not None]
    rank = max(i.ndim for i in given)
    if has_batch(given, mode.level):
        import torsh

        rows = torsh.arange(mode.size, device=input.device).reshape((mode.size, *(1,) * rank))
        index: list[Any] = [rows, *[aligned(mode, i, rank) for i in given]]
    else:
        index = [None, *given]
    adjacent = at == list(range(at[0], at[0] + len(at)))
    return p, index, order, at[0] if adjacent and at[0] else None


def _masks(indices: Any) -> bool:
    from torsh.dtypes import bool as boolean

    return any(i is not None and i.dtype is boolean for i in indices)


def _positions(indices: Any) -> list[Any]:
    """Masks, which are no batches, as index tensors."""
    found: list[Any] = []
    for i in indices:
        if _masks([i]):
            found.extend(i.nonzero(as_tuple=True))
        else:
            found.append(i)
    return found


@rule("index")
def _index(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, indices, _ = args
    if _masks(indices):
        if has_batch(indices, mode.level):
            return one_by_one(mode, op, args)
        indices = _positions(indices)
    p, index, _, place = _fronted(mode, input, indices)
    found = op(p, index, tuple(p.shape))
    if place is not None:
        rank = found.ndim - (input.ndim - sum(i is not None for i in indices)) - 1
        found = found.movedim(tuple(range(1, 1 + rank)), tuple(range(1 + place, 1 + place + rank)))
    return batched(found, mode.level)


@rule("index_put")
def _index_put(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    input, indices, values, accumulate = args
    if _masks(indices):
        masks = [i for i in indices if i is not None]
        if len(masks) == 1 and indices[0] is masks[0] and values.numel() == 1 and not accumulate:
            mask, value = masks[0], values.reshape(())
            with mode:
                return torsh.where(mask.reshape((*mask.shape, *(1,) * (input.ndim - mask.ndim))), value, input)
        if has_batch(indices, mode.level):
            return one_by_one(mode, op, args)
        indices = _positions(indices)
    p, index, order, place = _fronted(mode, input, indices)
    given = [i for i in indices if i is not None]
    rank = len(torsh.broadcast_shapes(*[tuple(i.shape) for i in given]))
    full = rank + input.ndim - len(given)
    v = physical(values, mode.level, mode.size)
    v = v.reshape((mode.size, *(1,) * (full - v.ndim + 1), *v.shape[1:]))
    if place is not None:
        v = v.movedim(tuple(range(1 + place, 1 + place + rank)), tuple(range(1, 1 + rank)))
    found = op(p, index, v, accumulate)
    back = [0] * (len(order) + 1)
    for new, old in enumerate(order):
        back[old + 1] = new + 1
    return batched(found.permute(back), mode.level)


@rule("index_select")
def _index_select(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, dim, index, _ = args
    if not input.ndim:
        with mode:
            return input.reshape((1,)).index_select(0, index).reshape(())
    if not at_level(index, mode.level):
        p = input._physical
        return batched(op(p, dim + 1, index, tuple(p.shape)), mode.level)
    p = physical(input, mode.level, mode.size)
    i = index._physical.reshape((mode.size, *(1,) * dim, -1, *(1,) * (input.ndim - dim - 1)))
    return batched(
        p.gather(dim + 1, i.expand((*p.shape[: dim + 1], i.shape[dim + 1], *p.shape[dim + 2 :]))), mode.level
    )


@composed("index_add")
def _index_add(input: Any, dim: int, index: Any, source: Any, alpha: Any) -> Any:
    source = source if alpha == 1 else source * alpha
    if not input.ndim:
        return input + source.sum()
    source = source if source.ndim else source.reshape((1,))
    return input.scatter_add(dim, _along(index, dim, source), source)


@composed("index_copy")
def _index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    if not input.ndim:
        return source.reshape(()) + input * 0
    source = source if source.ndim else source.reshape((1,))
    return input.scatter(dim, _along(index, dim, source), source)


@composed("index_fill")
def _index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    if not input.ndim:
        return input.reshape((1,)).index_fill(0, index, value).reshape(())
    where = _along(index.reshape((-1,)) % input.shape[dim], dim, input)
    hit = input.new_zeros(tuple(input.shape)).scatter(dim, where, 1) != 0
    return input.masked_fill(hit, value)


@composed("take")
def _take(input: Any, index: Any, shape: Any) -> Any:
    flat = input.reshape((-1,))
    if not flat.shape[0]:  # an index of nothing, as no other is in range
        return flat.reshape(tuple(index.shape))
    places = index.reshape((-1,)) % flat.shape[0]
    return flat.index_select(0, places).reshape(tuple(index.shape))


@rule("masked_fill")
def _masked_fill(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    input, mask, value = args
    if at_level(value, mode.level):
        with mode:
            return torsh.where(mask, value.to(input.dtype), input)
    rank = max(input.ndim, mask.ndim)
    p = physical(input, mode.level, mode.size)
    p = p.reshape((p.shape[0], *(1,) * (rank - input.ndim), *p.shape[1:]))
    return batched(op(p, aligned(mode, mask, rank), value), mode.level)


@composed("masked_scatter")
def _masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    import torsh

    shape = torsh.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    flags = mask.expand(shape).reshape((-1,))
    if not source.numel() or not flags.shape[0]:
        return input.expand(shape).clone()
    nth = (flags.cumsum(0) - 1).clamp(0, source.numel() - 1)
    return torsh.where(mask, source.reshape((-1,)).index_select(0, nth).reshape(shape), input)


@rule("repeat_interleave_kernel")
def _repeat_interleave(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, counts, dim, size = args
    if isinstance(counts, Tensor) and at_level(counts, mode.level):
        return one_by_one(mode, op, args)
    return batched(op(input._physical, counts, dim + 1, size), mode.level)


@rule("isin")
def _isin(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    elements, test, invert = args
    if not at_level(test, mode.level):
        return batched(op(elements._physical, test, invert), mode.level)
    with mode:
        found = (elements.unsqueeze(-1) == test.reshape((-1,))).any(-1)
        return found.logical_not() if invert else found


@rule("searchsorted")
def _searchsorted(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    sequence, values, right, out_int32, sorter = args
    if not has_batch((sequence, sorter), mode.level):
        if sequence.ndim == 1:
            return batched(op(sequence, values._physical, right, out_int32, sorter), mode.level)
    s, v = physical(sequence, mode.level, mode.size), physical(values, mode.level, mode.size)
    order = None if sorter is None else physical(sorter, mode.level, mode.size)
    shape = tuple(v.shape)
    if s.ndim == 2:
        v = v.reshape((mode.size, -1))
    return batched(op(s.contiguous(), v.contiguous(), right, out_int32, order).reshape(shape), mode.level)


@rule("take_rows")
def _take_rows(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    weight, indices, padding, by_freq = args
    if not at_level(weight, mode.level):
        return batched(op(weight, indices._physical, padding, by_freq), mode.level)
    # One table of all examples' rows.
    w, i = weight._physical, physical(indices, mode.level, mode.size)
    rows = weight.shape[0]
    start = torsh.arange(mode.size, device=indices.device).reshape((mode.size, *(1,) * indices.ndim)) * rows
    found = op(w.reshape((mode.size * rows, *w.shape[2:])), i + start, -1, by_freq)
    if padding >= 0:
        found = torsh.where((i == padding).unsqueeze(-1), found.detach(), found)
    return batched(found, mode.level)


@rule("embedding_backward")
def _embedding_backward(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    g, indices, rows, padding, by_freq = args
    g, i = physical(g, mode.level, mode.size), physical(indices, mode.level, mode.size)
    if padding >= 0:
        g = g.masked_fill((i == padding).unsqueeze(-1), 0)
    start = torsh.arange(mode.size, device=i.device).reshape((mode.size, *(1,) * indices.ndim)) * rows
    found = op(g, i + start, mode.size * rows, -1, by_freq)
    return wrap(mode, found.reshape((mode.size, rows, *found.shape[1:])))
