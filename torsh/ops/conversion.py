"""Moving tensors between dtypes, devices and the host; writing values into them."""

from __future__ import annotations

import operator
from typing import Any

from numpy import ndarray as _ndarray

from torsh import dtypes
from torsh.autograd._forward import levels
from torsh.autograd.grad_mode import thread
from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import Place, place_of, state
from torsh.dtypes import dtype as Dtype
from torsh.ops._layout import moved as arranged_as
from torsh.ops._op import OPS, composite, primitive
from torsh.ops._overriding import override_of
from torsh.ops.creation import as_value, fill_number, make_full
from torsh.tensor import PLAIN, Tensor, assign, check_apart, check_overlap, check_writable, new, wrote

# ---- to another dtype or device ----------------------------------------------------------------------------------------


def _cast_grad(g: Tensor, source: Dtype) -> Tensor:
    if g._kind.complex and not source.is_complex:
        g = g.real
    return g.to(source)


@primitive("", grad={"input": lambda g, source: _cast_grad(g, source)}, args="input dtype copy source", tags="linear moves",
           meta=lambda input, dtype, copy, source: (input.shape, dtype), node_name="ToCopyBackward0")  # fmt: skip
def cast(input, dtype, copy):
    """The values in another dtype (or, with ``copy``, in new memory of the same)."""
    return (input, dtype, copy, input._kind.dtype)


def to_place(t: Tensor, place: Place) -> Tensor:
    """The tensor held by another backend or on another device: values go through the host."""
    source, target = t._kind.backend, place.backend
    out = new(Tensor)
    out._kind = place[t.dtype]
    out._rg = False
    found = target.from_host(source.to_host(t._data), t.dtype, place.device)
    out._data = arranged_as(out._kind, found, t._kind, t._data)
    if t._rg and thread.enabled:
        from torsh.autograd.views import MovedBackward0

        out._gf, out._rg = MovedBackward0(t), True
    if state.levels:
        for level in levels():
            if (tangent := level.of(t)) is not None:
                level.give(out, to_place(tangent, place))
    return out


def moved(input: Tensor, dtype: Dtype | None, device: Any, copy: bool = False, memory_format: Any = None) -> Tensor:
    """A tensor with another dtype and/or device; the tensor itself where nothing changes and no copy is asked for."""
    out = input
    if device is not None:
        place = place_of(as_device(device))
        if place is not input._kind.place:
            if place.device.type == "cpu" and input.device.type == "meta" or place.backend is None:
                raise NotImplementedError("Cannot copy out of meta tensor; no data!")
            out = to_place(input, place)
    if dtype is not None and dtype is not out._kind.dtype:
        if dtype in dtypes.UNCASTABLE or out._kind.dtype in dtypes.UNCASTABLE:
            bits = dtype if dtype in dtypes.UNCASTABLE else out.dtype
            raise NotImplementedError(
                f"\"copy_\" not implemented for '{dtypes.scalar_name(bits)}': values of {out.dtype} cannot be converted to "
                f"{dtype}; "
                + ("use torch.quantize_per_tensor" if dtype in dtypes.QUANTIZED else "see memory as it with .view()")
            )
        out = cast(out, dtype, True)
    elif copy and out is input:
        out = clone(out, memory_format=memory_format)
    if memory_format is not None and not _fits_format(out, memory_format):
        out = clone(out, memory_format=memory_format)
    return out


def _fits_format(t: Tensor, memory_format: Any) -> bool:
    from torsh.memory_format import preserve_format

    return memory_format is preserve_format or t.is_contiguous(memory_format=memory_format)


