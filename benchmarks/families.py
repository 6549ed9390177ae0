"""Families of ops at three sizes: torsh on NumPy beside PyTorch and beside the library call underneath, where one is obvious."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import compare, human

SIZES = (16, 4096, 1_000_000)
SLOW = 3.0  # the ratio from which a row is flagged at the largest size
ADDED = 0.6e-6  # seconds a pointwise op may add to the bare NumPy call at the smallest size
_PER_ROW = 0.45  # seconds a row may take, roughly

Op = Callable[[Any, Any], Any]
Bare = Callable[[Any], Any]


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
        if self.size == SIZES[0] and self.family == "pointwise" and self.bare is not None:
            added = self.torsh - self.bare
            found.append(f"added {added * 1e6:.2f} us{'  ABOVE' if added > ADDED else ''}")
        return found


def _softmax(d: Any) -> Any:
    from scipy.special import softmax

    return softmax(d.x, axis=-1)


def _logsumexp(d: Any) -> Any:
    from scipy.special import logsumexp

    return logsumexp(d.x, axis=-1)


def _added_at(d: Any, index: Any) -> Any:
    out = d.x.copy()
    np.add.at(out, index, d.y)
    return out


def _filled(d: Any) -> Any:
    out = d.x.copy()
    np.putmask(out, d.mask, 0.0)
    return out


def _top(d: Any) -> Any:
    at = np.argpartition(d.flat, -d.k)[-d.k :]
    values = d.flat[at]
    order = np.argsort(-values)
    return values[order], at[order]


# (family, name, the op in PyTorch's terms, the bare call): ``d`` holds the inputs as the library at hand has them.
CASES: list[tuple[str, str, Op, Bare | None]] = [
    ("pointwise", "add", lambda lib, d: d.x + d.y, lambda d: d.x + d.y),
    ("pointwise", "mul", lambda lib, d: d.x * d.y, lambda d: d.x * d.y),
    ("pointwise", "exp", lambda lib, d: lib.exp(d.x), lambda d: np.exp(d.x)),
    ("pointwise", "tanh", lambda lib, d: lib.tanh(d.x), lambda d: np.tanh(d.x)),
    ("pointwise", "gelu", lambda lib, d: lib.nn.functional.gelu(d.x), None),
    ("pointwise", "where", lambda lib, d: lib.where(d.mask, d.x, d.y), lambda d: np.where(d.mask, d.x, d.y)),
    ("pointwise", "clamp", lambda lib, d: lib.clamp(d.x, -1.0, 1.0), lambda d: np.clip(d.x, -1.0, 1.0)),
    ("reduction", "sum", lambda lib, d: lib.sum(d.x), lambda d: d.x.sum()),
    ("reduction", "sum dim 0", lambda lib, d: lib.sum(d.x, 0), lambda d: d.x.sum(0)),
    ("reduction", "mean", lambda lib, d: lib.mean(d.x), lambda d: d.x.mean()),
    ("reduction", "var", lambda lib, d: lib.var(d.x), lambda d: d.x.var(ddof=1)),
    ("reduction", "var dim 1", lambda lib, d: lib.var(d.x, 1), lambda d: d.x.var(1, ddof=1)),
    ("reduction", "max dim 1", lambda lib, d: lib.max(d.x, 1), lambda d: (d.x.max(1), d.x.argmax(1))),
    ("reduction", "max dim 0", lambda lib, d: lib.max(d.x, 0), lambda d: (d.x.max(0), d.x.argmax(0))),
    ("reduction", "argmax", lambda lib, d: lib.argmax(d.x), lambda d: d.x.argmax()),
    ("reduction", "cumsum", lambda lib, d: lib.cumsum(d.x, 1), lambda d: d.x.cumsum(1)),
    ("reduction", "cummax", lambda lib, d: lib.cummax(d.x, 1), None),
    ("reduction", "prod", lambda lib, d: lib.prod(d.ones), lambda d: d.ones.prod()),
    ("reduction", "median", lambda lib, d: lib.median(d.x), lambda d: np.median(d.x)),
    ("reduction", "logsumexp", lambda lib, d: lib.logsumexp(d.x, -1), _logsumexp),
    ("normalising", "softmax", lambda lib, d: lib.softmax(d.x, -1), _softmax),
    ("normalising", "layer_norm", lambda lib, d: lib.nn.functional.layer_norm(d.x, d.x.shape[-1:]), None),
    ("indexing", "gather", lambda lib, d: lib.gather(d.x, 1, d.index), lambda d: np.take_along_axis(d.x, d.index, 1)),
    ("indexing", "scatter_add", lambda lib, d: lib.scatter_add(d.x, 1, d.index, d.y), lambda d: _added_at(d, (d.rows[:, None], d.index))),
    ("indexing", "index_add", lambda lib, d: lib.index_add(d.x, 0, d.picked, d.y), lambda d: _added_at(d, d.picked)),
    ("indexing", "index_select", lambda lib, d: lib.index_select(d.x, 0, d.picked), lambda d: d.x.take(d.picked, 0)),
    ("indexing", "masked_fill", lambda lib, d: lib.masked_fill(d.x, d.mask, 0.0), _filled),
    ("indexing", "boolean mask", lambda lib, d: d.x[d.mask], lambda d: d.x[d.mask]),
    ("sorting", "sort", lambda lib, d: lib.sort(d.x, -1), lambda d: (np.sort(d.x), np.argsort(d.x))),
    ("sorting", "topk", lambda lib, d: lib.topk(d.flat, d.k), _top),
    ("sorting", "unique", lambda lib, d: lib.unique(d.coarse), lambda d: np.unique(d.coarse)),
    ("sorting", "searchsorted", lambda lib, d: lib.searchsorted(d.sorted, d.x), lambda d: np.searchsorted(d.sorted, d.x)),
    ("joining", "cat", lambda lib, d: lib.cat([d.x, d.y]), lambda d: np.concatenate([d.x, d.y])),
    ("joining", "stack", lambda lib, d: lib.stack([d.x, d.y]), lambda d: np.stack([d.x, d.y])),
    ("joining", "transpose+contiguous", lambda lib, d: d.x.t().contiguous(), lambda d: np.ascontiguousarray(d.x.T)),
    ("matmul", "matmul", lambda lib, d: lib.matmul(d.x, d.y), lambda d: np.matmul(d.x, d.y)),
    ("images", "conv2d", lambda lib, d: lib.nn.functional.conv2d(d.image, d.weight, padding=1), None),
    ("images", "max_pool2d", lambda lib, d: lib.nn.functional.max_pool2d(d.image, 2), None),
    ("images", "batch_norm", lambda lib, d: lib.nn.functional.batch_norm(d.image, None, None, training=True), None),
    ("random", "rand", lambda lib, d: lib.rand(d.size), lambda d: d.generator.random(d.size, np.float32)),
    ("random", "randn", lambda lib, d: lib.randn(d.size), lambda d: d.generator.standard_normal(d.size, np.float32)),
    ("random", "randperm", lambda lib, d: lib.randperm(d.size), lambda d: d.generator.permutation(d.size)),
    ("random", "bernoulli", lambda lib, d: lib.bernoulli(d.chances), lambda d: d.generator.random(d.chances.shape, np.float32) < d.chances),
    ("cast", "to float16", lambda lib, d: d.x.to(lib.float16), lambda d: d.x.astype(np.float16)),
    ("cast", "to int64", lambda lib, d: d.x.to(lib.int64), lambda d: d.x.astype(np.int64)),
]  # fmt: skip

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
        "image": generator.standard_normal(_IMAGES[size], np.float32),
        "weight": generator.standard_normal((channels, channels, 3, 3), np.float32),
    }


def _rounds(fns: dict[str, Callable[[], Any]]) -> int:
    """How many rounds fit a row's time; each function runs once or twice before, which also compiles what needs it."""
    for fn in fns.values():
        fn()
    start = time.perf_counter()
    for fn in fns.values():
        fn()
    # One round less for counting the calls that fit, which runs everything too.
    return min(15, max(3, int(_PER_ROW / (time.perf_counter() - start)) - 2))


