"""Intel GPUs, as far as a backend serves them.  Without one, ``is_available()`` is False.

Source: https://docs.pytorch.org/docs/stable/xpu.html
"""

from torsh._device_module import fill as _fill

_fill(globals(), "xpu", lambda name: AssertionError("Torch not compiled with XPU enabled"))
