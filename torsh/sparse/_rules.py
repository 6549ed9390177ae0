"""What ops do with sparse tensors.  ``RULES`` maps an op's name to a function of the op's own arguments.

Composite ops without a rule run their own body; any other op without one is refused, as PyTorch refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh._over_dense import Rules, attach, node_type, recorded
from torsh.autograd.engine import FREED, Node, edge_of
from torsh.autograd.grad_mode import no_grad, thread
from torsh.ops._saved import freed
from torsh.sparse import _math
from torsh.sparse._tensor import (
    COO,
    STRIDED,
    Pattern,
    SparseTensor,
    coalesced,
    dense,
    raw,
    unsupported,
    values_of,
    with_values,
)
from torsh.tensor import Tensor

RULES = Rules()
rule = RULES.declare


def call(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an op that got a sparse tensor."""
    op = getattr(func, "op", None)
    composite = op is not None and "composite" in op.tags
    names = [func.__name__] if op is None else [op.name, *(p.partition(".")[2] for p in op.paths)]
    found = next((RULES[n] for n in names if n in RULES), None)
    kwargs = {k: v for k, v in kwargs.items() if k != "out" or v is not None}
    if found is not None:
        result = found(*args, **kwargs)
    elif names[0] in ON_VALUES or (len(names) > 1 and names[1] in ON_VALUES):
        x = coalesced(args[0])
        result = with_values(x._pattern, func(values_of(x), *args[1:], **kwargs))
    elif composite:
        body = func
        while hasattr(body, "__wrapped__"):
            body = body.__wrapped__
        return body(*args, **kwargs)
    else:
        layout = next((a.layout for a in args if isinstance(a, SparseTensor)), COO)
        raise unsupported(names[0], layout)
    if op is not None and isinstance(result, Tensor) and not any(result is a for a in args):
        rename(result, NODES.get(names[0]) or (node_name(names[1]) if composite and len(names) > 1 else op.node_name))
    return result


# What PyTorch calls the node where torsh's op has another name.
NODES = {"matmul": "MmBackward0", "to": "ToCopyBackward0"}


def node_name(name: str) -> str:
    """PyTorch's node name of a function."""
    return "".join(part.capitalize() for part in name.split("_")) + "Backward0"


def rename(t: Tensor, name: str) -> None:
    """Give the node of a fresh result the name that PyTorch prints."""
    node = t._gf
    if node is not None and type(node).__name__ != name:
        node.__class__ = node_type(name, type(node))


# Ops that keep zeros: they go over the values (each place once).
ON_VALUES = frozenset(
    "abs asin asinh atan atanh ceil erf erfinv expm1 floor frac isinf isnan isneginf isposinf log1p nan_to_num rad2deg deg2rad "
    "relu round sgn sign signbit sin sinh sqrt square tan tanh trunc pow conj_physical angle real imag "
    "threshold leaky_relu".split()
)


def is_number(x: Any) -> bool:
    """Whether an operand is a number, or a dense tensor with one element and no dimensions."""
    return not isinstance(x, Tensor) or (not isinstance(x, SparseTensor) and x.ndim == 0)


@rule("grad")
def grad(*args: Any, **kwargs: Any) -> Any:
    """``autograd.grad``: the engine carries sparse tensors and gradients as it does dense ones."""
    from torsh.autograd import _grad

    return _grad(*args, **kwargs)


# ---- elementwise -------------------------------------------------------------------------------------------------------


def _over(name: str) -> Callable[[Any], Any]:
    """A linear op of one tensor: it may go over uncoalesced values."""

    def run(input: Any) -> Any:
        return with_values(input._pattern, getattr(values_of(input), name)())

    return run


for _name in ("neg", "positive", "conj", "resolve_conj"):
    RULES[_name] = _over(_name)


@rule("add")
def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Sums: of two sparse tensors, or of a sparse one onto a dense one."""
    if alpha != 1:
        other = other * alpha
    if not isinstance(input, SparseTensor):
        if not isinstance(input, Tensor) or tuple(input.shape) != tuple(other.shape):
            return input + dense(other)
        p = other._pattern
        if p.layout is COO and p.sparse_dims and input._kind is other._kind and input.dtype.name != "bool":
            return input.index_put(p.places(), values_of(other), accumulate=True)
        return input + dense(other)
    if not isinstance(other, SparseTensor):
        if input.layout is COO:
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        return dense(input) + other
    return _math.add(input, other)


@rule("sub")
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``add`` of the negative."""
    if isinstance(other, SparseTensor) and isinstance(input, Tensor) and other.dtype is not input.dtype:
        from torsh import dtypes

        other = to(other, dtypes.promote_types(input.dtype, other.dtype))  # before: an unsigned type has no negatives
    return add(input, -other if isinstance(other, SparseTensor) else other * -1, alpha=alpha)


