"""Timing two libraries side by side on a noisy machine: interleaved rounds, medians, ratios."""

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


def _batch(fn: Callable[[], object], n: int) -> float:
    start = time.perf_counter()
    for _ in range(n):
        fn()
    return time.perf_counter() - start


def compare(fns: dict[str, Callable[[], object]], rounds: int = 15, budget: float = 0.004) -> dict[str, float]:
    """Median seconds per call of each function; every round runs all of them in turn."""
    counts = {name: per_call(fn, budget) for name, fn in fns.items()}
    times: dict[str, list[float]] = {name: [] for name in fns}
    for _ in range(rounds):
        for name, fn in fns.items():
            times[name].append(_batch(fn, counts[name]) / counts[name])
    return {name: statistics.median(t) for name, t in times.items()}


def human(seconds: float) -> str:
    """A time with a fitting unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.2f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"
