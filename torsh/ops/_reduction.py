"""The template of reductions: dtype rules, dimensions, the short call path and ``out=``.

A reduction's normalised arguments are ``input dim keepdim shape``: ``dim`` is None for all dimensions or a tuple of
non-negative ones, ``shape`` that of the input, so that a gradient rule which needs no more does not keep the input
alive.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh.autograd import engine
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.ops._args import wrap_dims
from torsh.ops._docs import dressed
from torsh.ops._op import Op
from torsh.ops._overriding import override_of, overriding
from torsh.ops._record import PlanCache
from torsh.ops._saved import SavedOutput, save
from torsh.tensor import Parameter, Tensor, memory_of, new

# What a reduction does to dtypes.
SAME = "same"
SUM = "sum"  # bool and integers are added up in int64
FLOAT = "float"  # integers become the default floating type
INEXACT = "inexact"  # integers are refused
BOOL = "bool"  # bool (uint8 for uint8)
REAL = "real"  # the real type of a complex input; integers are refused

Shape = tuple[int, ...]
Dims = tuple[int, ...] | None


def dims_of(dim: Any, ndim: int) -> Dims:
    """Dimensions to reduce, None for all: an int, a sequence of ints, None or an empty sequence."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim + ndim if dim < 0 else dim,)
    found = wrap_dims(dim, ndim)
    return None if len(found) == ndim or not ndim else found


def some_dims(dim: Any, ndim: int) -> Dims:
    """As ``dims_of``, but an empty sequence means none: what all and any do."""
    return () if isinstance(dim, (tuple, list)) and not dim else dims_of(dim, ndim)


def reduced_shape(shape: Any, dim: Dims, keepdim: bool) -> Shape:
    """The shape after a reduction."""
    if dim is None:
        return (1,) * len(shape) if keepdim else ()
    return tuple(1 if i in dim else n for i, n in enumerate(shape) if keepdim or i not in dim)


def restore(g: Any, dim: Dims, keepdim: bool, shape: Any) -> Any:
    """A reduction's result with the reduced dimensions back as ones."""
    return g if keepdim or not shape else g.reshape(reduced_shape(shape, dim, True))


def count(shape: Any, dim: Dims) -> int:
    """How many elements go into each result."""
    n = 1
    for i, s in enumerate(shape):
        if dim is None or i in dim:
            n *= s
    return n


def result_dtype(dtype: dtypes.dtype, promote: str) -> dtypes.dtype:
    """The dtype of a reduction's result."""
    if promote is SAME or promote is INEXACT:
        return dtype
    if promote is SUM:
        return dtypes.int64 if dtype.category < dtypes.FLOAT else dtype
    if promote is FLOAT:
        return dtypes.get_default_dtype() if dtype.category < dtypes.FLOAT else dtype
    if promote is BOOL:
        return dtype if dtype is dtypes.uint8 else dtypes.bool
    return dtype.to_real()


def check_not_empty(name: str, shape: Any, dim: Dims) -> None:
    """Raise where a reduction without an identity would reduce nothing."""
    if 0 not in shape:
        return
    if dim is None:
        # 0 in shape: nothing to reduce at all
        error = IndexError if name.startswith("arg") else RuntimeError
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    for d in dim:
        if shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def cast_first(input: Tensor, dtype: dtypes.dtype | None, promote: str, name: str) -> Tensor:
    """The input in the dtype the reduction computes in."""
    if dtype is not None:
        if not isinstance(dtype, dtypes.dtype):
            raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
        if promote in (INEXACT, REAL) and dtype.category < dtypes.FLOAT:
            raise RuntimeError(
                f"{name}(): could not infer output dtype. Optional dtype must be either a floating point or complex "
                f"dtype. Got: {dtypes.scalar_name(dtype)}"
            )
        # Integers are added up in int64 whatever the result is stored in.
        if dtype is not input.dtype and not (promote is SUM and dtype.category < dtypes.FLOAT > input.dtype.category):
            return input.to(dtype)
        return input
    category = input.dtype.category
    if category < dtypes.FLOAT:
        if promote in (INEXACT, REAL):
            what = "a floating point or complex dtype" if promote is INEXACT else "floating point or complex"
            raise RuntimeError(
                f"{name}(): could not infer output dtype. Input dtype must be either {what}. Got: "
                f"{dtypes.scalar_name(input.dtype)}; convert it first, e.g. with .float()"
            )
        if promote is FLOAT:
            return input.to(dtypes.get_default_dtype())
    return input


