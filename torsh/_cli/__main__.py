"""``python -m torsh._cli``, for where the command ``torsh`` is not on the path."""

from torsh._cli import main

main()
