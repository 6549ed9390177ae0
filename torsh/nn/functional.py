"""Functions for neural networks.  Source: https://docs.pytorch.org/docs/stable/nn.functional.html"""

from torsh.ops import NAMES as _NAMES

globals().update(_NAMES.get("torch.nn.functional", {}))