@rule("rsub")
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``sub`` the other way round."""
    return sub(other, input, alpha=alpha)


@rule("mul", "multiply")
def mul(input: Any, other: Any) -> Any:
    """Products: by a number over the values, by a dense tensor at the places, of two sparse tensors where both have places."""
    if not isinstance(input, SparseTensor):
        input, other = other, input
    if is_number(other):
        return with_values(input._pattern, values_of(input) * other)
    return _math.times(input, other)


@rule("div", "divide", "true_divide", "floor_divide")
def div(input: Any, other: Any, *, rounding_mode: Any = None) -> Any:
    """Division of the values by a number."""
    if not isinstance(input, SparseTensor) or not is_number(other):
        if isinstance(input, SparseTensor) and not isinstance(other, SparseTensor):
            p = coalesced(input)
            return with_values(
                p._pattern, values_of(p).div(p._pattern.pick(other.expand(p.shape)), rounding_mode=rounding_mode)
            )
        raise RuntimeError("Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
                           f"{list(other.shape)} for divisor)")  # fmt: skip
    x = coalesced(input) if rounding_mode is not None else input
    return with_values(x._pattern, values_of(x).div(other, rounding_mode=rounding_mode))


@rule("copy_")
def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Take over another tensor's values; only between tensors of one layout."""
    if isinstance(self, SparseTensor) != isinstance(src, SparseTensor):
        raise RuntimeError("copy_() between dense and sparse Tensors is not implemented! Found self type = "
                           f"{self.layout} and src type = {src.layout}")  # fmt: skip
    src = src.to(self.dtype)
    return self._assign(with_values(src._pattern, values_of(src).clone()), "copy_")


@rule("zero_")
def zero_(self: Any) -> Any:
    """Forget all entries (COO); zeros in their places (other layouts)."""
    p = self._pattern
    if p.layout is COO:
        return self._assign(_math.no_entries(self), "zero_")
    return self._assign(raw(p, self._stored * 0), "zero_")


# ---- what they are -----------------------------------------------------------------------------------------------------


