"""Between Dask's own arrays and tensors."""

from __future__ import annotations

from typing import Any

import dask.array as da


def _place() -> Any:
    from torsh import registry
    from torsh.device import device
    from torsh.dispatch import place_of

    return place_of(device("cpu"), registry.get("dask"))


def from_dask(array: da.Array) -> Any:
    """A tensor of a Dask array: chunks stay as they are, nothing is computed.

    array: its chunks must be NumPy arrays of known sizes; else ValueError.
    """
    from torsh.tensor import wrap

    if any(n != n for c in array.chunks for n in c):
        raise ValueError("the array has chunks of unknown size; call compute_chunk_sizes() on it first")
    place = _place()
    return wrap(place.backend.fresh(array), place)


def to_dask(tensor: Any) -> da.Array:
    """The Dask array behind a tensor, as it is now: later writes to the tensor do not change it."""
    if tensor._kind.backend.name != "dask":
        raise TypeError(f"expected a tensor held by Dask, got one held by {tensor._kind.backend.name!r}")
    return tensor._data.read()


def persist(*tensors: Any) -> None:
    """Compute the values of tensors now, in one run, and keep them (on the cluster's workers where there is one)."""
    from torsh_dask import cluster, lazy

    buffers = list({id(t._data.buffer): t._data.buffer for t in tensors}.values())
    buffers = [b for b in buffers if not lazy.is_data(b.value)]
    if buffers:
        for buffer, value in zip(buffers, cluster.persist([b.value for b in buffers])):
            buffer.replace(value)


__all__ = ["from_dask", "persist", "to_dask"]
