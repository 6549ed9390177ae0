"""What the Dask backend is, and when it computes."""

from __future__ import annotations

import importlib.util
import math
import weakref
from typing import Any

import numpy as np

from torsh.backend import FROM_NUMPY, Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

# A buffer whose graph has grown past this many steps is computed when it is written to: a loop that never reads a value
# would otherwise let the graph, and the time to extend it, grow without end.
LONGEST = 20_000
# Bytes up to which a check may look at values that are known.
LOOKED_AT = 1 << 16
# Bytes up to which an array that was only made is computed along with what is read, and kept.
SMALL = 64 << 20
# The same for an array that was written in place, which would otherwise carry its history along; a cluster's workers keep
# larger ones too (Dask moves to disk what does not fit).
WRITTEN = 4 << 30


class DaskBackend(Backend):
    """Dask arrays of NumPy chunks.  ``torsh.functionalize`` adds views and in-place writes."""

    name = "dask"
    device_types = ("cpu",)
    capabilities = Capabilities(data_dependent_shapes=False, mutable=False, lazy=True)

    def __init__(self) -> None:
        self._waiting: weakref.WeakSet[Any] = weakref.WeakSet()
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

    def remarks(self) -> list[str]:
        from torsh_dask import whole

        return whole.remarks()

    # ---- kernels

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if name not in self._kernels:
            from torsh_dask import kernels

            self._kernels[name] = kernels.find(name)
        return self._kernels[name]

    def compute_dtype(self, dtype: Dtype) -> Dtype:
        from torsh_numpy.backend import WIDER

        return WIDER.get(dtype, dtype)

    # ---- data

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> Any:
        from torsh_dask import lazy

        return lazy.from_host(array)

    def pieces(self, shape: tuple[int, ...], dtype: Dtype, block: int) -> tuple[int, ...]:
        from torsh_dask import lazy

        return lazy.pieces(shape, dtype.itemsize, block)

    def from_pieces(self, shape: tuple[int, ...], dtype: Dtype, counts: tuple[int, ...], make: Any) -> Any:
        from torsh_dask import lazy

        return lazy.from_pieces(shape, dtype, counts, make)

    def dtype_of(self, raw: Any) -> Dtype:
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

    def made(self, buffer: Any) -> None:
        """Remember what is alive and not computed yet."""
        if not _known(buffer):
            self._waiting.add(buffer)

    def known(self, raw: Any) -> bool:
        """Whether the values are in this process's memory as one small chunk."""
        from torsh_dask import lazy

        return _nbytes(raw.buffer) <= LOOKED_AT and lazy.is_here(raw.buffer.value)

    def wrote(self, buffer: Any) -> None:
        """Memory that was written in place waits like everything else, but not for ever."""
        if not _known(buffer):
            self._waiting.add(buffer)
            if len(buffer.value.dask.layers) > LONGEST:
                self._keep([b for b in self._waiting if b.written and not _known(b)])

    def reading(self, raw: Any) -> None:
        """An array is about to be read on the host: compute with it what is alive and rests on the same work.

        That is what an eager library would have in memory anyway: parameters and optimizer state that were written, values
        kept for the backward pass, running averages.  Without it each of them would run the same work again when its turn
        comes.  Large arrays that were only made, not written, are left to wait: they may be larger than memory.
        """
        wanted = raw.read()
        if _known_array(wanted):
            return
        from torsh_dask import cluster

        written = WRITTEN if cluster.client() is None else math.inf
        work = _work(wanted)
        together = []
        for buffer in list(self._waiting):
            if _known(buffer):
                self._waiting.discard(buffer)
            elif _nbytes(buffer) <= (written if buffer.written else SMALL) and _shares(buffer.value, work):
                together.append(buffer)
        buffer = raw.buffer
        if raw.whole and buffer not in together:
            together.append(buffer)
        self._keep(together)

    def _keep(self, buffers: list[Any]) -> None:
        from torsh_dask import cluster, counts

        if not buffers:
            return
        for buffer, value in zip(buffers, cluster.persist([b.value for b in buffers])):
            buffer.replace(value)
            self._waiting.discard(buffer)
        counts.add(kept=len(buffers))


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


def _shares(x: Any, work: set[str]) -> bool:
    """Whether an array rests on some of this work."""
    return x.name in work or not work.isdisjoint(x.dask.layers)


__all__ = ["DaskBackend"]
