"""Time of an op against the reference: medians of interleaved blocks, for a small and a larger call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from torsh_conformance.library import Library
from torsh_conformance.sample import Make, S, call_args, generate, required
from torsh_conformance.subjects import Subject

if TYPE_CHECKING:
    from torsh_conformance.runner import Plan

SMALL, LARGE = (4, 4), (1000, 1000)


def call_of(subject: Subject, size: str) -> S | None:
    """What is timed: 4x4 or 1000x1000 for elementwise ops and reductions, else the op's first sample as "small"."""
    if ("pointwise" in subject.tags or "reduction" in subject.tags) and subject.derived:
        make = Make(subject.path, "float32")
        operands = max(len(required(subject.op.fn)), 1)
        return S(*(make(*(SMALL if size == "small" else LARGE), low=0.1, high=0.9) for _ in range(operands)))
    if size == "small":
        return next(iter(generate(subject.path, subject.generator, "float32")), None)
    return None


def _callable(library: Library, subject: Subject, sample: S) -> Callable[[], Any] | None:
    try:
        args, kwargs = call_args(library.module, sample, library.device)
        function = library.function(subject)
        synchronize = _synchronizer(library)

        def call() -> Any:
            return synchronize(function(*args, **kwargs))

        for _ in range(2):
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
        from torsh_conformance.library import tensors_in

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


def time_subject(subject: Subject, plan: Plan, reference: Library) -> list[dict[str, Any]]:
    """Times of a subject on every target, with the reference's beside them."""
    import torsh

    if plan.reference != "torch" or "float32" not in plan.dtypes:
        return []
    found = []
    for size in ("small", "large") if plan.timings == "both" else ("small",):
        try:
            sample = call_of(subject, size)
        except Exception:  # a generator that fails is reported by the checks
            sample = None
        if sample is None or not any(isinstance(a, np.ndarray) for a in sample.args):
            continue
        with reference.running():
            theirs = _callable(reference, subject, sample)
        if theirs is None:
            continue
        for target in plan.targets:
            library = Library(torsh, target.backend, target.device)
            with library.running():
                ours = _callable(library, subject, sample)
                if ours is None:
                    continue
                first = block(ours, 1)
                if first > 0.5:  # one look is enough to see that this is slow
                    mine, base = first, block(theirs, 1)
                else:
                    mine, base = compare_times([ours, theirs], rounds=7 if plan.timings == "both" else 5)
            found.append({
                "op": subject.name, "backend": target.backend, "device": target.device, "size": size,
                "seconds": mine, "reference_seconds": base, "ratio": mine / base, "call": repr(sample),
            })  # fmt: skip
    return found
