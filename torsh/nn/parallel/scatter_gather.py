"""Splitting a batch over devices and putting the parts together again.

Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-functions-multi-gpu-distributed
"""

from __future__ import annotations

from typing import Any

from torsh.device import device as Device
from torsh.tensor import Tensor


def _device(target: Any) -> Device:
    return Device("cuda", target) if isinstance(target, int) else Device(target)


def is_namedtuple(obj: Any) -> bool:
    """Whether an object is a named tuple (or the class of one).

    Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-functions-multi-gpu-distributed

    >>> from torsh.nn.parallel.scatter_gather import is_namedtuple
    >>> is_namedtuple((1, 2))
    False
    """
    return hasattr(obj, "_asdict") and hasattr(obj, "_fields")


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> Any:
    """Tensors in lists, tuples and dictionaries cut along a dimension, one part per device; other values go to all.

    Gives one structure per device.
    Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-functions-multi-gpu-distributed

    >>> import torsh
    >>> from torsh.nn.parallel.scatter_gather import scatter
    >>> scatter({"x": torsh.arange(4), "n": 3}, ["cpu", "cpu"])
    [{'x': tensor([0, 1]), 'n': 3}, {'x': tensor([2, 3]), 'n': 3}]
    """

    def part(value: Any) -> list[Any]:
        if isinstance(value, Tensor):
            pieces = value.chunk(len(target_gpus), dim)
            return [piece.to(_device(target)) for piece, target in zip(pieces, target_gpus)]
        if is_namedtuple(value):
            return [type(value)(*args) for args in zip(*map(part, value))]
        if isinstance(value, tuple) and value:
            return list(zip(*map(part, value)))
        if isinstance(value, list) and value:
            return [list(i) for i in zip(*map(part, value))]
        if isinstance(value, dict) and value:
            return [type(value)(i) for i in zip(*map(part, value.items()))]
        return [value for _ in target_gpus]

    return part(inputs)


def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Any, dim: int = 0) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Positional and keyword arguments, each as :func:`scatter` gives them; the shorter list is filled up with empty ones.

    Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-functions-multi-gpu-distributed

    >>> import torsh
    >>> from torsh.nn.parallel.scatter_gather import scatter_kwargs
    >>> scatter_kwargs((torsh.arange(2),), {}, ["cpu", "cpu"])
    (((tensor([0]),), (tensor([1]),)), ({}, {}))
    """
    positional = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    n = max(len(positional), len(named))
    return (
        tuple(positional) + tuple(() for _ in range(n - len(positional))),
        tuple(named) + tuple({} for _ in range(n - len(named))),
    )


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """One structure of several alike: tensors joined along a dimension (numbers stacked) on a device.

    Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-functions-multi-gpu-distributed

    >>> import torsh
    >>> from torsh.nn.parallel.scatter_gather import gather
    >>> gather([torsh.tensor([1]), torsh.tensor([2])], "cpu")
    tensor([1, 2])
    """
    import torsh

    def joined(parts: list[Any]) -> Any:
        first = parts[0]
        if isinstance(first, Tensor):
            placed = [p.to(_device(target_device)) for p in parts]
            return torsh.stack(placed) if first.dim() == 0 else torsh.cat(placed, dim)
        if first is None:
            return None
        if isinstance(first, dict):
            if any(len(p) != len(first) for p in parts):
                raise ValueError("All dicts must have the same number of keys")
            return type(first)((k, joined([p[k] for p in parts])) for k in first)
        if is_namedtuple(first):
            return type(first)._make(map(joined, map(list, zip(*parts))))
        return type(first)(map(joined, map(list, zip(*parts))))

    return joined(list(outputs))


__all__ = ["gather", "is_namedtuple", "scatter", "scatter_kwargs"]
