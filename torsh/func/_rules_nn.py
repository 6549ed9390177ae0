"""Batching rules of products, convolutions, normalization and losses."""

from __future__ import annotations

from typing import Any

from torsh.func._batched import VmapMode, at_level, batched, has_batch, physical
from torsh.func._rules import aligned, composed, rule, unmerged, wrap


@rule("matmul", "mm_op", "bmm_op")
def _matmul(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    x, y = args
    row, column = x.ndim == 1, y.ndim == 1
    with mode:
        x = x.unsqueeze(0) if row else x
        y = y.unsqueeze(1) if column else y
    rank = max(x.ndim, y.ndim)
    out = torsh.matmul(aligned(mode, x, rank), aligned(mode, y, rank))
    if column:
        out = out.squeeze(-1)
    if row:
        out = out.squeeze(-1 if column else -2)
    return batched(out, mode.level)


@composed("addmm")
def _addmm(input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    product = a @ b
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (input if beta == 1 else input * beta)


@rule("linear")
def _linear(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, weight, bias = args
    if not has_batch(args[1:], mode.level):
        return batched(op(input._physical, weight, bias), mode.level)
    with mode:
        out = input @ weight.t()
        return out if bias is None else out + bias


def _beside(t: Any, mode: VmapMode) -> Any:
    """(N, C, *) examples as (N, batch * C, *)."""
    p = physical(t, mode.level, mode.size)
    p = p.transpose(0, 1)
    return p.reshape((p.shape[0], p.shape[1] * p.shape[2], *p.shape[3:]))


@rule("convolution")
def _convolution(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, weight, bias, *rest = args
    size = mode.size
    if not has_batch(args[1:], mode.level):
        p = input._physical
        out = op(p.reshape((size * p.shape[1], *p.shape[2:])), weight, bias, *rest)
        return batched(unmerged(out, size), mode.level)
    # Every example has its own filters: examples become groups.
    w = physical(weight, mode.level, size)
    b = None if bias is None else physical(bias, mode.level, size).reshape((-1,))
    out = op(_beside(input, mode), w.reshape((size * w.shape[1], *w.shape[2:])), b, *rest[:5], rest[5] * size)
    return batched(out.reshape((out.shape[0], size, out.shape[1] // size, *out.shape[2:])).transpose(0, 1), mode.level)


@rule("convolution_weight")
def _convolution_weight(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    g, input, shape, stride, padding, dilation, groups = args
    size = mode.size
    found = op(
        _beside(g, mode), _beside(input, mode), (size * shape[0], *shape[1:]), stride, padding, dilation, groups * size
    )
    return batched(found.reshape((size, *shape)), mode.level)


@rule("native_layer_norm")
def _layer_norm(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, shape, weight, bias, eps = args
    if not has_batch(args[2:], mode.level):
        return wrap(mode, op(input._physical, *args[1:]))
    if at_level(input, mode.level):
        plain = wrap(mode, op(input._physical, shape, None, None, eps))
    else:
        plain = op(input, shape, None, None, eps)
    with mode:
        out, mean, rstd = plain
        out = out if weight is None else out * weight
        return (out if bias is None else out + bias), mean, rstd


@rule("batch_norm_train")
def _batch_norm(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, weight, bias, eps = args
    size, channels = mode.size, input.shape[1]
    w, b = (None if t is None else physical(t, mode.level, size).reshape((-1,)) for t in (weight, bias))
    out, *stats = op(_beside(input, mode), w, b, eps)
    out = out.reshape((out.shape[0], size, channels, *out.shape[2:])).transpose(0, 1)
    return wrap(mode, (out, *[s.reshape((size, channels)) for s in stats]))


@rule("batch_norm_backward")
def _batch_norm_backward(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    g, input, weight, mean, invstd, eps, needs = args
    size, channels = mode.size, input.shape[1]
    w, m, i = (None if t is None else physical(t, mode.level, size).reshape((-1,)) for t in (weight, mean, invstd))
    gx, *per = op(_beside(g, mode), _beside(input, mode), w, m, i, eps, needs)
    if gx is not None:
        gx = gx.reshape((gx.shape[0], size, channels, *gx.shape[2:])).transpose(0, 1)
    return wrap(mode, (gx, *[None if p is None else p.reshape((size, channels)) for p in per]))


# ---- losses ------------------------------------------------------------------------------------------------------------


def _picked(target: Any, weight: Any, ignored: int, like: Any) -> tuple[Any, Any]:
    """(classes with something valid in place of ignored ones, the weight of every target)."""
    hidden = target == ignored
    classes = target.masked_fill(hidden, 0)
    if weight is None:
        weights = (~hidden).to(like.dtype)
    else:
        weights = weight.index_select(0, classes.reshape((-1,))).reshape(tuple(classes.shape)).masked_fill(hidden, 0)
    return classes, weights


@composed("nll")
def _nll(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    classes, weights = _picked(target, weight, ignore_index, input)
    loss = -input.gather(1, classes.unsqueeze(1)).squeeze(1)
    loss = loss.masked_fill(weights == 0, 0) * weights
    total = weights.sum()
    if reduction == "none":
        return loss, total * 0
    return (loss.sum() if reduction == "sum" else loss.sum() / total), total


@composed("nll_loss_backward")
def _nll_backward(g: Any, shape: Any, target: Any, weight: Any, reduction: str, ignore_index: int, total: Any) -> Any:
    classes, weights = _picked(target, weight, ignore_index, g)
    part = -g * weights
    if reduction == "mean":
        part = part / total
    return part.new_zeros(tuple(shape)).scatter_add(1, classes.unsqueeze(1), part.unsqueeze(1))


@rule("ctc")
def _ctc(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    log_probs, targets, input_lengths, target_lengths, blank, zero_infinity = args
    p, t = physical(log_probs, mode.level, mode.size), physical(targets, mode.level, mode.size)
    loss, alpha = op(
        p.transpose(0, 1).reshape((p.shape[1], p.shape[0] * p.shape[2], p.shape[3])), t.reshape((-1, t.shape[2])),
        tuple(input_lengths) * mode.size, tuple(target_lengths) * mode.size, blank, zero_infinity,
    )  # fmt: skip
    return wrap(mode, unmerged((loss, alpha), mode.size))


@rule("ctc_backward")
def _ctc_backward(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    g, log_probs, targets, input_lengths, target_lengths, loss, alpha, blank, zero_infinity = args
    size = mode.size
    p = physical(log_probs, mode.level, size)
    t, g, loss, alpha = (physical(x, mode.level, size) for x in (targets, g, loss, alpha))
    found = op(
        g.reshape((-1,)), p.transpose(0, 1).reshape((p.shape[1], p.shape[0] * p.shape[2], p.shape[3])),
        t.reshape((-1, t.shape[2])), tuple(input_lengths) * size, tuple(target_lengths) * size, loss.reshape((-1,)),
        alpha.reshape((-1, *alpha.shape[2:])), blank, zero_infinity,
    )  # fmt: skip
    return batched(found.reshape((p.shape[1], size, p.shape[2], p.shape[3])).transpose(0, 1), mode.level)
