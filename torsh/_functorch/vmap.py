"""``torch._functorch.vmap`` is ``torsh.func._vmap`` itself: libraries replace functions in it."""

from __future__ import annotations

import sys

from torsh.func import _vmap

sys.modules[__name__] = _vmap
