"""``__dict__`` of a tensor: what programs and subclasses have put there.  Programs copy it from one tensor to another, so torsh's own
attributes, which lie in the same dictionary, must not show.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, MutableMapping
from typing import Any


class HasDictionary:
    """What tensors get their dictionary from."""


_descriptor = HasDictionary.__dict__["__dict__"]
held = _descriptor.__get__  # a tensor's whole dictionary
hold = _descriptor.__set__


@functools.cache
def internal() -> frozenset[str]:
    """The names under which torsh keeps something of its own."""
    from torsh.tensor import Tensor

    known = {n for n in vars(Tensor) if n.startswith("_") and not n.startswith("__")}
    return frozenset(known | set(Tensor.__annotations__) | {"_memory", "_counted", "_grad_dtype", "_wrapped_layout"})


class Attributes(MutableMapping[str, Any]):
    """A tensor's attributes but torsh's own; changes are the tensor's."""

    __slots__ = ("_held",)

    def __init__(self, t: Any) -> None:
        self._held = held(t)

    def __getitem__(self, name: str) -> Any:
        if name in internal():
            raise KeyError(name)
        return self._held[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name in internal():
            raise KeyError(f"{name} is one of torsh's own attributes")
        self._held[name] = value

    def __delitem__(self, name: str) -> None:
        if name in internal():
            raise KeyError(name)
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        return (n for n in list(self._held) if n not in internal())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def copy(self) -> dict[str, Any]:
        """The attributes in a dictionary of their own."""
        return dict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(self), memo)

    def __or__(self, other: Any) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Any) -> dict[str, Any]:
        return {**other, **self}


class Dictionary:
    """The descriptor that is ``Tensor.__dict__`` for objects."""

    def __get__(self, t: Any, owner: Any = None) -> Any:
        return self if t is None else Attributes(t)

    def __set__(self, t: Any, values: Any) -> None:
        new = dict(values)
        own = Attributes(t)
        for name in list(own):
            del own[name]
        own.update({n: v for n, v in new.items() if n not in internal()})


class TensorMeta(type):
    """The type of tensor classes: each gets that descriptor, as other base classes bring a ``__dict__`` of their own."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        return super().__new__(cls, name, bases, {"__dict__": _dictionary, **namespace}, **options)


_dictionary = Dictionary()
