"""Rewriting modules as graphs.  There is no symbolic tracing in torsh: what needs it can be named, and says so when it is used.

Source: https://docs.pytorch.org/docs/stable/fx.html
"""

from __future__ import annotations

from typing import Any

# Functions that a tracer shall leave as they are.
_wrapped: list[Any] = []


def wrap(fn_or_name: Any) -> Any:
    """Mark a function (or the name of a global one) to be left as it is by symbolic tracing; gives it back.

    Source: https://docs.pytorch.org/docs/stable/fx.html#torch.fx.wrap

    >>> import torsh
    >>> @torsh.fx.wrap
    ... def half(x):
    ...     return x / 2
    >>> half(torsh.ones(1))
    tensor([0.5000])
    """
    if not (isinstance(fn_or_name, str) or callable(fn_or_name)):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    _wrapped.append(fn_or_name)
    return fn_or_name


_MISSING = frozenset(
    "CodeGen Graph GraphModule Interpreter Node PH ProxyableClassMeta Proxy Tracer Transformer has_side_effect map_arg replace_pattern "
    "symbolic_trace".split()
)


def __getattr__(name: str) -> Any:
    from torsh.compat import placeholders

    return placeholders.listed("torch.fx", _MISSING, name)
