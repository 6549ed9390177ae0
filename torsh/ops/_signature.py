"""Signatures of public functions, read off code objects.

``inspect.signature`` takes five times as long, which counts for hundreds of ops at import.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def signature_with(fn: Callable[..., Any], extra: dict[str, Any]) -> inspect.Signature:
    """A function's signature with further keyword-only parameters (name -> default)."""
    return _LaterSignature(fn, extra)


class _LaterSignature(inspect.Signature):
    """A signature that is made when somebody looks: hundreds of ops have one, and few programs ask."""

    __slots__ = ("_found", "_source")
    _return_annotation = inspect.Signature.empty

    def __init__(self, fn: Callable[..., Any], extra: dict[str, Any]) -> None:
        self._source = fn, extra
        self._found: Any = None

    @property
    def _parameters(self) -> Any:
        if self._found is None:
            self._found = _signature_with(*self._source).parameters
        return self._found

    def replace(self, **changes: Any) -> inspect.Signature:  # type: ignore[override]
        """See ``inspect.Signature.replace``."""
        return _signature_with(*self._source).replace(**changes)

    def __reduce__(self) -> Any:
        return inspect.Signature, (tuple(self.parameters.values()),)


def _signature_with(fn: Callable[..., Any], extra: dict[str, Any]) -> inspect.Signature:
    while not hasattr(fn, "__signature__") and hasattr(fn, "__wrapped__"):
        fn = fn.__wrapped__
    known = getattr(fn, "__signature__", None)
    if known is not None:
        found = list(known.parameters.values())
    else:
        code, kind = fn.__code__, inspect.Parameter
        n, names = code.co_argcount, code.co_varnames
        defaults = (kind.empty,) * (n - len(fn.__defaults__ or ())) + (fn.__defaults__ or ())  # type: ignore[attr-defined]
        found = [
            _parameter(name, kind.POSITIONAL_ONLY if i < code.co_posonlyargcount else kind.POSITIONAL_OR_KEYWORD, d)
            for i, (name, d) in enumerate(zip(names[:n], defaults))
        ]
        after = n + code.co_kwonlyargcount
        if code.co_flags & inspect.CO_VARARGS:
            found.append(kind(names[after], kind.VAR_POSITIONAL))
            after += 1
        keyword = fn.__kwdefaults__ or {}  # type: ignore[attr-defined]
        found += [
            _parameter(name, kind.KEYWORD_ONLY, keyword.get(name, kind.empty))
            for name in names[n : n + code.co_kwonlyargcount]
        ]
        if code.co_flags & inspect.CO_VARKEYWORDS:
            found.append(kind(names[after], kind.VAR_KEYWORD))
    given = {p.name for p in found}
    at = len(found) - (bool(found) and found[-1].kind is inspect.Parameter.VAR_KEYWORD)
    found[at:at] = [_parameter(k, inspect.Parameter.KEYWORD_ONLY, v) for k, v in extra.items() if k not in given]
    return inspect.Signature(found, __validate_parameters__=False)


_parameters: dict[Any, inspect.Parameter] = {}


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    """A parameter; the same few come again and again, and making one is slow."""
    if default is not None and default is not inspect.Parameter.empty:
        return inspect.Parameter(name, kind, default=default)
    key = (name, kind, default)
    found = _parameters.get(key)
    if found is None:
        found = _parameters[key] = inspect.Parameter(name, kind, default=default)
    return found


def parameters_of(fn: Callable[..., Any]) -> list[str]:
    """Names of a plain function's parameters, without those of ``*args`` and ``**kwargs``."""
    code = fn.__code__
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


__all__ = ["parameters_of", "signature_with"]
