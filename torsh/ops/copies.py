"""Copying forms of views (``view_copy``, ``select_copy``, ...), derived from the views."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torsh.ops import complex, joining, shape, slicing, storage
from torsh.ops._op import composite
from torsh.ops.conversion import packed
from torsh.tensor import Tensor


def copying(name: str, view: Callable[..., Any]) -> None:
    """Declare ``name_copy``: the view's result in memory of its own."""

    @functools.wraps(view)
    def function(*args: Any, **kwargs: Any) -> Any:
        found = view(*args, **kwargs)
        return packed(found) if isinstance(found, Tensor) else tuple(packed(t) for t in found)

    def several(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if out is None:
            return found
        for target, t in zip(out, found):  # with out= these give None, as in PyTorch
            target.resize_(tuple(t.shape)).copy_(t)

    function.__signature__ = inspect.signature(view)  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = f"{name}_copy"
    function.__doc__ = (
        f"Copy of what :func:`{name}` gives: the result shares no memory with the input.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.{name}_copy.html"
    )
    if name in ("split", "split_with_sizes", "unbind"):
        composite(f"torch.{name}_copy")(functools.wraps(function)(several))
    else:
        composite(f"torch.{name}_copy", out=True)(function)


def _alias(input):
    return input.view_as(input)


def _detach(input):
    return input.detach()


def slice_(input, dim=0, start=None, end=None, step=1):
    """Positions ``start`` to ``end`` of a dimension, ``step`` apart."""
    from torsh.ops._args import wrap_dim

    dim = wrap_dim(dim, input.ndim)
    return slicing.slice_(input, dim, *slicing.clamped(start, end, input.shape[dim]), step)


def _expand(input, size, *, implicit=False):
    return shape.expand(input, size)


for _name, _view in {
    "view": shape.view, "permute": shape.permute, "transpose": shape.transpose, "t": shape.t, "squeeze": shape.squeeze,
    "unsqueeze": shape.unsqueeze, "expand": _expand, "select": slicing.select, "slice": slice_, "diagonal": slicing.diagonal,
    "unfold": slicing.unfold, "as_strided": storage.as_strided, "split": joining.split, "unbind": joining.unbind,
    "split_with_sizes": joining.split_with_sizes, "alias": _alias, "detach": _detach, "view_as_real": complex.view_as_real, "view_as_complex": complex.view_as_complex,
    "_conj": complex._conj, "_neg_view": complex._neg_view,
}.items():  # fmt: skip
    copying(_name, _view)


def _members_copy(name: str) -> None:
    """Declare ``name_copy`` of a sparse tensor's member."""

    def function(input):
        return getattr(input, name)().clone()

    function.__name__ = function.__qualname__ = f"{name}_copy"
    function.__doc__ = (
        f"Copy of what :func:`{name}` gives of a sparse tensor: the result shares no memory with it.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}.html"
    )
    globals()[function.__name__] = function


for _name in ("indices", "values", "crow_indices", "col_indices", "ccol_indices", "row_indices"):
    _members_copy(_name)


@composite("torch.detach", name="detach")
def detach(input):
    """The same memory outside the autograd graph.

    The memory is shared; the result does not require grad.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> torsh.detach(x * 2)
    tensor([2.])
    """
    return input.detach()


@composite("torch.detach_", name="detach_")
def detach_(input):
    """Take a tensor out of the autograd graph.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.tensor([1.], requires_grad=True) * 2
    >>> torsh.detach_(x).requires_grad
    False
    """
    return input.detach_()


@composite("torch.resize_as_", name="resize_as_")
def resize_as_(input, the_template, *, memory_format=None):
    """Give a tensor the size of another.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.resize_as_(torsh.arange(4), torsh.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return input.resize_as_(the_template, memory_format=memory_format)
