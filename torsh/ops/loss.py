"""Losses between predictions and targets; those over classes are in ``loss_classes``."""

from __future__ import annotations

import math
import warnings
from typing import Any

from torsh.dispatch import state
from torsh.dtypes import float32, float64, scalar_name
from torsh.ops._args import check_tensor, has_values
from torsh.ops._op import Op, composite, primitive
from torsh.ops.shape import broadcast_shapes
from torsh.tensor import Tensor


def reduction_of(reduction: Any, size_average: Any = None, reduce: Any = None) -> str:
    """The reduction to use: "none", "mean" or "sum"; ``size_average`` and ``reduce`` are its old spelling."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=4,
        )
    if reduction != "mean" and reduction not in ("none", "sum"):
        if isinstance(reduction, int) and 0 <= reduction <= 2:
            return ("none", "mean", "sum")[reduction]
        raise ValueError(f"{reduction} is not a valid value for reduction; it may be 'none', 'mean' or 'sum'")
    return reduction


def reduced(loss: Any, reduction: str) -> Any:
    """A loss per element, brought to its mean or sum if asked for."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _pair(input: Any, target: Any, name: str) -> None:
    check_tensor(input, name)
    check_tensor(target, name, "target", 2)
    if input._data.shape != target._data.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=4,
        )


# ---- regression ------------------------------------------------------------------------------------------------------


