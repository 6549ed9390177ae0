"""Making tensors from Python values, arrays and buffers."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

import torsh_numpy.backend as host  # the module, not its names: a program may import torsh_numpy first
from torsh import dtypes
from torsh._callers import warn, warn_once
from torsh.backend import FROM_NUMPY, TO_NUMPY
from torsh.device import as_device
from torsh.dispatch import place_of
from torsh.dtypes import dtype as Dtype
from torsh.ops._args import check_pinnable
from torsh.ops._op import composite
from torsh.tensor import Tensor, new

_SUPPORTED = "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool"


_CPU = as_device("cpu")


def check_array(array: np.ndarray[Any, Any]) -> Dtype:
    """The torsh dtype of a host array that memory can be shared with; raises what PyTorch raises otherwise."""
    dtype = FROM_NUMPY.get(array.dtype)
    if dtype is None:
        if not array.dtype.isnative:
            raise ValueError(
                "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
                "currently not supported. Use array.astype(array.dtype.newbyteorder('='))"
            )
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{array.dtype.type.__name__}. The only supported types are: {_SUPPORTED}."
        )
    for s in array.strides:
        if s < 0:
            raise ValueError(
                "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
                "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
            )
        if s % array.itemsize:
            raise ValueError(
                "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory."
            )
    return dtype


def on_device(array: np.ndarray[Any, Any], dtype: Dtype, device: Any, requires_grad: bool = False) -> Tensor:
    """A tensor of a host array whose element type is that of ``dtype``; it may share its memory."""
    place = place_of(as_device(device))
    t = new(Tensor)
    t._data = place.backend.from_host(array, dtype, place.device)
    t._kind = place[dtype]
    t._rg = False
    if requires_grad:
        if not t._kind.inexact:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        t._rg = True
    return t


# ---- values ------------------------------------------------------------------------------------------------------------

_NATIVE = {
    np.dtype(np.int64): dtypes.int64, np.dtype(bool): dtypes.bool, np.dtype(np.float64): None, np.dtype(np.complex128): None,
}  # fmt: skip


def _first_leaf(data: Any) -> Any:
    for _ in range(_DEEPEST):
        if type(data) is not list and type(data) is not tuple:
            return data
        if not data:
            return None
        data = data[0]
    raise ValueError(f"too many dimensions '{type(data).__name__}'")  # a list that contains itself, most likely


_DEEPEST = 130


def values_array(data: Any, dtype: Dtype | None) -> tuple[np.ndarray[Any, Any], Dtype]:
    """A host array of Python values (nested sequences) and its dtype."""
    if dtype is not None and not isinstance(dtype, Dtype):
        raise TypeError(f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    kind = type(data)
    if kind is list or kind is tuple:
        leaf = type(_first_leaf(data))
        if leaf is int or leaf is float or leaf is bool or leaf is complex:
            try:
                array = np.array(data)
            except (ValueError, TypeError, OverflowError):
                array = None
            large = leaf is int and array is not None and array.dtype.kind == "f" and (abs(array) >= 2.0**63).any()
            # What is not a number of Python's own (np.float64, a tensor) brings its precision along: it is counted in the slow way.
            given = dtype is None and array is not None and array.dtype.kind in "fc"
            if array is not None and array.dtype in _NATIVE and not large and (not given or _plain(data, array.ndim)):
                return _typed(array, dtype)
        return _slow_values(data, dtype)
    if kind is float or kind is int or kind is bool or kind is complex:
        found = dtype or dtypes.of_number(data)
        if kind is int and found.category == dtypes.INT:
            return _typed(_int_array(data), dtype)
        return _typed(np.array(data), dtype)
    return _slow_values(data, dtype)


def _plain(data: Any, depth: int) -> bool:
    """Whether lists nested that deeply hold nothing but numbers of Python's own."""
    if depth == 1:
        return _NUMBER_TYPES.issuperset(map(type, data))
    return _LISTS.issuperset(map(type, data)) and all(_plain(x, depth - 1) for x in data)


_NUMBER_TYPES = frozenset((int, float, bool, complex))
_LISTS = frozenset((list, tuple))


