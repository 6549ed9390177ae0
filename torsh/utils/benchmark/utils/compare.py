"""Measurements as a table.

Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Compare
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence

from torsh.utils.benchmark.utils.common import Measurement, ordered_unique, select_unit, trim_sigfig, unit_to_english

# Terminal colours by how much longer than the best a time is (times the best's): the first limit that holds applies.
_END = "\033[0m"
_COLOURS = (
    (1.01, "\033[92m\033[1m"),
    (1.1, "\033[34m\033[1m"),
    (2.0, ""),
    (5.0, "\033[2m\033[91m"),
    (math.inf, "\033[31m\033[1m"),
)
_Cells = Sequence[Measurement | None]


class Colorize(enum.Enum):
    """What times are coloured against: nothing, the best of their column, the best of their row."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """Prints measurements as tables: one per label, a column per description, a row per sub-label, in blocks by number of threads.

    Raises ValueError for what is not a ``Measurement``.
    Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Compare

    >>> from torsh.utils.benchmark import Compare, Measurement, TaskSpec
    >>> def took(seconds, sub_label, description):
    ...     return Measurement(1, [seconds], TaskSpec("f()", "pass", "", "sum", sub_label, description))
    >>> Compare([took(2e-6, "short", "numpy"), took(3e-6, "short", "torch")]).print()  # doctest: +NORMALIZE_WHITESPACE
    [------------ sum ------------]
                 |  numpy  |  torch
    1 threads: --------------------
          short  |   2.0   |   3.0
    <BLANKLINE>
    Times are in microseconds (us).
    <BLANKLINE>
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._trim = self._warn = False
        self._colours = Colorize.NONE
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Take more measurements in."""
        results = list(results)
        for r in results:
            if not isinstance(r, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(r)} instead.")
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show only the digits that mean something."""
        self._trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour times by how they compare with the best of their column (or row)."""
        self._colours = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Show how far times spread where they spread widely."""
        self._warn = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        groups: dict[str | None, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            groups.setdefault(m.label, []).append(m)
        return "\n".join(self._table(label, found) for label, found in groups.items())

    def _table(self, label: str | None, results: list[Measurement]) -> str:
        unit, scale = select_unit(min(m.median for m in results))
        columns = ordered_unique(m.description for m in results)
        keys = ordered_unique((m.num_threads, m.env, m.as_row_name) for m in results)
        keys.sort(key=lambda k: k[:2])
        at = {(m.num_threads, m.env, m.as_row_name, m.description): m for m in results}
        rows: list[list[Measurement | None]] = [[at.get((*k, d)) for d in columns] for k in keys]
        envs = {m.env for m in results}
        room = max(map(len, map(str, envs))) if len(envs) > 1 else 0
        texts: list[list[str]] = []
        shown: tuple[int, str | None] | None = None
        for threads, env, name in keys:
            told = f"({env})" if len(envs) > 1 and (threads, env) != shown else ""
            texts.append(["  " + told.ljust(room + 4) + name])
            shown = (threads, env)
        for j in range(len(columns)):
            for text, number in zip(texts, self._numbers([row[j] for row in rows], scale), strict=True):
                text.append(number)
        head = ["", *(d or "" for d in columns)]
        widths = [max(map(len, cells)) for cells in zip(head, *texts, strict=True)]
        lines = ["  |  ".join(h.center(w) for h, w in zip(head, widths, strict=True))]
        width, previous = len(lines[0]), None
        for (threads, _, _), text, row in zip(keys, texts, rows, strict=True):
            if threads != previous:
                lines.append(f"{threads} threads: ".ljust(width, "-"))
                block = [r for k, r in zip(keys, rows, strict=True) if k[0] == threads]
            previous = threads
            cells = [c.center(w) for c, w in zip(text[1:], widths[1:], strict=True)]
            lines.append("  |  ".join([text[0].ljust(widths[0]), *self._coloured(cells, row, block)]))
        spread = self._warn and any(m.has_warnings for m in results)
        return (
            f"[{f' {label or str()} '.center(width - 2, '-')}]\n" + "\n".join(lines)
            + f"\n\nTimes are in {unit_to_english(unit)}s ({unit}).\n"
            + "(! XX%) Measurement has high variance, where XX is the IQR / median * 100.\n" * spread
        )  # fmt: skip

    def _numbers(self, cells: _Cells, scale: float) -> list[str]:
        """The times of a column as text of one width."""
        there = [m for m in cells if m is not None]
        digits = [math.ceil(math.log10(m.median / scale)) for m in there]
        places = min(max(m.significant_figures - d, 0) for m, d in zip(there, digits, strict=True)) if self._trim else 1
        width = max(digits) + places + bool(places)
        room = 7 * (self._warn and any(m.has_warnings for m in there))
        found = []
        for m in cells:
            if m is None:
                found.append(" " * (max(width, len(f"{1:.{places}f}")) + room))
                continue
            value = m.median / scale
            value = trim_sigfig(value, m.significant_figures) if self._trim else value
            note = f" (! {m.iqr / m.median * 100:.0f}%)" if room and m.has_warnings else ""
            found.append(f"{value:>{width}.{places}f}{note:>{room}}")
        return found

    def _coloured(self, texts: list[str], row: _Cells, block: list[list[Measurement | None]]) -> list[str]:
        if self._colours is Colorize.NONE:
            return texts
        found = []
        for j, (text, m) in enumerate(zip(texts, row, strict=True)):
            rivals = row if self._colours is Colorize.ROWWISE else [r[j] for r in block]
            best = min((r.median for r in rivals if r is not None), default=math.inf)
            found.append(text if m is None else _in_colour(text, m.median, best))
        return found


def _in_colour(text: str, value: float, best: float) -> str:
    if value <= best + 100e-9:
        value = best
    colour = next(c for limit, c in _COLOURS if value <= best * limit and (c or value < best * limit))
    return f"{colour}{text}{_END * 2}" if colour else text
