"""What a backend author implements.

A backend is a small object that says what it is, moves data to and from the host and offers kernels.  A kernel gets raw
arrays of the backend's own library, already promoted to one dtype and on one device, and normalised parameters; it
returns raw arrays.  Validation, promotion, autograd and views' bookkeeping happen above it.

A backend is found through the entry point group ``torsh.backends``; the entry point names a ``Backend`` subclass (or
any callable without arguments that returns an instance).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from torsh import dtypes
from torsh.device import device
from torsh.dtypes import dtype

Raw = Any
Kernel = Callable[..., Any]

# The element types of host arrays.
TO_NUMPY: dict[dtype, np.dtype[Any]] = {
    d: np.dtype(getattr(ml_dtypes, d.name) if hasattr(ml_dtypes, d.name) else d.name) for d in dtypes.ALL
}
# Types that only hold bits: NumPy has none of them, but keeps records of one field apart by the field's name.
TO_NUMPY.update({d: np.dtype([(d.name, f"u{d.itemsize}")]) for d in dtypes.SHELLS})
FROM_NUMPY = {n: d for d, n in TO_NUMPY.items()}


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do.

    dtypes: the element types it stores.  data_dependent_shapes: whether results such as nonzero's are possible.
    mutable: whether arrays can be written in place and basic indexing gives views; where not, torsh adds both above the
    backend.  lazy: whether results are computed only when asked for.

    >>> import torsh
    >>> from torsh import registry
    >>> torsh.float64 in registry.get("numpy").capabilities.dtypes
    True
    """

    dtypes: frozenset[dtype] = frozenset(dtypes.ALL)
    data_dependent_shapes: bool = True
    mutable: bool = True
    lazy: bool = False


