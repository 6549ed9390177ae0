"""What runs inside tasks, on threads or in worker processes: NumPy kernels, found by name where they run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torsh.backend import TO_NUMPY
from torsh_numpy.backend import NumpyBackend


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


def result(name: str, number: int, *args: Any) -> Any:
    """One of the results of a NumPy kernel."""
    function = kernel(name)
    assert function is not None
    return function(*args)[number]


def norm(x: Any, axis: Any, keepdims: bool, ord: float) -> Any:
    function = kernel("vector_norm")
    assert function is not None
    return function(x, ord, axis, keepdims, x.shape)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    function = kernel("logsumexp")
    assert function is not None
    return function(x, axis, keepdims, x.shape)


def weight_gradient(g: Any, x: Any) -> Any:
    """The gradient of a linear layer's weight."""
    return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1]).conj()


def from_start(positions: Any, count: int, negative: bool) -> Any:
    """Positions counted from the start; IndexError for those outside."""
    if positions.size and (positions.min() < (-count if negative else 0) or positions.max() >= count):
        wrong = positions[(positions < (-count if negative else 0)) | (positions >= count)].flat[0]
        raise IndexError(f"index {wrong} is out of bounds for dimension 0 with size {count}")
    return np.where(positions < 0, positions + count, positions)


def rows_within(x: Any, first: int, positions: Any, count: int, negative: bool) -> Any:
    """The rows at positions that are among those of a chunk, which starts at row ``first``; zeros for the others."""
    at = from_start(positions, count, negative) - first
    found = np.zeros((*at.shape, *x.shape[1:]), x.dtype)
    here = (at >= 0) & (at < len(x))
    found[here] = x[at[here]]
    return found


def call(name: str, args: tuple[Any, ...]) -> Any:
    """A NumPy kernel that makes an array."""
    function = kernel(name)
    assert function is not None
    return function(*args)


def made(function: Callable[[], Any], shape: tuple[int, ...]) -> Any:
    """A piece of a new array."""
    return np.asarray(function()).reshape(shape)


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


__all__ = [
    "Slot", "add_up", "bitcast", "call", "fill", "from_start", "index", "kernel", "logsumexp", "made",
    "norm", "put", "result", "rows_within", "run", "take", "weight_gradient",
]  # fmt: skip
