"""The schemas of operators: ``add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`` read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from torsh.jit import _types as T

_BASE: dict[str, Any] = {
    "Tensor": T.TensorType, "int": T.IntType, "float": T.FloatType, "complex": T.ComplexType, "bool": T.BoolType, "str": T.StringType,
    "Scalar": T.NumberType, "number": T.NumberType, "Any": T.AnyType, "NoneType": T.NoneType, "None": T.NoneType, "Device": T.DeviceObjType,
    "Stream": T.StreamObjType, "SymInt": T.SymIntType, "SymBool": T.SymBoolType, "ScalarType": T._ScalarType, "Layout": T._Layout,
    "MemoryFormat": T._MemoryFormat, "Generator": T._Generator, "Storage": T._Storage, "QScheme": T._QScheme, "Dimname": T._Dimname,
    "PyObject": T.PyObjectType,
}  # fmt: skip
_WRAPPED: dict[str, Any] = {"Future": T.FutureType, "RRef": T.RRefType, "Await": T.AwaitType}
# The numbers PyTorch gives the names that schemas use as defaults.
_NAMED = {
    "contiguous_format": 0, "preserve_format": 1, "channels_last": 2, "channels_last_3d": 3, "strided": 0, "Mean": 1, "long": 4,
    "float": 6, "double": 7, "int": 3, "bool": 11,
}  # fmt: skip
# What programs see where the schema has a type of its own.
_SEEN: dict[type, Any] = {
    T._ScalarType: T.IntType, T._Layout: T.IntType, T._MemoryFormat: T.IntType, T.SymIntType: T.IntType, T.SymBoolType: T.BoolType,
    T._Dimname: T.StringType,
}  # fmt: skip


@dataclass(frozen=True)
class _Alias:
    """Which memory an argument shares, and whether it is written."""

    before_set: frozenset[str]
    after_set: frozenset[str]
    is_write: bool

    def __str__(self) -> str:
        before, after = "|".join(sorted(self.before_set)), "|".join(sorted(self.after_set))
        mark = "!" if self.is_write else ""
        return f"({before}{mark}{'' if before == after else f' -> {after}'})"


_NOTHING: Any = object()


class Argument:
    """An argument or a result of a schema.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.parse_schema("f(Tensor x, int n=2) -> Tensor").arguments[1].default_value
    2
    """

    def __init__(
        self,
        name: str,
        real: T.Type,
        alias: Any,
        default: Any,
        size: int | None,
        kwarg_only: bool,
        is_out: bool,
        inner: Any,
    ) -> None:
        self.name = name
        self.real_type = real
        self.type = _seen(real)
        self.alias_info = alias
        self._default = default
        self.N = size
        self.kwarg_only = kwarg_only
        self.is_out = is_out
        self.inner_alias = inner  # the alias of a list's elements

    @property
    def default_value(self) -> Any:
        """The default, None where there is none."""
        return None if self._default is _NOTHING else self._default

    def has_default_value(self) -> bool:
        """Whether there is a default."""
        return self._default is not _NOTHING

    @property
    def kind(self) -> str:
        """The type as schemas write it, without marks of aliasing: ``Tensor?``, ``int[2]``."""
        text = self.real_type.str()
        if self.N is None:
            return text
        optional = "?" if text.endswith("?") else ""
        return text.removesuffix("?").removesuffix("[]") + f"[{self.N}]{optional}"

    def _typed(self) -> str:
        text, alias = self.kind, self.alias_info if self.alias_info is not None else self.inner_alias
        if alias is not None:
            head = re.match(r"\w+", text)
            at = head.end() if head else len(text)
            text = f"{text[:at]}{alias}{text[at:]}"
        return text

    def __str__(self) -> str:
        text = f"{self._typed()} {self.name}".strip()
        if not self.has_default_value():
            return text
        value = self._default
        # PyTorch writes a list of equal integers as one.
        if isinstance(value, list) and len(value) > 1 and self.real_type.str() == "int[]" and len(set(value)) == 1:
            value = value[0]
        return f"{text}={_default_text(value)}"

    def _key(self) -> Any:
        return (
            self.name,
            self.real_type,
            self.N,
            self.default_value,
            self.has_default_value(),
            self.kwarg_only,
            self.alias_info,
        )


def _seen(t: Any) -> Any:
    if type(t) in _SEEN:
        return _SEEN[type(t)].get()
    if isinstance(t, (T.ListType, T.OptionalType)):
        return type(t)(_seen(t._element))
    return t


def _default_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return '"' + re.sub(r"([\\\"'])", r"\\\1", value) + '"'
    if isinstance(value, float):
        text = f"{value:.17g}"
        return text if re.search(r"[.en]", text) else f"{text}."
    if isinstance(value, complex):
        return f"{_default_text(value.real)}{'+' if value.imag >= 0 else ''}{_default_text(value.imag)}j"
    if isinstance(value, list):
        return f"[{', '.join(map(_default_text, value))}]"
    return str(value)


@dataclass(eq=False)
class FunctionSchema:
    """An operator's name, arguments and results.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> schema = torsh.parse_schema("f(Tensor x, int n=2) -> Tensor")
    >>> schema.name, [a.name for a in schema.arguments]
    ('f', ['x', 'n'])
    """

    name: str
    overload_name: str
    arguments: list[Argument]
    returns: list[Argument]
    is_vararg: bool = field(default=False, repr=False)
    is_varret: bool = field(default=False, repr=False)

    @property
    def is_mutable(self) -> bool:
        """Whether an argument is written."""
        return any(a.alias_info is not None and a.alias_info.is_write for a in self.arguments)

    def __str__(self) -> str:
        parts: list[str] = []
        for a in self.arguments:
            if a.kwarg_only and "*" not in parts:
                parts.append("*")
            parts.append(str(a))
        if self.is_vararg:
            parts.append("...")
        if self.is_varret:
            returns = "..."
        elif len(self.returns) == 1 and not self.returns[0].name or len(self.returns) == 1:
            returns = str(self.returns[0])
        else:
            returns = f"({', '.join(map(str, self.returns))})"
        name = f"{self.name}.{self.overload_name}" if self.overload_name else self.name
        return f"{name}({', '.join(parts)}) -> {returns}"

    __repr__ = __str__

    def _key(self) -> Any:
        return (
            self.name, self.overload_name, [a._key() for a in self.arguments], [r._key() for r in self.returns], self.is_vararg,
            self.is_varret,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionSchema) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(str(self))

    def is_backward_compatible_with(self, old_schema: FunctionSchema) -> bool:
        """Whether every call that was valid for an older schema is valid for this one and gives what it gave."""
        old = old_schema
        if (self.name, self.overload_name, self.is_vararg) != (old.name, old.overload_name, old.is_vararg):
            return False
        if len(self.returns) != len(old.returns) or any(
            not n.type.isSubtypeOf(o.type) for n, o in zip(self.returns, old.returns)
        ):
            return False
        old_places, new_places = ([a for a in s.arguments if not a.kwarg_only] for s in (old, self))
        if len(new_places) < len(old_places):
            return False
        for i, new in enumerate(new_places):
            if i >= len(old_places):
                if not new.has_default_value():
                    return False
            elif not _accepts(new, old_places[i]):
                return False
        old_named, new_named = ({a.name: a for a in s.arguments if a.kwarg_only} for s in (old, self))
        if any(n not in new_named or not _accepts(new_named[n], a) for n, a in old_named.items()):
            return False
        return all(n in old_named or a.has_default_value() for n, a in new_named.items())


def _accepts(new: Argument, old: Argument) -> bool:
    """Whether an argument takes whatever an older one took."""
    return (
        new.name == old.name
        and old.type.isSubtypeOf(new.type)
        and (new.has_default_value() or not old.has_default_value())
        and (not old.has_default_value() or new.default_value == old.default_value)
    )


# ---- reading -----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*')|(?P<dots>\.\.\.)|(?P<arrow>->)"
    r"|(?P<number>-?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)j?(?!\w))|(?P<ident>[A-Za-z_]\w*)|(?P<sign>[^\s\w]))"
)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while found := _TOKEN.match(text, at):
            kind = str(found.lastgroup)
            self.tokens.append((kind if kind != "sign" else found[kind], found[kind], found.start(kind)))
            at = found.end()
        self.tokens.append(("eof", "", len(text)))
        self.i = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.i][0]

    def error(self, message: str) -> RuntimeError:
        at, width = self.tokens[self.i][2], max(len(self.tokens[self.i][1]), 1)
        return RuntimeError(f"{message}:\n{self.text}\n{' ' * max(at - 1, 0)}{'~' * width} <--- HERE\n")

    def accept(self, kind: str) -> str | None:
        found, value, _ = self.tokens[self.i]
        if found != kind:
            return None
        self.i += 1
        return value

    def expect(self, kind: str) -> str:
        value = self.accept(kind)
        if value is None:
            raise self.error(f"expected {kind} but found '{self.kind}' here")
        return value

    # ---- names and types

    def name(self) -> tuple[str, str]:
        name = self.expect("ident")
        while self.accept(":"):
            self.expect(":")
            name += f"::{self.expect('ident')}"
        overload = self.expect("ident") if self.accept(".") else ""
        return name, overload

    def base(self) -> tuple[Any, Any]:
        if self.accept("("):
            parts = []
            while not self.accept(")"):
                parts.append(self.type()[0])
                self.accept(",")
            return T.TupleType(parts), self.alias()
        at = self.i
        name = self.expect("ident")
        if name == "__torch__":
            while self.accept("."):
                name += f".{self.expect('ident')}"
            return T.ClassType._named(name), None
        if name == "Dict":
            self.expect("(")
            key = self.type()[0]
            self.expect(",")
            value = self.type()[0]
            self.expect(")")
            return T.DictType(key, value), self.alias()
        if name in _WRAPPED:
            self.expect("(")
            found = _WRAPPED[name](self.type()[0])
            self.expect(")")
            return found, self.alias()
        if name[0] == "t" and name not in _BASE:  # a type variable
            return T._VarType(name), self.alias()
        if name not in _BASE:
            self.i = at
            raise self.error(
                "\nunknown type specifier. Common valid schema types include Tensor, SymInt, int, float, bool, Scalar "
            )
        return _BASE[name].get(), self.alias()

    def alias(self) -> Any:
        if not self.accept("("):
            return None
        before, after, write = set(), None, False
        while True:
            before.add(self.accept("*") or self.expect("ident"))
            if not self.accept("|"):
                break
        if self.accept("!"):
            write = True
        if self.accept("arrow"):
            after = set()
            while True:
                after.add(self.accept("*") or self.expect("ident"))
                if not self.accept("|"):
                    break
        self.expect(")")
        return _Alias(frozenset(before), frozenset(before if after is None else after), write)

    def type(self) -> tuple[Any, Any, Any, int | None]:
        """(type, alias of the value, alias of its elements, length of a list)."""
        found, alias = self.base()
        inner, size = None, None
        while True:
            if self.kind == "[":
                self.accept("[")
                number = self.accept("number")
                self.expect("]")
                size = int(number) if number is not None else None
                found = T.ListType(found)
                inner, alias = alias, (_Alias(frozenset(), frozenset(), alias.is_write) if alias is not None else None)
                if self.kind == "(":
                    alias = self.alias()
                if size is not None:  # a length ends the type but for "?"
                    if self.accept("?"):
                        found = T.OptionalType(found)
                    return found, alias, inner, size
            elif self.accept("?"):
                found = T.OptionalType(found)
            else:
                return found, alias, inner, size

    # ---- values

    def value(self, t: Any) -> Any:
        if isinstance(t, T.OptionalType):
            if self.kind == "ident" and self.tokens[self.i][1] == "None":
                self.i += 1
                return None
            return self.value(t._element)
        if isinstance(t, T.ListType) and self.accept("["):
            items = []
            while not self.accept("]"):
                items.append(self.value(t._element))
                self.accept(",")
            return items
        if (text := self.accept("string")) is not None:
            return re.sub(
                r"\\(.)", lambda m: {"n": "\n", "t": "\t", "f": "\f", "v": "\v", "r": "\r"}.get(m[1], m[1]), text[1:-1]
            )
        if (text := self.accept("number")) is not None:
            if self.kind == "+" and text[-1:] != "j":  # a real part
                self.accept("+")
                text = f"{text}+{self.expect('number')}".replace(".j", "j").replace(".+", "+")
            if text.endswith("j"):
                return complex(text)
            number: Any = float(text) if re.search(r"[.eE]", text) else int(text)
            return float(number) if isinstance(t, T.FloatType) else number
        name = self.expect("ident")
        if name in ("True", "False"):
            return name == "True"
        if name == "None":
            return None
        if name in ("inf", "nan"):
            return float(name)
        if name in _NAMED:
            return _NAMED[name]
        raise self.error(f"invalid default value {name!r}")

    def argument(self, kwarg_only: bool, is_return: bool) -> Argument:
        real, alias, inner, size = self.type()
        name = (self.accept("ident") or "") if is_return else self.expect("ident")
        default = _NOTHING
        if not is_return and self.accept("="):
            default = self.value(real)
            if size is not None and not isinstance(default, (list, type(None))):
                default = [default] * size
        is_out = kwarg_only and alias is not None and alias.is_write
        return Argument(name, real, alias, default, size, kwarg_only, is_out, inner)

    def schema(self) -> FunctionSchema:
        name, overload = self.name()
        if self.kind == "ident":
            raise self.error("expected eof but found 'ident' here")
        self.expect("(")
        arguments: list[Argument] = []
        named = vararg = False
        while not self.accept(")"):
            if self.accept("*"):
                named = True
            elif self.accept("dots"):
                vararg = True
            else:
                arguments.append(self.argument(named, False))
            if self.kind != ")":
                self.expect(",")
        if vararg and any(a.has_default_value() for a in arguments):
            raise self.error("\nschemas with vararg (...) can't have default value args")
        self.expect("arrow")
        returns: list[Argument] = []
        varret = self.accept("dots") is not None
        if not varret and self.accept("("):
            while not self.accept(")"):
                returns.append(self.argument(False, True))
                if self.kind != ")":
                    self.expect(",")
        elif not varret:
            returns.append(self.argument(False, True))
        self.expect("eof")
        return FunctionSchema(name, overload, arguments, returns, vararg, varret)


def parse_schema(schema: str, allow_typevars: bool = True) -> FunctionSchema:
    """Read an operator's schema.  Raises RuntimeError that shows the place where it cannot be read.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.parse_schema.html

    >>> import torsh
    >>> found = torsh.parse_schema("scale(Tensor self, float by=2, *, Tensor(a!)? out=None) -> Tensor")
    >>> [(a.name, str(a.type)) for a in found.arguments]
    [('self', 'Tensor'), ('by', 'float'), ('out', 'Optional[Tensor]')]
    """
    return _Reader(schema).schema()
