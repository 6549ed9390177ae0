"""Versions: torsh's own, and that of the PyTorch whose API it follows."""

from __future__ import annotations

import re
from typing import Any

torsh = "0.1.0"
# The version of PyTorch whose API torsh follows; programs compare with it, so the alias shows it as torch.__version__.
API = "2.13.0"


class TorchVersion(str):
    """A version string that compares as a version: ``TorchVersion("2.10") > "2.9"``; also with tuples."""

    __slots__ = ()

    def _parts(self) -> tuple[int, ...]:
        return _release(self)

    def __lt__(self, other: Any) -> bool:
        return self._parts() < _release(other)

    def __le__(self, other: Any) -> bool:
        return self._parts() <= _release(other)

    def __gt__(self, other: Any) -> bool:
        return self._parts() > _release(other)

    def __ge__(self, other: Any) -> bool:
        return self._parts() >= _release(other)

    def __eq__(self, other: object) -> bool:
        return self._parts() == _release(other)

    def __ne__(self, other: object) -> bool:
        return self._parts() != _release(other)

    def __hash__(self) -> int:
        return str.__hash__(self)


def _release(version: Any) -> tuple[int, ...]:
    """The numbers of a version, padded to three."""
    if isinstance(version, (tuple, list)):
        numbers = [int(v) for v in version]
    else:
        numbers = [int(n) for n in re.match(r"\d+(?:\.\d+)*", str(version))[0].split(".")]  # type: ignore[index]
    return tuple(numbers + [0] * (3 - len(numbers)))


__version__: str = TorchVersion(torsh)
debug = False
cuda: str | None = None
hip: str | None = None
git_version = "unknown"
