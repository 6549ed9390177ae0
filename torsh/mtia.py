"""MTIA devices, as far as a backend serves them.  Without one, ``is_available()`` is False.

Source: https://docs.pytorch.org/docs/stable/mtia.html
"""

from torsh._device_module import fill as _fill

_fill(
    globals(), "mtia",
    lambda name: AssertionError("Torch not compiled with MTIA enabled.") if name in ("init", "getDefaultGenerator", "getDeviceName")
    else RuntimeError("Cannot execute getCurrentDevice() without MTIA backend."),
)  # fmt: skip
