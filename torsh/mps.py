"""Apple GPUs, as far as a backend serves them.  Without one, ``is_available()`` is False.

Source: https://docs.pytorch.org/docs/stable/mps.html
"""

from torsh._device_module import fill as _fill

_fill(globals(), "mps", lambda name: RuntimeError(f"Cannot execute {name}() without MPS backend."))
