"""Reductions over consecutive pieces of a dimension, and views that undo views."""

from __future__ import annotations

import math

from torsh import dtypes
from torsh.ops._args import by_example, check_tensor, wrap_dim
from torsh.ops._op import composite, primitive

_NEUTRAL = {"sum": 0.0, "mean": 0.0, "max": -math.inf, "min": math.inf, "prod": 1.0}
_KINDS = {"max": "amax", "min": "amin", "prod": "prod"}


def _reduced(values, where, start, kind):
    return start.scatter_reduce(0, where, values, kind)


def _reduced_gradient(g, values, where, start, kind, out):
    """Unlike scatter_reduce's a gradient of nan: an extreme nan is an element like another, and a product's derivative
    with respect to nan or 0 is the product of the others."""
    if kind == "prod":
        zero, nan = values == 0, values.isnan()
        apart = zero | nan
        others = start.scatter_reduce(0, where, values.masked_fill(apart, 1), "prod").gather(0, where)
        none = g.new_zeros(tuple(start.shape))
        zeros, nans = (none.scatter_add(0, where, t.to(g.dtype)).gather(0, where) - t.to(g.dtype) for t in (zero, nan))
        others = (others * (zeros == 0).to(g.dtype)).masked_fill(nans > 0, math.nan)
        return g.gather(0, where) * others.where(apart, out.gather(0, where) / values.masked_fill(zero, 1))
    value = out.gather(0, where)
    same = (values == value) | (values.isnan() & value.isnan())
    count = g.new_zeros(tuple(start.shape)).scatter_add(0, where, same.to(g.dtype)).gather(0, where)
    return (g.gather(0, where) / count).masked_fill(~same, 0)


@primitive(
    "", name="pieces_reduced", args="values where start kind", decompose=_reduced,
    meta=lambda values, where, start, kind: (start.shape, start.dtype), grad={"values": _reduced_gradient},
)  # fmt: skip
def _pieces_reduced(values, where, start, kind):
    """``values`` reduced by "amax", "amin" or "prod" into the rows of ``start`` that ``where`` names."""
    return (values, where, start, kind)


def _of_example(data, reduce, lengths, offsets, axis, unsafe, initial):
    return segment_reduce(data, reduce, lengths=lengths, offsets=offsets, axis=axis, unsafe=unsafe, initial=initial)


