"""MaskedTensor: a tensor of which a mask says which elements count.

Data and mask are tensors of one shape.  What is computed is computed with the data alone, and masked; reductions leave masked
elements out.  In the autograd graph two steps lead in and out: ``data_of`` (its gradient is a masked tensor) and ``masked_as``
(its gradient is the data of the masked gradient); between them are ordinary ops.
Source: https://docs.pytorch.org/docs/stable/masked.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._over_dense import recorded, sharing
from torsh.tensor import Tensor

_DATA = (
    dtypes.float16, dtypes.float32, dtypes.float64, dtypes.bfloat16, dtypes.bool, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64,
    dtypes.uint8,
)  # fmt: skip

# Ops that move elements: they go over data and mask.
MOVES = frozenset(
    "view view_any view_as reshape reshape_as transpose t T mT permute select slice narrow unsqueeze squeeze expand expand_as split "
    "split_with_sizes unbind chunk tensor_split flatten unflatten ravel contiguous clone detach unfold __getitem__ getitem index flip roll "
    "movedim moveaxis swapaxes swapdims repeat tile index_select gather diagonal broadcast_to as_strided".split()
)
# Reductions that torsh.masked has with a mask.
REDUCTIONS = frozenset("sum mean prod amax amin argmax argmin var std norm softmax log_softmax".split())
# Ops whose bodies use nothing but ops of a masked tensor; any other composite might look at masked elements.
COMPOSITES = frozenset(
    "functional_relu dropout alpha_dropout zero_ fill_ hardtanh relu6 square rsub __rsub__ __rpow__ __rdiv__ nan_to_num".split()
)
LIKE = frozenset("ones_like zeros_like empty_like full_like rand_like randn_like".split())
CASTS = frozenset("to float double half bfloat16 int long short char byte bool type type_as cpu cuda".split())


class MaskedTensor(Tensor):
    """Data and a boolean mask of the same shape; False masks an element.

    Raises TypeError for what is no tensor, for a mask that is not boolean and for data of other types than real numbers and
    booleans; ValueError for different shapes.
    Source: https://docs.pytorch.org/docs/stable/masked.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that masked tensors are a prototype
    >>> x = torsh.masked.masked_tensor(torsh.tensor([1., 2.]), torsh.tensor([True, False]))
    >>> x.get_data(), x.get_mask()
    (tensor([1., 2.]), tensor([ True, False]))
    """

    _plain = True
    __module__ = "torsh.masked"
    _mask: Tensor

    def __new__(cls, data: Any, mask: Any, requires_grad: bool = False) -> Any:
        _check(data, mask)
        t = _raw(data.detach().clone(), mask.detach().clone())
        if requires_grad:
            t.requires_grad = True
        return t

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})

    def get_data(self) -> Tensor:
        """The data with what is masked; gradients flow to the elements that are not."""
        return data_of(self)

    def get_mask(self) -> Tensor:
        """The mask."""
        return self._mask

    def to_tensor(self, value: Any) -> Tensor:
        """The data, with ``value`` where it is masked."""
        return data_of(self).masked_fill(~self._mask, value)  # type: ignore[no-any-return]

    def is_sparse_coo(self) -> bool:
        """Whether data and mask are COO: never, they are dense here."""
        return False

    @property
    def data(self) -> Tensor:
        """The same data and mask outside the graph."""
        return self._alias()

    @data.setter
    def data(self, value: Any) -> None:
        self._data, self._kind, self._mask = value._data, value._kind, value._mask

    def _alias(self) -> Tensor:
        t = _raw(_plain(self), self._mask)
        return t

    def _assign(self, result: Any, name: str) -> Tensor:
        """Write in place: take over data, mask and history of a result."""
        if not isinstance(result, MaskedTensor):
            raise TypeError(f"a MaskedTensor cannot be written to by {name} with a result that has no mask")
        self._data, self._kind, self._mask = result._data, result._kind, result._mask
        self._bump(name)
        if result._rg:
            self._gf, self._nr, self._rg = result._gf, result._nr, True
        return self

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        data, mask = _plain(self), self._mask
        if not self.ndim:
            return f"MaskedTensor({_shown(data.item()) if mask.item() else '--'}, {mask.item()})"
        return f"MaskedTensor(\n{_indented(_text(data.tolist(), mask.tolist()))}\n)"

    def tolist(self) -> Any:
        """Refused, as in PyTorch: say what masked elements are with ``to_tensor``."""
        raise RuntimeError(
            ".tolist() is not supported for tensor subclasses, got MaskedTensor; call .to_tensor(value) first"
        )

    def numpy(self, *, force: bool = False) -> Any:
        """Refused, as in PyTorch: say what masked elements are with ``to_tensor``."""
        raise RuntimeError(".numpy() is not supported for tensor subclasses. Call .to_tensor(value) first")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild, (_plain(self).clone(), self._mask.clone(), self._rg)

    def __deepcopy__(self, memo: Any) -> Any:
        if id(self) not in memo:
            memo[id(self)] = _rebuild(_plain(self).clone(), self._mask.clone(), self._rg)
        return memo[id(self)]


def _rebuild(data: Tensor, mask: Tensor, requires_grad: bool) -> MaskedTensor:
    return MaskedTensor(data, mask, requires_grad)  # type: ignore[no-any-return]


def _check(data: Any, mask: Any) -> None:
    if not isinstance(data, Tensor) or isinstance(data, MaskedTensor):
        raise TypeError(f"data must be a Tensor, got {type(data).__name__}")
    if not isinstance(mask, Tensor) or isinstance(mask, MaskedTensor):
        raise TypeError(f"mask must be a Tensor, got {type(mask).__name__}")
    if data.layout is not mask.layout:
        raise TypeError(f"data and mask must have the same layout, got {data.layout} and {mask.layout}")
    if str(data.layout).rpartition(".")[2] != "strided":
        raise TypeError(
            f"torsh's MaskedTensor has dense data; call .to_dense() on data and mask of layout {data.layout}"
        )
    if mask.dtype is not dtypes.bool:
        raise TypeError(f"mask must have dtype bool. Got {mask.dtype}; convert with .bool()")
    if data.dtype not in _DATA:
        raise TypeError(f"{data.dtype} is not supported in MaskedTensor.")
    if tuple(data.shape) != tuple(mask.shape):
        raise ValueError(f"data.size() must equal mask.size(): {tuple(data.shape)} and {tuple(mask.shape)}")


def _shown(value: Any) -> str:
    return f"{value:8.4f}" if isinstance(value, float) else str(value)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))


def _text(data: Any, mask: Any) -> str:
    if not data or not isinstance(data[0], list):
        items = [_shown(x) for x in data]
        width = max([len(s) if m else 8 for s, m in zip(items, mask)], default=8)
        return f"[{', '.join(s if m else '--'.rjust(width) for s, m in zip(items, mask))}]"
    return "[\n" + ",\n".join(_indented(_text(d, m)) for d, m in zip(data, mask)) + "\n]"


# ---- in and out --------------------------------------------------------------------------------------------------------


def _raw(data: Tensor, mask: Tensor) -> MaskedTensor:
    """A masked tensor without history over the memory of its data."""
    t: MaskedTensor = sharing(MaskedTensor, data)
    t._mask = mask
    return t


def _plain(t: MaskedTensor) -> Tensor:
    """The data without history."""
    return Tensor._alias(t)


def data_of(t: Any) -> Tensor:
    """The data of a masked tensor; its gradient is masked as the tensor is."""
    mask = t._mask

    def rule(g: Any) -> Any:
        return g if isinstance(g, MaskedTensor) else masked_as(g, mask)

    return recorded(_plain(t), t, "GetDataBackward", rule)  # type: ignore[no-any-return]


def masked_as(data: Tensor, mask: Tensor) -> MaskedTensor:
    """Data with a mask; the gradient of the data is that of the tensor where it is not masked, zero elsewhere."""
    out = _raw(data.detach(), mask)

    def rule(g: Any) -> Any:
        return g.to_tensor(0) if isinstance(g, MaskedTensor) else g.masked_fill(~mask, 0)

    return recorded(out, data, "MaskedFromDataBackward", rule)  # type: ignore[no-any-return]


def masked_tensor(data: Any, mask: Any, requires_grad: bool = False) -> MaskedTensor:
    """A new masked tensor, a leaf of the graph, of copies of data and mask.

    Source: https://docs.pytorch.org/docs/stable/masked.html

    >>> import torsh
    >>> x = torsh.masked.masked_tensor(torsh.tensor([1.0, 2.0, 3.0]), torsh.tensor([True, False, True]))
    >>> x.sum()
    MaskedTensor(  4.0000, True)
    """
    return MaskedTensor(data, mask, requires_grad)  # type: ignore[no-any-return]


def as_masked_tensor(data: Any, mask: Any) -> MaskedTensor:
    """Data with a mask, part of the graph that the data is in.

    Source: https://docs.pytorch.org/docs/stable/masked.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that masked tensors are a prototype
    >>> torsh.masked.as_masked_tensor(torsh.tensor([1., 2.]), torsh.tensor([True, False])).sum()
    MaskedTensor(  1.0000, True)
    """
    _check(data, mask)
    return masked_as(data, mask)


def is_masked_tensor(obj: Any, /) -> bool:
    """Whether an object is a masked tensor.  Source: https://docs.pytorch.org/docs/stable/masked.html

    >>> import torsh
    >>> torsh.masked.is_masked_tensor(torsh.ones(1))
    False
    """
    return isinstance(obj, MaskedTensor)


# ---- ops ---------------------------------------------------------------------------------------------------------------


def _names(func: Any) -> list[str]:
    op = getattr(func, "op", None)
    return [getattr(func, "__name__", "")] if op is None else [op.name, *(p.rpartition(".")[2] for p in op.paths)]


def _same_masks(tensors: list[Any]) -> Tensor:
    """The mask of masked operands; ValueError where they differ."""
    masks = [t._mask for t in tensors if isinstance(t, MaskedTensor)]
    for m in masks[1:]:
        if m is not masks[0] and (tuple(m.shape) != tuple(masks[0].shape) or not m.equal(masks[0])):
            raise ValueError("Input masks must match. Combine them first: masked_tensor(x.get_data(), mask) for both")
    return masks[0]


def _call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an op that got a masked tensor."""
    names = _names(func)
    known = set(names)
    kwargs = {k: v for k, v in kwargs.items() if k != "out" or v is not None}
    for n in names:
        if n in RULES:
            return RULES[n](*args, **kwargs)
    op = getattr(func, "op", None)
    first = args[0] if args else None
    if known & MOVES and isinstance(first, MaskedTensor):
        rest = [a._mask & a.get_data() if isinstance(a, MaskedTensor) else a for a in args[1:]]
        data, mask = (
            func(data_of(first), *rest, **kwargs),
            func(first._mask, *rest, **{k: v for k, v in kwargs.items() if k != "memory_format"}),
        )
        if isinstance(data, Tensor):
            return masked_as(data, mask)
        return type(data)(masked_as(d, m) for d, m in zip(data, mask))
    if known & CASTS and isinstance(first, MaskedTensor):
        return masked_as(func(data_of(first), *args[1:], **kwargs), first._mask)
    if known & LIKE and isinstance(first, MaskedTensor):
        return masked_as(func(_plain(first), *args[1:], **kwargs), first._mask)
    if op is not None and "pointwise" in op.tags:
        mask = _same_masks([*args, *kwargs.values()])
        found = func(*[data_of(a) if isinstance(a, MaskedTensor) else a for a in args],
                     **{k: data_of(a) if isinstance(a, MaskedTensor) else a for k, a in kwargs.items()})  # fmt: skip
        return masked_as(found, mask if tuple(found.shape) == tuple(mask.shape) else mask.expand(tuple(found.shape)))
    for n in names:
        if n in REDUCTIONS and isinstance(first, MaskedTensor):
            return _reduce(n, first, *args[1:], **kwargs)
    if known & COMPOSITES:
        body = func
        while hasattr(body, "__wrapped__"):
            body = body.__wrapped__
        return body(*args, **kwargs)
    raise TypeError(f"no implementation found for 'torch.{names[0]}' on types that implement __torch_function__: ['MaskedTensor']; "
                    "compute with .get_data() or .to_tensor(value)")  # fmt: skip


