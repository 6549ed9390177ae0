"""Measuring: every function on every backend and PyTorch, over the same points."""

from __future__ import annotations

import concurrent.futures
import importlib.util
import math
import multiprocessing
import re
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from torsh_conformance.accuracy.functions import Function, all_functions
from torsh_conformance.accuracy.points import errors, near_root, points
from torsh_conformance.accuracy.truth import EXACT, NAME, all_exactly
from torsh_conformance.library import Library
from torsh_conformance.runner import Target, single_threaded

PYTORCH = "PyTorch"
POINTS = {"float32": 100_000, "float64": 100_000}
GOAL = 4.0  # ulp
# Kernels take another way on large arrays: values are asked for at once and in pieces.
PIECE = 1000

Array = np.ndarray[Any, Any]


@dataclass
class Error:
    """How exact one library is: the largest error in ulp away from roots and where it is, the same near roots, and the
    share of all points with an error above ``GOAL``.  None where nothing was measured.
    """

    largest: float | None = None
    at: float | None = None
    near_root: float | None = None
    near_root_at: float | None = None
    above: float = 0.0
    refused: str = ""


@dataclass
class Row:
    """One function in one dtype.  truth: what said what is exact."""

    function: str
    path: str
    dtype: str
    points: int
    near_root: int
    errors: dict[str, Error] = field(default_factory=dict)
    truth: str = NAME


def _summary(found: Array, x: Array, exact: Array, rest: Array, near: Array, dtype: str) -> Error:
    error = errors(found, exact, rest, dtype)
    result = Error(above=float(np.mean(error > GOAL)))
    for which, name, place in ((~near, "largest", "at"), (near, "near_root", "near_root_at")):
        if which.any():
            i = int(np.argmax(np.where(which, error, -1.0)))
            setattr(result, name, float(error[i]))
            setattr(result, place, float(x[i]))
    return result


def values(function: Function, module: Any, x: Array, device: str = "cpu") -> list[Array]:
    """A library's values: of the whole array, and of pieces that are small arrays to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = function.call(module, x, device)
        if x.size <= PIECE:
            return [whole]
        pieces = [function.call(module, x[i : i + PIECE], device) for i in range(0, x.size, PIECE)]
    return [whole, np.concatenate(pieces)]


def _worse(found: list[Array], exact: Array) -> Array:
    """Of several results the one that is further off, point by point."""
    if len(found) == 1:
        return found[0]
    with np.errstate(all="ignore"):
        first, second = (np.abs(f.astype(np.float64) - exact) for f in found)
        return np.where(np.isnan(first) | (first > second), found[0], found[1])


def measure(function: Function, dtype: str, count: int, targets: list[Target]) -> Row:
    """One row of the table: the given backends, and PyTorch where it is installed.

    A backend that refuses the call has the refusal in its place.
    """
    import torsh

    if function.op not in EXACT:
        refused = {column(t): Error(refused="what is exact is not written down in truth.py") for t in targets}
        return Row(function.label, function.path, dtype, 0, 0, refused)
    x = points(function, dtype, count)
    pairs = np.array(all_exactly(function, x.tolist())).reshape(-1, 2)
    exact, rest = pairs[:, 0], pairs[:, 1]
    with np.errstate(all="ignore"):
        keep = np.isfinite(exact.astype(dtype))
    x, exact, rest = x[keep], exact[keep], rest[keep]
    near = near_root(function, x, exact)
    row = Row(function.label, function.path, dtype, int(x.size), int(near.sum()))
    libraries: list[tuple[str, Callable[[], list[Array]]]] = []
    for target in targets:

        def run(target: Target = target) -> list[Array]:
            with Library(torsh, target.backend, target.device).running():
                return values(function, torsh, x, target.device)

        libraries.append((column(target), run))
    if importlib.util.find_spec("torch") is not None:
        import torch

        libraries.append((PYTORCH, lambda: values(function, torch, x)))
    for name, call in libraries:
        try:
            found = call()
        except (NotImplementedError, AttributeError, RuntimeError, TypeError) as e:
            row.errors[name] = Error(refused=f"{type(e).__name__}: {e}".split("\n")[0][:160])
        else:
            row.errors[name] = _summary(_worse(found, exact), x, exact, rest, near, dtype)
    return row


def column(target: Target) -> str:
    """What a backend is called in the table: its name, and its device where that is not the CPU."""
    return target.backend if target.device == "cpu" else str(target)


def verdict(row: Row, name: str) -> str:
    """What to think of a backend's error away from roots.

    ``good``: at most 4 ulp.  ``as PyTorch``: more, but not more than PyTorch's over the same points.  ``worse``: more
    than that.  ``above``: more than 4 ulp, and no PyTorch to compare with.  ``none``: nothing was measured.
    """
    own, theirs = row.errors.get(name), row.errors.get(PYTORCH)
    if own is None or own.largest is None:
        return "none"
    if own.largest <= GOAL:
        return "good"
    if theirs is None or theirs.largest is None:
        return "above"
    return "as PyTorch" if own.largest <= theirs.largest else "worse"


def chosen(pattern: str | None = None) -> list[Function]:
    """The functions whose op, path or label matches a regular expression."""
    return [f for f in all_functions() if not pattern or any(re.search(pattern, t) for t in (f.op, f.path, f.label))]


def run(
    functions: list[Function], targets: list[Target], counts: dict[str, int], jobs: int = 1,
    progress: Callable[[Row], None] = lambda row: None,
) -> list[Row]:  # fmt: skip
    """The table: a row per function and dtype; counts: dtype -> number of points."""
    tasks = [(f, d, n, targets) for f in functions for d, n in counts.items()]
    rows = []
    if jobs <= 1 or len(tasks) < 4:
        for task in tasks:
            rows.append(measure(*task))
            progress(rows[-1])
        return rows
    with single_threaded():
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(min(jobs, len(tasks)), context) as pool:
            for future in [pool.submit(measure, *task) for task in tasks]:
                rows.append(future.result())
                progress(rows[-1])
    return rows


def plain(rows: list[Row], targets: list[Target]) -> dict[str, Any]:
    """The table as plain data for report.json (infinities as text), with what pages say about it."""
    names = [column(t) for t in targets]
    found = []
    for row in rows:
        data = asdict(row)
        data["verdicts"] = {n: verdict(row, n) for n in names}
        for error in data["errors"].values():
            for key, value in error.items():
                if isinstance(value, float) and not math.isfinite(value):
                    error[key] = str(value)
        found.append(data)
    columns = [*names, *([PYTORCH] if any(PYTORCH in r.errors for r in rows) else [])]
    counts = {n: dict(Counter(r["verdicts"][n] for r in found)) for n in names}
    return {"goal": GOAL, "columns": columns, "verdicts": counts, "rows": found}
