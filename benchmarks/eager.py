"""Eager overhead: one op on 4x4 float32, with and without grad, and the backward pass of small graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Case = tuple[str, float, dict[str, Callable[[], Any]]]

OPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda lib, x, y: x + y,
    "mul": lambda lib, x, y: x * y,
    "relu": lambda lib, x, y: lib.relu(x),
    "exp": lambda lib, x, y: lib.exp(x),
    "sum": lambda lib, x, y: x.sum(),
    "matmul": lambda lib, x, y: x @ y,
    "index [0]": lambda lib, x, y: x[0],
    "index [1:3]": lambda lib, x, y: x[1:3],
    "index [1:3, 0]": lambda lib, x, y: x[1:3, 0],
    "item": lambda lib, x, y: x[0, 0].item(),
}


def _bound(op: Callable[[Any, Any, Any], Any], lib: Any, x: Any, y: Any) -> Callable[[], Any]:
    return lambda: op(lib, x, y)


def cases(torsh: Any, torch: Any) -> Iterator[Case]:
    """(name, target ratio, {library: function})."""
    for grad in (False, True):
        for name, op in OPS.items():
            if grad and name == "item":
                continue
            fns = {}
            for label, lib in (("torsh", torsh), ("torch", torch)):
                x = lib.ones(4, 4, requires_grad=grad)
                fns[label] = _bound(op, lib, x, lib.ones(4, 4))
            yield f"{name} 4x4{' with grad' if grad else ''}", 1.0, fns
    yield "backward, chain of 100 mul 4x4", 1.0, {n: _chain(lib) for n, lib in (("torsh", torsh), ("torch", torch))}
    yield "forward+backward, MLP 8x32", 1.0, {n: _mlp(lib) for n, lib in (("torsh", torsh), ("torch", torch))}
    yield "backward, MLP 8x32", 1.0, {n: _mlp(lib, True) for n, lib in (("torsh", torsh), ("torch", torch))}


def _chain(lib: Any) -> Callable[[], Any]:
    x, w = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4)
    y = x
    for _ in range(100):
        y = y * w
    return lambda: y.backward(w, retain_graph=True)


def _mlp(lib: Any, backward_only: bool = False) -> Callable[[], Any]:
    nn = lib.nn
    net = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
    x = lib.ones(8, 32)
    if backward_only:
        loss = net(x).sum()
        return lambda: loss.backward(retain_graph=True)

    def step() -> None:
        net(x).sum().backward()

    return step
