"""Functions for neural networks.  Source: https://docs.pytorch.org/docs/stable/nn.functional.html

The functions are declared as ops in ``torsh.ops``; this module only gathers them under PyTorch's names.
"""

from __future__ import annotations

import math
import warnings

from torsh import ops as _ops
from torsh.nn import _reduction as _Reduction
from torsh.ops.attention import _in_projection, _in_projection_packed
from torsh.tensor import Tensor

globals().update(_ops.NAMES["torch.nn.functional"])

__all__ = [*sorted(_ops.NAMES["torch.nn.functional"])]  # pyright: ignore[reportUnsupportedDunderAll]

# What libraries are known to take from this module without being documented in it.
_KEPT = (_Reduction, Tensor, _in_projection, _in_projection_packed, math, warnings)
