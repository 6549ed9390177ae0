"""Special functions (``torch.special``).

Source: https://docs.pytorch.org/docs/stable/special.html
"""

from torsh.ops import NAMES as _NAMES

globals().update(_NAMES["torch.special"])
__all__ = sorted(_NAMES["torch.special"])