def _int_array(value: int) -> np.ndarray[Any, Any]:
    if -(1 << 63) <= value < 1 << 63:
        return np.array(value, np.int64)
    if 0 <= value < 1 << 64:
        return np.array(value, np.uint64)
    raise ValueError(f"Overflow when unpacking long long: {value} does not fit 64 bits")


def _typed(array: np.ndarray[Any, Any], dtype: Dtype | None) -> tuple[np.ndarray[Any, Any], Dtype]:
    """An array of Python numbers in the dtype asked for or the one Python numbers have."""
    if dtype is None:
        dtype = _NATIVE.get(array.dtype)
        if dtype is None:
            if array.dtype.kind == "u":
                raise ValueError("Overflow when unpacking long long: pass dtype=torch.uint64 for such large integers")
            default = dtypes.get_default_dtype()
            dtype = default if array.dtype.kind == "f" else default.to_complex()
    return converted(array, dtype), dtype


def converted(array: np.ndarray[Any, Any], dtype: Dtype) -> np.ndarray[Any, Any]:
    """A host array in the element type of a dtype.  Integers out of range raise RuntimeError, as does complex to real."""
    if dtype in dtypes.UNCASTABLE:
        raise RuntimeError(f"store_scalar: invalid type: a {dtype} tensor cannot be made of numbers")
    target = TO_NUMPY[dtype]
    if array.dtype == target:
        return array
    if array.dtype.kind == "c" and not dtype.is_complex and dtype is not dtypes.bool:
        if array.imag.any():
            raise TypeError(f"must be real number, not complex: a tensor of {dtype.name} has no imaginary part")
        array = array.real
    if dtype.category == dtypes.INT and array.size and array.dtype.kind in "iuf":
        info = np.iinfo(target)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: it is not finite")
        low, high = array.min(), array.max()
        wraps = not dtype.is_signed and array.dtype.kind != "f"  # negative integers do, fractions do not
        if high > info.max or low < (-info.max if wraps else info.min):
            raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow: {low} to {high}")
    return array.astype(target)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, (list, tuple, range)) or (
        hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, (str, bytes, dict))
    )


def _slow_values(data: Any, dtype: Dtype | None) -> tuple[np.ndarray[Any, Any], Dtype]:
    """Nested sequences whose leaves may be tensors, NumPy scalars or arrays."""
    shape: list[int] = []
    leaf = data
    while True:
        if isinstance(leaf, (Tensor, np.ndarray, np.generic)):
            if leaf is data or not isinstance(leaf, Tensor):  # a tensor among numbers is one of them
                shape.extend(leaf.shape)
            break
        if isinstance(leaf, (str, bytes)):
            if leaf is data:
                raise TypeError(f"new(): invalid data type '{type(leaf).__name__}'")
            raise ValueError("too many dimensions 'str'")
        if not _is_sequence(leaf):
            break
        shape.append(len(leaf))
        if len(shape) > 128:
            raise ValueError(f"too many dimensions '{type(leaf).__name__}'")
        if not len(leaf):
            break
        try:
            leaf = leaf[0]
        except Exception as e:  # whatever a class of the user raises
            raise ValueError(
                f"could not determine the shape of object type '{type(leaf).__name__}': it has a length, but its first item raises {e!r}"
            ) from e
    leaves: list[Any] = []
    found: set[Dtype] = set()
    _collect(data, shape, 0, leaves, found)
    if not leaves:
        dtype = dtype or dtypes.get_default_dtype()
        return np.empty(shape, TO_NUMPY[dtype]), dtype
    if dtype is None:
        for leaf in leaves:
            if type(leaf) is int and not -(1 << 63) <= leaf < 1 << 63:
                raise ValueError("Overflow when unpacking long long: pass dtype=torch.uint64 for such large integers")
        for d in found:
            dtype = d if dtype is None else dtypes.promote_types(dtype, d)
        assert dtype is not None
    if dtype.category == dtypes.INT:
        for leaf in leaves:
            if isinstance(leaf, np.floating) and not isinstance(leaf, float):
                raise TypeError(f"'numpy.{type(leaf).__name__}' object cannot be interpreted as an integer")
    if any(isinstance(x, np.ndarray) and x.ndim for x in leaves):
        flat = np.concatenate([converted(np.asarray(x), dtype).reshape(-1) for x in leaves])
    else:
        values = [x.item() if isinstance(x, (np.generic, np.ndarray)) else x for x in leaves]
        wide = np.array(values)
        if wide.dtype.kind == "O":
            wide = (
                np.array([_int_array(v) for v in values])
                if all(isinstance(v, int) for v in values)
                else wide.astype(float)
            )
        flat = converted(wide, dtype)
    return flat.reshape(shape), dtype


