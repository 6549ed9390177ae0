"""What runs inside tasks, on threads or in worker processes: NumPy kernels, found by name where they run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torsh_numpy.backend import TO_NUMPY, NumpyBackend


class Slot(NamedTuple):
    """Stands for the i-th array in a template of arguments."""

    number: int


def fill(template: Any, arrays: tuple[Any, ...]) -> Any:
    """A template with its slots replaced by arrays."""
    if type(template) is Slot:
        return arrays[template.number]
    if type(template) is tuple or type(template) is list:
        return type(template)(fill(t, arrays) for t in template)
    return template


@functools.cache
def _backend() -> NumpyBackend:
    return NumpyBackend()


def kernel(name: str) -> Callable[..., Any] | None:
    """The NumPy kernel of an op."""
    from torsh import dtypes

    return _backend().kernel(name, dtypes.float32)


def run(function: Any, template: Any, types: Any, *arrays: Any) -> Any:
    """Call a kernel (by name) or a function; the results get the element types that were announced."""
    call = kernel(function) if isinstance(function, str) else function
    with np.errstate(all="ignore"):  # PyTorch says nothing of overflow and the like
        found = call(*fill(template, arrays))
    if type(types) is list:
        return tuple(None if t is None else np.asarray(f, TO_NUMPY[t]) for f, t in zip(found, types))
    return np.asarray(found, TO_NUMPY[types])


def add_up(*parts: Any) -> Any:
    """The sum of partial results."""
    total = parts[0]
    for p in parts[1:]:
        total = total + p
    return total


# ---- rearranging -----------------------------------------------------------------------------------------------------


def index(x: Any, key: Any) -> Any:
    return x[key]


def take(x: Any, positions: Any, axis: int) -> Any:
    return np.take(x, positions, axis)


def put(x: Any, key: Any, value: Any) -> Any:
    x = x.copy()
    x[key] = value
    return x


def bitcast(x: Any, dtype: Any) -> Any:
    return np.ascontiguousarray(x).reshape(x.shape).view(TO_NUMPY[dtype])


__all__ = ["Slot", "add_up", "bitcast", "fill", "index", "kernel", "put", "run", "take"]
