"""The older names of automatic mixed precision for the CPU.

Source: https://docs.pytorch.org/docs/stable/amp.html
"""

from torsh.cpu.amp.autocast_mode import autocast
from torsh.cpu.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