@composite("Tensor.to")
def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None, other=None):
    """The tensor with another dtype and/or on another device; the tensor itself where nothing changes.

    Forms: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``, each also with ``non_blocking`` and ``copy``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html

    >>> import torsh
    >>> x = torsh.tensor([1, 2])
    >>> x.to(torsh.float64)
    tensor([1., 2.], dtype=torsh.float64)
    >>> x.to("cpu", dtype=torsh.float32).dtype
    torsh.float32
    """
    flags = 0
    for i, a in enumerate(args):
        if type(a) is type:
            a = dtypes.PYTHON.get(a, a)
        if type(a) is Dtype:
            if dtype is not None:
                raise _bad_to(args)
            dtype = a
        elif type(a) is Device or type(a) is str or type(a) is int:
            if i:
                raise _bad_to(args)
            device = a
        elif isinstance(a, Tensor):
            other = a
        elif isinstance(a, bool) and i:
            copy = a if flags else copy
            flags += 1
        elif a is not None:
            raise _bad_to(args)
    if other is not None:
        dtype, device = other._kind.dtype, other._kind.device
    if dtype is not None and type(dtype) is not Dtype:
        raise _bad_to((dtype,))
    return moved(input, dtype, device, copy, memory_format)


def _bad_to(args: Any) -> TypeError:
    return TypeError(
        f"to() received an invalid combination of arguments - got ({', '.join(type(a).__name__ for a in args)}), but expected one "
        "of: (torch.device device, torch.dtype dtype), (torch.dtype dtype), (Tensor other)"
    )


def _as_type(name: str, dtype: Dtype) -> None:
    def convert(self, memory_format=None):
        return moved(self, dtype, None, False, memory_format)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"""The tensor as {dtype.name}; the tensor itself if it is that already.

Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}.html

>>> import torsh
>>> torsh.ones(2).{name}().dtype
torsh.{dtype.name}
"""
    composite(f"Tensor.{name}", name=f"to_{name}")(convert)


for _name, _dtype in {**dtypes.ALIASES, "bool": dtypes.bool, "byte": dtypes.uint8, "char": dtypes.int8,
                      "bfloat16": dtypes.bfloat16}.items():  # fmt: skip
    _as_type(_name, _dtype)


@composite("Tensor.cpu")
def cpu(self, memory_format=None):
    """The tensor on the CPU; the tensor itself if it is there already.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.cpu.html

    >>> import torsh
    >>> torsh.zeros(2).cpu().device
    device(type='cpu')
    """
    return moved(self, None, "cpu", False, memory_format)


@composite("Tensor.cuda")
def cuda(self, device=None, non_blocking=False, memory_format=None):
    """The tensor on a CUDA device; the tensor itself if it is there already.

    device: an index or a device; default: the current one. Without a backend that serves ``cuda`` it raises.
    device: an index or a device; default: the current one. Without a backend that serves ``cuda`` it raises.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.cuda.html
    """
    return moved(self, None, "cuda" if device is None else device, False, memory_format)


@composite("Tensor.type")
def type_(self, dtype=None, non_blocking=False, **kwargs):
    """Without argument, the name of the tensor's legacy type (``torch.FloatTensor``); else the tensor converted.

    dtype: a dtype, a legacy tensor class or its name.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.type.html

    >>> import torsh
    >>> torsh.zeros(1).type()
    'torch.FloatTensor'
    >>> torsh.tensor([1.7]).type(torsh.int64)
    tensor([1])
    """
    if dtype is None:
        where = "" if self.device.type == "cpu" else f"{self.device.type}."
        return f"torch.{where}{dtypes.scalar_name(self.dtype)}Tensor"
    device = None
    if not isinstance(dtype, Dtype):
        if not isinstance(dtype, (str, type)):
            raise TypeError(f"dtype must be a type, str, or dtype object, not {type(dtype).__name__}")
        from torsh.legacy import dtype_and_device

        dtype, device = dtype_and_device(dtype)
    return moved(self, dtype, device)


@composite("Tensor.type_as")
def type_as(self, other):
    """The tensor with the dtype and device of another.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.type_as.html

    >>> import torsh
    >>> torsh.tensor([1, 2]).type_as(torsh.tensor([0.5]))
    tensor([1., 2.])
    """
    return moved(self, other._kind.dtype, other._kind.device)


# ---- copies ------------------------------------------------------------------------------------------------------------


@primitive("", name="clone", grad={"input": lambda g: g}, args="input", tags="linear moves", meta=lambda input: (input.shape, input.dtype),
           decompose=lambda input: cast(input, input.dtype, True))  # fmt: skip