def _reduce(name: str, x: MaskedTensor, *args: Any, **kwargs: Any) -> MaskedTensor:
    """A reduction over what is not masked; a result is masked where nothing was left."""
    import torsh

    function = getattr(torsh.masked, name)
    data, mask = data_of(x), x._mask
    if name in ("softmax", "log_softmax"):
        return masked_as(function(data, *args, mask=mask, **kwargs), mask)
    dim = kwargs.pop("dim", args[0] if args and not isinstance(args[0], dtypes.dtype) else None)
    rest = args[1:] if args and not isinstance(args[0], dtypes.dtype) else args
    keepdim = kwargs.get("keepdim", rest[0] if rest and isinstance(rest[0], bool) else False)
    kwargs["keepdim"] = keepdim
    kwargs = {k: v for k, v in kwargs.items() if k != "dtype" or v is not None}
    if name in ("var", "std"):
        unbiased = kwargs.pop("unbiased", None)
        correction = kwargs.pop("correction", None)
        kwargs["unbiased"] = (correction != 0) if unbiased is None else unbiased
        if correction not in (None, 0, 1):
            raise ValueError(f"a MaskedTensor's {name} takes a correction of 0 or 1, got {correction}")
    if name == "norm":
        found = function(data, kwargs.pop("p", 2), dim, mask=mask, **kwargs)
    else:
        found = function(data, dim, mask=mask, **kwargs)
    left = _any(mask, dim, keepdim)
    if found.dtype is dtypes.int64 and name.startswith("arg"):
        found = found.to(x.dtype)  # as PyTorch has it
    return masked_as(found, left)


