"""Timing two libraries side by side on a noisy machine: CPU time of the thread, interleaved rounds, medians, ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def per_call(fn: Callable[[], object], budget: float) -> int:
    """How many calls fit into ``budget`` seconds (at least one)."""
    n = 1
    while True:
        # The faster of two: in one of them something may have been compiled.
        spent = min(_batch(fn, n), _batch(fn, n))
        if spent >= budget or n > 10_000_000:
            return max(1, int(n * budget / max(spent, 1e-9)))
        n *= 2


# Both libraries compute in the thread that calls them: while others have the processor, this clock stands still.
clock = time.thread_time


def _batch(fn: Callable[[], object], n: int) -> float:
    start = clock()
    for _ in range(n):
        fn()
    return clock() - start


def compare(
    fns: dict[str, Callable[[], object]],
    rounds: int = 45,
    budget: float = 0.0015,
    pick: Callable[[list[float]], float] = statistics.median,
) -> dict[str, float]:
    """Seconds per call of each function, the median of the rounds or what else ``pick`` picks; every round runs all in turn.

    Many short rounds rather than few long ones: what else runs on the machine comes in slices of a few milliseconds, and
    must not meet the same function in most of the rounds.  Slow functions get fewer rounds (at least nine).
    """
    counts = {name: per_call(fn, budget) for name, fn in fns.items()}
    slowest = max(_batch(fn, counts[name]) for name, fn in fns.items())
    times: dict[str, list[float]] = {name: [] for name in fns}
    for _ in range(min(rounds, max(9, int(rounds * budget * 2 / slowest)))):
        for name, fn in fns.items():
            times[name].append(_batch(fn, counts[name]) / counts[name])
    return {name: pick(t) for name, t in times.items()}


def human(seconds: float) -> str:
    """A time with a fitting unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.2f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"
