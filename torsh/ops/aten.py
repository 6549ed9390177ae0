"""``torch.ops.aten.<op>.<overload>``: ops by the names and signatures that PyTorch's dispatcher gives them.

The signatures are in ``aten_schemas.txt``.  ``_aten_calls`` says which torsh op is which operator, and runs one by its name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torsh._custom_op import OpOverload as _OpOverload
from torsh._schema import Schema, parse
from torsh.ops import copies
from torsh.ops._op import OPS

# Where the op behind the function has another name.
_OTHER = {
    "mm": "mm_op",
    "bmm": "bmm_op",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "_to_copy": "to",
    "_convolution": "convolution",
    "_unsafe_view": "view",
}


@functools.cache
def _lines() -> dict[str, list[str]]:
    """The written schemas by the operator's name; parsed one by one when asked for, since all of them take a sixth of a second."""
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("aten_schemas.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name = line.lstrip("~").partition("(")[0].partition(".")[0]
            found.setdefault(name, []).append(line)
    return found


@functools.cache
def overloads(name: str) -> tuple[OpOverload, ...]:
    """All overloads of an operator, none for a name that is not in the table."""
    return tuple(
        OpOverload(parse("aten::" + line.lstrip("~")), line.startswith("~"), line) for line in _lines().get(name, ())
    )


class OpOverload(_OpOverload):
    """One overload of an operator: what ``__torch_dispatch__`` gets as ``func``, and what runs the op when it is called.

    implicit: whether PyTorch computes it with other operators, so that it is never handed to ``__torch_dispatch__`` there.
    """

    def __init__(self, schema: Schema, implicit: bool, text: str = "") -> None:
        self.schema, self.implicit, self._text = schema, implicit, text
        self.namespace, _, self._opname = schema.name.partition("::")
        self._overloadname = schema.overload or "default"
        self.__name__ = f"{self._opname}.{self._overloadname}"
        self.__qualname__ = self.__name__
        self.__module__ = f"torch._ops.{self.namespace}"
        self._run: Callable[..., Any] | None = None  # set where no function runs it (see ``_aten_calls``)

    @functools.cached_property
    def _schema(self) -> Any:  # type: ignore[override]
        """The signature, as ``torch._C.FunctionSchema``."""
        from torsh.jit._schema import parse_schema

        return parse_schema(f"{self.namespace}::{self._text.lstrip('~')}" if self._text else str(self.schema))

    @property
    def overloadpacket(self) -> Any:
        """The operator with all its overloads."""
        if self.namespace != "aten":
            return self
        return globals().get(self._opname) or __getattr__(self._opname)

    _overloadpacket = overloadpacket

    @property
    def is_view(self) -> bool:
        """Whether the result looks at the memory of an argument and nothing is written."""
        aliases = [a.alias for a in self.schema.arguments if a.alias]
        return bool(aliases) and not self.schema.is_mutable

    @property
    def tags(self) -> list[Any]:
        """What is known about the operator, as ``torch.Tag``; torsh knows little."""
        from torsh._dispatch_keys import Tag

        found = []
        if self.schema.is_mutable:
            found.append(Tag["inplace"])
        op = OPS.get(self._opname)
        if op is not None:
            found += [Tag[n] for n in ("pointwise", "reduction") if n in op.tags]
        return found

    def name(self) -> str:
        full = self.schema.name
        return f"{full}.{self.schema.overload}" if self.schema.overload else full

    _name = property(name)

    @property
    def op(self) -> Any:
        """The torsh op of that name, where there is one."""
        return OPS.get(_OTHER.get(self._opname, self._opname))

    def has_kernel_for_dispatch_key(self, key: Any) -> bool:
        """Whether PyTorch has a function of its own for a key; known here is only which operators are composed."""
        return (str(key).endswith("CompositeImplicitAutograd")) is self.implicit

    def decompose(self, *args: Any, **kwargs: Any) -> Any:
        """Compute with other operators where PyTorch does, NotImplemented for any other operator."""
        return self(*args, **kwargs) if self.implicit else NotImplemented

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        from torsh.ops import _aten_calls

        return _aten_calls.run(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.namespace}.{self._opname}', overload='{self._overloadname}')>"

    def __deepcopy__(self, memo: Any) -> OpOverload:
        return self

    def __reduce__(self) -> Any:
        return (_named, (self._opname, self._overloadname))


def _named(name: str, overload: str) -> OpOverload:
    return getattr(__getattr__(name), overload)  # type: ignore[no-any-return]


def _packet(name: str) -> OpOverloadPacket:
    return globals().get(name) or __getattr__(name)  # type: ignore[no-any-return]


class OpOverloadPacket:
    """An operator: its attributes ``default``, ``Tensor``, ``Scalar``, ... are its overloads; calling it runs the one that fits."""

    def __init__(self, name: str, op: Any) -> None:
        self.__name__, self._op = name, op
        self.__module__ = "torch.ops.aten"
        self._qualified_op_name = f"aten::{name}"
        for overload in overloads(name):
            setattr(self, overload._overloadname, overload)

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return [o._overloadname for o in overloads(self.__name__)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if overloads(self.__name__):
            raise AttributeError(f"The underlying op of 'aten.{self.__name__}' has no overload name '{name}'")
        return self._op

    def __deepcopy__(self, memo: Any) -> OpOverloadPacket:
        return self

    def __reduce__(self) -> Any:
        return (_packet, (self.__name__,))

    def __iter__(self) -> Any:
        return iter(self.overloads())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        op = getattr(self._op, "fn", None) or self._op
        if op is not None and not isinstance(self._op, OpOverloadPacket):
            return op(*args, **kwargs)
        from torsh.ops import _aten_calls

        return _aten_calls.choose(self.__name__, args, kwargs)(*args, **kwargs)

    def __str__(self) -> str:
        return f"aten.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


# Names behind which there is no op of torsh, but a function.
_FUNCTIONS = {"alias": copies._alias, "_pin_memory": lambda self, device=None: self.pin_memory(device)}


def __dir__() -> list[str]:
    return sorted(_lines())


def __getattr__(name: str) -> Any:
    op: Any = next((OPS[n] for n in (_OTHER.get(name), name) if n in OPS), None)
    if op is None and name.endswith("_") and name[:-1] in OPS:
        op = OPS[name[:-1]].inplace
    if op is None:
        op = _FUNCTIONS.get(name)
    if op is None and name.startswith("_") and not name.startswith("__") and name not in _lines():
        # PyTorch's inner ops: libraries name them in tables of what they handle, few call them.
        from torsh.compat import placeholders

        return placeholders.missing(f"torch.ops.aten.{name}")
    if op is None and name not in _lines():
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}': torsh has no op of that name")
    packet = globals()[name] = OpOverloadPacket(name, op)
    return packet
