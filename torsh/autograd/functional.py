"""Jacobians, Hessians and their products by the reverse-mode engine.

Source: https://docs.pytorch.org/docs/stable/autograd.html#functional-higher-level-api
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.autograd import grad
from torsh.autograd.function import fresh_leaf
from torsh.autograd.grad_mode import enable_grad
from torsh.tensor import Tensor


def _tuple(x: Any, name: str, what: str) -> tuple[bool, tuple[Any, ...]]:
    many = isinstance(x, tuple)
    found = x if many else (x,)
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            where = f"at index {i} " if many else ""
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the value {where}has type "
                f"{type(t)}."
            )
    return many, found


def _prepare(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Inputs to differentiate: views of the given ones if the result shall have a graph, else fresh leaves."""
    if create_graph:
        return tuple(t.view_as(t) if t.requires_grad else fresh_leaf(t) for t in inputs)
    return tuple(fresh_leaf(t) for t in inputs)


def _finish(values: Any, create_graph: bool) -> Any:
    if isinstance(values, Tensor):
        return values if create_graph else values.detach()
    return tuple(_finish(v, create_graph) for v in values)


def _run(func: Callable[..., Any], inputs: Any, create_graph: bool, name: str) -> Any:
    many_in, given = _tuple(inputs, name, "inputs")
    given = _prepare(given, create_graph)
    many_out, outputs = _tuple(func(*given), name, "outputs of the user-provided function")
    return many_in, given, many_out, outputs