@rule("clone")
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy with values of its own."""
    p = input._pattern
    copies = [None if x is None else x.clone() for x in (p.indices, p.compressed, p.plain)]
    mine = Pattern(p.layout, p.shape, *copies, block=p.block, coalesced=p.coalesced)
    return recorded(raw(mine, input._stored.clone()), input, "CloneBackward0", lambda g: g)


@rule("detach")
def detach(input: Any) -> Any:
    """The same values outside the graph."""
    return input._alias()


@rule("to")
def to(input: Any, *args: Any, copy: bool = False, **kwargs: Any) -> Any:
    """Another dtype or device."""
    before = input._stored
    after = values_of(input).to(*[a.dtype if isinstance(a, SparseTensor) else a for a in args], **kwargs)
    if after._kind is before._kind:
        return clone(input) if copy else input
    p = input._pattern
    moved = [
        None if x is None else x if after.device == x.device else x.to(after.device)
        for x in (p.indices, p.compressed, p.plain)
    ]
    if after.device != before.device:
        p = Pattern(p.layout, p.shape, *moved, block=p.block, coalesced=p.coalesced)
    return with_values(p, after)


@rule("type_as")
def type_as(input: Any, other: Any) -> Any:
    """To the dtype of another tensor."""
    return to(input, other.dtype)


@rule("cpu")
def cpu(input: Any, memory_format: Any = None) -> Any:
    """On the CPU."""
    return to(input, "cpu")


for _name in (
    "float",
    "double",
    "half",
    "int",
    "long",
    "bool",
    "short",
    "bfloat16",
    "char",
    "byte",
    "cfloat",
    "cdouble",
):

    def _cast(input: Any, *, _name: str = _name, memory_format: Any = None) -> Any:
        from torsh import dtypes

        return to(input, {**{d.name: d for d in dtypes.ALL}, **dtypes.ALIASES}[_name])

    RULES[_name] = _cast


def _check_no_format(input: Any, given: dict[str, Any]) -> None:
    if given.get("memory_format") is not None:
        raise RuntimeError(
            f"memory format option is only supported by strided tensors: got {given['memory_format']} for one of layout {input.layout}"
        )


@rule("zeros_like", "empty_like")
def zeros_like(
    input: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False, **k: Any
) -> Any:
    """No entries for COO; the same places with zeros for the compressed layouts."""
    from torsh.ops.creation import zeros

    _check_no_format(input, k)
    dtype, device = dtype or input.dtype, device or input.device
    if not isinstance(input, SparseTensor) or (layout is not None and layout is STRIDED):
        return zeros(tuple(input.shape), dtype=dtype, device=device, requires_grad=requires_grad)
    p = input._pattern
    out = (
        _math.no_entries(input, dtype)
        if p.layout is COO
        else raw(p, zeros(p.values_shape(), dtype=dtype, device=device))
    )
    out._rg = requires_grad
    return out


@rule("ones_like")
def ones_like(input: Any, *, dtype: Any = None, **k: Any) -> Any:
    """Ones where the compressed layouts have entries."""
    _check_no_format(input, k)
    if input.layout is COO:
        raise unsupported("ones_like")
    return raw(input._pattern, input._stored.new_ones(input._pattern.values_shape(), dtype=dtype or input.dtype))


@rule("full_like")
def full_like(input: Any, fill_value: Any, **k: Any) -> Any:
    """A number where the compressed layouts have entries."""
    if input.layout is COO:
        raise unsupported("fill_.Scalar")
    return ones_like(input, **k).mul_(fill_value)


@rule("randn_like")
def randn_like(input: Any, *, dtype: Any = None, generator: Any = None, requires_grad: bool = False, **k: Any) -> Any:
    """Normal numbers where the compressed layouts have entries."""
    from torsh.ops.random import randn

    _check_no_format(input, k)
    if input.layout is COO:
        raise unsupported("normal_")
    p = input._pattern
    out = raw(p, randn(p.values_shape(), dtype=dtype or input.dtype, device=input.device, generator=generator))
    out._rg = requires_grad
    return out


@rule("rand_like")
def rand_like(input: Any, **k: Any) -> Any:
    """Refused, as in PyTorch."""
    raise unsupported("uniform_", input.layout)


@rule("randint_like")
def randint_like(input: Any, *bounds: Any, **k: Any) -> Any:
    """Refused, as in PyTorch."""
    raise unsupported("random_.from", input.layout)


@rule("item")
def item(self: Any) -> Any:
    """The only element."""
    return SparseTensor.item(self)


@rule("contiguous")
def contiguous(input: Any, *, memory_format: Any = None) -> Any:
    """Refused: there is no order in memory to ask for."""
    raise RuntimeError("unsupported memory format option Contiguous")


@rule("reshape", "flatten")
def reshape(input: Any, *shape: Any) -> Any:
    """Refused, as PyTorch does."""
    raise RuntimeError("reshape is not implemented for sparse tensors")


@rule("equal")
def equal(input: Any, other: Any) -> bool:
    """Whether all elements are equal."""
    return dense(input).equal(dense(other))  # type: ignore[no-any-return]


@rule("allclose")
def allclose(input: Any, other: Any, **options: Any) -> bool:
    """Whether all elements are close."""
    return dense(input).allclose(dense(other), **options)  # type: ignore[no-any-return]


# ---- reductions --------------------------------------------------------------------------------------------------------


@rule("sum")
def sum_(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Of all values, or over some dimensions (a sparse result)."""
    if dim is None or dim == () or dim == []:
        shape, own = input._pattern.shape, input.dtype
        total = input._stored.sum(dtype=dtype)
        return recorded(total, input, "SumBackward0", lambda g: g.to(own).expand(shape))  # dense, as PyTorch's
    found = _math.sum_over(input, dim, dtype)
    if not keepdim:
        return found
    for d in sorted(_math.dims(dim, input.ndim)):
        found = found.unsqueeze(d)
    return found


@rule("norm")
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Of the values."""
    given = () if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if given and len({*_math.dims(given, input.ndim)}) != input.ndim:
        raise RuntimeError(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty or contain all dimensions of the "
            f"input, but it is {dim} for {input.ndim} dimensions"
        )
    if keepdim:
        raise RuntimeError("norm_sparse currently does not support keepdim=True")
    return values_of(coalesced(input)).norm(2 if p is None or p == "fro" else p)


@rule("any")
def any_(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any stored element is not zero."""
    if dim is not None:
        raise unsupported("any", input.layout)
    return input._stored.any()


# ---- shape -------------------------------------------------------------------------------------------------------------


