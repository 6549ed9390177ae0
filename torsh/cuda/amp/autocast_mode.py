"""``torch.cuda.amp.autocast`` and what goes with it in an ``autograd.Function``."""

from torsh import dtypes
from torsh.amp._older import autocast_of, custom_bwd, custom_fwd

__all__ = ["autocast", "custom_bwd", "custom_fwd"]
autocast = autocast_of("cuda", dtypes.float16)
