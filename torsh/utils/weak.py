"""Weak references and dictionaries that go by identity: tensors compare elementwise, so ``weakref``'s own cannot hold them.

Source: https://docs.pytorch.org/docs/stable/index.html
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any


class WeakIdRef(weakref.ref):  # type: ignore[type-arg]
    """A weak reference whose hash is the object's identity; equal to another while both live if they mean one object.

    Source: https://docs.pytorch.org/docs/stable/index.html

    >>> import torsh
    >>> from torsh.utils.weak import WeakIdRef
    >>> x = torsh.ones(2)
    >>> WeakIdRef(x) == WeakIdRef(x), WeakIdRef(x) == WeakIdRef(torsh.ones(2))
    (True, False)
    """

    __slots__ = ["_id"]

    def __init__(self, key: Any, callback: Callable[[Any], Any] | None = None) -> None:
        self._id = id(key)
        super().__init__(key, callback)  # type: ignore[call-arg]

    def __call__(self) -> Any:
        found = super().__call__()
        fix = getattr(found, "_fix_weakref", None)
        if fix is not None:
            fix()
        return found

    def __hash__(self) -> int:
        return self._id

    def __eq__(self, other: object) -> bool:
        a = self()
        b = other() if isinstance(other, weakref.ref) else None
        if a is not None and b is not None:
            return a is b
        return self is other

    def __ne__(self, other: object) -> bool:
        return not self == other


class WeakIdKeyDictionary(MutableMapping[Any, Any]):
    """A dictionary by identity that does not keep its keys alive.

    Source: https://docs.pytorch.org/docs/stable/index.html

    >>> import torsh
    >>> from torsh.utils.weak import WeakIdKeyDictionary
    >>> names = WeakIdKeyDictionary()
    >>> x = torsh.ones(2)
    >>> names[x] = "x"
    >>> x in names, torsh.ones(2) in names
    (True, False)
    >>> del x
    >>> len(names)
    0
    """

    def __init__(self, dict: Any = None, ref_type: Callable[..., Any] = WeakIdRef) -> None:
        self.ref_type = ref_type
        self.data: Any = {}
        own = weakref.ref(self)

        def forget(reference: Any) -> None:
            found = own()
            if found is not None:
                found.data.pop(reference, None)

        self._forget = forget
        if dict is not None:
            self.update(dict)

    def __delitem__(self, key: Any) -> None:
        del self.data[self.ref_type(key)]

    def __getitem__(self, key: Any) -> Any:
        return self.data[self.ref_type(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.data[self.ref_type(key, self._forget)] = value

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        for reference in list(self.data):
            key = reference()
            if key is not None:
                yield key

    def __contains__(self, key: object) -> bool:
        try:
            return self.ref_type(key) in self.data
        except TypeError:  # what cannot be referred to weakly is in no such dictionary
            return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x}>"

    def copy(self) -> WeakIdKeyDictionary:
        """Another dictionary with the same entries."""
        found = type(self)(ref_type=self.ref_type)
        for key, value in self.items():
            found[key] = value
        return found

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> WeakIdKeyDictionary:
        from copy import deepcopy

        found = type(self)(ref_type=self.ref_type)
        for key, value in self.items():
            found[key] = deepcopy(value, memo)
        return found

    def keyrefs(self) -> list[Any]:
        """The references to the keys; what they refer to may be gone by the time they are called."""
        return list(self.data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MutableMapping):
            return NotImplemented
        return {id(k): v for k, v in self.items()} == {id(k): v for k, v in other.items()}

    __hash__ = None  # type: ignore[assignment]

    def __ior__(self, other: Any) -> WeakIdKeyDictionary:
        self.update(other)
        return self

    def __or__(self, other: Any) -> WeakIdKeyDictionary:
        found = self.copy()
        found.update(other)
        return found


WeakTensorKeyDictionary = WeakIdKeyDictionary


class TensorWeakRef:
    """A weak reference to a tensor: calling it gives the tensor, None once it is gone.

    Source: https://docs.pytorch.org/docs/stable/index.html

    >>> import torsh
    >>> x = torsh.ones(1)
    >>> reference = torsh.utils.weak.TensorWeakRef(x)
    >>> reference() is x
    True
    """

    __slots__ = ["ref"]

    def __init__(self, tensor: Any) -> None:
        from torsh.tensor import Tensor

        if not isinstance(tensor, Tensor):
            raise AssertionError(f"expected torch.Tensor, got {type(tensor)}.")
        self.ref = weakref.ref(tensor)

    def __call__(self) -> Any:
        return self.ref()


__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakIdRef", "WeakTensorKeyDictionary"]
