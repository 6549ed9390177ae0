"""Embeddings: rows of a table by index."""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh._callers import warn
from torsh.autograd.grad_mode import no_grad
from torsh.dtypes import int32, int64, scalar_name
from torsh.ops._args import check_tensor, has_values, mapped
from torsh.ops._op import composite, needs_grad, primitive
from torsh.ops.reduction import amax, amin


@primitive(
    "",
    args="weight indices padding_idx by_freq",
    grad={
        "weight": lambda g, weight, indices, padding_idx, by_freq: embedding_backward.op(
            g, indices, weight.shape[0], padding_idx, by_freq
        )
    },
    meta=lambda weight, indices, padding_idx, by_freq: ((*indices.shape, *weight.shape[1:]), weight.dtype),
    decompose=lambda weight, indices, padding_idx, by_freq: weight.index_select(0, indices.reshape(-1)).reshape(
        *indices.shape, *weight.shape[1:]
    ),
    node_name="EmbeddingBackward0",
    tags="linear",
)
def take_rows(weight, indices, padding_idx, by_freq):
    """The rows of a table; the gradient of row ``padding_idx`` is 0; ``by_freq`` divides each by its uses."""
    return (weight, indices, padding_idx, by_freq)


def _add_rows(g, indices, rows, padding_idx, by_freq):
    flat, grads = indices.reshape(-1), g.reshape(indices.numel(), -1)
    if by_freq:
        counts = g.new_zeros((rows,)).index_add(0, flat, g.new_ones((flat.shape[0],)))
        grads = grads / counts.index_select(0, flat).unsqueeze(1)
    if padding_idx >= 0:
        grads = grads.masked_fill((flat == padding_idx).unsqueeze(1), 0)
    return g.new_zeros((rows, grads.shape[1])).index_add(0, flat, grads)


@primitive(
    "",
    args="g indices rows padding_idx by_freq",
    decompose=_add_rows,
    meta=lambda g, indices, rows, *rest: ((rows, g.shape[-1]), g.dtype),
)
def embedding_backward(g, indices, rows, padding_idx, by_freq):
    """Add up the gradients of every row of the table."""
    return (g, indices, rows, padding_idx, by_freq)


def _rows(weight, indices, padding_idx, by_freq, sparse=False):
    check_tensor(indices, "embedding", "indices", 2)
    if indices.dtype is not int64 and indices.dtype is not int32:
        raise RuntimeError(
            f"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{scalar_name(indices.dtype)}Tensor instead (while checking arguments for embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got {weight.ndim} dimensions")
    if sparse and weight._rg and needs_grad(weight):
        if by_freq:
            raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
        from torsh.sparse._math import embedding_rows

        return embedding_rows(weight, indices, int(padding_idx))
    return take_rows.op(weight, indices, int(padding_idx), bool(by_freq))


@composite("torch.embedding")
def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """nn.functional.embedding with the table first.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.embedding(torsh.tensor([[0., 0.], [1., 10.]]), torsh.tensor([1, 0]))
    tensor([[ 1., 10.],
            [ 0.,  0.]])
    """
    return _rows(weight, indices, padding_idx, scale_grad_by_freq, sparse)


@composite("torch.nn.functional.embedding", name="functional_embedding")
def embedding_function(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
):
    """The rows of ``weight`` at the indices ``input``.

    input: any shape, int64 or int32.  weight: (rows, columns).  Result: (*input.shape, columns).
    padding_idx: a row that gets no gradient.  max_norm: rows used are first scaled down, in place, to this norm.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> weight = torsh.tensor([[0., 0.], [1., 10.], [2., 20.]])
    >>> F.embedding(torsh.tensor([[2, 1]]), weight)
    tensor([[[ 2., 20.],
             [ 1., 10.]]])
    """
    check_tensor(weight, "embedding")
    if padding_idx is not None:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx = padding_idx % rows
    else:
        padding_idx = -1
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    return _rows(weight, input, padding_idx, scale_grad_by_freq, sparse)


@composite("torch.embedding_renorm_")
def embedding_renorm_(weight, indices, max_norm, norm_type=2.0):
    """Scale the rows at ``indices`` down, in place, to a p-norm of at most ``max_norm``.

    weight: (V, D), changed in place: the rows that ``indices`` names and whose norm is above ``max_norm`` are scaled to it.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.embedding_renorm_(torsh.tensor([[3., 4.], [6., 8.]]), torsh.tensor([1]), 5., 2.)
    tensor([[3., 4.],
            [3., 4.]])
    """
    # A row that is named twice is written twice, with the same values: no need to find out which ones are in use.
    used = indices.reshape(-1).to(int64)
    rows = weight.detach().index_select(0, used)
    norms = rows.norm(norm_type, 1, keepdim=True)
    scale = (max_norm / (norms + 1e-7)).clamp(max=1.0)
    return weight.index_copy_(0, used, rows * scale)


