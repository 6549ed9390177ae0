"""``make_tensor``: random tensors for tests."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._args import size_of
from torsh.tensor import Tensor


def make_tensor(
    *shape: Any, dtype: Any, device: Any = None, low: float | None = None, high: float | None = None, requires_grad: bool = False,
    noncontiguous: bool = False, exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor with values drawn uniformly from [low, high).

    low, high: default -9 and 9 for floating, complex and signed integer types, 0 and 9 for unsigned ones, 0 and 2 for bool.
    noncontiguous: every second element of a larger tensor.  exclude_zero: zeros become the smallest positive value.
    Source: https://docs.pytorch.org/docs/stable/testing.html#torch.testing.make_tensor

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.testing.make_tensor((2, 3), dtype=torsh.float32, device="cpu", low=0, high=1).shape
    torsh.Size([2, 3])
    """
    import torsh

    size = size_of(shape)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got {memory_format=}"
        )
    default = {dtypes.BOOL: (0, 2), dtypes.INT: (-9 if dtype.is_signed else 0, 10)}.get(dtype.category, (-9, 9))
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if any(isinstance(v, float) and math.isnan(v) for v in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low > high or (low == high and dtype.category < dtypes.FLOAT):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    wide = (*size[:-1], 2 * size[-1]) if noncontiguous and size else size
    if dtype.category <= dtypes.INT:
        t = torsh.randint(math.floor(low), math.ceil(high), wide, device=device, dtype=torsh.int64).to(dtype)
    elif dtype.is_complex:
        real = dtype.to_real() if dtype is not dtypes.complex32 else dtypes.float32
        parts = [torsh.rand(wide, device=device, dtype=real) * (high - low) + low for _ in range(2)]
        t = torsh.complex(*parts).to(dtype)
    else:
        work = dtype if dtype in (dtypes.float32, dtypes.float64) else dtypes.float32
        t = (torsh.rand(wide, device=device, dtype=work) * (high - low) + low).to(dtype)
    if noncontiguous and size:
        t = t[..., ::2]
    elif memory_format is not None:
        t = t.clone(memory_format=memory_format)
    if exclude_zero:
        t[t == 0] = torsh.finfo(dtype).tiny if dtype.category >= dtypes.FLOAT else 1
    return t.requires_grad_(requires_grad) if requires_grad else t
