"""The older names of ``torch.library``'s functions for custom operators."""

from torsh.library import custom_op, get_ctx, impl_abstract

__all__ = ["custom_op", "get_ctx", "impl_abstract"]
