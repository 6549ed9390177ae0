"""Branches and loops as functions of functions.  They run as Python runs them, so that what they do is recorded like any code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.tensor import Tensor


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: tuple[Any, ...] | list[Any] = ()
) -> Any:
    """``true_fn(*operands)`` if ``pred`` else ``false_fn(*operands)``.

    pred: a bool, number or tensor with one element.  operands: a tuple or list of tensors.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.cond.html

    >>> import torsh
    >>> x = torsh.tensor([1.0, 2.0])
    >>> torsh.cond(x.sum() > 2, lambda t: t + 1, lambda t: t - 1, (x,))
    tensor([2., 3.])
    """
    if not isinstance(pred, (bool, int, float, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError("Expect both branches to be callable.")
    if not isinstance(operands, (tuple, list)):
        raise RuntimeError(
            f"Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of tensor leaves, but got {operands}."
        )
    return true_fn(*operands) if bool(pred) else false_fn(*operands)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """Call ``body_fn`` on what it gave last, beginning with ``carried_inputs``, for as long as ``cond_fn`` of it is true.

    Both get the carried values as arguments; ``body_fn`` gives a tuple of as many.  Returns that tuple.
    Source: https://docs.pytorch.org/docs/stable/higher_order_ops/while_loop.html

    >>> import torsh
    >>> torsh.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (torsh.tensor(0), torsh.tensor(1.0)))
    (tensor(3), tensor(8.))
    """
    if not callable(cond_fn) or not callable(body_fn):
        raise RuntimeError("Expect cond_fn and body_fn to be callable.")
    if not isinstance(carried_inputs, (tuple, list)):
        raise RuntimeError(f"Expect carried_inputs to be a tuple or list, but got {type(carried_inputs)}")
    values = tuple(carried_inputs)
    while True:
        more = cond_fn(*values)
        if not isinstance(more, (bool, int)) and not (isinstance(more, Tensor) and more.numel() == 1):
            raise RuntimeError(f"cond_fn must return a boolean scalar tensor or a boolean but got {more}")
        if not bool(more):
            return values
        found = body_fn(*values)
        if not isinstance(found, (tuple, list)) or len(found) != len(values):
            raise RuntimeError(
                f"body_fn should return as many values as it takes ({len(values)}), but got {len(found) if isinstance(found, (tuple, list)) else found}"
            )
        values = tuple(found)


__all__ = ["cond", "while_loop"]
