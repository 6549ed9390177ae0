"""Losses over classes: negative log-likelihood, cross entropy, margins between classes, CTC."""

from __future__ import annotations

import math
from typing import Any

from torsh.dtypes import int64, scalar_name, uint8
from torsh.ops._args import by_example, check_tensor, has_values, mapped
from torsh.ops._op import composite, primitive
from torsh.ops.activation import log_softmax, logsigmoid
from torsh.ops.linear import linear
from torsh.ops.loss import reduced, reduction_of


def _nll_meta(input, target, weight, reduction, ignore_index):
    return [(target.shape if reduction == "none" else (), input.dtype), ((), input.dtype)]


def _nll_rule(g, input, target, weight, reduction, ignore_index, out1):
    if g[0] is None:
        return None
    return nll_loss_backward.op(g[0], tuple(input.shape), target, weight, reduction, ignore_index, out1)


@primitive(
    "",
    args="input target weight reduction ignore_index",
    grad={"input": _nll_rule},
    jvp=lambda input_t, target, weight, reduction, ignore_index: (
        None if input_t is None else nll.op(input_t, target, weight, reduction, ignore_index)[0],
        None,
    ),
    meta=_nll_meta,
    node_name="NllLossBackward0",
)
def nll(input, target, weight, reduction, ignore_index):
    """(minus the input at the target's class, total weight); classes along dimension 1 of (N, C, *)."""
    return (input, target, weight, reduction, ignore_index)


@primitive(
    "",
    args="g shape target weight reduction ignore_index total",
    grad={
        "g": lambda grad, target, weight, reduction, ignore_index: nll.op(
            grad, target, weight, reduction, ignore_index
        )[0],
        "total": lambda grad: None,
    },  # it does not depend on the input
    meta=lambda g, shape, *rest: (shape, g.dtype),
)
def nll_loss_backward(g, shape, target, weight, reduction, ignore_index, total):
    """The adjoint of ``nll``."""
    return (g, shape, target, weight, reduction, ignore_index, total)


def _nll(input, target, weight, reduction, ignore_index):
    ndim = len(input._data.shape)
    if (
        weight is None and ndim == 2 and target._kind.dtype is int64 and input._kind.floating
        and target._data.shape == input._data.shape[:1]
    ):  # fmt: skip
        return nll.op(input, target, None, reduction, ignore_index)[0]
    if not ndim:
        raise ValueError(f"Expected 1 or more dimensions (got {ndim})")
    if ndim == 1 and target.ndim == 1 and target.numel() != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.numel()}")
    if ndim > 1 and target.ndim and input.shape[0] != target.shape[0]:
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]})."
        )
    if target.dtype is not int64:
        if target.dtype is not uint8:
            raise RuntimeError(
                f"expected target dtype to be Long or Byte, but got {scalar_name(target.dtype)}; convert it with .long()"
            )
        target = target.to(int64)
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"nll_loss_out_frame\" not implemented for '{scalar_name(input.dtype)}'; use a floating type"
        )
    classes = input.shape[1] if ndim > 1 else input.shape[0]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    if weight is not None and weight.dtype is not input.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(weight.dtype)}")
    if ndim == 1:
        if target.ndim > 1 or target.numel() != 1:
            raise RuntimeError(f"size mismatch (got input: {list(input.shape)}, target: {list(target.shape)})")
        out = nll.op(input.unsqueeze(0), target.reshape(1), weight, reduction, ignore_index)[0]
        return out.reshape(tuple(target.shape)) if reduction == "none" else out
    if target.ndim != ndim - 1 or target._data.shape[0] != input._data.shape[0]:
        if ndim == 2:
            raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported, got {list(target.shape)}")
        raise RuntimeError(
            f"only batches of spatial targets supported ({ndim - 1}D tensors) but got targets of dimension: "
            f"{target.ndim}"
        )
    if tuple(input.shape[2:]) != tuple(target.shape[1:]):
        raise RuntimeError(
            f"size mismatch (got input: {list(input.shape)} , target: {list(target.shape)}); expected target size "
            f"{[input.shape[0], *input.shape[2:]]}"
        )
    return nll.op(input, target, weight, reduction, ignore_index)[0]


