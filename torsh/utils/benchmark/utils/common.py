"""What a timer measured, and of what.

Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Measurement
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from torsh._functions import get_num_threads, set_num_threads

# Quartiles further apart than this share of the median deserve a warning, or a stronger one.
_WIDE, _VERY_WIDE = 0.1, 0.25
# No clock is trusted below this many seconds, nor beyond this many digits.
_CLOCK, _DIGITS = 25e-9, 4
_UNITS = {"ns": (1e-9, "nanosecond"), "us": (1e-6, "microsecond"), "ms": (1e-3, "millisecond"), "s": (1.0, "second")}


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """What was timed: the statement, and the labels that tables arrange it by.

    >>> from torsh.utils.benchmark import TaskSpec
    >>> TaskSpec("x + 1", "x = 2", label="sums", sub_label="small").title
    'sums: small'
    """

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The labels, or the statement where there is no label."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        if "\n" not in self.stmt:
            return self.stmt
        return f"stmt:{f' ({self.sub_label})' if self.sub_label else ''}\n{textwrap.indent(self.stmt, '  ')}"

    def setup_str(self) -> str:
        """The setup as it is shown."""
        if self.setup == "pass" or not self.setup:
            return ""
        return f"setup:\n{textwrap.indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """Title, description and setup, one below the other."""
        parts = [self.title, self.description or "", self.setup_str()]
        return "\n".join(p + "\n" * ("\n" in p) for p in parts if p)


_FIELDS = frozenset(f.name for f in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(repr=False)
class Measurement:
    """Times of one or several runs of a statement; prints itself.  The fields of its ``TaskSpec`` are its attributes too.

    number_per_run: how often the statement ran in each of ``raw_times`` (seconds).
    Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Measurement

    >>> from torsh.utils.benchmark import Measurement, TaskSpec
    >>> m = Measurement(10, [2e-5, 4e-5, 3e-5], TaskSpec("f()", "pass"))
    >>> f"{m.median:.1e}", m.stmt
    ('3.0e-06', 'f()')
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _FIELDS:
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute {name!r}")

    def _quantile(self, q: float) -> float:
        return float(np.quantile(self.times, q)) if self.raw_times else -1.0

    @property
    def times(self) -> list[float]:
        """Seconds for one execution of the statement, run by run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """The median of ``times``."""
        return self._quantile(0.5)

    @property
    def mean(self) -> float:
        """The mean of ``times``."""
        return float(np.mean(self.times)) if self.raw_times else -1.0

    @property
    def iqr(self) -> float:
        """How far the quartiles are apart."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """How many digits of the median mean something, from the spread between the quartiles."""
        n = len(self.raw_times)
        middle = sorted(self.times)[n // 4 : math.ceil(3 * n / 4)]
        interval = max(1.645 * float(np.std(middle)) / math.sqrt(len(middle)), _CLOCK)
        return min(max(math.floor(math.log10(self.median / interval)), 1), _DIGITS)

    @property
    def has_warnings(self) -> bool:
        """Whether the times spread so widely that ``repr`` warns."""
        return bool(self._warning())

    def meets_confidence(self, threshold: float = _WIDE) -> bool:
        """Whether the quartiles are closer together than this share of the median."""
        return self.iqr / self.median < threshold

    def _warning(self) -> str:
        if not self.raw_times or self.meets_confidence(_WIDE):
            return ""
        cause = (
            "could indicate system fluctuation"
            if self.meets_confidence(_VERY_WIDE)
            else "suggests significant environmental influence"
        )
        share = self.iqr / self.median * 100
        return f"  WARNING: Interquartile range is {share:.1f}% of the median measurement.\n           This {cause}."

    @property
    def title(self) -> str:
        """The title of the task."""
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """What a table calls the row."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        n, (unit, scale) = len(self.raw_times), select_unit(self.median)
        low, high = self._quantile(0.25) / scale, self._quantile(0.75) / scale
        several, threads = n > 1, self.num_threads
        lines = [
            f"<torch.utils.benchmark.utils.common.Measurement object at {id(self):#x}>",
            self.task_spec.summarize(),
            f"  {'Median: ' if several else ''}{self.median / scale:.2f} {unit}",
            f"  IQR:    {self.iqr / scale:.2f} {unit} ({low:.2f} to {high:.2f})" if n >= 4 else "",
            f"  {n} measurement{'s' * several}, {self.number_per_run} runs {'per measurement,' if several else ','} {threads} "
            f"thread{'s' * (threads > 1)}",
            self._warning(),
        ]
        return "\n".join(line for line in lines if line)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement per task, with the times of all of that task."""
        groups: dict[TaskSpec, list[float]] = {}
        for m in measurements:
            groups.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, times, task) for task, times in groups.items()]


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which a time in seconds is a number from 1 to 1000, and its length in seconds.

    >>> from torsh.utils.benchmark import select_unit
    >>> select_unit(3.2e-5)
    ('us', 1e-06)
    """
    power = int(math.log10(t) // 3) if t > 0 else 0
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(power, "s")
    return unit, _UNITS[unit][0]


def unit_to_english(u: str) -> str:
    """The name of a unit of time.

    >>> from torsh.utils.benchmark import unit_to_english
    >>> unit_to_english("us")
    'microsecond'
    """
    return _UNITS[u][1]


def trim_sigfig(x: float, n: int) -> float:
    """A number rounded to n significant digits.

    >>> from torsh.utils.benchmark import trim_sigfig
    >>> trim_sigfig(1234.5, 2)
    1200.0
    """
    if n != int(n):
        raise AssertionError(f"Number of significant figures must be an integer, got {n}")
    scale = 10.0 ** (math.ceil(math.log10(abs(x))) - n)
    # PyTorch rounds in float32.
    return float(np.float32(np.round(np.float32(x / scale))) * np.float32(scale))


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """The different elements in the order in which they first come.

    >>> from torsh.utils.benchmark import ordered_unique
    >>> ordered_unique("banana")
    ['b', 'a', 'n']
    """
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """Another number of threads inside.

    >>> import torsh
    >>> from torsh.utils.benchmark import set_torch_threads
    >>> with set_torch_threads(1):
    ...     torsh.get_num_threads()
    1
    """
    before = get_num_threads()
    try:
        set_num_threads(n)
        yield
    finally:
        set_num_threads(before)
