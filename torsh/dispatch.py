"""The call path: kinds, kernel resolution, modes, and the general way an op runs.

Every tensor carries a ``Kind``: its dtype, its device and the backend that holds it, one interned object per
combination.  Two tensors of one kind need neither promotion nor a device check, so the commonest question on the hot
path is a single ``is``.  An op's kernels are cached per kind.

A *mode* sees every op that runs while it is on the stack (tracing, profiling, autocast, batching).  The call path asks
one attribute, ``state.busy``, whether any thread has one.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torsh import dtypes, registry
from torsh._callers import warn_once
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype
from torsh.dtypes import scalar_name

if TYPE_CHECKING:
    from torsh.backend import Backend
    from torsh.ops._op import Op


# ---- kinds -----------------------------------------------------------------------------------------------------------


class Place(dict["Dtype", "Kind"]):
    """A device as one backend serves it; ``place[dtype]`` is the kind of a dtype there."""

    # Looking a kind up is done for every op: a dict finds it without a Python call.
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__
    __ne__ = object.__ne__

    def __init__(self, backend: Backend, device: Device) -> None:
        self.backend = backend
        self.device = device._held_by(backend)
        self.raw_type = backend.raw_type
        # Kinds by the element types of raw arrays; None where these do not say it all.
        self.told: dict[Any, Kind] | None = {} if backend.told_by_dtype else None

    def kind_of(self, raw: Any) -> Kind:
        """The kind of a raw array."""
        told = self.told
        if told is None:
            return self[self.backend.dtype_of(raw)]
        found = told.get(raw.dtype)
        if found is None:
            found = told[raw.dtype] = self[self.backend.dtype_of(raw)]
        return found

    def __missing__(self, dtype: Dtype) -> Kind:
        offered = self.backend.dtypes_on(self.device)
        if not isinstance(dtype, Dtype):
            error = TypeError(f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
            error.about = "dtype", f"must be torch.dtype, not {type(dtype).__name__}", False  # type: ignore[attr-defined]
            raise error
        if dtype not in offered:
            raise TypeError(
                f"backend {self.backend.name!r} on device {str(self.device)!r} has no {dtype} tensors; "
                f"convert to one of {', '.join(sorted(d.name for d in offered - dtypes.UNCASTABLE))}"
            )
        if dtype is dtypes.complex32:
            warn_once("ComplexHalf support is experimental and many operators don't support it yet.")
        return self.setdefault(dtype, Kind(self, dtype))

    def __repr__(self) -> str:
        return f"<{self.device} by {self.backend.name}>"


class Kind:
    """dtype, device and backend of a tensor; interned, so that equal kinds are the same object."""

    __slots__ = (
        "as_raw",
        "backend",
        "complex",
        "device",
        "dtype",
        "floating",
        "high",
        "inexact",
        "low",
        "place",
        "raw_type",
        "truth",
    )

    def __init__(self, place: Place, dtype: Dtype) -> None:
        self.place = place
        self.dtype = dtype
        self.device = place.device
        self.backend = place.backend
        self.raw_type = place.backend.raw_type
        self.as_raw = place.backend.as_raw
        self.floating = dtype.is_floating_point
        self.complex = dtype.is_complex
        self.inexact = dtype.is_floating_point or dtype.is_complex
        # Which Python integers an operand of this kind meets without promotion or wrapping around.
        self.low: float = -math.inf if self.floating else math.nan
        self.high: float = math.inf
        if dtype.category == dtypes.INT and dtype not in dtypes.UNCASTABLE:
            bits = 8 * dtype.itemsize - (1 if dtype.is_signed else 0)
            self.low, self.high = -(1 << bits) if dtype.is_signed else 0, (1 << bits) - 1
        # The kind of what comparisons give, None where the backend has no such tensors.
        has = dtypes.bool in place.backend.dtypes_on(place.device)
        self.truth: Any = self if dtype is dtypes.bool else place[dtypes.bool] if has else None

    def __repr__(self) -> str:
        return f"<{self.dtype.name} on {self.device} by {self.backend.name}>"


_places: dict[tuple[int, str, int | None], Place] = {}
_serving = registry._served


def place_of(device: Device, backend: Backend | None = None) -> Place:
    """The place of a device: on the backend given, on that of the tensor whose device it is, or on the one that serves it now."""
    if backend is None:
        backend = device._backend or _serving.get(device.type) or registry.serving(device)
    place = _places.get((id(backend), device.type, device.index))
    if place is None:
        if device.index is None and device.type != "cpu" and device.type != "meta":
            device = next(d for d in backend.devices() if d.type == device.type)
        place = _places.setdefault((id(backend), device.type, device.index), Place(backend, device))
    return place


# ---- modes -----------------------------------------------------------------------------------------------------------


class _Stack(threading.local):
    modes: tuple[Mode, ...] = ()


class _State:
    """``busy``: how many modes are on in all threads together; zero lets every op take its short path."""

    def __init__(self) -> None:
        # In the instance: an attribute that is only the class's default takes longer to read.
        self.busy: int = 0
        # Set for good when the first Tensor subclass with its own __torch_function__ is defined.
        self.overrides: bool = False
        # In how many threads autocast is on.
        self.autocasts: int = 0
        # How many tensors and modes with a __torch_dispatch__ there are: see ``torsh._torch_dispatch``.
        self.watched: int = 0
        # How many levels of forward-mode differentiation are on, in all threads.
        self.levels: int = 0


state = _State()
_stack = _Stack()
# Reentrant: tensors that count themselves (``torsh._torch_dispatch``) may end while it is held.
_lock = threading.RLock()
# ``below(op, args, run)``: what runs an op under all modes while a tensor with a __torch_dispatch__ exists.
below: Callable[..., Any] | None = None


class Mode:
    """Sees every op called inside its ``with`` block, in its own thread.

    Override ``intercept(op, args, proceed)``: return ``proceed(*args)`` to let the op run (the modes below see it then),
    or anything else in its place.  Ops called inside ``intercept`` go to the modes below.
    """

    def intercept(self, op: Op, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        """See :class:`Mode`: called for every op."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does with an op: override intercept()")

    def __enter__(self) -> Any:
        _stack.modes = (*_stack.modes, self)
        with _lock:
            state.busy += 1
        return self

    def __exit__(self, *exc: object) -> None:
        _stack.modes = _stack.modes[:-1]
        with _lock:
            state.busy -= 1


