"""Views and in-place writes over libraries whose arrays cannot be written to.

The raw array of such a backend is an ``FArray``: a place in a ``Buffer`` (element type, shape, strides, offset), as if
the buffer were memory.  The buffer holds the library's current immutable array.  Reading resolves the place against
that array (slicing, reordering, reshaping; an index map where the geometry is none of these); writing makes a new array
with the place replaced and puts it into the buffer, so that every view of it sees the write.

Nothing here is written per op.  What a view op does to shape and strides is learnt from the NumPy kernel of that op,
run on a *ghost*: an array with the same geometry over address space that is reserved but never touched.
"""

from __future__ import annotations

import functools
import itertools
import math
import mmap
from typing import Any, NamedTuple

import numpy as np

from torsh import dtypes
from torsh.backend import FROM_NUMPY, TO_NUMPY, Backend, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

# ---- the moves a library must be able to make ------------------------------------------------------------------------


class Moves:
    """How arrays are rearranged, in Array API functions of a namespace; a backend may give its own as ``moves``.

    None of these writes to its arguments.  ``positions`` and ``mask`` are host arrays.
    """

    def __init__(self, xp: Any, backend: Backend | None = None) -> None:
        self.xp = xp
        self.backend = backend

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        """The elements in C order in another shape."""
        return self.xp.reshape(x, shape)

    def permute(self, x: Any, axes: tuple[int, ...]) -> Any:
        """The dimensions in another order."""
        return self.xp.permute_dims(x, axes)

    def index(self, x: Any, key: tuple[Any, ...]) -> Any:
        """Integers, slices with positive steps and None, one per dimension."""
        return x[key]

    def expand(self, x: Any, shape: tuple[int, ...]) -> Any:
        """Stretch dimensions of length 1."""
        return self.xp.broadcast_to(x, shape)

    def take(self, x: Any, positions: np.ndarray[Any, Any], axis: int) -> Any:
        """The elements at positions along an axis."""
        return self.xp.take(x, self.xp.asarray(positions), axis=axis)

    def where(self, mask: np.ndarray[Any, Any], x: Any, y: Any) -> Any:
        """``x`` where the mask holds, else ``y``; all broadcast."""
        return self.xp.where(self.xp.asarray(mask), x, y)

    def put(self, x: Any, key: tuple[Any, ...], value: Any) -> Any:
        """``x`` with ``x[key]`` replaced; ``key`` has one integer or slice per dimension."""
        masks = []
        for axis, (k, n) in enumerate(zip(key, x.shape)):
            where = np.arange(n)[k if isinstance(k, slice) else slice(k, k + 1)]
            if not isinstance(k, slice):
                value = self.index(value, (*[slice(None)] * axis, None, ...))
            if len(where) < n:
                source, mask = np.zeros(n, np.int64), np.zeros(n, bool)
                source[where], mask[where] = np.arange(len(where)), True
                value = self.take(value, source, axis)
                masks.append(mask.reshape(-1, *[1] * (len(key) - axis - 1)))
        return self.where(functools.reduce(np.logical_and, masks), value, x) if masks else value

    def bitcast(self, x: Any, source: Dtype, target: Dtype) -> Any:
        """The bytes read as another type: the last dimension grows or shrinks by the ratio of their sizes."""
        xp = self.xp
        if source.is_complex and target is source.to_real():
            return xp.reshape(xp.stack([xp.real(x), xp.imag(x)], axis=-1), (*x.shape[:-1], 2 * x.shape[-1]))
        if target.is_complex and source is target.to_real():
            x = xp.astype(x, getattr(xp, target.name))
            return x[..., 0::2] + x[..., 1::2] * 1j
        if self.backend is None:
            raise NotImplementedError(f"a view of {source} as {target} is not implemented here; use .to() instead")
        # The standard cannot read bytes as another type; loading a file needs it.
        array = np.ascontiguousarray(self.backend.to_host(x)).view(TO_NUMPY[target])
        return self.backend.from_host(array, target, self.backend.device_of(x))


# ---- where a view lies in its buffer ---------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How to get from a buffer's array to a view of it.

    In this order: reshape to ``base``, index with ``key``, permute to ``axes``, insert dimensions of length 1 by
    ``ones``, expand to ``shape``; or, where ``positions`` is given, take these elements of the flat array.
    """

    base: tuple[int, ...]
    key: tuple[Any, ...] = ()
    axes: tuple[int, ...] = ()
    ones: tuple[Any, ...] = ()
    shape: tuple[int, ...] = ()
    overlaps: bool = False
    positions: np.ndarray[Any, Any] | None = None


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides, in elements, of an array in C order."""
    found, n = [], 1
    for size in reversed(shape):
        found.append(n)
        n *= max(size, 1)
    return tuple(reversed(found))


