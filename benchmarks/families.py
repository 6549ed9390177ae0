"""Families of ops at three sizes: torsh on NumPy beside PyTorch and beside the library call underneath, where one is obvious."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cases import CASES
from benchmarks.timing import clock, compare, human

SIZES = (16, 4096, 1_000_000)
SLOW = 3.0  # the ratio from which a row is flagged at the largest size
_PER_ROW = 0.45  # seconds a row may take, roughly


class Row(NamedTuple):
    """Median seconds per call of one op at one size."""

    family: str
    name: str
    size: int
    torsh: float
    torch: float
    bare: float | None

    @property
    def ratio(self) -> float:
        return self.torsh / self.torch

    @property
    def over_bare(self) -> float | None:
        return None if self.bare is None else self.torsh / self.bare

    def flags(self) -> list[str]:
        found = []
        if self.size == SIZES[-1]:
            if self.ratio > SLOW:
                found.append("SLOW")
            if self.over_bare is not None and self.over_bare > SLOW:
                found.append("SLOW over bare")
        return found


_IMAGES = {16: (1, 1, 4, 4), 4096: (4, 4, 16, 16), 1_000_000: (10, 10, 100, 100)}


def inputs(size: int) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays the cases work on; ``size`` is a square number."""
    generator = np.random.default_rng(0)
    side = round(size**0.5)
    square = (side, side)
    channels = _IMAGES[size][1]
    x = generator.standard_normal(square, np.float32)
    return {
        "x": x,
        "y": generator.standard_normal(square, np.float32),
        "flat": x.reshape(-1),
        "sorted": np.sort(x.reshape(-1)),
        "coarse": np.round(x, 2),
        "ones": 1 + 1e-4 * generator.standard_normal(square, np.float32),  # their product stays a normal number
        "chances": generator.random(square, np.float32),
        "mask": generator.random(square) < 0.5,
        "index": generator.integers(0, side, square),
        "picked": generator.integers(0, side, side),
        "rows": np.arange(side),
        "vector": x[0].copy(),
        "batch": generator.standard_normal((2, side // 2, side // 2), np.float32),
        "scratch": x.copy(),
        "image": generator.standard_normal(_IMAGES[size], np.float32),
        "weight": generator.standard_normal((channels, channels, 3, 3), np.float32),
    }


def _rounds(fns: dict[str, Callable[[], Any]]) -> int:
    """How many rounds fit a row's time; each function runs once or twice before, which also compiles what needs it."""
    for fn in fns.values():
        fn()
    start = clock()
    for fn in fns.values():
        fn()
    # One round less for counting the calls that fit, which runs everything too.
    return min(30, max(3, int(_PER_ROW / max(clock() - start, 1e-9)) - 2))


def rows(torsh: Any, torch: Any, only: str = "") -> Iterator[Row]:
    """Measure every case at every size; ``only`` limits it to names that contain it.

    The largest first: what is compiled once it pays is compiled then, as in a program that has run for a while.
    """
    for size in reversed(SIZES):
        arrays = inputs(size)
        extra: dict[str, Any] = {
            "size": size,
            "k": min(10, size),
            "generator": np.random.default_rng(0),
            "list": arrays["flat"].tolist(),
        }
        data = {
            lib: SimpleNamespace(**{n: lib.from_numpy(a.copy()) for n, a in arrays.items()}, **extra)
            for lib in (torsh, torch)
        }
        bare_data = SimpleNamespace(**arrays, **extra)
        for family, name, op, bare in CASES:
            if only not in name:
                continue
            fns: dict[str, Callable[[], Any]] = {
                "torsh": lambda: op(torsh, data[torsh]),
                "torch": lambda: op(torch, data[torch]),
            }
            if bare is not None:
                fns["bare"] = lambda: bare(bare_data)
            times = compare(fns, _rounds(fns), 0.001)
            yield Row(family, name, size, times["torsh"], times["torch"], times.get("bare"))


def report(torsh: Any, torch: Any, only: str = "") -> list[Row]:
    """Print the table as it is measured, then what was flagged."""
    found = []
    print(f"{'':12s} {'':21s} {'elements':>9s} {'torsh':>11s} {'PyTorch':>11s} {'bare':>11s}  /PyTorch     /bare")
    for r in rows(torsh, torch, only):
        found.append(r)
        bare, over = ("-", "-") if r.bare is None else (human(r.bare), f"{r.over_bare:.2f}x")
        print(
            f"{r.family:12s} {r.name:21s} {r.size:9d} {human(r.torsh):>11s} {human(r.torch):>11s} {bare:>11s} "
            f"{r.ratio:8.2f}x {over:>9s}  {', '.join(r.flags())}".rstrip(),
            flush=True,
        )
    large = SIZES[-1]
    above = [
        (f"PyTorch's time at {n:,} elements", [(r.ratio, r.name) for r in found if r.size == n and r.ratio > SLOW])
        for n in SIZES
    ]
    bare = [(r.over_bare, r.name) for r in found if r.size == large and r.over_bare is not None and r.over_bare > SLOW]
    for title, slow in (*above, (f"the bare call's at {large:,} elements", bare)):
        names = ", ".join(f"{name} {ratio:.1f}x" for ratio, name in sorted(slow, reverse=True))
        print(f"above {SLOW:.1f}x {title}: {names or 'none'}")
    print("what dispatch adds to small calls: `python -m benchmarks pointwise`")
    return found