def copied(input):
    """The values in memory of their own, the dimensions in the same order in memory."""
    return (input,)


@composite("torch.clone Tensor.clone", name="clone_any")
def clone(input, *, memory_format=None):
    """A copy of the tensor in memory of its own; gradients flow through it.

    memory_format: default: as the tensor is; a tensor whose elements overlap or leave gaps is packed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.clone.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2.])
    >>> y = torsh.clone(x)
    >>> y[0] = 9.  # x is not changed
    >>> x
    tensor([1., 2.])
    """
    if memory_format is None:
        return copied(input)
    from torsh.memory_format import contiguous_format, preserve_format

    if memory_format is preserve_format or (memory_format is contiguous_format and input.is_contiguous()):
        return copied(input)
    if memory_format is contiguous_format:
        return packed(input)
    return laid_out(input, memory_format)


@primitive("", name="laid_out", grad={"input": lambda g: g}, jvp=lambda input_t: input_t, args="input memory_format", tags="moves", node_name="CloneBackward0",
           meta=lambda input, memory_format: (input.shape, input.dtype),
           decompose=lambda input, memory_format: _laid_out(input, memory_format))  # fmt: skip
def laid_out(input, memory_format):
    """The values in new memory, the dimensions in the order of a memory format."""
    return (input, memory_format)


@primitive("", name="packed", grad={"input": lambda g: g}, jvp=lambda input_t: input_t, args="input", tags="moves", node_name="CloneBackward0",
           meta=lambda input: (input.shape, input.dtype), decompose=lambda input: _packed(input))  # fmt: skip
def packed(input):
    """The values in new memory, row by row."""
    return (input,)


def _packed(input: Tensor) -> Tensor:
    from torsh.memory_format import contiguous_format

    return _laid_out(input, contiguous_format)


def _laid_out(input: Tensor, memory_format: Any) -> Tensor:
    from torsh.ops.creation import empty_like

    return empty_like(input, memory_format=memory_format).copy_(input)


@composite("Tensor.copy_")
def copy_(self, src, non_blocking=False):
    """Write the values of ``src`` (broadcast, converted, moved as needed) into this tensor and return it.

    non_blocking: accepted; copies are done when it returns. Raises RuntimeError where ``src`` does not broadcast to this tensor's shape.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.copy_.html

    >>> import torsh
    >>> torsh.zeros(2).copy_(torsh.tensor([1, 2]))  # converted to the tensor's dtype
    tensor([1., 2.])
    """
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    if src._bits:
        src = src._computed()
    check_writable(self, "copy_", src._rg)
    if src._kind is not self._kind:
        if src._kind.place is not self._kind.place:
            src = to_place(src, self._kind.place)
        if src._kind is not self._kind:
            src = cast(src, self._kind.dtype, False)
    if src._data.shape != self._data.shape:
        shape, own = tuple(src._data.shape), tuple(self._data.shape)
        if len(shape) > len(own):
            raise RuntimeError(
                f"output with shape {list(own)} doesn't match the broadcast shape {list(shape)}; copy_ writes into a tensor of "
                "unchanged shape: reshape the source first"
            )
        for d in range(-len(shape), 0):
            if shape[d] not in (1, own[d]):
                if own[d] == 1:
                    both = [*own[: len(own) - len(shape)], *map(max, own[len(own) - len(shape) :], shape)]
                    raise RuntimeError(f"output with shape {list(own)} doesn't match the broadcast shape {both}")
                raise RuntimeError(
                    f"The size of tensor a ({own[d]}) must match the size of tensor b ({shape[d]}) at non-singleton dimension "
                    f"{len(own) + d}"
                )
        src = src.expand(own)
    if src._vc is not None and self._vc is not None and src._vc.root is self._vc.root:
        check_apart(self, src)
    if self._base is not None:
        check_overlap(self)
    if src._rg and thread.enabled and not hasattr(self, "_physical"):  # the batch behind an example notes it
        from torsh.autograd.views import copied

        src = copied(self, src)
    return assign(self, src, "copy_")


