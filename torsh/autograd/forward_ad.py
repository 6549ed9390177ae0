"""Forward-mode derivatives: tensors with a tangent.

A dual tensor is tracked by the reverse-mode engine; its derivative is taken when ``unpack_dual`` asks for it, as the
derivative of the vector-Jacobian product (which is linear in its cotangent) with respect to that cotangent.

Source: https://docs.pytorch.org/docs/stable/autograd.html#forward-mode-automatic-differentiation
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torsh.autograd import grad
from torsh.autograd.function import around, fresh_leaf
from torsh.autograd.grad_mode import enable_grad
from torsh.tensor import Tensor


class UnpackedDualTensor(NamedTuple):
    """What ``unpack_dual`` gives: the values, and the derivative (None for a tensor that depends on no dual one).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.UnpackedDualTensor.html

    >>> import torsh
    >>> import torsh.autograd.forward_ad as fwAD
    >>> fwAD.UnpackedDualTensor(torsh.tensor(1.), None)._fields
    ('primal', 'tangent')
    """

    primal: Any
    tangent: Any


_levels: list[list[tuple[Tensor, Tensor]]] = []


class dual_level:
    """Dual tensors live inside this context and lose their tangents at its end.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.dual_level.html

    >>> import torsh
    >>> import torsh.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torsh.tensor(2.), torsh.tensor(1.))
    ...     y = fwAD.unpack_dual(x ** 3)
    ...     print(y.primal, y.tangent)
    tensor(8.) tensor(12.)
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def enter_dual_level() -> int:
    """Begin a level; it must be ended by ``exit_dual_level``.  Returns its number.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.enter_dual_level.html

    >>> import torsh.autograd.forward_ad as fwAD
    >>> fwAD.enter_dual_level()
    0
    >>> fwAD.exit_dual_level()
    """
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    return len(_levels) - 1


def exit_dual_level(*, level: int | None = None) -> None:
    """End a level.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.exit_dual_level.html

    >>> import torsh.autograd.forward_ad as fwAD
    >>> level = fwAD.enter_dual_level()
    >>> fwAD.exit_dual_level(level=level)
    """
    if not _levels:
        raise RuntimeError("Trying to exit a forward AD level but no level is entered: call enter_dual_level() first")
    if level is not None and level != len(_levels) - 1:
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    _levels.pop()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor of the same values with a tangent of the same shape.  Only inside ``dual_level``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.make_dual.html

    >>> import torsh
    >>> import torsh.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torsh.tensor([1., 2.]), torsh.tensor([1., 0.]))
    ...     print(fwAD.unpack_dual(x * 3).tangent)
    tensor([3., 0.])
    """
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    if not tensor._kind.inexact:
        raise ValueError(f"Expected primal to be floating point or complex, but got: {tensor.dtype}")
    if not tangent._kind.inexact:
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {tangent.dtype}")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError(
            f"Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
            f"Tensor is of size {list(tensor.shape)} while the given forward gradient is of size {list(tangent.shape)}."
        )
    dual = tensor.view_as(tensor) if tensor._rg else fresh_leaf(tensor)
    _levels[-1].append((dual, tangent))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """(values, tangent) of a tensor computed from dual ones.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.unpack_dual.html

    >>> import torsh
    >>> import torsh.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     print(fwAD.unpack_dual(torsh.tensor([1.])).tangent)  # not a dual tensor
    None
    """
    if not _levels:
        return UnpackedDualTensor(tensor, None)
    for dual, tangent in _levels[-1]:
        if tensor is dual:
            return UnpackedDualTensor(tensor.detach(), tangent)
    if not tensor._rg:
        return UnpackedDualTensor(tensor, None)
    with enable_grad():
        duals = [d for d, _ in _levels[-1]]
        probe = (tensor.detach().new_ones(tuple(tensor.shape))).requires_grad_()
        around.forward_mode += 1
        try:
            first = grad(tensor, duals, probe, create_graph=True, allow_unused=True)
        finally:
            around.forward_mode -= 1
        pairs = [(g, t) for g, (_, t) in zip(first, _levels[-1]) if g is not None and g._rg]
        if not pairs:
            return UnpackedDualTensor(tensor.detach(), None)
        keep = any(t._rg for _, t in pairs)
        (derivative,) = grad([g for g, _ in pairs], probe, [t for _, t in pairs], create_graph=keep, allow_unused=True)
        if derivative is None:  # no gradient depends on the cotangent: they are zero
            derivative = tensor.detach().new_zeros(tuple(tensor.shape))
    return UnpackedDualTensor(tensor.detach(), derivative)