def modes() -> tuple[Mode, ...]:
    """The modes of this thread, outermost first."""
    return _stack.modes


def through_modes(op: Op, args: tuple[Any, ...], run: Callable[..., Any]) -> Any:
    """Run an op under the modes of this thread; ``run(*args)`` is the op itself."""
    stack = _stack.modes
    if not stack:
        return run(*args) if below is None else below(op, args, run)
    mode = stack[-1]
    _stack.modes = stack[:-1]
    try:
        return mode.intercept(op, args, lambda *new: through_modes(op, new, run))
    finally:
        _stack.modes = stack


# ---- kernel resolution -----------------------------------------------------------------------------------------------


class KernelCache(dict["Kind", Callable[..., Any]]):
    """An op's kernels by kind, each found when first asked for."""

    def __init__(self, op: Op) -> None:
        self.op = op
        self.sources: dict[Kind, str] = {}
        # The same for short call paths: kernels of kinds whose tensors go to them as they are, None for other kinds.
        # A lookup in a plain dict takes half as long as in a subclass of it.
        self.known: dict[Kind, Callable[..., Any] | None] = {}

    def clear(self) -> None:
        """Forget all kernels."""
        super().clear()
        self.known.clear()

    def __missing__(self, kind: Kind) -> Callable[..., Any]:
        kernel, source = resolve(self.op, kind)
        self[kind] = kernel
        self.sources[kind] = source
        return kernel


