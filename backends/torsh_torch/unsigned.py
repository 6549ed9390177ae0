"""Arithmetic of uint16, uint32 and uint64, which PyTorch stores but hardly computes with.

PyTorch's own kernel is asked first.  Where it has none, uint16 is computed in int32 and uint32 in int64: every result is exact
or right in its lower half, which is all that is kept.  There is no wider type for uint64; its bits are taken as int64, where
sums, products and masks come out the same, and what depends on order is computed with the highest bit flipped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from torsh import dtypes
from torsh.dtypes import dtype as Dtype

WIDER = {dtypes.uint16: torch.int32, dtypes.uint32: torch.int64}
SIGNED = {dtypes.uint16: torch.int16, dtypes.uint32: torch.int32, dtypes.uint64: torch.int64}
_TOP = 1 << 63
_LOWEST = -_TOP

# On uint64: the same bits, whether they are read as signed or unsigned numbers.
_SAME_BITS = frozenset(
    "add sub mul neg square bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift eq ne logical_and logical_or "
    "logical_xor logical_not isin addcmul where sum prod_op nansum cumsum_op cumprod_op all any nonzero count_nonzero mm_op "
    "matmul addmm addmv addbmm baddbmm addr scatter_add index_add index_put".split()
)
# On uint64: functions of the order of the operands, and choices among them.
_ORDER = frozenset(
    "lt le gt ge maximum minimum fmax fmin clamp amax amin max_dim min_dim argmax argmin sort topk kthvalue searchsorted "
    "unique_values cummax cummin".split()
)
# Nothing happens to numbers that are whole and not negative.
_IDENTITY = frozenset("abs relu floor ceil trunc round".split())
# Of the ops that only move data, those where a number is a value, not a size or a position.
_FILLS = frozenset("masked_fill index_fill scatter".split())
# Outputs that are values of the input, of ops whose meta rule cannot say it.
_VALUES: dict[str, tuple[int, ...]] = {"unique_values": (0,)}


def kernel_for(
    op: Any, kernel: Callable[..., Any], dtype: Dtype, results: Callable[..., list[Dtype]]
) -> Callable[..., Any]:
    """A kernel that falls back on computing in another type where PyTorch's own refuses this one."""
    missing = False
    other: Any = None

    def run(*args: Any) -> Any:
        nonlocal missing, other
        if not missing:
            try:
                return kernel(*args)
            except RuntimeError as e:  # NotImplementedError is one
                if "not implemented for" not in str(e) and "Promotion for uint16" not in str(e):
                    raise
                other = _other(op, kernel, dtype, results)
                if other is None:
                    raise
                missing = True
        return other(*args)

    return run


def _other(
    op: Any, kernel: Callable[..., Any], dtype: Dtype, results: Callable[..., list[Dtype]]
) -> Callable[..., Any] | None:
    name, own = op.name, getattr(torch, dtype.name)
    through = functools.partial(_through, kernel, dtype, own, values=functools.partial(_values, name, dtype, results))
    if not op.computes:
        to = SIGNED[dtype]
        return _through(
            kernel, dtype, own, lambda x: x.view(to), lambda x: x.view(own),
            functools.partial(_signed, bits=8 * dtype.itemsize) if name in _FILLS else None,
            lambda args, outs: [x.dtype is to for x in outs],
        )  # fmt: skip
    if name in _IDENTITY:
        return lambda x: x.clone()
    if dtype in WIDER:
        wide = WIDER[dtype]
        return through(lambda x: x.to(wide), lambda x: x.to(own), None)
    if name in _SAME_BITS:
        return through(
            lambda x: x.view(torch.int64), lambda x: x.view(own), _signed if "pointwise" in op.tags else None
        )
    if name in _ORDER:
        pointwise = "pointwise" in op.tags
        return through(_flip, _unflip, (lambda n: n - _TOP) if pointwise else None)
    return _UINT64.get(name)


def _signed(n: int, bits: int = 64) -> int:
    return n - (1 << bits) if 1 << bits - 1 <= n < 1 << bits else n


def _flip(x: torch.Tensor) -> torch.Tensor:
    """As int64, in the same order as the unsigned numbers."""
    return x.view(torch.int64) ^ _LOWEST


def _unflip(x: torch.Tensor) -> torch.Tensor:
    return (x ^ _LOWEST).view(torch.uint64)