def _grads(outputs: Any, inputs: Any, cotangents: Any, create_graph: bool, strict: bool = False) -> tuple[Any, ...]:
    tracked = [(o, c) for o, c in zip(outputs, cotangents) if o.requires_grad]
    if strict and len(tracked) < len(outputs):
        raise RuntimeError(
            "Output of the user-provided function does not require gradients. The outputs must be computed in a differentiable "
            "manner from the input when running in strict mode."
        )
    if not tracked:
        return tuple(t.new_zeros(tuple(t.shape)) for t in inputs)
    found = grad(
        [o for o, _ in tracked], inputs, [c for _, c in tracked], retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    if strict and any(g is None for g in found):
        i = next(i for i, g in enumerate(found) if g is None)
        raise RuntimeError(
            f"The output of the user-provided function is independent of input {i}. This is not allowed in strict mode."
        )
    return tuple(t.new_zeros(tuple(t.shape)) if g is None else g for t, g in zip(inputs, found))


def _cotangents(v: Any, like: tuple[Tensor, ...], name: str) -> tuple[Any, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
                if name in ("vjp", "vhp")
                else f"The vector v passed to {name} can only be None if the input of the user-provided function is a single "
                "Tensor with a single element."
            )
        return (like[0].new_ones(tuple(like[0].shape)),)
    _, v = _tuple(v, name, "vector v")
    if len(v) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
    for i, (a, b) in enumerate(zip(v, like)):
        if tuple(a.shape) != tuple(b.shape):
            raise RuntimeError(f"Entry {i} of v has invalid size: should be {b.shape} but got {a.shape}.")
    return tuple(v)


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, the product of ``v`` with the Jacobian): v has the outputs' shapes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html

    >>> import torsh
    >>> torsh.autograd.functional.vjp(lambda x: x ** 2, torsh.tensor([1., 2.]), torsh.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        many_in, given, many_out, outputs = _run(func, inputs, create_graph, "vjp")
        found = _grads(outputs, given, _cotangents(v, outputs, "vjp"), create_graph, strict)
    return _shape(_finish(outputs, create_graph), many_out), _shape(_finish(found, create_graph), many_in)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, the product of the Jacobian with ``v``): v has the inputs' shapes.  Two reverse passes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html

    >>> import torsh
    >>> torsh.autograd.functional.jvp(lambda x: x ** 2, torsh.tensor([1., 2.]), torsh.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        _, given, many_out, outputs = _run(func, inputs, create_graph, "jvp")
        v = _cotangents(v, given, "jvp")
        dummies = tuple(o.detach().new_ones(tuple(o.shape)).requires_grad_() for o in outputs)
        first = _grads(outputs, given, dummies, True, strict)
        tracked = [g for g in first if g.requires_grad]
        if tracked:
            pairs = [(g, w) for g, w in zip(first, v) if g.requires_grad]
            found = grad(
                [g for g, _ in pairs], dummies, [w for _, w in pairs], create_graph=create_graph, allow_unused=True
            )
        else:
            found = (None,) * len(dummies)
        found = tuple(o.new_zeros(tuple(o.shape)) if g is None else g for o, g in zip(outputs, found))
    return _shape(_finish(outputs, create_graph), many_out), _shape(_finish(found, create_graph), many_out)


def _shape(values: tuple[Any, ...], many: bool) -> Any:
    return values if many else values[0]


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """d outputs / d inputs, each of shape (output shape, input shape); nested tuples where there are several of either.

    vectorize, strategy: accepted; the result is the same.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html

    >>> import torsh
    >>> torsh.autograd.functional.jacobian(lambda x: x ** 2, torsh.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            'Expected strategy to be either "reverse-mode" or "forward-mode". Hint: If your function has more outputs than '
            f'inputs, "forward-mode" tends to be more performant. Got {strategy!r}'
        )
    with enable_grad():
        many_in, given, many_out, outputs = _run(func, inputs, create_graph, "jacobian")
        whole = []
        for out in outputs:
            size = out.numel()
            rows: list[list[Any]] = [[] for _ in given]
            for j in range(size):
                unit = out.detach().new_zeros(size)
                unit[j] = 1
                found = _grads((out,), given, (unit.reshape(tuple(out.shape)),), create_graph, strict)
                for row, g in zip(rows, found):
                    row.append(g)
            blocks = []
            for t, row in zip(given, rows):
                shape = (*out.shape, *t.shape)
                blocks.append(_stack(row).reshape(shape) if row else t.new_zeros(shape))
            whole.append(_shape(tuple(blocks), many_in))
    return _finish(_shape(tuple(whole), many_out), create_graph)


def _stack(tensors: list[Tensor]) -> Tensor:
    import torsh

    result: Tensor = torsh.stack(tensors)
    return result


def _scalar(func: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    def checked(*args: Any) -> Tensor:
        out = func(*args)
        if not isinstance(out, Tensor):
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if out.numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single element"
            )
        return out.reshape(())

    return checked


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one value, each block of shape (input i shape, input j shape).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html

    >>> import torsh
    >>> torsh.autograd.functional.hessian(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, _ = _tuple(inputs, "hessian", "inputs")
    checked = _scalar(func, "hessian")

    def gradient(*args: Tensor) -> tuple[Any, ...]:
        tracked = tuple(a if a.requires_grad else a.requires_grad_() for a in args)
        return _grads((checked(*tracked),), tracked, (args[0].new_ones(()),), True, strict)

    found = jacobian(gradient, inputs if many else (inputs,), create_graph, strict)
    return found if many else found[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(value, the product of ``v`` with the Hessian).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html

    >>> import torsh
    >>> torsh.autograd.functional.vhp(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]), torsh.tensor([1., 0.]))
    (tensor(9.), tensor([6., 0.]))
    """
    with enable_grad():
        many, given, _, outputs = _run(_scalar(func, "vhp"), inputs, create_graph, "vhp")
        v = _cotangents(v, given, "vhp")
        first = _grads(outputs, given, (outputs[0].new_ones(()),), True, strict)
        found = _grads(first, given, v, create_graph)
    return _finish(outputs[0], create_graph), _shape(_finish(found, create_graph), many)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(value, the product of the Hessian with ``v``); the Hessian is symmetric, so this is ``vhp``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html

    >>> import torsh
    >>> torsh.autograd.functional.hvp(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]), torsh.tensor([1., 0.]))
    (tensor(9.), tensor([6., 0.]))
    """
    return vhp(func, inputs, v, create_graph, strict)
