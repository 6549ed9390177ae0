"""Special functions.

Source: https://docs.pytorch.org/docs/stable/special.html
"""

from torsh._namespace import fill

__all__ = fill(globals(), "special")
