"""PyTorch as a backend while its name belongs to torsh.

A process has one ``sys.modules["torch"]``.  When PyTorch is loaded as a backend before the alias is installed, its modules
are taken out of ``sys.modules`` and kept here.  Imports of ``torch...`` made by PyTorch's own code or by the backend's
(functions import late) are answered from this store; everybody else gets torsh.
"""

from __future__ import annotations

import builtins
import sys
import threading
from types import ModuleType
from typing import Any

_ROOTS = ("torch", "torchgen", "functorch")
_hidden: dict[str, ModuleType] = {}
_lock = threading.RLock()
_python_import = builtins.__import__


def _belongs(name: str) -> bool:
    return name in _ROOTS or name.startswith(("torch.", "torchgen.", "functorch."))


def hide() -> None:
    """Move PyTorch's modules out of ``sys.modules``."""
    for name in [n for n in sys.modules if _belongs(n)]:
        _hidden[name] = sys.modules.pop(name)


def watch() -> None:
    """Answer imports of torch by PyTorch's own code, and by the backend's, with PyTorch."""
    builtins.__import__ = _import


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if globals is not None and (level or name.startswith(_ROOTS)) and _inside(globals):
        if name == "torch" and not fromlist and level == 0 and "torch" in _hidden:
            return _hidden["torch"]
        return _import_real(name, globals, locals, fromlist, level)
    return _python_import(name, globals, locals, fromlist, level)


def _inside(globals: Any) -> bool:
    """Whether code with these globals is PyTorch's or the backend's."""
    caller = globals.get("__name__") or ""
    if caller.startswith("torsh_torch"):
        return True
    module = _hidden.get(caller)
    return (
        module is not None
        and module.__dict__ is globals
        or (_belongs(caller) and not hasattr(sys.modules.get(caller), "__torsh__") and _from_torch(globals))
    )


def _from_torch(globals: Any) -> bool:
    root = _hidden.get("torch")
    path = globals.get("__file__")
    return bool(root is not None and path and root.__file__ and path.startswith(root.__file__.rsplit("__init__", 1)[0]))


def _import_real(name: str, globals: Any, locals: Any, fromlist: Any, level: int) -> Any:
    """An import with PyTorch's modules in place; what it loads goes to the store as well."""
    with _lock:
        alias = {n: sys.modules.pop(n) for n in list(sys.modules) if _belongs(n)}
        from torsh import compat

        finders = sys.meta_path[:]
        sys.meta_path[:] = [f for f in finders if f is not compat._finder]
        sys.modules.update(_hidden)
        try:
            return _python_import(name, globals, locals, fromlist, level)
        finally:
            hide()
            sys.meta_path[:] = finders
            sys.modules.update(alias)