def resolve(op: Op, kind: Kind) -> tuple[Callable[..., Any], str]:
    """The kernel of an op for a kind and where it came from.

    Tried in turn: the backend's own kernel ("native"), the generic Array API kernel ("generic"), the op's decomposition
    ("composed").  Where there is none ("missing") the kernel raises NotImplementedError saying so.
    """
    backend, dtype = kind.backend, kind.dtype
    if dtype in dtypes.UNCASTABLE and op.computes:
        return _missing(op, kind), "missing"
    compute = backend.compute_dtype(dtype) if op.computes else dtype
    kernel = backend.kernel(op.name, compute)
    source = getattr(kernel, "source", "native")
    if kernel is None and backend.xp is not None:
        from torsh_arrayapi import generic_kernel

        kernel, source = generic_kernel(op.name, backend.xp), "generic"
    if kernel is not None:
        if compute is dtype:
            kernel = backend.adapt(op, kernel, dtype, functools.partial(_result_dtypes, op, kind))
        else:
            stepwise = getattr(kernel, "stepwise", None) if dtype.is_floating_point else None
            kernel = backend.widened(op, _in_type(kernel, backend, dtype, compute))
            if stepwise is not None:  # PyTorch rounds every step of it to the narrow type
                kernel = stepwise(kernel)
            if op.rounded and dtype in dtypes.SIGNIFICAND:
                kernel = _with_rounded(kernel, op.rounded, dtype)
        return kernel, source
    if op.decompose is not None:
        return _composed(op, kind), "composed"
    return _missing(op, kind), "missing"


def _result_dtypes(op: Op, kind: Kind, *args: Any) -> list[Dtype]:
    """The dtypes of the results of a call on raw arrays; NotImplementedError where the meta rule needs their values."""
    from torsh.meta import MetaArray

    backend = kind.backend
    raw_type: Any = kind.raw_type

    def described(x: Any) -> Any:
        if isinstance(x, raw_type):
            return MetaArray(x.shape, backend.dtype_of(x))
        return type(x)(described(y) for y in x) if type(x) is list or type(x) is tuple else x

    rule = registry.load("meta").kernel(op.name, kind.dtype)
    if rule is None:
        raise NotImplementedError(f"op {op.name!r} has no meta rule")
    found = rule(*[described(a) for a in args])
    return [x.dtype for x in (found if type(found) is tuple else (found,))]


def _with_rounded(kernel: Callable[..., Any], positions: tuple[int, ...], dtype: Dtype) -> Callable[..., Any]:
    """The kernel of a narrow type with Python numbers at some positions rounded to that type first, as PyTorch does."""

    def run(*args: Any) -> Any:
        given = list(args)
        for i in positions:
            if isinstance(given[i], (int, float, complex)):
                given[i] = dtypes.nearest(given[i], dtype)
        return kernel(*given)

    return run


def _in_type(kernel: Callable[..., Any], backend: Backend, dtype: Dtype, compute: Dtype) -> Callable[..., Any]:
    """The kernel with arithmetic in a wider type: operands of ``dtype`` are widened, results rounded back."""
    raw_type, dtype_of, cast, as_raw = backend.raw_type, backend.dtype_of, backend.cast, backend.as_raw
    narrow_real, wide_real = dtype.to_real(), compute.to_real()
    to_complex = (
        compute in (dtypes.float32, dtypes.float64) and dtype is not dtypes.bfloat16 and dtype not in dtypes.FLOAT8
    )
    wide_complex = compute.to_complex() if to_complex else None

    def widen(x: Any) -> Any:
        if isinstance(x, raw_type):
            return cast(x, compute) if dtype_of(x) is dtype else x
        if type(x) is list or type(x) is tuple:
            return type(x)(widen(y) for y in x)
        return x

    def narrow(x: Any) -> Any:
        if type(x) is tuple or type(x) is list:
            return type(x)(narrow(y) for y in x)
        if x is None:
            return None
        x = as_raw(x)
        found = dtype_of(x)
        if found is compute:
            return cast(x, dtype)
        if found is wide_complex:  # a complex result of real operands
            return cast(x, dtype.to_complex())
        return cast(x, narrow_real) if found is wide_real else x

    return lambda *args: narrow(kernel(*[widen(a) for a in args]))


