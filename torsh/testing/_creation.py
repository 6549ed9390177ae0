"""``make_tensor``: random tensors for tests."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh._callers import warn
from torsh.ops._args import size_of
from torsh.tensor import Tensor


def make_tensor(
    *shape: Any, dtype: Any, device: Any = None, low: float | None = None, high: float | None = None, requires_grad: bool = False,
    noncontiguous: bool = False, exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor with values drawn uniformly from [low, high).

    low, high: default -9 and 9 for floating, complex and signed integer types, 0 and 9 for unsigned ones, 0 and 2 for bool; kept
    within what the dtype holds (ValueError for an interval outside of it).
    noncontiguous: every second element of a larger tensor.  exclude_zero: zeros become the smallest positive value.
    Source: https://docs.pytorch.org/docs/stable/testing.html#torch.testing.make_tensor

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.testing.make_tensor((2, 3), dtype=torsh.float32, device="cpu", low=0, high=1).shape
    torsh.Size([2, 3])
    """
    import torsh

    size = size_of(shape)
    counts = dtype.category <= dtypes.INT
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got {noncontiguous=} and {memory_format=}"
        )
    if requires_grad and counts:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    low, high = _interval(low, high, dtype)
    noncontiguous = noncontiguous and math.prod(size) > 1
    drawn = (*size[:-1], 2 * size[-1]) if noncontiguous else size
    if counts:
        t = torsh.randint(math.ceil(low), math.ceil(high), drawn, device=device, dtype=dtype)
    else:
        t = torsh.empty(drawn, device=device, dtype=dtypes.float32 if dtype in dtypes.FLOAT8 else dtype)
        parts = torsh.view_as_real(t) if dtype.is_complex else t
        if high - low >= torsh.finfo(t.dtype).max:  # more than a float holds: half of it, doubled
            parts.uniform_(low / 2, high / 2).mul_(2)
        else:
            parts.uniform_(low, high)
        t = t.to(dtype)
    if noncontiguous:
        t = t[..., 1::2]
    elif memory_format is not None:
        t = t.clone(memory_format=memory_format)
    if exclude_zero:
        t[t == 0] = 1 if counts else torsh.finfo(dtype).tiny
    return t.requires_grad_() if requires_grad else t


def _interval(low: Any, high: Any, dtype: Any) -> tuple[Any, Any]:
    """The interval to draw from, within what a dtype can hold."""
    import torsh

    if dtype is dtypes.bool:
        least, most, default = 0, 2, (0, 2)
    elif dtype.category == dtypes.INT:
        info = torsh.iinfo(dtype)
        least, most, default = info.min, info.max + (dtype is not dtypes.int64), (-9, 10)
    else:
        info = torsh.finfo(dtype)
        least, most, default = info.min, info.max, (-9, 9)
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if any(isinstance(v, float) and math.isnan(v) for v in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and dtype.category > dtypes.INT:
        warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 and will be "
            "removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= most:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only supports [{least}, {most})"
        )
    return min(max(low, least), most), min(max(high, least), most)
