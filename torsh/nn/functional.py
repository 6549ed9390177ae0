"""Functions for neural networks.  Source: https://docs.pytorch.org/docs/stable/nn.functional.html

The functions are declared as ops in ``torsh.ops``; this module only gathers them under PyTorch's names.
"""

from __future__ import annotations

import math
import warnings

from torsh import ops as _ops
from torsh.nn import _reduction as _Reduction
from torsh.ops.attention import _in_projection, _in_projection_packed
from torsh.tensor import Tensor

globals().update(_ops.NAMES["torch.nn.functional"])

__all__ = [*sorted(_ops.NAMES["torch.nn.functional"]), "scaled_grouped_mm", "scaled_mm"]  # noqa: F822  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name):
    """What PyTorch's module has besides its functions, loaded when it is asked for."""
    import importlib
    import typing

    where = _LATER.get(name)
    if where is None:
        raise AttributeError(f"module 'torch.nn.functional' has no attribute {name!r}")
    module = typing if where == "typing" else importlib.import_module(where)
    return globals().setdefault(name, getattr(module, name))


def assert_int_or_pair(arg, arg_name, message):
    """Raise AssertionError with a message (that names the argument) for anything but an integer or a pair."""
    if not (isinstance(arg, int) or len(arg) == 2):
        raise AssertionError(message.format(arg_name))


GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}
DType = int  # what annotations of scripted functions call a dtype
_LATER = {
    **dict.fromkeys(("BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "boolean_dispatch"), "torsh._jit_internal"),
    **dict.fromkeys(("ScalingType", "SwizzleType", "scaled_grouped_mm", "scaled_mm"), "torsh.ops.grouped"),
    **dict.fromkeys(("handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"), "torsh.overrides"),
    **dict.fromkeys(("Callable", "Optional", "TYPE_CHECKING"), "typing"),
    "grad": "torsh.nn",
}  # fmt: skip

# What libraries are known to take from this module without being documented in it.
_KEPT = (_Reduction, Tensor, _in_projection, _in_projection_packed, math, warnings)
