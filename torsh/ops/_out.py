"""The ``out=`` form of an op, derived from the op itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from torsh import dtypes
from torsh._callers import warn
from torsh.autograd._forward import carries
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.dtypes import scalar_name
from torsh.ops._overriding import without_autocast
from torsh.tensor import Tensor, check_apart, check_writable

# What PyTorch's messages call the dtypes.
C_NAMES = {
    "uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int32": "int", "int64": "long int",
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double", "bool": "bool",
    "complex32": "c10::complex<c10::Half>", "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def _other_dtype(out: Any, wanted: Any) -> str:
    return (
        f"Expected out tensor to have dtype {C_NAMES.get(wanted.name, wanted.name)}, but got "
        f"{C_NAMES.get(out.dtype.name, out.dtype.name)} instead"
    )


def write_out(
    fn: Callable[..., Any],
    args: Any,
    kwargs: Any,
    out: Any,
    rule: bool | str | Callable[..., None] = True,
    op: Any = None,
) -> Any:
    """Run ``fn`` and write its result into ``out`` by PyTorch's rules.

    op: whose form this is, for those who may want to take the call over; default: ``fn``'s.

    A differently shaped ``out`` is resized (with a warning unless it is empty); its dtype may differ if the result can be
    cast to it; it may not require grad while recording.
    """
    if state.overrides and (op := op or getattr(fn, "op", None)) is not None:
        from torsh import overrides

        if (handler := overrides.handler((*args, out), kwargs, foreign=True)) is not None:
            return handler(op.fn, args, {**kwargs, "out": out})
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for t in outs:
        if not isinstance(t, Tensor):
            raise TypeError(f"{fn.__name__}(): argument 'out' must be Tensor, not {type(t).__name__}")
    if thread.enabled and any(t._rg for t in outs) or (thread.enabled and _any_requires_grad(args, kwargs)):
        raise RuntimeError(
            f"{fn.__name__}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad. Call it without out=, or inside torch.no_grad()"
        )
    if state.levels:
        given = [x for a in (*outs, *args, *kwargs.values()) for x in (a if isinstance(a, (tuple, list)) else (a,))]
        if any(isinstance(x, Tensor) and carries(x) for x in given):
            raise RuntimeError(
                f"Trying to use forward AD with {fn.__name__} (because it is an out= function) that does not support it: one of the "
                "arguments has a tangent. Call it without out="
            )
    for t in outs:
        if t._vc is not None:
            check_writable(t, fn.__name__)
            for a in args:
                if isinstance(a, Tensor) and a._vc is not None and a._vc.root is t._vc.root:
                    check_apart(t, a)
        for a in args:
            if isinstance(a, (tuple, list)):
                for part in _tensors(a):
                    check_apart(t, part, same=False)
    if callable(rule):
        rule(outs, kwargs)
        rule = "exact"
    spread, told = rule in ("spread", "spread told"), rule == "spread told"
    if spread:
        rule = "filled"
    if rule == "filled":
        wanted = kwargs.get("dtype")
        if wanted is not None and wanted is not outs[0].dtype:
            raise RuntimeError(
                f"dtype {scalar_name(wanted)} does not match dtype of out parameter ({scalar_name(outs[0].dtype)})"
            )
        kwargs = {**kwargs, "dtype": outs[0].dtype, "device": outs[0].device}
    elif (wanted := kwargs.get("dtype")) is not None:
        wanted = wanted.to_real() if rule == "magnitude" else wanted  # a norm is real
        if wanted is not outs[0].dtype:
            raise RuntimeError(_other_dtype(outs[0], wanted))
    if rule == "truth":
        if outs[0].dtype not in (dtypes.bool, dtypes.uint8):
            raise RuntimeError(f"{fn.__name__} only supports bool tensor for result, got: {scalar_name(outs[0].dtype)}")
        rule = "any"
    result = without_autocast(fn, args, kwargs)
    results = result if isinstance(result, (tuple, list)) else (result,)
    if len(results) != len(outs):
        raise TypeError(f"{fn.__name__}(): expected {len(results)} tensors for out=, got {len(outs)}")
    for t, r in zip(outs, results):
        if rule == "scalar" and t.dtype is not r.dtype:
            raise RuntimeError(f"expected scalar_type {scalar_name(r.dtype)} but found {scalar_name(t.dtype)}")
        if rule == "object" and t.dtype is not r.dtype:
            raise RuntimeError(
                f"Expected object of scalar type {scalar_name(r.dtype)} but got scalar type {scalar_name(t.dtype)} for argument 'out'"
            )
        if rule == "same" and t.dtype is not r.dtype:
            raise RuntimeError(f"Found dtype {scalar_name(t.dtype)} but expected {scalar_name(r.dtype)}")
        if rule not in (True, "filled", "any") and t.dtype is not r.dtype:
            raise RuntimeError(_other_dtype(t, r.dtype))
        if rule != "any":
            check_out(t, r)
        if rule == "exact":
            for a in _tensors((*args, *kwargs.values())):
                check_apart(t, a, same=False)
    for t, r in zip(outs, results):
        if spread and t.numel() == r.numel():
            r = r.reshape(tuple(t.shape))
        if tuple(t.shape) != tuple(r.shape):
            if told:
                warn(
                    f"The number of elements in the out tensor of shape {list(t.shape)} is {t.numel()} which does not match the computed "
                    f"number of elements {r.numel()}. Note that this may occur as a result of rounding error. The out tensor will be "
                    f"resized to a tensor of shape ({r.numel()},)."
                )
            elif t.numel() and rule != "filled":
                warnings.warn(
                    f"An output with one or more elements was resized since it had shape {list(t.shape)}, which does not "
                    f"match the required output shape {list(r.shape)}. This behavior is deprecated, and in a future PyTorch release "
                    "outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing "
                    "it, inplace, to zero elements with t.resize_(0).",
                    UserWarning,
                    stacklevel=3,
                )
            t.resize_(tuple(r.shape))
        t.copy_(r)
    if isinstance(out, (tuple, list)) and not isinstance(result, Tensor):
        return type(result)(*outs) if hasattr(result, "_fields") else type(result)(outs)
    return outs[0]


def check_out(out: Tensor, result: Tensor) -> None:
    if out._kind.place is not result._kind.place:
        raise RuntimeError(f"Expected out tensor to be on device {result.device}, but it is on {out.device}")
    if not dtypes.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"result type {scalar_name(result.dtype)} can't be cast to the desired output type {scalar_name(out.dtype)}; "
            f"pass an out tensor of dtype {result.dtype}"
        )


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments, and in lists among them."""
    for v in values:
        if isinstance(v, Tensor):
            yield v
        elif isinstance(v, (tuple, list)):
            yield from _tensors(v)


def _any_requires_grad(args: Any, kwargs: Any) -> bool:
    def any_in(values: Any) -> bool:
        return any((isinstance(v, Tensor) and v._rg) or (isinstance(v, (tuple, list)) and any_in(v)) for v in values)

    return any_in(args) or any_in(kwargs.values())