@composite("torch.nn.functional.nll_loss")
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Minus the log-probability of the target's class.

    input: log-probabilities, (N, C, *) or (C,).  target: classes, (N, *) or (), int64.  weight: (C,).
    ignore_index: a class whose elements count for nothing.  A mean is weighted by the targets' weights.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.nll_loss(torsh.tensor([[0.5, 0.5], [0.1, 0.9]]).log(), torsh.tensor([0, 1]))
    tensor(0.3993)
    """
    check_tensor(input, "nll_loss")
    check_tensor(target, "nll_loss", "target", 2)
    return _nll(input, target, weight, reduction_of(reduction, size_average, reduce), ignore_index)


@composite("torch.nn.functional.cross_entropy")
def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """nll_loss of log_softmax(input).

    input: (N, C, *) or (C,).  target: classes, (N, *) or (), int64; or probabilities of the input's shape.
    label_smoothing: how much of the target's probability is spread evenly over all classes.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> logits = torsh.tensor([[2., 0., 0.], [0., 0., 2.]])
    >>> F.cross_entropy(logits, torsh.tensor([0, 1]))
    tensor(1.2395)
    >>> F.cross_entropy(logits, torsh.tensor([0, -100]), reduction="none")  # -100 is ignored
    tensor([0.2395, 0.0000])
    >>> F.cross_entropy(logits, torsh.tensor([[1., 0., 0.], [0., 0.5, 0.5]]), label_smoothing=0.1)  # probabilities
    tensor(0.8229)
    """
    check_tensor(input, "cross_entropy_loss")
    check_tensor(target, "cross_entropy_loss", "target", 2)
    reduction = reduction_of(reduction, size_average, reduce)
    shape = input._data.shape
    ndim = len(shape)
    axis = 0 if ndim == 1 else 1
    if shape == target._data.shape:
        if target._kind.floating:
            return _soft_targets(input, target, weight, reduction, label_smoothing, axis, ignore_index)
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {scalar_name(target.dtype)}"
        )
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    log_p = log_softmax.op(input, axis) if ndim and input._kind.floating else log_softmax(input, axis)
    if label_smoothing == 0:
        return _nll(log_p, target, weight, reduction, ignore_index)
    return _smoothed(log_p, target, weight, reduction, ignore_index, label_smoothing, axis)


def _class_weights(weight: Any, ndim: int) -> Any:
    return weight if ndim == 1 else weight.reshape(1, -1, *(1,) * (ndim - 2))


def _soft_targets(input, target, weight, reduction, smoothing, axis, ignore_index):
    if not 0 <= smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    classes = input.shape[axis]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / classes
    loss = log_softmax(input, axis) * target
    if weight is not None:
        loss = loss * _class_weights(weight, input.ndim)
    if reduction == "none":
        return -loss.sum(axis)
    if reduction == "sum":
        return -loss.sum()
    if not input.numel():
        return loss.sum() * math.nan
    return -loss.sum() / (input.numel() // classes)


def _smoothed(log_p, target, weight, reduction, ignore_index, smoothing, axis):
    hard = _nll(log_p, target, weight, reduction, ignore_index)
    soft = -(log_p if weight is None else log_p * _class_weights(weight, log_p.ndim)).sum(axis)
    ignored = target == ignore_index
    soft = soft.masked_fill(ignored, 0.0)
    if reduction == "sum":
        soft = soft.sum()
    elif reduction == "mean":
        if weight is None:
            soft = soft.sum() / (~ignored).sum()
        else:
            safe = target.masked_fill(ignored, 0)
            picked = weight[safe.reshape(-1)].reshape(tuple(target.shape)).masked_fill(ignored, 0.0)
            soft = soft.sum() / picked.sum()
    return hard * (1 - smoothing) + soft * (smoothing / log_p.shape[axis])


@composite("torch.nn.functional.linear_cross_entropy")
def linear_cross_entropy(
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """cross_entropy of linear(input, linear_weight, linear_bias).

    linear_weight: (C, I), or (C, d1, ..., I) for targets of shape (N, d1, ...).  options: how PyTorch would cut the
    work into
    chunks; here the result is the same with any.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.linear_cross_entropy(torsh.ones(2, 3), torsh.eye(4, 3), torsh.tensor([0, 3]))
    tensor(1.7143)
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    width, outputs = linear_weight.shape[-1], tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    logits = linear(input, linear_weight.reshape(-1, width), None if linear_bias is None else linear_bias.reshape(-1))
    if len(outputs) > 1:
        if input.ndim != 2:
            raise RuntimeError(f"linear_cross_entropy: expected input of shape (N, {width}), got {list(input.shape)}")
        logits = logits.reshape(input.shape[0], *outputs)
    return cross_entropy(
        logits, target, weight, ignore_index=-100 if ignore_index is None else ignore_index, reduction=reduction,
        label_smoothing=label_smoothing,
    )  # fmt: skip


# ---- margins between classes -----------------------------------------------------------------------------------------


