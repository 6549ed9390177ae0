"""Forward-mode derivatives: tensors with a tangent.

A dual tensor is tracked by the reverse-mode engine; its derivative is taken when ``unpack_dual`` asks for it, as the
derivative of the vector-Jacobian product (which is linear in its cotangent) with respect to that cotangent.

Source: https://docs.pytorch.org/docs/stable/autograd.html#forward-mode-automatic-differentiation
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from torsh.autograd import grad
from torsh.autograd.engine import Node, edge_of
from torsh.autograd.function import around, fresh_leaf
from torsh.autograd.grad_mode import _DecoratorContextManager, enable_grad
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


class _Dual(Node):
    """Between a dual tensor and the tensor that is differentiated with respect to: writes to the former put their own history in
    its place."""

    def __init__(self, root: Tensor) -> None:
        super().__init__()
        edge, number = edge_of(root)
        self.edges, self.numbers = (edge,), (number,)

    def apply(self, grads: Any) -> Sequence[Any]:
        return (grads,)


class _Made(NamedTuple):
    """A dual tensor: what ``root`` is to others' derivatives, and whether something outside differentiates the root."""

    node: _Dual
    root: Tensor
    tangent: Tensor
    outer: bool


_levels: list[list[_Made]] = []
_current_level = -1


class _Switch(threading.local):
    enabled: bool = True


_switch = _Switch()


def _is_fwd_grad_enabled() -> bool:
    """Whether new dual tensors get a tangent."""
    return _switch.enabled


class _set_fwd_grad_enabled(_DecoratorContextManager):
    """Make tangents (or none) inside."""

    def __init__(self, mode: bool) -> None:
        self._mode, self._before = mode, _switch.enabled
        _switch.enabled = mode

    def __enter__(self) -> None:
        _switch.enabled = self._mode

    def __exit__(self, *exc: object) -> None:
        _switch.enabled = self._before

    def clone(self) -> _set_fwd_grad_enabled:
        return _set_fwd_grad_enabled(self._mode)


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
    global _current_level
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    _current_level = len(_levels) - 1
    return _current_level


def exit_dual_level(*, level: int | None = None) -> None:
    """End a level.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.exit_dual_level.html

    >>> import torsh.autograd.forward_ad as fwAD
    >>> level = fwAD.enter_dual_level()
    >>> fwAD.exit_dual_level(level=level)
    """
    global _current_level
    if not _levels:
        raise RuntimeError("Dual level must be a positive number: no level is entered that could be exited. Call enter_dual_level() first")
    if level is not None and level != len(_levels) - 1:
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    _levels.pop()
    _current_level = len(_levels) - 1


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
    if not _switch.enabled:
        return tensor.view_as(tensor)
    with enable_grad():
        if tensor._rg and _made(tensor) is not None:
            raise RuntimeError(
                "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level "
                f"{_current_level} is not supported."
            )
        root = tensor.view_as(tensor) if tensor._rg else fresh_leaf(tensor)
        dual: Tensor = tensor._alias()
    node = _Dual(root)
    dual._gf, dual._nr, dual._rg = node, 0, True
    _levels[-1].append(_Made(node, root, tangent, tensor._rg))
    return dual


def _made(t: Tensor) -> _Made | None:
    """What a tensor was made of, if it is a dual one as it was made."""
    node = t.grad_fn
    return next((m for m in _levels[-1] if m.node is node), None) if isinstance(node, _Dual) else None


def _others(t: Tensor) -> bool:
    """Whether a tensor depends on something that requires grad besides the dual tensors of this level."""
    ours = {id(m.node): m for m in _levels[-1]}
    seen: set[int] = set()
    stack: list[Any] = [edge_of(t)[0]]
    while stack:
        edge = stack.pop()
        if edge is None or id(edge) in seen:
            continue
        seen.add(id(edge))
        made = ours.get(id(edge))
        if made is not None:
            if made.outer:
                return True
        elif isinstance(edge, Node):
            stack.extend(edge.edges)
        else:
            return True
    return False


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
    if not tensor._rg:
        return UnpackedDualTensor(tensor, None)
    made = _made(tensor)
    outer = _others(tensor)
    primal = tensor.view_as(tensor) if outer else tensor.detach()
    if made is not None:
        return UnpackedDualTensor(primal, made.tangent)
    with enable_grad():
        duals = _levels[-1]
        probe = (tensor.detach().new_ones(tuple(tensor.shape))).requires_grad_()
        around.forward_mode += 1
        try:
            first = grad(tensor, [m.root for m in duals], probe, create_graph=True, allow_unused=True) if duals else ()
        finally:
            around.forward_mode -= 1
        pairs = [(g, m.tangent) for g, m in zip(first, duals) if g is not None and g._rg]
        if not pairs:
            return UnpackedDualTensor(primal, None)
        keep = outer or any(t._rg for _, t in pairs)
        (derivative,) = grad([g for g, _ in pairs], probe, [t for _, t in pairs], create_graph=keep, allow_unused=True)
        if derivative is None:  # no gradient depends on the cotangent: they are zero
            derivative = tensor.detach().new_zeros(tuple(tensor.shape))
    return UnpackedDualTensor(primal, derivative)
