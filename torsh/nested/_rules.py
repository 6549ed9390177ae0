"""What ops do with nested tensors: elementwise ones go over the values, others over the components one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh._over_dense import Rules
from torsh.memory_format import contiguous_format, preserve_format
from torsh.memory_format import jagged as JAGGED
from torsh.memory_format import strided as STRIDED
from torsh.nested._tensor import (
    NestedTensor,
    Structure,
    packed,
    parts_of,
    plain_values,
    raw,
    values_of,
    with_values,
    wrap,
)
from torsh.tensor import Tensor

RULES = Rules()
rule = RULES.declare

# Ops of one tensor that work on the values as they are.
ON_VALUES = frozenset(
    "clone contiguous detach to float double half bfloat16 int long short bool cpu cuda type_as dropout alpha_dropout feature_alpha_dropout "
    "zeros_like ones_like empty_like full_like rand_like randn_like masked_fill zero_ fill_ cfloat cdouble char byte positive".split()
)
# Reductions: of one dimension of the components, or of everything.
REDUCTIONS = frozenset(
    "sum mean amax amin prod argmax argmin any all var std logsumexp softmax log_softmax cumsum".split()
)
KEEP = frozenset("softmax log_softmax cumsum".split())  # these keep the dimension
# Ops over the last dimensions of every row, whatever the others are.
ROWS = frozenset("linear layer_norm rms_norm embedding normalize".split())


def names_of(func: Any) -> list[str]:
    """The names an op goes by."""
    op = getattr(func, "op", None)
    return [getattr(func, "__name__", "")] if op is None else [op.name, *(p.rpartition(".")[2] for p in op.paths)]


def unsupported(name: str) -> NotImplementedError:
    """The error for an op that has no nested form."""
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the 'NestedTensorCPU' backend. It has no nested form; run it on the "
        "components, .unbind(), or on .to_padded_tensor(value)"
    )


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an op that got a nested tensor."""
    names = names_of(func)
    known = set(names)
    kwargs = {k: v for k, v in kwargs.items() if k != "out" or v is not None}
    for n in names:
        if n in RULES:
            return RULES[n](*args, **kwargs)
    first = args[0] if args else None
    op = getattr(func, "op", None)
    if names[0] in ("functional_relu", "functional_softmax", "functional_log_softmax"):  # these call the op itself
        body = func
        while hasattr(body, "__wrapped__"):
            body = body.__wrapped__
        return body(*args, **kwargs)
    if isinstance(first, NestedTensor):
        if known & ON_VALUES:
            form = kwargs.get("memory_format")
            if form not in (None, contiguous_format, preserve_format) and first.layout is STRIDED:
                raise RuntimeError(
                    f"Nested tensor {names[-1]} supports Preserve and Contiguous memory formats, called {names[-1]} with memory "
                    f"format: {form}"
                )
            rest = [values_of(a) if isinstance(a, NestedTensor) else a for a in args[1:]]
            return with_values(func(values_of(first), *rest, **kwargs), first._structure)
        for n in names:
            if n in REDUCTIONS:
                return reduce(func, n, first, *args[1:], **kwargs)
        if known & ROWS:
            return rows(func, first, *args[1:], **kwargs)
    if op is not None and "pointwise" in op.tags:
        return pointwise(func, names[0], args, kwargs)
    if known & {"where"}:
        return pointwise(func, "where", args, kwargs)
    raise unsupported(names[0])


# ---- elementwise -------------------------------------------------------------------------------------------------------


