"""Data types and the one table of type promotion.

A ``dtype`` is a named singleton.  Nothing in this file knows a backend: each backend maps these objects to its own.
The promotion rules are PyTorch's (https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc).
"""

from __future__ import annotations

import builtins as _builtins
import math
import sys
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

# This module names a dtype ``bool``; annotations mean the builtin by ``_bool``.
_bool: TypeAlias = _builtins.bool

# The name printed in front of a dtype; the ``torch`` alias sets it to "torch".
namespace: str = "torsh"


class dtype:
    """The element type of a tensor, e.g. ``torsh.float32``.

    Attributes: ``itemsize`` (bytes), ``is_floating_point``, ``is_complex``, ``is_signed`` (RuntimeError for types of which
    it cannot be said: quantized and bits types); ``to_real()`` and ``to_complex()`` give the partner type.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.float32.is_floating_point, torsh.int8.itemsize
    (True, 1)
    >>> torsh.zeros(2).dtype is torsh.float32
    True
    """

    __module__ = "torsh"
    __slots__ = ("category", "is_complex", "is_floating_point", "is_signed", "itemsize", "name")

    is_signed: _bool

    def __init__(self, name: str, itemsize: int, category: int, signed: _bool | None = True) -> None:
        self.name = name
        self.itemsize = itemsize
        self.category = category
        self.is_floating_point = category == FLOAT
        self.is_complex = category == COMPLEX
        if signed is not None:
            self.is_signed = signed

    def __getattr__(self, name: str) -> Any:
        if name == "is_signed":  # only types without a sign get here: the others have the attribute
            if self in QUANTIZED:
                raise RuntimeError(f"isSignedType not supported for quantized types; {self} has a zero point instead")
            raise RuntimeError(f"Bits types are undefined: {self} has no numbers, so none below zero")
        raise AttributeError(f"'{namespace}.dtype' object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"{namespace}.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_by_name, (self.name,))

    def to_real(self) -> dtype:
        """The real type of a complex type's parts; any other type itself."""
        return _REAL.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type whose parts have this type."""
        if self.is_complex:
            return self
        partner = _COMPLEX.get(self)
        if partner is None:
            if self in QUANTIZED or self in SHELLS:
                raise RuntimeError(f"Unknown Complex ScalarType for {scalar_name(self)}")
            raise RuntimeError(f"there is no complex type for {self}")
        return partner


BOOL, INT, FLOAT, COMPLEX = range(4)

bool: Final = dtype("bool", 1, BOOL, signed=False)
uint8: Final = dtype("uint8", 1, INT, signed=False)
uint16: Final = dtype("uint16", 2, INT, signed=False)
uint32: Final = dtype("uint32", 4, INT, signed=False)
uint64: Final = dtype("uint64", 8, INT, signed=False)
int8: Final = dtype("int8", 1, INT)
int16: Final = dtype("int16", 2, INT)
int32: Final = dtype("int32", 4, INT)
int64: Final = dtype("int64", 8, INT)
float8_e4m3fn: Final = dtype("float8_e4m3fn", 1, FLOAT)
float8_e4m3fnuz: Final = dtype("float8_e4m3fnuz", 1, FLOAT)
float8_e5m2: Final = dtype("float8_e5m2", 1, FLOAT)
float8_e5m2fnuz: Final = dtype("float8_e5m2fnuz", 1, FLOAT)
float8_e8m0fnu: Final = dtype("float8_e8m0fnu", 1, FLOAT)
float16: Final = dtype("float16", 2, FLOAT)
bfloat16: Final = dtype("bfloat16", 2, FLOAT)
float32: Final = dtype("float32", 4, FLOAT)
float64: Final = dtype("float64", 8, FLOAT)
complex32: Final = dtype("complex32", 4, COMPLEX)
complex64: Final = dtype("complex64", 8, COMPLEX)
complex128: Final = dtype("complex128", 16, COMPLEX)

ALL: Final = (
    bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64,
    float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu,
    float16, bfloat16, float32, float64, complex32, complex64, complex128,
)  # fmt: skip
# Element types of quantized tensors (torsh/quantized): integers that stand for ``(q - zero_point) * scale``.
QUANTIZED: Final = (
    dtype("qint8", 1, INT, None), dtype("quint8", 1, INT, None), dtype("qint32", 4, INT, None), dtype("quint4x2", 1, INT, None),
    dtype("quint2x4", 1, INT, None),
)  # fmt: skip
qint8, quint8, qint32, quint4x2, quint2x4 = QUANTIZED
# Types that memory can be seen as and that nothing computes with: integers of fewer than 8 bits, bits, packed float4.
SHELLS: Final = (
    *(dtype(f"int{n}", 1, INT) for n in range(1, 8)),
    *(dtype(f"uint{n}", 1, INT, signed=False) for n in range(1, 8)),
    *(dtype(n, size, INT, None) for n, size in (("bits8", 1), ("bits16", 2), ("bits1x8", 1), ("bits2x4", 1), ("bits4x2", 1))),
    dtype("float4_e2m1fn_x2", 1, FLOAT),
)  # fmt: skip
BITS_1: Final = next(d for d in SHELLS if d.name == "uint1")  # ``torch.bit``
UNCASTABLE: Final = frozenset((*QUANTIZED, *SHELLS))  # what no tensor can be converted to
FLOAT8: Final = tuple(d for d in ALL if d.name.startswith("float8"))
ALIASES: Final = {
    "half": float16, "float": float32, "double": float64, "short": int16, "int": int32, "long": int64,
    "chalf": complex32, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip

_REAL: Final = {complex32: float16, complex64: float32, complex128: float64}
_COMPLEX: Final = {real: cplx for cplx, real in _REAL.items()} | {bfloat16: complex64}


def _by_name(name: str) -> dtype:
    return BY_NAME.get(name) or next(d for d in (*QUANTIZED, *SHELLS) if d.name == name)


BY_NAME: Final = {d.name: d for d in ALL}


# ---- promotion between two types -------------------------------------------------------------------------------------

_BAREBONES_UNSIGNED: Final = (uint16, uint32, uint64)
_PROMOTED: dict[tuple[dtype, dtype], dtype] = {}


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that both types can be cast to, by PyTorch's lattice.

    Raises RuntimeError for float8 with any other type and for uint16/32/64 with a signed integer type, as PyTorch does.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.promote_types.html

    >>> import torsh
    >>> torsh.promote_types(torsh.int32, torsh.float16), torsh.promote_types(torsh.uint8, torsh.int8)
    (torsh.float16, torsh.int16)
    """
    found = _PROMOTED.get((type1, type2))
    if found is None:
        for i, d in enumerate((type1, type2), 1):
            if not isinstance(d, dtype):
                raise TypeError(
                    f"promote_types(): argument 'type{i}' (position {i}) must be torch.dtype, not {type(d).__name__}"
                )
        found = _PROMOTED[type1, type2] = _promote(type1, type2)
    return found