def _weighted(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(loss, reduction)
    if tuple(weight.shape) != tuple(input.shape):
        raise ValueError(
            f"Inputs and weights must have the same size, got {list(input.shape)} and {list(weight.shape)}."
        )
    loss = loss * weight
    if reduction == "mean":
        return loss.sum() / weight.sum()
    return loss.sum() if reduction == "sum" else loss


@composite("torch.nn.functional.mse_loss torch._C._nn.mse_loss")
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The squared difference.

    weight: one factor per element; the mean is then the weighted one.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.mse_loss(torsh.tensor([1., 5.]), torsh.tensor([2., 2.]))
    tensor(5.)
    >>> F.mse_loss(torsh.tensor([1., 5.]), torsh.tensor([2., 2.]), reduction="none")
    tensor([1., 9.])
    """
    _pair(input, target, "mse_loss")
    reduction = reduction_of(reduction, size_average, reduce)
    d = input - target
    if not d._kind.floating:
        raise NotImplementedError(
            f"\"mse_cpu\" not implemented for '{scalar_name(d.dtype)}'; convert the input to a floating type"
        )
    # Where nobody else sees the difference its memory takes the squares.
    squares = d * d if d._rg or state.busy or type(d) is not Tensor else d.mul_(d)
    return _weighted(squares, weight, input, reduction)


@composite("torch.nn.functional.l1_loss torch._C._nn.l1_loss")
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The absolute difference.

    reduction: none, mean or sum. weight: a factor per element. Sizes broadcast, with a warning where they differ.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.l1_loss(torsh.tensor([1., 5.]), torsh.tensor([2., 2.]))
    tensor(2.)
    """
    _pair(input, target, "l1_loss")
    return _weighted((input - target).abs(), weight, input, reduction_of(reduction, size_average, reduce))


@composite("torch.nn.functional.smooth_l1_loss torch._C._nn.smooth_l1_loss")
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d² / (2 beta) for differences d below beta, d - beta / 2 above.

    reduction: none, mean or sum. beta: not negative; at 0 it is the absolute difference.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.smooth_l1_loss(torsh.tensor([0., 3.]), torsh.tensor([0.5, 0.]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    _pair(input, target, "smooth_l1_loss")
    reduction = reduction_of(reduction, size_average, reduce)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    d = _distance(input, target, "smooth_l1_cpu", beta == 0)
    if beta == 0:
        return reduced(d, reduction)
    return reduced(_choose(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), reduction)


@composite("torch.nn.functional.huber_loss torch._C._nn.huber_loss")
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d² / 2 for differences d up to delta, delta * (d - delta / 2) above.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.huber_loss(torsh.tensor([0., 3.]), torsh.tensor([0.5, 0.]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    _pair(input, target, "huber_loss")
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    d = _distance(input, target, "huber_cpu")
    loss = _choose(d <= delta, d * d * 0.5, (d - 0.5 * delta) * delta)
    return _weighted(loss, weight, input, reduction_of(reduction))


def _distance(input: Any, target: Any, kernel: str, any_type: bool = False) -> Any:
    d = input - target
    if not d._kind.floating and not any_type:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(d.dtype)}'; use a floating type")
    return d.abs()


def _choose(condition: Any, a: Any, b: Any) -> Any:
    from torsh.ops.arithmetic import where

    return where(condition, a, b)


@composite("torch.nn.functional.poisson_nll_loss torch.poisson_nll_loss")
def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction="mean"
):
    """The negative log-likelihood of counts under Poisson distributions.

    log_input: the input is the logarithm of the rate.  full: add Stirling's approximation of log(target!).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.poisson_nll_loss(torsh.tensor([0., 1.]), torsh.tensor([1., 2.]))
    tensor(0.8591)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


@composite("torch.nn.functional.gaussian_nll_loss")
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log-likelihood of targets under normal distributions of mean ``input`` and variance ``var``.

    var: of the input's shape, or with a last dimension of 1 or left out; or a number.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.gaussian_nll_loss(torsh.tensor([1., 2.]), torsh.tensor([1., 3.]), var=torsh.tensor([1., 4.]))
    tensor(0.4091)
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError(f"var has negative entry/entries: {var}")
        var = var * input.detach().new_ones(tuple(input.shape))
    elif has_values(var) and (var < 0).any():
        raise ValueError("var has negative entry/entries; variances must not be negative")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif input.ndim != var.ndim or sum(v for n, v in zip(input.shape, var.shape) if n != v) != 1:  # one broadcast 1
            raise ValueError(
                f"var is of incorrect size: got {list(var.shape)} for an input of size {list(input.shape)}"
            )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    # The floor is no part of the derivative.
    safe = var.clone()
    from torsh.autograd.grad_mode import no_grad

    with no_grad():
        safe.clamp_(min=eps)
    loss = 0.5 * (safe.log() + (input - target) ** 2 / safe)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


# ---- probabilities ---------------------------------------------------------------------------------------------------


bce_input_backward = Op(
    "bce_input_backward", None, ("g", "input", "target"), tags=("pointwise",), meta=lambda g, x, t: (x.shape, x.dtype),
    decompose=lambda g, x, t: g * (x - t) / ((1 - x) * x).clamp(min=1e-12),
)  # fmt: skip


@primitive(
    "",
    meta=lambda input, target: (input.shape, input.dtype),
    tags="pointwise",
    decompose=lambda x, t: (t - 1) * (-x).log1p().clamp(min=-100) - t * x.log().clamp(min=-100),
    grad={
        "input": lambda g, input, target: bce_input_backward(g, input, target),
        "target": lambda g, input: g * ((-input).log1p().clamp(min=-100) - input.log().clamp(min=-100)),
    },
)
def bce(input, target):
    """The cross entropy of probabilities per element; logarithms are at least -100."""
    return (input, target)


@primitive(
    "",
    tags="pointwise",
    meta=lambda input, target: (input.shape, input.dtype),
    decompose=lambda input, target: (1 - target) * input - _log_sigmoid(input),
    grad={"input": lambda g, input, target: g * (input.sigmoid() - target), "target": lambda g, input: -g * input},
    node_name="BinaryCrossEntropyWithLogitsBackward0",
)
def bce_with_logits(input, target):
    """``bce`` of sigmoid(input)."""
    return (input, target)


def _log_sigmoid(input):
    from torsh.ops.activation import logsigmoid

    return logsigmoid(input)


@composite("torch.nn.functional.binary_cross_entropy torch._C._nn.binary_cross_entropy")
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The cross entropy of probabilities of one of two classes.

    input: probabilities, else RuntimeError.  target: of the same shape, usually 0 or 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.binary_cross_entropy(torsh.tensor([0.9, 0.2]), torsh.tensor([1., 0.]))
    tensor(0.1643)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    check_tensor(input, "binary_cross_entropy")
    check_tensor(target, "binary_cross_entropy", "target", 2)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if target.dtype is not input.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(target.dtype)} but expected {scalar_name(input.dtype)}")
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"binary_cross_entropy\" not implemented for '{scalar_name(input.dtype)}'; use a floating type"
        )
    loss = bce.op(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


@composite("torch.nn.functional.binary_cross_entropy_with_logits", name="functional_bce_with_logits")
def binary_cross_entropy_with_logits_function(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """binary_cross_entropy of sigmoid(input), computed safely.

    pos_weight: factor of the positive targets' terms, broadcast against the target.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> logits, target = torsh.tensor([2., -1.]), torsh.tensor([1., 0.])
    >>> F.binary_cross_entropy_with_logits(logits, target)
    tensor(0.2201)
    >>> F.binary_cross_entropy_with_logits(logits, target, pos_weight=torsh.tensor(3.))
    tensor(0.3470)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    check_tensor(input, "binary_cross_entropy_with_logits")
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    return _with_logits(input, target, weight, pos_weight, reduction)


@composite("torch.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    """nn.functional.binary_cross_entropy_with_logits in PyTorch's internal order, the reduction a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.binary_cross_entropy_with_logits(torsh.tensor([0., 2.]), torsh.tensor([1., 0.]), reduction=1)
    tensor(1.4100)
    """
    check_tensor(target, "binary_cross_entropy_with_logits", "target", 2)
    shape = broadcast_shapes(input.shape, target.shape)
    if tuple(shape) != tuple(target.shape):
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(shape)}; input and "
            "target must have the same shape"
        )
    return _with_logits(input, target, weight, pos_weight, reduction_of(reduction))


_WIDE = frozenset({float32, float64})  # PyTorch rounds every step to a narrower type


def _with_logits(input, target, weight, pos_weight, reduction):
    if (
        pos_weight is None
        and input._kind is target._kind
        and input._kind.dtype in _WIDE
        and input._data.shape == target._data.shape
    ):
        loss = bce_with_logits.op(input, target)
    else:
        log_p = _log_sigmoid(input)
        if pos_weight is not None:
            log_p = ((pos_weight - 1) * target + 1) * log_p
        loss = (1 - target) * input - log_p
    return reduced(loss if weight is None else loss * weight, reduction)


@composite("torch.nn.functional.kl_div", name="functional_kl_div")
def kl_div_function(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence of log-probabilities from probabilities (log_target: from log-probabilities).

    reduction: also "batchmean", the sum divided by the number of samples, which is the mathematical definition.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.kl_div(torsh.tensor([[0.5, 0.5]]).log(), torsh.tensor([[0.25, 0.75]]), reduction="batchmean")
    tensor(0.1308)
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_of("mean", size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
            "divides only by the batch size, and aligns with the KL div math definition. 'mean' will be changed to "
            "behave the same as 'batchmean' in the next major release.",
            stacklevel=3,
        )
    if reduction == "batchmean":
        loss = _kl(input, target, log_target).sum()
        return loss / input.shape[0] if input.ndim else loss
    return reduced(_kl(input, target, log_target), reduction_of(reduction))


@composite("torch.kl_div")
def kl_div(input, target, reduction=0, *, log_target=False):
    """nn.functional.kl_div with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.kl_div(torsh.tensor([0.5, 0.5]).log(), torsh.tensor([0.25, 0.75]), reduction=2)
    tensor(0.1308)
    """
    return reduced(_kl(input, target, log_target), reduction_of(reduction))


def _kl(input, target, log_target):
    check_tensor(input, "kl_div")
    check_tensor(target, "kl_div", "target", 2)
    if input._kind.complex or target._kind.complex:
        raise RuntimeError("kl_div: Complex inputs not supported.")
    if not input._kind.floating or not target._kind.floating:
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        return target.exp() * (target - input)
    return target.xlogy(target) - target * input


# ---- margins ---------------------------------------------------------------------------------------------------------


@composite("torch.nn.functional.hinge_embedding_loss")
def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """x where the target is 1, max(0, margin - x) where it is -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.hinge_embedding_loss(torsh.tensor([0.5, 0.3]), torsh.tensor([1., -1.]), reduction="none")
    tensor([0.5000, 0.7000])
    """
    return _hinge_embedding(input, target, margin, reduction_of(reduction, size_average, reduce))


@composite("torch.hinge_embedding_loss", name="torch_hinge_embedding_loss")
def torch_hinge_embedding_loss(input, target, margin=1.0, reduction=0):
    """nn.functional.hinge_embedding_loss with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.hinge_embedding_loss(torsh.tensor([0.5, 0.3]), torsh.tensor([1., -1.]))
    tensor([0.5000, 0.7000])
    """
    return _hinge_embedding(input, target, margin, reduction_of(reduction))


def _hinge_embedding(input, target, margin, reduction):
    check_tensor(input, "hinge_embedding_loss")
    check_tensor(target, "hinge_embedding_loss", "target", 2)
    if not input._kind.inexact:
        margin = int(margin)
    loss = _choose(target != 1, (margin - input).clamp_min(0), 0) + _choose(target != -1, input, 0)
    return reduced(loss, reduction)


@composite("torch.nn.functional.margin_ranking_loss")
def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (x1 - x2) + margin): the target 1 wants x1 to be larger, -1 wants it smaller.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.margin_ranking_loss(torsh.tensor([1., 5.]), torsh.tensor([2., 3.]), torsh.tensor([1., 1.]), margin=0.5)
    tensor(0.7500)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _margin_ranking(input1, input2, target, margin, reduction)


@composite("torch.margin_ranking_loss", name="torch_margin_ranking_loss")
def torch_margin_ranking_loss(input1, input2, target, margin=0.0, reduction=0):
    """nn.functional.margin_ranking_loss with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.margin_ranking_loss(torsh.tensor([1., 5.]), torsh.tensor([2., 3.]), torsh.tensor([1., 1.]))
    tensor([1., 0.])
    """
    return _margin_ranking(input1, input2, target, margin, reduction_of(reduction))


def _margin_ranking(input1, input2, target, margin, reduction):
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


@composite("torch.nn.functional.soft_margin_loss torch._C._nn.soft_margin_loss")
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * x)) for targets 1 and -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.soft_margin_loss(torsh.tensor([2., -1.]), torsh.tensor([1., -1.]))
    tensor(0.2201)
    """
    if not input._kind.inexact:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {scalar_name(input.dtype)}")
    return reduced((-target * input).exp().log1p(), reduction_of(reduction, size_average, reduce))


@composite("torch.nn.functional.cosine_embedding_loss")
def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos(x1, x2) for the target 1, max(0, cos(x1, x2) - margin) for -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x, y = torsh.tensor([[1., 0.], [1., 0.]]), torsh.tensor([[1., 0.], [0., 1.]])
    >>> F.cosine_embedding_loss(x, y, torsh.tensor([1, -1]), reduction="none")
    tensor([0., 0.])
    """
    return _cosine_embedding(input1, input2, target, margin, reduction_of(reduction, size_average, reduce))


@composite("torch.cosine_embedding_loss", name="torch_cosine_embedding_loss")
def torch_cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=0):
    """nn.functional.cosine_embedding_loss with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.cosine_embedding_loss(torsh.tensor([[1., 0.]]), torsh.tensor([[0., 1.]]), torsh.tensor([1.]))
    tensor([1.])
    """
    return _cosine_embedding(input1, input2, target, margin, reduction_of(reduction))


def _cosine_embedding(input1, input2, target, margin, reduction):
    if target.ndim not in (0, 1):
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported, got {list(target.shape)}")
    if target.ndim == 1 and input1.ndim != 2:
        raise RuntimeError(
            f"1D target tensor expects 2D input tensors, but found inputs with sizes {list(input1.shape)} and "
            f"{list(input2.shape)}."
        )
    if target.ndim == 0 and input1.ndim != 1:
        raise RuntimeError(
            f"0D target tensor expects 1D input tensors, but found inputs with sizes {list(input1.shape)} and "
            f"{list(input2.shape)}."
        )
    dim = target.ndim
    eps = 1e-12
    dot = (input1 * input2).sum(dim)
    mag1, mag2 = (input1 * input1).sum(dim) + eps, (input2 * input2).sum(dim) + eps
    cos = dot / (mag1 * mag2).sqrt()
    zeros = cos.detach() * 0
    loss = _choose(target == 1, 1 - cos, zeros) + _choose(target == -1, (cos - margin).clamp_min(0), zeros)
    return reduced(loss, reduction)


@composite("torch.nn.functional.triplet_margin_loss")
def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"
):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin).

    swap: take the distance from the positive to the negative where that is smaller.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.triplet_margin_loss(torsh.tensor([[0., 0.]]), torsh.tensor([[1., 0.]]), torsh.tensor([[0., 1.5]]))
    tensor(0.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet(anchor, positive, negative, margin, p, eps, swap, reduction)


@composite("torch.triplet_margin_loss", name="torch_triplet_margin_loss")
def torch_triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=0):
    """nn.functional.triplet_margin_loss with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; otherwise as in ``nn.functional``.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.triplet_margin_loss(torsh.tensor([[0., 0.]]), torsh.tensor([[1., 0.]]), torsh.tensor([[0., 1.5]]))
    tensor([0.5000])
    """
    return _triplet(anchor, positive, negative, margin, p, eps, swap, reduction_of(reduction))


def _triplet(anchor, positive, negative, margin, p, eps, swap, reduction):
    from torsh.ops.distance import pairwise_distance

    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return reduced((margin + near - far).clamp_min(0), reduction)


@composite("torch.nn.functional.triplet_margin_with_distance_loss")
def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """triplet_margin_loss with any distance (default: the Euclidean one).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> taxi = lambda a, b: (a - b).abs().sum(-1)
    >>> anchor, near, far = torsh.tensor([[0., 0.]]), torsh.tensor([[1., 0.]]), torsh.tensor([[0., 1.5]])
    >>> F.triplet_margin_with_distance_loss(anchor, near, far, distance_function=taxi)
    tensor(0.5000)
    """
    from torsh.ops.distance import pairwise_distance

    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), reduction)
