"""Conditions that programs check by PyTorch's own functions (``torch._check`` and the like)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_PLAIN = (
    "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an enhancement request "
    "to PyTorch.)"
)


def _check_with(error_type: type[Exception], cond: Any, message: Callable[[], Any] | None) -> None:
    """Raise an error of a type unless a Boolean is true; the message is made only then."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise error_type(_PLAIN)
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error_type(str(message()))


def _check(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """RuntimeError unless a Boolean is true.  message: a function that gives the text.

    >>> import torsh
    >>> torsh._check(1 < 2, lambda: "never made")
    """
    _check_with(RuntimeError, cond, message)


def _check_index(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """IndexError unless a Boolean is true."""
    _check_with(IndexError, cond, message)


def _check_value(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """ValueError unless a Boolean is true."""
    _check_with(ValueError, cond, message)


def _check_type(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """TypeError unless a Boolean is true."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """NotImplementedError unless a Boolean is true."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: Any, message: Callable[[], Any] | None = None, *, max: Any = None) -> None:
    """RuntimeError unless a number is at least zero and at most ``max``."""
    _check(bool(i >= 0), message)
    if max is not None:
        _check(bool(i <= max), message)


def _check_tensor_all_with(error_type: type[Exception], cond: Any, message: Callable[[], Any] | None = None) -> None:
    """An error of a type unless all elements of a Boolean tensor are true."""
    import torsh

    if not torsh.is_tensor(cond):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not torsh.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Any, message: Callable[[], Any] | None = None) -> None:
    """RuntimeError unless all elements of a Boolean tensor are true."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _assert(condition: Any, message: Any) -> None:
    """``assert`` as a function.

    >>> import torsh
    >>> torsh._assert(torsh.tensor(True), "holds")
    """
    assert condition, message


def _assert_async(input: Any, assert_msg: str | None = None) -> None:
    """RuntimeError if the only element of a tensor is zero."""
    if not bool(input):
        raise RuntimeError(
            assert_msg if assert_msg is not None else "Expected Tensor with single nonzero value, but got zero"
        )


def _shape_as_tensor(input: Any) -> Any:
    """The shape as a tensor of int64."""
    import torsh

    return torsh.tensor(tuple(input.shape), dtype=torsh.int64)


def _convert_indices_from_coo_to_csr(input: Any, size: int, *, out_int32: bool = False) -> Any:
    """Row pointers of sorted row numbers, for ``size`` rows."""
    import torsh

    counts = torsh.bincount(input, minlength=size)
    found = torsh.cat((torsh.zeros(1, dtype=torsh.int64, device=input.device), counts.cumsum(0)))
    return found.to(torsh.int32) if out_int32 else found


def _convert_indices_from_csr_to_coo(
    crow_indices: Any, col_indices: Any, *, out_int32: bool = False, transpose: bool = False
) -> Any:
    """Row and column numbers of compressed rows, the two swapped with ``transpose``."""
    import torsh

    counts = crow_indices.diff()
    rows = torsh.repeat_interleave(torsh.arange(counts.numel(), device=counts.device), counts)
    kind = torsh.int32 if out_int32 else torsh.int64
    pair = (rows.to(kind), col_indices.to(kind))
    return torsh.stack(pair[::-1] if transpose else pair)
