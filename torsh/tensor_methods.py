"""Methods and properties of Tensor that are neither ops nor autograd: what kind of tensor it is, its memory, pickling,
exchange with other libraries.  Imported for its effect by ``torsh.ops``.
"""

from __future__ import annotations

import copy
import itertools
from collections import OrderedDict
from typing import Any

import numpy as np

from torsh import dtypes, memory_format
from torsh.autograd.grad_mode import thread
from torsh.ops._args import check_tensor, size_of
from torsh.ops.shape import contiguous_strides
from torsh.ops.storage import reach, storage_elements, strided_view
from torsh.tensor import Parameter, Tensor, Version, new, version_of

# ---- what kind of tensor -----------------------------------------------------------------------------------------------


def _on(device_type: str, doc: str) -> property:
    return property(lambda self: self._kind.device.type == device_type, doc=doc)


for _type in ("cpu", "cuda", "meta", "mps", "xpu", "ipu", "xla", "mtia", "maia", "vulkan"):
    setattr(Tensor, f"is_{_type}", _on(_type, f"Whether the tensor is on a {_type} device."))
for _name in ("is_mkldnn", "is_quantized", "is_nested", "is_sparse_csr"):
    if not hasattr(Tensor, _name):
        setattr(Tensor, _name, property(lambda self: False, doc="False for every dense tensor."))


