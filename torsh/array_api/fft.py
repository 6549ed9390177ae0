"""The standard's ``fft`` extension."""

from __future__ import annotations

from typing import Any

import torsh
from torsh.array_api._array import standard

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip


def _one(name: str) -> Any:
    function = getattr(torsh.fft, name)

    @standard
    def call(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        return function(x, n=n, dim=axis, norm=norm)

    call.__name__, call.__doc__ = name, f"The standard's ``fft.{name}``, of one dimension."
    return call


def _many(name: str) -> Any:
    function = getattr(torsh.fft, name)

    @standard
    def call(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        if axes is None and s is not None:
            axes = tuple(range(x.ndim - len(s), x.ndim))
        return function(x, s=s, dim=axes, norm=norm)

    call.__name__, call.__doc__ = name, f"The standard's ``fft.{name}``, of several dimensions."
    return call


fft, ifft, rfft, irfft, hfft, ihfft = map(_one, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))
fftn, ifftn, rfftn, irfftn = map(_many, ("fftn", "ifftn", "rfftn", "irfftn"))


@standard
def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of ``fft``'s result."""
    return torsh.fft.fftfreq(n, d, dtype=dtype, device=device)


@standard
def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of ``rfft``'s result."""
    return torsh.fft.rfftfreq(n, d, dtype=dtype, device=device)


@standard
def fftshift(x: Any, /, *, axes: Any = None) -> Any:
    """Zero frequency moved to the middle."""
    return torsh.fft.fftshift(x, axes)


@standard
def ifftshift(x: Any, /, *, axes: Any = None) -> Any:
    """Undo ``fftshift``."""
    return torsh.fft.ifftshift(x, axes)
