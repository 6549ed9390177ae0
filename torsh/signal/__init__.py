"""Signal processing.

Source: https://docs.pytorch.org/docs/stable/signal.html
"""

from torsh.signal import windows

__all__ = ["windows"]