def pointwise(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An elementwise op: nested operands must have the same components; dense ones are broadcast to each component."""
    nested = [a for a in (*args, *kwargs.values()) if isinstance(a, NestedTensor)]
    s = nested[0]._structure
    for other in nested[1:]:
        if not s.same(other._structure):
            if s.layout is STRIDED:
                raise RuntimeError(
                    f"{name} does not support broadcasting when given a NestedTensor: components differ in shape"
                )
            raise RuntimeError(
                f"cannot call binary pointwise function {name} with inputs of shapes {tuple(nested[0].shape)} and {tuple(other.shape)}"
            )
    dense = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor) and not isinstance(a, NestedTensor)
             and (a.ndim if s.layout is STRIDED else a.numel() > 1)]  # fmt: skip
    if not dense:

        def given(a: Any) -> Any:
            if isinstance(a, NestedTensor):
                return values_of(a)
            return a.reshape(()) if isinstance(a, Tensor) and a.ndim else a

        return with_values(func(*map(given, args), **{k: given(v) for k, v in kwargs.items()}), s)
    if s.layout is STRIDED:
        raise RuntimeError("Expected both self and other to be nested, but got a nested self and non-nested other")
    columns = [a if not isinstance(a, Tensor) else _each(a, s) for a in args]
    named = {k: v if not isinstance(v, Tensor) else _each(v, s) for k, v in kwargs.items()}
    parts = [
        func(
            *[c[i] if isinstance(c, list) else c for c in columns],
            **{k: v[i] if isinstance(v, list) else v for k, v in named.items()},
        )
        for i in range(len(s.shapes))
    ]
    return packed(parts, s.like([p.shape for p in parts]))


def _each(t: Tensor, s: Structure) -> list[Any]:
    """What each component meets of an operand."""
    if isinstance(t, NestedTensor):
        return parts_of(t)
    n = len(s.shapes)
    if t.ndim < s.ndim:
        return [t] * n
    if t.shape[0] not in (1, n):
        raise RuntimeError(f"a dense operand of shape {tuple(t.shape)} does not fit a nested tensor of {n} components")
    return [t[i if t.shape[0] == n else 0] for i in range(n)]


@rule("copy_")
def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the values of a nested tensor with the same components."""
    if not isinstance(src, NestedTensor) or src._structure.shapes != self._structure.shapes:
        raise RuntimeError("copy_ only supports tensors that are the same size for Nested implementations")
    return self._assign(with_values(values_of(src).to(self.dtype), self._structure), "copy_")


# ---- over components ---------------------------------------------------------------------------------------------------


def reduce(func: Any, name: str, x: Any, dim: Any = None, *args: Any, **kwargs: Any) -> Any:
    """A reduction of a dimension of each component, or of all elements."""
    import torsh

    s = x._structure
    if "dim" in kwargs:
        dim = kwargs.pop("dim")
    if not isinstance(dim, (int, tuple, list)) or dim == ():
        if dim is not None:
            args = (dim, *args)
        return func(torsh.cat([p.reshape(-1) for p in parts_of(x)]), *args, **kwargs)
    dims = sorted(wrap(d, s) for d in ([dim] if isinstance(dim, int) else dim))
    if 0 in dims:
        if name in KEEP and s.layout is STRIDED:
            raise RuntimeError(f"Cannot apply {name} across nested dimension 0")
        raise RuntimeError(f"{name}(): not supported for NestedTensor on dim=0; components differ in shape")
    inner: Any = [d - 1 for d in dims]
    parts = [func(p, inner[0] if isinstance(dim, int) else inner, *args, **kwargs) for p in parts_of(x)]
    if name in KEEP or s.layout is STRIDED or s.ragged not in dims:
        gone = 0 if name in KEEP or all(p.ndim == s.ndim - 1 for p in parts) else sum(d < (s.ragged or 0) for d in dims)
        return packed(parts, s.like([p.shape for p in parts], None if s.ragged is None else s.ragged - gone))
    return torsh.stack(parts)


def rows(func: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """An op over the last dimension of every component."""
    parts = [func(p, *args, **kwargs) for p in parts_of(x)]
    return packed(parts, x._structure.like([p.shape for p in parts]))


def each(x: Any, run: Callable[[Tensor], Tensor], ragged: int | None = None) -> Any:
    """A view of every component; ragged: where the ragged dimension is then."""
    parts = [run(p) for p in parts_of(x)]
    return packed(parts, x._structure.like([p.shape for p in parts], ragged))


@rule("transpose", "swapaxes", "swapdims")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions of the components exchanged."""
    s = input._structure
    a, b = wrap(dim0, s), wrap(dim1, s)
    if 0 in (a, b):
        raise RuntimeError("Nested tensor dimension 0 cannot be transposed: it is the list of components")
    ragged = {a: b, b: a}.get(s.ragged, s.ragged)
    return each(input, lambda p: p.transpose(a - 1, b - 1), ragged)


@rule("permute")
def permute(input: Any, *dims: Any) -> Any:
    """The dimensions of the components in another order; the first stays."""
    s = input._structure
    order = [wrap(d, s) for d in (dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims)]
    if order[0] != 0:
        raise RuntimeError("permute: the batch dimension of a nested tensor must stay the first")
    ragged = None if s.ragged is None else order.index(s.ragged)
    return each(input, lambda p: p.permute([d - 1 for d in order[1:]]), ragged)


@rule("unsqueeze")
def unsqueeze(input: Any, dim: int) -> Any:
    """A new dimension of length 1 in every component."""
    s = input._structure
    d = dim % (s.ndim + 1)
    if d == 0 and s.layout is STRIDED:
        raise RuntimeError(
            "unsqueeze(): For nested tensors, unsqueezing dimension 0 is not supported: it is the list of components"
        )
    if d == 0:
        raise RuntimeError("unsqueeze(): not supported for NestedTensor on dim=0")
    return each(input, lambda p: p.unsqueeze(d - 1), None if s.ragged is None else s.ragged + (d <= s.ragged))


@rule("squeeze")
def squeeze(input: Any, dim: int | None = None) -> Any:
    """A dimension of length 1 taken out of every component."""
    s = input._structure
    if dim is None:
        raise RuntimeError(
            "squeeze(): For nested tensors, squeeze without the dim argument is not supported; name the dimension"
        )
    d = wrap(dim, s)
    if d == 0 and s.layout is STRIDED:
        raise RuntimeError(
            "squeeze(): For nested tensors, squeezing dimension 0 is not supported: it is the list of components"
        )
    if d == 0 or d == s.ragged:
        raise RuntimeError(f"squeeze(): not supported for NestedTensor on dim={dim}")
    if any(shape[d - 1] != 1 for shape in s.shapes):
        return input
    return each(input, lambda p: p.squeeze(d - 1), None if s.ragged is None else s.ragged - (d < s.ragged))


@rule("select")
def select(input: Any, dim: int, index: int) -> Any:
    """A component, or one position of a dimension in every component."""
    s = input._structure
    d = wrap(dim, s)
    if d == 0:
        return component(input, index)
    if d == s.ragged:
        raise RuntimeError("select(): not supported for NestedTensor on ragged dim")
    return each(input, lambda p: p.select(d - 1, index), None if s.ragged is None else s.ragged - (d < s.ragged))


@rule("narrow")
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """Some of the components, or a part of a regular dimension of each."""
    s = input._structure
    d = wrap(dim, s)
    if d == 0:
        parts = parts_of(input)[start : start + length]
        return packed(parts, Structure([p.shape for p in parts], s.layout, s.ragged))
    if d == s.ragged:
        raise RuntimeError("narrow(): not supported for NestedTensor on ragged dim")
    return each(input, lambda p: p.narrow(d - 1, start, length))


def component(x: Any, index: int) -> Tensor:
    """One component."""
    n = len(x)
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of bounds for dimension 0 with size {n}")
    return parts_of(x)[index]


@rule("__getitem__", "getitem", "index")
def getitem(self: Any, index: Any) -> Any:
    """A component, or something of one."""
    if isinstance(index, int):
        return component(self, index)
    if isinstance(index, tuple) and index and isinstance(index[0], int):
        return component(self, index[0])[index[1:]]
    if isinstance(index, slice):
        parts = parts_of(self)[index]
        s = self._structure
        return packed(parts, Structure([p.shape for p in parts], s.layout, s.ragged))
    if (
        isinstance(index, tuple)
        and index
        and index[0] == slice(None)
        and len(index) <= self.ndim
        and all(isinstance(i, slice) for i in index)
    ):
        return each(self, lambda p: p[index[1:]])
    raise RuntimeError(f"a nested tensor cannot be indexed with {index!r}: the first index says which component")


@rule("unbind")
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """The components."""
    if wrap(dim, input._structure) != 0:
        raise RuntimeError(
            f"unbind(): NestedTensor can only be unbound along dimension 0, got dimension {dim} instead."
        )
    return tuple(parts_of(input))


@rule("chunk")
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Every component in pieces along a regular dimension."""
    s = input._structure
    d = wrap(dim, s)
    if d == 0 or d == s.ragged:
        raise RuntimeError(f"chunk(): not supported for NestedTensor on dim={dim}")
    pieces = list(zip(*[p.chunk(chunks, d - 1) for p in parts_of(input)]))
    return tuple(packed(list(ps), s.like([p.shape for p in ps])) for ps in pieces)


@rule("split", "split_with_sizes")
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Every component in pieces along a regular dimension."""
    s = tensor._structure
    d = wrap(dim, s)
    if d == 0 or d == s.ragged:
        raise RuntimeError(f"split(): not supported for NestedTensor on dim={dim}")
    pieces = list(zip(*[p.split(split_size_or_sections, d - 1) for p in parts_of(tensor)]))
    return tuple(packed(list(ps), s.like([p.shape for p in ps])) for ps in pieces)


@rule("view", "view_any")
def view(input: Any, *shape: Any) -> Any:
    """``reshape``."""
    return reshape(input, *shape, name="view")


@rule("reshape")
def reshape(input: Any, *shape: Any, name: str = "reshape") -> Any:
    """Components in another shape: the first size is the batch's, -1 (or the ragged size) where they differ."""
    s = input._structure
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if not sizes:
        raise RuntimeError("shape '[]' is invalid for a nested tensor")
    if not s.shapes:
        raise RuntimeError("empty nested tensor cannot be reshaped")
    if sizes[0] != len(s.shapes) and (s.layout is STRIDED or sizes[0] != -1):
        raise RuntimeError(
            f"{name}: For now nested {name} cannot change or infer the implicit batch dimension: got {sizes[0]} for "
            f"{len(s.shapes)} components"
        )
    inner = [n if isinstance(n, int) else -1 for n in sizes[1:]]
    irregular = {d for d in range(s.ndim - 1) if len({p[d] for p in s.shapes}) > 1}
    ragged = None if s.ragged is None else 1 + inner.index(-1)
    if inner.count(-1) > 1:  # each means "as it is"
        return each(input, lambda p: p.reshape([p.shape[i] if n == -1 else n for i, n in enumerate(inner)]), ragged)
    if irregular and -1 not in inner:
        raise RuntimeError("reshape: components differ in a dimension, for which -1 must stand")
    return each(input, lambda p: p.reshape(inner), ragged)


@rule("flatten")
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Regular dimensions of the components as one."""
    s = input._structure
    a, b = wrap(start_dim, s), wrap(end_dim, s)
    if a == 0:
        raise RuntimeError("flatten(): not supported for NestedTensor on dim=0")
    if s.ragged is not None and a <= s.ragged <= b:
        raise RuntimeError("flatten(): not supported for NestedTensor on ragged dim")
    return each(input, lambda p: p.flatten(a - 1, b - 1))


@rule("cat", "concat", "concatenate")
def cat(tensors: Any, dim: int = 0) -> Any:
    """All components in one batch (dim 0, layout ``strided``), or component by component along a dimension."""
    tensors = list(tensors)
    if not all(isinstance(t, NestedTensor) for t in tensors):
        raise RuntimeError("cat(): expected each tensor in given list to be nested.")
    s = tensors[0]._structure
    d = wrap(dim, s)
    if d == 0:
        if s.layout is JAGGED:
            raise RuntimeError("cat(): not supported for NestedTensor on dim=0")
        parts = [p for t in tensors for p in parts_of(t)]
        return packed(parts, Structure([p.shape for p in parts], s.layout))
    import torsh

    parts = [torsh.cat(list(ps), d - 1) for ps in zip(*map(parts_of, tensors))]
    return packed(parts, s.like([p.shape for p in parts]))


@rule("bmm")
def bmm(input: Any, mat2: Any) -> Any:
    """Component by component, matrices only."""
    for i, t in ((1, input), (2, mat2)):
        if t.ndim != 3:
            raise RuntimeError(f"batch{i} must be a 3D tensor")
    for i, (a, b) in enumerate(zip(input.unbind(), mat2.unbind())):
        if a.shape[1] != b.shape[0]:
            raise RuntimeError(
                f"{i}-th nested matrices in batch cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
            )
    return matmul(input, mat2)


@rule("matmul", "mm")
def matmul(input: Any, other: Any) -> Any:
    """Component by component: two nested tensors, or a nested one with a dense matrix on its right."""
    if isinstance(input, NestedTensor) and isinstance(other, NestedTensor):
        if len(input) != len(other):
            raise RuntimeError(
                f"Expected size for the 1st dimension of batch2 tensor to be: {len(input)} but got: {len(other)}."
            )
        parts = [a @ b for a, b in zip(parts_of(input), parts_of(other))]
        s = input._structure
        if s.layout is JAGGED and s.ragged != s.ndim - 2 and s.ragged != s.ndim - 1:
            return packed(parts, s.like([p.shape for p in parts]))
        if s.layout is JAGGED:
            regular = len({tuple(p.shape) for p in parts}) == 1 and s.ragged == s.ndim - 1
            if regular:
                import torsh

                return torsh.stack(parts)
            raise RuntimeError(
                f"matmul(): not supported between inputs of shapes {tuple(input.shape)} and {tuple(other.shape)}"
            )
        return packed(parts, Structure([p.shape for p in parts], STRIDED))
    if not isinstance(input, NestedTensor):
        raise RuntimeError("Expected both to be nested, but got a non-nested self and nested other")
    if input._structure.layout is STRIDED and other.ndim < 3:
        raise RuntimeError("Expected both to be nested, but got a nested self and non-nested other")
    each_of = [other] * len(input) if other.ndim < 3 else list(other.unbind())
    parts = [a @ b for a, b in zip(parts_of(input), each_of)]
    return packed(parts, input._structure.like([p.shape for p in parts]))


@rule("scaled_dot_product_attention")
def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> Any:
    """Attention within each component."""
    import torsh

    if attn_mask is not None:
        raise RuntimeError("Masks are not yet supported for nested tensors: components need no padding mask")
    f = torsh.nn.functional.scaled_dot_product_attention
    parts = [f(q, k, v, None, dropout_p, is_causal, **options) for q, k, v in zip(*map(parts_of, (query, key, value)))]
    return packed(parts, query._structure.like([p.shape for p in parts]))


@rule("item")
def item(input: Any) -> Any:
    """The only element as a Python number."""
    return plain_values(input).item()


@rule("stack")
def stack(tensors: Any, dim: int = 0) -> Any:
    """Refused, as in PyTorch."""
    raise RuntimeError(f"stack(): not supported for NestedTensor on dim={dim}")


__all__ = ["call", "raw"]
