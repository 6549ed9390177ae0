"""Making tensors from nothing: constants, ranges, and the ``*_like`` and ``new_*`` forms."""

from __future__ import annotations

import math
import operator
from typing import Any

from torsh import dtypes
from torsh._callers import warn
from torsh.device import as_device
from torsh.dispatch import place_of, state, through_modes, unallocatable
from torsh.dtypes import dtype as Dtype
from torsh.memory_format import strided
from torsh.ops._args import check_elements, check_pinnable, size_of, type_name
from torsh.ops._op import Op, composite
from torsh.tensor import Tensor, new

# Creation kernels get what follows the tensors of other kernels, then dtype and device.
full_op = Op(
    "full", None, ("size", "value", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda size, value, dtype, device: (size, dtype),
)  # fmt: skip
arange_op = Op(
    "arange", None, ("start", "step", "count", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda start, step, count, dtype, device: ((count,), dtype),
)  # fmt: skip
linspace_op = Op(
    "linspace", None, ("start", "end", "count", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda start, end, count, dtype, device: ((count,), dtype),
)  # fmt: skip
logspace_op = Op(
    "logspace", None, ("start", "end", "count", "base", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda start, end, count, base, dtype, device: ((count,), dtype),
)  # fmt: skip
eye_op = Op(
    "eye", None, ("n", "m", "dtype", "device"), tags=("creation", "nondifferentiable"),
    meta=lambda n, m, dtype, device: ((n, m), dtype),
)  # fmt: skip


def create(op: Op, params: tuple[Any, ...], dtype: Dtype | None, device: Any, requires_grad: bool = False) -> Tensor:
    """Run a creation op: its kernel on the backend of a device."""
    place = place_of(as_device(device))
    kind = place[dtype or dtypes.get_default_dtype()]

    if state.busy:

        def run(*params: Any) -> Tensor:
            t = new(Tensor)
            raw = op.kernels[kind](*params)
            t._data = raw if type(raw) is kind.raw_type else kind.as_raw(raw)
            t._kind = kind
            t._rg = False
            return t

        t = through_modes(op, (*params, kind.dtype, kind.device), run)
    else:
        try:
            raw = op.kernels[kind](*params, kind.dtype, kind.device)
        except (MemoryError, ValueError) as e:
            raise unallocatable(e, params[0] if op is full_op else None) from e.__cause__
        t = new(Tensor)
        t._data = raw if type(raw) is kind.raw_type else kind.as_raw(raw)
        t._kind = kind
        t._rg = False
    if requires_grad:
        if type(requires_grad) is not bool:
            raise TypeError(f"{op.name}(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        if not t._kind.inexact:
            raise RuntimeError(
                f"Only Tensors of floating point and complex dtype can require gradients; this one is {t.dtype}"
            )
        t.requires_grad = True
    return t


def make_full(size: tuple[int, ...], value: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A new tensor of one value (None: whatever the memory holds)."""
    if size and min(size) < 0:
        for s in [s for s in size if s < 0]:
            raise RuntimeError(f"Trying to create tensor with negative dimension {s}: {list(size)}")
    if value is None:
        value = uninitialized(dtype)
    return create(full_op, (size, value), dtype, device, requires_grad)


settings: Any = None  # torsh._functions.settings, when first needed: an import takes longer than the rest of a call


def _load() -> None:
    global settings
    from torsh._functions import settings


def uninitialized(dtype: Dtype | None) -> Any:
    """What new memory holds whose contents do not matter: None for anything; a known value under deterministic algorithms."""
    if settings is None:
        _load()
    if not (settings.deterministic and settings.fill_uninitialized):
        return None
    from torsh._functions import iinfo

    dtype = dtype or dtypes.get_default_dtype()
    if dtype.is_floating_point or dtype.is_complex:
        return float("nan")
    return True if dtype is dtypes.bool else iinfo(dtype).max


def check_dtype(dtype: Any, op: str) -> None:
    """TypeError for a dtype argument that is none."""
    if dtype is not None and not isinstance(dtype, Dtype):
        raise TypeError(f"{op}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")


def _sized(size: Any, rest: dict[str, Any], name: str) -> tuple[int, ...]:
    """The size of a function that takes it as integers, as a sequence, or by name (in ``rest``)."""
    if rest:
        unknown = [k for k in rest if k != "size"]
        if unknown:
            raise TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
        if size:
            raise TypeError(f"{name}() got multiple values for argument 'size'")
        size = rest["size"]
        if not isinstance(size, (tuple, list)):
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, not {type_name(size)}")
    elif not size:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size" as integers or a tuple of them')
    elif len(size) == 1 and type(size[0]) is bool:
        raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not bool")
    elif len(size) > 1 and isinstance(size[0], (tuple, list)):
        raise TypeError(
            f"{name}() takes 1 positional argument but {len(size)} were given: a size is one tuple, or integers"
        )
    return size_of(size)


def _in_format(t: Tensor, memory_format: Any) -> Tensor:
    """A fresh tensor laid out in a memory format."""
    if memory_format is None:
        return t
    from torsh.memory_format import contiguous_format, format_strides
    from torsh.ops.storage import empty_strided

    if memory_format is contiguous_format:
        return t
    return empty_strided(
        tuple(t.shape),
        format_strides(tuple(t.shape), memory_format),
        dtype=t.dtype,
        device=t.device,
        requires_grad=t._rg,
    )


def _without_entries(size, layout, dtype, device, requires_grad):
    """A sparse tensor of zeros."""
    from torsh.sparse._construct import empty

    return empty(size, layout, dtype, device, requires_grad)


@composite("torch.empty", out="filled", tags="creation")
def empty(
    *size,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    memory_format=None,
    **k,
):
    """A tensor of a size with whatever its memory holds.

    size: ints or one sequence of them. dtype: default the default floating type. memory_format: the order of dimensions in memory.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.empty.html

    >>> import torsh
    >>> torsh.empty(2, 3).shape  # the values are whatever the memory held
    torsh.Size([2, 3])
    """
    if pin_memory:
        check_pinnable()
    if layout is not None and layout is not strided:
        return _without_entries(_sized(size, k, "empty"), layout, dtype, device, requires_grad)
    return _in_format(make_full(_sized(size, k, "empty"), None, dtype, device, requires_grad), memory_format)


@composite("torch.empty_permuted", tags="creation")
def empty_permuted(
    size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """An uninitialised tensor whose dimensions lie in memory in the order ``physical_layout``, outermost first.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.empty_permuted.html

    >>> import torsh
    >>> torsh.empty_permuted((2, 3, 5), (0, 2, 1)).stride()
    (15, 1, 3)
    """
    if pin_memory:
        check_pinnable()
    from torsh.ops.shape import inverse

    size, order = size_of((tuple(size),)), size_of((tuple(physical_layout),))
    if len(size) != len(order):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = {len(size)} is "
            f"not equal to len(physical_layout) = {len(order)}"
        )
    if sorted(order) != list(range(len(size))):
        raise RuntimeError(
            "Dimension out of range or duplicate dim not allowed in physical_layout: expected a permutation of "
            f"0..{len(size) - 1}, got {list(order)}"
        )
    t = make_full(tuple(size[d] for d in order), None, dtype, device, False).permute(inverse(order)).detach()
    if requires_grad:
        t.requires_grad = True
    return t


@composite("torch.zeros", out="filled", tags="creation")
def zeros(*size, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **k):
    """A tensor filled with 0.

    size: ints or one sequence of them. dtype: default the default floating type; device: default the default device.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.zeros.html

    >>> import torsh
    >>> torsh.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    >>> torsh.zeros((2,), dtype=torsh.int64)
    tensor([0, 0])
    """
    if pin_memory:
        check_pinnable()
    if layout is not None and layout is not strided:
        return _without_entries(_sized(size, k, "zeros"), layout, dtype, device, requires_grad)
    return make_full(_sized(size, k, "zeros"), 0, dtype, device, requires_grad)


@composite("torch.ones", out="filled", tags="creation")
def ones(*size, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **k):
    """A tensor filled with 1.

    size: ints or one sequence of them. dtype: default the default floating type; device: default the default device.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.ones.html

    >>> import torsh
    >>> torsh.ones(2, 3)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    if pin_memory:
        check_pinnable()
    return make_full(_sized(size, k, "ones"), 1, dtype, device, requires_grad)


def fill_number(value: Any, name: str) -> Any:
    """A fill value as a Python number."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise TypeError(f"{name}(): argument 'fill_value' must be Number, not Tensor of shape {list(value.shape)}")
        return value.item()
    if not isinstance(value, (int, float, complex)):
        item = getattr(value, "item", None)
        if item is None:
            raise TypeError(f"{name}(): argument 'fill_value' must be Number, not {type(value).__name__}")
        return item()
    return value


_FLOAT32_MAX = 3.4028234663852886e38


def _c_name(dtype: Dtype) -> str:
    return _C_FLOATS.get(dtype.name) or f"{dtype.name}_t"


_C_FLOATS = {
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "float32": "float",
    "float64": "double",
    "bool": "bool",
}


def as_value(value: Any, dtype: Dtype) -> Any:
    """A number as a value of a dtype, range checked.  Raises RuntimeError where it does not fit, OverflowError for an integer that
    no type has room for.
    """
    if type(value) is int and not -1 << 63 <= value < 1 << 64:
        raise OverflowError(
            f"int too big to convert: {value if value.bit_length() < 200 else 'it'} has more than 64 bits"
        )
    if isinstance(value, complex) and not dtype.is_complex:
        if value.imag:
            raise RuntimeError(
                f"value cannot be converted to type {_c_name(dtype)} without overflow: {value} is complex"
            )
        value = value.real
    if dtype.category == dtypes.INT:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise RuntimeError(f"value cannot be converted to type {_c_name(dtype)} without overflow: {value}")
            if value < 0 and not dtype.is_signed:  # integers wrap around, fractions do not
                raise RuntimeError(f"value cannot be converted to type {_c_name(dtype)} without overflow: {value}")
            value = int(value)
        bits = 8 * dtype.itemsize
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if dtype.is_signed else (0, (1 << bits) - 1)
        if not (low <= value <= high) and not (not dtype.is_signed and -high - 1 <= value < 0):
            raise RuntimeError(f"value cannot be converted to type {_c_name(dtype)} without overflow: {value}")
        return int(value) & high if value < 0 and not dtype.is_signed else int(value)
    if dtype.category == dtypes.BOOL:
        return bool(value)
    if (dtype is dtypes.float32 or dtype is dtypes.complex64) and not -_FLOAT32_MAX <= value.real <= _FLOAT32_MAX:
        if math.isfinite(value.real):
            raise RuntimeError(f"value cannot be converted to type float without overflow: {value}")
    return value


@composite("torch.full", out="filled", of=full_op)
def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor filled with one number, which decides the dtype if none is given.

    size: a sequence of ints. fill_value: a number: bool, int64, the default floating or complex type follow from it.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.full.html

    >>> import torsh
    >>> torsh.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    >>> torsh.full((2,), 7., dtype=torsh.float64)
    tensor([7., 7.], dtype=torsh.float64)
    """
    if pin_memory:
        check_pinnable()
    value = fill_number(fill_value, "full")
    dtype = dtype or (fill_value.dtype if isinstance(fill_value, Tensor) else dtypes.of_number(value))
    if dtype is dtypes.complex32 and isinstance(value, complex):
        dtype = dtypes.complex64  # what PyTorch makes of a complex number where halves are the default
    return make_full(_sized((), {"size": size}, "full"), as_value(value, dtype), dtype,
                     device, requires_grad)  # fmt: skip


@composite("torch.scalar_tensor", tags="creation")
def scalar_tensor(s, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A 0-d tensor of a number, of the default floating type if no dtype is given.

    s: a number; the dtype is the default one unless ``dtype`` says otherwise.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.scalar_tensor(3)
    tensor(3.)
    """
    if pin_memory:
        check_pinnable()
    dtype = dtype or dtypes.get_default_dtype()
    return make_full((), as_value(fill_number(s, "scalar_tensor"), dtype), dtype, device, requires_grad)


# ---- like another tensor -----------------------------------------------------------------------------------------------


def _like(
    input: Tensor, value: Any, dtype: Any, device: Any, requires_grad: bool, memory_format: Any, name: str
) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if state.busy and hasattr(input, "_physical"):  # an example under vmap: one for each of them
        return input._of_batch(lambda b, n: _like(b, value, dtype, device, requires_grad, None, name))
    k = input._kind
    raw = input._memory if input._bits else input._data
    shape = tuple(raw.shape)
    if (memory_format is None and k.backend.contiguous(raw)) or not k.backend.capabilities.mutable:
        if dtype is None and device is None and not state.busy:
            t = new(Tensor)
            t._data = full_op.kernels[k](shape, value, k.dtype, k.device)
            t._kind = k
            t._rg = False
            if requires_grad:
                t.requires_grad = True
            return t
        return make_full(shape, value, dtype or k.dtype, device if device is not None else k.device, requires_grad)
    from torsh.memory_format import contiguous_format, format_strides, preserve_format, preserved_strides
    from torsh.ops.storage import empty_strided

    device = device if device is not None else k.device
    strides = (
        preserved_strides(shape, input.stride()) if memory_format in (None, preserve_format)
        else None if memory_format is contiguous_format
        else format_strides(shape, memory_format)
    )  # fmt: skip
    if strides is None:
        return make_full(shape, value, dtype or k.dtype, device, requires_grad)
    t = empty_strided(shape, strides, dtype=dtype or k.dtype, device=device)
    if value is not None:
        t.fill_(value)
        if not t.is_inference():
            t._vc = None  # nobody has seen it before that write
    if requires_grad:
        t.requires_grad = True
    return t


@composite("torch.empty_like", tags="creation")
def empty_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None
):
    """An uninitialised tensor like another.

    It has that tensor's shape, dtype, device and order of dimensions in memory unless they are given.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.empty_like.html

    >>> import torsh
    >>> torsh.empty_like(torsh.zeros(2, 3, dtype=torsh.float64)).dtype
    torsh.float64
    """
    if pin_memory:
        check_pinnable()
    return _like(input, None, dtype, device, requires_grad, memory_format, "empty_like")


@composite("torch.zeros_like", tags="creation")
def zeros_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None
):
    """Zeros in the shape of another tensor, with its dtype, device and order of dimensions in memory unless given.

    input: any tensor; only its shape, dtype, device and order of dimensions matter. memory_format: default ``preserve_format``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.zeros_like.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.]], dtype=torsh.float64)
    >>> torsh.zeros_like(x)
    tensor([[0., 0.]], dtype=torsh.float64)
    """
    if pin_memory:
        check_pinnable()
    return _like(input, 0, dtype, device, requires_grad, memory_format, "zeros_like")


@composite("torch.ones_like", tags="creation")
def ones_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None
):
    """Ones in the shape of another tensor.

    It has that tensor's dtype, device and order of dimensions in memory unless they are given.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.ones_like.html

    >>> import torsh
    >>> torsh.ones_like(torsh.tensor([5, 6]))
    tensor([1, 1])
    """
    if pin_memory:
        check_pinnable()
    return _like(input, 1, dtype, device, requires_grad, memory_format, "ones_like")


@composite("torch.full_like", tags="creation")
def full_like(
    input,
    fill_value,
    *,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    memory_format=None,
):
    """One number in the shape of another tensor.

    fill_value: a number. The result has that tensor's dtype (not the number's), device and order of dimensions unless given.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.full_like.html

    >>> import torsh
    >>> torsh.full_like(torsh.tensor([1, 2]), 9)
    tensor([9, 9])
    """
    if pin_memory:
        check_pinnable()
    value = as_value(fill_number(fill_value, "full_like"), dtype or input.dtype)
    return _like(input, value, dtype, device, requires_grad, memory_format, "full_like")


def _new(
    self: Tensor, size: Any, rest: dict[str, Any], value: Any, dtype: Any, device: Any, requires_grad: bool, name: str
) -> Tensor:
    k = self._kind
    if state.busy and hasattr(self, "_physical"):  # an example under vmap: one for each of them
        shape = _sized(size, rest, name)
        return self._of_batch(lambda b, n: _new(b, ((n, *shape),), {}, value, dtype, device, requires_grad, name))
    return make_full(
        _sized(size, rest, name), value, dtype or k.dtype, device if device is not None else k.device, requires_grad
    )


@composite("Tensor.new_empty", tags="creation")
def new_empty(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **k):
    """An uninitialised tensor of a size with this tensor's dtype and device.

    size: ints or one sequence of them. dtype, device: instead of this tensor's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_empty.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).new_empty(3).dtype
    torsh.int64
    """
    if pin_memory:
        check_pinnable()
    return _new(self, size, k, None, dtype, device, requires_grad, "new_empty")


@composite("Tensor.new_zeros", tags="creation")
def new_zeros(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **k):
    """Zeros of a size with this tensor's dtype and device.

    size: ints or one sequence of them. dtype, device: instead of this tensor's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_zeros.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).new_zeros((3,))
    tensor([0, 0, 0])
    """
    if pin_memory:
        check_pinnable()
    return _new(self, size, k, 0, dtype, device, requires_grad, "new_zeros")


@composite("Tensor.new_ones", tags="creation")
def new_ones(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **k):
    """Ones of a size with this tensor's dtype and device.

    size: ints or one sequence of them. dtype, device: instead of this tensor's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_ones.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).new_ones(2, 2)
    tensor([[1, 1],
            [1, 1]])
    """
    if pin_memory:
        check_pinnable()
    return _new(self, size, k, 1, dtype, device, requires_grad, "new_ones")


@composite("Tensor.new_full", tags="creation")
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """One number in a size, with this tensor's dtype and device.

    size: a sequence of ints. dtype, device: instead of this tensor's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_full.html

    >>> import torsh
    >>> torsh.tensor([1., 2.], dtype=torsh.float64).new_full((2,), 3)
    tensor([3., 3.], dtype=torsh.float64)
    """
    if pin_memory:
        check_pinnable()
    value = as_value(fill_number(fill_value, "new_full"), dtype or self.dtype)
    return _new(self, (), {"size": size}, value, dtype, device, requires_grad, "new_full")


# ---- ranges ------------------------------------------------------------------------------------------------------------


def _bounds(op: str, *values: Any) -> list[Any]:
    found = []
    for v in values:
        if isinstance(v, Tensor):
            v = v.item()
        elif not isinstance(v, (int, float, complex)):
            item = getattr(v, "item", None)
            if item is None:
                raise TypeError(
                    f"{op}() received an invalid combination of arguments - got {type(v).__name__}, expected numbers"
                )
            v = item()
        found.append(v)
    return found


@composite("torch.arange", out="spread told", of=arange_op)
def arange(
    *args, start=None, end=None, step=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """``start``, ``start + step``, ... below ``end``: integers for integer arguments, else the default floating type.

    start (default 0), end, step (default 1): numbers; step must not be 0 and must point from start to end, else RuntimeError.
    The length is ceil((end - start) / step).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.arange.html

    >>> import torsh
    >>> torsh.arange(5)
    tensor([0, 1, 2, 3, 4])
    >>> torsh.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    >>> torsh.arange(3, dtype=torsh.float32)
    tensor([0., 1., 2.])
    """
    if pin_memory:
        check_pinnable()
    if len(args) == 1 and end is None:
        end = args[0]
    elif len(args) == 1:
        start = args[0]
    elif args:
        start, end, *more = args
        step = more[0] if more else step
    if end is None:
        raise TypeError("arange() received an invalid combination of arguments - got no end")
    start, step = 0 if start is None else start, 1 if step is None else step
    if type(start) is int and type(end) is int and type(step) is int and (dtype is None or dtype is dtypes.int64):
        if step > 0 and end >= start or step < 0 and end <= start:
            if -1 << 62 < start < 1 << 62 and -1 << 62 < end < 1 << 62:
                return create(arange_op, (start, step, -((start - end) // step)), dtypes.int64, device, requires_grad)
    start, end, step = _bounds("arange", start, end, step)
    if any(isinstance(v, complex) for v in (start, end, step)):
        raise RuntimeError(f"\"arange_cpu\" not implemented for 'ComplexFloat': got {start}, {end}, {step}")
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = dtypes.int64 if whole else dtypes.get_default_dtype()
    check_dtype(dtype, "arange")
    if any(isinstance(v, int) and not -1 << 63 <= v < 1 << 64 for v in (start, end, step)):
        raise OverflowError("int too big to convert: arange() takes integers of 64 bits")
    if any(isinstance(v, int) and v >= 1 << 63 for v in (start, end, step)):
        raise RuntimeError(
            f"value cannot be converted to type int64_t without overflow: from {start} to {end} by {step}"
        )
    if dtype.is_complex or dtype is dtypes.bool:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{dtypes.scalar_name(dtype)}'")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: from {start} to {end} by {step}")
    if dtype.category == dtypes.INT:
        if dtype is dtypes.int64:  # PyTorch truncates the bounds first, for this type only
            start, end, step = int(start), int(end), int(step)
            if step == 0:  # another type than above, as in PyTorch
                raise ValueError("step must be nonzero: as an integer it is 0")
        if all(isinstance(v, int) for v in (start, end, step)):
            count = max(0, -((start - end) // step))
        else:
            count = math.ceil((end - start) / step)
            start, step = int(start), int(step)
    else:
        count = math.ceil((end - start) / step)
    check_elements((count,))
    return create(arange_op, (start, step, count), dtype, device, requires_grad)


@composite("torch.range", name="range", out="spread", tags="creation")
def range_(start=0, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Like ``arange`` but with ``end`` included and of the default floating type; deprecated.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.range.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.arange
    >>> torsh.range(1, 3)  # the end is included
    tensor([1., 2., 3.])
    """
    if pin_memory:
        check_pinnable()
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's range "
        "builtin. Instead, use torch.arange, which produces values in [start, end)."
    )
    if end is None:
        start, end = 0, start
    start, end, step = _bounds("range", start, end, step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: from {start} to {end} by {step}")
    count = int((end - start) / step + 1)
    return create(arange_op, (start, step, count), dtype or dtypes.get_default_dtype(), device, requires_grad)


def _spaced(op: str, start: Any, end: Any, steps: Any, dtype: Any) -> tuple[Any, Any, int, Dtype]:
    plain = (type(start) is float or type(start) is int) and (type(end) is float or type(end) is int)
    if plain and dtype is None and type(steps) is int and 0 <= steps < 1 << 31:  # the commonest case
        return start, end, steps, dtypes.get_default_dtype()
    if any(isinstance(v, Tensor) and v.ndim for v in (start, end)):
        raise RuntimeError(f"{op} only supports 0-dimensional start and end tensors")
    found = _bounds(op, start, end)
    if isinstance(steps, float) or steps is None:
        raise TypeError(f"{op}(): argument 'steps' (position 3) must be int, not {type(steps).__name__}")
    steps = operator.index(steps)
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    check_elements((steps,))
    if dtype is None:
        cplx = any(isinstance(v, complex) for v in found)
        dtype = dtypes.get_default_dtype()
        dtype = dtype.to_complex() if cplx else dtype
    elif any(isinstance(v, complex) for v in found) and not dtype.is_complex:
        raise RuntimeError(f"torch.{op}(): inferred dtype ComplexFloat can't be safely cast to passed dtype {dtype}")
    check_dtype(dtype, op)
    return *found, steps, dtype


def _between_examples(start: Any, end: Any, steps: int) -> Any:
    """``linspace`` where an end is an example under vmap, so that numbers are not at hand: each half counted from its own end."""
    import torsh

    place = start.device if isinstance(start, Tensor) else end.device
    i = arange(steps, device=place)
    step = (end - start) / max(steps - 1, 1)
    return torsh.where(i < (steps + 1) // 2, start + step * i, end - step * (steps - 1 - i))


@composite("torch.linspace", out="spread", of=linspace_op)
def linspace(start, end, steps, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    start, end: numbers or 0-d tensors; steps: the length. dtype: default the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linspace.html

    >>> import torsh
    >>> torsh.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if pin_memory:
        check_pinnable()
    if hasattr(start, "_physical") or hasattr(end, "_physical"):
        return _between_examples(start, end, steps).to(dtype or dtypes.get_default_dtype())
    start, end, steps, dtype = _spaced("linspace", start, end, steps, dtype)
    return create(linspace_op, (start, end, steps), dtype, device, requires_grad)


@composite("torch.logspace", out="spread", of=logspace_op)
def logspace(
    start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """``base`` to evenly spaced powers from ``start`` to ``end``.

    start, end: the powers' exponents, numbers or 0-d tensors. dtype: default the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.logspace.html

    >>> import torsh
    >>> torsh.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if pin_memory:
        check_pinnable()
    if hasattr(start, "_physical") or hasattr(end, "_physical"):
        return (base ** _between_examples(start, end, steps)).to(dtype or dtypes.get_default_dtype())
    start, end, steps, dtype = _spaced("logspace", start, end, steps, dtype)
    return create(logspace_op, (start, end, steps, base), dtype, device, requires_grad)


@composite("torch.eye", out="filled", of=eye_op)
def eye(n, m=None, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Ones on the main diagonal of an ``n`` by ``m`` matrix, zeros elsewhere.

    n, m: the numbers of rows and columns; m defaults to n. dtype: default the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.eye.html

    >>> import torsh
    >>> torsh.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if pin_memory:
        check_pinnable()
    n = operator.index(n)
    m = n if m is None else operator.index(m)
    if n < 0 or m < 0:
        which, value = ("n", n) if n < 0 else ("m", m)
        raise RuntimeError(f"{which} must be greater or equal to 0, got {value}")
    return create(eye_op, (n, m), dtype, device, requires_grad)


from torsh.ops.data import as_tensor, asarray, from_numpy, tensor  # noqa: E402

__all__ = ["as_tensor", "asarray", "from_numpy", "full_op", "make_full", "tensor"]
