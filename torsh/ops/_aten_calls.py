"""Calls of torsh's ops as calls of PyTorch's operators, and back.

``call_of`` says which ``torch.ops.aten`` overload a call of an op is, with its arguments; ``run`` carries out an overload.  Both go
by the names of arguments: only what differs is written down here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from torsh._custom_op import CustomOp
from torsh._schema import MISSING, Argument, Schema, fits
from torsh.ops._op import OPS, Op
from torsh.ops.aten import OpOverload, overloads
from torsh.tensor import Tensor

Call = tuple[OpOverload, tuple[Any, ...], dict[str, Any]]

# torsh op -> PyTorch's operator, where the name differs.
_NAMES = {
    "mm_op": "mm", "prod_op": "prod", "max_dim": "max", "min_dim": "min", "var_op": "var", "std_op": "std", "cumsum_op": "cumsum",
    "cumprod_op": "cumprod", "median_op": "median", "nanmedian_op": "nanmedian", "median_dim": "median", "nanmedian_dim": "nanmedian",
    "conj_view": "_conj", "neg_view": "_neg_view", "repeat_kernel": "repeat", "vector_norm": "linalg_vector_norm",
    "softmax_backward": "_softmax_backward_data", "log_softmax_backward": "_log_softmax_backward_data", "softmax": "_softmax",
    "log_softmax": "_log_softmax", "pad_constant": "constant_pad_nd", "take_rows": "embedding", "fft_c2c": "_fft_c2c",
    "fft_r2c": "_fft_r2c", "fft_c2r": "_fft_c2r", "matrix_exp_op": "linalg_matrix_exp", "fold_windows": "unfold_backward",
    "convolution_weight": "convolution_backward", "embedding_backward": "embedding_dense_backward", "real_part": "real",
    "imag_part": "imag", "reshape": "_unsafe_view",
    **{n: f"special_{n}" for n in (
        "erfcx ndtri log_ndtr zeta entr xlog1py i0e i1 i1e airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 "
        "modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1 "
        "spherical_bessel_j0 chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w "
        "shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v "
        "shifted_chebyshev_polynomial_w hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p"
    ).split()},
}  # fmt: skip

# Names of arguments: torsh's -> PyTorch's, tried in turn after the name itself.
_ARGS = {
    "input": ("self",), "g": ("grad_output", "grad", "grad_out", "grad_in", "self"), "stop": ("end",), "dims": ("dim",),
    "offset": ("storage_offset",), "size": ("output_size", "shape", "input_sizes"), "A": ("self",), "B": ("other",),
    "kernel": ("kernel_size",), "sizes": ("split_sizes", "repeats"), "value": ("fill_value",), "count": ("steps",), "pads": ("pad",),
    "out": ("output",), "rows": ("num_weights",), "by_freq": ("scale_grad_by_freq",), "values": ("self",), "imag": ("imag",),
    "target": ("target",), "batch1": ("batch1",), "dimension": ("dimension", "dim"), "threshold": ("threshold",),
}  # fmt: skip

# What only torsh's kernels need to be told.
_OWN = frozenset({"shape", "source", "input_strides", "needs", "unique", "generator", "copy", "device_index"})

# Numbers that PyTorch hands on where a tensor is due.
_NUMBERS_AS_TENSORS = frozenset(
    {
        "add",
        "sub",
        "mul",
        "div",
        "floor_divide",
        "copy_",
        *(f"{n}_" for n in ("add", "sub", "mul", "div", "floor_divide")),
    }
)


# ---- from torsh's call to PyTorch's ------------------------------------------------------------------------------------


def call_of(op: Op, args: tuple[Any, ...]) -> Call:
    """The operator, positional and keyword arguments that stand for a call of an op.

    An op that PyTorch has no operator for is handed on under torsh's own name: ``torsh.<name>.default``.
    """
    if isinstance(op, CustomOp):
        pairs = list(zip(op.schema.arguments, args))
        return (
            op.overload,
            tuple(v for a, v in pairs if not a.kwarg_only),
            {a.name: v for a, v in pairs if a.kwarg_only},
        )  # type: ignore[return-value]
    special = _SPECIAL.get(op.name)
    found = special(*args) if special is not None else None
    if found is None:
        values = dict(zip(op.args, args))
        found = _chosen(_NAMES.get(op.name, op.name), values)
    if found is None:
        return own(op), args, {}
    return found


def named(op: Op, args: tuple[Any, ...]) -> Any:
    """The operator that a call of an op is, for those who only ask which."""
    return call_of(op, args)[0]


@functools.cache
def own(op: Op) -> OpOverload:
    """An op under torsh's own name."""
    schema = Schema(f"torsh::{op.name}", "", tuple(Argument(n, "Any") for n in op.args), ("Any",))
    found = OpOverload(schema, False)
    found._run = op.__call__
    return found


