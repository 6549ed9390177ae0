"""Backends, and which of them serves which device type.

Backends are found through the entry point group ``torsh.backends``; torsh's own four use it like anybody else's.
``bind`` re-points a device type, so that a program that says ``device="cpu"`` runs on another backend.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torsh._drivers import missing
from torsh.backend import Backend
from torsh.device import device as Device
from torsh.functionalize import functional

if TYPE_CHECKING:
    import importlib.metadata

GROUP = "torsh.backends"

_lock = threading.RLock()
_loaded: dict[str, Backend] = {}
_entry_points: dict[str, importlib.metadata.EntryPoint] | None = None
# Device type -> name of the backend bound to it.  Other types go to the first available backend that serves them.
_bound: dict[str, str] = {"cpu": "numpy"}
_served: dict[str, Backend] = {}


class BackendUnavailable(RuntimeError):
    """A backend was asked for that is not known or cannot run here; the message says why and what to do.

    >>> from torsh import registry
    >>> try:
    ...     registry.get("nothing")
    ... except registry.BackendUnavailable as e:
    ...     print("nothing" in str(e))
    True
    """


def _found() -> dict[str, importlib.metadata.EntryPoint]:
    # Half of torsh's import time if done at the top: it loads the email package.
    import importlib.metadata

    meta = importlib.metadata.EntryPoint("meta", "torsh.meta:MetaBackend", GROUP)  # a part of torsh itself
    return {e.name: e for e in (meta, *importlib.metadata.entry_points(group=GROUP))}


def _known() -> dict[str, importlib.metadata.EntryPoint]:
    global _entry_points
    if _entry_points is None:
        _entry_points = _found()
    return _entry_points


def names() -> list[str]:
    """Names of all backends, registered or found by entry point, available or not.

    >>> from torsh import registry
    >>> "numpy" in registry.names()
    True
    """
    return sorted({*_known(), *_loaded})


def refresh() -> None:
    """Look for backends again: packages may have been installed since (a notebook, a test).

    >>> from torsh import registry
    >>> registry.refresh()
    """
    global _entry_points
    with _lock:
        found = _found()
        for name in (_entry_points or {}).keys() - found.keys():
            _loaded.pop(name, None)
        _entry_points = found
        _served.clear()


def register(backend: Backend) -> None:
    """Add a backend object by hand (a test, a notebook); packages use the entry point group instead.

    >>> from torsh import registry
    >>> from torsh_numpy import NumpyBackend
    >>> class Mine(NumpyBackend):
    ...     name = "mine"
    >>> registry.register(Mine())
    >>> with registry.use("mine"):
    ...     print(registry.bound("cpu"))
    mine
    >>> registry.unregister("mine")
    """
    with _lock:
        _loaded[backend.name] = functional(backend)
        _served.clear()


def unregister(name: str) -> None:
    """Take back ``register``; device types bound to that backend go back to the first available one.

    >>> from torsh import registry
    >>> from torsh_numpy import NumpyBackend
    >>> class Mine(NumpyBackend):
    ...     name = "mine"
    >>> registry.register(Mine())
    >>> registry.unregister("mine")
    >>> "mine" in registry.names()
    False
    """
    with _lock:
        _loaded.pop(name, None)
        for device_type in [t for t, n in _bound.items() if n == name]:
            del _bound[device_type]
        _bound.setdefault("cpu", "numpy")
        _served.clear()


def load(name: str) -> Backend:
    """The backend of that name, whether it can run or not.  Raises BackendUnavailable for an unknown name.

    >>> from torsh import registry
    >>> registry.load("numpy").name
    'numpy'
    """
    backend = _loaded.get(name)
    if backend is None:
        with _lock:
            entry = _known().get(name)
            if entry is None:
                raise BackendUnavailable(
                    f"unknown backend {name!r}: known are {', '.join(names()) or 'none'}. A backend comes with a "
                    f"package that has an entry point in the group {GROUP!r}"
                )
            try:
                backend = _loaded[name] = functional(entry.load()())
            except Exception as e:  # a broken plug-in must not take the others with it
                raise BackendUnavailable(
                    f"backend {name!r} ({entry.value}) could not be loaded: {type(e).__name__}: {e}"
                ) from e
    return backend


def get(name: str) -> Backend:
    """The backend of that name, ready to run.  Raises BackendUnavailable with the reason if it cannot.

    >>> from torsh import registry
    >>> registry.get("numpy").name
    'numpy'
    """
    backend = load(name)
    reason = backend.unavailable()
    if reason is not None:
        raise BackendUnavailable(f"backend {name!r} is not available: {reason}")
    return backend


def bind(device_type: str, name: str) -> None:
    """Let the backend ``name`` serve ``device_type`` from now on; tensors that exist stay where they are.

    Raises BackendUnavailable if the backend cannot run, ValueError if it does not serve that device type.

    >>> from torsh import registry
    >>> registry.bind("cpu", "numpy")
    """
    backend = get(name)
    _check_serves(backend, device_type)
    if all(d.type != device_type for d in backend.devices()):
        raise BackendUnavailable(f"backend {name!r} is not available for {device_type!r}: it sees no such device here")
    with _lock:
        _bound[device_type] = name
        _served.clear()


def _check_serves(backend: Backend, device_type: str) -> None:
    if device_type not in backend.device_types:
        raise ValueError(
            f"backend {backend.name!r} serves {', '.join(backend.device_types)}, not {device_type!r}: bind one of those"
        )


def bound(device_type: str) -> str | None:
    """The name of the backend bound to a device type, None where the first available one serves it.

    >>> from torsh import registry
    >>> registry.bound("cpu")
    'numpy'
    """
    return _bound.get(device_type)


def bindings() -> dict[str, str]:
    """Device type -> name of the backend bound to it.

    >>> from torsh import registry
    >>> registry.bindings()["cpu"]
    'numpy'
    """
    return dict(_bound)


def loaded() -> list[str]:
    """Names of the backends whose code is loaded in this process.

    >>> from torsh import registry
    >>> "numpy" in registry.loaded()
    True
    """
    return sorted(_loaded)


@contextlib.contextmanager
def use(name: str, device_type: str | None = None) -> Iterator[Backend]:
    """Bind a backend for the length of a ``with`` block.

    device_type: default "cpu", or the first type the backend serves if that is not among them.

    >>> import torsh
    >>> from torsh import registry
    >>> with registry.use("numpy"):
    ...     x = torsh.zeros(2)
    >>> x.device
    device(type='cpu')
    """
    if device_type is None:
        served = load(name).device_types
        device_type = "cpu" if "cpu" in served else served[0]
    previous = _bound.get(device_type)
    bind(device_type, name)
    try:
        yield get(name)
    finally:
        with _lock:
            if previous is None:
                _bound.pop(device_type, None)
            else:
                _bound[device_type] = previous
            _served.clear()


def serving(where: Device) -> Backend:
    """The backend that serves a device.  Raises BackendUnavailable naming all that were considered, and why not.

    >>> import torsh
    >>> from torsh import registry
    >>> registry.serving(torsh.device("cpu")).name
    'numpy'
    """
    backend = _served.get(where.type)
    if backend is not None:
        return backend
    name = _bound.get(where.type)
    if name is not None:
        backend = get(name)
    else:
        reasons: list[str] = []
        for candidate in names():
            loaded = _load_quietly(candidate, reasons)
            if loaded is None or where.type not in loaded.device_types:
                continue
            reason = loaded.unavailable()
            if reason is None and all(d.type != where.type for d in loaded.devices()):
                reason = f"sees no {where.type} device here"
            if reason is None:
                backend = loaded
                break
            reasons.append(f"{candidate}: {reason}")
        if backend is None:
            raise BackendUnavailable(
                f"no available backend serves device type {where.type!r}"
                + (f" ({'; '.join(reasons)})" if reasons else "")
                + "; `torsh backends` lists what there is"
            )
    _served[where.type] = backend
    return backend


def available(device_type: str) -> Backend | None:
    """The backend that serves a device type, None if none does. Where the machine has no driver for it, no library is loaded
    to find that out.

    >>> from torsh import registry
    >>> registry.available("cpu").name
    'numpy'
    """
    if device_type not in _bound and missing(device_type):
        return None
    try:
        return serving(Device(device_type))
    except BackendUnavailable:
        return None


@dataclass(frozen=True)
class Description:
    """What ``torsh backends`` shows of a backend; ``reason`` says why one is not available.

    >>> from torsh import registry
    >>> {d.name: d.available for d in registry.describe()}["numpy"]
    True
    """

    name: str
    version: str | None
    device_types: tuple[str, ...]
    devices: tuple[str, ...]
    available: bool
    reason: str | None
    bound: tuple[str, ...] = ()


def describe() -> list[Description]:
    """All backends, available or not, in order of name; never raises for one that is broken.

    >>> from torsh import registry
    >>> next(d for d in registry.describe() if d.name == "numpy").available
    True
    """
    found = []
    for name in names():
        serves = tuple(t for t, n in _bound.items() if n == name)
        try:
            backend = load(name)
            types, reason = backend.device_types, backend.unavailable()
            if reason is None:
                devices = tuple(map(str, backend.devices()))
                found.append(Description(name, backend.version(), types, devices, True, None, serves))
                continue
        except BackendUnavailable as e:
            types, reason = (), str(e)
        except Exception as e:
            types, reason = (), f"asking it failed: {type(e).__name__}: {e}"
        found.append(Description(name, None, types, (), False, reason, serves))
    return found


def _load_quietly(name: str, reasons: list[str]) -> Backend | None:
    """Load a candidate; one whose package cannot be imported becomes a reason, not an error."""
    try:
        return load(name)
    except BackendUnavailable as e:
        reasons.append(str(e))
        return None
