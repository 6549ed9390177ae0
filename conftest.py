"""For all tests and doctests."""

from pathlib import Path

import pytest

# Failing asserts of helpers say what was compared, as those of tests do.
pytest.register_assert_rewrite(*(p.stem for p in (Path(__file__).parent / "tests" / "helpers").glob("*.py")))

# Doctests are collected file by file; whichever file comes first, its package has to be complete, or ops would be
# declared twice.
import torsh  # noqa: E402, F401