@composite("Tensor.fill_ torch.fill_")
def fill_(self, value):
    """Write one number into every element and return the tensor.

    value: a number or a 0-d tensor.  Raises RuntimeError for a tensor with dimensions.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.empty(2).fill_(7)
    tensor([7., 7.])
    """
    check_writable(self, "fill_")
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
            )
        return copy_(self, value)
    k = self._kind
    value = as_value(value if type(value) is float else fill_number(value, "fill_"), k.dtype)
    if state.busy or self._bits:
        return assign(self, make_full((), value, k.dtype, k.device, False).expand(tuple(self._data.shape)), "fill_")
    k.backend.fill(self._data, value)
    wrote(self, None, "fill_")
    return self


@composite("torch.fill Tensor.fill", name="fill")
def fill(input, value):
    """A tensor of the input's shape and dtype filled with one number.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.fill(torsh.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    return clone(input).fill_(value)


@composite("torch.zero_ Tensor.zero_", bare=True)
def zero_(self):
    """Write 0 into every element and return the tensor.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.ones(2).zero_()
    tensor([0., 0.])
    """
    if state.overrides and (handler := override_of((self,), {})) is not None:
        return handler(zero_, (self,), {})
    check_writable(self, "zero_")
    if state.busy or self._bits:
        return fill_(self, 0)
    self._kind.backend.fill(self._data, 0)
    if self._rg:
        wrote(self, None, "zero_")
    else:
        self._bump("zero_")
    return self


# ---- to the host -------------------------------------------------------------------------------------------------------


def host_array(t: Tensor) -> Any:
    """The values of a tensor as a NumPy array, shared where the tensor is on the host."""
    if state.watched:
        _ = t._data.dtype  # a wrapper (``_torch_dispatch``) has no values and says so
    return t._kind.backend.to_host(t._data)


def _check_values(t: Tensor, name: str) -> None:
    if type(t) not in PLAIN and type(t._data).__name__ == "Hollow":
        raise RuntimeError(
            f".{name}() is not supported for tensor subclasses: a {type(t).__name__} holds no values of its own."
        )


@composite("Tensor.numpy")
def numpy(input, *, force=False):
    """The tensor as a NumPy array that shares its memory.

    Raises TypeError for a tensor that is not on the CPU and for types NumPy does not have, RuntimeError for one that requires
    grad; ``force=True`` detaches and moves as needed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html

    >>> import torsh
    >>> x = torsh.ones(2)
    >>> x.numpy()[0] = 5.  # shares the memory
    >>> x
    tensor([5., 1.])
    """
    _check_values(input, "numpy")
    if input._rg and not force and thread.enabled:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    if input.device.type != "cpu" and not force:
        raise TypeError(
            f"can't convert {input.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
            "first."
        )
    if input._bits and not force:
        bit, name = ("conjugate", "conj") if input.is_conj() else ("negative", "neg")
        raise RuntimeError(
            f"Can't call numpy() on Tensor that has {bit} bit set. Use tensor.resolve_{name}().numpy() instead."
        )
    if input._kind.dtype in _NOT_NUMPYS:
        raise TypeError(
            f"Got unsupported ScalarType {dtypes.scalar_name(input.dtype)}; convert it first, e.g. with .float()"
        )
    found = host_array(input)
    if found is input._data:  # from now on the memory is the array's, too, which it cannot be taken from
        (input if input._base is None else input._base)._borrowed = True
    return found


# Types that NumPy has only through ml_dtypes.
_NOT_NUMPYS = frozenset((*dtypes.FLOAT8, *dtypes.UNCASTABLE, dtypes.bfloat16, dtypes.complex32))


@composite("Tensor.item", bare=True)
def item(input):
    """The value of a tensor with one element as a Python number.

    Raises RuntimeError for any other number of elements.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.item.html

    >>> import torsh
    >>> torsh.tensor([[2.5]]).item()
    2.5
    >>> torsh.arange(3).sum().item()
    3
    """
    if not state.overrides:
        array = input._data
        if type(array) is _ndarray and array.size == 1:
            value = array.item()
            if type(value) in _NUMBERS:
                return value
    elif (handler := override_of((input,), {})) is not None:
        return handler(item, (input,), {})
    array = host_array(input)
    if array.size != 1:
        raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
    value = array.item()
    kind = input._kind
    if kind.dtype.category == dtypes.FLOAT:
        return float(value)
    return _pair(value) if kind.dtype is dtypes.complex32 else value


_NUMBERS = frozenset({float, int, bool})


def _pair(value: Any) -> complex:
    return value if isinstance(value, complex) else complex(*[float(v) for v in value])


@composite("Tensor.tolist")
def tolist(self):
    """The values as nested lists of Python numbers (a single number for a 0-d tensor).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.tolist.html

    >>> import torsh
    >>> torsh.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    _check_values(self, "tolist")
    array = host_array(self)
    if self._kind.dtype in _NOT_NUMPYS:
        array = host_array(self.detach().to(dtypes.complex64 if self.dtype.is_complex else dtypes.float32))
    return array.tolist()


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """The values for NumPy: shared memory where possible."""
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"Unable to avoid copy while creating an array of {dtype} from a tensor of {self.dtype}.")
        return array.astype(dtype)
    return array.copy() if copy else array


