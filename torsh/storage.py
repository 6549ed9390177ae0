"""Storages: the memory behind tensors, as thin objects over a backend's raw array of bytes.

Source: https://docs.pytorch.org/docs/stable/storage.html
"""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from torsh import dtypes
from torsh._callers import _frame, is_ours, warn
from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import Place, place_of
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Tensor, memory_of, new

# (backend name, address) -> the storage object of that memory, so that tensors that share memory show the same one for as
# long as somebody holds it (pickle and deepcopy keep sharing by it).
_alive: weakref.WeakValueDictionary[tuple[str, int, int], UntypedStorage] = weakref.WeakValueDictionary()


class StorageBase:
    """What storages of bytes are.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """


class UntypedStorage(StorageBase):
    """Bytes in memory on one device.  Indexing gives and takes numbers from 0 to 255.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> s = torsh.tensor([1, 2], dtype=torsh.uint8).untyped_storage()
    >>> s.nbytes(), list(s)
    (2, [1, 2])
    """

    is_cuda = property(lambda self: self.device.type == "cuda", doc="Whether the memory is on a CUDA device.")
    is_sparse = False
    is_sparse_csr = False
    _borrowed = False

    def __init__(self, *args: Any, device: Any = None) -> None:
        from torsh.ops.creation import make_full
        from torsh.ops.data import tensor

        size = args[0] if args else 0
        if hasattr(size, "__index__"):
            t = make_full((operator.index(size),), None, dtypes.uint8, device, False)
        elif hasattr(size, "__len__"):
            for x in size:
                if not isinstance(x, int):
                    raise RuntimeError(
                        f"torch.UntypedStorage(): tried to construct a storage from a sequence ({type(size).__name__}), but one "
                        f"of the items was of type {type(x).__name__} instead of int"
                    )
            t = tensor([x & 255 for x in size], dtype=dtypes.uint8, device=device)
        else:
            raise RuntimeError(f"torch.UntypedStorage(): Expected a sequence type, but got {type(size).__name__}")
        self._take(t._data, t._kind.place)

    def _take(self, raw: Any, place: Place) -> None:
        self._raw, self._place = raw, place

    @classmethod
    def _of(cls, t: Tensor) -> UntypedStorage:
        backend = t._kind.backend
        if t.device.type == "meta":
            raw = backend.storage(memory_of(t))
            found = cls.__new__(cls)
            found._take(raw, t._kind.place)
            return found
        raw = backend.storage(memory_of(t))
        key = (backend.name, int(backend.geometry(raw)[2]), int(raw.shape[0]))
        storage = _alive.get(key) if key[2] else None
        if storage is None:
            storage = cls.__new__(cls)
            storage._take(raw, t._kind.place)
            _alive[key] = storage
        storage._borrowed = storage._borrowed or (t if t._base is None else t._base)._borrowed
        return storage

    def _bytes(self) -> Tensor:
        """The bytes as a tensor of uint8."""
        t = new(Tensor)
        t._data, t._kind = self._raw, self._place[dtypes.uint8]
        return t

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._place.device

    @property
    def filename(self) -> None:
        """The file the memory is mapped from: none."""
        return None

    def nbytes(self) -> int:
        """The size in bytes."""
        return int(self._raw.shape[0])

    size = nbytes

    def __len__(self) -> int:
        return self.nbytes()

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    @property
    def _cdata(self) -> int:
        """A number that storages of the same memory share."""
        return self.data_ptr()

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str = "native", count: int = -1, offset: int = 0, *, dtype: Any = dtypes.uint8
    ) -> UntypedStorage:
        """A copy of a buffer's bytes from an offset on, as those of ``count`` elements of a dtype.

        byte_order: "native", "little" or "big": how the elements lie in the buffer.
        """
        item = dtype.itemsize
        data = memoryview(buffer).cast("B")
        if byte_order not in ("native", "little", "big"):
            raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
        if not 0 <= offset < len(data):
            raise ValueError(
                f"offset must be non-negative and no greater than buffer length ({len(data)}), but got {offset}"
            )
        if count < 0:
            if (len(data) - offset) % item:
                raise ValueError(f"buffer size ({len(data)}) must be a multiple of element size ({item})")
            count = (len(data) - offset) // item
        if offset + count * item > len(data):
            raise ValueError(
                f"buffer has only {len(data) - offset} elements after offset {offset}, but specified a size of {count}"
            )
        found = _from_bytes(bytes(data[offset : offset + count * item]), "cpu")
        part = item // 2 if dtype.is_complex else item
        if byte_order not in ("native", sys.byteorder) and part > 1:
            found.byteswap(dtype)
        if dtype is dtypes.bool:
            found._bytes().copy_(found._bytes() != 0)
        return found

    def element_size(self) -> int:
        """1: storages have no element type."""
        return 1

    def data_ptr(self) -> int:
        """The address of the memory, 0 where there is none."""
        return int(self._place.backend.geometry(self._raw)[2])

    def _check_memory(self) -> None:
        """NotImplementedError for the meta device: its storages have a size, but no values."""
        if self.device.type == "meta":
            raise NotImplementedError("Not available for 'meta' device type: its storages have no values")

    def resizable(self) -> bool:
        """Whether ``resize_`` is allowed: not where the memory is another object's (an array's, a buffer's)."""
        return not self._borrowed

    def resize_(self, size: int) -> UntypedStorage:
        """Change the number of bytes; tensors made before keep the old memory."""
        from torsh.ops.creation import make_full

        if self._borrowed:
            raise RuntimeError(
                "Trying to resize storage that is not resizable: its memory belongs to another object; clone it"
            )
        old, n = self._bytes(), min(self.nbytes(), size)
        grown = make_full((size,), None, dtypes.uint8, self.device, False)
        grown[:n].copy_(old[:n])
        self._raw = grown._data
        return self

    def __getitem__(self, i: Any) -> Any:
        self._check_memory()
        if isinstance(i, slice):
            part = UntypedStorage.__new__(UntypedStorage)
            part._take(self._bytes()[i]._data, self._place)
            return part
        return self._bytes()[i].item()

    def __setitem__(self, i: Any, value: Any) -> None:
        self._bytes()[i] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UntypedStorage)
            and self.nbytes() == other.nbytes()
            and self.data_ptr() == other.data_ptr()
        )

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        self._check_memory()
        return self._bytes().tolist()

    def fill_(self, value: int) -> UntypedStorage:
        """Set all bytes."""
        self._bytes().fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> UntypedStorage:
        """Copy another storage's bytes."""
        source = source if isinstance(source, UntypedStorage) else source._untyped_storage
        if source.nbytes() != self.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes"
            )
        self._bytes().copy_(source._bytes())
        return self

    def new(self) -> UntypedStorage:
        """An empty storage on the same device."""
        return UntypedStorage(0, device=self.device)

    def byteswap(self, dtype: Dtype) -> None:
        """Reverse the bytes of each element of a dtype, in place (of each part of a complex number)."""
        item = (dtype.to_real() if dtype.is_complex else dtype).itemsize
        if self.nbytes() % item:
            raise RuntimeError(f"the length of data is not a multiple of {item}: it is {self.nbytes()} bytes")
        self._check_memory()
        rows = self._bytes().view(-1, item)
        rows.copy_(rows.flip(1))

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The bytes of a file, mapped into memory; written back to the file if ``shared``, and made that long first."""
        import numpy as np

        if shared:
            with open(filename, "ab") as file:
                if file.tell() < nbytes:
                    file.truncate(nbytes)
        mapped = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,) if nbytes else None)
        return cls._of(_borrowed_bytes(np.asarray(mapped)))

    def untyped(self) -> UntypedStorage:
        """The storage itself: it has no element type."""
        return self

    def clone(self) -> UntypedStorage:
        """A copy in memory of its own."""
        return UntypedStorage._of(self._bytes().clone())

    def to(self, *, device: Any, non_blocking: bool = False) -> UntypedStorage:
        """The bytes on another device."""
        return self if place_of(as_device(device)) is self._place else UntypedStorage._of(self._bytes().to(device))

    def cpu(self) -> UntypedStorage:
        """The bytes on the CPU."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None, non_blocking: bool = False) -> UntypedStorage:
        """The bytes on a CUDA device."""
        return self.to(device="cuda" if device is None else device)

    def is_pinned(self, device: Any = "cuda") -> bool:
        """Whether the memory is page-locked: no."""
        return False

    def pin_memory(self, device: Any = "cuda") -> UntypedStorage:
        """The storage itself: torsh does not page-lock memory."""
        return self

    def is_shared(self) -> bool:
        """Whether processes forked from this one see the memory."""
        return self._place.backend.is_shared(self._raw)  # type: ignore[no-any-return]

    def share_memory_(self) -> UntypedStorage:
        """The storage itself if it is shared; else NotImplementedError: ``Tensor.share_memory_`` moves a tensor."""
        if self.device.type == "meta":
            raise RuntimeError("_share_fd_: only available on CPU; a storage of the meta device has no memory to share")
        if not self.is_shared():
            raise NotImplementedError(
                "a storage cannot be moved under the tensors that look at it; call share_memory_() on the tensor"
            )
        return self

    def get_device(self) -> int:
        """The device's index, -1 for the CPU."""
        return -1 if self.device.index is None else self.device.index

    def type(self, dtype: Any = None) -> str:
        """The name of the storage's type."""
        return "torch.storage.UntypedStorage"

    def __reduce__(self) -> Any:
        return (_from_bytes, (self._bytes().cpu().numpy().tobytes(), str(self.device)))

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntypedStorage:
        key = ("torsh storage", self.data_ptr(), self.nbytes())
        if key not in memo:
            memo[key] = self.clone()
        return memo[key]

    def __repr__(self) -> str:
        where = f"device={self.device}"
        if self.device.type == "meta":
            return f"...\n[{dtypes.namespace}.storage.UntypedStorage({where}) of size {self.nbytes()}]"
        values = "".join(f" {v}\n" for v in self.tolist()) if self.nbytes() <= 1000 else " ...\n"
        return f"{values}[{dtypes.namespace}.storage.UntypedStorage({where}) of size {self.nbytes()}]"


