"""Batch normalisation folded into the layer before it.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
"""

from __future__ import annotations

import copy
from typing import Any

from torsh.nn.modules.module import Module
from torsh.nn.parameter import Parameter
from torsh.tensor import Tensor


def _check(layer: Module, bn: Module) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")


def _parts(bn: Any) -> tuple[Any, ...]:
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A convolution that does what ``bn(conv(x))`` does in evaluation.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html

    >>> import torsh
    >>> from torsh import nn
    >>> conv, norm = nn.Conv2d(2, 3, 3).eval(), nn.BatchNorm2d(3).eval()
    >>> fused, x = nn.utils.fuse_conv_bn_eval(conv, norm), torsh.rand(1, 2, 5, 5)
    >>> torsh.allclose(fused(x), norm(conv(x)), atol=1e-6)
    True
    """
    _check(conv, bn)
    fused: Any = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(fused.weight, fused.bias, *_parts(bn), transpose)  # type: ignore[arg-type]
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """(weight, bias) of the fused convolution.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_weights.html

    >>> import torsh
    >>> from torsh import nn
    >>> one, two, zero = torsh.tensor([1.]), torsh.tensor([2.]), torsh.tensor([0.])
    >>> weight, bias = nn.utils.fuse_conv_bn_weights(torsh.ones(1, 1, 1), None, one, 4 * one, 0., two, zero)
    >>> weight.item(), bias.item()
    (1.0, -1.0)
    """
    import torsh

    conv_b = torsh.zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = torsh.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = torsh.zeros_like(bn_rm) if bn_b is None else bn_b
    scale = bn_w * torsh.rsqrt(bn_rv + bn_eps)
    shape = [1, -1] if transpose else [-1, 1]
    weight = (conv_w * scale.reshape(shape + [1] * (conv_w.dim() - 2))).to(conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale + bn_b).to(conv_b.dtype)
    return Parameter(weight.detach(), conv_w.requires_grad), Parameter(bias.detach(), conv_b.requires_grad)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A linear layer that does what ``bn(linear(x))`` does in evaluation.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html

    >>> import torsh
    >>> from torsh import nn
    >>> linear, norm = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
    >>> fused, x = nn.utils.fuse_linear_bn_eval(linear, norm), torsh.rand(4, 2)
    >>> torsh.allclose(fused(x), norm(linear(x)), atol=1e-6)
    True
    """
    _check(linear, bn)
    features = linear.out_features
    if features != bn.num_features and bn.num_features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    fused: Any = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *_parts(bn))
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """(weight, bias) of the fused linear layer.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_weights.html

    >>> import torsh
    >>> from torsh import nn
    >>> one, two, zero = torsh.tensor([1.]), torsh.tensor([2.]), torsh.tensor([0.])
    >>> weight, bias = nn.utils.fuse_linear_bn_weights(torsh.ones(1, 1), zero, one, 4 * one, 0., two, zero)
    >>> weight.item(), bias.item()
    (1.0, -1.0)
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]
