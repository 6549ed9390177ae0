"""The older names of automatic mixed precision for CUDA.

Source: https://docs.pytorch.org/docs/stable/amp.html
"""

from torsh.cuda.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from torsh.cuda.amp.common import amp_definitely_not_available
from torsh.cuda.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]
