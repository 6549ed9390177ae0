"""Recording which ops run, in which order, on what::

    with torsh.tracing.Tracer() as t:
        model(x)
    print(t)

Ops are those below autograd: composites appear as what they are made of, and the backward pass is seen as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from torsh.dispatch import Mode
from torsh.ops._op import Op
from torsh.tensor import Tensor


@dataclass(frozen=True)
class TensorInfo:
    """What a record keeps of a tensor."""

    shape: tuple[int, ...]
    dtype: str
    device: str

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class Record:
    """One call of an op.

    inputs, outputs: the tensors, flattened.  params: the other arguments by name.  kernel: where the kernel came from
    (native, generic, composed); empty if the op needed none.
    """

    op: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    params: dict[str, Any] = field(default_factory=dict)
    kernel: str = ""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(t.shape for t in self.inputs)

    @property
    def dtypes(self) -> tuple[str, ...]:
        return tuple(t.dtype for t in self.inputs)

    def __str__(self) -> str:
        given = [str(t) for t in self.inputs] + [f"{k}={_brief(v)}" for k, v in self.params.items()]
        outs = ", ".join(map(str, self.outputs)) or "nothing"
        return f"{self.op}({', '.join(given)}) -> {outs}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for v in value:
            yield from _tensors(v)


def info(t: Tensor) -> TensorInfo:
    """What a record keeps of a tensor."""
    return TensorInfo(tuple(t.shape), t.dtype.name, str(t.device))


class Tracer(Mode):
    """Records the ops called inside its ``with`` block, in this thread, in ``ops``."""

    def __init__(self) -> None:
        self.ops: list[Record] = []

    def intercept(self, op: Op, args: tuple[Any, ...], proceed: Any) -> Any:
        inputs = tuple(info(t) for a in args for t in _tensors(a))
        names = (
            op.args if len(op.args) >= len(args) else (*op.args, *(f"arg{i}" for i in range(len(op.args), len(args))))
        )
        params = {n: a for n, a in zip(names, args) if not any(True for _ in _tensors(a)) and a is not None}
        result = proceed(*args)
        outputs = tuple(info(t) for t in _tensors(result))
        first = next((t for a in args for t in _tensors(a)), None)
        kernel = op.kernels.sources.get(first._kind, "") if first is not None else ""
        self.ops.append(Record(op.name, inputs, outputs, params, kernel))
        return result

    def counts(self) -> dict[str, int]:
        """How often each op was called, the most frequent first."""
        found: dict[str, int] = {}
        for r in self.ops:
            found[r.op] = found.get(r.op, 0) + 1
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def text(self, limit: int | None = None) -> str:
        """The records, one a line."""
        shown = self.ops if limit is None else self.ops[:limit]
        lines = [f"{i:5} {r}" for i, r in enumerate(shown)]
        if len(shown) < len(self.ops):
            lines.append(f"      ... and {len(self.ops) - len(shown)} more")
        return "\n".join(lines) or "      no ops were called"

    def __str__(self) -> str:
        return self.text()

    def __iter__(self) -> Iterator[Record]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)


__all__ = ["Record", "TensorInfo", "Tracer"]
