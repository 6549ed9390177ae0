"""Normalising and checking arguments: dimensions, sizes, numbers, tensors."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from torsh import dtypes
from torsh.dispatch import state
from torsh.tensor import Tensor


def type_name(value: Any) -> str:
    """The name of a value's type as PyTorch's messages have it."""
    cls = type(value)
    return f"numpy.{cls.__name__}" if cls.__module__ == "numpy" else cls.__name__


def argument_error(argument: str, what: str, many: bool = False) -> TypeError:
    """A TypeError about an argument; the op that was called adds its name (``name_error``)."""
    error = TypeError(f"argument '{argument}' {what}")
    error.about = argument, what, many  # type: ignore[attr-defined]
    return error


def name_error(error: Any, fn: Any, paths: Sequence[str]) -> None:
    """Put the function's name and the argument's own name and position in front of the message of an ``argument_error``."""
    argument, what, many = error.about
    code = getattr(fn, "__wrapped__", fn).__code__
    own = list(code.co_varnames[: code.co_argcount])
    named = {*own, *code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]}
    if many and code.co_flags & 4:  # *size
        keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        argument = next((k for k in keywords if k in ("size", "shape", "dims", "repeats")), argument)
        own.append(argument)
    elif argument not in named and hasattr(error, "told"):
        return  # an op that this one calls has said it
    error.told = True
    where = ""
    if argument in own and " unpack " not in what:
        method = not any(p.startswith("torch.") for p in paths)
        where = f" (position {own.index(argument) + 1 - method})"
    error.args = (f"{fn.__name__}(): argument '{argument}'{where} {what}",)


def wrap_dim(dim: Any, ndim: int, name: str = "dim") -> int:
    """A dimension index brought into ``0 <= dim < ndim`` (a 0-d tensor counts as one-dimensional).

    Raises IndexError outside of it and TypeError for what is no integer.
    """
    if type(dim) is int and -ndim <= dim < ndim:
        return dim + ndim if dim < 0 else dim
    n = ndim or 1
    try:
        if type(dim) is bool:
            raise TypeError
        dim = operator.index(dim)
    except TypeError:
        raise argument_error(name, f"must be int, not {type_name(dim)}") from None
    if not -n <= dim < n:
        if not -1 << 63 <= dim < 1 << 63:
            raise ValueError(f"Overflow when unpacking long long: {name} has more than 64 bits")
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def same_dtype(first: Tensor, *others: Any) -> None:
    """Raise PyTorch's error where tensors (None: none given) have another dtype than the first."""
    for t in others:
        if t is not None and t._kind.dtype is not first._kind.dtype:
            raise RuntimeError(
                f"expected scalar type {dtypes.scalar_name(first._kind.dtype)} but found {dtypes.scalar_name(t._kind.dtype)}; convert "
                "one of them with .to(dtype)"
            )


# What is computed in float32 and rounded once, where steps in the type itself would each round (and lose indices and ranges).
_HALVES = (dtypes.float16, dtypes.bfloat16)


def in_float32(fn: Callable[..., Any], *args: Any) -> Any:
    """``fn(*args)``, computed in float32 and rounded back if the first argument is a tensor of a half type."""
    dtype = args[0].dtype
    if dtype not in _HALVES:
        return fn(*args)

    def wide(a: Any) -> Any:
        if isinstance(a, Tensor):
            return a.to(dtypes.float32) if a.dtype is dtype else a
        return [wide(x) for x in a] if type(a) is list or type(a) is tuple else a

    found = fn(*[wide(a) for a in args])
    return found.to(dtype) if isinstance(found, Tensor) else tuple(t.to(dtype) for t in found)


def mapped(*args: Any) -> bool:
    """Whether an argument is an example that ``vmap`` made, whose values are not at hand."""
    return state.busy > 0 and any(hasattr(a, "_physical") for a in args)


def by_example(call: Callable[..., Any], *args: Any) -> Any:
    """``call(*args)`` one example after the other, for ops that need the values of what ``vmap`` maps; None where no argument is mapped."""
    if not state.busy:
        return None
    from torsh.func._rules import by_example as run

    return run(call, args)


def check_elements(shape: Sequence[int]) -> None:
    """Raise RuntimeError for a shape of more elements than can be counted, before a library wraps its size around."""
    if math.prod(shape) >= 1 << 62:
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(shape)}: no tensor can have that many elements"
        )


def wrap_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dimensions, each only once; None or an empty sequence means all of them."""
    if dims is None:
        return tuple(range(ndim))
    if not isinstance(dims, (tuple, list)):
        return (wrap_dim(dims, ndim),)
    found = tuple(wrap_dim(d, ndim) for d in dims)
    for i, d in enumerate(found):
        if d in found[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return found or tuple(range(ndim))


def size_of(args: Sequence[Any], name: str = "size") -> tuple[int, ...]:
    """A size given as several integers or as one sequence of them."""
    whole = len(args) == 1 and isinstance(args[0], (tuple, list))
    if whole:
        args = args[0]
    for a in args:
        if type(a) is not int or a > _LARGEST:
            break
    else:
        return tuple(args)
    found: list[int] = []
    for a in args:
        try:
            if type(a) is bool and not found:
                raise TypeError
            found.append(operator.index(a))
        except TypeError:
            if found:
                what = f'failed to unpack the object at pos {len(found) + 1} with error "type must be tuple of ints,but got {type_name(a)}"'
            elif whole:
                what = f"must be tuple of ints, but found element of type {type_name(a)} at pos 0"
            else:
                what = f"must be tuple of ints, not {type_name(a)}"
            raise argument_error(name, what, many=True) from None
        if not -_LARGEST - 1 <= found[-1] <= _LARGEST:
            raise TypeError(
                f"argument '{name}' failed to unpack {a}: Overflow when unpacking long long; a size is less than 2**63"
            )
    return tuple(found)


_LARGEST = (1 << 63) - 1


def has_values(t: Tensor) -> bool:
    """Whether a check may look at the values of a tensor: not on the meta device, not where it would start a computation, and
    not on an example of a batch (``vmap``)."""
    if t.device.type == "meta" or hasattr(t, "_physical"):
        return False
    backend = t._kind.backend
    return not backend.capabilities.lazy or backend.known(t._data)


def check_pinnable(what: str = "pin_memory=True requires a CUDA or other accelerator backend") -> None:
    """RuntimeError for page-locked memory where there is no accelerator that it would be for."""
    from torsh import accelerator

    if not accelerator.is_available():
        raise RuntimeError(f"{what}; pin memory only where torch.accelerator.is_available()")


def check_tensor(value: Any, op: str, name: str = "input", position: int = 1) -> Tensor:
    """The value if it is a tensor, else TypeError in PyTorch's words."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{op}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}")
    return value
