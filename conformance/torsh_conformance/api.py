"""What torsh's public API consists of, room by room: for the docs' reference and the test of docstrings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

ROOMS = (
    "torsh torsh.Tensor torsh.nn torsh.nn.functional torsh.nn.init torsh.nn.utils torsh.nn.utils.rnn torsh.nn.utils.parametrize "
    "torsh.nn.utils.parametrizations torsh.nn.utils.prune torsh.linalg torsh.fft torsh.special torsh.signal.windows torsh.masked "
    "torsh.sparse torsh.func torsh.autograd torsh.autograd.functional torsh.autograd.graph torsh.autograd.forward_ad torsh.random "
    "torsh.testing torsh.optim torsh.optim.lr_scheduler torsh.optim.swa_utils torsh.utils.data torsh.utils.checkpoint "
    "torsh.utils.dlpack torsh.distributions torsh.distributions.constraints torsh.distributions.transforms torsh.amp "
    "torsh.nested torsh.library torsh.futures torsh.hub torsh.accelerator torsh.overrides torsh.profiler torsh.jit torsh.compiler "
    "torsh.cpu torsh.cuda torsh.serialization torsh.compat torsh.registry torsh.backend"
).split()

# Rooms that PyTorch does not have.
OWN = frozenset({"torsh.compat", "torsh.registry", "torsh.backend"})

# Functions without an underscore that are only for other modules of torsh.
INTERNAL = frozenset(
    {
        "torsh.overrides.default",
        "torsh.overrides.handler",
        "torsh.overrides.has_modes",
        "torsh.utils.checkpoint.tree_map",
    }
)

# Rooms that hold nothing but their API, collected from torsh's inner modules.
_COLLECTIONS = frozenset({"torsh", "torsh.Tensor"})


def entries(room: str) -> Iterator[tuple[str, Any]]:
    """(full name, function, class or property) of everything public in a room, in order of name."""
    import torsh

    is_class = room == "torsh.Tensor"
    module = torsh.Tensor if is_class else importlib.import_module(room)
    listed = getattr(module, "__all__", None)
    for name in sorted({*dir(module), *getattr(module, "_LATER", ())}):
        if name.startswith("_") or f"{room}.{name}" in INTERNAL or (listed is not None and name not in listed):
            continue
        value = inspect.getattr_static(module, name) if is_class else getattr(module, name)
        if inspect.ismodule(value) or not (callable(value) or isinstance(value, property)):
            continue
        if listed is None and room not in _COLLECTIONS and not _defined_in(room, value):
            continue
        yield f"{room}.{name}", value


def _defined_in(room: str, value: Any) -> bool:
    """Whether a module's name is its own and not something it imported.  (Classes may say ``torch`` instead of ``torsh``.)"""
    own = str(getattr(value, "__module__", ""))
    return ("torsh" + own[5:] if own.startswith("torch") else own).startswith(room)
