"""The names that automatic mixed precision had per device type (``torch.cuda.amp``, ``torch.cpu.amp``)."""

from __future__ import annotations

import functools
from typing import Any

from torsh import amp
from torsh._callers import warn
from torsh.amp import autocast_mode
from torsh.dtypes import dtype as Dtype


def _deprecated(old: str, new: str) -> None:
    warn(f"`torch.{old}` is deprecated. Please use `torch.amp.{new}` instead.", FutureWarning)


def autocast_of(device_type: str, default: Dtype) -> type:
    """The class ``autocast`` of a device type's module."""

    class autocast(amp.autocast):
        __doc__ = f"The older name of ``torsh.autocast({device_type!r}, ...)``."
        __module__ = f"torsh.{device_type}.amp.autocast_mode"
        __qualname__ = "autocast"

        def __init__(self, enabled: bool = True, dtype: Dtype = default, cache_enabled: bool = True) -> None:
            _deprecated(f"{device_type}.amp.autocast(args...)", f"autocast('{device_type}', args...)")
            super().__init__(device_type, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)

    return autocast


def scaler_of(device_type: str) -> type:
    """The class ``GradScaler`` of a device type's module."""

    class GradScaler(amp.GradScaler):
        __doc__ = f"The older name of ``torsh.amp.GradScaler({device_type!r}, ...)``."
        __module__ = f"torsh.{device_type}.amp.grad_scaler"
        __qualname__ = "GradScaler"

        def __init__(
            self,
            init_scale: float = 2.0**16,
            growth_factor: float = 2.0,
            backoff_factor: float = 0.5,
            growth_interval: int = 2000,
            enabled: bool = True,
        ) -> None:
            _deprecated(f"{device_type}.amp.GradScaler(args...)", f"GradScaler('{device_type}', args...)")
            super().__init__(device_type, init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    return GradScaler


def custom_fwd(fwd: Any = None, *, cast_inputs: Dtype | None = None) -> Any:
    """The older name of ``torsh.amp.custom_fwd(device_type="cuda")``."""
    _deprecated("cuda.amp.custom_fwd(args...)", "custom_fwd(args..., device_type='cuda')")
    return functools.partial(autocast_mode.custom_fwd, device_type="cuda")(fwd=fwd, cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """The older name of ``torsh.amp.custom_bwd(device_type="cuda")``."""
    _deprecated("cuda.amp.custom_bwd(args...)", "custom_bwd(args..., device_type='cuda')")
    return autocast_mode.custom_bwd(bwd, device_type="cuda")