def _any(mask: Tensor, dim: Any, keepdim: bool) -> Tensor:
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return mask.any() if not keepdim else mask.any().reshape([1] * mask.ndim)
    dims = [dim] if isinstance(dim, int) else list(dim)
    for d in sorted([d % max(mask.ndim, 1) for d in dims], reverse=True):
        mask = mask.any(d, keepdim=keepdim) if mask.ndim else mask
    return mask


RULES: dict[str, Callable[..., Any]] = {}


def _rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update(dict.fromkeys(names, fn))
        return fn

    return declare


@_rule("max", "min")
def _no_extreme(*args: Any, **kwargs: Any) -> Any:
    raise TypeError("no implementation found for 'torch.max' and 'torch.min' of a MaskedTensor; use .amax() or .amin()")


@_rule("where")
def _where(condition: Any, input: Any, other: Any) -> MaskedTensor:
    import torsh

    condition = condition.get_data() if isinstance(condition, MaskedTensor) else condition
    parts = [(data_of(t), t._mask) if isinstance(t, MaskedTensor) else (t, None) for t in (input, other)]
    data = torsh.where(condition, parts[0][0], parts[1][0])
    true = torsh.ones(tuple(condition.shape), dtype=torsh.bool, device=condition.device)
    mask = torsh.where(condition, *[true if m is None else m for _, m in parts])
    return masked_as(data, mask)


