"""The types of TorchScript: objects that describe what a schema's arguments may be.

They can be printed, compared and asked whether one is a subtype of another.  Source: https://docs.pytorch.org/docs/stable/jit_language_reference.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torsh import dtypes


class Type:
    """A type.  ``str`` of it is what annotations say: ``Optional[int]``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.IntType.get().isSubtypeOf(torsh.AnyType.get())
    True
    """

    _name: ClassVar[str] = ""

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return str(self)

    def str(self) -> Any:
        """How schemas write the type: ``int?``, ``Tensor[]``."""
        return str(self)

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
        if isinstance(other, AnyType) or self == other:
            return True
        if isinstance(other, OptionalType):
            return isinstance(self, NoneType) or self.isSubtypeOf(other._element)
        if isinstance(other, UnionType):
            return any(self.isSubtypeOf(t) for t in other._members)
        return isinstance(other, NumberType) and isinstance(self, (IntType, FloatType, ComplexType))

    def is_interface_type(self) -> bool:
        """False: there are no compiled interfaces."""
        return False

    def _not_a_tensor(self) -> RuntimeError:
        return RuntimeError(f"expected a TensorType, got {self.kind()} ({self})")

    def dim(self) -> Any:
        """The number of dimensions of a tensor type, None where it is not known."""
        raise self._not_a_tensor()

    sizes = strides = symbolic_sizes = varyingSizes = scalarType = dtype = device = requires_grad = contiguous = undefined = dim


class _Single(Type):
    """A type of which there is only one; ``get()`` gives it."""

    _instance: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        cls._instance = None

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


class IntType(_Single):
    """Integers.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.ListType(torsh.IntType.get())
    List[int]
    """

    _name = "int"


class FloatType(_Single):
    """Floating point numbers.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.FloatType.get().annotation_str
    'float'
    """

    _name = "float"


class ComplexType(_Single):
    """Complex numbers.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.ComplexType.get().annotation_str
    'complex'
    """

    _name = "complex"


class BoolType(_Single):
    """True and False.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.BoolType.get().annotation_str
    'bool'
    """

    _name = "bool"


class StringType(_Single):
    """Strings.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.StringType.get().annotation_str
    'str'
    """

    _name = "str"


class NoneType(_Single):
    """None.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.NoneType.get().annotation_str
    'NoneType'
    """

    _name = "NoneType"


class NumberType(_Single):
    """Integers, floating point and complex numbers: ``Scalar`` in schemas.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.IntType.get().isSubtypeOf(torsh.NumberType.get())
    True
    """

    _name = "number"

    def str(self) -> Any:
        """``Scalar``."""
        return "Scalar"


class DeviceObjType(_Single):
    """Devices.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.DeviceObjType.get().annotation_str
    'Device'
    """

    _name = "Device"


class StreamObjType(_Single):
    """Streams.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.StreamObjType.get().annotation_str
    'Stream'
    """

    _name = "Stream"


class PyObjectType(_Single):
    """Python objects the compiler knows nothing about.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.PyObjectType.get().annotation_str
    'PyObject'
    """

    _name = "PyObject"


class SymIntType(_Single):
    """Integers that may be symbols: ``SymInt`` in schemas.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.SymIntType.get().annotation_str
    'int'
    """

    _name = "int"

    def str(self) -> Any:
        """``SymInt``."""
        return "SymInt"


class SymBoolType(_Single):
    """Booleans that may be symbols.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.SymBoolType.get().annotation_str
    'bool'
    """

    _name = "bool"

    def str(self) -> Any:
        """``SymBool``."""
        return "SymBool"


class _SchemaInt(_Single):
    """Values that programs see as numbers: the ScalarType, Layout and MemoryFormat of schemas."""

    def kind(self) -> Any:
        return type(self).__name__


class _ScalarType(_SchemaInt):
    _name = "ScalarType"


class _Layout(_SchemaInt):
    _name = "Layout"


class _MemoryFormat(_SchemaInt):
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

    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        if isinstance(other, TensorType) and other._example is None:
            return True
        return super().isSubtypeOf(other)

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


class _Of(Type):
    """A type made of another."""

    _python: ClassVar[str] = ""

    def __init__(self, arg0: Type) -> None:
        if not isinstance(arg0, Type):
            raise TypeError(
                "__init__(): incompatible constructor arguments. The following argument types are supported:\n"
                f"    1. torch._C.{type(self).__name__}(arg0: torch._C.Type)\n\nInvoked with: {arg0!r}"
            )
        self._element = arg0

    def __str__(self) -> str:
        return f"{self._python}[{self._element}]"

    def str(self) -> Any:
        """How schemas write the type."""
        return f"{self._python}({self._element.str()})"

    def getElementType(self) -> Type:
        """What it is made of."""
        return self._element

    def containedTypes(self) -> list[Type]:
        """What it is made of."""
        return [self._element]

    def _key(self) -> Any:
        return self._element


class ListType(_Of):
    """Lists of one type.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.ListType(torsh.IntType.get()).annotation_str
    'List[int]'
    """

    _python = "List"

    def str(self) -> Any:
        """``int[]``."""
        return f"{self._element.str()}[]"

    @classmethod
    def ofInts(cls) -> ListType:
        """``List[int]``."""
        return cls(IntType.get())

    @classmethod
    def ofTensors(cls) -> ListType:
        """``List[Tensor]``."""
        return cls(TensorType.get())

    @classmethod
    def ofFloats(cls) -> ListType:
        """``List[float]``."""
        return cls(FloatType.get())

    @classmethod
    def ofComplexDoubles(cls) -> ListType:
        """``List[complex]``."""
        return cls(ComplexType.get())

    @classmethod
    def ofBools(cls) -> ListType:
        """``List[bool]``."""
        return cls(BoolType.get())

    @classmethod
    def ofStrings(cls) -> ListType:
        """``List[str]``."""
        return cls(StringType.get())


class OptionalType(_Of):
    """A type or None.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.OptionalType(torsh.IntType.get()).annotation_str
    'Optional[int]'
    """

    _python = "Optional"

    def __init__(self, arg0: Type) -> None:
        super().__init__(arg0)
        if isinstance(arg0, OptionalType):  # an optional optional is the optional
            self._element = arg0._element

    def str(self) -> Any:
        """``int?``."""
        return f"{self._element.str()}?"

    @classmethod
    def ofTensor(cls) -> OptionalType:
        """``Optional[Tensor]``."""
        return cls(TensorType.get())

    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        if super().isSubtypeOf(other):
            return True
        return self._element.isSubtypeOf(other) and NoneType.get().isSubtypeOf(other)  # type: ignore[no-any-return]


class _Covariant(_Of):
    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        if type(self) is type(other):
            return self._element.isSubtypeOf(other._element)  # type: ignore[attr-defined]
        return super().isSubtypeOf(other)


class FutureType(_Covariant):
    """Values to come.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.FutureType(torsh.IntType.get()).annotation_str
    'Future[int]'
    """

    _python = "Future"


class AwaitType(_Covariant):
    """Values computed when asked for.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.AwaitType(torsh.IntType.get()).annotation_str
    'Await[int]'
    """

    _python = "Await"


class RRefType(_Covariant):
    """References to values on other processes.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.RRefType(torsh.IntType.get()).annotation_str
    'RRef[int]'
    """

    _python = "RRef"


class DictType(Type):
    """Dictionaries of one key type and one value type.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.DictType(torsh.StringType.get(), torsh.IntType.get()).annotation_str
    'Dict[str, int]'
    """

    def __init__(self, arg0: Type, arg1: Type) -> None:
        keys = (IntType, FloatType, ComplexType, TensorType, DeviceObjType, StringType, BoolType)
        if not isinstance(arg0, (*keys, AnyType, _VarType)):
            raise RuntimeError(
                f"Cannot create dict for key type '{arg0.str()}', only int, float, complex, Tensor, device and string keys "
                "are supported"
            )
        self._pair = (arg0, arg1)

    def __str__(self) -> str:
        return f"Dict[{self._pair[0]}, {self._pair[1]}]"

    def str(self) -> Any:
        """``Dict(str, int)``."""
        return f"Dict({self._pair[0].str()}, {self._pair[1].str()})"

    def getKeyType(self) -> Type:
        """The type of the keys."""
        return self._pair[0]

    def getValueType(self) -> Type:
        """The type of the values."""
        return self._pair[1]

    def containedTypes(self) -> list[Type]:
        """Key and value type."""
        return list(self._pair)

    def _key(self) -> Any:
        return self._pair


class TupleType(Type):
    """Tuples of given length and types.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.TupleType([torsh.IntType.get(), torsh.FloatType.get()]).annotation_str
    'Tuple[int, float]'
    """

    def __init__(self, arg0: Sequence[Type]) -> None:
        self._elements = list(arg0)

    def __str__(self) -> str:
        return f"Tuple[{', '.join(map(str, self._elements)) or '()'}]"

    def str(self) -> Any:
        """``(int, Tensor)``."""
        return f"({', '.join(e.str() for e in self._elements)})"

    def elements(self) -> list[Type]:
        """The types of the elements."""
        return list(self._elements)

    containedTypes = elements

    def _key(self) -> Any:
        return self._elements

    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        if isinstance(other, TupleType):
            return len(self._elements) == len(other._elements) and all(
                a.isSubtypeOf(b) for a, b in zip(self._elements, other._elements)
            )
        return super().isSubtypeOf(other)


class UnionType(Type):
    """One of several types.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.UnionType([torsh.IntType.get(), torsh.StringType.get()]).annotation_str
    'Union[int, str]'
    """

    def __init__(self, arg0: Sequence[Type]) -> None:
        members: list[Type] = []
        for t in arg0:
            for part in t._members if isinstance(t, UnionType) else [t]:
                if not any(part.isSubtypeOf(m) for m in members):
                    members = [*(m for m in members if not m.isSubtypeOf(part)), part]
        if len(members) < 2:
            raise RuntimeError(
                f"After type unification was performed, the Union with the original types {{{' '.join(map(str, arg0))}}} has "
                f"the single type {members[0] if members else None}. Use the common supertype instead of creating a Uniontype"
            )
        self._members = sorted(members, key=lambda t: _ORDER.index(t.kind()) if t.kind() in _ORDER else len(_ORDER))

    def __str__(self) -> str:
        rest = [m for m in self._members if not isinstance(m, NoneType)]
        if len(rest) == 1:
            return f"Optional[{rest[0]}]"
        return f"Union[{', '.join(map(str, self._members))}]"

    def _optional(self) -> bool:
        return len(self._members) == 2 and any(isinstance(m, NoneType) for m in self._members)

    def kind(self) -> Any:
        """``UnionType``; of a type and None, ``OptionalType``."""
        return "OptionalType" if self._optional() else "UnionType"

    def containedTypes(self) -> list[Type]:
        """The types of which it is one; of a type and None, the type."""
        return [m for m in self._members if not (self._optional() and isinstance(m, NoneType))]

    def _key(self) -> Any:
        return frozenset(map(str, self._members))

    def isSubtypeOf(self, other: Type) -> bool:
        """Whether every value of this type is a value of the other."""
        return isinstance(other, AnyType) or all(m.isSubtypeOf(other) for m in self._members)


# The order in which PyTorch lists the members of a union.
_ORDER = (
    "AnyType EnumType TensorType TupleType ListType DictType NumberType FloatType ComplexType FutureType AwaitType RRefType IntType NoneType "
    "StringType BoolType OptionalType DeviceObjType StreamObjType ClassType PyObjectType"
).split()


class _VarType(Type):
    """A type variable of a schema."""

    def __init__(self, name: Any) -> None:
        self._variable = name

    def __str__(self) -> Any:
        return self._variable

    def _key(self) -> Any:
        return self._variable


class EnumType(Type):
    """An enumeration: its qualified name, the type of its values, and (name, value) pairs.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    def __init__(self, arg0: Any, arg1: Type, arg2: Sequence[Any]) -> None:
        self._qualified, self._values, self._pairs = arg0, arg1, list(arg2)

    def __str__(self) -> Any:
        return self._qualified

    def _key(self) -> Any:
        return self._qualified


