"""Creating and converting arrays."""

from __future__ import annotations

from typing import Any

import torsh
from torsh import dtypes
from torsh.array_api._array import as_array, standard
from torsh.ops.conversion import cast

__all__ = [
    "arange", "asarray", "astype", "broadcast_arrays", "broadcast_shapes", "broadcast_to", "can_cast", "empty", "empty_like", "eye",
    "finfo", "from_dlpack", "full", "full_like", "iinfo", "isdtype", "linspace", "meshgrid", "ones", "ones_like", "result_type",
    "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


@standard
def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Any:
    """Evenly spaced numbers from ``start`` up to, not including, ``stop``."""
    if stop is None:
        start, stop = 0, start
    if (stop - start) * step <= 0:  # PyTorch raises where the standard has an empty result
        kind = dtype or (torsh.int64 if all(isinstance(v, int) for v in (start, stop, step)) else None)
        return torsh.empty((0,), dtype=kind, device=device)
    return torsh.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """An array from numbers, nested sequences, arrays, or objects with a buffer or ``__dlpack__``."""
    if isinstance(obj, torsh.Tensor):
        same = (dtype is None or obj.dtype is dtype) and (device is None or obj.device == torsh.device(device))
        if copy is False and not same:
            raise ValueError(f"cannot convert from {obj.dtype} on {obj.device} without a copy; pass copy=None or True")
        result = obj.to(device=device, dtype=dtype) if not same else obj
        return as_array(result.clone() if copy and same else result)
    if copy is False and isinstance(obj, (bool, int, float, complex, list, tuple)):
        raise ValueError("Python numbers and sequences cannot become an array without a copy; pass copy=None or True")
    if copy:
        return as_array(torsh.tensor(_plain_nested(obj), dtype=dtype, device=device))
    return as_array(torsh.asarray(_plain_nested(obj), dtype=dtype, device=device))


def _plain_nested(obj: Any) -> Any:
    if isinstance(obj, (list, tuple)):
        return [_plain_nested(o) for o in obj]
    return obj.item() if isinstance(obj, torsh.Tensor) and not obj.ndim else obj


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array from any object with ``__dlpack__``."""
    found = torsh.from_dlpack(x)
    moved = found if device is None else found.to(device)
    return as_array(moved.clone() if copy and moved is found else moved)


@standard
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The array with another dtype."""
    if x.dtype.is_complex and not dtype.is_complex:
        raise TypeError(f"a complex array cannot become {dtype}; take real() or imag() first")
    if device is not None:
        x = x.to(device)
    return x if x.dtype is dtype and not copy else cast(x, dtype, True)


def _like(name: str) -> Any:
    function = getattr(torsh, name)

    @standard
    def call(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
        return function(x, dtype=dtype, device=device)

    call.__name__, call.__doc__ = name, f"An array of another's shape: see :func:`torsh.{name}`."
    return call


empty_like, ones_like, zeros_like = map(_like, ("empty_like", "ones_like", "zeros_like"))


@standard
def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of another's shape, filled with one value."""
    return torsh.full_like(x, fill_value, dtype=dtype, device=device)


def _size(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


@standard
def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of a shape with whatever its memory holds."""
    return torsh.empty(_size(shape), dtype=dtype, device=device)


@standard
def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of zeros."""
    return torsh.zeros(_size(shape), dtype=dtype, device=device)


@standard
def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of ones."""
    return torsh.ones(_size(shape), dtype=dtype, device=device)


@standard
def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """An array of one value."""
    return torsh.full(_size(shape), fill_value, dtype=dtype, device=device)


@standard
def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Any:
    """Ones on the k-th diagonal, zeros elsewhere."""
    n_cols = n_rows if n_cols is None else n_cols
    z = torsh.zeros((n_rows, n_cols), dtype=dtype, device=device)
    if -n_rows < k < n_cols:
        z.diagonal(k).fill_(1)
    return z


@standard
def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    """``num`` evenly spaced numbers, with or without ``stop``."""
    if dtype is None and (isinstance(start, complex) or isinstance(stop, complex)):
        dtype = dtypes.get_default_dtype().to_complex()
    if endpoint:
        return torsh.linspace(start, stop, num, dtype=dtype, device=device)
    return torsh.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


@standard
def meshgrid(*arrays: Any, indexing: str = "xy") -> Any:
    """Coordinate grids from one-dimensional arrays."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"indexing must be 'xy' or 'ij', got {indexing!r}")
    return tuple(torsh.meshgrid(*arrays, indexing=indexing)) if len(arrays) > 1 else tuple(a.clone() for a in arrays)


@standard
def tril(x: Any, /, *, k: int = 0) -> Any:
    """The lower triangle of matrices."""
    return torsh.tril(x, k)


@standard
def triu(x: Any, /, *, k: int = 0) -> Any:
    """The upper triangle of matrices."""
    return torsh.triu(x, k)


@standard
def broadcast_to(x: Any, /, shape: Any) -> Any:
    """The array stretched to a shape."""
    return torsh.broadcast_to(x, tuple(shape))


@standard
def broadcast_arrays(*arrays: Any) -> Any:
    """Arrays stretched to one shape."""
    return tuple(torsh.broadcast_tensors(*arrays))


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that arrays of the given shapes broadcast to."""
    try:
        return tuple(torsh.broadcast_shapes(*shapes))
    except RuntimeError as e:
        raise ValueError(str(e)) from None


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether a dtype (or an array's dtype) may be cast to another by promotion."""
    source = from_.dtype if isinstance(from_, torsh.Tensor) else from_
    try:
        return _pair(source, to) is to
    except TypeError:
        return False


def _pair(a: Any, b: Any) -> Any:
    """The standard's promotion of two dtypes, which unlike PyTorch's knows all unsigned integers."""
    if a.category == dtypes.INT == b.category and a.is_signed != b.is_signed:
        signed, unsigned = (a, b) if a.is_signed else (b, a)
        size = max(signed.itemsize, 2 * unsigned.itemsize)
        if size > 8:
            raise TypeError(f"the standard has no promotion of {a} with {b}; convert one of them with astype")
        return dtypes.BY_NAME[f"int{8 * size}"]
    if a.category == dtypes.INT == b.category:
        return a if a.itemsize > b.itemsize else b
    try:
        return dtypes.promote_types(a, b)
    except RuntimeError as e:  # bool with an unsigned integer, which the standard leaves undefined and PyTorch refuses
        raise TypeError(str(e)) from None


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that operands promote to; Python numbers count for their kind only."""
    found = None
    numbers = []
    for a in arrays_and_dtypes:
        if isinstance(a, (bool, int, float, complex)) and not isinstance(a, torsh.Tensor):
            numbers.append(a)
            continue
        dtype = a.dtype if isinstance(a, torsh.Tensor) else a
        found = dtype if found is None else _pair(found, dtype)
    if found is None:
        raise ValueError("at least one array or dtype is required")
    return dtypes.combine([found], [], [dtypes.of_number(n) for n in numbers])


def promoted(operands: Any) -> list[Any]:
    """Operands as arrays of one dtype; at least one must be an array."""
    arrays = [a for a in operands if isinstance(a, torsh.Tensor)]
    if not arrays:
        raise TypeError("expected at least one array among the operands")
    dtype, device = result_type(*operands), arrays[0].device
    return [
        a.to(dtype) if isinstance(a, torsh.Tensor) else torsh.tensor(a, dtype=dtype, device=device) for a in operands
    ]


_KINDS = {
    "bool": lambda d: d.category == dtypes.BOOL,
    "signed integer": lambda d: d.category == dtypes.INT and d.is_signed,
    "unsigned integer": lambda d: d.category == dtypes.INT and not d.is_signed,
    "integral": lambda d: d.category == dtypes.INT,
    "real floating": lambda d: d.is_floating_point,
    "complex floating": lambda d: d.is_complex,
    "numeric": lambda d: d.category != dtypes.BOOL,
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: a name such as "real floating", a dtype, or a tuple of these."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"unknown kind {kind!r}; there are {', '.join(map(repr, _KINDS))}")
        return bool(_KINDS[kind](dtype))
    return dtype is kind


class _Info:
    """Limits of a dtype."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return "info(" + ", ".join(f"{k}={v}" for k, v in self.__dict__.items()) + ")"


def finfo(type: Any, /) -> Any:
    """Limits of a floating dtype (or array)."""
    dtype = type.dtype if isinstance(type, torsh.Tensor) else type
    real = dtype.to_real()
    f = torsh.finfo(real)
    return _Info(
        bits=int(f.bits),
        eps=float(f.eps),
        max=float(f.max),
        min=float(f.min),
        smallest_normal=float(f.smallest_normal),
        dtype=real,
    )


def iinfo(type: Any, /) -> Any:
    """Limits of an integer dtype (or array)."""
    dtype = type.dtype if isinstance(type, torsh.Tensor) else type
    i = torsh.iinfo(dtype)
    return _Info(bits=int(i.bits), max=int(i.max), min=int(i.min), dtype=dtype)
