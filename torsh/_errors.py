"""PyTorch's own exceptions that are not tied to one room."""

from __future__ import annotations


class AcceleratorError(RuntimeError):
    """An accelerator's library reported an error.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.AcceleratorError.html
    """

    __module__ = "torsh"


class FatalError(Exception):
    """An error after which the process should end.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    __module__ = "torsh"


class OutOfMemoryError(RuntimeError):
    """A device has no memory left.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.OutOfMemoryError.html
    """

    __module__ = "torsh"


class JITException(Exception):
    """An exception raised in a compiled function (``torch.jit.Error``).

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    __module__ = "torsh.jit"
    __qualname__ = __name__ = "Error"
