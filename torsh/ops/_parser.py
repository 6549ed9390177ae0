"""What PyTorch's argument parser makes of a call: asked when a call has failed, so that calls that work pay nothing.

The operators' signatures (``aten_schemas.txt``) say which types an argument may have.  NumPy's numbers and tensors of one element
stand for numbers; what fits no signature is a TypeError that names the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from torsh import dtypes
from torsh._schema import Argument, Schema
from torsh.device import device as Device
from torsh.memory_format import layout as Layout
from torsh.memory_format import memory_format as MemoryFormat
from torsh.ops._args import type_name
from torsh.random import Generator
from torsh.tensor import Tensor

# Keywords of Python's functions that the operators do not know.
_OUTSIDE = frozenset(("out", "requires_grad"))

# How messages call the types of signatures.
_SAID = {
    "Scalar": "Number", "SymInt": "int", "ScalarType": "torch.dtype", "Layout": "torch.layout", "Device": "torch.device",
    "MemoryFormat": "torch.memory_format", "Generator": "torch.Generator", "Dimname": "name",
}  # fmt: skip

_OTHER_TYPES: dict[str, tuple[type, ...]] = {
    "Tensor": (Tensor,), "bool": (bool, np.bool_), "str": (str,), "ScalarType": (dtypes.dtype, type), "Layout": (Layout,),
    "Device": (Device, str, int), "MemoryFormat": (MemoryFormat,), "Generator": (Generator,), "Dimname": (),
}  # fmt: skip


class Refused(Exception):
    """A value is not of the type that a signature wants; the text says in the parser's words what it should have been.

    In some cases the parser speaks of the value alone, with no name of an argument: then that error is the cause.
    """


class _DoesNotFit(Exception):
    """A signature takes another number of arguments or other keywords."""


def reparsed(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], paths: Sequence[str]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments with plain numbers where the call had NumPy's or tensors of one element; None where nothing changes.

    Raises TypeError (ValueError for integers of more than 64 bits) with PyTorch's message for arguments that no signature takes.
    """
    own, signatures = _signatures(fn, paths)
    refusals: list[tuple[Schema, Argument, int | None, Refused]] = []
    for schema in signatures:
        try:
            found = _bound(schema, args, kwargs, own, refusals)
        except _DoesNotFit:
            continue
        if found is not None:
            return found if _changed(found, args, kwargs) else None
    if not refusals:
        return None
    for _, _, _, why in refusals:
        if why.__cause__ is not None:
            raise why.__cause__
    refusals = [r for r in refusals if not _is_for_numbers(r[0], [other for other, *_ in refusals])]
    schema, argument, position, why = refusals[0]
    name = schema.name.partition("::")[2]
    if len(refusals) == 1:
        method = not any(p.startswith("torch.") for p in paths)
        where = "" if position is None or " unpack " in str(why) else f" (position {position + 1 - method})"
        raise TypeError(f"{name}(): argument '{_called(argument)}'{where} {why}") from None
    got = ", ".join([*map(type_name, args), *(f"{k}={type_name(v)}" for k, v in kwargs.items())])
    forms = "\n".join(f" * ({_form(schema)})" for schema, *_ in refusals)
    raise TypeError(
        f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n{forms}"
    ) from None


def _signatures(fn: Callable[..., Any], paths: Sequence[str]) -> tuple[tuple[str, ...], list[Schema]]:
    """The function's parameters and the signatures of the operator behind it: none where its positional ones are others."""
    from torsh.ops.aten import overloads

    code = getattr(fn, "__wrapped__", fn).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = own[1 : code.co_argcount]  # the first is self, input, ...
    for path in paths:
        space, _, name = path.rpartition(".")
        if space.startswith("torch.signal"):  # windows have the names of other operators: exponential
            continue
        prefix = space.removeprefix("torch.") if space in ("torch.linalg", "torch.fft", "torch.special") else ""
        found = [o.schema for o in overloads(f"{prefix}_{name}" if prefix else name)]
        for schema in found:
            names = tuple(_called(a) for a in schema.arguments[1:] if not a.kwarg_only)
            if names[: len(positional)] == positional[: len(names)]:
                return own, found
    return own, []


def _is_for_numbers(schema: Schema, schemas: Sequence[Schema]) -> bool:
    """Whether a signature is another one for numbers as the second operand, which Python's functions do not have of their own."""
    tensors = [(a.name, "Tensor" if a.name == "other" else a.kind) for a in schema.arguments]
    return any(schema is not other and tensors == [(a.name, a.kind) for a in other.arguments] for other in schemas)


