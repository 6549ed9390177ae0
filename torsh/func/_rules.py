"""How ops run on batches.

Most rules follow from an op's kind, which ``kind_of`` reads off the declaration and the tables here:

pointwise   operands are aligned at the right, the batch stands in front
shifted     arguments that name dimensions or sizes are shifted by the leading batch dimension
leading     the op takes any number of leading dimensions (linear algebra on stacks of matrices)
merged      the op takes one leading dimension of samples: batch and samples become one
composed    the op is carried out as other ops on examples, which have rules
own         a function in ``_rules_index`` or ``_rules_nn``
random      drawn for the whole batch, or once
loop        runs example by example, and says so

Composite ops need none: the ops they consist of come here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from torsh import _callers
from torsh.dispatch import modes
from torsh.func._batched import (
    RANDOM_IN_ERROR_MODE,
    VmapMode,
    at_level,
    batched,
    has_batch,
    is_batched,
    physical,
    without,
)
from torsh.ops._pointwise import Pointwise, compute_kind
from torsh.tensor import Tensor

# Ops that ran example by example, and how often: what `torsh.func.fallbacks` shows.
fallbacks: Counter[str] = Counter()


class _Fallback:
    """Whether ops without a rule run example by example, and say so."""

    enabled = True
    warns = True


fallback = _Fallback()

Rule = Callable[[VmapMode, Any, tuple[Any, ...]], Any]
RULES: dict[str, Rule] = {}

# Ops for which shifting named arguments is all there is to do.
SHIFTED = frozenset(
    "sum nansum mean prod_op all any amax amin max_dim min_dim var_op std_op logsumexp flip "
    "roll cat stack unbind split select slice diagonal diagonal_embed unfold cumsum_op cumprod_op cummax cummin "
    "logcumsumexp median_dim nanmedian_dim squeeze unsqueeze transpose softmax log_softmax softmax_backward "
    "log_softmax_backward vector_norm cast clone packed laid_out tril triu view_as_real view_as_complex real_part imag_part conj_view neg_view "
    "sort gather scatter scatter_add scatter_reduce topk kthvalue argsort_op index_select_op view_dtype fold_windows "
    "fft_c2c fft_r2c fft_c2r".split()
)
_DIMS = frozenset({"dim", "dims", "dim0", "dim1", "dim2", "dimension", "shifts_dims"})
_SIZES = frozenset({"size", "shape"})
# Trailing dimensions only: the batch in front changes nothing.
TRAILING = frozenset(
    "cast clone packed laid_out tril triu view_as_real view_as_complex real_part imag_part view_dtype conj_view neg_view".split()
)
# Their dimensions are those of the result, of which a 0-d example has some.
_NEW_DIMS = frozenset("unsqueeze stack diagonal_embed".split())

# Ops on stacks of matrices and the like: how many trailing dimensions of each tensor are one item.
LEADING: dict[str, tuple[int, ...]] = {
    "cholesky_op": (2,), "cholesky_solve_op": (2, 2), "solve_triangular_op": (2, 2), "qr_op": (2,), "svd_op": (2,),
    "svdvals_op": (2,), "eigh_op": (2,), "eigvalsh_op": (2,), "eig_op": (2,), "eigvals_op": (2,), "lu_op": (2,),
    "lu_permutation": (1,), "ldl_op": (2,), "ldl_solve_op": (2, 1, 2), "geqrf_op": (2,), "householder_op": (2, 1),
    "solve_op": (2, 2), "inv_op": (2,), "det_op": (2,), "slogdet_op": (2,), "pinv_op": (2, 0, 0), "lstsq_op": (2, 2),
    "matrix_exp_op": (2,), "euclidean": (2, 2), "pad_constant": (0,), "pad_mirror": (0,), "pad_mirror_backward": (0,),
}  # fmt: skip

# Ops whose first dimension counts samples, for all their tensors.
MERGED = frozenset(
    "max_pool max_pool_with_indices max_pool_backward mean_pool avg_pool_backward adaptive_mean_pool "
    "adaptive_mean_pool_backward adaptive_max_pool fractional_max_pool resample resample_backward im2col col2im".split()
)
# Among their arguments, sizes that begin with the number of samples.
_WITH_SAMPLES = {("max_pool_backward", "size"), ("avg_pool_backward", "shape"), ("adaptive_mean_pool_backward", "shape"),
                 ("resample_backward", "shape")}  # fmt: skip

# Ops that are carried out as others: ``name -> function of the op's arguments``; those with a decomposition need no line here.
COMPOSED: dict[str, Callable[..., Any]] = {}


def kind_of(op: Any) -> str:
    """How an op runs on batches; one of the names above, or ``composite``."""
    _load()
    if "composite" in op.tags:
        return "composite"
    if op.name in RULES:
        return "own"
    if isinstance(op, Pointwise):
        return "pointwise"
    if op.name in SHIFTED:
        return "shifted"
    if op.name in LEADING:
        return "leading"
    if op.name in MERGED:
        return "merged"
    if "random" in op.tags:
        return "random"
    if "pointwise" in op.tags:
        return "pointwise"
    if op.name in COMPOSED or op.decompose is not None:
        return "composed"
    return "creation" if "creation" in op.tags else "loop"


def coverage() -> dict[str, list[str]]:
    """Every declared op by the kind of its batching rule."""
    from torsh.ops._op import OPS

    found: dict[str, list[str]] = {}
    for name, op in sorted(OPS.items()):
        found.setdefault(kind_of(op), []).append(name)
    return found


_loaded = False


def _load() -> None:
    global _loaded
    if not _loaded:
        _loaded = True
        import torsh.func._rules_index
        import torsh.func._rules_nn  # noqa: F401


def apply(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """Run an op some of whose arguments are batches of the mode's level."""
    if not _loaded:
        _load()
    run = _BY_KIND.get(op.name)
    if run is None:
        run = _BY_KIND[op.name] = _found(op)
    return run(mode, op, args)


