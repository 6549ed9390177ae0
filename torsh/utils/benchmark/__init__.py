"""Timing statements: ``Timer``, its ``Measurement``, and ``Compare``, which prints several of them as a table.

What needs a compiler or Valgrind (statements in C++, ``collect_callgrind``) is missing and says so.

Source: https://docs.pytorch.org/docs/stable/benchmark_utils.html
"""

from typing import Any

from torsh.utils.benchmark.utils.common import (
    Measurement,
    TaskSpec,
    ordered_unique,
    select_unit,
    set_torch_threads,
    trim_sigfig,
    unit_to_english,
)
from torsh.utils.benchmark.utils.compare import Colorize, Compare
from torsh.utils.benchmark.utils.timer import Language, Timer, timer

__all__ = [
    "Colorize", "Compare", "Language", "Measurement", "TaskSpec", "Timer", "ordered_unique", "select_unit", "set_torch_threads", "timer",
    "trim_sigfig", "unit_to_english",
]  # fmt: skip
_MISSING = frozenset("CallgrindStats CopyIfCallgrind FunctionCounts FuzzedParameter FuzzedSparseTensor FuzzedTensor Fuzzer "
                     "ParameterAlias".split())  # fmt: skip


def __getattr__(name: str) -> Any:
    from torsh.compat import placeholders

    return placeholders.listed("torch.utils.benchmark", _MISSING, name)
