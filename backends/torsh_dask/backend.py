"""What the Dask backend is, and when it computes."""

from __future__ import annotations

import importlib.util
import weakref
from typing import Any

import numpy as np

from torsh.backend import Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

# A buffer whose graph has grown past this many steps is computed when it is written to: a loop that never reads a value
# would otherwise let the graph, and the time to extend it, grow without end.
LONGEST = 20_000
# What is read through a view is computed whole up to this size, and kept.
SMALL = 64 << 20


class DaskBackend(Backend):
    """Dask arrays of NumPy chunks.  ``torsh.functionalize`` adds views and in-place writes."""

    name = "dask"
    device_types = ("cpu",)
    capabilities = Capabilities(data_dependent_shapes=False, mutable=False, lazy=True)

    def __init__(self) -> None:
        self._written: weakref.WeakSet[Any] = weakref.WeakSet()
        self._kernels: dict[str, Kernel | None] = {}
        if self.unavailable() is None:
            import dask.array

            from torsh_dask.lazy import DaskMoves

            self.raw_type = dask.array.Array
            self.moves = DaskMoves()

    # ---- what it is

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("dask") is None:
            return "Dask is not installed; install torsh-array[dask]"
        return None

    def version(self) -> str:
        import dask

        return str(dask.__version__)

    # ---- kernels

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if name not in self._kernels:
            from torsh_dask import kernels

            self._kernels[name] = kernels.find(name)
        return self._kernels[name]

    def compute_dtype(self, dtype: Dtype) -> Dtype:
        from torsh_numpy.backend import _WIDER

        return _WIDER.get(dtype, dtype)

    # ---- data

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> Any:
        from torsh_dask import lazy

        return lazy.from_host(array)

    def dtype_of(self, raw: Any) -> Dtype:
        from torsh_numpy.backend import FROM_NUMPY

        return FROM_NUMPY[raw.dtype]

    def as_raw(self, value: Any) -> Any:
        if isinstance(value, self.raw_type):
            return value
        from torsh_dask import lazy

        return lazy.from_host(np.asarray(value))

    def cast(self, raw: Any, dtype: Dtype, copy: bool = False) -> Any:
        from torsh_dask import lazy

        if lazy.type_of(raw) is dtype:
            return raw
        return lazy.elementwise("cast", "cast", (raw, dtype, False, lazy.type_of(raw)), dtype)

    def to_host(self, raw: Any) -> np.ndarray[Any, Any]:
        from torsh_dask import cluster

        return cluster.compute(raw)

    # ---- when to compute

    def wrote(self, buffer: Any) -> None:
        """Remember what was written in place: it will be computed together with what is read."""
        self._written.add(buffer)
        if len(buffer.value.dask.layers) > LONGEST:
            self._keep([b for b in self._written if not _known(b)])

    def reading(self, raw: Any) -> None:
        """An array is about to be read on the host: compute with it whatever was written and rests on the same work."""
        wanted = raw.read()
        if _known_array(wanted):
            return
        layers = _work(wanted)
        together = [b for b in self._written if not _known(b) and not layers.isdisjoint(_work(b.value))]
        buffer = raw.buffer
        if buffer not in together and (raw.whole or _nbytes(buffer) <= SMALL):
            together.append(buffer)
        self._keep(together)

    def _keep(self, buffers: list[Any]) -> None:
        from torsh_dask import cluster, counts

        if not buffers:
            return
        for buffer, value in zip(buffers, cluster.persist([b.value for b in buffers])):
            buffer.replace(value)
        counts.add(kept=sum(b.written for b in buffers))


def _known_array(x: Any) -> bool:
    from torsh_dask import lazy

    return lazy.is_data(x)


def _known(buffer: Any) -> bool:
    return _known_array(buffer.value)


def _nbytes(buffer: Any) -> int:
    n = buffer.dtype.itemsize
    for s in buffer.shape:
        n *= s
    return n


def _work(x: Any) -> set[str]:
    """Names of the steps an array rests on that are yet to be computed."""
    from torsh_dask.lazy import Data

    return {name for name, layer in x.dask.layers.items() if type(layer) is not Data}


__all__ = ["DaskBackend"]