@_rule("cat", "concat", "concatenate")
def _cat(tensors: Any, dim: int = 0) -> MaskedTensor:
    import torsh

    tensors = list(tensors)
    masks = [t._mask if isinstance(t, MaskedTensor) else torsh.ones_like(t, dtype=torsh.bool) for t in tensors]
    return masked_as(
        torsh.cat([data_of(t) if isinstance(t, MaskedTensor) else t for t in tensors], dim), torsh.cat(masks, dim)
    )


@_rule("stack")
def _stack(tensors: Any, dim: int = 0) -> MaskedTensor:
    import torsh

    tensors = list(tensors)
    masks = [t._mask if isinstance(t, MaskedTensor) else torsh.ones_like(t, dtype=torsh.bool) for t in tensors]
    return masked_as(
        torsh.stack([data_of(t) if isinstance(t, MaskedTensor) else t for t in tensors], dim), torsh.stack(masks, dim)
    )


@_rule("all")
def _all(input: Any, dim: Any = None, keepdim: bool = False, **options: Any) -> MaskedTensor:
    filled = data_of(input).bool() | ~input._mask
    found = filled.all() if dim is None else filled.all(dim, keepdim=keepdim)
    return masked_as(found, _any(input._mask, dim, keepdim))


@_rule("to_dense")
def _to_dense(input: Any, *args: Any, **kwargs: Any) -> Any:
    return input


@_rule("item")
def _item(input: Any) -> Any:
    return _plain(input).item()


@_rule("__bool__")
def _bool(input: Any) -> bool:
    return bool(_plain(input))


@_rule("copy_")
def _copy(self: Any, src: Any, non_blocking: bool = False) -> Any:
    return self._assign(masked_as(data_of(src).to(self.dtype).clone() if isinstance(src, MaskedTensor) else src.to(self.dtype).clone(),
                                  src._mask if isinstance(src, MaskedTensor) else self._mask), "copy_")  # fmt: skip


@_rule("matmul", "mm", "bmm", "mv", "dot")
def _matmul(*args: Any, **kwargs: Any) -> Any:
    raise TypeError(
        "unsupported operand type(s) for @: 'MaskedTensor'; say what masked elements are with .to_tensor(value) first"
    )


@_rule("equal", "allclose")
def _whole(*args: Any, **kwargs: Any) -> Any:
    raise TypeError("a MaskedTensor cannot be compared as a whole; compare .get_mask() and .to_tensor(value)")


__all__ = ["MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor"]