def _values(name: str, dtype: Dtype, results: Callable[..., list[Dtype]], args: Any, outs: list[Any]) -> list[bool]:
    """Which results have the operands' type by declaration."""
    try:
        return [d is dtype for d in results(*args)]
    except NotImplementedError:  # the shape depends on values
        return [i in _VALUES.get(name, ()) for i in range(len(outs))]


def _through(
    kernel: Callable[..., Any],
    dtype: Dtype,
    own: torch.dtype,
    there: Callable[[torch.Tensor], torch.Tensor],
    back: Callable[[torch.Tensor], torch.Tensor],
    number: Callable[[int], int] | None,
    values: Callable[[Any, list[Any]], list[bool]],
) -> Callable[..., Any]:
    """The kernel on arrays taken to another type, and those results back which ``values(arguments, results)`` says.

    number: what becomes of Python integers among the arguments.
    """

    def widen(x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            return there(x) if x.dtype is own else x
        if type(x) is int and number is not None:
            return number(x)
        if type(x) is list or type(x) is tuple:
            return type(x)(widen(y) for y in x)
        return x

    def run(*args: Any) -> Any:
        found = kernel(*[widen(a) for a in args])
        several = type(found) is tuple or type(found) is list
        outs = list(found) if several else [found]
        outs = [back(x) if theirs and x is not None else x for x, theirs in zip(outs, values(args, outs))]
        return tuple(outs) if several else outs[0]

    return run


# ---- uint64, by hand ---------------------------------------------------------------------------------------------------


def _operands(x: Any, y: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Both operands as int64 bits."""
    some = x if isinstance(x, torch.Tensor) else y
    made = [
        a.view(torch.int64) if isinstance(a, torch.Tensor)
        else torch.full((), _signed(int(a)), dtype=torch.int64, device=some.device)
        for a in (x, y)
    ]  # fmt: skip
    return made[0], made[1]


def _divmod(x: Any, y: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Quotient and remainder (Hacker's Delight, 9-3): half the dividend over the divisor, doubled, is short by at most one."""
    n, d = _operands(x, y)
    large = d < 0  # at least 2**63: the quotient is 0 or 1
    half = (n >> 1) & (_TOP - 1)
    quotient = torch.div(half, torch.where(large, 1, d), rounding_mode="trunc") << 1
    quotient = torch.where(large, 0, quotient)
    rest = n - quotient * d
    more = (rest ^ _LOWEST) >= (d ^ _LOWEST)
    return quotient + more, torch.where(more, rest - d, rest)


def _quotient(x: Any, y: Any) -> torch.Tensor:
    return _divmod(x, y)[0].view(torch.uint64)


def _remainder(x: Any, y: Any) -> torch.Tensor:
    return _divmod(x, y)[1].view(torch.uint64)


def _pow(x: Any, y: Any) -> torch.Tensor:
    """Powers modulo 2**64.  Odd numbers have a period that divides 2**62; even ones are 0 from the 64th power on."""
    base, exponent = _operands(x, y)
    period = 1 << 62
    exponent = torch.where((exponent < 0) | (exponent >= period), (exponent & (period - 1)) + period, exponent)
    result = torch.ones(torch.broadcast_shapes(base.shape, exponent.shape), dtype=torch.int64, device=base.device)
    while bool((exponent > 0).any()):
        result = torch.where((exponent & 1) == 1, result * base, result)
        base, exponent = base * base, exponent >> 1
    return result.view(torch.uint64)


def _right_shift(x: Any, y: Any) -> torch.Tensor:
    n, by = _operands(x, y)
    far = (by < 0) | (by > 63)
    by = torch.where(far, 63, by)
    shifted = (n >> by) & ~((_LOWEST >> by) << 1)
    return torch.where(far, 0, shifted).view(torch.uint64)


def _sign(x: torch.Tensor) -> torch.Tensor:
    return x.ne(0).to(torch.uint64)


_UINT64: dict[str, Callable[..., Any]] = {
    "floor_divide": _quotient,
    "trunc_divide": _quotient,
    "remainder": _remainder,
    "fmod": _remainder,
    "pow": _pow,
    "bitwise_right_shift": _right_shift,
    "sign": _sign,
    "sgn": _sign,
}
