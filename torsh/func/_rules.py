"""How ops run on batches.

Most rules follow from an op's kind: elementwise ops align their operands; ops whose arguments name dimensions or sizes get
those shifted by the leading batch dimension.  What has no rule runs example by example, and says so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from torsh.func._batched import VmapMode, at_level, batched, has_batch, physical
from torsh.ops._pointwise import Pointwise, compute_kind
from torsh.tensor import Tensor

# Ops that ran example by example, and how often: what `torsh.func.fallbacks` shows.
fallbacks: Counter[str] = Counter()

Rule = Callable[[VmapMode, Any, tuple[Any, ...]], Any]
RULES: dict[str, Rule] = {}

# Ops for which shifting named arguments is all there is to do.
SHIFTED = frozenset(
    "sum nansum mean prod_op all any amax amin argmax argmin max_dim min_dim var_op std_op logsumexp expand flip "
    "roll cat stack unbind split select slice diagonal diagonal_embed embed unfold cumsum_op cumprod_op cummax cummin "
    "logcumsumexp median_dim nanmedian_dim squeeze unsqueeze transpose softmax log_softmax softmax_backward "
    "log_softmax_backward vector_norm cast clone laid_out tril triu view_as_real view_as_complex real_part imag_part "
    "sort gather scatter scatter_add scatter_reduce topk kthvalue argsort_op index_select_op view_dtype fold_windows".split()
)
_DIMS = frozenset({"dim", "dims", "dim0", "dim1", "dim2", "dimension", "shifts_dims"})
_SIZES = frozenset({"size", "shape"})
# Trailing dimensions only: the batch in front changes nothing.
TRAILING = frozenset("cast clone laid_out tril triu view_as_real view_as_complex real_part imag_part view_dtype".split())


def apply(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """Run an op some of whose arguments are batches of the mode's level."""
    rule = RULES.get(op.name)
    if rule is not None:
        return rule(mode, op, args)
    if isinstance(op, Pointwise):
        return _pointwise(mode, op, args)
    if op.name in SHIFTED:
        return _shifted(mode, op, args)
    if "pointwise" in op.tags:
        return _same_shape(mode, op, args)
    return _one_by_one(mode, op, args)


def rule(*names: str) -> Callable[[Rule], Rule]:
    def add(fn: Rule) -> Rule:
        for n in names:
            RULES[n] = fn
        return fn

    return add


