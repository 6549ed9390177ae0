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
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                + (f"value at index {i}" if many else f"given {what}")
                + f" has type {type(t)}."
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


def _outputs(result: Any, name: str, strict: bool) -> tuple[bool, tuple[Any, ...]]:
    """(whether there are several, the outputs) of the user's function."""
    many, outputs = _tuple(result, name, "outputs of the user-provided function")
    if strict:
        for i, out in enumerate(outputs):
            if not out.requires_grad:
                raise RuntimeError(
                    f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a "
                    "differentiable manner from the input when running in strict mode."
                )
    return many, outputs


def _grads(outputs: Any, inputs: Any, cotangents: Any, create_graph: bool, batched: bool = False) -> tuple[Any, ...]:
    """Gradients of those outputs that have any; None where nothing depends."""
    tracked = [(o, c) for o, c in zip(outputs, cotangents) if o is not None and o.requires_grad]
    if not tracked:
        return (None,) * len(inputs)
    return grad(
        [o for o, _ in tracked], inputs, [c for _, c in tracked], retain_graph=True, create_graph=create_graph, allow_unused=True,
        is_grads_batched=batched,
    )  # fmt: skip


_STRICT = "This is not allowed in strict mode"
# What a strict call says of derivative number {i} where it is missing, or, with ``create_graph``, where it is a constant.
_MISSING = {
    "vjp": (f"The output of the user-provided function is independent of input {{i}}. {_STRICT}.", "jacobian"),
    "jvp": (
        f"The gradient with respect to the input is independent of entry {{i}} in the grad_outputs when using the double backward "
        f"trick to compute forward mode gradients. {_STRICT}.",
        "jacobian",
    ),
    "vhp": (f"The jacobian of the user-provided function is independent of input {{i}}. {_STRICT}.", "hessian"),
    "hvp": (
        f"The hessian of the user-provided function is independent of entry {{i}} in the grad_jacobian. {_STRICT} as it prevents "
        "from using the double backward trick to replace forward mode AD.",
        "hessian",
    ),
}


def _filled(found: Any, like: Any, name: str, strict: bool, create_graph: bool) -> tuple[Any, ...]:
    """Derivatives with zeros for those that nothing depends on; an error in their place where the call is strict."""
    missing, what = _MISSING[name]
    whole = []
    for i, (g, t) in enumerate(zip(found, like)):
        if strict and g is None:
            raise RuntimeError(missing.format(i=i))
        if strict and create_graph and not g.requires_grad:
            raise RuntimeError(
                f"The {what} of the user-provided function is independent of input {i}. {_STRICT} when create_graph=True."
            )
        whole.append(t.new_zeros(tuple(t.shape)) if g is None else g)
    return tuple(whole)


def _strictly(found: Any, what: str) -> None:
    """Refuse first derivatives that are missing or constant where a second is to be taken of them."""
    for i, g in enumerate(found):
        if g is None:
            raise RuntimeError(f"The output of the user-provided function is independent of input {i}. {_STRICT}.")
        if not g.requires_grad:
            raise RuntimeError(
                f"The gradient with respect to input {i} is independent of the inputs of the user-provided function. {_STRICT}."
                if what == "gradient"
                else f"While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} "
                f"is independent of the input. {_STRICT}. You should ensure that your function is twice differentiable and that the "
                "jacobian depends on the inputs (this would be violated by a linear function for example)."
            )