@rule("t", "adjoint")
def t(input: Any) -> Any:
    """The first two dimensions exchanged."""
    if input.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got {input.ndim} dimensions"
        )
    return input if input.ndim < 2 else _math.transpose(input, 0, 1)


@rule("transpose", "swapaxes", "swapdims")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged."""
    return _math.transpose(input, dim0, dim1)


@rule("permute")
def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """The dimensions in another order."""
    if dims is not None:
        order = (dims,)
    return _math.permute(input, order[0] if len(order) == 1 and not isinstance(order[0], int) else order)


@rule("unsqueeze")
def unsqueeze(input: Any, dim: int) -> Any:
    """A new dimension of length 1."""
    return _math.unsqueeze(input, dim)


@rule("squeeze")
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without dimensions of length 1."""
    every = range(input.ndim) if dim is None else _math.dims(dim, input.ndim)
    for d in sorted(every, reverse=True):
        if input.shape[d] == 1:
            input = input.select(d, 0)
    return input


@rule("select")
def select(input: Any, dim: int, index: int) -> Any:
    """One slice of a dimension."""
    return _math.select(input, dim, index)


@rule("unbind")
def unbind(input: Any, dim: int = 0) -> Any:
    """All slices of a dimension."""
    return tuple(_math.select(input, dim, i) for i in range(input.size(dim)))


@rule("index_select")
def index_select(input: Any, dim: int, index: Any) -> Any:
    """Some slices of a dimension."""
    return _math.index_select(input, dim, index)


@rule("narrow_copy", "narrow")
def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """A range of a dimension."""
    return _math.narrow(input, dim, int(start), int(length))


@rule("cat", "concat", "concatenate")
def cat(tensors: Any, dim: int = 0) -> Any:
    """Sparse tensors one after the other."""
    return _math.cat(tensors, dim)


@rule("stack")
def stack(tensors: Any, dim: int = 0) -> Any:
    """Sparse tensors along a new dimension."""
    return _math.cat([x.unsqueeze(dim) for x in tensors], dim)


@rule("__getitem__", "getitem", "index")
def getitem(self: Any, index: Any) -> Any:
    """Integers, ranges, None and one-dimensional index tensors, dimension by dimension."""
    return _math.getitem(self, index)


# ---- products ----------------------------------------------------------------------------------------------------------


@rule("mm", "matmul", "mv")
def matmul(input: Any, other: Any) -> Any:
    """Matrix products with a sparse factor; the gradients of one sparse factor and a dense one are dense."""
    sparse, dense_other = isinstance(input, SparseTensor), not isinstance(other, SparseTensor)
    # Products of two sparse factors, and of batches, differentiate for the stored places only.
    if sparse is not dense_other or input.ndim != 2 or other.ndim not in (1, 2) or not (input._rg or other._rg):
        return _math.matmul(input, other)
    with no_grad():
        out = _math.matmul(input, other)
    if thread.enabled:
        node: Any = node_type("MvBackward0" if other.ndim == 1 else "MmBackward0", ProductNode)()
        node.saved = (input, other)
        edges = [edge_of(t) if t._rg else (None, 0) for t in (input, other)]
        node.edges, node.numbers = tuple(e for e, _ in edges), tuple(n for _, n in edges)
        out._gf, out._nr, out._rg = node, 0, True
    return out


class ProductNode(Node):
    """``a @ b`` of a matrix and a matrix or vector, one of them sparse."""

    def apply(self, grads: Any) -> Any:
        """Products of the cotangent with the other factor."""
        if self.saved is FREED:
            raise freed()
        a, b = self.saved
        first, second = self.edges
        found_a = found_b = None
        if first is not None:
            found_a = grads.unsqueeze(1) * b.conj() if b.ndim == 1 else grads @ _adjoint(b)
        if second is not None:
            found_b = _adjoint(a) @ grads
        return found_a, found_b


def _adjoint(t: Any) -> Any:
    if not isinstance(t, SparseTensor):
        return t.transpose(0, 1).conj()
    with no_grad():
        out = t.transpose(0, 1).conj()
    attach(out, t, "TBackward0", _adjoint)  # a dense gradient stays one
    return out


@rule("bmm")
def bmm(input: Any, mat2: Any) -> Any:
    """Matrix products of a batch."""
    return _math.bmm(input, mat2)


@rule("addmm", "addmv")
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * mat1 @ mat2``."""
    return _math.addmm(input, mat1, mat2, beta, alpha, matmul)


__all__ = ["RULES", "call", "rename"]
