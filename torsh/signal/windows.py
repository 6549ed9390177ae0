"""Window functions.

Source: https://docs.pytorch.org/docs/stable/signal.html
"""

from torsh._namespace import fill

__all__ = fill(globals(), "signal.windows")
