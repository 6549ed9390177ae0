"""``vmap``, ``chunk_vmap``, ``grad`` and ``grad_and_value`` under another name."""

from __future__ import annotations

from torsh.func import chunk_vmap as chunk_vmap
from torsh.func import grad as grad
from torsh.func import grad_and_value as grad_and_value
from torsh.func import vmap as vmap