@composite("torch.nn.functional.multi_margin_loss torch._C._nn.multi_margin_loss")
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over the other classes j of max(0, margin - x[target] + x[j]) ** p.

    input: (N, C) or (C,).  target: (N,) or ().  weight: (C,).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.multi_margin_loss(torsh.tensor([[0.1, 0.2, 0.9]]), torsh.tensor([2]))
    tensor(0.1667)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    if input.ndim > 2 or 0 in input.shape[1:] or (input.ndim == 1 and not input.numel()):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"weight must be one-dimensional, got {weight.ndim} dimensions")
    if weight is not None and (weight.shape[0] != (input.shape[-1] if input.ndim else 1)):
        raise RuntimeError(
            f"inconsistent weight size, expected {input.shape[-1] if input.ndim else 1} but got {list(weight.shape)}"
        )
    x = input if input.ndim == 2 else input.reshape(1, -1)
    n, classes = x.shape
    if target.ndim > 1 or target.numel() != n:
        raise RuntimeError(f"inconsistent target size, expected {n} but got {list(target.shape)}")
    if has_values(target) and target.numel() and (int(target.min()) < 0 or int(target.max()) >= classes):
        raise RuntimeError("target out of range")
    t = target.reshape(-1, 1)
    z = (margin - x.gather(1, t) + x).clamp_min(0)
    if p == 2:
        z = z * z
    if weight is not None:
        z = z * weight[t]
    # The target's own term is left out.
    others = x.detach().new_ones((n, classes)).scatter(1, t, 0.0)
    loss = (z * others).sum(1) / classes
    if reduction == "none" and target.ndim == 0:
        return loss.reshape(())
    return reduced(loss, reduction)