def _borrowed_bytes(array: Any) -> Tensor:
    from torsh.ops.data import on_device

    t = on_device(array, dtypes.uint8, "cpu")
    t._borrowed = True
    return t


def _from_bytes(data: bytes, device: str) -> UntypedStorage:
    import numpy as np

    from torsh.ops.data import on_device

    return UntypedStorage._of(on_device(np.frombuffer(bytearray(data), np.uint8), dtypes.uint8, device))


def _combination(name: str) -> str:
    return f"{name} received an invalid combination of arguments. Expected a size, a sequence, or wrap_storage="


def _check_size(args: Any, name: str) -> None:
    if len(args) > 1:
        raise RuntimeError(f"{_combination(name)}: Too many positional arguments")
    if args and (isinstance(args[0], Tensor) or not (hasattr(args[0], "__index__") or isinstance(args[0], Sequence))):
        raise TypeError(f"{_combination(name)}: Argument type not recognized: {type(args[0])}")


def _check_wrapped(args: Any, storage: Any, name: str) -> None:
    if args:
        raise RuntimeError(f"{_combination(name)}: No positional arguments should be given when using 'wrap_storage'")
    if not isinstance(storage, UntypedStorage):
        raise TypeError(
            f"{_combination(name)}: Argument 'wrap_storage' must be UntypedStorage, but got {type(storage)}"
        )