_BY_KIND: dict[str, Rule] = {}


def _found(op: Any) -> Rule:
    if op.name in RULES:
        return RULES[op.name]
    if isinstance(op, Pointwise):
        return _pointwise
    return {
        "shifted": _shifted,
        "leading": _leading,
        "merged": _merged,
        "pointwise": _same_shape,
        "composed": _composed,
    }.get(kind_of(op), one_by_one)


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Declare the rule of some ops."""

    def add(fn: Rule) -> Rule:
        for n in names:
            RULES[n] = fn
        return fn

    return add


def register(name: str, fn: Rule) -> None:
    """Set the rule of an op, whatever it was before."""
    RULES[name] = fn
    _BY_KIND.pop(name, None)


def forget(name: str) -> None:
    """Drop the rule of an op."""
    RULES.pop(name, None)
    _BY_KIND.pop(name, None)


def composed(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare how some ops are carried out as other ops on examples."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        for n in names:
            COMPOSED[n] = fn
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


def physical_of(mode: VmapMode, a: Any) -> Any:
    """An argument with its batch as leading dimension; what is no batch is repeated, as a view."""
    if isinstance(a, Tensor):
        return physical(a, mode.level, mode.size)
    if type(a) in (list, tuple) and any(isinstance(x, Tensor) for x in a):
        return type(a)(physical_of(mode, x) for x in a)
    return a


def _pointwise(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """Align examples at the right, with the batch in front of all of them."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    rank = max(t.ndim for t in tensors)
    if len({t.dtype for t in tensors}) > 1 or any(type(a) in _NUMBERS for a in args):
        # Promotion asks which operands are 0-d, which the batch dimension hides: settle it on the examples.
        target = compute_kind(tuple([a for a, keep in zip(args, op._keep) if not keep]), op.promote).dtype
        with mode:
            args = tuple(
                a.to(target) if isinstance(a, Tensor) and not keep and a.dtype is not target else a
                for a, keep in zip(args, op._keep)
            )
    return wrap(mode, op(*[aligned(mode, a, rank) for a in args]))


_NUMBERS = frozenset({int, float, complex, bool})