class Methods:
    """The functions of this class become methods of Tensor."""

    @property
    def layout(self) -> memory_format.layout:
        """How the elements are stored: ``strided`` for a dense tensor."""
        return memory_format.strided

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._kind.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self._kind.dtype.itemsize

    @property
    def name(self) -> str | None:
        """A name, which tensors do not have: None."""
        return self._name

    @property
    def names(self) -> tuple[None, ...]:
        """Names of the dimensions: torsh has no named tensors, so None for each."""
        return (None,) * self.ndim

    @property
    def volatile(self) -> bool:
        """False: ``torch.no_grad`` took its place."""
        return False

    @property
    def grad_dtype(self) -> dtypes.dtype | None:
        """The dtype of ``.grad``: that of the tensor."""
        return self.__dict__.get("_grad_dtype", self.dtype)

    @grad_dtype.setter
    def grad_dtype(self, value: dtypes.dtype | None) -> None:
        self.__dict__["_grad_dtype"] = value

    def has_names(self) -> bool:
        """Whether dimensions have names: no."""
        return False

    def element_size(self) -> int:
        """Bytes per element."""
        return self._kind.dtype.itemsize

    def nelement(self) -> int:
        """The number of elements."""
        return self.numel()

    def ndimension(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    def get_device(self) -> int:
        """The device's index, -1 for the CPU."""
        device = self._kind.device
        return -1 if device.index is None else device.index

    def is_floating_point(self) -> bool:
        """Whether the element type is a floating point type."""
        return self._kind.floating

    def is_complex(self) -> bool:
        """Whether the element type is a complex type."""
        return self._kind.complex

    def is_signed(self) -> bool:
        """Whether the element type has negative values."""
        return self._kind.dtype.is_signed

    def is_nonzero(self) -> bool:
        """Whether the only element is not zero."""
        from torsh._functions import is_nonzero

        return is_nonzero(self)

    def is_same_size(self, other: Tensor) -> bool:
        """Whether the other tensor has the same shape."""
        return tuple(self._data.shape) == tuple(check_tensor(other, "is_same_size", "other")._data.shape)

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode (torsh does not mark such tensors)."""
        return False

    def is_distributed(self) -> bool:
        """Always False."""
        return False

    def dim_order(self, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dimensions from outermost to innermost in memory."""
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
        """The memory the tensor lies in, as bytes; tensors that share memory give equal storages."""
        from torsh.storage import UntypedStorage

        return UntypedStorage._of(self)

    def storage(self) -> Any:
        """The memory the tensor lies in, as elements of its dtype."""
        return self._typed_storage()

    def _typed_storage(self) -> Any:
        from torsh.storage import TypedStorage

        return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)

    def storage_type(self) -> Any:
        """The legacy class of the tensor's storage."""
        from torsh.storage import CLASSES

        return CLASSES[f"{dtypes.scalar_name(self.dtype)}Storage"]

    def const_data_ptr(self) -> int:
        """The address of the first element."""
        return self.data_ptr()

    def is_set_to(self, tensor: Tensor) -> bool:
        """Whether the other tensor shows the same memory in the same way."""
        a, b = self._kind.backend, tensor._kind.backend
        return (
            a is b
            and a.geometry(self._data) == b.geometry(tensor._data)
            and self.untyped_storage() == tensor.untyped_storage()
        )

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked: no."""
        return False

    def pin_memory(self, device: Any = None) -> Tensor:
        """The tensor itself: torsh does not page-lock memory."""
        return self

    def is_shared(self) -> bool:
        """Whether other processes see the memory: no (True on a CUDA device, as in PyTorch)."""
        return self._kind.device.type == "cuda"

    def share_memory_(self) -> Tensor:
        """The tensor itself: threads see its memory anyway, other processes get copies."""
        return self

    def record_stream(self, stream: Any) -> None:
        """Nothing to do: memory stays as long as it is referred to."""

    def resize_(self, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
        """Give the tensor another size; memory is kept if it is large enough, else new memory gets the old elements first.

        What new elements hold is not defined.  Raises RuntimeError for a tensor that requires grad.
        """
        if self._rg and thread.enabled:
            raise RuntimeError("cannot resize variables that require grad")
        wanted = size_of(sizes if size is None else (size,))
        if any(s < 0 for s in wanted):
            raise RuntimeError(f"Trying to create tensor with negative dimension {min(wanted)}: {list(wanted)}")
        _restride(self, wanted, _strides_in(wanted, memory_format))
        return self

    def resize_as_(self, the_template: Tensor, memory_format: Any = None) -> Tensor:
        """``resize_`` to the size of another tensor."""
        return self.resize_(tuple(the_template.shape), memory_format=memory_format)

    def resize(self, *sizes: Any) -> Tensor:
        """The elements in another shape of the same number of elements; ``reshape`` and ``resize_`` took its place."""
        return self.reshape(*sizes)

    def resize_as(self, tensor: Tensor) -> Tensor:
        """The elements in the shape of another tensor."""
        return self.reshape(tuple(tensor.shape))

    def set_(self, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
        """Let the tensor look at other memory: another tensor's or a storage's, from an offset, with a size and strides.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.set_.html
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
            if size is None:
                size = (untyped.nbytes() // self.dtype.itemsize - storage_offset,)
            size = size_of((tuple(size),))
            root = storage_tensor(
                untyped, self.dtype, storage_offset, size, tuple(stride) if stride else contiguous_strides(size)
            )
        else:
            raise TypeError(f"set_(): argument 'source' must be Tensor or Storage, not {type(source).__name__}")
        self._data, self._kind = root._data, root._kind
        self._vc = version_of(root)
        self._base = None
        self._bump("set_")
        return self

    # ---- making tensors from this one

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, layout: Any = None,
                   pin_memory: bool = False) -> Tensor:  # fmt: skip
        """A tensor with a copy of data, with this tensor's dtype and device unless given."""
        from torsh.ops.data import tensor

        if isinstance(data, Tensor):
            out = data.detach().to(device=device or self.device, dtype=dtype or self.dtype, copy=True)
            return out.requires_grad_(requires_grad)
        return tensor(data, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)

    def new(self, *args: Any, **kwargs: Any) -> Tensor:
        """A tensor of the same dtype and device, from a size or from data, as the legacy constructors make one."""
        from torsh.legacy import legacy_tensor

        return legacy_tensor("new", self.dtype, self.device, args, kwargs)

    def as_subclass(self, cls: type) -> Any:
        """The same memory and history as an instance of a subclass of Tensor."""
        if not issubclass(cls, Tensor):
            raise TypeError(f"as_subclass(): argument 'cls' must be a subclass of Tensor, not {cls.__name__}")
        out = new(cls)
        plain = self.view_as(self) if self._rg else self._alias()
        out.__dict__.update(plain.__dict__)
        return out

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False, **options: Any) -> Any:
        """A leaf of a subclass over another tensor's memory."""
        out = new(cls)
        out._data, out._kind = data._data, data._kind
        if require_grad:
            out.requires_grad = True
        return out

    # ---- element by element in Python

    def apply_(self, callable: Any) -> Tensor:
        """Replace each element by ``callable(element)``; slow, on the CPU only."""
        if self.device.type != "cpu":
            raise TypeError("apply_ is only implemented on CPU tensors")
        return _from_python(self, [callable(x) for x in _flat(self)], "apply_")

    def map_(self, tensor: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(element, other's element)``; slow, on the CPU only."""
        other = tensor.expand(tuple(self.shape))
        return _from_python(self, [callable(a, b) for a, b in zip(_flat(self), _flat(other))], "map_")

    def map2_(self, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(element, x's, y's)``; slow, on the CPU only."""
        a, b = x.expand(tuple(self.shape)), y.expand(tuple(self.shape))
        return _from_python(self, [callable(*v) for v in zip(_flat(self), _flat(a), _flat(b))], "map2_")

    # ---- pickling and copying

    def __reduce_ex__(self, protocol: Any) -> Any:
        from torsh import _utils

        state = _own_attributes(self)
        plain = type(self) is Tensor or type(self) is Parameter
        if type(self) is Parameter:
            args = (self.detach(), self._rg, OrderedDict())
            if state:
                return (_utils._rebuild_parameter_with_state, (*args, state))
            return (_utils._rebuild_parameter, args)
        func, args = _rebuilt(self)
        if plain and not state:
            return (func, args)
        return (_utils._rebuild_from_type_v2, (func, type(self), args, state))

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)
            return
        if not self.is_leaf:
            raise RuntimeError("__setstate__ can be only called on leaf Tensors")
        self.set_(*state[:4])
        self.requires_grad = state[4]

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you "
                "were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        if self.device.type == "meta" or not self._kind.backend.capabilities.mutable:
            copied = self.detach().clone()
        elif self.numel() == 0:
            copied = strided_empty(self)
        else:
            from torsh.storage import storage_tensor

            storage = copy.deepcopy(self.untyped_storage(), memo)
            copied = storage_tensor(storage, self.dtype, self.storage_offset(), tuple(self.shape), self.stride())
        out = copied if type(self) is Tensor else copied.as_subclass(type(self))
        memo[id(self)] = out
        out._rg = self._rg
        if self._grad is not None:
            out._grad = self._grad.__deepcopy__(memo)
        for name, value in _own_attributes(self).items():
            out.__dict__[name] = copy.deepcopy(value, memo)
        return out

    def __long__(self) -> int:
        return int(self)

    def __idiv__(self, other: Any) -> Tensor:
        return self.div_(other)

    def __reversed__(self) -> Tensor:
        return self if self.ndim == 0 else self.flip(0)

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def module_load(self, other: Tensor, assign: bool = False) -> Tensor:
        """What ``Module.load_state_dict`` does with a parameter: give back the other's values, for ``copy_`` or as they are."""
        return other if assign and not isinstance(other, Parameter) else other.detach()

    # ---- exchange

    def __dlpack__(
        self, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        if self._rg:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        t = self.clone() if copy else self
        return t._kind.backend.to_dlpack(t._data, stream=stream, max_version=max_version, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        device = self._kind.device
        codes = {"cpu": 1, "cuda": 2, "mps": 8, "xpu": 14}
        if device.type not in codes:
            raise BufferError(f"Unknown device type {device.type} for Dlpack")
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
        raise RuntimeError("Unsupported memory format Preserve for resize: pass a definite one")
    return memory_format.format_strides(size, format)


def _restride(t: Tensor, size: tuple[int, ...], strides: tuple[int, ...]) -> None:
    """Change a tensor's own geometry, with larger memory if it must be."""
    if tuple(t._data.shape) == size and strides == contiguous_strides(size) and t.is_contiguous():
        return
    backend = t._kind.backend
    needs = reach(size, strides)
    has = storage_elements(t) - t.storage_offset()
    if needs > has:
        from torsh.ops.creation import make_full

        grown = make_full((needs,), None, t.dtype, t.device, False)
        if has > 0 and t.device.type != "meta":
            backend.write(
                strided_view(grown, (has,), (1,), 0, (1,))._data, strided_view(t.detach(), (has,), (1,), 0, (1,))._data
            )
        t._base, t._vc, source = None, Version(), grown
    else:
        source = t.detach()
    t._data = strided_view(source, size, strides, 0, (1,))._data
    t._bump("resize_")


def strided_empty(t: Tensor) -> Tensor:
    """An empty tensor with a tensor's shape and strides."""
    from torsh.ops.storage import empty_strided

    return empty_strided(tuple(t.shape), t.stride(), dtype=t.dtype, device=t.device)


def _flat(t: Tensor) -> list[Any]:
    return t.detach().reshape(-1).tolist()


def _from_python(t: Tensor, values: list[Any], name: str) -> Tensor:
    from torsh.ops.data import tensor

    if t._rg:
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    return t.copy_(tensor(values, dtype=t.dtype).reshape(tuple(t.shape)))


# What a tensor has in its __dict__ for torsh's own use.
_INTERNAL = frozenset(n for n in vars(Tensor) if n.startswith("_") and not n.startswith("__")) | frozenset(
    Tensor.__annotations__
)


def _own_attributes(t: Tensor) -> dict[str, Any]:
    """Attributes users or subclasses gave a tensor."""
    return {n: v for n, v in t.__dict__.items() if n not in _INTERNAL}


def _rebuilt(t: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """The function and arguments that make a tensor again."""
    from torsh import _utils

    if t.device.type == "meta":
        return _utils._rebuild_meta_tensor_no_storage, (t.dtype, tuple(t.shape), t.stride(), t._rg)
    if not t._kind.backend.capabilities.mutable:
        # A library without writable memory has no storage to save: the values go through the host's, with PyTorch's layout.
        from torsh import registry
        from torsh.device import device
        from torsh.dispatch import place_of
        from torsh.ops.conversion import to_place

        required, t = t._rg, to_place(t.detach(), place_of(device("cpu"), registry.get("numpy"))).contiguous()
        return _utils._rebuild_tensor_v2, (
            t._typed_storage(),
            0,
            tuple(t.shape),
            tuple(t.stride()),
            required,
            OrderedDict(),
        )
    args = (t._typed_storage(), t.storage_offset(), tuple(t.shape), tuple(t.stride()), t._rg, OrderedDict())
    return _utils._rebuild_tensor_v2, args


for _name, _member in vars(Methods).items():
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