# ---- the deprecation of typed storages ---------------------------------------------------------------------------------


class _Removal:
    """Whether the warning was given, and whether it is given every time."""

    told = False
    always = False


def _warn_typed_storage_removal(stacklevel: int = 2) -> None:
    """Warn, once in a program, that typed storages are deprecated."""
    if _Removal.always or not _Removal.told:
        _Removal.told = True
        warn(
            "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. This "
            "should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
            "tensor.untyped_storage() instead of tensor.storage()"
        )


def _reset_warn_typed_storage_removal() -> None:
    _Removal.told = False


def _get_always_warn_typed_storage_removal() -> bool:
    return _Removal.always


def _set_always_warn_typed_storage_removal(always_warn: bool) -> None:
    if not isinstance(always_warn, bool):
        raise TypeError(f"always_warn must be bool, got {type(always_warn).__name__}")
    _Removal.always = always_warn


def deprecated(fn: Any) -> Any:
    """``fn`` with that warning where a program calls it; torsh's own code calls it silently."""

    @functools.wraps(fn)
    def public(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("_internal") and not is_ours(_frame(1).f_code):
            _warn_typed_storage_removal()
        return fn(*args, **kwargs)

    return public


# What elements of quantized types are stored as.
_PLAIN: dict[Dtype, Dtype] = {
    d: dtypes.int32 if d.itemsize == 4 else dtypes.int8 if d.name == "qint8" else dtypes.uint8 for d in dtypes.QUANTIZED
}


class TypedStorage:
    """A storage seen as elements of one dtype; what ``Tensor.storage()`` gives.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by UntypedStorage
    >>> torsh.tensor([1., 2.]).storage().tolist()
    [1.0, 2.0]
    """

    is_sparse = False
    dtype: Dtype

    def __init__(self, *args: Any, wrap_storage: UntypedStorage | None = None, dtype: Any = None, device: Any = None,
                 _internal: bool = False) -> None:  # fmt: skip
        if wrap_storage is not None:
            _check_wrapped(args, wrap_storage, "TypedStorage.__init__")
            if dtype is None:
                raise RuntimeError(f"{_combination('TypedStorage.__init__')}: Argument 'dtype' must be specified")
            if not isinstance(dtype, Dtype):
                raise TypeError(
                    f"{_combination('TypedStorage.__init__')}: Argument 'dtype' must be torch.dtype, not {type(dtype).__name__}"
                )
            if device is not None:
                raise RuntimeError(
                    f"{_combination('TypedStorage.__init__')}: Argument 'device' should not be specified when 'wrap_storage' is given"
                )
            self.dtype, self._untyped_storage = dtype, wrap_storage
            return
        self.dtype = dtype or dtypes.get_default_dtype()
        if device is not None and as_device(device).type not in ("cpu", "cuda", "meta", "mps"):
            raise RuntimeError(f"Storage device not recognized: {as_device(device).type}")
        _check_size(args, "TypedStorage.__init__")
        if args and not hasattr(args[0], "__index__"):
            from torsh.ops.data import tensor

            t = tensor(args[0], dtype=_PLAIN.get(self.dtype, self.dtype), device=device)
            self._untyped_storage = UntypedStorage._of(t)
        else:
            n = operator.index(args[0]) if args else 0
            self._untyped_storage = UntypedStorage(n * self.dtype.itemsize, device=device)

    @property
    def _dtype(self) -> Dtype:
        return self.dtype

    @property
    def filename(self) -> None:
        """The file the memory is mapped from: none."""
        return self._untyped_storage.filename

    @classmethod
    def from_buffer(cls, *args: Any, dtype: Any = None, device: Any = None, **kwargs: Any) -> TypedStorage:
        """The elements in a buffer: its bytes, then ``byte_order`` ("native", "little", "big"), the number of elements and an
        offset in bytes.
        """
        dtype = dtype or vars(cls).get("_dtype") or dtypes.get_default_dtype()
        if not isinstance(dtype, Dtype):  # the class itself, whose elements have the default dtype
            dtype = dtypes.get_default_dtype()
        untyped = UntypedStorage.from_buffer(*args, dtype=dtype, **kwargs)
        return TypedStorage(wrap_storage=untyped, dtype=dtype)

    def _values(self) -> Tensor:
        self._untyped_storage._check_memory()
        return self._tensor()

    def _tensor(self) -> Tensor:
        """The elements as a one-dimensional tensor; those of quantized types as the integers they are stored as."""
        return elements(self, self.dtype)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._untyped_storage.device

    is_cuda = property(lambda self: self.device.type == "cuda", doc="Whether the memory is on a CUDA device.")

    def untyped(self) -> UntypedStorage:
        """The storage without its element type."""
        return self._untyped_storage

    def size(self) -> int:
        """The number of elements."""
        return self._untyped_storage.nbytes() // self.dtype.itemsize

    __len__ = size

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._untyped_storage.nbytes()

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        """The address of the memory."""
        return self._untyped_storage.data_ptr()

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not hasattr(i, "__index__"):
            raise RuntimeError(f"can't index a {type(self)} with {type(i)}")
        return self._values()[i].item()

    def __setitem__(self, i: Any, value: Any) -> None:
        if not isinstance(i, (int, slice)):
            raise RuntimeError(f"can't index a {type(self)} with {type(i)}")
        if isinstance(value, (TypedStorage, UntypedStorage)):
            raise RuntimeError(f"cannot set item with value type {type(value)}")
        self._tensor()[i] = value

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._values().tolist()

    def fill_(self, value: Any) -> TypedStorage:
        """Set all elements."""
        if isinstance(value, (TypedStorage, UntypedStorage)):
            raise RuntimeError(f"cannot set item with value type {type(value)}")
        self._tensor().fill_(value)
        return self

    def copy_(self, source: TypedStorage, non_blocking: bool | None = None) -> TypedStorage:
        """Copy another storage's bytes."""
        self._untyped_storage.copy_(source._untyped_storage)
        return self

    def resize_(self, size: int) -> None:
        """Change the number of elements."""
        self._untyped_storage.resize_(size * self.dtype.itemsize)

    def resizable(self) -> bool:
        """Whether ``resize_`` is allowed."""
        return self._untyped_storage.resizable()

    def clone(self) -> TypedStorage:
        """A copy in memory of its own."""
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    def to(self, *, device: Any, non_blocking: bool = False) -> TypedStorage:
        """The storage on another device."""
        return TypedStorage(wrap_storage=self._untyped_storage.to(device=device), dtype=self.dtype)

    def cpu(self) -> TypedStorage:
        """The storage on the CPU."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None, non_blocking: bool = False) -> TypedStorage:
        """The storage on a CUDA device."""
        return self.to(device="cuda" if device is None else device)

    def _converted(self, dtype: Dtype) -> TypedStorage:
        return TypedStorage(wrap_storage=UntypedStorage._of(self._tensor().to(dtype, copy=True)), dtype=dtype)

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, size: int = 0) -> TypedStorage:
        """The elements in a file, mapped into memory; written back to the file if ``shared``."""
        dtype = vars(cls).get("_dtype")
        if not isinstance(dtype, Dtype):
            raise RuntimeError(
                "from_file can only be called on a storage class of one dtype, such as torch.FloatStorage"
            )
        return cls(wrap_storage=UntypedStorage.from_file(filename, shared, size * dtype.itemsize))

    def is_pinned(self, device: Any = "cuda") -> bool:
        """Whether the memory is page-locked: no."""
        return False

    def pin_memory(self, device: Any = "cuda") -> TypedStorage:
        """The storage itself."""
        return self

    def is_shared(self) -> bool:
        """Whether processes forked from this one see the memory."""
        return self._untyped_storage.is_shared()

    def share_memory_(self) -> TypedStorage:
        """The storage itself if it is shared; else NotImplementedError: ``Tensor.share_memory_`` moves a tensor."""
        self._untyped_storage.share_memory_()
        return self

    def get_device(self) -> int:
        """The device's index, -1 for the CPU."""
        return self._untyped_storage.get_device()

    def pickle_storage_type(self) -> str:
        """The name of the legacy storage class of this element type."""
        return f"{dtypes.scalar_name(self.dtype)}Storage"

    def type(self, dtype: Any = None) -> str:
        """The name of the legacy storage class."""
        return f"torch.{self.pickle_storage_type()}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TypedStorage)
            and self.dtype is other.dtype
            and self._untyped_storage == other._untyped_storage
        )

    def __hash__(self) -> int:
        return hash((self.dtype, self._untyped_storage))

    def __reduce__(self) -> Any:
        return (_typed, (self._untyped_storage, self.dtype))

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return TypedStorage(wrap_storage=self._untyped_storage.__deepcopy__(memo), dtype=self.dtype)

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __repr__(self) -> str:
        values = "...\n" if self.device.type == "meta" else "".join(f" {v}\n" for v in self.tolist())
        return f"{values}[{dtypes.namespace}.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def _conversion(name: str, dtype: Dtype) -> Any:
    def convert(self: TypedStorage) -> TypedStorage:
        return self._converted(dtype)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"A copy with elements of {dtype.name}."
    return convert


