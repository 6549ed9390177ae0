"""Functions of ``torch`` under the name of the module PyTorch writes them in.

Source: https://docs.pytorch.org/docs/stable/torch.html
"""

from torsh._namespace import fill
from torsh.nn import functional as F  # noqa: F401  (PyTorch has it under this name)
from torsh.ops import NAMES

__all__ = fill(globals(), "functional")
for _name in (
    "cdist", "chain_matmul", "einsum", "istft", "lu", "norm", "pca_lowrank", "stft", "svd_lowrank", "tensordot", "unique",
    "unique_consecutive", "unravel_index",
):  # fmt: skip
    if _name in NAMES["torch"]:
        globals().setdefault(_name, NAMES["torch"][_name])
        __all__ = sorted({*__all__, _name, "broadcast_shapes"})