def _collect(data: Any, shape: list[int], depth: int, leaves: list[Any], found: set[Dtype]) -> None:
    if isinstance(data, Tensor):
        if depth and data.numel() != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars; this one has shape {list(data.shape)}: "
                "torch.stack joins tensors"
            )
        on_cpu = data.detach().cpu()
        data = on_cpu._kind.backend.to_host(on_cpu._data)
        if depth:
            data = data.reshape(())
        if depth == len(shape):
            found.add(FROM_NUMPY[data.dtype])
            leaves.append(data)
            return
    if isinstance(data, np.ndarray):
        if list(data.shape) != shape[depth:]:
            got = data.shape[0] if data.ndim else 1
            want = shape[depth] if depth < len(shape) else 1
            raise ValueError(f"expected sequence of length {want} at dim {depth} (got {got})")
        found.add(check_array(data))
        leaves.append(data)
        return
    if depth == len(shape):
        if isinstance(data, np.generic):
            if data.dtype not in FROM_NUMPY:
                raise TypeError(f"can't convert np.ndarray of type numpy.{data.dtype.type.__name__}.")
            found.add(FROM_NUMPY[data.dtype])
        elif isinstance(data, (bool, int, float, complex)):
            found.add(dtypes.of_number(data))
        elif _is_sequence(data):
            raise TypeError(f"must be real number, not {type(data).__name__}")
        elif hasattr(data, "__index__"):
            data = data.__index__()
            found.add(dtypes.int64)
        elif hasattr(data, "__float__") and not isinstance(data, str):
            data = float(data)
            found.add(dtypes.get_default_dtype())
        elif isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        else:
            raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
        leaves.append(data)
        return
    if not _is_sequence(data):
        raise TypeError(
            f"not a sequence: a {type(data).__name__} where one of length {shape[depth]} is expected at dim {depth}"
        )
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for x in data:
        if x is data:
            raise TypeError(
                "new(): self-referential lists are incompatible: a list of numbers was expected, got one that holds itself"
            )
        _collect(x, shape, depth + 1, leaves, found)


