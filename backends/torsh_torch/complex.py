"""Kernels of complex numbers."""

from __future__ import annotations

from typing import Any

import torch

KERNELS: dict[str, Any] = {
    "real_part": torch.real,
    "imag_part": torch.imag,
    "view_as_real": torch.view_as_real,
    "view_as_complex": torch.view_as_complex,
    "conj_physical": torch.conj_physical,
    "angle": torch.angle,
    "complex": torch.complex,
}
