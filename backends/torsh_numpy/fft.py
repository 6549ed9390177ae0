"""Fourier transforms, windows and short-time transforms."""

from __future__ import annotations

from typing import Any

KERNELS: dict[str, Any] = {}
