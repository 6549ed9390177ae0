"""The masked operations, by the module's name in PyTorch, and the helpers that programs written against it take from there.

Source: https://docs.pytorch.org/docs/stable/masked.html
"""

from __future__ import annotations

import math
from typing import Any

from torsh._namespace import fill
from torsh.ops._args import wrap_dims
from torsh.ops.masked import _extreme, _fill, _full_mask

__all__ = fill(globals(), "masked")

_REDUCTIONS = frozenset("sum prod amax amin argmax argmin mean median norm var std logsumexp".split())
_KEEPING = frozenset("softmax log_softmax softmin normalize cumsum cumprod".split())


def _canonical_dim(dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions as a sorted tuple counted from the front; None and () stand for all."""
    return tuple(sorted(wrap_dims(dim, ndim)))


def _input_mask(input: Any, *args: Any, mask: Any = None, **options: Any) -> Any:
    """The mask as bools of the input's shape; ValueError where none is given."""
    if mask is None:
        raise ValueError("_input_mask requires explicit mask; pass mask=")
    return _full_mask(input, mask)


def _output_mask(op: Any, input: Any, *args: Any, **options: Any) -> Any:
    """Where a masked operation has a result: where any element that goes into it is selected."""
    name = getattr(op, "__name__", type(op).__name__)
    selected = _input_mask(input, mask=options.get("mask"))
    if name in _KEEPING:
        return selected
    if name not in _REDUCTIONS:
        raise ValueError(f"_output_mask expected masked operation (got {name})")
    rest = args[1:] if name == "norm" else args  # its order comes first
    dims = _canonical_dim(rest[0] if rest else options.get("dim"), input.ndim)
    return selected.any(dims, bool(options.get("keepdim", False))) if input.ndim else selected


def _reduction_identity(op_name: str, input: Any, *args: Any) -> Any:
    """The element that changes nothing in an operation, as a tensor; None where there is none."""
    name = op_name.rpartition(".")[2]
    if name in ("mean", "var", "std"):
        return None
    if name in ("sum", "cumsum"):
        value: Any = 0
    elif name in ("prod", "cumprod"):
        value = 1
    elif name == "norm":
        value = math.inf if args and args[0] == -math.inf else 0
    elif name == "median":
        return input.new_full(
            (), math.nan, dtype=None if input.dtype.is_floating_point else input.new_empty(0).float().dtype
        )
    elif name in ("amax", "argmax", "logaddexp", "logsumexp"):
        value = -math.inf if input.dtype.is_complex else _extreme(input.dtype, False)
    elif name in ("amin", "argmin"):
        value = _extreme(input.dtype, True)
    else:
        raise NotImplementedError(f"identity of {name} on {input.dtype} input")
    return input.new_full((), value)


def _where(mask: Any, input: Any, fill_value: Any) -> Any:
    """The input where the mask is true, the value elsewhere.

    A sparse mask gives a sparse tensor that has an entry exactly where the mask has a true one: the input's, or 0 where
    the input has none.  In the dense dimensions of an entry of the input the value stands where the mask is false.
    """
    import torsh

    if mask.layout is torsh.strided:
        return input.where(mask, fill_value)
    if mask.layout is torsh.sparse_csr:
        return _where(mask.to_sparse_coo(), input.to_sparse_coo(), fill_value).to_sparse_csr()
    if mask.layout is not torsh.sparse_coo:
        raise ValueError(f"_where expects strided or sparse COO or sparse CSR tensor but got {mask.layout}")
    for what, of_mask, of_input in (
        ("layout", mask.layout, input.layout),
        ("shape", tuple(mask.shape), tuple(input.shape)),
        ("dense_dim()", mask.dense_dim(), input.dense_dim()),
    ):
        if of_mask != of_input:
            raise AssertionError(f"mask.{what} must match input.{what}: {of_mask} vs {of_input}")
    mask, input = mask.coalesce(), input.coalesce()
    n, sizes = input.sparse_dim(), tuple(input.shape[: input.sparse_dim()])

    def flat(indices: Any) -> Any:
        steps = [math.prod(sizes[i + 1 :]) for i in range(n)]
        return (indices * indices.new_tensor(steps).reshape(n, 1)).sum(0)

    values = mask.values()
    chosen = (values.flatten(1).any(1) if mask.dense_dim() else values).nonzero()[:, 0]
    indices, own = mask.indices()[:, chosen], flat(input.indices())
    if own.numel():
        keys = flat(indices)
        place = torsh.searchsorted(own, keys).clamp(max=own.numel() - 1)
        known = (own[place] == keys).reshape(-1, *[1] * input.dense_dim())
        found = input.values()[place]
        if mask.dense_dim():
            found = found.where(values[chosen], fill_value)
        found = found.masked_fill(~known, 0)
    else:
        found = input.values().new_zeros((chosen.numel(), *input.shape[n:]))
    return torsh.sparse_coo_tensor(indices, found, tuple(input.shape), is_coalesced=True)


def _combine_input_and_mask(op: Any, input: Any, mask: Any, *args: Any) -> Any:
    """The input with what the mask leaves out replaced by what changes nothing in the operation."""
    from torsh.masked._maskedtensor import is_masked_tensor

    if is_masked_tensor(input):
        input, mask = input.get_data(), input.get_mask()
    return _fill(input, mask, lambda: _reduction_identity(op.__name__, input, *args))