@functools.lru_cache(maxsize=4096)
def plan(base: tuple[int, ...], shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Plan:
    """The plan of a view: ``strides`` and ``offset`` in elements of an array in C order of shape ``base``."""
    total = math.prod(base)
    # Dimensions that move through the buffer; the others are put in at the end.
    moving = [(n, s) for n, s in zip(shape, strides) if n != 1 and s != 0]
    overlaps = any(n > 1 and s == 0 for n, s in zip(shape, strides))
    if math.prod(shape) and all(s > 0 for _, s in moving):
        for candidate in (base, _split(total, moving), (total,)):
            found = _match(candidate, moving, offset) if candidate is not None else None
            if found is not None:
                key, order = found
                axes = tuple(order.index(i) for i in range(len(order)))
                ones = tuple(slice(None) if n != 1 and s != 0 else None for n, s in zip(shape, strides))
                return Plan(candidate, key, axes, ones, shape, overlaps)  # type: ignore[arg-type]
    positions = np.full(shape, offset, np.int64)
    for axis, (n, s) in enumerate(zip(shape, strides)):
        positions += (np.arange(n) * s).reshape(-1, *[1] * (len(shape) - axis - 1))
    return Plan((total,), shape=shape, overlaps=np.unique(positions).size < positions.size, positions=positions)


def _split(total: int, moving: list[tuple[int, int]]) -> tuple[int, ...] | None:
    """A shape of the whole buffer in which every moving dimension of a view is (a part of) one dimension."""
    shape = []
    for _, stride in sorted(moving, key=lambda m: -m[1]):
        if total % stride:
            return None
        shape.append(total // stride)
        total = stride
    return (*shape, total) if total > 1 else tuple(shape)


def _match(
    base: tuple[int, ...], moving: list[tuple[int, int]], offset: int
) -> tuple[tuple[Any, ...], list[int]] | None:
    """The index into ``base`` that gives the moving dimensions, and which of them each indexed dimension is.

    None unless each moving dimension runs along one dimension of ``base``.
    """
    strides = contiguous_strides(base)
    key: list[Any] = []
    rest = offset
    for n, s in zip(base, strides):
        key.append(min(rest // s, n - 1))
        rest -= key[-1] * s
    if rest:
        return None
    used: dict[int, int] = {}
    for number, (n, stride) in enumerate(moving):
        for axis, (size, s) in enumerate(zip(base, strides)):
            if size == 1 or axis in used or stride % s:
                continue
            start, step = key[axis], stride // s
            if start + (n - 1) * step < size:
                used[axis] = number
                key[axis] = slice(start, start + (n - 1) * step + 1, step)
                break
        else:
            return None
    return tuple(key), [used[axis] for axis in sorted(used)]


# ---- arrays ----------------------------------------------------------------------------------------------------------

_addresses = itertools.count(1)


class Buffer:
    """What takes the place of memory: the current array, in C order, and how often it was replaced."""

    __slots__ = ("__weakref__", "address", "backend", "dtype", "shape", "stamp", "value", "written")

    def __init__(self, backend: FunctionalBackend, value: Any, dtype: Dtype) -> None:
        self.backend = backend
        self.value = value
        self.dtype = dtype
        self.shape = tuple(map(int, value.shape))
        self.stamp = 0
        self.written = False  # by an in-place op, rather than only by the op that made it
        # An address of its own, far enough from all others that views of two buffers never look related.
        self.address = next(_addresses) << 44

    def replace(self, value: Any) -> None:
        """Put in an equal array (one that was computed meanwhile, say)."""
        self.value = value
        self.stamp += 1

    def write(self, value: Any) -> None:
        """Put in new values."""
        self.replace(value)
        self.written = True
        self.backend.inner.wrote(self)


class FArray:
    """A place in a buffer; strides and offset in bytes."""

    __slots__ = ("__weakref__", "_plan", "_seen", "_value", "buffer", "dtype", "offset", "shape", "strides")

    def __init__(
        self, buffer: Buffer, dtype: Dtype, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
    ) -> None:
        self.buffer = buffer
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self._seen = -1
        self._value: Any = None
        self._plan: Plan | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def whole(self) -> bool:
        """Whether this is the buffer as it is."""
        b = self.buffer
        return (
            self.shape == b.shape
            and self.dtype is b.dtype
            and not self.offset
            and (self.strides == tuple(s * self.dtype.itemsize for s in contiguous_strides(b.shape)) or not self.size)
        )

    def __repr__(self) -> str:
        return f"<{self.dtype.name} {list(self.shape)} in a buffer of {self.buffer.backend.name}>"

    def read(self) -> Any:
        """The library's array with the current values."""
        b = self.buffer
        if self._seen != b.stamp:
            self._value = b.value if self.whole else self._resolve()
            self._seen = b.stamp
        return self._value

    def write(self, value: Any, constant: bool = False) -> None:
        """Replace the values by those of a library's array of the same shape and type.

        constant: all of them are the same, so that elements which share memory do no harm.
        """
        b = self.buffer
        if self.whole:
            b.write(value)
            return
        if not self.size:
            return
        moves = b.backend.moves
        p, whole = self._planned(), self._reinterpreted()
        if p.overlaps and not constant:
            raise RuntimeError(
                "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                "location. Please clone() the tensor before performing the operation."
            )
        value = _put(moves, p, whole, value)
        if self.dtype is not b.dtype:
            value = moves.bitcast(value, self.dtype, b.dtype)
        b.write(moves.reshape(value, b.shape) if tuple(value.shape) != b.shape else value)

    def _resolve(self) -> Any:
        b = self.buffer
        if not self.size:
            inner = b.backend.inner
            return inner.from_host(np.empty(self.shape, TO_NUMPY[self.dtype]), self.dtype, inner.device_of(b.value))
        return _get(b.backend.moves, self._planned(), self._reinterpreted())

    def _reinterpreted(self) -> Any:
        """The buffer's array in this view's element type."""
        b = self.buffer
        if self.dtype is b.dtype:
            return b.value
        value = b.value if b.shape else b.backend.moves.reshape(b.value, (1,))
        return b.backend.moves.bitcast(value, b.dtype, self.dtype)

    def _planned(self) -> Plan:
        if self._plan is None:
            size, base = self.dtype.itemsize, self.buffer.shape
            if self.dtype is not self.buffer.dtype:
                base = base or (1,)
                base = (*base[:-1], base[-1] * self.buffer.dtype.itemsize // size)
            self._plan = plan(base, self.shape, tuple(s // size for s in self.strides), self.offset // size)
        return self._plan


def _get(moves: Moves, p: Plan, x: Any) -> Any:
    if tuple(x.shape) != p.base:
        x = moves.reshape(x, p.base)
    if p.positions is not None:
        return moves.reshape(moves.take(x, p.positions.reshape(-1), 0), p.shape)
    if any(k != slice(0, n, 1) for k, n in zip(p.key, p.base)):
        x = moves.index(x, p.key)
    if p.axes != tuple(range(len(p.axes))):
        x = moves.permute(x, p.axes)
    if None in p.ones:
        x = moves.index(x, p.ones)
    return x if tuple(x.shape) == p.shape else moves.expand(x, p.shape)


def _put(moves: Moves, p: Plan, x: Any, value: Any) -> Any:
    if tuple(x.shape) != p.base:
        x = moves.reshape(x, p.base)
    if p.positions is not None:
        source, mask = np.zeros(p.base, np.int64), np.zeros(p.base, bool)
        source[p.positions.reshape(-1)] = np.arange(p.positions.size)
        mask[p.positions.reshape(-1)] = True
        return moves.where(mask, moves.take(moves.reshape(value, (p.positions.size,)), source, 0), x)
    if None in p.ones:
        value = moves.index(value, tuple(0 if k is None else k for k in p.ones))
    if p.axes != tuple(range(len(p.axes))):
        value = moves.permute(value, tuple(p.axes.index(i) for i in range(len(p.axes))))
    if all(k == slice(0, n, 1) for k, n in zip(p.key, p.base)):
        return value
    return moves.put(x, p.key, value)


# ---- the backend -----------------------------------------------------------------------------------------------------


# Bytes up to which address space is really reserved: a view kernel that copies by mistake is then caught.  Beyond, an
# address that no process uses takes its place, since not every system reserves more than it could give.
_RESERVED = 1 << 30


class _Pretended:
    def __init__(self, nbytes: int) -> None:
        self.__array_interface__ = {"data": (1 << 46, False), "shape": (nbytes,), "typestr": "|u1", "version": 3}


class _Ghosts:
    """Arrays with a given geometry over reserved address space: nothing is ever read or written there."""

    def __init__(self) -> None:
        self.space: Any = np.frombuffer(mmap.mmap(-1, 1 << 20), np.uint8)

    def make(self, x: FArray) -> np.ndarray[Any, Any]:
        needed = math.prod(x.buffer.shape) * x.buffer.dtype.itemsize
        space = self.space
        if needed > _RESERVED:
            space = np.asarray(_Pretended(needed))
        elif needed > space.size:
            space = self.space = np.frombuffer(mmap.mmap(-1, 1 << needed.bit_length()), np.uint8)
        return np.ndarray(x.shape, TO_NUMPY[x.dtype], space, x.offset, x.strides)

    def place(self, ghost: np.ndarray[Any, Any], space: Any, x: FArray, op: str) -> FArray:
        """The part of ``x``'s buffer where a view of its ghost lies; ``space`` is that ghost's base."""
        offset = ghost.__array_interface__["data"][0] - space.__array_interface__["data"][0]
        if not 0 <= offset <= space.size:
            if not ghost.size:
                return FArray(x.buffer, FROM_NUMPY[ghost.dtype], ghost.shape, ghost.strides, x.offset)
            raise RuntimeError(f"the NumPy kernel of the view op {op!r} copied: it must return a view of its argument")
        return FArray(x.buffer, FROM_NUMPY[ghost.dtype], ghost.shape, ghost.strides, offset)


_ghosts = _Ghosts()


class FunctionalBackend(Backend):
    """A backend with immutable arrays, given views and in-place writes.  ``inner`` is the library's own backend."""

    raw_type = FArray

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.name = inner.name
        self.device_types = inner.device_types
        self.capabilities = inner.capabilities
        self._kernels: dict[tuple[str, Dtype], Kernel | None] = {}
        self.compute_dtype = inner.compute_dtype  # type: ignore[method-assign]
        self.unavailable = inner.unavailable  # type: ignore[method-assign]
        self.version = inner.version  # type: ignore[method-assign]
        self.devices = inner.devices  # type: ignore[method-assign]
        self.remarks = inner.remarks  # type: ignore[method-assign]
        self.dtypes_on = inner.dtypes_on  # type: ignore[method-assign]
        self.synchronize = inner.synchronize  # type: ignore[method-assign]

    @functools.cached_property
    def moves(self) -> Moves:
        return self.inner.moves or Moves(self.inner.xp, self.inner)

    # ---- kernels

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        key = (name, dtype)
        if key not in self._kernels:
            self._kernels[key] = self._make_kernel(name, dtype)
        return self._kernels[key]

    def _make_kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        from torsh.ops._op import OPS

        op = OPS.get(name)
        if op is not None and op.view:
            from torsh import registry

            geometry = registry.load("numpy").kernel(name, dtype)
            return None if geometry is None else functools.partial(self._view, name, geometry)
        # An in-place op (its name ends in _) is the op that is not, and a write.
        kernel, source = self.inner.kernel(name.removesuffix("_"), dtype), "native"
        if kernel is None and self.inner.xp is not None:
            from torsh_arrayapi import generic_kernel

            kernel, source = generic_kernel(name.removesuffix("_"), self.inner.xp), "generic"
        if kernel is None:
            return None
        run = self._run
        if name.endswith("_"):
            run = self._write
        found = functools.partial(run, kernel)
        found.source = source  # type: ignore[attr-defined]
        return found

    def _run(self, kernel: Kernel, *args: Any) -> Any:
        return self._lift(kernel(*[_lower(a) for a in args]))

    def _write(self, kernel: Kernel, target: FArray, *args: Any) -> FArray:
        """The kernel's result, written into the first operand."""
        found = kernel(target.read(), *[_lower(a) for a in args])
        if tuple(found.shape) != tuple(target.shape):
            raise RuntimeError(
                f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(found.shape)}; an in-place form "
                "writes into a tensor of unchanged shape"
            )
        target.write(found)
        return target

    def _view(self, name: str, geometry: Kernel, x: FArray, *params: Any) -> Any:
        whole = _ghosts.make(x)
        ghost = geometry(whole, *params)
        if type(ghost) is tuple or type(ghost) is list:
            return tuple(_ghosts.place(g, whole.base, x, name) for g in ghost)
        return _ghosts.place(ghost, whole.base, x, name)

    def _lift(self, found: Any) -> Any:
        if type(found) is tuple or type(found) is list:
            return type(found)(self._lift(f) for f in found)
        return None if found is None else self.as_raw(found)

    # ---- data

    def fresh(self, value: Any) -> FArray:
        """An array of the library, newly made, in a buffer of its own."""
        dtype = self.inner.dtype_of(value)
        buffer = Buffer(self, value, dtype)
        if self.capabilities.lazy:
            self.inner.made(buffer)
        strides = tuple(s * dtype.itemsize for s in contiguous_strides(buffer.shape))
        return FArray(buffer, dtype, buffer.shape, strides, 0)

    def as_raw(self, value: Any) -> FArray:
        return value if type(value) is FArray else self.fresh(self.inner.as_raw(value))

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> FArray:
        # A copy: the caller may go on writing to the array, the library's arrays must not change.
        if not array.flags.c_contiguous:
            # The order of dimensions in memory stays: what depends on it (draws, views) is as where arrays have strides.
            axes = sorted(range(array.ndim), key=lambda d: -array.strides[d] if array.shape[d] != 1 else 0)
            if array.transpose(axes).flags.c_contiguous:
                found = self.from_host(array.transpose(axes), dtype, device)
                strides = tuple(found.strides[axes.index(d)] for d in range(array.ndim))
                return FArray(found.buffer, dtype, array.shape, strides, 0)
        return self.fresh(self.inner.from_host(np.array(array, order="C"), dtype, device))

    def known(self, raw: Any) -> bool:
        return type(raw) is FArray and self.inner.known(raw)  # a sparse tensor, say, has no array of its own

    def pieces(self, shape: tuple[int, ...], dtype: Dtype, block: int) -> tuple[int, ...]:
        return self.inner.pieces(shape, dtype, block)

    def from_pieces(self, shape: tuple[int, ...], dtype: Dtype, counts: tuple[int, ...], make: Any) -> FArray:
        return self.fresh(self.inner.from_pieces(shape, dtype, counts, make))

    def to_host(self, raw: FArray) -> np.ndarray[Any, Any]:
        # A copy for the same reason, the other way round.
        self.inner.reading(raw)
        return np.array(self.inner.to_host(raw.read()))

    def dtype_of(self, raw: FArray) -> Dtype:
        return raw.dtype

    def device_of(self, raw: FArray) -> Device:
        return self.inner.device_of(raw.buffer.value)

    def cast(self, raw: FArray, dtype: Dtype, copy: bool = False) -> FArray:
        if raw.dtype is dtype and not copy:
            return raw
        return self.fresh(self.inner.cast(raw.read(), dtype, False))

    def write(self, target: FArray, source: FArray) -> None:
        target.write(source.read(), constant=not any(source.strides))

    def fill(self, raw: FArray, value: Any) -> None:
        # Not as wide as the target: one number, stretched.
        number = self.inner.from_host(np.full((), value, TO_NUMPY[raw.dtype]), raw.dtype, self.device_of(raw))
        raw.write(self.moves.expand(number, raw.shape), constant=True)

    def shares(self, raw: FArray) -> bool:
        return not raw.whole

    def to_dlpack(self, raw: FArray, **options: Any) -> Any:
        # Asked for by the user, and the only memory there is to give: a copy on the host.
        options.pop("stream", None)
        return self.to_host(raw).__dlpack__(**{n: v for n, v in options.items() if v is not None})

    def from_dlpack(self, source: Any) -> FArray:
        array = np.from_dlpack(source)
        return self.from_host(array, FROM_NUMPY[array.dtype], self.devices()[0])

    def geometry(self, raw: FArray) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        size = raw.dtype.itemsize
        return raw.shape, tuple(s // size for s in raw.strides), raw.buffer.address + raw.offset

    def storage(self, raw: FArray) -> FArray:
        b = raw.buffer
        return FArray(b, dtypes.uint8, (math.prod(b.shape) * b.dtype.itemsize,), (1,), 0)


def _lower(value: Any) -> Any:
    if type(value) is FArray:
        return value.read()
    if type(value) is list or type(value) is tuple:
        return type(value)(_lower(v) for v in value)
    return value


def functional(backend: Backend) -> Backend:
    """The backend itself if its arrays can be written to, else the same with views and in-place writes added."""
    return backend if backend.capabilities.mutable else FunctionalBackend(backend)


__all__ = ["Buffer", "FArray", "FunctionalBackend", "Moves", "Plan", "functional", "plan"]