def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    for d in (a, b):
        if d in QUANTIZED:
            raise RuntimeError(
                f"promoteTypes with quantized numbers is not handled yet: {scalar_name(a)} and {scalar_name(b)}; "
                "call .dequantize() first"
            )
        if d in SHELLS:
            raise RuntimeError(
                f"Promotion from {scalar_name(a)} and {scalar_name(b)} is unsupported: {d} has no arithmetic"
            )
    low, high = (a, b) if a.category <= b.category else (b, a)
    for d in (a, b):
        if d in FLOAT8:
            raise RuntimeError(
                f"Promotion for Float8 Types is not supported, attempted to promote {scalar_name(a)} and "
                f"{scalar_name(b)}; convert one of them first, e.g. with .to({float32})"
            )
        if d in _BAREBONES_UNSIGNED and high.category != FLOAT:
            raise RuntimeError(
                f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
                f"{scalar_name(a)} and {scalar_name(b)}; convert one of them first, e.g. with .to({int64})"
            )
    if low.category == BOOL or low.category == INT != high.category:
        return high
    if low.category == INT:
        return _promote_ints(a, b)
    if low.category != high.category:  # a real and a complex type
        return promote_types(low.to_complex(), high)
    if low.itemsize == high.itemsize:  # float16 with bfloat16
        return float32
    return a if a.itemsize > b.itemsize else b


def _promote_ints(a: dtype, b: dtype) -> dtype:
    if a.is_signed == b.is_signed:
        return a if a.itemsize > b.itemsize else b
    signed = a if a.is_signed else b
    return int16 if signed is int8 else signed


_SCALAR_NAMES: Final = {
    bool: "Bool", uint8: "Byte", int8: "Char", int16: "Short", int32: "Int", int64: "Long", uint16: "UInt16",
    uint32: "UInt32", uint64: "UInt64", float16: "Half", bfloat16: "BFloat16", float32: "Float", float64: "Double",
    complex32: "ComplexHalf", complex64: "ComplexFloat", complex128: "ComplexDouble",
    float8_e4m3fn: "Float8_e4m3fn", float8_e4m3fnuz: "Float8_e4m3fnuz", float8_e5m2: "Float8_e5m2",
    float8_e5m2fnuz: "Float8_e5m2fnuz", float8_e8m0fnu: "Float8_e8m0fnu",
    qint8: "QInt8", quint8: "QUInt8", qint32: "QInt32", quint4x2: "QUInt4x2", quint2x4: "QUInt2x4",
    **{d: d.name.capitalize().replace("Uint", "UInt") for d in SHELLS},
}  # fmt: skip