def aligned(mode: VmapMode, a: Any, rank: int) -> Any:
    """A batch whose examples are padded in front to a number of dimensions; anything else as it is."""
    if not at_level(a, mode.level):
        return a
    p = a._physical
    missing = rank - (p.ndim - 1)
    return p if not missing else p.reshape((p.shape[0], *(1,) * missing, *p.shape[1:]))


def _same_shape(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    return wrap(mode, op(*[physical_of(mode, a) for a in args]))


def _shifted(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    tensors = [t for a in args for t in (a if type(a) in (list, tuple) else (a,)) if isinstance(t, Tensor)]
    # A 0-d example has a dimension 0 too, which the batch must not take the place of.
    flat = tensors[0].ndim == 0 and op.name not in TRAILING and op.name not in _NEW_DIMS
    new: list[Any] = []
    for name, a in zip(op.args, args):
        if isinstance(a, Tensor) or (type(a) in (list, tuple) and a and isinstance(a[0], Tensor)):
            p = physical_of(mode, a)
            new.append(_with_dim(p) if flat else p)
        elif op.name not in TRAILING and name in _DIMS and a is not None:
            new.append(a + 1 if isinstance(a, int) else (1,) if flat and not a else type(a)(d + 1 for d in a))
        elif name in _SIZES and isinstance(a, tuple):
            new.append((mode.size, *(a or (1,) if flat else a)))
        else:
            new.append(a)
    if "dim" in op.args and "reduction" in op.tags and args[op.args.index("dim")] is None:
        new[op.args.index("dim")] = tuple(range(1, args[0].ndim + 1)) or (1,)
    found = op(*new)
    return wrap(mode, _without_dim(found, mode.size) if flat else found)


def _with_dim(p: Any) -> Any:
    if isinstance(p, Tensor):
        return p.unsqueeze(1) if p.ndim == 1 else p
    return type(p)(_with_dim(x) for x in p)


def _without_dim(found: Any, size: int) -> Any:
    if isinstance(found, Tensor):
        return found.reshape((size,)) if found.ndim == 2 and found.shape[1] == 1 else found
    parts = [_without_dim(f, size) for f in found]
    return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)


def _leading(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    cores = iter(LEADING[op.name])
    items = [next(cores, 0) if isinstance(a, Tensor) else None for a in args]
    rank = max(a.ndim - c for a, c in zip(args, items) if c is not None)
    new: list[Any] = []
    for name, a, core in zip(op.args, args, items):
        if core is None:
            new.append((mode.size, *a) if name in _SIZES and isinstance(a, tuple) else a)
            continue
        p = physical(a, mode.level, mode.size)
        missing = rank - (a.ndim - core)
        new.append(p.reshape((p.shape[0], *(1,) * missing, *p.shape[1:])) if missing else p)
    return wrap(mode, op(*new))


def _merged(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    size = mode.size
    new: list[Any] = []
    for name, a in zip(op.args, args):
        if isinstance(a, Tensor):
            p = physical(a, mode.level, size)
            new.append(p.reshape((size * p.shape[1], *p.shape[2:])))
        elif (op.name, name) in _WITH_SAMPLES:
            new.append((size * a[0], *a[1:]))
        else:
            new.append(a)
    return wrap(mode, unmerged(op(*new), size))


def unmerged(found: Any, size: int) -> Any:
    """Results of a merged batch with the batch as a dimension of its own again."""
    if isinstance(found, Tensor):
        return found.reshape((size, found.shape[0] // size, *found.shape[1:]))
    return tuple(None if f is None else unmerged(f, size) for f in found)


def _composed(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    with mode:
        return COMPOSED.get(op.name, op.decompose)(*args)


def one_by_one(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    """The fallback: run each example by itself and stack the results."""
    return _looped(mode, op.name, op, args, "data-dependent" in op.tags)


def _looped(mode: VmapMode, name: str, call: Callable[..., Any], args: tuple[Any, ...], free_shape: bool) -> Any:
    import torsh

    if not fallback.enabled:
        raise RuntimeError(
            f"Batching rule not implemented for {name}; the fallback path doesn't work on it as it is switched off: no op runs example "
            "by example"
        )
    fallbacks[name] += 1
    if fallback.warns:
        _callers.warn(
            f"There is a performance drop because we have not yet implemented the batching rule for {name}: it runs once for each "
            f"of the {mode.size} examples"
        )

    def example(a: Any, i: int) -> Any:
        if at_level(a, mode.level):
            return a._physical[i]
        if type(a) in (list, tuple) and has_batch(a, mode.level):
            return type(a)(example(x, i) for x in a)
        return a

    results = [call(*[example(a, i) for a in args]) for i in range(mode.size)]
    if not results:
        raise RuntimeError(f"vmap: {name} runs example by example, which gives no result for a batch of size 0")
    if free_shape and len({_shapes(r) for r in results}) > 1:
        raise RuntimeError(
            f"vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over {name}, and the "
            f"examples' results differ in shape: {sorted({_shapes(r) for r in results})}. Loop over the batch, or use an op of fixed "
            "shape (torch.where instead of a mask)"
        )
    return _stacked(mode, results, torsh.stack)


def _stacked(mode: VmapMode, results: Any, stack: Any) -> Any:
    first = results[0]
    if first is None:
        return None
    if isinstance(first, Tensor):
        return batched(stack(list(results)), mode.level)
    parts = [_stacked(mode, r, stack) for r in zip(*results)]
    return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)


def by_example(call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """``call(*args)`` for each example by itself, where what it does depends on the values of these; None if no argument is one."""
    level = max((_deepest(a) for a in args), default=0)
    if not level:
        return None
    mode = next(m for m in modes() if isinstance(m, VmapMode) and m.level == level)
    with without(mode):
        return _looped(mode, call.__name__, call, args, True)


def _deepest(a: Any) -> int:
    if isinstance(a, (list, tuple)):
        return max(map(_deepest, a), default=0)
    return a._level if is_batched(a) else 0


def _shapes(result: Any) -> Any:
    if isinstance(result, Tensor):
        return tuple(result.shape)
    return tuple(_shapes(r) if r is not None else None for r in result)


def apply_random(mode: VmapMode, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
    """Random ops under vmap: refused, the same for every example, or different ones."""
    if mode.randomness == "error":
        raise RuntimeError(RANDOM_IN_ERROR_MODE)
    if mode.randomness == "same":
        return proceed(*args)
    if op.name == "permutation":  # every example its own
        import torsh

        return batched(torsh.stack([proceed(*args) for _ in range(mode.size)]), mode.level)
    return batched(proceed((mode.size, *args[0]), *args[1:]), mode.level)


# ---- views and shapes --------------------------------------------------------------------------------------------------


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


@rule("expand")
def _expand(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, size = args
    return batched(op(aligned(mode, input, len(size)), (mode.size, *size)), mode.level)


@rule("repeat_kernel")
def _repeat(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, sizes = args
    return batched(op(aligned(mode, input, len(sizes)), (1, *sizes)), mode.level)


@rule("as_strided")
def _as_strided(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    # Strides are those of the batch's memory: an example says so too (``Batched.stride``).
    input, size, stride, offset, _ = args
    p = input._physical
    own = p.stride()
    return batched(op(p, (mode.size, *size), (own[0], *stride), offset, own), mode.level)


@rule("strided_sum")
def _strided_sum(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    g, n, size, stride, offset = args
    found = op(g._physical, mode.size * n, (mode.size, *size), (n, *stride), offset)
    return batched(found.reshape((mode.size, n)), mode.level)


@rule("argmax", "argmin")
def _position(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    input, dim, keepdim = args
    p = input._physical
    if dim is None or p.ndim == 1:
        found = op(p.reshape((mode.size, -1)), (1,), False)
        return batched(found.reshape((mode.size, *(1,) * (p.ndim - 1))) if keepdim else found, mode.level)
    return batched(op(p, (dim[0] + 1,), keepdim), mode.level)


@rule("median_op", "nanmedian_op")
def _median(mode: VmapMode, op: Any, args: tuple[Any, ...]) -> Any:
    import torsh

    over = torsh.median if op.name == "median_op" else torsh.nanmedian
    return batched(over(args[0]._physical.reshape((mode.size, -1)), 1).values, mode.level)
