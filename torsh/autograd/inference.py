"""Inference tensors: what is made in inference mode.

A tensor's mark is its version object: an ``InferenceVersion`` cannot be counted up outside of inference mode, and nothing
that has one is kept for a backward pass.  Views share their base's version object, so that a view of an inference tensor is
one wherever it is made, and a view of a normal tensor is none.

Making a tensor must not get slower for this.  So nothing asks for the mode when a tensor is made; rather the function by
which torsh's modules make one (their global ``new``) is another while any thread is in inference mode.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

from torsh.autograd.grad_mode import thread
from torsh.tensor import InferenceVersion, Tensor, new

_plain = new
_lock = threading.Lock()
_depth = 0  # inference modes that are on in all threads together
_known: tuple[int, tuple[ModuleType, ...]] = (
    0,
    (),
)  # how many modules were loaded at the last look; torsh's with a ``new``


def _marking(cls: type) -> Any:
    """``object.__new__`` that marks tensors made by threads in inference mode."""
    t = _plain(cls)
    if thread.inference and issubclass(cls, Tensor):
        t._vc = InferenceVersion()
        t._made = "inference"
    return t


def _makers() -> tuple[ModuleType, ...]:
    global _known
    if _known[0] != len(sys.modules):
        ours = [
            m for name, m in list(sys.modules.items()) if name.startswith("torsh.") and m is not sys.modules[__name__]
        ]
        found = tuple(m for m in ours if m.__dict__.get("new") in (_plain, _marking))
        _known = (len(sys.modules), found)
    return _known[1]


def begin() -> None:
    """A thread enters inference mode."""
    global _depth
    with _lock:
        _depth += 1
        if _depth == 1:
            for module in _makers():
                module.new = _marking  # type: ignore[attr-defined]


def end() -> None:
    """A thread leaves inference mode."""
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0:
            for module in _makers():
                module.new = _plain  # type: ignore[attr-defined]
