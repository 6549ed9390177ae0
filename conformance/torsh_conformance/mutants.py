"""The suite's own test: deliberately broken backends, each of which must be caught.

A mutant is the NumPy backend with one kernel (or a few) broken in a way real backends are.  It is caught if a check
fails on it that passes on the NumPy backend itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """A broken backend: ``breaks(kernel) -> kernel`` for the ops in ``ops`` (kernel names)."""

    name: str
    text: str
    ops: tuple[str, ...]
    breaks: Callable[[Kernel], Kernel]
    subjects: str = ""  # regular expression of the subjects that use these kernels; default: the ops themselves
    dtypes: tuple[str, ...] = ("float32",)


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant was noticed, and by which check of which case first."""

    name: str
    text: str
    caught: bool
    by: str = ""


# ---- ways to be wrong ------------------------------------------------------------------------------------------------


def _on_result(change: Callable[[np.ndarray[Any, Any]], Any]) -> Callable[[Kernel], Kernel]:
    """Break what a kernel returns (the first array of several)."""

    def breaks(kernel: Kernel) -> Kernel:
        def broken(*args: Any, **kwargs: Any) -> Any:
            found = kernel(*args, **kwargs)
            if isinstance(found, (tuple, list)):
                return type(found)([change(np.asarray(found[0])), *found[1:]])
            return change(np.asarray(found))

        return broken

    return breaks


def _on_args(change: Callable[..., tuple[Any, ...]]) -> Callable[[Kernel], Kernel]:
    """Break what a kernel gets."""
    return lambda kernel: lambda *args: kernel(*change(*args))


def _swapped(kernel: Kernel) -> Kernel:
    return lambda a, b, *rest: kernel(b, a, *rest)


def _stale(kernel: Kernel) -> Kernel:
    """One buffer per shape and type, reused by every call."""
    buffers: dict[Any, np.ndarray[Any, Any]] = {}

    def broken(*args: Any) -> Any:
        found = np.asarray(kernel(*args))
        buffer = buffers.setdefault((found.shape, found.dtype), np.empty_like(found))
        buffer[...] = found
        return buffer

    return broken


def _writes_input(kernel: Kernel) -> Kernel:
    """Uses its first argument as scratch space."""

    def broken(first: Any, *rest: Any) -> Any:
        found = np.array(kernel(first, *rest))
        if isinstance(first, np.ndarray) and first.flags.writeable and found.shape == first.shape:
            first[...] = found.astype(first.dtype)
        return found

    return broken


