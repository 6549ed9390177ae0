"""Small programs run under torsh and under PyTorch: same values, or same exception type and first words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

# Libraries wrap such things as numbers differently; messages are compared up to here.
WORDS = 40


def plain(lib: Any, value: Any) -> Any:
    """A result as what can be compared across libraries."""
    if isinstance(value, lib.Tensor):
        numbers = [x if isinstance(x, complex) else round(float(x), 5) for x in value.detach().flatten().tolist()]
        return numbers, tuple(value.shape), str(value.dtype).rpartition(".")[2], value.requires_grad
    if isinstance(value, dict):
        return {k: plain(lib, v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(plain(lib, v) for v in value)
    return value


def outcome(lib: Any, program: Callable[[Any], Any]) -> Any:
    """What a program gives: its result, or the type and first words of its exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(lib, program(lib))
        except Exception as e:
            return type(e).__name__, str(e).split("\n")[0][:WORDS]


class Programs(dict[str, Callable[[Any], Any]]):
    """The programs of a test file, by name; a decorator."""

    def __call__(self, program: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if program.__name__ in self:
            raise ValueError(f"two programs are called {program.__name__}")
        self[program.__name__] = program
        return program
