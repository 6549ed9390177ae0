"""Activations, normalisation and layers."""

from __future__ import annotations

from typing import Any

KERNELS: dict[str, Any] = {}
