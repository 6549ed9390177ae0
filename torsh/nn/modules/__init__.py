"""All modules.  Source: https://docs.pytorch.org/docs/stable/nn.html"""

from torsh.nn.modules.module import Module  # isort: skip
from torsh.nn.modules import (
    activation,
    adaptive,
    attention,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy,
    linear,
    loss,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
)

_FAMILIES = (
    activation, adaptive, attention, batchnorm, channelshuffle, container, conv, distance, dropout, flatten, fold, instancenorm, lazy, linear, loss,
    normalization, padding, pixelshuffle, pooling, rnn, sparse, transformer, upsampling,
)  # fmt: skip

__all__ = ["Module"]
for _family in _FAMILIES:
    for _name in _family.__all__:
        globals()[_name] = getattr(_family, _name)
    __all__ += _family.__all__
__all__.remove("NonDynamicallyQuantizableLinear")
# Where PyTorch's pickles look for it.
attention.MultiheadAttention.__module__ = activation.__name__
activation.MultiheadAttention = attention.MultiheadAttention
__all__.sort()
