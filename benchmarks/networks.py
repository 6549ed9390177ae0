"""Training steps of usual networks: forward and backward, and the memory one takes at its peak."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.eager import Case
from benchmarks.programs import _figure, _run

_MEMORY = """
{setup}
import torch as lib
import torch.nn as nn, torch.optim
import resource
lib.set_num_threads(1)
def step(width, batch):
    net = nn.Sequential(*[m for _ in range(12) for m in (nn.Linear(width, width), nn.ReLU())])
    optimizer = lib.optim.SGD(net.parameters(), lr=0.1)
    x = lib.randn(batch, width)
    for _ in range(3):
        optimizer.zero_grad()
        net(x).sum().backward()
        optimizer.step()
step({width}, {batch})
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_ALIAS = "import torsh.compat; torsh.compat.install()"


def cases(torsh: Any, torch: Any) -> Iterator[Case]:
    """(name, target ratio, {library: function}) of forward and backward passes."""
    for name, make in (("transformer layer 8x32x64", _transformer), ("MLP 64x256", _mlp), ("LSTM 16x8x32", _lstm)):
        yield f"forward+backward, {name}", 1.2, {n: make(lib) for n, lib in (("torsh", torsh), ("torch", torch))}


def _transformer(lib: Any) -> Callable[[], Any]:
    layer, x = lib.nn.TransformerEncoderLayer(64, 4, dim_feedforward=128, batch_first=True), lib.randn(8, 32, 64)
    return lambda: layer(x).sum().backward()


def _mlp(lib: Any) -> Callable[[], Any]:
    nn = lib.nn
    net = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    x = lib.randn(64, 256)
    return lambda: net(x).sum().backward()


def _lstm(lib: Any) -> Callable[[], Any]:
    net, x = lib.nn.LSTM(32, 32), lib.randn(16, 8, 32)
    return lambda: net(x)[0].sum().backward()


def peak_memory(width: int = 1024, batch: int = 512, rounds: int = 3) -> dict[str, float]:
    """Peak memory (MiB) of processes that train a 12-layer MLP for three steps."""
    found: dict[str, list[float]] = {"torsh": [], "torch": []}
    for _ in range(rounds):
        for label, setup in (("torsh", _ALIAS), ("torch", "")):
            found[label].append(_figure(_run(_MEMORY.format(setup=setup, width=width, batch=batch)), "PEAK"))
    return {label: statistics.median(v) for label, v in found.items()}