def _array_wrap(self: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What a NumPy function gave for this tensor, as a tensor; truth values come as uint8, as in PyTorch."""
    import numpy as np

    from torsh.ops.data import from_numpy

    array = np.asarray(array)
    return from_numpy(array.astype(np.uint8) if array.dtype == bool else array)


def _number(kind: type, name: str) -> Any:
    def convert(self: Tensor) -> Any:
        array = self._data
        if type(array) is _ndarray and array.size == 1 and not state.overrides:  # ``item``, written out
            value = array.item()
            if type(value) in _NUMBERS and type(value) is not complex:
                return kind(value)
        value = _only(self)
        return kind(value if kind is complex or type(value) is not complex else _real(value))

    convert.__name__ = convert.__qualname__ = name
    return convert


def _only(self: Tensor) -> Any:
    if self.numel() != 1:
        raise ValueError(f"only one element tensors can be converted to Python scalars; this one has {self.numel()}")
    return item(self)


def _real(value: complex) -> float:
    if value.imag:
        raise RuntimeError("value cannot be converted to type double without overflow: it has an imaginary part")
    return value.real


def _int(self: Tensor) -> int:
    value = _only(self)
    return int(value if type(value) is not complex else _real(value))


def _index(self: Tensor) -> int:
    if self.dtype.category > dtypes.INT or self.numel() != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return operator.index(item(self))


def _bool(self: Tensor) -> bool:
    n = self.numel()
    if n != 1:
        raise RuntimeError(
            "Boolean value of Tensor with no values is ambiguous" if n == 0
            else "Boolean value of Tensor with more than one value is ambiguous. Use .any() or .all()"
        )  # fmt: skip
    if state.watched or self.dtype is dtypes.complex32:
        return bool(item(self))
    return bool(host_array(self).item())


def _contains(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, int, float, complex, bool)):
        return bool((self == element).any().item())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def _format(self: Tensor, spec: str) -> str:
    if self.ndim == 0 and self.__class__ is Tensor:
        return item(self).__format__(spec) if self.device.type != "meta" else repr(self).__format__(spec)
    return object.__format__(self, spec)


for _method, _function in {
    "__array__": _array, "__array_wrap__": _array_wrap, "__float__": _number(float, "__float__"), "__int__": _int,
    "__complex__": _number(complex, "__complex__"), "__index__": _index, "__bool__": _bool, "__contains__": _contains,
    "__format__": _format, "__nonzero__": _bool,
}.items():  # fmt: skip
    setattr(Tensor, _method, _function)
Tensor.__array_priority__ = 1000  # type: ignore[attr-defined]


__all__ = ["OPS", "cast", "clone", "copy_", "host_array", "to_place"]
