"""Comparing and making tensors in tests.  Source: https://docs.pytorch.org/docs/stable/testing.html"""

from __future__ import annotations

from torsh.testing._comparison import assert_allclose, assert_close
from torsh.testing._creation import make_tensor
from torsh.testing._file_check import FileCheck

__all__ = ["FileCheck", "assert_allclose", "assert_close", "make_tensor"]