def wrap(mode: VmapMode, result: Any) -> Any:
    """A result on batches, as examples."""
    if isinstance(result, Tensor):
        return batched(result, mode.level)
    if isinstance(result, (tuple, list)):
        parts = [wrap(mode, r) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def _physical(mode: VmapMode, a: Any) -> Any:
    if isinstance(a, Tensor):
        return physical(a, mode.level, mode.size)
    if type(a) in (list, tuple) and any(isinstance(x, Tensor) for x in a):
        return type(a)(_physical(mode, x) for x in a)
    return a


def _pointwise(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """Align examples at the right, with the batch in front of all of them."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    rank = max(t.ndim for t in tensors)
    if len({t.dtype for t in tensors}) > 1:
        # Promotion asks which operands are 0-d, which the batch dimension hides: settle it on the examples.
        target = compute_kind(args, op.promote).dtype
        with mode:
            args = tuple(a.to(target) if isinstance(a, Tensor) else a for a in args)
    return wrap(mode, op(*[_aligned(mode, a, rank) for a in args]))


def _aligned(mode: VmapMode, a: Any, rank: int) -> Any:
    if not at_level(a, mode.level):
        return a
    p = a._physical
    missing = rank - (p.ndim - 1)
    return p if not missing else p.reshape((p.shape[0], *(1,) * missing, *p.shape[1:]))


def _same_shape(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    return wrap(mode, op(*[_physical(mode, a) for a in args]))


def _shifted(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    new = []
    for name, a in zip(op.args, args):
        if isinstance(a, Tensor) or (type(a) in (list, tuple) and a and isinstance(a[0], Tensor)):
            new.append(_physical(mode, a))
        elif op.name not in TRAILING and name in _DIMS and a is not None:
            new.append(a + 1 if isinstance(a, int) else type(a)(d + 1 for d in a))
        elif name in _SIZES and isinstance(a, tuple):
            new.append((mode.size, *a))
        else:
            new.append(a)
    if "dim" in op.args and "reduction" in op.tags and args[op.args.index("dim")] is None:
        if op.name in ("argmax", "argmin"):
            return _one_by_one(mode, op, args)
        new[op.args.index("dim")] = tuple(range(1, args[0].ndim + 1))
    return wrap(mode, op(*new))


def _one_by_one(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """The fallback: run each example by itself and stack the results."""
    import torsh

    fallbacks[op.name] += 1
    warnings.warn(
        f"There is a performance drop because we have not yet implemented the batching rule for {op.name}: it runs once for each "
        f"of the {mode.size} examples",
        UserWarning,
        stacklevel=2,
    )
    if "data-dependent" in op.tags:
        raise RuntimeError(
            f"vmap: {op.name} gives results whose shape depends on the values, so examples could differ in shape; it cannot be "
            "mapped"
        )

    def example(a: Any, i: int) -> Any:
        if at_level(a, mode.level):
            return a._physical[i]
        if type(a) in (list, tuple) and has_batch(a, mode.level):
            return type(a)(example(x, i) for x in a)
        return a

    results = [op(*[example(a, i) for a in args]) for i in range(mode.size)]
    first = results[0]
    if isinstance(first, Tensor):
        return batched(torsh.stack(results), mode.level)
    stacked = [None if r[0] is None else batched(torsh.stack(list(r)), mode.level) for r in zip(*results)]
    return type(first)(*stacked) if hasattr(first, "_fields") else type(first)(stacked)


def apply_random(mode: VmapMode, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
    """Random ops under vmap: refused, the same for every example, or different ones."""
    if mode.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness "
            "flags on vmap or perform the randomness operation out of vmap"
        )
    if any(has_batch(a, mode.level) for a in args):
        if mode.randomness == "same":
            raise RuntimeError(
                "vmap: Vmap does not currently support same randomness with a batched tensor input. Please file an issue"
            )
        return wrap(mode, op(*[_physical(mode, a) for a in args]))
    if mode.randomness == "same":
        return proceed(*args)
    import torsh

    return batched(torsh.stack([op(*args) for _ in range(mode.size)]), mode.level)


# ---- rules of their own ------------------------------------------------------------------------------------------------


@rule("view", "reshape")
def _view(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    # The batch need not be as contiguous as an example pretends to be.
    return batched(args[0]._physical.reshape((mode.size, *args[1])), mode.level)


@rule("permute")
def _permute(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, dims = args
    return batched(op(input._physical, (0, *(d + 1 for d in dims))), mode.level)


@rule("t")
def _t(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    p = args[0]._physical
    return batched(p.transpose(1, 2) if p.ndim == 3 else p, mode.level)


@rule("getitem_basic")
def _getitem(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, index = args[:2]
    index = index if isinstance(index, tuple) else (index,)
    return batched(input._physical[(slice(None), *index)], mode.level)


@rule("matmul", "mm_op")
def _matmul(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    x, y = args
    row, column = x.ndim == 1, y.ndim == 1
    with mode:
        x = x.unsqueeze(0) if row else x
        y = y.unsqueeze(1) if column else y
    rank = max(x.ndim, y.ndim)
    out = torsh.matmul(_aligned(mode, x, rank), _aligned(mode, y, rank))
    if column:
        out = out.squeeze(-1)
    if row:
        out = out.squeeze(-1 if column else -2)
    return batched(out, mode.level)


@rule("addmm")
def _addmm(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, a, b, beta, alpha = args
    with mode:
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


@rule("convolution")
def _convolution(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, weight, bias, *rest = args
    transposed, groups = rest[3], rest[5]
    size = mode.size
    if not has_batch(args[1:], mode.level):
        p = input._physical
        out = op(p.reshape((size * p.shape[1], *p.shape[2:])), weight, bias, *rest)
        return batched(out.reshape((size, p.shape[1], *out.shape[1:])), mode.level)
    # Every example has its own filters: examples become groups.
    p, w = physical(input, mode.level, size), physical(weight, mode.level, size)
    if transposed and groups != 1:
        return _one_by_one(mode, op, args)
    b = None if bias is None else physical(bias, mode.level, size).reshape((-1,))
    n, c = p.shape[1], p.shape[2]
    merged = p.transpose(0, 1).reshape((n, size * c, *p.shape[3:]))
    out = op(merged, w.reshape((size * w.shape[1], *w.shape[2:])), b, *rest[:5], groups * size)
    out = out.reshape((n, size, -1, *out.shape[2:])).transpose(0, 1)
    return batched(out, mode.level)


@rule("max_pool", "max_pool_with_indices", "mean_pool", "adaptive_mean_pool", "adaptive_max_pool")
def _over_images(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """Ops whose first dimension is a batch of its own: both batches become one."""
    p = args[0]._physical
    found = op(p.reshape((p.shape[0] * p.shape[1], *p.shape[2:])), *args[1:])
    outs = [o.reshape((mode.size, p.shape[1], *o.shape[1:])) for o in (found if isinstance(found, tuple) else (found,))]
    return wrap(mode, tuple(outs)) if isinstance(found, tuple) else batched(outs[0], mode.level)


@rule("embedding")
def _embedding(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    if at_level(args[0], mode.level) and at_level(args[1], mode.level) or not has_batch(args[1:2], mode.level):
        return _one_by_one(mode, op, args)
    return wrap(mode, op(*[a._physical if at_level(a, mode.level) else a for a in args]))


@rule("native_layer_norm")
def _layer_norm(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    if has_batch(args[2:], mode.level):
        return _one_by_one(mode, op, args)
    return wrap(mode, op(args[0]._physical, *args[1:]))
