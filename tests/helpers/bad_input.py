"""Bad input: what PyTorch refuses, torsh refuses with the same type of exception; what it takes, torsh takes with the same result.

Each case is an expression, evaluated with ``t`` as torch and as torsh.  Never a crash, a hang, an exception of the array library
below, or values that nobody asked for.
"""

from __future__ import annotations

import io
import math
import pickle
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402


def cases(*tables: str) -> list[str]:
    """The lines of tables; the same line twice is a mistake."""
    lines = [line for text in tables for line in text.strip().splitlines()]
    assert len(set(lines)) == len(lines), [line for line in set(lines) if lines.count(line) > 1]
    return lines


def rounded(value):
    """Numbers to five digits."""
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def seen(value):
    """A result as something that can be compared."""
    if isinstance(value, (torch.Tensor, torsh.Tensor)):
        kind = (tuple(value.shape), str(value.dtype).split(".")[-1], value.device.type)
        return kind if value.device.type == "meta" else (*kind, repr(rounded(value.detach().tolist())))
    if isinstance(value, (list, tuple)):
        return [seen(v) for v in value]
    return "function" if callable(value) else repr(value).replace("torsh", "torch")


def ran(case, module):
    """The result of a case, or the exception."""
    scope = {
        "t": module,
        "F": module.nn.functional,
        "np": np,
        "io": io,
        "pickle": pickle,
        "inf": math.inf,
        "nan": math.nan,
    }
    module.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return seen(eval(case, scope))
        except Exception as e:
            return e


def outcome(case, module):
    """The result of a case, or the type of the exception."""
    found = ran(case, module)
    if not isinstance(found, Exception):
        return found
    return type(found).__name__ if module is torch or str(found) else "an error that says nothing"


def first_words(case, module, words=4):
    """The result of a case, or the type of the exception and the first words of its message."""
    found = ran(case, module)
    return [type(found).__name__, *str(found).split()[:words]] if isinstance(found, Exception) else found


def comparisons(cases, otherwise):
    """Two tests of a file: all cases against PyTorch, and those where torsh decides otherwise against what it decides.

    otherwise: cases and the exceptions torsh raises, where PyTorch crashes, drops values, reads beyond memory or lets an
    exception of Python's escape.
    """

    @pytest.mark.parametrize("case", cases)
    def test_as_pytorch_does(case) -> None:
        assert outcome(case, torsh) == outcome(case, torch)

    @pytest.mark.parametrize("case", otherwise)
    def test_better_than_pytorch(case) -> None:
        assert outcome(case, torsh) == otherwise[case].__name__

    return test_as_pytorch_does, test_better_than_pytorch