def _chosen(name: str, values: dict[str, Any]) -> Call | None:
    """The overload of an operator that takes these values, by torsh's names of arguments."""
    for overload in sorted(overloads(name), key=lambda o: _rank(o, values)):
        call = _fitted(overload, values)
        if call is not None:
            return call
    return None


def _rank(overload: OpOverload, values: dict[str, Any]) -> int:
    """Overloads in the order in which they are tried: tensors before numbers, and the shortest one where all dimensions are meant."""
    whole = _whole(values)
    has_dim = any(a.name == "dim" for a in overload.schema.arguments)
    return (2 if has_dim is whole else 0) + (1 if any(a.kind == "Scalar" for a in overload.schema.arguments) else 0)


def _whole(values: dict[str, Any]) -> bool:
    """Whether a reduction is over all dimensions, without keeping them."""
    if "dim" not in values or values.get("keepdim"):
        return False
    dim, t = values["dim"], values.get("input")
    return dim is None or (isinstance(dim, (tuple, list)) and isinstance(t, Tensor) and len(dim) == t.ndim)


def _fitted(overload: OpOverload, values: dict[str, Any]) -> Call | None:
    left = dict(values)
    found: list[Any] = []
    drops_dim = _whole(values)
    for a in overload.schema.arguments:
        key = a.name if a.name in left else next((n for n in left if a.name in _ARGS.get(n, ())), None)
        if key is None:
            if a.default is MISSING:
                return None
            found.append(a.default)
            continue
        value = _coerced(a, left.pop(key))
        if not _fits(overload, a, value):
            return None
        found.append(value)
    if any(v is not None and n not in _OWN and not (n in ("dim", "keepdim") and drops_dim) for n, v in left.items()):
        return None
    return arranged(overload, found)


def _coerced(a: Argument, value: Any) -> Any:
    kind = a.kind.rstrip("?")
    if kind.endswith("]"):
        if isinstance(value, tuple):
            return list(value)
        return [value] if isinstance(value, int) and not isinstance(value, bool) and kind[0] in "iS" else value
    if kind in ("int", "SymInt") and isinstance(value, (tuple, list)) and len(value) == 1:
        return value[0]
    return value


def _fits(overload: OpOverload, a: Argument, value: Any) -> bool:
    if a.kind == "Tensor" and not isinstance(value, Tensor):
        return (
            overload._opname in _NUMBERS_AS_TENSORS and a.name == "other" and isinstance(value, (int, float, complex))
        )
    if a.kind == "Scalar" and isinstance(value, Tensor):
        return False
    if a.kind.startswith("Tensor?["):
        return isinstance(value, (list, tuple))
    if a.kind.rstrip("?") in ("ScalarType", "Layout", "Device", "MemoryFormat", "Generator"):
        return True
    return fits(a.kind, value)


