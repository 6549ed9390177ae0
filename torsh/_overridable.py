"""Which functions ``__torch_function__`` is asked for, found by walking the public namespaces.

A function is overridable if it is an op's, one that says so (``_asking.overridable``), or a member of Tensor that asks.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from torsh import _asking
from torsh.tensor import Tensor

_NAMESPACES = ("", "functional", "nn.functional", "nn.init", "linalg", "fft", "special")
# Creation functions take no tensor (the others have a name that says "like" or "new").
_NO_TENSOR = frozenset({"creation"})


def _namespaces() -> Iterator[tuple[str, Any]]:
    for name in _NAMESPACES:
        yield ".".join(filter(None, ("torch", name))), importlib.import_module(".".join(filter(None, ("torsh", name))))


def _takes_tensors(fn: Callable[..., Any]) -> bool:
    op: Any = getattr(fn, "op", None)
    if op is None:
        return True
    first = next(iter(inspect.signature(fn).parameters.values()), None)
    if first is None or first.name == "indices":
        return False
    return not op.tags & _NO_TENSOR or first.name in ("input", "self")


def _asks(fn: Any, attached: set[int]) -> bool:
    return (hasattr(fn, "op") or hasattr(fn, "_overridable") or id(fn) in attached) and _takes_tensors(fn)


@functools.cache
def table() -> tuple[dict[Any, list[Any]], dict[Any, str], frozenset[Any]]:
    """Overridable functions by namespace, names of all public functions, and those nobody can override."""
    from torsh.ops import NAMES

    attached = {id(f) for names in NAMES.values() for f in names.values()}
    found: dict[Any, list[Any]] = defaultdict(list)
    names: dict[Any, str] = {}
    ignored = set()
    for path, namespace in _namespaces():
        listed = getattr(namespace, "__all__", None) or dir(namespace)
        for name in sorted({*listed, *NAMES.get(path.removeprefix("torch.") if path == "torch" else path, {})}):
            function = getattr(namespace, name, None)
            if (
                name.startswith("__")
                or inspect.isclass(function)
                or inspect.ismodule(function)
                or not callable(function)
            ):
                continue
            if _hashable(function):
                names.setdefault(function, f"{path}.{name}")
                if not (name[0] == "_" or name[-1] == "_" or not name[0].islower()) or hasattr(
                    function, "_overridable"
                ):
                    if _asks(function, attached):
                        found[namespace].append(function)
                    else:
                        ignored.add(function)
    for name, value in _asking.properties():
        names[value.__get__], names[value.__set__] = f"torch.Tensor.{name}.__get__", f"torch.Tensor.{name}.__set__"  # type: ignore[attr-defined]
        found[value].append(value.__get__)
    for name, value in vars(Tensor).items():
        if inspect.isfunction(value) and (not name.startswith("_") or name.startswith("__")):
            names.setdefault(value, f"torch.Tensor.{name}")
            (ignored.add if name in _asking.IGNORED - _asking.ASKING else found[Tensor].append)(value)
    return found, names, frozenset(ignored - {f for group in found.values() for f in group})


def _hashable(x: Any) -> bool:
    return type(x).__hash__ is not None


@functools.cache
def members() -> frozenset[Any]:
    """Tensor's overridable methods."""
    return frozenset(table()[0][Tensor])


@functools.cache
def stand_ins() -> dict[Any, Callable[..., Any]]:
    """For every overridable function one with the same parameters that gives -1."""
    made: dict[Any, Callable[..., Any]] = {}
    for group in table()[0].values():
        for function in group:
            made[function] = _stand_in(function)
    return made


def _stand_in(function: Any) -> Callable[..., Any]:
    signature = _PROPERTY if getattr(function, "__name__", "") == "__get__" else inspect.signature(function)

    def given(*args: Any, **kwargs: Any) -> int:
        return -1

    given.__name__ = given.__qualname__ = getattr(function, "__name__", "given")
    given.__signature__ = signature  # type: ignore[attr-defined]
    return given


_PROPERTY = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)])
