"""Finding the forward operation whose backward failed or gave nan.

Source: https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
"""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Any

from torsh._callers import is_ours
from torsh.autograd import engine
from torsh.dispatch import Mode
from torsh.tensor import Tensor


def _user_stack() -> list[str]:
    """The formatted call stack down to the line that called torsh."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return traceback.format_stack(frame)


class _Origins(Mode):
    """Notes on every node made where in the program its operation was called."""

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        result = proceed(*args)
        for out in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(out, Tensor) and out._gf is not None:
                out._gf.metadata.setdefault("traceback_", _user_stack())
        return result


def kept_at(node: Any) -> str:
    """Where in the program a node's operation was called and kept its tensors, as an error message tells it."""
    stack = (node._metadata or {}).get("traceback_")
    if not stack:
        return "Hint: run under torch.autograd.set_detect_anomaly(True) to see where it was kept."
    place = ": ".join(part.strip() for part in stack[-1].strip().split("\n", 1))
    return f"It was kept at {place}."


class set_detect_anomaly:
    """Switch anomaly detection on or off at once; as a context manager only until its end.

    While it is on, every node remembers where it was made; an error in its backward, or a nan it returns, shows that place.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.set_detect_anomaly.html

    >>> import torsh
    >>> with torsh.autograd.set_detect_anomaly(True):
    ...     print(torsh.is_anomaly_enabled())
    True
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
    """Anomaly detection inside a ``with`` block.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.detect_anomaly.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # it warns that it is slow
    >>> x = torsh.tensor([0.], requires_grad=True)
    >>> with torsh.autograd.detect_anomaly():
    ...     x.exp().backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
            stacklevel=2,
        )
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_anomaly_enabled()
    False
    """
    return engine.anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether backward results are checked for nan.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_anomaly_check_nan_enabled()
    True
    """
    return engine.anomaly.check_nan


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly detection on or off.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.set_anomaly_enabled(True)
    >>> torsh.is_anomaly_enabled()
    True
    >>> torsh.set_anomaly_enabled(False)
    """
    _set(enabled, check_nan)
