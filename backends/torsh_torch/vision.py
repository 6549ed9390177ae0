"""Interpolation, sampling grids, pixel shuffling and padding."""

from __future__ import annotations

from typing import Any

KERNELS: dict[str, Any] = {}