def _bound(
    schema: Schema, args: tuple[Any, ...], kwargs: dict[str, Any], own: Sequence[str], refusals: list[Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The call's arguments as a signature takes them; None (and an entry in ``refusals``) where the type of one is wrong."""
    positional = [a for a in schema.arguments if not a.kwarg_only]
    named = {_called(a): a for a in schema.arguments}
    rest: tuple[Any, ...] = ()
    size = next((i for i, a in enumerate(positional[:2]) if a.kind.endswith("]")), len(args))
    if size < len(args) and size + 1 == len(positional) and all(_is_int(x) for x in args[size:]):
        args, rest = args[:size], args[size:]  # given number by number
    elif len(args) > len(positional):
        raise _DoesNotFit
    given = {_called(a) for a in positional[: len(args)]}
    if any((k not in named and k not in own and k not in _OUTSIDE) or k in given for k in kwargs):
        raise _DoesNotFit
    taken = [*zip(positional, args, range(len(args))), *((named[k], v, None) for k, v in kwargs.items() if k in named)]
    values: dict[str, Any] = {}
    for argument, value, position in taken:
        try:
            values[_called(argument)] = _taken(argument.kind, value, schema.arguments.index(argument))
        except Refused as why:
            refusals.append((schema, argument, position, why))
            return None
    return (*(values[_called(a)] for a in positional[: len(args)]), *rest), {
        k: values.get(k, v) for k, v in kwargs.items()
    }


def _taken(kind: str, value: Any, place: int) -> Any:
    """A value as the argument of a type at a place; raises Refused where it is none."""
    if kind.endswith("?"):
        return None if value is None else _taken(kind[:-1], value, place)
    if kind.endswith("]"):
        return _list_taken(kind, value, place)
    number = isinstance(value, np.number) or (
        isinstance(value, Tensor) and value.ndim == 0 and not value._rg and value.device.type != "meta"
    )
    if kind in ("int", "SymInt"):
        if _is_int(value):
            if not -(1 << 63) <= value < 1 << 63:
                raise Refused from ValueError("Overflow when unpacking long long")
            return value
        if isinstance(value, np.integer) or (number and isinstance(value, Tensor) and not value._kind.inexact):
            return int(value)
    elif kind in ("float", "SymFloat", "Scalar"):
        if isinstance(value, (int, float)) or (kind == "Scalar" and isinstance(value, complex)):
            return value
        if number and (kind == "Scalar" or not _is_complex(value)):
            return value.item()
    elif kind not in _OTHER_TYPES or isinstance(value, _OTHER_TYPES[kind]):
        return value
    raise Refused(f"must be {_said(kind)}, not {type_name(value)}")


def _list_taken(kind: str, value: Any, place: int) -> Any:
    item, count = kind[: kind.rindex("[")], kind[kind.rindex("[") + 1 : -1]
    if not isinstance(value, (list, tuple)):
        if count:  # one number stands for all
            try:
                return _taken(item, value, place)
            except Refused as why:
                if why.__cause__ is not None:
                    raise
        raise Refused(f"must be {_said(kind)}, not {type_name(value)}")
    found = []
    for i, x in enumerate(value):
        try:
            found.append(_taken(item, x, place))
        except Refused as why:
            if item == "Tensor":
                raise Refused from TypeError(
                    f"expected Tensor as element {i} in argument {place}, but got {type_name(x)}"
                )
            if i == 0 and why.__cause__ is None:
                raise Refused(f"must be {_said(kind)}, but found element of type {type_name(x)} at pos 0") from None
            reason = why.__cause__ or f"type must be {_said(kind)},but got {type_name(x)}"
            raise Refused(f'failed to unpack the object at pos {i + 1} with error "{reason}"') from None
    return value if all(x is y for x, y in zip(found, value)) else type(value)(found)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_complex(value: Any) -> bool:
    return value._kind.complex if isinstance(value, Tensor) else isinstance(value, np.complexfloating)


def _called(argument: Argument) -> str:
    """An argument's name in Python."""
    return "input" if argument.name == "self" else argument.name


def _said(kind: str) -> str:
    kind = kind.rstrip("?")
    if kind.endswith("]"):
        return f"tuple of {_said(kind[: kind.rindex('[')])}s"
    return _SAID.get(kind, kind)


def _form(schema: Schema) -> str:
    """A signature as Python's functions are called."""
    parts = []
    for i, a in enumerate(schema.arguments):
        if a.kwarg_only and not schema.arguments[i - 1].kwarg_only:
            parts.append("*")
        parts.append(f"{_said(a.kind)} {_called(a)}")
    return ", ".join(parts)


def _changed(found: tuple[tuple[Any, ...], dict[str, Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(x is not y for x, y in zip(found[0], args)) or any(v is not kwargs[k] for k, v in found[1].items())