class ClassType(Type):
    """A class by its qualified name; schemas name those of PyTorch's own (``__torch__.torch.classes...``).

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    def __init__(self, arg0: Any) -> None:
        raise TypeError(f"torch.ClassType({arg0!r}): no class of this name was compiled; torsh compiles none")

    @classmethod
    def _named(cls, name: Any) -> ClassType:
        t: ClassType = object.__new__(cls)
        t._qualified = name
        return t

    def __str__(self) -> Any:
        return self._qualified

    def name(self) -> Any:
        """The last part of the qualified name."""
        return self._qualified.rpartition(".")[2]

    def qualified_name(self) -> Any:
        """The qualified name."""
        return self._qualified

    def method_names(self) -> list[Any]:
        """Compiled methods: none."""
        return []

    def _key(self) -> Any:
        return self._qualified


class InferredType:
    """A type that was inferred, or the reason why it could not be.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.InferredType(torsh.IntType.get()).success()
    True
    """

    def __init__(self, arg0: Any) -> None:
        self._type, self._reason = (None, arg0) if isinstance(arg0, str) else (arg0, "")

    def type(self) -> Any:
        """The type.  Raises RuntimeError where there is none."""
        if self._type is None:
            raise RuntimeError(f"Tried to get the type from an InferredType but the type is null. Reason: {self._reason}")
        return self._type

    def success(self) -> bool:
        """Whether there is a type."""
        return self._type is not None

    def reason(self) -> Any:
        """Why there is no type."""
        return self._reason


def _unified(a: Type, b: Type) -> Type | None:
    """The smallest type found that both are, None where there is none."""
    if a.isSubtypeOf(b):
        return b
    if b.isSubtypeOf(a):
        return a
    none = NoneType.get()
    if a == none or b == none:
        return OptionalType(b if a == none else a)
    if isinstance(a, OptionalType) or isinstance(b, OptionalType):
        inner = _unified(*(t._element if isinstance(t, OptionalType) else t for t in (a, b)))
        return None if inner is None else OptionalType(inner)
    if isinstance(a, TupleType) and isinstance(b, TupleType) and len(a._elements) == len(b._elements):
        parts = [_unified(x, y) for x, y in zip(a._elements, b._elements)]
        return None if any(p is None for p in parts) else TupleType([p for p in parts if p is not None])
    return None


def unify_type_list(arg0: Sequence[Type]) -> Type:
    """The smallest type that all of a list are.  Raises RuntimeError where there is none, or nothing in the list.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.unify_type_list([torsh.IntType.get(), torsh.NoneType.get()])
    Optional[int]
    """
    if not arg0:
        raise RuntimeError("Cannot get unified type from empty list")
    found = arg0[0]
    for i, t in enumerate(arg0[1:], 1):
        merged = _unified(found, t)
        if merged is None:
            raise RuntimeError(
                f"Could not unify type list since element {i} of type {t} did not match the types before it ({found})"
            )
        found = merged
    return found
