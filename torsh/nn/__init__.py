"""Neural networks.  Source: https://docs.pytorch.org/docs/stable/nn.html"""

from torsh.nn import functional, init, modules, parallel, parameter, utils
from torsh.nn.modules import *  # noqa: F403
from torsh.nn.modules.module import Module
from torsh.nn.options import LinearCrossEntropyOptions
from torsh.nn.parallel import DataParallel
from torsh.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer", "DataParallel", "Module", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "init", "modules",
    "parallel", "parameter", "utils",
]  # fmt: skip
__all__ += ["LinearCrossEntropyOptions", *modules.__all__]

# Loaded now: the functions must hide the modules of their names also where somebody imports those modules.
_ = (utils.weight_norm, utils.spectral_norm)
