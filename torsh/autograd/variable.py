"""``Variable``, which has been Tensor's other name since PyTorch 0.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.autograd import engine
from torsh.tensor import Tensor


class _VariableMeta(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class _Engine:
    """The engine as PyTorch shows it to Python."""

    @staticmethod
    def queue_callback(callback: Callable[[], None]) -> None:
        """Call ``callback()`` when the running backward pass has ended."""
        engine.after_backward(callback)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor)`` gives the tensor back.

    >>> import torsh
    >>> torsh.autograd.Variable(torsh.tensor([1.]), requires_grad=True)
    tensor([1.], requires_grad=True)
    """

    _execution_engine = _Engine()

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool | None = None) -> Any:
        return data.detach().requires_grad_(requires_grad)
