"""All modules.  Source: https://docs.pytorch.org/docs/stable/nn.html"""

from torsh.nn.modules.module import Module  # isort: skip
from torsh.nn.modules import (
    activation,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    linear,
    loss,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    sparse,
    upsampling,
)

_FAMILIES = (
    activation, batchnorm, channelshuffle, container, conv, distance, dropout, flatten, fold, instancenorm, linear, loss,
    normalization, padding, pixelshuffle, pooling, sparse, upsampling,
)  # fmt: skip

__all__ = ["Module"]
for _family in _FAMILIES:
    for _name in _family.__all__:
        globals()[_name] = getattr(_family, _name)
    __all__ += _family.__all__
__all__.remove("NonDynamicallyQuantizableLinear")
__all__.sort()