@composite("torch.nn.functional.multilabel_margin_loss torch._C._nn.multilabel_margin_loss")
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The mean over classes i that are no target and targets j of max(0, 1 - x[j] + x[i]).

    input: (N, C) or (C,).  target: of the same shape; the targets of a row end at the first -1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.multilabel_margin_loss(torsh.tensor([[0.1, 0.2, 0.4, 0.8]]), torsh.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.ndim > 2 or 0 in input.shape[1:] or (input.ndim == 1 and not input.numel()):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    if input.numel() != target.numel() or (target.ndim and target.shape[-1] != (input.shape[-1] if input.ndim else 1)):
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    x = input if input.ndim == 2 else input.reshape(1, -1)
    t = target.reshape(tuple(x.shape))
    if has_values(t) and t.numel() and (int(t.min()) < -1 or int(t.max()) >= x.shape[1]):
        raise RuntimeError("target out of range")
    valid = ((t < 0).to(int64).cumsum(1) == 0).to(x.dtype)
    safe = t.clamp_min(0)
    member = x.detach().new_zeros(tuple(x.shape)).scatter_add(1, safe, valid).clamp_max(1)
    picked = x.gather(1, safe)
    terms = (1 - picked.unsqueeze(2) + x.unsqueeze(1)).clamp_min(0)
    loss = (terms * valid.unsqueeze(2) * (1 - member).unsqueeze(1)).sum((1, 2)) / x.shape[1]
    if reduction == "none" and input.ndim < 2:
        return loss.reshape(())
    return reduced(loss, reduction)


@composite("torch.nn.functional.multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """binary_cross_entropy_with_logits averaged over the classes (the last dimension).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.multilabel_soft_margin_loss(torsh.tensor([[2., -1.]]), torsh.tensor([[1., 0.]]))
    tensor(0.2201)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    classes = input.shape[-1] if input.ndim else 1
    return reduced(loss.sum(-1) / classes, reduction)


# ---- connectionist temporal classification ---------------------------------------------------------------------------


@primitive(
    "",
    args="log_probs targets input_lengths target_lengths blank zero_infinity",
    grad={
        "log_probs": lambda g, log_probs, targets, input_lengths, target_lengths, blank, zero_infinity, out0, out1: (
            None
            if g[0] is None
            else ctc_backward.op(
                g[0], log_probs, targets, input_lengths, target_lengths, out0, out1, blank, zero_infinity
            )
        )
    },
    meta=lambda log_probs, targets, input_lengths, target_lengths, blank, zero_infinity: [
        ((log_probs.shape[1],), log_probs.dtype),
        ((log_probs.shape[1], log_probs.shape[0], 2 * max(target_lengths, default=0) + 1), log_probs.dtype),
    ],
)
def ctc(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity):
    """(loss per sample, forward log-probabilities) of label sequences; targets (N, S), lengths as tuples."""
    return (log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)


@primitive(
    "",
    args="g log_probs targets input_lengths target_lengths loss alpha blank zero_infinity",
    # Linear in g; there is no second derivative in log_probs, as in PyTorch.
    grad={
        "g": lambda grad, g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity: (
            grad
            * ctc_backward.op(
                g * 0 + 1, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity
            )
        ).sum((0, 2))
    },
    meta=lambda g, log_probs, *rest: (log_probs.shape, log_probs.dtype),
)
def ctc_backward(g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity):
    """The gradient of ``ctc`` by the backward recursion."""
    return (g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity)


def _lengths(value: Any, n: int, name: str) -> tuple[int, ...]:
    found = (
        tuple(int(v) for v in (value.tolist() if hasattr(value, "tolist") else value))
        if not isinstance(value, int)
        else (value,)
    )
    if len(found) != n:
        raise RuntimeError(f"{name} must be of size batch_size, got {len(found)} lengths for a batch of {n}")
    return found


def _ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity):
    from torsh.ops.joining import stack

    check_tensor(log_probs, "ctc_loss")
    if not log_probs._kind.floating:
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{scalar_name(log_probs.dtype)}'; use a floating type"
        )
    if not targets.dtype.category == 1:
        raise RuntimeError(f"targets must be integral, got {scalar_name(targets.dtype)}")
    for name, given in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if hasattr(given, "dtype") and given.dtype.category != 1:
            raise RuntimeError(f"{name} must be integral, got {scalar_name(given.dtype)}")
    if mapped(input_lengths, target_lengths):
        return by_example(_ctc, log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
    batched = log_probs.ndim == 3
    if not batched:
        log_probs = log_probs.unsqueeze(1)
    time, n, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range, got {blank} for {classes} labels")
    ins = _lengths(
        input_lengths if batched or not hasattr(input_lengths, "reshape") else input_lengths.reshape(-1),
        n,
        "input_lengths",
    )
    outs = _lengths(
        target_lengths if batched or not hasattr(target_lengths, "reshape") else target_lengths.reshape(-1),
        n,
        "target_lengths",
    )
    for b, (i, o) in enumerate(zip(ins, outs)):
        if i < 0 or i > time:
            raise RuntimeError(f"Expected input_lengths to have value at most {time}, but got value {i} (sample {b})")
        if o < 0:
            raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {o} (sample {b})")
    longest = max(outs, default=0)
    targets = targets.detach().to(int64)
    if targets.ndim == 1 and batched:  # one after another
        if targets.shape[0] != sum(outs):
            raise RuntimeError(
                f"Expected tensor of {sum(outs)} targets for these target_lengths, but got {targets.shape[0]}"
            )
        rows, at = [], 0
        for o in outs:
            row = targets.new_zeros((longest,))
            row[:o] = targets[at : at + o]
            rows.append(row)
            at += o
        targets = stack(rows) if rows else targets.new_zeros((0, 0))
    elif targets.ndim == 1:
        targets = targets.unsqueeze(0)
    if targets.shape[1] < longest:
        raise RuntimeError(
            f"Expected tensor to have size at least {longest} at dimension 1, but got size {targets.shape[1]}"
        )
    loss = ctc.op(log_probs, targets[:, :longest], ins, outs, int(blank), bool(zero_infinity))[0]
    if reduction == "mean":
        sizes = loss.detach().new_tensor([max(o, 1) for o in outs])
        return (loss / sizes).mean()
    if reduction == "sum":
        return loss.sum()
    return loss if batched else loss.squeeze(0)


@composite("torch.nn.functional.ctc_loss")
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Minus the log-probability that a sequence of label distributions spells the target.

    log_probs: (T, N, C) or (T, C).  targets: (N, S), or all targets in one row.  A mean divides by target lengths
    first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> log_probs = torsh.full((4, 1, 3), 1 / 3).log()  # (time, batch, classes)
    >>> F.ctc_loss(log_probs, torsh.tensor([[1, 2]]), (4,), (2,))
    tensor(0.8432)
    """
    return _ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction_of(reduction), zero_infinity)


@composite("torch.ctc_loss", name="torch_ctc_loss")
def torch_ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False):
    """nn.functional.ctc_loss with the reduction as a number.

    reduction: 0 none, 1 mean, 2 sum; the other arguments are those of :func:`nn.functional.ctc_loss`.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> log_probs = torsh.full((4, 1, 3), 1 / 3).log()  # (time, batch, classes)
    >>> torsh.ctc_loss(log_probs, torsh.tensor([[1, 2]]), (4,), (2,), reduction=2)
    tensor(1.6864)
    """
    return _ctc(log_probs, targets, input_lengths, target_lengths, blank, reduction_of(reduction), zero_infinity)
