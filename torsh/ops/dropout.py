"""Dropout: the masks are drawn as PyTorch's CPU generator draws them, so the same seed drops the same elements."""

from __future__ import annotations

import math
import warnings
from typing import Any

from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import composite

_ALPHA = 1.7580993408473766  # -scale * alpha of SELU: what a dropped activation is set to


def _bernoulli(input: Any, p: float, per_feature: bool) -> Any:
    """Ones with probability p, zeros otherwise: one per element, or one per sample and channel."""
    from torsh.ops.random import mask_like

    if not per_feature:
        return mask_like(input, p)
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return mask_like(input, p, shape=(*shape[:2], *(1,) * (len(shape) - 2)))


def _checked(input: Any, p: float, name: str) -> None:
    check_tensor(input, name.removeprefix("functional_"))
    if not 0.0 <= p <= 1.0:
        # The functions of torch.nn.functional compare by themselves, and nan is neither smaller nor larger.
        error = ValueError if name.startswith("functional") and p == p else RuntimeError
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(input, p, train, per_feature=False, inplace=False):
    if p == 0 or not train or not input.numel():
        return input
    if p == 1:
        noise = input.detach().new_zeros(())
    else:
        noise = _bernoulli(input, 1 - p, per_feature).div_(1 - p)
    return input.mul_(noise) if inplace else input * noise


def _alpha_drop(input, p, train, per_feature=False, inplace=False):
    if p == 0 or not train or not input.numel():
        return input
    if p == 1:
        zero = input.detach().new_zeros(())
        return input.mul_(zero) if inplace else input * zero
    a = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    noise = _bernoulli(input, 1 - p, per_feature)
    b = (noise - 1).mul_(_ALPHA * a).add_(_ALPHA * a * p)
    noise.mul_(a)
    return input.mul_(noise).add_(b) if inplace else input * noise + b


@composite("torch.nn.functional.dropout", name="functional_dropout", tags="random")
def dropout_function(input, p=0.5, training=True, inplace=False):
    """Set elements to 0 with probability p and scale the rest by 1 / (1 - p), in training only.

    p: from 0 to 1, else ValueError. inplace: write the result into the input. Draws from the default generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.dropout(torsh.ones(6), p=0.5)
    tensor([0., 0., 2., 0., 0., 0.])
    >>> F.dropout(torsh.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    _checked(input, p, "functional_dropout")
    return _drop(input, p, training, False, inplace)


@composite("torch.dropout torch.dropout_", inplace=True, tags="random")
def dropout(input, p, train):
    """nn.functional.dropout with all arguments given.

    p: the probability of a zero, what is left is scaled by 1 / (1 - p); train: False gives the input back.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.dropout(torsh.ones(6), 0.5, True)
    tensor([0., 0., 2., 0., 0., 0.])
    """
    _checked(input, p, "dropout")
    return _drop(input, p, train)


@composite("torch.native_dropout", tags="random")
def native_dropout(input, p, train):
    """(dropout, mask), the mask True where an element was kept.

    train: None or True drops, False does not; the mask is True where an element was kept.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.native_dropout(torsh.ones(4), 0.5, True)
    (tensor([0., 0., 2., 0.]), tensor([False, False,  True, False]))
    """
    from torsh import dtypes
    from torsh.ops.random import mask_like

    shape = tuple(input.shape)
    if train is not False and not input._kind.inexact:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {scalar_name(input.dtype)}; use a floating "
            "input"
        )
    if train is False or not input.numel():
        return input.clone(), input.detach().new_ones(shape, dtype=dtypes.bool)
    if p == 1:
        return input * 0, input.detach().new_zeros(shape, dtype=dtypes.bool)
    mask = mask_like(input, 1 - p, dtypes.bool)
    return input * mask * (1 / (1 - p)), mask


@composite("torch.nn.functional.alpha_dropout", name="functional_alpha_dropout", tags="random")
def alpha_dropout_function(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of SELU activations.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.alpha_dropout(torsh.tensor([1., 2.]))  # not training: as it is
    tensor([1., 2.])
    """
    _checked(input, p, "functional_alpha_dropout")
    return _alpha_drop(input, p, training, False, inplace)


@composite("torch.alpha_dropout torch.alpha_dropout_", inplace=True, tags="random")
def alpha_dropout(input, p, train):
    """nn.functional.alpha_dropout with all arguments given.

    p: the probability of dropping; train: False gives the input back. Draws from the default generator.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.alpha_dropout(torsh.tensor([1., 2.]), 0.5, False)
    tensor([1., 2.])
    """
    _checked(input, p, "alpha_dropout")
    return _alpha_drop(input, p, train)


@composite("torch.nn.functional.feature_alpha_dropout", name="functional_feature_alpha_dropout", tags="random")
def feature_alpha_dropout_function(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.feature_alpha_dropout(torsh.ones(1, 2, 2))  # not training: as it is
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    _checked(input, p, "functional_feature_alpha_dropout")
    return _alpha_drop(input, p, training, True, inplace)


@composite("torch.feature_alpha_dropout torch.feature_alpha_dropout_", inplace=True, tags="random")
def feature_alpha_dropout(input, p, train):
    """nn.functional.feature_alpha_dropout with all arguments given.

    input: (N, C, *); whole channels are dropped. p: the probability; train: False gives the input back.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.feature_alpha_dropout(torsh.ones(1, 2, 2), 0.5, False)
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    _checked(input, p, "feature_alpha_dropout")
    return _alpha_drop(input, p, train, True)


@composite("torch.feature_dropout torch.feature_dropout_", inplace=True, tags="random")
def feature_dropout(input, p, train):
    """Dropout of whole channels of (N, C, *).

    input: (N, C, *); whole channels are zeroed. p: the probability; train: False gives the input back.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.feature_dropout(torsh.ones(1, 3, 2), 0.5, True)
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.]]])
    """
    _checked(input, p, "feature_dropout")
    return _drop(input, p, train, True)


def _channel_dropout(n: int, input: Any, p: float, training: bool, inplace: bool) -> Any:
    name = f"dropout{n}d"
    _checked(input, p, f"functional_{name}")
    if n == 1 and input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    if n > 1 and input.ndim not in (n + 1, n + 2):
        warnings.warn(
            f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=4,
        )
    if n == 2 and input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is "
            "interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to "
            "interpret the input as (C, H, W): use dropout1d for (N, C, L).",
            stacklevel=4,
        )
    # PyTorch takes a 3-D input of dropout2d for a batch without channels' channels: (N, C, L).
    alone = input.ndim == n + 1 and n != 2
    x = input.unsqueeze(0) if alone else input
    out = _drop(x, p, training, True, inplace)
    if inplace:
        return input
    return out.squeeze(0) if alone else out


@composite("torch.nn.functional.dropout1d", tags="random")
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, L) or (C, L).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.dropout1d(torsh.ones(1, 4, 2))
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.],
             [0., 0.]]])
    """
    return _channel_dropout(1, input, p, training, inplace)


@composite("torch.nn.functional.dropout2d", tags="random")
def dropout2d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.dropout2d(torsh.ones(1, 4, 2, 2)).sum((2, 3))  # whole channels
    tensor([[0., 0., 8., 0.]])
    """
    return _channel_dropout(2, input, p, training, inplace)


@composite("torch.nn.functional.dropout3d", tags="random")
def dropout3d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> _ = torsh.manual_seed(0)
    >>> F.dropout3d(torsh.ones(1, 4, 2, 1, 1)).flatten(2)
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.],
             [0., 0.]]])
    """
    return _channel_dropout(3, input, p, training, inplace)