def scalar_name(d: dtype) -> str:
    """PyTorch's name of a type in error messages and tensor type names, e.g. ``Float``."""
    return _SCALAR_NAMES[d]


# ---- the default type, and types of Python numbers -------------------------------------------------------------------


class _Default:
    float: dtype = float32


def get_default_dtype() -> dtype:
    """The floating point type given to tensors made from Python floats (float32 unless changed).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_default_dtype.html

    >>> import torsh
    >>> torsh.get_default_dtype()
    torsh.float32
    """
    return _Default.float


def set_default_dtype(d: dtype, /) -> None:
    """Set the type that Python floats get; it must be a floating point type, else TypeError.

    The default complex type follows: complex64 with float32, complex128 with float64.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_default_dtype.html

    >>> import torsh
    >>> torsh.set_default_dtype(torsh.float64)
    >>> torsh.tensor([1.]).dtype
    torsh.float64
    >>> torsh.set_default_dtype(torsh.float32)
    """
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, got {d!r}")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _Default.float = d
    vars(sys.modules["torsh"]).pop("Storage", None)  # the storage class of that type, found anew when next asked for


# Python's types of numbers, which PyTorch takes for dtypes.
PYTHON: Final = {
    _builtins.float: float64, _builtins.int: int64, _builtins.bool: bool, _builtins.complex: complex128,
}  # fmt: skip


# Binary digits of the significand, and the exponent of the smallest number, of the types that numbers are rounded to.
SIGNIFICAND = {float16: (11, -24), bfloat16: (8, -133), complex32: (11, -24)}


def nearest(value: Any, dtype: dtype) -> Any:
    """A Python number as the nearest value of a narrow floating type; infinite where it is too big for it."""
    if isinstance(value, complex):
        return complex(nearest(value.real, dtype), nearest(value.imag, dtype))
    digits, least = SIGNIFICAND[dtype]
    try:
        x = float(value)
    except OverflowError:
        return math.copysign(math.inf, value)
    if not math.isfinite(x):
        return x
    unit = math.ldexp(1.0, max(math.frexp(x)[1] - digits, least))
    found = math.copysign(round(x / unit) * unit, x)
    biggest = 65504.0 if digits == 11 else 3.3895313892515355e38
    return math.copysign(math.inf, x) if abs(found) > biggest else found


def of_number(value: object) -> dtype:
    """The type a Python number has on its own: bool, int64, the default float or its complex partner."""
    kind = type(value)
    if kind is float:
        return _Default.float
    if kind is _bool or isinstance(value, _bool):
        return bool
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _Default.float
    if isinstance(value, complex):
        return _Default.float.to_complex()
    raise TypeError(f"expected a Python number, got {kind.__name__}")


def combine(dims: Iterable[dtype], zero_dims: Iterable[dtype], numbers: Iterable[dtype]) -> dtype:
    """The result type of operands in three priority groups: tensors with dimensions, 0-d tensors, Python numbers.

    A lower group only counts where its category (bool < integer < float < complex) is higher than that of the groups
    above it; a complex operand that meets a real floating one takes over that one's precision.
    """
    result: dtype | None = None
    for group in (numbers, zero_dims, dims):
        own: dtype | None = None
        for d in group:
            own = d if own is None or own is d else promote_types(own, d)
        if own is not None:
            result = own if result is None else _combine(own, result)
    if result is None:
        raise ValueError("result type of no operands: pass at least one tensor or number")
    return result


def _combine(higher: dtype, lower: dtype) -> dtype:
    if higher.category == COMPLEX:
        return higher
    if higher.category == FLOAT:
        return higher.to_complex() if lower.category == COMPLEX else higher
    if lower.category == COMPLEX:
        return lower
    if higher is bool or lower.category == FLOAT:
        return promote_types(higher, lower)
    return higher


def can_cast(from_: dtype, to: dtype) -> _bool:
    """Whether a value of ``from_`` may be stored in ``to`` by PyTorch's rules: never to a lower category."""
    if from_.is_complex and not to.is_complex:
        return False
    if from_.is_floating_point and to.category < FLOAT:
        return False
    return not (from_ is not bool and to is bool)
