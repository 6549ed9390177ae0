"""``torch.ops.aten.<op>.<overload>``: ops by the names PyTorch's dispatcher gives them.

All overloads of a name are one op here, so ``torch.ops.aten.add.Tensor`` is ``torch.ops.aten.add.Scalar``.
"""

from __future__ import annotations

from typing import Any

from torsh.ops import copies
from torsh.ops._op import OPS

# Where the op behind the function has another name.
_OTHER = {"mm": "mm_op", "bmm": "bmm_op", "_softmax": "softmax", "_log_softmax": "log_softmax", "_to_copy": "to", "_convolution": "convolution", "_unsafe_view": "view"}


class OpOverloadPacket:
    """An op's overloads: its attributes ``default``, ``Tensor``, ``Scalar``, ... are all the op; calling it runs it."""

    def __init__(self, name: str, op: Any) -> None:
        self.__name__, self._op = name, op

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (getattr(self._op, "fn", None) or self._op)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


# Names behind which there is no op of torsh, but a function.
_FUNCTIONS = {"alias": copies._alias, "_pin_memory": lambda self, device=None: self.pin_memory(device)}


def __getattr__(name: str) -> Any:
    op: Any = next((OPS[n] for n in (_OTHER.get(name), name) if n in OPS), None)
    if op is None and name.endswith("_") and name[:-1] in OPS:
        op = OPS[name[:-1]].inplace
    if op is None:
        op = _FUNCTIONS.get(name)
    if op is None and name.startswith("_") and not name.startswith("__"):
        # PyTorch's inner ops: libraries name them in tables of what they handle, few call them.
        from torsh.compat import placeholders

        return placeholders.missing(f"torch.ops.aten.{name}")
    if op is None:
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}': torsh has no op of that name")
    packet = globals()[name] = OpOverloadPacket(name, op)
    return packet
