"""Schemas of custom operators: ``"ns::name(Tensor x, float a=2.) -> Tensor"``, parsed and inferred from annotations."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Tensor

MISSING: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of a schema.  kind: its type without mutation marks, e.g. ``Tensor?`` or ``int[]``."""

    name: str
    kind: str
    default: Any = MISSING
    kwarg_only: bool = False
    is_write: bool = False
    alias: str = ""

    def text(self, inferred: bool = False) -> str:
        """As PyTorch writes it; inferred schemas have Python's form of floats (``1.0``), parsed ones a short one (``1.``)."""
        kind = self.kind
        if self.alias:
            kind = kind.replace("Tensor", f"Tensor({self.alias}{'!' if self.is_write else ''})", 1)
        if self.default is MISSING:
            return f"{kind} {self.name}"
        value = repr(self.default) if inferred and isinstance(self.default, float) else _written(self.default)
        return f"{kind} {self.name}={value}"


@dataclass(frozen=True)
class Schema:
    """What an operator takes and gives."""

    name: str
    overload: str
    arguments: tuple[Argument, ...]
    returns: tuple[str, ...]
    single: bool = field(default=True)  # one result stands by itself; otherwise a tuple (or nothing)

    def __str__(self) -> str:
        return self.text()

    def text(self, inferred: bool = False) -> str:
        """The written form, as ``Argument.text``."""
        full = self.name + (f".{self.overload}" if self.overload else "")
        parts: list[str] = []
        for i, a in enumerate(self.arguments):
            if a.kwarg_only and (i == 0 or not self.arguments[i - 1].kwarg_only):
                parts.append("*")
            parts.append(a.text(inferred))
        returns = self.returns[0] if self.single else f"({', '.join(self.returns)})"
        return f"{full}({', '.join(parts)}) -> {returns}"

    @property
    def is_mutable(self) -> bool:
        """Whether it writes to an argument."""
        return any(a.is_write for a in self.arguments)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments in order; raises PyTorch's RuntimeError for a call that does not fit."""
        positional = [a for a in self.arguments if not a.kwarg_only]
        if len(args) > len(positional):
            raise RuntimeError(
                f"{self.name}() expected at most {len(positional)} argument(s) but received {len(args)} argument(s). "
                f"Declaration: {self}"
            )
        names = {a.name for a in self.arguments}
        for k in kwargs:
            if k not in names:
                raise RuntimeError(f"Unknown keyword argument '{k}' for operator '{self.name}'. Schema: {self}")
        found: list[Any] = []
        for i, a in enumerate(self.arguments):
            if i < len(args) and not a.kwarg_only:
                if a.name in kwargs:
                    raise RuntimeError(
                        f"Argument '{a.name}' specified both as positional and keyword argument. Schema: {self}"
                    )
                value = args[i]
            elif a.name in kwargs:
                value = kwargs[a.name]
            elif a.default is not MISSING:
                value = a.default
            else:
                raise RuntimeError(f"{self.name}() is missing value for argument '{a.name}'. Declaration: {self}")
            if not fits(a.kind, value):
                raise RuntimeError(
                    f"{self.name}() Expected a value of type '{_spoken(a.kind)}' for argument '{a.name}' but instead found type "
                    f"'{type(value).__name__}'.\nPosition: {i}\nValue: {value!r}\nDeclaration: {self}"
                )
            found.append(list(value) if a.kind.rstrip("?").endswith("]") and isinstance(value, tuple) else value)
        return tuple(found)

    def call(self, fn: Callable[..., Any], values: Iterable[Any]) -> Any:
        """Call a function with all arguments, keyword-only ones by name."""
        pairs = list(zip(self.arguments, values))
        return fn(*[v for a, v in pairs if not a.kwarg_only], **{a.name: v for a, v in pairs if a.kwarg_only})


_SPOKEN = {"SymInt": "int", "SymFloat": "float", "SymBool": "bool", "Scalar": "number", "ScalarType": "int"}


def _spoken(kind: str) -> str:
    if kind.endswith("?"):
        return f"Optional[{_spoken(kind[:-1])}]"
    if kind.endswith("]"):
        return f"List[{_spoken(kind[: kind.rindex('[')])}]"
    return _SPOKEN.get(kind, kind)


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a schema's type."""
    if kind.endswith("?"):
        return value is None or fits(kind[:-1], value)
    if kind.endswith("]"):
        item = kind[: kind.rindex("[")]
        if isinstance(value, (list, tuple)):
            return all(fits(item, v) for v in value)
        return kind[-2] != "[" and fits(item, value)  # int[2] takes one number for all
    if kind == "Tensor":
        return isinstance(value, Tensor)
    number = isinstance(value, (int, float)) or (isinstance(value, Tensor) and value.ndim == 0)
    if kind in ("int", "SymInt"):
        return isinstance(value, int) or (isinstance(value, Tensor) and value.ndim == 0)
    if kind in ("float", "SymFloat"):
        return number
    if kind == "Scalar":
        return number or isinstance(value, complex)
    if kind in ("bool", "SymBool"):
        return isinstance(value, (bool, int))
    if kind == "str":
        return isinstance(value, str)
    if kind == "ScalarType":
        return isinstance(value, (Dtype, int))
    if kind == "Device":
        return isinstance(value, (Device, str, int))
    return True


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return f"{int(value)}." if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_written(v) for v in value) + "]"
    return str(value).removeprefix("torch.").removeprefix("torsh.") if isinstance(value, Dtype) else str(value)


# ---- parsing -----------------------------------------------------------------------------------------------------------


