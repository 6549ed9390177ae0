"""The steps around a small network's forward and backward pass: optimizers, clipping, batches; and directional derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

TARGET = 1.0

OPTIMIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "SGD": lambda lib, p: lib.optim.SGD(p, lr=1e-3),
    "SGD, momentum": lambda lib, p: lib.optim.SGD(p, lr=1e-3, momentum=0.9),
    "Adam": lambda lib, p: lib.optim.Adam(p, lr=1e-3),
    "AdamW": lambda lib, p: lib.optim.AdamW(p, lr=1e-3),
    "AdamW, foreach": lambda lib, p: lib.optim.AdamW(p, lr=1e-3, foreach=True),
    "RMSprop": lambda lib, p: lib.optim.RMSprop(p, lr=1e-3),
}


def _parameters(lib: Any, count: int = 20) -> list[Any]:
    generator = np.random.default_rng(0)
    made = [lib.nn.Parameter(lib.from_numpy(generator.standard_normal((8, 8), np.float32))) for _ in range(count)]
    for p in made:
        p.grad = lib.from_numpy(generator.standard_normal((8, 8), np.float32))
    return made


def _fresh_grads(lib: Any) -> Callable[[], None]:
    parameters = _parameters(lib)
    optimizer = lib.optim.SGD(parameters, lr=1e-3)
    return lambda: optimizer.zero_grad(set_to_none=False)


def _clip(lib: Any) -> Callable[[], Any]:
    parameters = _parameters(lib)
    return lambda: lib.nn.utils.clip_grad_norm_(parameters, 1.0)


def _collate(lib: Any) -> Callable[[], Any]:
    samples = [(lib.from_numpy(np.ones((1, 8, 8), np.float32)), i) for i in range(64)]
    return lambda: lib.utils.data.default_collate(samples)


def _loader(lib: Any) -> Callable[[], Any]:
    data = lib.utils.data.TensorDataset(lib.zeros(512, 1, 8, 8), lib.zeros(512))
    loader = lib.utils.data.DataLoader(data, batch_size=64)
    return lambda: sum(1 for _ in loader)


def _jvp_of_network(lib: Any) -> Callable[[], Any]:
    generator = np.random.default_rng(0)
    net = lib.nn.Sequential(
        lib.nn.Linear(16, 64), lib.nn.ReLU(), lib.nn.Linear(64, 64), lib.nn.GELU(), lib.nn.Linear(64, 10)
    )
    parameters = {
        k: lib.from_numpy(generator.standard_normal(tuple(p.shape)).astype(np.float32))
        for k, p in net.named_parameters()
    }
    x, target = lib.from_numpy(generator.standard_normal((32, 16), np.float32)), lib.arange(32) % 10

    def loss(p: Any) -> Any:
        return lib.nn.functional.cross_entropy(lib.func.functional_call(net, p, (x,)), target)

    return lambda: lib.func.jvp(loss, (parameters,), (parameters,))


def _jvp_of_chain(lib: Any) -> Callable[[], Any]:
    x = lib.from_numpy(np.linspace(0, 1, 1000, dtype=np.float32))

    def chain(x: Any) -> Any:
        for _ in range(25):
            x = ((x * 1.01).sin() + 0.1).tanh()
        return x

    return lambda: lib.func.jvp(chain, (x,), (x,))


def cases(torsh: Any, torch: Any) -> Iterator[tuple[str, dict[str, Callable[[], Any]]]]:
    """(name, {library: function})."""
    import torsh.optim
    import torsh.utils.data

    libs = {"torsh": torsh, "torch": torch}
    for name, make in OPTIMIZERS.items():
        yield f"{name} step, 20 parameters", {n: make(lib, _parameters(lib)).step for n, lib in libs.items()}
    for name, case in (
        ("zero_grad, 20 parameters", _fresh_grads),
        ("clip_grad_norm_, 20 parameters", _clip),
        ("collate 64 samples", _collate),
        ("DataLoader, 8 batches of 64", _loader),
        ("jvp of a network by its parameters", _jvp_of_network),
        ("jvp of a chain of 100 pointwise ops", _jvp_of_chain),
    ):
        yield name, {n: case(lib) for n, lib in libs.items()}
