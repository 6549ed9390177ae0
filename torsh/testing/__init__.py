"""Comparing and making tensors in tests.  Source: https://docs.pytorch.org/docs/stable/testing.html"""

from __future__ import annotations

from torsh.testing._comparison import assert_allclose, assert_close
from torsh.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