def rows(torsh: Any, torch: Any, only: str = "") -> Iterator[Row]:
    """Measure every case at every size; ``only`` limits it to names that contain it."""
    for size in SIZES:
        arrays = inputs(size)
        extra: dict[str, Any] = {"size": size, "k": min(10, size), "generator": np.random.default_rng(0)}
        data = {lib: SimpleNamespace(**{n: lib.from_numpy(a) for n, a in arrays.items()}, **extra) for lib in (torsh, torch)}
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
            times = compare(fns, _rounds(fns), 0.002)
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
    large = [r for r in found if r.size == SIZES[-1]]
    for title, slow in (
        ("PyTorch's time", [(r.ratio, r.name) for r in large if r.ratio > SLOW]),
        ("the bare call's", [(r.over_bare, r.name) for r in large if r.over_bare is not None and r.over_bare > SLOW]),
    ):
        names = ", ".join(f"{name} {ratio:.1f}x" for ratio, name in sorted(slow, reverse=True))
        print(f"above {SLOW:.1f}x {title} at {SIZES[-1]:,} elements: {names or 'none'}")
    heavy = [r.name for r in found if r.flags() and "ABOVE" in r.flags()[-1]]
    print(f"pointwise ops adding more than {ADDED * 1e6:.1f} us to the bare call at {SIZES[0]} elements: {', '.join(heavy) or 'none'}")
    return found
