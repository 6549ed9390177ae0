"""Finding the forward operation whose backward failed or gave nan.

Source: https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
"""

from __future__ import annotations

import traceback
from typing import Any

from torsh.autograd import engine
from torsh.dispatch import Mode
from torsh.tensor import Tensor


class _Origins(Mode):
    """Notes on every node made where in the program its operation was called."""

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        result = proceed(*args)
        for out in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(out, Tensor) and out._gf is not None:
                out._gf.metadata.setdefault("traceback_", traceback.format_stack())
        return result


class set_detect_anomaly:
    """Switch anomaly detection on or off at once; as a context manager only until its end.

    While it is on, every node remembers where it was made; an error in its backward, or a nan it returns, shows that place.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = (engine.anomaly.enabled, engine.anomaly.check_nan)
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        _set(*self._previous)


def _set(mode: bool, check_nan: bool) -> None:
    if mode and not engine.anomaly.enabled:
        _origins.__enter__()
    elif engine.anomaly.enabled and not mode:
        _origins.__exit__()
    engine.anomaly.enabled, engine.anomaly.check_nan = mode, check_nan


_origins = _Origins()


class detect_anomaly(set_detect_anomaly):
    """Anomaly detection inside a ``with`` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return engine.anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether backward results are checked for nan."""
    return engine.anomaly.enabled and engine.anomaly.check_nan


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly detection on or off."""
    _set(enabled, check_nan)