@composite("torch.segment_reduce torch._segment_reduce", out=True)
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Reduce consecutive pieces along ``axis`` to one element each.

    reduce: "sum", "mean", "max", "min" or "prod".  lengths (..., pieces): how long the pieces are, for every index of the
    dimensions before ``axis``; or offsets (..., pieces + 1): where they begin.  initial: the value of an empty piece, which
    counts in the others too.  Raises RuntimeError where the pieces do not fill the dimension, unless ``unsafe``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.segment_reduce.html

    >>> import torsh
    >>> torsh.segment_reduce(torsh.tensor([1.0, 2.0, 3.0, 4.0]), "sum", lengths=torsh.tensor([1, 3]))
    tensor([1., 9.])
    """
    import torsh

    check_tensor(data, "segment_reduce")
    reduce = {"amax": "max", "amin": "min"}.get(reduce, reduce)
    if reduce not in _NEUTRAL:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    axis = wrap_dim(axis, data.ndim)
    if (found := by_example(_of_example, data, reduce, lengths, offsets, axis, unsafe, initial)) is not None:
        return found
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    if lengths is None:
        lengths = offsets.diff(dim=-1)
        offset = offsets.select(-1, 0)
    else:
        offset = None
    if lengths.dtype is not dtypes.int64 and lengths.dtype is not dtypes.int32:
        raise NotImplementedError(
            f"\"_segment_reduce_lengths_cpu_kernel1\" not implemented for '{dtypes.scalar_name(lengths.dtype)}'; convert the lengths with .long()"
        )
    if lengths.ndim != axis + 1:
        raise RuntimeError(
            f"segment_reduce(): Expected axis to be the last dimension of lengths ({lengths.ndim} dimensions) but got {axis}."
        )
    if not unsafe and not lengths.is_meta:
        if lengths.numel() and bool((lengths < 0).any()):
            raise RuntimeError("segment_reduce(): lengths contains negative value!")
        if offset is None and bool((lengths.sum(-1) != data.shape[axis]).any()):
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
            )
    before, pieces, size, after = (
        tuple(data.shape[:axis]),
        lengths.shape[-1],
        data.shape[axis],
        tuple(data.shape[axis + 1 :]),
    )
    rows = math.prod(before)
    flat = data.reshape(rows, size, *after)
    counts = lengths.reshape(rows, pieces).long()
    # Which piece each element is in; elements after the last piece go to one more, which is dropped.
    ends = counts.cumsum(1)
    place = torsh.arange(size, device=data.device)
    if offset is not None:
        place = place - offset.reshape(rows, 1)
    piece = (place.unsqueeze(-1) >= ends.unsqueeze(1)).sum(-1) if pieces else place.expand(rows, size) * 0
    piece = piece + torsh.arange(rows, device=data.device).unsqueeze(1) * (pieces + 1)
    start = _NEUTRAL[reduce] if initial is None else float(initial)
    found = torsh.full((rows * (pieces + 1), *after), start, dtype=data.dtype, device=data.device)
    values, where = flat.reshape(rows * size, *after), piece.reshape(-1)
    if reduce in ("sum", "mean"):
        found = found.index_add(0, where, values)
    else:
        found = _pieces_reduced.op(
            values, where.reshape(-1, *[1] * len(after)).expand_as(values), found, _KINDS[reduce]
        )
    found = found.reshape(rows, pieces + 1, *after)[:, :pieces]
    if reduce == "mean":
        n = counts.reshape(rows, pieces, *[1] * len(after))
        empty = math.nan if initial is None else float(initial)
        found = torsh.where(n > 0, found / n.clamp(min=1).to(data.dtype), empty)
    return found.reshape(*before, pieces, *after)


@composite("torch.slice_inverse Tensor.slice_inverse")
def slice_inverse(input, src, dim=0, start=None, end=None, step=1):
    """The tensor of which ``input`` is the slice ``[start:end:step]``: the same memory with the geometry of ``src``.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return input.as_strided(tuple(src.shape), src.stride(), src.storage_offset())


def native_norm(input, p=2, dim=None, keepdim=False, dtype=None):
    """The norm of a sparse tensor's elements: ``(sum |x| ** p) ** (1 / p)``.

    Raises NotImplementedError for dense tensors: ``torch.linalg.vector_norm`` is for those.
    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    import torsh

    if not check_tensor(input, "native_norm").is_sparse:
        raise NotImplementedError(
            "Could not run 'aten::native_norm' with arguments from the 'CPU' backend. Use torch.linalg.vector_norm for dense tensors"
        )
    if dim or keepdim:
        raise NotImplementedError(
            "native_norm of a sparse tensor goes over all elements; to_dense() and torch.linalg.vector_norm has dim"
        )
    values = input.coalesce().values()
    return torsh.linalg.vector_norm(values if dtype is None else values.to(dtype), 2 if p is None else p)


def _check_range(size, low, high):
    if high is not None and low is not None and high < low:
        raise RuntimeError(f"Max must be greater than or equal to min. Got min={low} max={high}")
    if (low is not None and size < low) or (high is not None and size > high):
        ends = f"{low if low is not None else -(2**63)}, {high if high is not None else 2**63 - 1}"
        raise RuntimeError(f"Invalid value range for {size} between [{ends}].")


def sym_constrain_range(size, *, min=None, max=None):
    """Check that a number lies between two others; RuntimeError if not.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.sym_constrain_range(5, min=0, max=10)
    """
    _check_range(size, min, max)


def sym_constrain_range_for_size(size, *, min=None, max=None):
    """``sym_constrain_range`` for a number that is a size: with ``max``, which must be greater than 2.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.sym_constrain_range_for_size(5, min=0, max=10)
    """
    if max is not None and max <= 2:
        raise RuntimeError(f"Max value to constrain_range_for_size must be greater than 2. got: {max}")
    _check_range(size, 0 if min is None else min, max)
