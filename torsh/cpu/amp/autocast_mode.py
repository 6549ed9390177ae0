"""``torch.cpu.amp.autocast``."""

from torsh import dtypes
from torsh.amp._older import autocast_of

__all__ = ["autocast"]
autocast = autocast_of("cpu", dtypes.bfloat16)