def _composed(op: Op, kind: Kind) -> Callable[..., Any]:
    from torsh.autograd.grad_mode import no_grad
    from torsh.tensor import Tensor, wrap

    raw_type, place, decompose = kind.raw_type, kind.place, op.decompose
    assert decompose is not None

    def up(x: Any) -> Any:
        if isinstance(x, raw_type):
            return wrap(x, place)
        if type(x) is list or type(x) is tuple:
            return type(x)(up(y) for y in x)
        return x

    def down(x: Any) -> Any:
        if isinstance(x, Tensor):
            return x._data
        if isinstance(x, (list, tuple)):
            return tuple(down(y) for y in x)
        return x

    def run(*args: Any) -> Any:
        with no_grad():
            return down(decompose(*[up(a) for a in args]))

    return run


def _missing(op: Op, kind: Kind) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        raise NotImplementedError(
            f"\"{op.name}\" not implemented for '{scalar_name(kind.dtype)}' on device {str(kind.device)!r}: backend "
            f"{kind.backend.name!r} has no kernel for it, and torsh no generic one and no decomposition. Move the tensor to "
            f"another backend (`torsh backends` lists them) or add a kernel {op.name!r} to this one"
        )

    return run


def unallocatable(error: Exception, size: tuple[int, ...] | None = None) -> Exception:
    """PyTorch's error for memory that cannot be had, in place of Python's or the library's; any other error as it is.

    size: what was asked for, where that is known.
    """
    if isinstance(error, MemoryError):
        shape: Any = getattr(error, "shape", None)  # NumPy tells
        dtype: Any = getattr(error, "dtype", None)
        what = (
            "memory"
            if shape is None
            else f"{math.prod(shape) * dtype.itemsize} bytes for a result of shape {list(shape)}"
        )
        return RuntimeError(
            f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {what}. Compute with smaller tensors, or piece by piece"
        )
    if isinstance(error, ValueError) and error.args and str(error.args[0]).startswith(_TOO_BIG):
        if size is not None:
            what = "Stride" if 0 in size else "Storage size"
            return RuntimeError(
                f"{what} calculation overflowed with sizes={list(size)}: no tensor can have that many elements"
            )
        return RuntimeError(f"Storage size calculation overflowed: no tensor can have that many elements ({error})")
    return error


# How NumPy's messages begin for sizes that no memory has.
_TOO_BIG = (
    "array is too big",
    "Maximum allowed dimension exceeded",
    "broadcast dimensions too large",
    "maximum supported dimension",
)


def mismatch(error: Exception, raws: Sequence[Any]) -> Exception:
    """PyTorch's error for shapes that do not broadcast, in place of the library's own; any other error as it is."""
    shapes = [tuple(r.shape) for r in raws if hasattr(r, "shape")]
    for i, a in enumerate(shapes):
        for b in shapes[i + 1 :]:
            rank = max(len(a), len(b))
            for d in range(1, rank + 1):
                m, n = (a[-d] if d <= len(a) else 1), (b[-d] if d <= len(b) else 1)
                if m != n and m != 1 and n != 1:
                    return RuntimeError(
                        f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension "
                        f"{rank - d}; the shapes {list(a)} and {list(b)} do not broadcast"
                    )
    return unallocatable(error)


def mixed_devices(a: Kind, b: Kind) -> RuntimeError:
    """The error for operands on two devices, or on one device held by two backends."""
    if a.device != b.device:
        return RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {a.device} and {b.device}! "
            f"Move one of them with .to({str(a.device)!r})"
        )
    return RuntimeError(
        f"Expected all tensors to be on the same device, but found two backends for {a.device}: {a.backend.name!r} and "
        f"{b.backend.name!r}. A tensor made before the device was bound to another backend stays where it was; move it with "
        f".to({str(a.device)!r})"
    )
