"""Hooks' handles, and what libraries import beside them.

Source: https://docs.pytorch.org/docs/stable/generated/torch.utils.hooks.RemovableHandle.html
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torsh.autograd.engine import RemovableHandle


def unserializable_hook(f: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a hook as one that pickling a tensor shall warn about and leave out.

    Source: https://docs.pytorch.org/docs/stable/index.html

    >>> from torsh.utils.hooks import unserializable_hook
    >>> @unserializable_hook
    ... def watch(grad):
    ...     return None
    >>> watch.__torch_unserializable__
    True
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn of each hook of a tensor that is not marked by :func:`unserializable_hook`.

    Source: https://docs.pytorch.org/docs/stable/index.html

    >>> import torsh
    >>> torsh.utils.hooks.warn_if_has_hooks(torsh.ones(1))
    """
    for hook in (tensor._hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the function with "
                "@torch.utils.hooks.unserializable_hook to suppress this warning",
                stacklevel=2,
            )


__all__ = ["OrderedDict", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]
