"""``torch.ops.aten.<op>.<overload>``: ops by the names PyTorch's dispatcher gives them.

All overloads of a name are one op here, so ``torch.ops.aten.add.Tensor`` is ``torch.ops.aten.add.Scalar``.
"""

from __future__ import annotations

from typing import Any

from torsh.ops._op import OPS, Op

# Where the op behind the function has another name.
_OTHER = {"mm": "mm_op", "bmm": "bmm_op", "_softmax": "softmax", "_log_softmax": "log_softmax"}


class OpOverloadPacket:
    """An op's overloads: its attributes ``default``, ``Tensor``, ``Scalar``, ... are all the op; calling it runs it."""

    def __init__(self, name: str, op: Op) -> None:
        self.__name__, self._op = name, op

    def __getattr__(self, name: str) -> Op:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (self._op.fn or self._op)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


def __getattr__(name: str) -> Any:
    op = next((OPS[n] for n in (_OTHER.get(name), name) if n in OPS), None)
    if op is None:
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}': torsh has no op of that name")
    packet = globals()[name] = OpOverloadPacket(name, op)
    return packet