for _name, _dtype in (
    ("double", dtypes.float64), ("float", dtypes.float32), ("half", dtypes.float16), ("bfloat16", dtypes.bfloat16),
    ("long", dtypes.int64), ("int", dtypes.int32), ("short", dtypes.int16), ("char", dtypes.int8), ("byte", dtypes.uint8),
    ("bool", dtypes.bool), ("complex_float", dtypes.complex64), ("complex_double", dtypes.complex128),
):  # fmt: skip
    setattr(TypedStorage, _name, _conversion(_name, _dtype))


# What warns, apart from the conversions above: all that is public.  torsh's own code uses these as they are, PyTorch's and
# some programs know several of them by a name that never warned.
_SILENT = ("resize_", "is_shared", "share_memory_", "element_size", "data_ptr", "nbytes", "size", "pickle_storage_type")
for _name in _SILENT:
    setattr(TypedStorage, f"_{_name}", getattr(TypedStorage, _name))
TypedStorage._setitem, TypedStorage._getitem = TypedStorage.__setitem__, TypedStorage.__getitem__  # type: ignore[attr-defined]
TypedStorage._deepcopy = TypedStorage.__deepcopy__  # type: ignore[attr-defined]
_WARNING = (
    "__init__",
    "__len__",
    "__setitem__",
    "__getitem__",
    "__repr__",
    "__iter__",
    "__copy__",
    "__deepcopy__",
    "__sizeof__",
)
for _name, _member in list(vars(TypedStorage).items()):
    if _name in _WARNING or not (_name.startswith("_") or _name in ("dtype", "filename", "is_sparse", "is_shared")):
        if isinstance(_member, property):
            setattr(TypedStorage, _name, property(deprecated(_member.fget), doc=_member.__doc__))
        elif isinstance(_member, classmethod):
            setattr(TypedStorage, _name, classmethod(deprecated(_member.__func__)))
        else:
            setattr(TypedStorage, _name, deprecated(_member))