@composite("torch.tensor", tags="creation")
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor with a copy of numbers (nested sequences), of an array or of a tensor.

    dtype: default: that of the data; Python floats get the default floating type.
    Raises ValueError for ragged sequences, TypeError and RuntimeError for what is not numeric or does not fit the dtype.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tensor.html

    >>> import torsh
    >>> torsh.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> torsh.tensor([1, 2.5])
    tensor([1.0000, 2.5000])
    >>> torsh.tensor([1, 0], dtype=torsh.bool)
    tensor([ True, False])
    >>> torsh.tensor([1., 2.], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    if pin_memory:
        check_pinnable()
    if type(dtype) is type:
        dtype = dtypes.PYTHON.get(dtype, dtype)
    if dtype is not None and not isinstance(dtype, Dtype):
        raise TypeError(f"tensor(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    kind = type(data)
    if kind is not list and kind is not tuple and kind is not float and kind is not int:
        if isinstance(data, Tensor):
            warnings.warn(
                "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
                UserWarning,
                stacklevel=3,
            )
            out = data.detach().to(
                device=data.device if device is None else device, dtype=dtype or data.dtype, copy=True
            )
            return out.requires_grad_() if requires_grad else out
        if type(data).__name__ in ("UntypedStorage", "TypedStorage"):  # its bytes, as elements of that type
            from torsh.storage import elements, expect_type

            typed = hasattr(data, "dtype")
            dtype = dtype or (dtypes.get_default_dtype() if typed else dtypes.int64)
            expect_type(data, dtype)
            out = (
                elements(data, dtype)
                .clone()
                .to(device or data._untyped_storage.device if typed else device or data.device)
            )
            return out.requires_grad_() if requires_grad else out
        array = _as_array(data)
        if array is not None:
            own = check_array(array)
            dtype = dtype or own
            array = array.copy() if dtype is own else converted(array, dtype)
            return on_device(array, dtype, device, requires_grad)
    if (kind is list or kind is tuple) and data and type(data[0]) is np.ndarray:
        warn_once(
            "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a single "
            "numpy.ndarray with numpy.array() before converting to a tensor."
        )
    array, dtype = values_array(data, dtype)
    return on_device(array, dtype, device, requires_grad)


def _as_array(data: Any) -> np.ndarray[Any, Any] | None:
    """What already is an array (or offers itself as one) as a host array, else None."""
    if isinstance(data, np.ndarray):
        return data
    if isinstance(data, np.generic):
        return np.asarray(data)
    if (
        hasattr(data, "__dlpack__") and hasattr(data, "__array__") and data.__dlpack_device__()[0] == 1
    ):  # another library's
        from torsh import registry

        found: np.ndarray[Any, Any] = registry.load("numpy").from_dlpack(data)
        return found
    if hasattr(data, "__array_interface__") or (hasattr(data, "__array__") and not _is_sequence(data)):
        return np.asarray(data)
    return None


@composite("torch.from_numpy", tags="creation", bare=True)
def from_numpy(ndarray):
    """A tensor that shares the memory of a NumPy array.

    Raises TypeError for anything else and for element types that tensors do not have, ValueError for negative strides.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html

    >>> import numpy as np
    >>> import torsh
    >>> import numpy as np
    >>> a = np.array([1., 2.])
    >>> x = torsh.from_numpy(a)
    >>> x[0] = 9.  # the memory is shared
    >>> a.tolist(), x.dtype
    ([9.0, 2.0], torsh.float64)
    """
    if type(ndarray) is np.ndarray and ndarray.base is None and ndarray.flags.carray:  # the commonest case, written out
        dtype = FROM_NUMPY.get(ndarray.dtype)
        place = place_of(_CPU)
        if dtype is not None and place.raw_type is np.ndarray:
            t = new(Tensor)
            t._data = ndarray
            t._kind = place[dtype]
            t._rg = False
            t._borrowed = True
            return t
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtype = check_array(ndarray)
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to this "
            "tensor will result in undefined behavior. You may want to copy the array to protect its data or make it writable "
            "before converting it to a tensor.",
            UserWarning,
            stacklevel=3,
        )
    return _borrowing(ndarray, dtype, _CPU)


def _borrowing(array: np.ndarray[Any, Any], dtype: Dtype, device: Any, requires_grad: bool = False) -> Tensor:
    """A tensor of a host array that is somebody else's."""
    t = on_device(host.detached_from_base(array), dtype, device, requires_grad)
    t._borrowed = True
    return t


@composite("torch.as_tensor", tags="creation")
def as_tensor(data, dtype=None, device=None):
    """The data as a tensor, shared where possible: a tensor itself (with its history), a NumPy array's memory.

    data: a tensor, an array, a number or nested sequences. dtype, device: where one differs from the data's, the result is a copy.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.as_tensor.html

    >>> import numpy as np
    >>> import torsh
    >>> import numpy as np
    >>> a = np.array([1, 2])
    >>> x = torsh.as_tensor(a)  # shares the array's memory
    >>> a[0] = 9
    >>> x
    tensor([9, 2])
    """
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    array = _as_array(data)
    if array is not None:
        own = check_array(array)
        t = _borrowing(array, own, device)
        return t if dtype is None or dtype is own else t.to(dtype)
    array, dtype = values_array(data, dtype)
    return on_device(array, dtype, device)


@composite("torch.asarray", tags="creation")
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """The object as a tensor: a tensor, an array, a buffer, a DLPack exporter, or Python values.

    copy: True copies always, False raises ValueError where sharing is impossible, None shares where possible.
    requires_grad: False takes the result out of the graph; None leaves a tensor as it is, with a warning if it requires grad.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.asarray.html

    >>> import torsh
    >>> torsh.asarray([1., 2.])
    tensor([1., 2.])
    """
    shared = True
    if isinstance(obj, Tensor):
        t = obj
    elif (array := _as_array(obj)) is not None:
        shared = not isinstance(obj, np.generic)
        t = _borrowing(array, check_array(array), "cpu" if device is None else device)
    elif hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule":
        from torsh.utils.dlpack import from_dlpack

        t = from_dlpack(obj)
    elif isinstance(obj, (bytes, bytearray, memoryview)) or _has_buffer(obj):
        t = frombuffer(obj, dtype=dtype or dtypes.get_default_dtype())
    else:
        shared = False
        values, found = values_array(obj, dtype)
        t = on_device(values, found, device)
    if copy is False and not shared:
        if isinstance(obj, np.generic):
            raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
        raise ValueError(
            f"can't alias arbitrary sequence into a tensor: pass copy=None, or an array instead of a {type(obj).__name__}"
        )
    moved = t if device is None else t.to(device=device)
    cast = moved if dtype is None else moved.to(dtype)
    if copy is False and cast is not t:
        if moved is not t:
            raise ValueError(f"can't alias tensor from device '{t.device}' to '{moved.device}'.")
        names = dtypes.scalar_name(t.dtype), dtypes.scalar_name(cast.dtype)
        raise ValueError(f"can't alias tensor with dtype '{names[0]}' into dtype '{names[1]}'.")
    if copy and cast is t and shared:
        cast = t.clone()
    if requires_grad and not cast._rg:
        cast = cast.detach() if cast is obj else cast
        cast.requires_grad = True
    elif cast._rg and requires_grad is None:
        warn(
            "torch.asarray: unspecified requires_grad for a tensor that requires grad: the result requires it, too. Pass "
            "requires_grad=True to keep that without this warning, or False to detach it"
        )
    elif cast._rg and not requires_grad:
        cast = cast.detach()
    return cast


def _has_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


@composite("torch.frombuffer", tags="creation")
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A one-dimensional tensor that shares the memory of an object with Python's buffer protocol.

    offset: bytes to skip; count: elements to read, -1 for all.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.frombuffer.html

    >>> import torsh
    >>> torsh.frombuffer(bytearray([1, 0, 2, 0]), dtype=torsh.int16)
    tensor([1, 2], dtype=torsh.int16)
    """
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError(f"object does not implement Python buffer protocol: {type(buffer).__name__}") from None
    size, item = view.nbytes, dtype.itemsize
    if size == 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) - 1"
        )
    if count < 0:
        if (size - offset) % item:
            raise ValueError(
                f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ({item})"
            )
        count = (size - offset) // item
    elif offset + count * item > size:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than actual buffer "
            f"length ({size} bytes)"
        )
    if view.readonly:
        warnings.warn(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to the "
            "underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its data or "
            "make it writable before converting it to a tensor.",
            UserWarning,
            stacklevel=3,
        )
    return _borrowing(np.frombuffer(view, TO_NUMPY[dtype], count, offset), dtype, "cpu", requires_grad)


@composite("torch.from_file", tags="creation")
def from_file(
    filename, shared=None, size=0, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """A one-dimensional tensor of ``size`` elements over the bytes of a file, mapped into memory.

    shared: True writes changes back to the file (which is made or grown to the size needed); False keeps them in memory.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.from_file.html

    >>> import torsh
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(delete=False) as f:
    ...     _ = f.write(bytes([1, 0, 2, 0]))
    >>> torsh.from_file(f.name, size=2, dtype=torsh.int16)
    tensor([1, 2], dtype=torsh.int16)
    """
    if pin_memory:
        check_pinnable()
    if device is not None and str(device) != "cpu":
        raise RuntimeError(f"from_file: a mapped file is on the cpu, but device is {device}")
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    needed = size * dtype.itemsize
    if not needed:
        return on_device(np.empty(0, TO_NUMPY[dtype]), dtype, "cpu", requires_grad)
    there = os.path.getsize(filename) if os.path.exists(filename) else -1
    if shared and there < needed:
        with open(filename, "ab") as f:
            f.truncate(needed)
    elif there < 0:
        raise RuntimeError(f"unable to open file <{filename}> in read-only mode: No such file or directory (2)")
    elif there < needed:
        raise RuntimeError(f"file <{filename}> has {there} bytes, too few for {size} elements of {dtype}")
    mapped = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(needed,))
    return on_device(np.frombuffer(mapped, TO_NUMPY[dtype], size), dtype, "cpu", requires_grad)
