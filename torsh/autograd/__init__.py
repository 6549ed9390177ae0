"""Automatic differentiation.  Source: https://docs.pytorch.org/docs/stable/autograd.html"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from torsh.autograd import engine
from torsh.autograd.grad_mode import (
    _unsafe_preserve_version_counter,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from torsh.dispatch import state

__all__ = [
    "Function", "anomaly_mode", "backward", "detect_anomaly", "enable_grad",
    "enforce_grad_layout_policy", "function", "functional", "grad", "grad_mode",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "is_grad_enabled",
    "is_inference_mode_enabled", "no_grad", "set_detect_anomaly",
    "set_grad_enabled", "set_multithreading_enabled", "variable",
]  # fmt: skip

# What is rarely used, or needs the ops, comes when first asked for.
_LATER = {
    "Function": "function", "detect_anomaly": "anomaly_mode", "set_detect_anomaly": "anomaly_mode", "gradcheck": "gradcheck",
    "gradgradcheck": "gradcheck", "Variable": "variable", "once_differentiable": "function",
}  # fmt: skip
_MODULES = ("anomaly_mode", "forward_ad", "function", "functional", "graph", "profiler", "variable")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES, "is_tensor_like"})


def __getattr__(name: str) -> Any:
    if name == "is_tensor_like":
        from torsh.overrides import is_tensor_like as value
    elif name in _LATER:
        value = getattr(importlib.import_module(f"torsh.autograd.{_LATER[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"torsh.autograd.{name}")
    else:
        raise AttributeError(f"module 'torch.autograd' has no attribute {name!r}")
    globals()[name] = value
    return value


class enforce_grad_layout_policy:
    """Accepted for programs that use it: a gradient's memory layout is whatever its computation gave.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.enforce_grad_layout_policy.html

    >>> import torsh
    >>> with torsh.autograd.enforce_grad_layout_policy(True):
    ...     pass
    """

    def __init__(self, enable: bool = True) -> None:
        self.mode = enable

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


class _Multithreading(threading.local):
    """What programs asked for."""

    asked: bool = True


_multithreading = _Multithreading()


class set_multithreading_enabled:
    """Kept for programs that ask for it: the engine runs every backward pass in the calling thread in any case.

    As a context manager, and as a plain call, as in PyTorch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.set_multithreading_enabled.html

    >>> import torsh
    >>> with torsh.autograd.set_multithreading_enabled(False):
    ...     pass
    """

    def __init__(self, mode: bool) -> None:
        self.prev = _multithreading.asked
        self.mode = _multithreading.asked = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        _multithreading.asked = self.prev


def _sequence(x: Any) -> tuple[Any, ...]:
    if isinstance(x, (tuple, list)) and not _is_edge(x):
        return tuple(x)
    return tuple(x) if isinstance(x, Iterator) else (x,)  # as ``module.parameters()``


def _is_edge(x: Any) -> bool:
    return isinstance(x, tuple) and hasattr(x, "output_nr")


def _edge(target: Any) -> tuple[Any, int]:
    """The place a tensor, or a ``GradientEdge``, stands for."""
    if isinstance(target, tuple):
        node, number = target[0], target[1]
        return (node.variable if isinstance(node, engine.AccumulateGrad) else node, number)
    return engine.edge_of(target)


def _roots(tensors: Sequence[Any], grads: Sequence[Any]) -> list[tuple[Any, int, Any]]:
    if len(grads) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grads)} gradients")
    from torsh.tensor import Tensor

    roots = []
    for i, (t, g) in enumerate(zip(tensors, grads)):
        if _is_edge(t):
            roots.append((*_edge(t), _ones_at(t) if g is None else g))
            continue
        if not t._rg:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if t.numel() != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if not t._kind.floating:
                raise RuntimeError(
                    f"grad can be implicitly created only for real scalar outputs but got {t.dtype}; pass one, or differentiate a "
                    "real number made of the output"
                )
            g = engine.ones_as(t)
        elif not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif t.is_nested or g.is_nested:
            if not t.is_nested or not t.is_same_size(g):
                raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has not the components of output[{i}]")
        elif tuple(g.shape) != tuple(t.shape):
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of {t.shape}."
            )
        elif g._kind is not t._kind:
            if g._kind.complex is not t._kind.complex:
                raise RuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                    f"grad_output[{i}] has a dtype of {g.dtype} and output[{i}] has a dtype of {t.dtype}."
                )
            g = g.to(t.dtype)
        roots.append((*engine.edge_of(t), g))
    return roots


def _ones_at(edge: Any) -> Any:
    """The gradient that is meant where none is given for a GradientEdge: one, if a tensor with one element is there."""
    from torsh.ops.creation import make_full

    shape, kind = edge.node.outputs_at.get(edge.output_nr, ((0,), None))
    if kind is None or prod(shape) != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    return make_full(shape, 1, kind.dtype, kind.device, False)


_told: list[bool] = []  # not empty once the warning about create_graph was given


def _always() -> bool:
    from torsh._functions import is_warn_always_enabled

    return is_warn_always_enabled()


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    grad_variables: Any = None, inputs: Any = None,
) -> None:  # fmt: skip
    """Accumulate the gradients of tensors into the leaves they were computed from.

    grad_tensors: one gradient per tensor, of its shape; None for tensors with one element.
    inputs: accumulate only into these.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2.], requires_grad=True)
    >>> y = x ** 2
    >>> torsh.autograd.backward(y, torsh.tensor([1., 1.]))
    >>> x.grad
    tensor([2., 4.])
    """
    functions = sys.modules.get("torsh.autograd.function")
    if functions is not None and functions.around.transforms:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp instead "
            "or call backward() outside of functorch transforms."
        )
    tensors = _sequence(tensors)
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    grads = (None,) * len(tensors) if grad_tensors is None else _sequence(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    if create_graph and (not _told or _always()):
        _told.append(True)
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can "
            "cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this; else set the .grad fields "
            "of your parameters to None after use to break the cycle.",
            UserWarning,
            stacklevel=3,
        )
    roots = _roots(tensors, grads)
    if inputs is None:
        engine.run(roots, keep, create_graph)
        return
    inputs = _sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for t in inputs:
        if not _is_edge(t) and (not t._rg or t.grad_fn is not None):
            t.retain_grad()
    engine.run(roots, keep, create_graph, [_edge(t) for t in inputs])


def _zeros_for(target: Any, requires_grad: bool) -> Any:
    """The gradient of an input that the outputs do not depend on: zeros, which can be differentiated in turn where a graph is made."""
    from torsh.ops.creation import make_full, zeros_like

    if not isinstance(target, tuple):
        return zeros_like(target, requires_grad=requires_grad)
    shape, kind = target[0].outputs_at.get(target[1], ((), None))
    if kind is None:
        raise RuntimeError(
            "materialize_grads: the shape at this place of the graph is not known; make it with get_gradient_edge"
        )
    return make_full(shape, 0, kind.dtype, kind.device, False).requires_grad_(requires_grad)


def _batched_grad(
    outputs: tuple[Any, ...], inputs: tuple[Any, ...], grads: tuple[Any, ...], retain_graph: bool | None, create_graph: bool,
    allow_unused: bool | None, materialize_grads: bool,
) -> tuple[Any, ...]:  # fmt: skip
    from torsh.func import vmap

    for i, (out, g) in enumerate(zip(outputs, grads)):
        if g is not None and tuple(g.shape[1:]) != tuple(out.shape):
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes "
                "of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {tuple(g.shape)} and output[{i}] has a shape of {tuple(out.shape)}."
            )
    present: list[bool] = []

    def once(*cotangents: Any) -> Any:
        found = grad(
            outputs,
            inputs,
            cotangents,
            retain_graph,
            create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize_grads,
        )
        present[:] = [g is not None for g in found]
        return tuple(g for g in found if g is not None)

    found = iter(vmap(once, in_dims=tuple(None if g is None else 0 for g in grads))(*grads))
    return tuple(next(found) if here else None for here in present)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, as a tuple; no ``.grad`` changes.

    allow_unused: give None for an input that the outputs do not depend on, instead of raising RuntimeError.
    is_grads_batched: the cotangents have a leading dimension, and so do the results: one backward pass under ``vmap``.
    materialize_grads: give zeros instead of None.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html

    >>> import torsh
    >>> x = torsh.tensor(3., requires_grad=True)
    >>> g, = torsh.autograd.grad(x ** 3, x, create_graph=True)
    >>> g
    tensor(27., grad_fn=<MulBackward0>)
    >>> torsh.autograd.grad(g, x)  # the second derivative
    (tensor(18.),)
    """
    from torsh.tensor import Tensor

    outputs, inputs = _sequence(outputs), _sequence(inputs)
    # What is no tensor may be of a class that overrides functions; nobody could tell when that class was made.
    if state.overrides or not all(isinstance(t, Tensor) for t in (*outputs, *inputs)):
        from torsh import overrides

        if overrides.has_torch_function(asked := [*outputs, *inputs]):
            return overrides.handle_torch_function(  # type: ignore[no-any-return]
                grad, asked, outputs, inputs, grad_outputs=grad_outputs, retain_graph=retain_graph, create_graph=create_graph,
                only_inputs=only_inputs, allow_unused=allow_unused, is_grads_batched=is_grads_batched, materialize_grads=materialize_grads,
            )  # fmt: skip
    return _grad(
        outputs,
        inputs,
        grad_outputs,
        retain_graph,
        create_graph,
        only_inputs,
        allow_unused,
        is_grads_batched,
        materialize_grads,
    )


def _grad(
    outputs: tuple[Any, ...], inputs: tuple[Any, ...], grad_outputs: Any, retain_graph: bool | None, create_graph: bool,
    only_inputs: bool, allow_unused: bool | None, is_grads_batched: bool, materialize_grads: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """What ``grad`` does once nobody overrides it; a sparse tensor, whose class answers for its ops, comes here too."""
    grads = (None,) * len(outputs) if grad_outputs is None else _sequence(grad_outputs)
    if is_grads_batched:
        return _batched_grad(outputs, inputs, grads, retain_graph, create_graph, allow_unused, materialize_grads)
    keep = create_graph if retain_graph is None else retain_graph
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts of the "
            "graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=3,
        )
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    for t in inputs:
        if not isinstance(t, tuple) and not t._rg:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    found = engine.run(_roots(outputs, grads), keep, create_graph, [_edge(t) for t in inputs], False) or []
    for i, g in enumerate(found):
        if g is None and materialize_grads:
            found[i] = _zeros_for(inputs[i], create_graph)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set allow_unused=True if "
                "this is the desired behavior."
            )
    return tuple(found)