def elements(storage: TypedStorage | UntypedStorage, dtype: Dtype) -> Tensor:
    """A storage's memory as a one-dimensional tensor of a dtype; of quantized types as the integers they are stored as."""
    untyped = storage if isinstance(storage, UntypedStorage) else storage._untyped_storage
    dtype = _PLAIN.get(dtype, dtype)
    n = untyped.nbytes() // dtype.itemsize
    return untyped._bytes()[: n * dtype.itemsize].view(dtype)


def expect_type(storage: TypedStorage | UntypedStorage, dtype: Dtype, where: str = "") -> None:
    """RuntimeError for a typed storage of another type."""
    if isinstance(storage, TypedStorage) and storage.dtype is not dtype:
        raise RuntimeError(
            f"Expected a Storage of type {dtypes.scalar_name(dtype)} or an UntypedStorage, but got "
            f"{'type ' if where else ''}{dtypes.scalar_name(storage.dtype)}{where}"
        )


def _typed(storage: UntypedStorage, dtype: Dtype) -> TypedStorage:
    return TypedStorage(wrap_storage=storage, dtype=dtype)


class _LegacyStorageMeta(type):
    """The type of storage classes of one dtype: what they make is a TypedStorage, which counts as theirs by its dtype."""

    _dtype: Dtype
    _device_type: str

    @property
    @deprecated
    def dtype(cls) -> Dtype:
        """The dtype of the elements."""
        return cls._dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return (
            type(instance) is TypedStorage and instance.device.type == cls._device_type and instance.dtype is cls._dtype
        )