def arranged(overload: OpOverload, values: list[Any]) -> Call:
    """Values for all arguments as ``__torch_dispatch__`` gets them: without defaults at the end, keyword-only ones by name."""
    pairs = list(zip(overload.schema.arguments, values))
    positional = [(a, v) for a, v in pairs if not a.kwarg_only]
    while positional and _is_default(*positional[-1]):
        positional.pop()
    return (
        overload,
        tuple(v for _, v in positional),
        {a.name: v for a, v in pairs if a.kwarg_only and not _is_default(a, v)},
    )


def _is_default(a: Argument, value: Any) -> bool:
    if a.default is MISSING or isinstance(value, Tensor):
        return False
    return value is a.default or (type(value) is type(a.default) and value == a.default)


def of(name: str, *args: Any, overload: str = "default", **kwargs: Any) -> Call:
    """A call of one overload."""
    found = next(o for o in overloads(name) if o._overloadname == overload)
    return arranged(found, _bound(found, args, kwargs))


def _bound(overload: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    given = iter(args)
    found: list[Any] = []
    for a in overload.schema.arguments:
        if a.name in kwargs:
            found.append(kwargs[a.name])
        else:
            found.append(next(given, a.default) if not a.kwarg_only else a.default)
    return found


# ---- ops with a form of their own ---------------------------------------------------------------------------------------


def _full(size: Any, value: Any, dtype: Any, device: Any) -> Call:
    options = {"dtype": dtype, "device": device, "pin_memory": False}
    return (
        of("empty", list(size), overload="memory_format", **options)
        if value is None
        else of("full", list(size), value, **options)
    )


def _arange(start: Any, step: Any, count: int, dtype: Any, device: Any) -> Call:
    end = start + step * count
    return of("arange", start, end, step, overload="start_step", dtype=dtype, device=device, pin_memory=False)


def _commuted(name: str) -> Callable[..., Call | None]:
    """A number before a tensor: PyTorch changes their places."""

    def call(input: Any, other: Any) -> Call | None:
        return (
            of(name, other, input, overload="Tensor")
            if not isinstance(input, Tensor) and isinstance(other, Tensor)
            else None
        )

    return call


def _sub(input: Any, other: Any) -> Call | None:
    return (
        of("rsub", other, input, overload="Scalar")
        if not isinstance(input, Tensor) and isinstance(other, Tensor)
        else None
    )


def _cast(input: Tensor, dtype: Any, copy: Any = None, source: Any = None) -> Call:
    return of("_to_copy", input, dtype=dtype)


_PRODUCTS = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}


def _matrices(input: Tensor, other: Tensor) -> Call:
    return of(_PRODUCTS[input.ndim, other.ndim], input, other)


def _is_product(input: Tensor, other: Tensor) -> bool:
    """Whether PyTorch has one operator for this product."""
    return (input.ndim, other.ndim) in _PRODUCTS and (input.ndim < 3 or input.shape[0] == other.shape[0])


