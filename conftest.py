"""For all tests and doctests."""

# Doctests are collected file by file; whichever file comes first, its package has to be complete, or ops would be
# declared twice.
import torsh  # noqa: F401
