"""The ``torch`` alias: programs that say ``import torch`` get torsh.

``install()`` puts a finder in front of Python's own that answers ``torch`` and its submodules with torsh's modules (the same
objects, not copies), gives the classes the name they have in PyTorch, and lets ``importlib.metadata`` answer for the
distribution ``torch``.  ``run`` executes a program that way; it is what ``torsh run`` calls.

PyTorch itself may sit below as a backend: then its modules are kept aside, and only they and the backend's own code see
them (``torsh.compat._real``).
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import runpy
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from torsh import dtypes, version


class _Finder(importlib.abc.MetaPathFinder):
    """Answers ``torch``, ``torch.nn``, ... with ``torsh``, ``torsh.nn``, ..., and ``functorch`` with the package of that name here."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname == "functorch" or fullname.startswith(
            "functorch."
        ):  # a package of its own in PyTorch's distribution
            own = "torsh.compat." + fullname
        elif fullname == "torch" or fullname.startswith("torch."):
            own = "torsh" + fullname[5:]
        else:
            return None
        try:
            found = importlib.util.find_spec(own)
        except ModuleNotFoundError:
            found = None
        if found is None:
            from torsh.compat import placeholders

            if not placeholders.exists(fullname):
                return None
            return importlib.machinery.ModuleSpec(fullname, placeholders.Loader(), is_package=True)
        return importlib.machinery.ModuleSpec(
            fullname, _Loader(own), is_package=found.submodule_search_locations is not None
        )

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        """``importlib.metadata.version("torch")`` must answer, as libraries ask it instead of the module."""
        name = getattr(context, "name", None)
        return [_Distribution()] if name == "torch" else []


class _Loader(importlib.abc.Loader):
    """Hands out torsh's module as it is."""

    def __init__(self, own: str) -> None:
        self.own = own

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.own)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has just replaced it by the alias's
        _sync()


class _Distribution(importlib.metadata.Distribution):
    """The installed distribution ``torch``, as far as programs ask for it: its name and version."""

    def read_text(self, filename: str) -> str | None:
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {version.API}\n"
        return None

    def locate_file(self, path: Any) -> Any:
        import pathlib

        return pathlib.Path(__file__).parent / path


_finder = _Finder()
_installed = False


def rename_classes(module: ModuleType) -> None:
    """Let the public classes of a module say ``torch...`` as their module: libraries dispatch on its first part."""
    for value in list(vars(module).values()):
        if isinstance(value, type):
            own = value.__module__
            if own == "torsh" or own.startswith("torsh."):
                value.__module__ = "torch" + own[5:]


def _sync() -> None:
    """Give every module of torsh that is loaded by now its name below ``torch``."""
    for name, module in list(sys.modules.items()):
        if name.startswith("torsh.") and "torch" + name[5:] not in sys.modules:
            sys.modules["torch" + name[5:]] = module
            rename_classes(module)


def installed() -> bool:
    """Whether ``import torch`` gives torsh in this process.

    >>> from torsh import compat
    >>> compat.installed() in (True, False)
    True
    """
    return _installed


def install() -> None:
    """Answer ``import torch`` with torsh from now on, in this process and in those it spawns.

    Raises RuntimeError if the program has PyTorch imported already: two libraries of one name cannot be mixed.  (PyTorch
    loaded as torsh's own backend is no obstacle.)
    """
    global _installed
    if _installed:
        return
    from torsh.compat import _real

    if "torch" in sys.modules:
        from torsh import registry

        if "torch" not in registry.loaded():
            raise RuntimeError(
                "PyTorch is already imported in this process, so `import torch` cannot be answered with torsh: call "
                "torsh.compat.install() (or use `torsh run`) before anything imports torch"
            )
        _real.hide()
    _real.watch()
    _installed = True
    import torsh

    dtypes.namespace = "torch"
    sys.meta_path.insert(0, _finder)
    sys.modules["torch"] = torsh
    torsh.__name__ = "torch"  # libraries compare it
    torsh.torch = torsh  # type: ignore[attr-defined]  # as in PyTorch, whose modules import it by its own name
    rename_classes(torsh)
    _sync()
    torsh.__version__ = version.__version__ = version.TorchVersion(f"{version.API}+torsh")
    _spawn_too()


def _spawn_too() -> None:
    """Let processes that ``multiprocessing`` spawns install the alias before they import the program."""
    import multiprocessing.spawn as spawn

    original = spawn.get_preparation_data

    def with_alias(name: str) -> dict[str, Any]:
        return {"torsh": _InChild(), **original(name)}

    spawn.get_preparation_data = with_alias


class _InChild:
    """Unpickled first thing in a spawned process; unpickling it installs the alias there."""

    def __reduce__(self) -> Any:
        from torsh import registry

        return (_install_in_child, (dict(registry.bindings()),))


def _install_in_child(bindings: dict[str, str]) -> None:
    from torsh import registry

    for device_type, name in bindings.items():
        registry.bind(device_type, name)
    install()


def run(target: str, argv: Sequence[str] = (), as_module: bool = False) -> dict[str, Any]:
    """Run a program file (or, ``as_module``, what ``python -m`` would run) with the alias installed.

    target: a path, or a module's name.  argv: its arguments.  Returns the program's global names.  Raises FileNotFoundError
    for a file that does not exist; what the program raises (SystemExit included) passes through.
    """
    install()
    if as_module:
        sys.argv = [target, *argv]
        sys.path.insert(0, os.getcwd())
        return runpy.run_module(target, run_name="__main__", alter_sys=True)
    if not os.path.exists(target):
        raise FileNotFoundError(f"no such program: {target!r}")
    sys.argv = [target, *argv]
    sys.path.insert(0, os.path.dirname(os.path.abspath(target)))
    # run_path would put a temporary __main__ in place; a spawned process must find the program's own file there.
    # The interpreter, too, gives a program its absolute path.
    return runpy.run_path(os.path.abspath(target), run_name="__main__")


def modules() -> Iterator[str]:
    """Names below ``torch`` that are loaded under the alias.

    >>> from torsh import compat
    >>> isinstance(compat.modules(), list)
    False
    """
    return (name for name in sys.modules if name == "torch" or name.startswith("torch."))
