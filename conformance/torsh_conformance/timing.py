"""Time of an op against the reference: medians of interleaved blocks, for a small and a larger call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from torsh_conformance.library import Library, tensors_in
from torsh_conformance.sample import Make, S, call_args, generate, required
from torsh_conformance.subjects import Subject

if TYPE_CHECKING:
    from torsh_conformance.runner import Plan

SMALL, LARGE = (4, 4), (1000, 1000)
ELEMENTS = LARGE[0] * LARGE[1]
# A larger call that keeps the reference busy for longer than this is made smaller: the whole table has to be timed.
SLOW = 0.02


def call_of(subject: Subject, size: str) -> S | None:
    """What is timed: 4x4 and 1000x1000 for elementwise ops and reductions, else the op's first sample and that scaled up."""
    if ("pointwise" in subject.tags or "reduction" in subject.tags) and subject.derived:
        make = Make(subject.path, "float32")
        operands = max(len(required(subject.op.fn)), 1)
        return S(*(make(*(SMALL if size == "small" else LARGE), low=0.1, high=0.9) for _ in range(operands)))
    return next(iter(generate(subject.path, subject.generator, "float32")), None)


def scaled(sample: S, elements: int) -> S | None:
    """A sample with all dimensions of all arrays multiplied by one factor, so that the largest has about so many elements.

    None where that changes nothing.  (Whether such a call makes sense is for the reference to say.)
    """
    arrays = list(_arrays([*sample.args, *sample.kwargs.values()]))
    largest = max(arrays, key=lambda a: a.size, default=None)
    if largest is None or not largest.ndim or not largest.size:
        return None
    factor = int((elements / largest.size) ** (1 / largest.ndim))
    if factor < 2:
        return None

    def walk(v: Any) -> Any:
        if isinstance(v, np.ndarray):
            return np.tile(v, [1 if n == 1 else factor for n in v.shape]) if v.ndim else v
        return type(v)(walk(x) for x in v) if type(v) in (list, tuple) else v

    return S(*(walk(a) for a in sample.args), **{k: walk(v) for k, v in sample.kwargs.items()})


def _arrays(values: Any) -> Any:
    for v in values:
        if isinstance(v, np.ndarray):
            yield v
        elif isinstance(v, (list, tuple)):
            yield from _arrays(v)


def _callable(library: Library, subject: Subject, sample: S) -> Callable[[], Any] | None:
    try:
        args, kwargs = call_args(library.module, sample, library.device)
        function = library.function(subject)
        synchronize = _synchronizer(library)

        def call() -> Any:
            return synchronize(function(*args, **kwargs))

        call()
    except Exception:  # what does not run is not timed; the checks say why
        return None
    return call


def _synchronizer(library: Library) -> Callable[[Any], Any]:
    """What makes the result of an asynchronous or lazy call real."""
    if library.backend is None:
        return lambda result: result
    from torsh import registry
    from torsh.device import device

    backend = registry.get(library.backend)
    where = device(library.device)
    if backend.capabilities.lazy:
        return lambda result: [backend.to_host(t._data) for t in tensors_in(result)]
    if where.type != "cpu":
        return lambda result: backend.synchronize(where)
    return lambda result: result


def block(call: Callable[[], Any], count: int) -> float:
    """Seconds per call over ``count`` calls."""
    clock = time.perf_counter
    start = clock()
    for _ in range(count):
        call()
    return (clock() - start) / count


def compare_times(calls: list[Callable[[], Any]], target: float = 3e-4, rounds: int = 7) -> list[float]:
    """The median time of each call, blocks of all of them taking turns."""
    counts = [max(1, int(target / max(block(c, 1), 1e-7))) for c in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for i, c in enumerate(calls):
            times[i].append(block(c, counts[i]))
    return [statistics.median(t) for t in times]


def _large(subject: Subject, reference: Library) -> tuple[S, Callable[[], Any]] | None:
    """The larger call and the reference's form of it; smaller where the reference takes long."""
    sample = call_of(subject, "large")
    if sample is None:
        return None
    if any(a.size >= ELEMENTS for a in _arrays(sample.args)):
        call = _callable(reference, subject, sample)
        return None if call is None else (sample, call)
    for elements in (ELEMENTS, ELEMENTS // 16, ELEMENTS // 256):
        bigger = scaled(sample, elements)
        if bigger is None:
            return None
        started = time.perf_counter()
        call = _callable(reference, subject, bigger)
        if call is None:
            return None
        if time.perf_counter() - started < 4 * SLOW and block(call, 1) < SLOW:
            return bigger, call
    return None


def time_subject(subject: Subject, plan: Plan, reference: Library) -> list[dict[str, Any]]:
    """Times of a subject on every target, with the reference's beside them."""
    import torsh
    from torsh_conformance.runner import TimedOut, limited

    if plan.reference != "torch" or "float32" not in plan.dtypes:
        return []
    found: list[dict[str, Any]] = []
    for size in ("small", "large") if plan.timings == "both" else ("small",):
        try:
            with limited(plan.limit), reference.running():
                if size == "small":
                    sample = call_of(subject, "small")
                    theirs = None if sample is None else _callable(reference, subject, sample)
                else:
                    sample, theirs = _large(subject, reference) or (None, None)
        except Exception:  # a generator that fails is reported by the checks; too slow is not timed
            continue
        if sample is None or theirs is None or not any(True for _ in _arrays(sample.args)):
            continue
        for target in plan.targets:
            library = Library(torsh, target.backend, target.device)
            try:
                with limited(plan.limit), library.running():
                    times = _times(library, subject, sample, theirs, 7 if plan.timings == "both" else 5)
            except TimedOut:
                continue
            if times is None:
                continue
            mine, base = times
            found.append({
                "op": subject.name, "backend": target.backend, "device": target.device, "size": size,
                "seconds": mine, "reference_seconds": base, "ratio": mine / base, "call": repr(sample),
            })  # fmt: skip
    return found


def _times(
    library: Library, subject: Subject, sample: S, theirs: Callable[[], Any], rounds: int
) -> tuple[float, float] | None:
    """Median times of ours and theirs; None where ours does not run."""
    ours = _callable(library, subject, sample)
    if ours is None:
        return None
    first = block(ours, 1)
    if first > 0.2:  # one look is enough to see that this is slow
        return first, block(theirs, 1)
    mine, base = compare_times([ours, theirs], rounds=rounds if first < SLOW else 3)
    return mine, base