def _vector(v: Any, like: tuple[Tensor, ...], many: bool, name: str) -> tuple[Any, ...]:
    """The given vector, one part for each of the tensors whose shapes it must have."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            whose = "user-provided function returns" if name == "vjp" else "input to the user-provided function is"
            raise RuntimeError(f"The vector v can only be None if the {whose} a single Tensor with a single element.")
        return (like[0].new_ones(tuple(like[0].shape)),)
    _, v = _tuple(v, name, "v")
    if len(v) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}." if many
            else "The given v should contain a single Tensor."
        )  # fmt: skip
    for i, (a, b) in enumerate(zip(v, like)):
        if tuple(a.shape) != tuple(b.shape):
            entry = f"Entry {i} in " if many else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {b.shape} but got {a.shape}.")
    return tuple(v)


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, the product of ``v`` with the Jacobian): v has the outputs' shapes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html

    >>> import torsh
    >>> torsh.autograd.functional.vjp(lambda x: x ** 2, torsh.tensor([1., 2.]), torsh.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        many_in, given = _tuple(inputs, "vjp", "inputs")
        given = _prepare(given, create_graph)
        many_out, outputs = _outputs(func(*given), "vjp", strict)
        v = _vector(v, outputs, many_out, "vjp")
        found = _filled(_grads(outputs, given, v, create_graph), given, "vjp", strict, create_graph)
    return _shape(_finish(outputs, create_graph), many_out), _shape(_finish(found, create_graph), many_in)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, the product of the Jacobian with ``v``): v has the inputs' shapes.  Two reverse passes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html

    >>> import torsh
    >>> torsh.autograd.functional.jvp(lambda x: x ** 2, torsh.tensor([1., 2.]), torsh.tensor([1., 1.]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        many_in, given = _tuple(inputs, "jvp", "inputs")
        given = _prepare(given, create_graph)
        v = _vector(v, given, many_in, "jvp")
        many_out, outputs = _outputs(func(*given), "jvp", strict)
        dummies = tuple(o.detach().new_ones(tuple(o.shape)).requires_grad_() for o in outputs)
        first = _grads(outputs, given, dummies, True)
        if strict:
            _strictly(first, "gradient")
        found = _filled(_grads(first, dummies, v, create_graph), outputs, "jvp", strict, create_graph)
    return _shape(_finish(outputs, create_graph), many_out), _shape(_finish(found, create_graph), many_out)


def _shape(values: tuple[Any, ...], many: bool) -> Any:
    return values if many else values[0]


def _basis(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The unit vectors of all tensors together: each tensor's part of them, as rows over its elements."""
    sizes = [t.numel() for t in tensors]
    parts = []
    for i, t in enumerate(tensors):
        part = t.detach().new_zeros((sum(sizes), sizes[i]))
        part.diagonal(-sum(sizes[:i])).fill_(1)
        parts.append(part)
    return tuple(parts)


def _by_columns(func: Callable[..., Any], inputs: Any, strict: bool, vectorize: bool) -> Any:
    """The Jacobian by one directional derivative per input element, all at once."""
    from torsh.func._transforms import in_all_directions

    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). Please '
            'either set `strict=False` or `strategy="reverse-mode"`.'
        )
    many_in, given = _tuple(inputs, "jacobian", "inputs")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for `vectorize=True`."
        )
    many_out = False

    def flat(*args: Tensor) -> tuple[Any, ...]:
        nonlocal many_out
        many_out, outputs = _tuple(func(*args), "jacobian", "outputs of the user-provided function")
        return outputs

    found, _ = in_all_directions(flat, [t.detach() for t in given])
    return _shape(tuple([_shape(tuple([b.detach() for b in blocks]), many_in) for blocks in found]), many_out)


def _rows_at_once(outputs: Any, given: Any, create_graph: bool) -> list[tuple[Any, ...]]:
    """Blocks of the Jacobian, by output and input, from one backward pass for all rows."""
    sizes = [o.numel() for o in outputs]
    found = _grads([o.reshape(-1) for o in outputs], given, _basis(outputs), create_graph, batched=True)
    per_input = [t.new_zeros((sum(sizes), *t.shape)) if g is None else g for g, t in zip(found, given)]
    split = [g.split(sizes, dim=0) for g in per_input]
    return [
        tuple(parts[k].reshape((*out.shape, *t.shape)) for parts, t in zip(split, given))
        for k, out in enumerate(outputs)
    ]


