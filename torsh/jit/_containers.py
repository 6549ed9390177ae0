"""Lists and dictionaries of one element type, which TorchScript passes by reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torsh._errors import JITException
from torsh.jit import _types as T
from torsh.tensor import Tensor

_TYPES: dict[type, Any] = {
    bool: T.BoolType,
    int: T.IntType,
    float: T.FloatType,
    complex: T.ComplexType,
    str: T.StringType,
    type(None): T.NoneType,
}


def _type_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return T.TensorType.get()
    found = _TYPES.get(type(value))
    if found is not None:
        return found.get()
    if isinstance(value, tuple):
        return T.TupleType([_type_of(v) for v in value])
    if isinstance(value, (list, ScriptList)):
        return T.ListType(_one_type(list(value), "list", "element"))
    if isinstance(value, (dict, ScriptDict)):
        items = dict(value.items())
        return T.DictType(
            _one_type(list(items), "dictionary", "key"), _one_type(list(items.values()), "dictionary", "value")
        )
    raise JITException(f"Unable to infer the type of {value!r}: TorchScript has none for {type(value).__name__}")


def _one_type(values: list[Any], what: str, part: str) -> Any:
    if not values:
        return T.TensorType.get()
    found = _type_of(values[0])
    for v in values[1:]:
        other = _type_of(v)
        if other != found:
            raise JITException(
                f"Unable to infer type of {what}: all of its {part}s must have one type. Found {found} and {other}"
            )
    return found


class ScriptListIterator:
    """Goes over a ScriptList.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._items)


class ScriptDictIterator(ScriptListIterator):
    """Goes over the (key, value) pairs of a ScriptDict.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """


class ScriptDictKeyIterator(ScriptListIterator):
    """Goes over the keys of a ScriptDict.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """


class ScriptList:
    """A list whose elements have one type; TypeError for others.  An empty one takes tensors.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.ScriptList([1, 2])
    >>> x.append(3)
    >>> x
    [1, 2, 3]
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = list(items)
        self._type = _one_type(self._items, "list", "element")

    def _check(self, value: Any) -> Any:
        if not _type_of(value).isSubtypeOf(self._type):
            raise TypeError(f"expected a value of type {self._type}, got {value!r}")
        return value

    def __getitem__(self, i: Any) -> Any:
        found = self._items[i]
        return ScriptList._of(found, self._type) if isinstance(i, slice) else found

    @classmethod
    def _of(cls, items: list[Any], kind: Any) -> ScriptList:
        found = cls.__new__(cls)
        found._items, found._type = items, kind
        return found

    def __setitem__(self, i: Any, value: Any) -> None:
        self._items[i] = [self._check(v) for v in value] if isinstance(i, slice) else self._check(value)

    def __delitem__(self, i: Any) -> None:
        del self._items[i]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> ScriptListIterator:
        return ScriptListIterator(self._items)

    def __contains__(self, value: Any) -> bool:
        return value in self._items

    def __repr__(self) -> str:
        return repr(self._items)

    def append(self, value: Any) -> None:
        """One more element."""
        self._items.append(self._check(value))

    def extend(self, values: Iterable[Any]) -> None:
        """More elements."""
        self._items.extend([self._check(v) for v in values])

    def insert(self, i: int, value: Any) -> None:
        """An element before a position."""
        self._items.insert(i, self._check(value))

    def pop(self, i: int = -1) -> Any:
        """Take an element out."""
        return self._items.pop(i)

    def remove(self, value: Any) -> None:
        """Take the first such element out; ValueError where there is none."""
        self._items.remove(value)

    def count(self, value: Any) -> int:
        """How many such elements there are."""
        return self._items.count(value)

    def clear(self) -> None:
        """Take all elements out."""
        self._items.clear()


class ScriptDict:
    """A dictionary whose keys have one type and whose values have one; TypeError for others.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.ScriptDict({"a": 1})
    >>> x["b"] = 2
    >>> dict(x.items())
    {'a': 1, 'b': 2}
    """

    def __init__(self, items: dict[Any, Any]) -> None:
        self._items = dict(items)
        self._key = _one_type(list(self._items), "dictionary", "key") if items else None
        self._value = _one_type(list(self._items.values()), "dictionary", "value") if items else None

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._key is None:
            self._key, self._value = _type_of(key), _type_of(value)
        if not _type_of(key).isSubtypeOf(self._key) or not _type_of(value).isSubtypeOf(self._value):
            raise TypeError(
                f"expected a key of type {self._key} and a value of type {self._value}, got {key!r} and {value!r}"
            )
        self._items[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._items[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> ScriptDictKeyIterator:
        return ScriptDictKeyIterator(self._items)

    def keys(self) -> ScriptDictKeyIterator:
        """The keys."""
        return ScriptDictKeyIterator(self._items)

    def items(self) -> ScriptDictIterator:
        """(key, value) pairs."""
        return ScriptDictIterator(self._items.items())

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{k}: {v}' for k, v in self._items.items())}}}"
