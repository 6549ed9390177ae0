"""``functorch.experimental``: names that are in ``torch.func`` now."""

from __future__ import annotations

from torsh.func import chunk_vmap as chunk_vmap
from torsh.func import functionalize as functionalize
from torsh.func import hessian as hessian
from torsh.func import jacfwd as jacfwd
from torsh.func import jvp as jvp
from torsh.func import replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_
