"""Methods and properties of Tensor that are neither ops nor autograd: what kind of tensor it is, its memory, pickling,
exchange with other libraries.  Imported for its effect by ``torsh.ops``.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np

from torsh import dtypes, memory_format
from torsh._attributes import held
from torsh._callers import caller, is_ours
from torsh.autograd.grad_mode import thread
from torsh.ops._args import check_tensor, size_of
from torsh.ops.shape import contiguous_strides
from torsh.ops.storage import reach, storage_elements, strided_view
from torsh.tensor import Parameter, Tensor, Version, check_writable, memory_of, new, version_of
from torsh.tensor_copies import Copies
from torsh.tensor_memory import Memory

# ---- what kind of tensor -----------------------------------------------------------------------------------------------


def _property_doc(name: str, text: str, value: bool) -> str:
    """value: what it is for an ordinary tensor."""
    return (
        f"{text}\n\nSource: https://docs.pytorch.org/docs/stable/tensor_attributes.html\n\n"
        f">>> import torsh\n>>> torsh.zeros(1).{name}\n{value}\n"
    )


def _on(device_type: str, doc: str) -> property:
    return property(lambda self: self._kind.device.type == device_type, doc=doc)


for _type in ("cpu", "cuda", "meta", "mps", "xpu", "ipu", "xla", "mtia", "maia", "vulkan"):
    _doc = _property_doc(f"is_{_type}", f"Whether the tensor is on a {_type} device.", _type == "cpu")
    setattr(Tensor, f"is_{_type}", _on(_type, _doc))
for _name in ("is_mkldnn", "is_quantized", "is_nested", "is_sparse_csr"):
    if not hasattr(Tensor, _name):
        setattr(
            Tensor,
            _name,
            property(lambda self: False, doc=_property_doc(_name, "False for every dense tensor.", False)),
        )


_PER_TENSOR = "torsh.quantize_per_tensor(torsh.tensor([0., 1.]), 0.5, 10, torsh.qint8)"
_PER_CHANNEL = "torsh.quantize_per_channel(torsh.tensor([[0.], [1.]]), torsh.tensor([0.5, 1.]), torsh.tensor([0, 1]), 0, torsh.qint8)"


def _removed(name: str) -> Any:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        from torsh import _removed as removed

        return getattr(removed, name)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = (
        f"Removed from PyTorch: ``{name}`` says what took its place.\n\n"
        "Source: https://docs.pytorch.org/docs/stable/tensors.html"
    )
    return method


for _name in ("eig", "lstsq", "solve", "symeig", "reinforce"):
    setattr(Tensor, _name, _removed(_name))


def _to_padded_tensor(self: Tensor, padding: float, output_size: Any = None) -> Tensor:
    """A dense tensor of a nested tensor's components: ``torsh.nested.to_padded_tensor``.

    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.to_padded_tensor

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that nested tensors are a prototype
    >>> torsh.nested.nested_tensor([torsh.tensor([1., 2.]), torsh.tensor([3.])]).to_padded_tensor(0.)
    tensor([[1., 2.],
            [3., 0.]])
    """
    from torsh.nested import to_padded_tensor

    return to_padded_tensor(self, padding, output_size)


Tensor.to_padded_tensor = _to_padded_tensor  # type: ignore[attr-defined]


def _to_device(device_type: str) -> Any:
    def method(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        where = device_type if device is None else f"{device_type}:{device}" if isinstance(device, int) else device
        return self.to(where, non_blocking=non_blocking, memory_format=memory_format)  # type: ignore[no-any-return]

    method.__name__ = method.__qualname__ = device_type
    method.__doc__ = (
        f"The tensor on a {device_type} device; RuntimeError where no backend serves one.\n\n"
        "Source: https://docs.pytorch.org/docs/stable/tensors.html"
    )
    return method


for _name in ("xpu", "mtia", "ipu"):
    setattr(Tensor, _name, _to_device(_name))


def _asks_quantizer(name: str, example: str, value: str) -> Any:
    def method(self: Tensor) -> Any:
        from torsh import quantized

        return getattr(quantized, "scheme_of" if name == "qscheme" else name)(self)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = (
        f"``{name}`` of a quantized tensor (``torsh.quantized``).\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}.html\n\n"
        f">>> import torsh\n>>> x = {example}\n>>> x.{name}()\n{value}\n"
    )
    return method


for _name, _example, _value in (
    ("dequantize", _PER_TENSOR, "tensor([0., 1.])"),
    ("int_repr", _PER_TENSOR, "tensor([10, 12], dtype=torsh.int8)"),
    ("q_scale", _PER_TENSOR, "0.5"),
    ("q_zero_point", _PER_TENSOR, "10"),
    ("q_per_channel_scales", _PER_CHANNEL, "tensor([0.5000, 1.0000], dtype=torsh.float64)"),
    ("q_per_channel_zero_points", _PER_CHANNEL, "tensor([0, 1])"),
    ("q_per_channel_axis", _PER_CHANNEL, "0"),
    ("qscheme", _PER_TENSOR, "torsh.per_tensor_affine"),
):
    setattr(Tensor, _name, _asks_quantizer(_name, _example, _value))


class Methods:
    """The functions of this class become methods of Tensor."""

    @property
    def layout(self) -> memory_format.layout:
        """How the elements are stored: ``strided`` for a dense tensor.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.zeros(1).layout
        torsh.strided
        """
        return memory_format.strided

    @property
    def itemsize(self) -> int:
        """Bytes per element.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.itemsize.html

        >>> import torsh
        >>> torsh.zeros(1, dtype=torsh.int16).itemsize
        2
        """
        return self._kind.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.nbytes.html

        >>> import torsh
        >>> torsh.zeros(2, 3).nbytes
        24
        """
        return self.numel() * self._kind.dtype.itemsize

    @property
    def name(self) -> str | None:
        """A name, which tensors do not have: None.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.zeros(1).name is None
        True
        """
        return self._name

    @property
    def volatile(self) -> bool:
        """False: ``torch.no_grad`` took its place.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> import warnings
        >>> warnings.simplefilter("ignore")  # a name of the past, for which torch.no_grad stands
        >>> torsh.zeros(1).volatile
        False
        """
        return False

    @property
    def grad_dtype(self) -> dtypes.dtype | None:
        """The dtype of ``.grad``: that of the tensor.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.grad_dtype.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> x.grad_dtype
        torsh.float32
        """
        return held(self).get("_grad_dtype", self.dtype)

    @grad_dtype.setter
    def grad_dtype(self, value: dtypes.dtype | None) -> None:
        held(self)["_grad_dtype"] = value

    def element_size(self) -> int:
        """Bytes per element.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.element_size.html

        >>> import torsh
        >>> torsh.zeros(1, dtype=torsh.float64).element_size()
        8
        """
        return self._kind.dtype.itemsize

    def nelement(self) -> int:
        """The number of elements.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.nelement.html

        >>> import torsh
        >>> torsh.zeros(2, 3).nelement()
        6
        """
        return self.numel()

    def ndimension(self) -> int:
        """The number of dimensions.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.ndimension.html

        >>> import torsh
        >>> torsh.zeros(2, 3).ndimension()
        2
        """
        return len(self._data.shape)

    def get_device(self) -> int:
        """The device's index, -1 for the CPU.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.get_device.html

        >>> import torsh
        >>> torsh.zeros(1).get_device()
        -1
        """
        device = self._kind.device
        return -1 if device.index is None else device.index

    def is_floating_point(self) -> bool:
        """Whether the element type is a floating point type.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_floating_point.html

        >>> import torsh
        >>> torsh.tensor([1.]).is_floating_point(), torsh.tensor([1]).is_floating_point()
        (True, False)
        """
        return self._kind.floating

    def is_complex(self) -> bool:
        """Whether the element type is a complex type.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_complex.html

        >>> import torsh
        >>> torsh.tensor([1.j]).is_complex()
        True
        """
        return self._kind.complex

    def is_signed(self) -> bool:
        """Whether the element type has negative values.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_signed.html

        >>> import torsh
        >>> torsh.tensor([1]).is_signed(), torsh.tensor([1], dtype=torsh.uint8).is_signed()
        (True, False)
        """
        return self._kind.dtype.is_signed

    def is_nonzero(self) -> bool:
        """Whether the only element is not zero.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.tensor([2.5]).is_nonzero()
        True
        """
        from torsh._functions import is_nonzero

        return is_nonzero(self)

    def is_same_size(self, other: Tensor) -> bool:
        """Whether the other tensor has the same shape.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.zeros(2).is_same_size(torsh.zeros(3))
        False
        """
        if check_tensor(other, "is_same_size", "other").is_nested:
            raise RuntimeError(
                "Expected both self and other to be nested tensors. Self is not nested. While Other is nested."
            )
        return tuple(self._data.shape) == tuple(other._data.shape)

    def is_distributed(self) -> bool:
        """Always False.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.zeros(1).is_distributed()
        False
        """
        return False

    def dim_order(self, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dimensions from outermost to innermost in memory.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.dim_order.html

        >>> import torsh
        >>> torsh.zeros(2, 3).t().dim_order()
        (1, 0)
        """
        shape, strides = tuple(self.shape), self.stride()
        if not isinstance(ambiguity_check, bool) and not (
            isinstance(ambiguity_check, list)
            and all(isinstance(f, memory_format.memory_format) for f in ambiguity_check)
        ):
            raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
        if ambiguity_check:
            known = [tuple(range(len(shape)))]
            if isinstance(ambiguity_check, (list, tuple)):
                known = [(tuple(range(len(shape))) if f is memory_format.contiguous_format else memory_format.order_of(f))
                         for f in ambiguity_check if f is memory_format.contiguous_format or len(memory_format.order_of(f)) == len(shape)]  # fmt: skip
                fits = [
                    k for k in known if memory_format.is_contiguous(self.permute(k), memory_format.contiguous_format)
                ]
            else:
                fits = [p for p in itertools.permutations(range(len(shape)))
                        if memory_format.is_contiguous(self.permute(p), memory_format.contiguous_format)]  # fmt: skip
            if len(fits) > 1:
                raise RuntimeError(
                    "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
                )
        return tuple(memory_format.perm_by_stride(shape, strides))

    # ---- memory

    def untyped_storage(self) -> Any:
        """The memory the tensor lies in, as bytes; tensors that share memory give equal storages.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.untyped_storage.html

        >>> import torsh
        >>> torsh.arange(4)[1:].untyped_storage().nbytes()  # the whole memory, not the view's
        32
        """
        from torsh.storage import UntypedStorage

        return UntypedStorage._of(self)

    def storage(self) -> Any:
        """The memory the tensor lies in, as elements of its dtype.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.storage.html

        >>> import torsh
        >>> import warnings
        >>> warnings.simplefilter("ignore")  # deprecated by untyped_storage
        >>> torsh.tensor([1., 2.])[1:].storage().tolist()
        [1.0, 2.0]
        """
        from torsh.storage import _warn_typed_storage_removal

        if not is_ours(caller().f_code):
            _warn_typed_storage_removal()
        return self._typed_storage()

    def _typed_storage(self) -> Any:
        from torsh.storage import TypedStorage

        return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)

    def storage_type(self) -> Any:
        """The legacy class of the tensor's storage.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.storage_type.html

        >>> import torsh
        >>> import warnings
        >>> warnings.simplefilter("ignore")  # deprecated with typed storages
        >>> torsh.tensor([1.]).storage_type().__name__
        'FloatStorage'
        """
        from torsh.storage import CLASSES

        return CLASSES[f"{dtypes.scalar_name(self.dtype)}Storage"]

    def const_data_ptr(self) -> int:
        """The address of the first element.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.const_data_ptr.html

        >>> import torsh
        >>> x = torsh.zeros(2)
        >>> x.const_data_ptr() == x.data_ptr()
        True
        """
        return self.data_ptr()

    def is_set_to(self, tensor: Tensor) -> bool:
        """Whether the other tensor shows the same memory in the same way.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_set_to.html

        >>> import torsh
        >>> x = torsh.zeros(2)
        >>> x.is_set_to(x), x.is_set_to(x.clone())
        (True, False)
        """
        a, b = self._kind.backend, tensor._kind.backend
        return (
            a is b
            and self._bits == tensor._bits
            and a.geometry(memory_of(self)) == b.geometry(memory_of(tensor))
            and self.untyped_storage() == tensor.untyped_storage()
        )

    def record_stream(self, stream: Any) -> None:
        """Nothing to do: memory stays as long as it is referred to.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.record_stream.html

        >>> import torsh
        >>> torsh.zeros(2).record_stream(torsh.Stream("cpu"))
        """

    def resize_(self, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
        """Give the tensor another size; memory is kept if it is large enough, else new memory gets the old elements first.

        What new elements hold is not defined.  Raises RuntimeError for a tensor that requires grad.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.resize_.html

        >>> import torsh
        >>> torsh.arange(4).resize_(2, 2)
        tensor([[0, 1],
                [2, 3]])
        """
        if self._rg and thread.enabled:
            raise RuntimeError("cannot resize variables that require grad")
        wanted = size_of(sizes if size is None else (size,))
        if any(s < 0 for s in wanted):
            raise RuntimeError(f"Trying to create tensor with negative dimension {min(wanted)}: {list(wanted)}")
        _check_extent(wanted, self.dtype.itemsize)
        if memory_format is not None or wanted != tuple(self._data.shape):  # else the strides stay, too
            _restride(self, wanted, _strides_in(wanted, memory_format))
        return self

    def resize_as_(self, the_template: Tensor, memory_format: Any = None) -> Tensor:
        """``resize_`` to the size of another tensor.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.resize_as_.html

        >>> import torsh
        >>> torsh.arange(4).resize_as_(torsh.zeros(2, 2))
        tensor([[0, 1],
                [2, 3]])
        """
        return self.resize_(tuple(the_template.shape), memory_format=_format_like(memory_format, the_template))

    def resize(self, *sizes: Any) -> Tensor:
        """The elements in another shape of the same number of elements; ``reshape`` and ``resize_`` took its place.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> import warnings
        >>> warnings.simplefilter("ignore")  # deprecated by resize_ and reshape
        >>> torsh.arange(4).resize(2, 2).shape
        torsh.Size([2, 2])
        """
        return self.reshape(*sizes)

    def resize_as(self, tensor: Tensor) -> Tensor:
        """The elements in the shape of another tensor.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> import warnings
        >>> warnings.simplefilter("ignore")  # deprecated by resize_as_ and reshape_as
        >>> torsh.arange(4).resize_as(torsh.zeros(2, 2)).shape
        torsh.Size([2, 2])
        """
        return self.reshape(tuple(tensor.shape))

    def set_(self, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
        """Let the tensor look at other memory: another tensor's or a storage's, from an offset, with a size and strides.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.set_.html

        >>> import torsh
        >>> x, y = torsh.zeros(2), torsh.tensor([1., 2., 3.])
        >>> x.set_(y)  # the same memory from now on
        tensor([1., 2., 3.])
        """
        from torsh.ops.creation import make_full
        from torsh.storage import TypedStorage, UntypedStorage, storage_tensor

        if source is None:
            source = make_full((0,), None, self.dtype, self.device, False)
        if isinstance(source, Tensor):
            if source.dtype is not self.dtype:
                raise RuntimeError(
                    f"Could not set tensor of type {dtypes.scalar_name(source.dtype)} to a tensor of type "
                    f"{dtypes.scalar_name(self.dtype)}"
                )
            if size is not None:
                size = size_of((tuple(size),))
                source = source.as_strided(size, tuple(stride) if stride else contiguous_strides(size), storage_offset)
            root = source
        elif isinstance(source, (TypedStorage, UntypedStorage)):
            untyped = source if isinstance(source, UntypedStorage) else source._untyped_storage
            if source is not untyped and source.dtype is not self.dtype:
                from torsh.ops._out import C_NAMES

                raise RuntimeError(
                    f"Expected a Storage of type {C_NAMES[self.dtype.name]} or an UntypedStorage, but got type "
                    f"{dtypes.scalar_name(source.dtype)} for argument 1 'storage'"
                )
            if storage_offset < 0:
                raise RuntimeError(f"Tensor: invalid storage offset {storage_offset}")
            if stride is not None and any(s < 0 for s in stride):
                raise RuntimeError(
                    f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}"
                )
            if size is None:
                size = (untyped.nbytes() // self.dtype.itemsize - storage_offset,)
            size = size_of((tuple(size),))
            root = storage_tensor(
                untyped, self.dtype, storage_offset, size, tuple(stride) if stride else contiguous_strides(size)
            )
        else:
            raise TypeError(f"set_(): argument 'source' must be Tensor or Storage, not {type(source).__name__}")
        check_writable(self, "set_")
        if self._bits:
            self._see(root)
        else:
            self._data, self._kind = memory_of(root), root._kind
            self._vc = version_of(root)
            self._base = None
        self._bump("set_")
        return self

    # ---- making tensors from this one

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, layout: Any = None,
                   pin_memory: bool = False) -> Tensor:  # fmt: skip
        """A tensor with a copy of data, with this tensor's dtype and device unless given.

        dtype, device: instead of this tensor's; not the data's, as in :func:`tensor`.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_tensor.html

        >>> import torsh
        >>> torsh.tensor([1.]).new_tensor([1, 2])
        tensor([1., 2.])
        """
        from torsh.ops.data import tensor

        if isinstance(data, Tensor):
            out = data.detach().to(device=device or self.device, dtype=dtype or self.dtype, copy=True)
            return out.requires_grad_(requires_grad)
        return tensor(data, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)

    def new(self, *args: Any, **kwargs: Any) -> Tensor:
        """A tensor of the same dtype and device, from a size or from data, as the legacy constructors make one.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.zeros(1, dtype=torsh.float64).new([1, 2])
        tensor([1., 2.], dtype=torsh.float64)
        """
        from torsh.legacy import legacy_tensor

        return legacy_tensor("new", self.dtype, self.device, args, kwargs)

    def as_subclass(self, cls: type) -> Any:
        """The same memory and history as an instance of a subclass of Tensor.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.as_subclass.html

        >>> import torsh
        >>> class Labelled(torsh.Tensor):
        ...     pass
        >>> type(torsh.zeros(1).as_subclass(Labelled)).__name__
        'Labelled'
        """
        if not issubclass(cls, Tensor):
            raise TypeError(
                "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your class "
                f"inherits from Tensor: {cls.__name__} does not."
            )
        out = new(cls)
        plain = self.clone() if self._bits else self.view_as(self) if self._rg else self._alias()
        held(out).update(held(plain))
        return _counted(out)

    def _view_func(self, new_base: Tensor, *visitors: Any) -> Tensor:
        """This view again, of another tensor in the place of its base."""
        from torsh.autograd.views import replay_of

        return replay_of(self)(new_base)

    _view_func_unsafe = _view_func

    @staticmethod
    def _make_wrapper_subclass(cls: type, size: Any, *args: Any, **options: Any) -> Any:
        """A tensor of a subclass that has a shape, dtype and device but no memory: its ``__torch_dispatch__`` computes."""
        from torsh._torch_dispatch import make_wrapper

        if args:  # strides, storage_offset
            options = dict(zip(("strides", "storage_offset"), args)) | options
        return make_wrapper(cls, size, **options)

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False, **options: Any) -> Any:
        """A leaf of a subclass over another tensor's memory."""
        if not isinstance(cls, type) or not issubclass(cls, Tensor):
            raise TypeError(f"_make_subclass(): argument 'cls' must be a subclass of Tensor, not {cls!r}")
        out = _counted(new(cls))
        out._data, out._kind = data._data, data._kind
        if require_grad:
            from torsh.overrides import DisableTorchFunction

            with DisableTorchFunction():  # the class's own __new__ is not done with it yet
                out.requires_grad = True
        return out

    # ---- element by element in Python

    def apply_(self, callable: Any) -> Tensor:
        """Replace each element by ``callable(element)``; slow, on the CPU only.

        callable: a function of one Python number; called for each element, so slow, and on the CPU only.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.apply_.html

        >>> import torsh
        >>> torsh.tensor([1., 2.]).apply_(lambda v: v * 10)
        tensor([10., 20.])
        """
        if self.device.type != "cpu":
            raise TypeError("apply_ is only implemented on CPU tensors")
        return _from_python(self, [callable(x) for x in _flat(self)], "apply_")

    def map_(self, tensor: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(element, other's element)``; slow, on the CPU only.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.map_.html

        >>> import torsh
        >>> torsh.tensor([1., 2.]).map_(torsh.tensor([10., 20.]), lambda a, b: a + b)
        tensor([11., 22.])
        """
        _no_grad("map_", tensor)
        other = tensor.expand(tuple(self.shape))
        return _from_python(self, [callable(a, b) for a, b in zip(_flat(self), _flat(other))], "map_")

    def map2_(self, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(element, x's, y's)``; slow, on the CPU only.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.tensor([1., 2.]).map2_(torsh.tensor([10., 20.]), torsh.tensor([100., 200.]), lambda a, x, y: a + x + y)
        tensor([111., 222.])
        """
        _no_grad("map2_", x, y)
        a, b = x.expand(tuple(self.shape)), y.expand(tuple(self.shape))
        return _from_python(self, [callable(*v) for v in zip(_flat(self), _flat(a), _flat(b))], "map2_")

    def __long__(self) -> int:
        return int(self)

    def __idiv__(self, other: Any) -> Tensor:
        return self.div_(other)

    def __reversed__(self) -> Tensor:
        return self if self.ndim == 0 else self.flip(0)

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def module_load(self, other: Tensor, assign: bool = False) -> Tensor:
        """What ``Module.load_state_dict`` does with a parameter: give back the other's values, for ``copy_`` or as they are.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.module_load.html

        >>> import torsh
        >>> torsh.tensor([1., 2.]).module_load(torsh.tensor([3., 4.]))
        tensor([3., 4.])
        """
        return other if assign and not isinstance(other, Parameter) else other.detach()

    # ---- exchange

    def __dlpack__(
        self, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        if stream is not None and type(stream) is not int:
            raise TypeError(f"stream must be ``int`` or ``none``, not {type(stream).__name__}")
        if self._rg:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if self.layout is not memory_format.strided:
            raise BufferError("Can't export tensors with layout other than torch.strided")
        if self._kind.device.type == "meta":
            raise BufferError("Cannot pack tensors on meta")
        if self._kind.device.type == "cpu" and stream not in (None, -1):
            raise AssertionError("stream should be None on cpu.")
        if self._bits:
            bit, name = ("conjugate", "conj") if self.is_conj() else ("negative", "neg")
            raise BufferError(f"Can't export tensors with the {bit} bit set; use tensor.resolve_{name}()")
        t = self.clone() if copy else self
        return t._kind.backend.to_dlpack(t._data, stream=stream, max_version=max_version, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        device = self._kind.device
        codes = {"cpu": 1, "cuda": 2, "mps": 8, "xpu": 14}
        if device.type not in codes:
            raise ValueError(f"Unknown device type {device.type} for Dlpack")
        return (codes[device.type], device.index or 0)

    @property
    def __cuda_array_interface__(self) -> Any:
        if self._kind.device.type != "cuda":
            raise AttributeError(
                f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If CUDA data is required use "
                "tensor.cuda() to copy tensor to device memory."
            )
        return self._data.__cuda_array_interface__


def _strides_in(size: tuple[int, ...], format: Any) -> tuple[int, ...]:
    if format is None or format is memory_format.contiguous_format:
        return contiguous_strides(size)
    if format is memory_format.preserve_format:
        raise RuntimeError("Unsupported memory formatPreserve: resize_ takes a definite one")
    return memory_format.format_strides(size, format)


def _format_like(format: Any, template: Tensor) -> Any:
    """A memory format, where ``preserve_format`` stands for the template's own."""
    if format is not memory_format.preserve_format:
        return format
    own = {4: memory_format.channels_last, 5: memory_format.channels_last_3d}.get(template.ndim)
    if own is not None and not template.is_contiguous() and memory_format.is_contiguous(template, own):
        return own
    return memory_format.contiguous_format


def _check_extent(size: tuple[int, ...], itemsize: int) -> None:
    """Raise for a size that 64 bits cannot count."""
    if prod(n or 1 for n in size[1:]) >> 63:
        raise RuntimeError(f"Stride calculation overflowed for the size {list(size)}")
    if (n := prod(size)) >> 63:
        raise RuntimeError(f"numel: integer multiplication overflow for the size {list(size)}")
    if (n * itemsize) >> 63:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)}")


def _restride(t: Tensor, size: tuple[int, ...], strides: tuple[int, ...]) -> None:
    """Change a tensor's own geometry, with larger memory if it must be."""
    if tuple(t._data.shape) == size and strides == contiguous_strides(size) and t.is_contiguous():
        return
    if t._bits:
        memory = new(Tensor)
        memory._data, memory._kind, memory._vc, memory._base = t._memory, t._kind, t._vc, t._base
        _restride(memory, size, strides)
        t._see(memory)
        return
    backend = t._kind.backend
    needs = reach(size, strides)
    has = storage_elements(t) - t.storage_offset()
    if needs > has:
        from torsh.ops.creation import make_full

        if (t if t._base is None else t._base)._borrowed:
            raise RuntimeError(
                "Trying to resize storage that is not resizable: its memory belongs to another object; clone it"
            )
        grown = make_full((needs,), None, t.dtype, t.device, False)
        if has > 0 and t.device.type != "meta":
            backend.write(
                strided_view(grown, (has,), (1,), 0, (1,))._data, strided_view(t.detach(), (has,), (1,), 0, (1,))._data
            )
        version = 0 if t._vc is None else t._vc.version
        t._base, t._vc, source = None, Version(), grown
        t._vc.version = version
    else:
        source = t.detach()
    t._data = strided_view(source, size, strides, 0, (1,))._data
    t._bump("resize_")


def _counted(t: Any) -> Any:
    """A new tensor of a class; one with a ``__torch_dispatch__`` makes itself known to the call path."""
    if type(t).__torch_dispatch__ is Tensor.__torch_dispatch__:
        return t
    from torsh._torch_dispatch import marked

    return marked(t)


def _flat(t: Tensor) -> list[Any]:
    return t.detach().reshape(-1).tolist()


def _no_grad(name: str, *tensors: Tensor) -> None:
    if any(t._rg for t in tensors):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")


def _from_python(t: Tensor, values: list[Any], name: str) -> Tensor:
    from torsh.ops.data import tensor

    _no_grad(name, t)
    for v in values:
        if isinstance(v, str):
            kind = (
                "must be real number, not str"
                if t._kind.inexact
                else "'str' object cannot be interpreted as an integer"
            )
            raise TypeError(f"{kind}: what the function given to {name}() returns goes into a tensor of {t.dtype}")
    return t.copy_(tensor(values, dtype=t.dtype).reshape(tuple(t.shape)))


for _name, _member in (*vars(Methods).items(), *vars(Memory).items(), *vars(Copies).items()):
    if _name not in ("__module__", "__dict__", "__weakref__", "__doc__", "__annotations__"):
        setattr(Tensor, _name, _member)

_equal = Tensor.__eq__


def _eq(self: Tensor, other: Any) -> Any:
    """Element by element; of all operators this one also takes a NumPy array, as in PyTorch."""
    found = _equal(self, other)
    if found is NotImplemented and type(other) is np.ndarray:
        from torsh.ops.data import tensor

        return _equal(self, tensor(other))
    return found


_eq.__wrapped__ = _equal  # type: ignore[attr-defined]
Tensor.__eq__ = _eq  # type: ignore[method-assign, assignment]