class _LegacyStorage(TypedStorage, metaclass=_LegacyStorageMeta):
    """What storage classes of one dtype have in common."""

    _dtype: Dtype
    _device_type: str

    @deprecated
    def __new__(
        cls, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None, _internal: bool = False
    ) -> Any:
        if cls is _LegacyStorage:
            raise RuntimeError("Only child classes of _LegacyStorage can be instantiated")
        name = f"{cls}.__new__"
        for what, given in (("device", device), ("dtype", dtype)):
            if given is not None:
                raise RuntimeError(f"{_combination(name)}: Keyword argument '{what}' cannot be specified")
        if wrap_storage is None:
            _check_size(args, name)
        else:
            _check_wrapped(args, wrap_storage, name)
        where = None if wrap_storage is not None or cls._device_type == "cpu" else cls._device_type
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls._dtype, device=where, _internal=True)

    @classmethod
    def from_buffer(cls, *args: Any, **kwargs: Any) -> TypedStorage:
        """A storage over a buffer's memory, on the CPU only: RuntimeError for other devices' classes."""
        if cls._device_type != "cpu":
            raise RuntimeError(f"from_buffer: Not available for {cls._device_type.upper()} storage")
        return super().from_buffer(*args, **kwargs)


_CLASS_DOC = """Makes a :class:`TypedStorage` with elements of {dtype}; pickles of PyTorch name it.

Source: https://docs.pytorch.org/docs/stable/storage.html

>>> import torsh
>>> import warnings
>>> warnings.simplefilter("ignore")  # deprecated by UntypedStorage
>>> {shown}
"""


