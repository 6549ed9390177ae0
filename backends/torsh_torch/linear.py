"""Linear maps."""

from __future__ import annotations

import torch

KERNELS = {"linear": torch.nn.functional.linear}