class Backend:
    """Base class of all backends: override what the library does differently.

    Class attributes to set: ``name``, ``device_types`` (those it can serve), ``raw_type`` (the class of its arrays),
    ``capabilities``; ``xp``, an Array API namespace, gives it the generic kernels.
    An immutable backend may also give ``moves`` (``torsh.functionalize.Moves``): how its arrays are rearranged.

    >>> from torsh import registry
    >>> from torsh.backend import Backend
    >>> isinstance(registry.get("numpy"), Backend)
    True
    """

    name: str = ""
    device_types: tuple[str, ...] = ("cpu",)
    raw_type: type = object
    capabilities: Capabilities = Capabilities()
    xp: Any = None
    moves: Any = None
    # Whether ``raw.dtype`` alone says what ``dtype_of`` gives: then it is asked once per element type.
    told_by_dtype: bool = False

    # ---- what it is

    def unavailable(self) -> str | None:
        """Why this backend cannot run here, or None if it can."""
        return None

    def version(self) -> str:
        """The version of the library behind it."""
        raise NotImplementedError(f"backend {self.name!r} does not say its library's version")

    def remarks(self) -> list[str]:
        """What the support matrix should say of how ops run here, a line each."""
        return []

    def devices(self) -> list[device]:
        """The devices it offers now."""
        return [device(t) for t in self.device_types]

    def dtypes_on(self, device: device) -> frozenset[dtype]:
        """The element types it stores on one of its devices (some devices have fewer than the library)."""
        return self.capabilities.dtypes

    # ---- kernels

    def kernel(self, name: str, dtype: dtype) -> Kernel | None:
        """The backend's own kernel of the op ``name`` for arrays of ``dtype``, or None if it has none."""
        return None

    def compute_dtype(self, dtype: dtype) -> dtype:
        """The type arithmetic on ``dtype`` is done in; results are rounded back (float16 in float32, say)."""
        return dtype

    def adapt(self, op: Any, kernel: Kernel, dtype: dtype, results: Callable[..., list[dtype]]) -> Kernel:
        """The kernel of an op as it is used for arrays of ``dtype``; for libraries that store a type they do not compute with.

        ``results(*arguments)`` gives the element types of the results by the op's declaration; it raises
        NotImplementedError where their shape depends on values.
        """
        return kernel

    def widened(self, op: Any, kernel: Kernel) -> Kernel:
        """The kernel of an op that widens its operands and rounds its result back (see ``compute_dtype``), as it is used.

        A library whose arrays are cut for nothing may take large ones piece by piece, to need no wide copies of them.
        """
        return kernel

    # ---- data

    def from_host(self, array: np.ndarray[Any, Any], dtype: dtype, device: device) -> Raw:
        """A raw array with a copy of, or sharing memory with, a host array that already has the right element type."""
        raise NotImplementedError

    def pieces(self, shape: tuple[int, ...], dtype: dtype, block: int) -> tuple[int, ...]:
        """Only for lazy backends: in how many elements at a time, in row-major order, a new array of this size is made best.

        All but the last are multiples of ``block``; a single one where the array is small.
        """
        return (math.prod(shape),)

    def from_pieces(
        self, shape: tuple[int, ...], dtype: dtype, counts: tuple[int, ...], make: Sequence[Callable[[], Any]]
    ) -> Raw:
        """Only for lazy backends: an array whose elements, in row-major order, are host arrays that are made when needed.

        ``make``: for each piece, of as many elements as ``counts`` says, a function that can be pickled.
        """
        raise NotImplementedError(f"backend {self.name!r} does not make arrays piece by piece")

    def to_host(self, raw: Raw) -> np.ndarray[Any, Any]:
        """The values as a host array (shared memory where the array is on the host)."""
        raise NotImplementedError

    def dtype_of(self, raw: Raw) -> dtype:
        """The torsh dtype of a raw array."""
        raise NotImplementedError

    def device_of(self, raw: Raw) -> device:
        """Where a raw array lives."""
        return device(self.device_types[0])

    def as_raw(self, value: Any) -> Raw:
        """A kernel's result as a raw array (some libraries return scalars for 0-d results)."""
        return value

    def cast(self, raw: Raw, dtype: dtype, copy: bool = False) -> Raw:
        """The array with another element type; the same array where nothing changes and ``copy`` is false."""
        raise NotImplementedError

    def write(self, target: Raw, source: Raw) -> None:
        """Copy ``source`` (same shape and type) into the memory of ``target``; they may overlap."""
        raise NotImplementedError

    def into(self, kernel: Kernel) -> Kernel | None:
        """A form of the kernel that takes ``out=`` (an array of the result's shape and type), or None."""
        return None

    def made(self, buffer: Any) -> None:
        """Only for lazy backends: an op gave an array, which lives in this ``torsh.functionalize.Buffer`` from now on."""

    def wrote(self, buffer: Any) -> None:
        """Only for immutable backends: an in-place op gave a ``torsh.functionalize.Buffer`` a new array."""

    def known(self, raw: Raw) -> bool:
        """Whether a check may look at an array's values: they are there already (and, on a lazy backend, few)."""
        return not self.capabilities.lazy

    def reading(self, raw: Any) -> None:
        """Only for immutable backends: a ``torsh.functionalize.FArray`` is about to be read on the host."""

    def geometry(self, raw: Raw) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """(shape, strides in elements, address or offset in bytes) of a raw array."""
        raise NotImplementedError

    def fill(self, raw: Raw, value: Any) -> None:
        """Write one number into every element."""
        dtype = self.dtype_of(raw)
        self.write(raw, self.from_host(np.full(tuple(raw.shape), value, TO_NUMPY[dtype]), dtype, self.device_of(raw)))

    def strides(self, raw: Raw) -> tuple[int, ...]:
        """The strides of a raw array, in elements."""
        return self.geometry(raw)[1]

    def contiguous(self, raw: Raw) -> bool:
        """Whether the elements lie one after the other in row-major order (true where a library knows no strides)."""
        try:
            shape, strides, _ = self.geometry(raw)
        except NotImplementedError:
            return True
        expected = 1
        for n, s in zip(reversed(shape), reversed(strides)):
            if n == 0:
                return True
            if n != 1 and s != expected:
                return False
            expected *= n
        return True

    def shares(self, raw: Raw) -> bool:
        """Whether a raw array may be a part of memory that belongs to another (False lets torsh skip looking)."""
        return True

    def shared_copy(self, raw: Raw) -> Raw:
        """The array copied, strides and all, to memory that processes forked from this one see and write, too."""
        raise NotImplementedError(
            f"backend {self.name!r} has no memory that processes share; move the tensor to the NumPy backend first"
        )

    def is_shared(self, raw: Raw) -> bool:
        """Whether the memory is of the kind that ``shared_copy`` gives."""
        return False

    def storage(self, raw: Raw) -> Raw:
        """All the memory a raw array lies in, as a one-dimensional array of uint8."""
        raise NotImplementedError

    def to_dlpack(self, raw: Raw, **options: Any) -> Any:
        """A DLPack capsule of a raw array; options are those of ``__dlpack__`` (None: not given)."""
        if options.get("stream") == -1:
            options["stream"] = None
        return raw.__dlpack__(**{n: v for n, v in options.items() if v is not None})

    def from_dlpack(self, source: Any) -> Raw:
        """A raw array over the memory of an object with ``__dlpack__`` and ``__dlpack_device__``."""
        raise BufferError(f"backend {self.name!r} does not take DLPack")

    def synchronize(self, device: device) -> None:
        """Wait until all work on the device is done."""