def _legacy_class(dtype: Dtype, device_type: str) -> type:
    name = f"{dtypes.scalar_name(dtype)}Storage"
    shown = (
        f"len(torsh.{name}(2))\n2"
        if device_type == "cpu"
        else f"torsh.{device_type}.{name}._device_type\n{device_type!r}"
    )
    members = {"_dtype": dtype, "_device_type": device_type, "__doc__": _CLASS_DOC.format(dtype=dtype.name, shown=shown),
               "__module__": "torsh" if device_type == "cpu" else f"torsh.{device_type}"}  # fmt: skip
    return _LegacyStorageMeta(name, (_LegacyStorage,), members)


def make_classes(device_type: str) -> dict[str, type]:
    """The classes FloatStorage, LongStorage, ... of a device type, by name."""
    made = (
        _legacy_class(d, device_type)
        for d in (*dtypes.ALL, *dtypes.QUANTIZED)
        if d not in dtypes.FLOAT8 and d is not dtypes.complex32
    )
    return {c.__name__: c for c in made}


CLASSES = make_classes("cpu")


def _dtype_to_storage_type_map() -> dict[Dtype, str]:
    """The names of the storage classes by dtype."""
    return {c._dtype: n for n, c in CLASSES.items()}  # type: ignore[attr-defined]


def _storage_type_to_dtype_map() -> dict[str, Dtype]:
    return {n: c._dtype for n, c in CLASSES.items()}  # type: ignore[attr-defined]


_storage_classes = {UntypedStorage, TypedStorage, *CLASSES.values()}


def __getattr__(name: str) -> Any:
    if name == "Storage":  # the class of the default dtype
        return CLASSES[f"{dtypes.scalar_name(dtypes.get_default_dtype())}Storage"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def storage_tensor(
    storage: UntypedStorage, dtype: Dtype, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> Tensor:
    """A tensor over a storage's memory."""
    from torsh.ops.storage import reach, strided_view

    # These come from files, too: what lies outside of the memory must not be reachable.
    if len(size) != len(stride):
        raise RuntimeError(f"unequal size length ({len(size)}) and stride length ({len(stride)})")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    if any(s < 0 for s in (*size, *stride)):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}: they must not be negative"
        )
    item = dtype.itemsize
    needs = offset + reach(size, stride) if 0 not in size else 0
    if needs * item > storage.nbytes():
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {item} requiring a "
            f"storage size of {needs * item} are out of bounds for storage of size {storage.nbytes()}"
        )
    flat = TypedStorage(wrap_storage=storage, dtype=dtype)._tensor()
    if not flat.numel():
        from torsh.ops.creation import make_full

        return make_full(size, None, dtype, storage.device, False)
    return strided_view(flat, size, stride, offset, (1,)).detach()


__all__ = ["CLASSES", "TypedStorage", "UntypedStorage", "storage_tensor"]
globals().update(CLASSES)