@primitive("", args="tensor classes", tags="nondifferentiable",
           meta=lambda tensor, classes: ((*tensor.shape, classes), int64),
           decompose=lambda tensor, classes: tensor.new_zeros((*tensor.shape, classes)).scatter_(-1, tensor.unsqueeze(-1), 1))  # fmt: skip
def one_hot_op(tensor, classes):
    """``one_hot`` for a known number of classes, unchecked."""
    return (tensor, classes)


@composite("torch.nn.functional.one_hot torch._C._nn.one_hot", tags="data-dependent")
def one_hot(tensor, num_classes=-1):
    """A last dimension with 1 at the value's place and 0 elsewhere, int64.

    num_classes: its length; -1: one more than the largest value.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.one_hot(torsh.tensor([0, 2]), num_classes=4)
    tensor([[1, 0, 0, 0],
            [0, 0, 1, 0]])
    """
    if tensor.dtype is not int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if not tensor.numel():
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return tensor.new_zeros((*tensor.shape, num_classes))
    if has_values(tensor):
        low, high = amin(tensor).item(), amax(tensor).item()
        if low < 0:
            raise RuntimeError(f"Class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        elif num_classes < 1:
            raise RuntimeError("num_classes should be positive")
        elif high >= num_classes:
            raise RuntimeError(
                f"Class values must be smaller than num_classes, got {high} with num_classes={num_classes}"
            )
    elif num_classes == -1 and mapped(tensor):
        raise RuntimeError(
            "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive num_classes argument: without it the shape of "
            "the result depends on values"
        )
    elif num_classes == -1 and tensor.device.type != "meta":
        raise NotImplementedError(
            "one_hot: without num_classes the shape of the result depends on values, which are not looked at here "
            f"(backend {tensor._kind.backend.name!r}); pass num_classes"
        )
    return one_hot_op.op(tensor, num_classes)


# ---- bags ------------------------------------------------------------------------------------------------------------


def _is_short(weight: Any, mode: str, padding: int) -> bool:
    """Whether PyTorch takes its short path, which alone heeds where ``include_last_offset`` says that the last bag ends."""
    return mode != "max" and padding < 0 and weight.dtype is not dtypes.float64


def _bags(offsets: Any, n: int, include_last_offset: bool, to_the_end: bool) -> tuple[list[int], list[int]]:
    """The start and the length of every bag."""
    starts = offsets.tolist()
    ends = [*starts[1:], n]
    if include_last_offset:
        ends = [*starts[1:-1], n][: len(starts) - 1] if to_the_end else starts[1:]
    starts = starts[: len(ends)]
    return starts, [e - s for s, e in zip(starts, ends)]


def _embedding_bag(weight, indices, offsets, by_freq, mode, weights, include_last_offset, padding_idx, sparse=False):
    """(result, bag of every index, size of every bag)."""
    from torsh.ops.creation import tensor

    n = indices.shape[0]
    starts, sizes = _bags(offsets, n, include_last_offset, not _is_short(weight, mode, padding_idx))
    bags = len(starts)
    bag_of = tensor([b for b, size in enumerate(sizes) for _ in range(size)], dtype=int64, device=weight.device)
    rows = _rows(weight, indices, padding_idx, by_freq, sparse)
    rows = rows[: bag_of.shape[0]]
    valid = (indices != padding_idx)[: bag_of.shape[0]] if padding_idx >= 0 else None
    if mode == "max":
        return _max_bags(rows, valid, starts, sizes, weight), bag_of, sizes
    if weights is not None:
        rows = rows * weights.unsqueeze(1)
    if valid is not None:
        rows = rows.masked_fill(~valid.unsqueeze(1), 0)
    out = weight.detach().new_zeros((bags, weight.shape[1])).index_add(0, bag_of, rows)
    if mode == "mean":
        ones = weight.detach().new_ones((bag_of.shape[0],)) if valid is None else valid.to(weight.dtype)
        counts = weight.detach().new_zeros((bags,)).index_add(0, bag_of, ones).clamp_min(1)
        out = out / counts.unsqueeze(1)
    return out, bag_of, sizes


def _max_bags(rows, valid, starts, sizes, weight):
    from torsh.ops.creation import tensor

    longest = max(sizes, default=0)
    if not longest or not rows.shape[0]:
        nothing = tensor([], dtype=int64, device=weight.device)  # zeros, but with a history
        return weight.detach().new_zeros((len(starts), weight.shape[1])).index_add(0, nothing, rows[:0])
    last = rows.shape[0] - 1
    place = [[min(s + i, last) for i in range(longest)] for s in starts]
    inside = [[i < size for i in range(longest)] for size in sizes]
    index = tensor(place, dtype=int64, device=weight.device).reshape(-1)
    shape = (len(starts), longest)
    ok = tensor(inside, dtype=dtypes.bool, device=weight.device)
    if valid is not None:
        ok = ok & valid.index_select(0, index).reshape(shape)
    table = rows.index_select(0, index).reshape(*shape, -1).masked_fill(~ok.unsqueeze(2), float("-inf"))
    best = table.max(1)[0]
    return best.masked_fill(~ok.any(1).unsqueeze(1), 0)


_MODES = ("sum", "mean", "max")


@composite("torch.nn.functional.embedding_bag", name="functional_embedding_bag", tags="data-dependent")
def embedding_bag_function(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sums, means or maxima of bags of rows.

    input: (B, N), B bags of N indices; or (N,) with ``offsets``, where each bag starts.
    per_sample_weights: a factor per index, for mode "sum".  padding_idx: an index that does not count.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> weight = torsh.tensor([[0., 0.], [1., 10.], [2., 20.]])
    >>> F.embedding_bag(torsh.tensor([1, 2, 0]), weight, torsh.tensor([0, 2]), mode="sum")
    tensor([[ 3., 30.],
            [ 0.,  0.]])
    """
    if weight.dtype is int64 and input.is_floating_point():
        warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is deprecated, and should "
            "now be `embedding_bag(input, weight, ...)`."
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets).__name__}"
            )
        from torsh.ops.creation import arange

        offsets = (
            arange(0, input.numel(), input.shape[1], dtype=input.dtype, device=input.device)
            if input.shape[1] else input.new_zeros((input.shape[0],))
        )  # fmt: skip
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.ndim != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    return _bag(
        weight, input, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx, sparse
    )[0]


def _bag(weight, indices, offsets, by_freq, mode, weights, include_last_offset, padding_idx, sparse=False):
    for name, given, ndim in (("input", indices, (1, 2)), ("offsets", offsets, (1,)), ("weight", weight, (2,))):
        if given.ndim not in ndim:
            raise RuntimeError(
                f"{name} has to be a {' or '.join(f'{n}D' for n in ndim)} Tensor, but got Tensor of dimension {given.ndim}"
            )
    if indices.ndim == 2:
        indices = indices.reshape(-1)
    if indices.dtype is not int64 and indices.dtype is not int32:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{scalar_name(indices.dtype)}Tensor instead (while checking arguments for embedding_bag)"
        )
    if not weight._kind.floating:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            "Float, Double; "
            f"but got torch.{scalar_name(weight.dtype)}Tensor instead (while checking arguments for embedding_bag)"
        )
    if indices.numel() and has_values(indices):
        low, high = (int(m) for m in indices.aminmax())
        rows = weight.shape[0]
        if low < 0 or high >= rows:
            wrong = low if low < 0 else high
            if not _is_short(weight, mode, -1 if padding_idx is None else 0):
                raise RuntimeError(
                    f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {wrong}; num_embeddings is {rows}"
                )
            raise RuntimeError(
                f"Index {int((indices.reshape(-1) == wrong).nonzero()[0, 0])} of input takes value {wrong} which is not in the valid "
                f"range [0, {rows})"
            )
    if offsets.shape[0]:
        if int(offsets[0]) != 0:
            raise RuntimeError(
                f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                f"However, got {int(offsets[0])}"
            )
        if int(offsets[-1]) > indices.shape[0]:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length({indices.shape[0]}), got {int(offsets[-1])}"
            )
    elif include_last_offset:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if weights is not None and weights.dtype is not weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type "
            f"{weight.type()} does not equal {weights.type()} (while checking arguments for embedding_bag)"
        )
    if padding_idx is None:
        padding = -1
    else:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got "
                f"{padding_idx}"
            )
        padding = padding_idx % rows
    return _embedding_bag(weight, indices, offsets, by_freq, mode, weights, include_last_offset, padding, sparse)


@composite("torch.embedding_bag torch._embedding_bag torch._embedding_bag_forward_only", tags="data-dependent")
def embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """nn.functional.embedding_bag with the table first and the mode as a number; gives four tensors.

    (result, bag of every index, size of every bag, zeros)
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> weight = torsh.tensor([[0., 0.], [1., 10.], [2., 20.]])
    >>> out, *_ = torsh.embedding_bag(weight, torsh.tensor([1, 2, 0]), torsh.tensor([0, 2]))
    >>> out
    tensor([[ 3., 30.],
            [ 0.,  0.]])
    """
    from torsh.ops.creation import tensor

    out, bag_of, sizes = _bag(
        weight, indices, offsets, scale_grad_by_freq, _MODES[mode], per_sample_weights, include_last_offset, padding_idx,
        sparse,
    )  # fmt: skip
    counts = tensor(sizes, dtype=int64, device=weight.device)
    if mode == 0:  # PyTorch does not count for sums, and for most types does not list the bags either
        return out, bag_of if weight.dtype is dtypes.float64 else bag_of[:0], counts * 0, counts * 0
    return out, bag_of, counts, counts * 0
