"""AdamW lives with Adam; this module keeps PyTorch's path."""

from torsh.optim.adam import AdamW

AdamW.__module__ = __name__

__all__ = ["AdamW"]
