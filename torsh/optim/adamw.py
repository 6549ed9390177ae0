"""AdamW lives with Adam; this module keeps PyTorch's path."""

from torsh.optim.adam import AdamW

__all__ = ["AdamW"]