def parse(text: str, namespace: str = "") -> Schema:
    """A schema from its written form.  Raises RuntimeError where it cannot be read."""
    from torsh.jit._schema import parse_schema

    found = parse_schema(text)
    name = found.name
    if namespace and "::" not in name:
        name = f"{namespace}::{name}"
    arguments = []
    for a in found.arguments:
        alias = a.inner_alias or a.alias_info
        arguments.append(Argument(
            a.name, a.kind, a.default_value if a.has_default_value() else MISSING, a.kwarg_only,
            alias is not None and alias.is_write, "" if alias is None else min(alias.before_set, default=""),
        ))  # fmt: skip
    single = not text.rpartition("->")[2].strip().startswith("(")
    return Schema(name, found.overload_name, tuple(arguments), tuple(r.kind for r in found.returns), single=single)


# ---- inferring ---------------------------------------------------------------------------------------------------------


def _number_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) is not None and set(typing.get_args(annotation)) == {int, float, bool}


def _kind(annotation: Any) -> str | None:
    """The schema type of an annotation, None where there is none."""
    import types as _types
    from collections.abc import Sequence

    if annotation is Tensor:
        return "Tensor"
    scalars = {int: "SymInt", float: "float", bool: "bool", str: "str", Dtype: "ScalarType", Device: "Device"}
    if isinstance(annotation, type) and annotation in scalars:
        return scalars[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, _types.UnionType):
        rest = [a for a in inner if a is not type(None)]
        if set(rest) == {int, float, bool} or set(rest) == {int, float, bool, complex}:
            base: str | None = "Scalar"
        else:
            base = _kind(rest[0]) if len(rest) == 1 else None
        return None if base is None else base + ("?" if len(rest) < len(inner) else "")
    if origin in (list, Sequence) and len(inner) == 1:
        item = _kind(inner[0])
        return None if item is None or item.endswith("]") else item + "[]"
    return None


def infer_schema(prototype_function: Callable[..., Any], /, *, mutates_args: Any, op_name: str | None = None) -> str:
    """The schema of a function, from its annotations.

    mutates_args: names of the tensor arguments the function writes to, or ``"unknown"`` for all.  op_name: put in front.
    Raises ValueError for a parameter or result without a (supported) annotation.
    Source: https://docs.pytorch.org/docs/stable/library.html

    >>> import torsh
    >>> def scale(x: torsh.Tensor, by: float = 2.0) -> torsh.Tensor: ...
    >>> torsh.library.infer_schema(scale, mutates_args=())
    '(Tensor x, float by=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function)
    where = f"Got func with signature {signature})"
    try:
        hints = typing.get_type_hints(prototype_function)
    except NameError as e:
        raise ValueError(f"infer_schema(func): Unsupported type annotation: {e}. It is not a type. {where}") from None
    if isinstance(mutates_args, str) and mutates_args != "unknown":
        raise ValueError(
            "mutates_args must either be a sequence of the names of the arguments that are mutated or the string 'unknown'. "
        )
    arguments: list[Argument] = []
    for name, p in signature.parameters.items():
        if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            raise ValueError(
                f"infer_schema(func): We do not support positional-only args, varargs, or varkwargs. {where}"
            )
        if p.annotation is MISSING:
            raise ValueError(f"infer_schema(func): Parameter {name} must have a type annotation. {where}")
        kind = _kind(hints[name])
        if kind is None:
            raise ValueError(
                f"infer_schema(func): Parameter {name} has unsupported type {p.annotation}. The valid types are: Tensor, int, float, "
                f"bool, str, torch.dtype, torch.device, torch.types.Number, Optional and Sequence or List of these. {where}"
            )
        if p.default is not MISSING and not (
            p.default is None or isinstance(p.default, (int, float, bool, str, Dtype, Device))
        ):
            raise ValueError(
                f"infer_schema(func): Parameter {name} has an unsupported default value type {type(p.default)}. Please file an issue "
                f"on GitHub so we can prioritize this. {where}"
            )
        written = kind.startswith("Tensor") and (mutates_args == "unknown" or name in mutates_args)
        if name in mutates_args and mutates_args != "unknown" and not kind.startswith("Tensor"):
            raise ValueError(
                f"infer_schema(func): Parameter {name} is in mutable_args but only Tensors or collections of Tensors can be mutated. "
                f"{where}"
            )
        alias = f"a{len(arguments)}" if written else ""
        arguments.append(Argument(name, kind, p.default, p.kind is p.KEYWORD_ONLY, written, alias))
    unknown = set() if mutates_args == "unknown" else set(mutates_args) - {a.name for a in arguments}
    if unknown:
        raise ValueError(
            f"infer_schema(func): {sorted(unknown)} in mutates_args were not found in the custom op's signature. mutates_args should "
            "contain the names of all args that the custom op mutates, or just the string 'unknown' if you don't know. "
        )
    if signature.return_annotation is MISSING:
        raise ValueError(f"infer_schema(func): No return type annotation was provided. Please add one. {where}")
    returns, single = _returns(hints.get("return"), where)
    return Schema(op_name or "", "", tuple(arguments), returns, single).text(inferred=True)


def _returns(annotation: Any, where: str) -> tuple[tuple[str, ...], bool]:
    if annotation is None or annotation is type(None):
        return (), False
    if typing.get_origin(annotation) is tuple:
        kinds = [_kind(a) for a in typing.get_args(annotation)]
        if all(kinds):
            return tuple(k for k in kinds if k), False
    kind = "Scalar" if _number_union(annotation) else _kind(annotation)
    if kind is None:
        raise ValueError(
            f"infer_schema(func): Return has unsupported type {annotation}. The valid types are: Tensor, List[Tensor], int, float, "
            f"bool, numbers, or a tuple of these. {where}"
        )
    return (kind,), True