def _row_by_row(outputs: Any, given: Any, create_graph: bool, strict: bool) -> list[tuple[Any, ...]]:
    """Blocks of the Jacobian, by output and input, from a backward pass for each row."""
    whole = []
    for k, out in enumerate(outputs):
        size = out.numel()
        rows: list[list[Any]] = [[] for _ in given]
        for j in range(size):
            unit = out.detach().new_zeros(size)
            unit[j] = 1
            found = _grads((out,), given, (unit.reshape(tuple(out.shape)),), create_graph)
            for i, (row, g, t) in enumerate(zip(rows, found, given)):
                if strict and g is None:
                    raise RuntimeError(
                        f"Output {k} of the user-provided function is independent of input {i}. {_STRICT}."
                    )
                if strict and create_graph and not g.requires_grad:
                    raise RuntimeError(
                        f"The jacobian of the user-provided function is independent of input {k}. {_STRICT} when create_graph=True."
                    )
                row.append(t.new_zeros(tuple(t.shape)) if g is None else g)
        blocks = []
        for t, row in zip(given, rows):
            shape = (*out.shape, *t.shape)
            blocks.append(_stack(row).reshape(shape) if row else t.new_zeros(shape))
        whole.append(tuple(blocks))
    return whole


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """d outputs / d inputs, each of shape (output shape, input shape); nested tuples where there are several of either.

    strict: an input that an output does not depend on is an error instead of zeros.  vectorize: all rows in one backward pass
    (under ``vmap``) instead of one for each.  strategy: "forward-mode" goes by columns, which is less work where there are more
    outputs than inputs; it needs ``vectorize`` and takes neither ``strict`` nor ``create_graph``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html

    >>> import torsh
    >>> torsh.autograd.functional.jacobian(lambda x: x ** 2, torsh.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, '
            f'"forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode". Got {strategy!r}'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together '
                '(yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        return _by_columns(func, inputs, strict, vectorize)
    with enable_grad():
        many_in, given = _tuple(inputs, "jacobian", "inputs")
        given = _prepare(given, create_graph)
        many_out, outputs = _outputs(func(*given), "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
                "set `strict=False` or `vectorize=False`."
            )
        blocks = (
            _rows_at_once(outputs, given, create_graph)
            if vectorize
            else _row_by_row(outputs, given, create_graph, strict)
        )
    return _finish(_shape(tuple(_shape(b, many_in) for b in blocks), many_out), create_graph)


def _stack(tensors: list[Tensor]) -> Tensor:
    import torsh

    result: Tensor = torsh.stack(tensors)
    return result


def _scalar(result: Any, name: str, strict: bool) -> Tensor:
    """The result of a function that is to have one value."""
    many, outputs = _outputs(result, name, strict)
    if many:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element, but it has "
            f"{outputs[0].numel()}: its shape is {list(outputs[0].shape)}"
        )
    return outputs[0]  # type: ignore[no-any-return]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one value, each block of shape (input i shape, input j shape).

    vectorize, outer_jacobian_strategy: how the gradient is differentiated, as in ``jacobian``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html

    >>> import torsh
    >>> torsh.autograd.functional.hessian(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, given = _tuple(inputs, "hessian", "inputs")
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            f'Expected strategy to be either "forward-mode" or "reverse-mode". Got {outer_jacobian_strategy!r}'
        )

    def gradient(*args: Tensor) -> tuple[Any, ...]:
        tracked = tuple(a if a.requires_grad else a.requires_grad_() for a in args)
        found = jacobian(lambda *a: _scalar(func(*a), "hessian", strict).reshape(()), tracked, create_graph=True)
        if strict:
            _strictly(found, "jacobian")
        return found  # type: ignore[no-any-return]

    found = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if many else found[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(value, the product of ``v`` with the Hessian).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html

    >>> import torsh
    >>> torsh.autograd.functional.vhp(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]), torsh.tensor([1., 0.]))
    (tensor(9.), tensor([6., 0.]))
    """
    return _second(func, inputs, v, create_graph, strict, "vhp")


def _second(func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool, name: str) -> Any:
    with enable_grad():
        many, given = _tuple(inputs, name, "inputs")
        given = _prepare(given, create_graph)
        v = _vector(v, given, many, name)
        value = _scalar(func(*given), name, strict)
        first = _grads((value,), given, (value.new_ones(tuple(value.shape)),), True)
        if strict:
            _strictly(first, "jacobian")
        found = _filled(_grads(first, given, v, create_graph), given, name, strict, create_graph)
    return _finish(value, create_graph), _shape(_finish(found, create_graph), many)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(value, the product of the Hessian with ``v``); the Hessian is symmetric, so this is ``vhp``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html

    >>> import torsh
    >>> torsh.autograd.functional.hvp(lambda x: (x ** 3).sum(), torsh.tensor([1., 2.]), torsh.tensor([1., 0.]))
    (tensor(9.), tensor([6., 0.]))
    """
    return _second(func, inputs, v, create_graph, strict, "hvp")