def _scaled(name: str) -> Callable[..., Call]:
    def call(input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Call:
        return of(name, input, a, b, beta=beta, alpha=alpha)

    return call


def _squeeze(input: Tensor, dims: Any) -> Call:
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    return (
        of("squeeze", input, dims[0], overload="dim")
        if len(dims) == 1
        else of("squeeze", input, list(dims), overload="dims")
    )


def _split(input: Tensor, sizes: Any, dim: int) -> Call:
    sizes = list(sizes)
    if all(s == sizes[0] for s in sizes[:-1]) and sizes and sizes[-1] <= sizes[0]:
        return of("split", input, sizes[0], dim, overload="Tensor")
    return of("split_with_sizes", input, sizes, dim)


def _convolution_weight(
    g: Tensor, input: Tensor, size: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Call:
    """The gradient of the weight alone: PyTorch's operator for all three, of which only that is asked."""
    weight = g.new_empty(0).expand(0) if not size else g.new_empty(1).expand(tuple(size))
    n = len(stride)
    return of(
        "convolution_backward", g, input, weight, None, list(stride), list(padding), list(dilation), False, [0] * n, groups,
        [False, True, False],
    )  # fmt: skip


def _whole_extreme(name: str) -> Callable[..., Call | None]:
    return lambda input, dim, keepdim, shape=None: of(name, input) if dim is None and not keepdim else None


def _softmax(name: str) -> Callable[..., Call]:
    return lambda input, dim: of(name, input, dim, False)


def _softmax_backward(name: str) -> Callable[..., Call]:
    return lambda g, out, dim: of(name, g, out, dim, out.dtype)


def _index(input: Tensor, indices: Any, shape: Any = None) -> Call:
    given = [i if isinstance(i, Tensor) else None for i in indices]
    if any(i is not None and not isinstance(i, Tensor) and i != slice(None) for i in indices):
        return own(OPS["index"]), (input, indices, shape), {}
    while given and given[-1] is None:
        given.pop()
    return of("index", input, given, overload="Tensor")


def _var(name: str) -> Callable[..., Call]:
    def call(input: Tensor, dim: Any, keepdim: bool, correction: Any, shape: Any = None) -> Call:
        dims = [dim] if isinstance(dim, int) else None if dim is None else list(dim)
        return of(name, input, dims, overload="correction", correction=correction, keepdim=keepdim)

    return call


def _layer_norm_backward(
    g: Tensor, input: Tensor, shape: Any, weight: Any, mean: Any, rstd: Any, eps: Any, needs: Any
) -> Call:
    return own(OPS["layer_norm_backward"]), (g, input, shape, weight, mean, rstd, eps, needs), {}


_SPECIAL: dict[str, Callable[..., Call | None]] = {
    "full": _full, "arange": _arange, "add": _commuted("add"), "mul": _commuted("mul"), "sub": _sub, "cast": _cast,
    "mm_op": _matrices, "matmul": _matrices, "amax": _whole_extreme("max"), "amin": _whole_extreme("min"), "addmm": _scaled("addmm"), "addmv": _scaled("addmv"), "baddbmm": _scaled("baddbmm"),
    "addbmm": _scaled("addbmm"), "addr": _scaled("addr"), "squeeze": _squeeze, "split": _split,
    "convolution_weight": _convolution_weight, "softmax": _softmax("_softmax"), "log_softmax": _softmax("_log_softmax"),
    "softmax_backward": _softmax_backward("_softmax_backward_data"), "index": _index,
    "log_softmax_backward": _softmax_backward("_log_softmax_backward_data"), "var_op": _var("var"), "std_op": _var("std"),
    "layer_norm_backward": _layer_norm_backward,
    "eye": lambda n, m, dtype, device: of("eye", n, m, overload="m", dtype=dtype, device=device, pin_memory=False),
    "laid_out": lambda input, memory_format: of("clone", input, memory_format=memory_format),
    "packed": lambda input: of("clone", input, memory_format=_contiguous()),
    "slice": lambda input, dim, start, stop, step: of("slice", input, dim, start, stop, step, overload="Tensor"),
    "as_strided": lambda input, size, stride, offset, strides: of("as_strided", input, list(size), list(stride), offset),
    "view_dtype": lambda input, dtype, source=None: of("view", input, dtype, overload="dtype"),
    "threshold_backward": lambda g, input, threshold: of("threshold_backward", g, input, threshold),
    "leaky_relu_backward": lambda g, input, slope: of("leaky_relu_backward", g, input, slope, False),
    "elu_backward": lambda g, input, alpha, scale, input_scale: of("elu_backward", g, alpha, scale, input_scale, False, input),
    "gelu_backward": lambda g, input, approximate: of("gelu_backward", g, input, approximate=approximate),
    "linear_backward": lambda g, input, weight: (own(OPS["linear_backward"]), (g, input, weight), {}),
    "nll_loss_backward": lambda *args: (own(OPS["nll_loss_backward"]), args, {}),
    "batch_norm_backward": lambda *args: (own(OPS["batch_norm_backward"]), args, {}),
    "log_sigmoid_backward": lambda *args: (own(OPS["log_sigmoid_backward"]), args, {}),
    "embedding_backward": lambda g, indices, rows, padding_idx, by_freq: of(
        "embedding_dense_backward", g, indices, rows, -1 if padding_idx is None else padding_idx, by_freq
    ),
    "take_rows": lambda weight, indices, padding_idx, by_freq: of(
        "embedding", weight, indices, -1 if padding_idx is None else padding_idx, by_freq
    ),
}  # fmt: skip


def _contiguous() -> Any:
    from torsh.memory_format import contiguous_format

    return contiguous_format


# ---- ops that PyTorch computes with others, above __torch_dispatch__ -------------------------------------------------------


def _matmul(input: Tensor, other: Tensor) -> Any:
    import torsh

    a, b = input.ndim, other.ndim
    if _is_product(input, other):
        return input @ other
    if a == 1 and b == 2:
        return torsh.mm(input.unsqueeze(0), other).squeeze(0)
    if a >= 3 and b <= 2:  # the batch is more rows
        rows = input.reshape(-1, input.shape[-1])
        out = torsh.mv(rows, other) if b == 1 else torsh.mm(rows, other)
        return out.view(*input.shape[:-1], *other.shape[1:])
    if a == 1:
        return _matmul(input.unsqueeze(0), other).squeeze(-2)
    if b == 1:
        return _matmul(input, other.unsqueeze(-1)).squeeze(-1)
    batch = torsh.broadcast_shapes(tuple(input.shape[:-2]), tuple(other.shape[:-2]))
    n, m, p = input.shape[-2], input.shape[-1], other.shape[-1]
    left = input.expand(*batch, n, m).reshape(math.prod(batch), n, m)
    right = other.expand(*batch, m, p).reshape(math.prod(batch), m, p)
    return torsh.bmm(left, right).view(*batch, n, p)


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
    import torsh

    turned = weight.t() if weight.ndim == 2 else weight
    if bias is not None and input.ndim == 2 and weight.ndim == 2:
        return torsh.addmm(bias, input, turned)
    if bias is not None and input.ndim == 3 and weight.ndim == 2 and input.is_contiguous():
        rows = input.view(-1, input.shape[-1])
        return torsh.addmm(bias, rows, turned).view(*input.shape[:-1], weight.shape[0])
    out = _matmul(input, turned)
    return out if bias is None else out + bias


def _linear_backward(g: Tensor, input: Tensor, weight: Tensor) -> Any:
    return _matmul(g, weight)


def _getitem(input: Tensor, index: Any, shape: Any = None) -> Tensor:
    import torsh

    index = index if isinstance(index, tuple) else (index,)
    used = sum(i is not None and i is not Ellipsis for i in index)
    out, dim = input, 0
    for i in index:
        if i is Ellipsis:
            dim += input.ndim - used
        elif i is None:
            out, dim = out.unsqueeze(dim), dim + 1
        elif isinstance(i, slice):
            if i != slice(None):
                n = out.shape[dim]
                start, stop, step = i.indices(n)
                out = OPS["slice"](out, dim, start, stop, step)
            dim += 1
        else:
            out = torsh.select(out, dim, int(i))
    return out if out is not input else OPS["view"](input, tuple(input.shape))


def _square(input: Tensor) -> Any:
    return input.pow(2)


def _reshape(input: Tensor, size: Any, shape: Any = None) -> Any:
    return OPS["view"](input.clone(memory_format=_contiguous()), tuple(size))


def _divided(input: Any, other: Any) -> Any:
    return other.reciprocal() * input


# op -> the same in operators that PyTorch has; None from a condition: as it is.
PIECES: dict[str, Callable[..., Any]] = {
    "linear": _linear, "linear_backward": _linear_backward, "getitem_basic": _getitem, "square": _square,
    "reshape": _reshape,
}  # fmt: skip


def pieces(op: Op, args: tuple[Any, ...]) -> Callable[..., Any] | None:
    """What computes a call with operators that PyTorch has, where it does so itself."""
    if op.name == "div" and not isinstance(args[0], Tensor):
        return _divided
    if op.name in ("matmul", "mm_op"):
        return None if _is_product(*args) else _matmul
    return PIECES.get(op.name)


# ---- running an operator ------------------------------------------------------------------------------------------------


def run(overload: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Carry out an operator on arguments in PyTorch's order."""
    if overload._run is not None:
        return overload._run(*args, **kwargs)
    name = overload._opname
    special = _RUN.get(f"{name}.{overload._overloadname}") or _RUN.get(name)
    if special is not None:
        return special(*args, **kwargs)
    function = _function(name)
    given = {k: v for k, v in kwargs.items() if not (k in ("layout", "pin_memory", "implicit") and not v)}
    return function(*args, **given)


@functools.cache
def _function(name: str) -> Callable[..., Any]:
    """The function of torsh that takes an operator's arguments."""
    from torsh.ops import NAMES

    for space in ("torch", "torch.nn.functional", "torch.special", "torch.linalg", "torch.fft"):
        plain = name.removeprefix("special_").removeprefix("linalg_").removeprefix("fft_") if space != "torch" else name
        if plain in NAMES.get(space, {}):
            return NAMES[space][plain]
    found = getattr(Tensor, name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    if name in OPS and OPS[name].fn is not None:
        return OPS[name].fn  # type: ignore[return-value]
    if name in OPS:
        return OPS[name]
    import torsh

    found = getattr(torsh, name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    raise NotImplementedError(f"torch.ops.aten.{name}: torsh has no function for this operator")


def choose(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> OpOverload:
    """The overload of an operator that takes a call's arguments.  Raises RuntimeError where none does."""
    found = bind(name, args, kwargs)
    if found is None:
        raise RuntimeError(
            f"aten::{name}() got arguments that fit none of its overloads: {', '.join(type(a).__name__ for a in args)}"
        )
    return found[0]


def bind(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """A call as users write it (``input=``, sizes one by one) as a call of an overload, None where no overload takes it."""
    if "input" in kwargs:
        kwargs = {("self" if k == "input" else k): v for k, v in kwargs.items()}
    for overload in sorted(overloads(name), key=lambda o: any(a.kind == "Scalar" for a in o.schema.arguments)):
        found = _user_call(overload, args, kwargs)
        if found is not None:
            return found
    return None


def _user_call(overload: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    arguments = overload.schema.arguments
    names = [a.name for a in arguments]
    if any(k not in names for k in kwargs):
        return None
    positional = [a for a in arguments if not a.kwarg_only]
    for i, a in enumerate(positional):  # sizes one by one
        if (
            a.kind.rstrip("?").endswith("]")
            and a.kind[0] in "iS"
            and len(args) > len(positional)
            and isinstance(args[i], int)
        ):
            args = (*args[:i], args[i:])
            break
    if len(args) > len(positional):
        return None
    found: list[Any] = []
    rest = iter(args)
    for a in arguments:
        value = next(rest, MISSING) if not a.kwarg_only else MISSING
        if value is MISSING:
            value = kwargs.get(a.name, a.default)
        if value is MISSING:
            return None
        value = _coerced(a, value)
        if value is not a.default and not _fits(overload, a, value):
            return None
        found.append(value)
    return arranged(overload, found)


def _to_copy(self: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: Any = None,
             non_blocking: bool = False, memory_format: Any = None) -> Tensor:  # fmt: skip
    options = {} if memory_format is None else {"memory_format": memory_format}
    return self.to(dtype=dtype or self.dtype, device=device or self.device, copy=True, **options)  # type: ignore[no-any-return]


def _run_index(self: Tensor, indices: Any) -> Any:
    return self[tuple([slice(None) if i is None else i for i in indices])]


def _convolution_backward(
    grad_output: Tensor, input: Tensor, weight: Tensor, bias_sizes: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int, output_mask: Any,
) -> Any:  # fmt: skip
    from torsh.autograd import grad
    from torsh.autograd.grad_mode import enable_grad

    if list(output_mask) == [False, True, False] and not transposed:
        options = (tuple(stride), tuple(padding), tuple(dilation), groups)
        return None, OPS["convolution_weight"](grad_output, input, tuple(weight.shape), *options), None
    import torsh

    with enable_grad():
        x, w = input.detach().requires_grad_(), weight.detach().requires_grad_()
        out = torsh.convolution(
            x, w, None, list(stride), list(padding), list(dilation), transposed, list(output_padding), groups
        )
    wanted = [t for t, want in zip((x, w), output_mask) if want]
    found = iter(grad(out, wanted, grad_output) if wanted else ())
    gx, gw = (next(found) if want else None for want in output_mask[:2])
    return gx, gw, grad_output.sum([0, *range(2, grad_output.ndim)]) if output_mask[2] else None


_RUN: dict[str, Callable[..., Any]] = {
    "_to_copy": _to_copy, "index": _run_index, "convolution_backward": _convolution_backward,
    "slice.Tensor": lambda self, dim=0, start=None, end=None, step=1: self[(slice(None),) * (dim % self.ndim) + (slice(start, end, step),)],
    "_softmax": lambda self, dim, half_to_float: self.softmax(dim),
    "_log_softmax": lambda self, dim, half_to_float: self.log_softmax(dim),
    "_softmax_backward_data": lambda grad_output, output, dim, input_dtype: OPS["softmax_backward"](grad_output, output, dim),
    "_log_softmax_backward_data": lambda grad_output, output, dim, input_dtype: OPS["log_softmax_backward"](grad_output, output, dim),
    "_unsafe_view": lambda self, size: self.reshape(size), "_local_scalar_dense": lambda self: self.item(),
    "detach": lambda self: self.detach(), "alias": lambda self: self.view(self.shape), "lift_fresh": lambda self: self,
    "_conj": lambda self: self.conj(), "_neg_view": lambda self: OPS["_neg_view"].fn(self),  # type: ignore[misc]
    "leaky_relu_backward": lambda g, x, slope, is_result: OPS["leaky_relu_backward"](g, x, slope),
    "elu_backward": lambda g, alpha, scale, input_scale, is_result, x: OPS["elu_backward"](g, x, alpha, scale, input_scale),
    "gelu_backward": lambda g, x, *, approximate="none": OPS["gelu_backward"](g, x, approximate),
    "embedding_dense_backward": lambda g, indices, rows, padding_idx, by_freq: OPS["embedding_backward"](
        g, indices, rows, None if padding_idx == -1 else padding_idx, by_freq
    ),
    "embedding": lambda weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False: OPS["take_rows"](
        weight, indices, None if padding_idx == -1 else padding_idx, scale_grad_by_freq
    ),
    "unfold_backward": lambda g, size, dim, length, step: OPS["fold_windows"](g, tuple(size), dim, length, step),
    "linalg_vector_norm": lambda self, ord=2, dim=None, keepdim=False, *, dtype=None: _function("linalg_vector_norm")(
        self, ord, None if dim is None else tuple(dim), keepdim, dtype=dtype
    ),
    "arange.start_step": lambda start, end, step=1, **options: _function("arange")(start, end, step, **_creation(options)),
    "rsub.Scalar": lambda self, other, alpha=1: _function("rsub")(self, other, alpha=alpha),
    "empty.memory_format": lambda size, **options: _function("empty")(tuple(size), **_creation(options)),
    "max.dim": lambda self, dim, keepdim=False: self.max(dim, keepdim), "min.dim": lambda self, dim, keepdim=False: self.min(dim, keepdim),
}  # fmt: skip


def _creation(options: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if v is not None and k != "pin_memory"}
