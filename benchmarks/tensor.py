"""What a program does with tensors besides computing: indexing, assigning, going to Python and NumPy, printing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

Use = Callable[[Any, Any], Any]
TARGET = 1.2  # the ratio each is meant to keep

# Each is read, assigned a number, and assigned a tensor.
INDICES: dict[str, Callable[[Any], Any]] = {
    "[1]": lambda d: 1,
    "[-1]": lambda d: -1,
    "[1:3]": lambda d: slice(1, 3),
    "[::2]": lambda d: slice(None, None, 2),
    "[:, 1]": lambda d: (slice(None), 1),
    "[1, 2]": lambda d: (1, 2),
    "[1:3, 0:2]": lambda d: (slice(1, 3), slice(0, 2)),
    "[None]": lambda d: None,
    "[:, None]": lambda d: (slice(None), None),
    "[..., 0]": lambda d: (..., 0),
    "[mask]": lambda d: d.mask,
    "[row mask]": lambda d: d.row_mask,
    "[[0, 2]]": lambda d: [0, 2],
    "[tensor]": lambda d: d.places,
    "[tensor, tensor]": lambda d: (d.places, d.places),
    "[:, tensor]": lambda d: (slice(None), d.places),
    "[1, tensor]": lambda d: (1, d.places),
    "[0:2, tensor]": lambda d: (slice(0, 2), d.places),
    "[tensor, None]": lambda d: (d.places, None),
    "[0-d tensor]": lambda d: d.place,
}
USES: dict[str, Use] = {
    "item": lambda lib, d: d.one.item(),
    "float()": lambda lib, d: float(d.one),
    "tolist 4x4": lambda lib, d: d.x.tolist(),
    "tolist 1000x1000": lambda lib, d: d.large.tolist(),
    "from_numpy": lambda lib, d: lib.from_numpy(d.array),
    "numpy()": lambda lib, d: d.x.numpy(),
    "np.asarray": lambda lib, d: np.asarray(d.x),
    "repr 4x4": lambda lib, d: repr(d.x),
    "repr 1000x1000": lambda lib, d: repr(d.large),
    "detach": lambda lib, d: d.x.detach(),
    "iterate": lambda lib, d: list(d.x),
}


def _inputs(lib: Any) -> SimpleNamespace:
    x = np.arange(16, dtype=np.float32).reshape(4, 4) / 7
    places = np.array([2, 0])
    made = {
        "x": x,
        "large": np.linspace(-1, 1, 1_000_000, dtype=np.float32).reshape(1000, 1000),
        "mask": x > 1,
        "row_mask": np.array([True, False, True, False]),
        "places": places,
        "one": np.array(1.5, np.float32),
        "place": np.array(2),
    }
    return SimpleNamespace(**{n: lib.from_numpy(a) for n, a in made.items()}, array=x)


def _get(x: Any, index: Any) -> Callable[[], Any]:
    return lambda: x[index]


def _set(x: Any, index: Any, value: Any) -> Callable[[], None]:
    def run() -> None:
        x[index] = value

    return run


def _use(use: Use, lib: Any, data: Any) -> Callable[[], Any]:
    return lambda: use(lib, data)


def cases(torsh: Any, torch: Any) -> Iterator[tuple[str, dict[str, Callable[[], Any]]]]:
    """(name, {library: function})."""
    libs = {"torsh": torsh, "torch": torch}
    data = {name: _inputs(lib) for name, lib in libs.items()}
    for name, index in INDICES.items():
        yield f"x{name}", {lib: _get(data[lib].x, index(data[lib])) for lib in libs}
    for name, index in INDICES.items():
        yield f"x{name} = 1.5", {lib: _set(data[lib].x, index(data[lib]), 1.5) for lib in libs}
        values = {lib: data[lib].x[index(data[lib])].clone() for lib in libs}
        yield f"x{name} = tensor", {lib: _set(data[lib].x, index(data[lib]), values[lib]) for lib in libs}
    data = {name: _inputs(lib) for name, lib in libs.items()}
    for name, use in USES.items():
        yield name, {lib: _use(use, libs[lib], data[lib]) for lib in libs}
