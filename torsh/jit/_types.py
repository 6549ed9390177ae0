"""The types of TorchScript: objects that describe what a schema's arguments may be.

They can be printed, compared and asked whether one is a subtype of another.
Source: https://docs.pytorch.org/docs/stable/jit_language_reference.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torsh.jit._simple_types import (  # noqa: F401 (all types are taken from here)
    AnyType,
    BoolType,
    ComplexType,
    DeviceObjType,
    FloatType,
    IntType,
    NoneType,
    NumberType,
    PyObjectType,
    StreamObjType,
    StringType,
    SymBoolType,
    SymIntType,
    TensorType,
    Type,
    _Dimname,
    _Generator,
    _Layout,
    _MemoryFormat,
    _QScheme,
    _ScalarType,
    _Storage,
    document,
)


class _Of(Type):
    """A type made of another."""

    _python: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        document(cls, "(torsh.IntType.get())", f"{cls._python}[int]")

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
    """Lists of one type."""

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
    """A type or None."""

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

    def _takes(self, other: Type) -> bool:
        return isinstance(other, NoneType) or other.isSubtypeOf(self._element)


class _Covariant(_Of):
    """A type made of another, whose subtypes are made of the other's subtypes."""

    def _takes(self, other: Type) -> bool:
        return type(self) is type(other) and other._element.isSubtypeOf(self._element)


class FutureType(_Covariant):
    """Values to come."""

    _python = "Future"


class AwaitType(_Covariant):
    """Values computed when asked for."""

    _python = "Await"


class RRefType(_Covariant):
    """References to values on other processes."""

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

    def _takes(self, other: Type) -> bool:
        return (
            isinstance(other, TupleType)
            and len(self._elements) == len(other._elements)
            and all(b.isSubtypeOf(a) for a, b in zip(self._elements, other._elements))
        )


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

    def _takes(self, other: Type) -> bool:
        return any(other.isSubtypeOf(m) for m in self._members)


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
            raise RuntimeError(
                f"Tried to get the type from an InferredType but the type is null. Reason: {self._reason}"
            )
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
