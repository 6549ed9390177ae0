"""Forward-mode derivatives: tensors with a tangent, which every op hands on (``torsh.autograd._forward``).

Source: https://docs.pytorch.org/docs/stable/autograd.html#forward-mode-automatic-differentiation
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torsh.autograd._forward import Level, below, dual, rooted, shown, switch
from torsh.autograd.grad_mode import _DecoratorContextManager
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


_levels: list[Level] = []
_current_level = -1


def _is_fwd_grad_enabled() -> bool:
    """Whether new dual tensors get a tangent."""
    return switch.enabled


class _set_fwd_grad_enabled(_DecoratorContextManager):
    """Make tangents (or none) inside."""

    def __init__(self, mode: bool) -> None:
        self._mode, self._before = mode, switch.enabled
        switch.enabled = mode

    def __enter__(self) -> None:
        switch.enabled = self._mode

    def __exit__(self, *exc: object) -> None:
        switch.enabled = self._before

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
    _levels.append(Level().__enter__())
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
        raise RuntimeError(
            "Dual level must be a positive number: no level is entered that could be exited. Call enter_dual_level() first"
        )
    if level is not None and level != len(_levels) - 1:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    _levels.pop().__exit__()
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
    level_ = _levels[-1]
    if not switch.enabled:
        return tensor.view_as(tensor)  # type: ignore[no-any-return]
    if level_.of(tensor) is not None:
        raise RuntimeError(
            f"Making a dual Tensor based on a Tensor that already has a forward gradient at the same level {_current_level} is not "
            "supported."
        )
    if level_.of(tangent) is not None:
        raise RuntimeError(
            f"Setting a forward grad that itself has a forward gradient at the same level {_current_level} is not supported."
        )
    found = dual(level_, tensor, tangent)
    inner = found
    while hasattr(inner, "_physical"):
        inner = inner._physical
    given = level_.of(inner)
    if given is not None and level_.arranged(inner, given) is tangent:
        # As in PyTorch the tangent itself is written to when the dual tensor is, unless it lies in memory in another way.
        if tangent._kind is not tensor._kind or not _same_extent(tensor, tangent):
            level_.give(inner, tangent.clone())
        else:
            tangent._fw_own = True
    return found


def _same_extent(tensor: Tensor, tangent: Tensor) -> bool:
    """Whether both are a part of (or the whole of) memory of the same size."""
    if tensor._base is None and tangent._base is None or not tensor.numel():
        return True
    sizes = [t.numel() if t._base is None else t._base.numel() for t in (tensor, tangent)]
    return sizes[0] == sizes[1]


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
    tangent = _levels[-1].of(tensor)
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    with below(_levels[-1]):
        return UnpackedDualTensor(rooted(tensor), shown(tensor, tangent))