def reduction(
    paths: str,
    promote: str = SAME,
    *,
    grad: Callable[..., Any] | None = None,
    identity: bool = True,
    refuse: str = "",
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a reduction over any set of dimensions; the function has its name, signature and docstring, its body is
    not run.

    identity: whether reducing nothing has a value; where not, that raises.
    refuse: categories (bool, int, float, complex) PyTorch has no kernel for.
    """
    refused = frozenset(refuse.split())

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        name = options.pop("name", None) or fn.__name__
        params = inspect.signature(fn).parameters
        has_dtype, dim_required = "dtype" in params, params["dim"].default is inspect.Parameter.empty
        op = Op(
            name, None, ("input", "dim", "keepdim", "shape"), grads={"input": grad} if grad else None,
            meta=lambda input, dim, keepdim, shape: (
                reduced_shape(input.shape, dim, keepdim), result_dtype(input.dtype, promote)),
            paths=paths.split(), doc=fn.__doc__,
            tags=("reduction", *(() if grad else ("nondifferentiable",)), *options.pop("tags", "").split()), **options,
        )  # fmt: skip
        kernels = op.kernels
        plans = PlanCache(op, 1)
        key = (True, False, False, False)
        numbers = engine._numbers
        changes = promote is BOOL or promote is REAL
        complex_too = "complex" not in refused
        # Integers and bools that need no conversion first.
        whole = {t for t in (0, 1) if promote in (SAME, SUM, BOOL) and ("bool", "int")[t] not in refused}
        label = fn.__name__
        normal = some_dims if promote is BOOL else dims_of
        # The gradient rule needs geometry only: what the short path saves in one tuple.
        plain = grad is not None and grad.__code__.co_varnames[1 : grad.__code__.co_argcount] == (
            "dim",
            "keepdim",
            "shape",
        )

        def general(input: Any, dim: Any, keepdim: Any, dtype: Any) -> Any:
            if not isinstance(input, Tensor):
                if not state.overrides and overriding((input,), {}):
                    return public(input, dim, keepdim, dtype=dtype)
                raise TypeError(
                    f"{label}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}; make one "
                    "with torch.tensor(...)"
                )
            if refused and ("bool", "int", "float", "complex")[input.dtype.category] in refused:
                if label == "nansum":
                    raise RuntimeError("nansum on CPU does not support complex inputs")
                raise NotImplementedError(
                    f"\"{label}\" not implemented for '{dtypes.scalar_name(input.dtype)}'; convert the "
                    "input to another dtype first"
                )
            if dtype is not None and not has_dtype:
                raise TypeError(f"{label}() got an unexpected keyword argument 'dtype'")
            if type(dtype) is type:
                dtype = dtypes.PYTHON.get(dtype, dtype)
            if type(keepdim) is not bool:
                raise TypeError(f"{label}(): argument 'keepdim' must be bool, not {type(keepdim).__name__}")
            shape = tuple(memory_of(input).shape)
            dims = normal(dim, len(shape))
            source = cast_first(input, dtype, promote, label)
            if not identity:
                check_not_empty(label, shape, dims)
            out = op(source, dims, keepdim, shape)
            if dtype is not None and out._kind.dtype is not dtype and promote is not REAL:
                out = out.to(dtype)
            return out

        def public(
            input: Any, dim: Any = None, keepdim: Any = False, *, dtype: Any = None, out: Any = None, axis: Any = None,
            keepdims: Any = None,
        ) -> Any:  # fmt: skip
            cls = type(input)
            if (
                (cls is Tensor or cls is Parameter)
                and dtype is None
                and out is None
                and axis is None
                and keepdims is None
                and (keepdim is False or keepdim is True)
                and not state.busy
            ):
                k = input._kind
                if k.floating or (k.complex and complex_too) or k.dtype.category in whole:
                    x = input._data
                    shape = x.shape
                    dims = None if dim is None else normal(dim, len(shape))
                    if identity or 0 not in shape:
                        r = kernels[k](x, dims, keepdim, shape)
                        if type(r) is not k.raw_type:
                            r = k.as_raw(r)
                        o = new(Tensor)
                        o._data = r
                        o._kind = k = k.place[result_dtype(k.dtype, promote)] if changes or not k.inexact else k
                        o._rg = False
                        if input._rg and grad is not None and k.inexact and thread.enabled:
                            plan = plans[key]
                            node = new(plan.node_type)
                            node.seq = next(numbers)
                            gf = input._gf if input._base is None else input.grad_fn
                            node.edges = (input if gf is None else gf,)
                            if input._nr:
                                node.numbers = (input._nr,)
                            if plain:
                                node.saved = (dims, keepdim, shape)
                            else:
                                args = (None, dims, keepdim, shape)
                                node.saved = tuple(
                                    [SavedOutput(o, 0) if is_out else args[j] if j else save(input)
                                     for is_out, j in plan.takes]
                                )  # fmt: skip
                            o._gf = node
                            o._rg = True
                        return o
            return rare(input, dim, keepdim, dtype, out, axis, keepdims)

        def rare(input: Any, dim: Any, keepdim: Any, dtype: Any, out: Any, axis: Any, keepdims: Any) -> Any:
            if state.overrides and (handler := override_of((input,), {})) is not None:
                named = {"keepdim": keepdim or None, "dtype": dtype, "out": out, "axis": axis, "keepdims": keepdims}
                given = (input,) if dim is None else (input, dim)  # what handlers get is what the caller gave
                return handler(public, given, {k: v for k, v in named.items() if v is not None})
            dim = dim if axis is None else axis
            keepdim = keepdim if keepdims is None else keepdims
            if out is None:
                return general(input, dim, keepdim, dtype)
            from torsh.ops._out import write_out

            return write_out(public, (input, dim, keepdim), {"dtype": dtype}, out, "truth" if promote is BOOL else True)

        if dim_required:
            needing = public

            def public(input: Any, dim: Any = None, keepdim: Any = False, **named: Any) -> Any:
                if dim is None and "axis" not in named:
                    raise TypeError(f'{label}() missing 1 required positional arguments: "dim"')
                return needing(input, dim, keepdim, **named)

        dressed(public, fn)
        sig = inspect.signature(fn)
        extra = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
        public.__signature__ = sig.replace(parameters=[*sig.parameters.values(), extra])  # type: ignore[attr-defined]
        public.op = op  # type: ignore[attr-defined]
        op.fn = public
        return public

    return declare
