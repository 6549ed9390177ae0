"""Timing statements.

Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Timer
"""

from __future__ import annotations

import enum
import statistics
import textwrap
import timeit
from collections.abc import Callable
from typing import Any

from torsh.utils.benchmark.utils.common import Measurement, TaskSpec, set_torch_threads


class Language(enum.Enum):
    """What a statement is written in."""

    PYTHON = 0
    CPP = 1


def timer() -> float:
    """The time in seconds, once all devices have done what they were asked for.

    >>> from torsh.utils.benchmark import timer
    >>> timer() <= timer()
    True
    """
    from torsh import accelerator

    if accelerator.is_available():
        accelerator.synchronize()
    return timeit.default_timer()


def _tidy(code: str) -> str:
    return textwrap.dedent(code).removeprefix("\n").rstrip()


class Timer:
    """Times a statement with ``timeit``: warmed up, on a given number of threads, devices waited for.

    stmt, setup: Python source; ``globals`` are its global names, besides ``torch``.  label, sub_label, description, env: what
    ``Compare`` arranges results by.  num_threads: threads that ops may use, one by default.  Raises MissingAPI for C++.
    Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html#torch.utils.benchmark.Timer

    >>> from torsh.utils.benchmark import Timer
    >>> m = Timer("x + 1", globals={"x": 2}).timeit(100)
    >>> m.number_per_run, len(m.times), m.median > 0
    (100, 1, True)
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Language | str = Language.PYTHON,
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError(f"Currently only a `str` stmt is supported, got {type(stmt).__name__}")
        if language in (Language.CPP, "cpp", "c++"):
            from torsh.compat.placeholders import MissingAPI

            raise MissingAPI("torch.utils.benchmark.Timer times statements of Python only in torsh, not of C++")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`: expected 'python' or 'c++'")
        if global_setup:
            raise ValueError(f"global_setup is C++ only, got `{global_setup}`. Use `setup` instead.")
        import torsh

        stmt, setup = _tidy(stmt), _tidy(setup)
        self._timer = timeit.Timer(stmt, setup, timer, {"torch": torsh, **(globals or {})})
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

    def _seconds(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)

    def _block(self, min_run_time: float) -> int:
        """How often the statement must run between two looks at the clock so that looking costs next to nothing."""
        overhead, number = statistics.median(self._seconds(0) for _ in range(5)), 1
        while True:
            taken = self._seconds(number)
            steady = overhead / taken <= 1e-4 and taken >= min_run_time / 1000
            if steady or taken > min_run_time or number * 10 > 2**31 - 1:
                return number
            number *= 10

    def timeit(self, number: int = 1000000) -> Measurement:
        """One run of ``number`` executions, after a hundredth as many to warm up."""
        with set_torch_threads(self._task_spec.num_threads):
            self._seconds(max(number // 100, 2))
            return Measurement(number, [self._seconds(number)], self._task_spec)

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs of a fitting number of executions until ``min_run_time`` seconds have passed."""
        return self._range(self._fitting(min_run_time), min_run_time, None, lambda m: True, callback)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """Runs until the quartiles are closer together than ``threshold`` times the median, at most for ``max_run_time``."""

        def enough(m: Measurement) -> bool:
            return len(m.raw_times) > 3 and m.meets_confidence(threshold)

        return self._range(self._fitting(0.05), min_run_time, max_run_time, enough, callback)

    def _fitting(self, min_run_time: float) -> int:
        with set_torch_threads(self._task_spec.num_threads):
            return self._block(min_run_time)

    def _range(
        self,
        number: int,
        least: float,
        most: float | None,
        enough: Callable[[Measurement], bool],
        callback: Callable[[int, float], Any] | None,
    ) -> Measurement:
        found, total = Measurement(number, [], self._task_spec), 0.0
        with set_torch_threads(self._task_spec.num_threads):
            while not found.raw_times or total < least or not enough(found):
                taken = self._seconds(number)
                found.raw_times.append(taken)
                total += taken
                if callback is not None:
                    callback(number, taken)
                if most is not None and total > most:
                    break
        return found

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Not offered: ``blocked_autorange`` repeats."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Any = None) -> None:
        """Not offered: see ``blocked_autorange``."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def collect_callgrind(self, number: int = 100, **options: Any) -> Any:
        """Raises MissingAPI: torsh does not count instructions."""
        from torsh.compat.placeholders import MissingAPI

        raise MissingAPI(
            "torch.utils.benchmark.Timer.collect_callgrind is not in torsh: it does not count instructions"
        )