def _axis(kernel: Kernel) -> Kernel:
    """Reduces the neighbouring axis where there is one of the same length or rank allows."""

    def broken(x: Any, *rest: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.ndim < 2:
            return kernel(x, *rest)
        return kernel(np.swapaxes(x, 0, 1), *rest)

    return broken


def _raises_on_empty(kernel: Kernel) -> Kernel:
    def broken(*args: Any) -> Any:
        if any(isinstance(a, np.ndarray) and a.size == 0 for a in args):
            raise ValueError("zero-size array")
        return kernel(*args)

    return broken


def _assumes_contiguous(kernel: Kernel) -> Kernel:
    """Walks memory as if strides did not matter."""

    def flat(a: Any) -> Any:
        if not isinstance(a, np.ndarray) or a.ndim == 0 or a.size == 0 or a.flags.c_contiguous:
            return a
        base = a.base if a.base is not None and a.base.size >= a.size and a.base.dtype == a.dtype else None
        return a if base is None else np.ravel(base, order="K")[: a.size].reshape(a.shape)

    return lambda *args: kernel(*map(flat, args))


def _loses_zero_dim(kernel: Kernel) -> Kernel:
    return _on_result(lambda r: r.reshape(1) if r.ndim == 0 else r)(kernel)


def _counter() -> Callable[[Kernel], Kernel]:
    """Gives something slightly else at every call, like a race would."""

    def breaks(kernel: Kernel) -> Kernel:
        calls = [0]

        def broken(*args: Any) -> Any:
            calls[0] += 1
            found = np.array(kernel(*args))
            if calls[0] % 2 == 0 and found.size and found.dtype.kind in "fc":
                found.reshape(-1)[-1:] = np.nextafter(found.reshape(-1)[-1:], np.inf, dtype=found.dtype)
            return found

        return broken

    return breaks


def _wrong_ddof(kernel: Kernel) -> Kernel:
    """Divides by n where n - 1 is asked for: scales the result accordingly."""

    def broken(x: Any, *rest: Any) -> Any:
        found = np.asarray(kernel(x, *rest))
        n = max(x.size // max(found.size, 1), 1)
        return (found * ((n - 1) / n)).astype(found.dtype)

    return broken


def _nan_ignored(kernel: Kernel) -> Kernel:
    """Skips nan as fmax does, where maximum must hand it on."""

    def broken(a: Any, b: Any) -> Any:
        found = np.asarray(kernel(a, b))
        with np.errstate(all="ignore"):
            one = np.where(np.isnan(a), b, np.where(np.isnan(b), a, found))
        return np.asarray(one).astype(found.dtype)

    return broken


def _flushes_small(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(np.abs(r) < 0.05, 0, r).astype(r.dtype)


def _imprecise(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Half precision in between."""
    return r.astype(np.float16).astype(r.dtype) if r.dtype.kind == "f" else r


def _off_by_one(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The last row is never written."""
    r = np.array(r)
    if r.ndim and r.shape[0] > 1:
        r[-1] = r[-2]
    return r


def _promoted(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return r.astype(np.float64) if r.dtype == np.float32 else r.astype(np.float32) if r.dtype.kind in "iu" else r


def _leaks(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(r == 0, r - r.dtype.type(1e-3), r)


def _through_float64(kernel: Kernel) -> Kernel:
    """Integers as float64: right up to 2**53."""
    return lambda a, b: np.asarray(np.multiply(a, b, dtype=np.float64)).astype(np.asarray(a).dtype)


def _transposed(r: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.swapaxes(r, -1, -2) if r.ndim >= 2 else r


MUTANTS: tuple[Mutant, ...] = (
    Mutant("wrong-axis", "sum reduces another axis", ("sum",), _axis),
    Mutant("keepdim-ignored", "sum drops dimensions it should keep", ("sum",),
           lambda kernel: lambda x, dim, keepdim, *rest: kernel(x, dim, False, *rest)),
    Mutant("wrong-ddof", "var divides by n", ("var_op", "var"), _wrong_ddof, subjects="^(var|std)$"),
    Mutant("nan-swallowed", "maximum skips nan", ("maximum",), _nan_ignored),
    Mutant("stale-buffer", "exp returns one buffer again and again", ("exp",), _stale),
    Mutant("off-by-one", "the last row of mul is never written", ("mul",), _on_result(_off_by_one)),
    Mutant("wrong-promotion", "add gives float64", ("add",), _on_result(_promoted)),
    Mutant("operands-swapped", "sub computes b - a", ("sub",), _swapped),
    Mutant("argument-overwritten", "neg uses its argument as scratch space", ("neg",), _writes_input),
    Mutant("empty-refused", "mul raises for empty arrays", ("mul",), _raises_on_empty),
    Mutant("strides-ignored", "exp reads strided memory as if it were contiguous", ("exp",), _assumes_contiguous),
    Mutant("zero-dim-lost", "sum gives one dimension for a full reduction", ("sum",), _loses_zero_dim),
    Mutant("race", "sin is not the same twice", ("sin",), _counter()),
    Mutant("half-precision", "tanh computes in float16", ("tanh",), _on_result(_imprecise)),
    Mutant("infinity-clipped", "exp gives the largest number for infinity", ("exp",),
           _on_result(lambda r: np.nan_to_num(r, nan=np.nan, posinf=float(np.finfo(r.dtype).max)))),
    Mutant("small-flushed", "mul flushes small results to zero", ("mul",), _on_result(_flushes_small)),
    Mutant("sign-lost", "trunc division instead of floor division", ("floor_divide",),
           lambda kernel: lambda a, b: np.trunc(np.true_divide(a, b)).astype(np.result_type(kernel(a, b)))),
    Mutant("matrix-transposed", "matmul gives its transpose", ("matmul", "mm"), _on_result(_transposed),
           subjects="^(matmul|mm)$"),
    Mutant("comparison-off", "gt is ge", ("gt",), lambda kernel: lambda a, b: np.greater_equal(a, b),
           dtypes=("float32", "int64")),
    Mutant("wrapped", "int64 arithmetic in float64", ("mul",),
           _through_float64,
           dtypes=("int64",)),
    Mutant("slope", "relu of zero and below leaks", ("relu",), _on_result(_leaks)),
)  # fmt: skip


# ---- catching them ---------------------------------------------------------------------------------------------------


def backend_of(mutant: Mutant) -> Any:
    """The NumPy backend with the mutant's kernels."""
    from torsh_numpy.backend import NumpyBackend

    class Broken(NumpyBackend):
        """NumPy with a fault."""

        name = f"mutant-{mutant.name}"

        def kernel(self, name: str, dtype: Any) -> Kernel | None:
            found = super().kernel(name, dtype)
            return mutant.breaks(found) if found is not None and name in mutant.ops else found

        def into(self, kernel: Kernel) -> Kernel | None:
            return None

    return Broken()


def hunt(mutant: Mutant) -> Verdict:
    """Run the cases of a mutant's ops on it and on NumPy; caught if a check fails only on the mutant."""
    from torsh import registry
    from torsh_conformance.runner import Plan, Target, default_reference, run_subject
    from torsh_conformance.subjects import all_subjects

    backend = backend_of(mutant)
    registry.register(backend)
    try:
        pattern = mutant.subjects or f"^({'|'.join(mutant.ops)})$"
        plan = Plan(
            (Target("numpy", "cpu"), Target(backend.name, "cpu")),
            mutant.dtypes,
            reference=default_reference(),
            timings="none",
        )
        for subject in all_subjects(pattern):
            part = run_subject(subject, plan)
            healthy = {(f.dtype, f.sample, f.check) for f in part.failures if f.backend == "numpy"}
            for f in part.failures:
                if f.backend == backend.name and (f.dtype, f.sample, f.check) not in healthy:
                    return Verdict(
                        mutant.name, mutant.text, True, f"{f.op}/{f.dtype}/{f.sample} {f.check}: {f.message}"
                    )
    finally:
        registry._loaded.pop(backend.name, None)
    return Verdict(mutant.name, mutant.text, False)
