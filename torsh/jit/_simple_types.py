"""Types of TorchScript that are made of no others: numbers, strings, tensors and the like; what all types can."""

from __future__ import annotations

from typing import Any, ClassVar

from torsh import dtypes


def document(cls: type[Type], made: str, shown: str) -> None:
    """Complete the docstring of a public type that has no example of its own: how it is made and how it is shown."""
    if cls.__doc__ and not cls.__name__.startswith("_") and ">>>" not in cls.__doc__:
        cls.__doc__ += (
            "\n\n    Source: https://docs.pytorch.org/docs/stable/torch.html\n\n"
            f"    >>> import torsh\n    >>> torsh.{cls.__name__}{made}.annotation_str\n    {shown!r}\n    "
        )


class Type:
    """A type.  ``str`` of it is what annotations say: ``Optional[int]``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.IntType.get().isSubtypeOf(torsh.AnyType.get())
    True
    """

    _name: ClassVar[str] = ""
    _schema: ClassVar[str] = ""  # how schemas write the type where that differs

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return str(self)

    def str(self) -> Any:
        """How schemas write the type: ``int?``, ``Tensor[]``."""
        return self._schema or str(self)

    @property
    def annotation_str(self) -> Any:
        """How Python annotations write the type."""
        return str(self)

    def kind(self) -> Any:
        """The name of the sort of type, such as ``ListType``."""
        return type(self).__name__

    def containedTypes(self) -> list[Type]:
        """The types this one is made of."""
        return []

    def _key(self) -> Any:
        return ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self).__name__, str(self)))

    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        return self == other or other._takes(self)

    def _takes(self, other: Type) -> bool:
        """Whether every value of another type, not equal to this one, is a value of this one."""
        return False

    def is_interface_type(self) -> bool:
        """False: there are no compiled interfaces."""
        return False

    def _not_a_tensor(self) -> RuntimeError:
        return RuntimeError(f"expected a TensorType, got {self.kind()} ({self})")

    def dim(self) -> Any:
        """The number of dimensions of a tensor type, None where it is not known."""
        raise self._not_a_tensor()

    sizes = strides = symbolic_sizes = varyingSizes = scalarType = dtype = device = requires_grad = contiguous = (
        undefined
    ) = dim


class _Single(Type):
    """A type of which there is only one; ``get()`` gives it."""

    _instance: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        cls._instance = None
        document(cls, ".get()", cls._name)

    @classmethod
    def get(cls) -> Any:
        """The type."""
        if cls._instance is None:
            cls._instance = object.__new__(cls)
        return cls._instance

    def __new__(cls) -> Any:
        raise TypeError(f"torch.{cls.__name__}: No constructor defined! Use torch.{cls.__name__}.get()")


class AnyType(_Single):
    """Anything.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.AnyType.get()
    Any
    """

    _name = "Any"

    def _takes(self, other: Type) -> bool:
        return True


class IntType(_Single):
    """Integers.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.ListType(torsh.IntType.get())
    List[int]
    """

    _name = "int"


class FloatType(_Single):
    """Floating point numbers."""

    _name = "float"


class ComplexType(_Single):
    """Complex numbers."""

    _name = "complex"


class BoolType(_Single):
    """True and False."""

    _name = "bool"


class StringType(_Single):
    """Strings."""

    _name = "str"


class NoneType(_Single):
    """None."""

    _name = "NoneType"


class NumberType(_Single):
    """Integers, floating point and complex numbers: ``Scalar`` in schemas.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.IntType.get().isSubtypeOf(torsh.NumberType.get())
    True
    """

    _name, _schema = "number", "Scalar"

    def _takes(self, other: Type) -> bool:
        return isinstance(other, (IntType, FloatType, ComplexType))


class DeviceObjType(_Single):
    """Devices."""

    _name = "Device"


class StreamObjType(_Single):
    """Streams."""

    _name = "Stream"


class PyObjectType(_Single):
    """Python objects the compiler knows nothing about."""

    _name = "PyObject"


class SymIntType(_Single):
    """Integers that may be symbols: ``SymInt`` in schemas."""

    _name, _schema = "int", "SymInt"


class SymBoolType(_Single):
    """Booleans that may be symbols."""

    _name, _schema = "bool", "SymBool"


# Types that only schemas name.


class _ScalarType(_Single):
    _name = "ScalarType"


class _Layout(_Single):
    _name = "Layout"


class _MemoryFormat(_Single):
    _name = "MemoryFormat"


class _Generator(_Single):
    _name = "Generator"


class _Storage(_Single):
    _name = "Storage"


class _QScheme(_Single):
    _name = "QScheme"


class _Dimname(_Single):
    _name = "Dimname"


class TensorType(Type):
    """Tensors; one made by ``create_from_tensor`` also knows its shape, dtype and device.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.TensorType.get().annotation_str
    'Tensor'
    """

    _name = "Tensor"

    def __init__(self) -> None:
        raise TypeError("torch.TensorType: No constructor defined! Use torch.TensorType.get()")

    @classmethod
    def _make(cls, example: Any = None) -> TensorType:
        t: TensorType = object.__new__(cls)
        t._example = None if example is None else example.detach()
        t._grad = False if example is None else example.requires_grad
        return t

    @classmethod
    def get(cls) -> TensorType:
        """Any tensor."""
        return cls._make()

    getInferred = get

    @classmethod
    def create_from_tensor(cls, t: Any) -> TensorType:
        """Tensors like this one."""
        return cls._make(t)

    def _key(self) -> Any:
        x = self._example
        return () if x is None else (tuple(x.shape), x.stride(), x.dtype, x.device, self._grad)

    def _takes(self, other: Type) -> bool:
        return self._example is None and isinstance(other, TensorType)

    def dim(self) -> Any:
        """The number of dimensions, None where it is not known."""
        return None if self._example is None else self._example.dim()

    def sizes(self) -> Any:
        """The shape, None where it is not known."""
        return None if self._example is None else list(self._example.shape)

    symbolic_sizes = varyingSizes = sizes

    def strides(self) -> Any:
        """The strides, None where they are not known."""
        return None if self._example is None else list(self._example.stride())

    def scalarType(self) -> Any:
        """The name of the dtype, such as ``Float``; None where it is not known."""
        return None if self._example is None else dtypes.scalar_name(self._example.dtype)

    def dtype(self) -> Any:
        """The dtype, None where it is not known."""
        return None if self._example is None else self._example.dtype

    def device(self) -> Any:
        """The device, None where it is not known."""
        return None if self._example is None else self._example.device

    def requires_grad(self) -> bool:
        """Whether gradients flow to it."""
        return self._example is None or self._grad

    def undefined(self) -> bool:
        """False: torsh's tensors are always defined."""
        return False
