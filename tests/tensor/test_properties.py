"""Index expressions and printed forms made at random, each against PyTorch itself."""

from __future__ import annotations

import math
import random
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402


def index_expression(r: random.Random, shape: tuple[int, ...]) -> str:
    """What may stand between the brackets: numbers, slices, masks, tensors and lists of positions, None, ..., True."""
    items: list[str] = []
    used, ellipsis = 0, False
    for _ in range(r.randint(1, len(shape) + 2)):
        kind = r.random()
        if kind < 0.12:
            items.append("None")
            continue
        if kind < 0.24 and not ellipsis:
            items.append("...")
            ellipsis = True
            continue
        if kind < 0.28:
            items.append(r.choice(["True", "False"]))
            continue
        n = shape[used] if used < len(shape) else 3
        if kind < 0.45:
            items.append(str(r.randint(-n - 1, n)))
        elif kind < 0.7:
            low, high = (r.choice(["", str(r.randint(-n - 2, n + 2))]) for _ in range(2))
            items.append(f"{low}:{high}:{r.choice(['', '1', '2', '3'])}")
        elif kind < 0.9:
            size = r.choice([(), (1,), (2,), (3,), (2, 1), (1, 3), (0,)])
            places = np.array([r.randint(-n, n - 1) for _ in range(math.prod(size))], np.int64).reshape(size)
            forms = ["m.tensor({}, dtype=m.int64)", "m.tensor({}, dtype=m.int32)", "np.array({}, np.int64)"]
            items.append(r.choice([*forms, "{}"] if size and size != (0,) else forms).format(places.tolist()))
        else:
            d = 2 if r.random() < 0.3 and used + 1 < len(shape) else 1
            mask = np.random.default_rng(r.randint(0, 9999)).random([*shape, 3][used : used + d]) < 0.5
            items.append(f"m.tensor({mask.tolist()})")
            used += d - 1
        used += 1
    return items[0] if len(items) == 1 else ", ".join(items)


def indexed(m, shape, code, value, dtype):
    x = m.arange(math.prod(shape)).to(getattr(m, dtype)).reshape(shape)
    scope = {"m": m, "np": np, "x": x}
    try:
        if value is None:
            found = eval(f"x[{code}]", scope)
            return tuple(found.shape), str(found.dtype).partition(".")[2], found.tolist(), found._is_view()
        exec(f"x[{code}] = {value}", scope)
        return x.tolist()
    except Exception as e:
        return type(e).__name__


@pytest.mark.parametrize("block", range(10))
def test_index_expressions(block: int) -> None:
    for seed in range(60 * block, 60 * block + 60):
        r = random.Random(seed)
        shape = tuple(r.randint(1, 4) for _ in range(r.randint(1, 4)))
        code = index_expression(r, shape)
        value = r.choice([None, None, "5", "m.tensor(7)", "m.tensor([1, 2])", "m.arange(3)", "2.5", "True"])
        dtype = r.choice(["float32", "int64", "bool"])
        ours = indexed(torsh, shape, code, value, dtype)
        assert ours == indexed(torch, shape, code, value, dtype), (seed, shape, code, value, dtype)


DTYPES = "float32 float64 float16 bfloat16 int64 int8 uint8 bool complex64 complex128 float8_e5m2 uint16".split()
OPTIONS = [
    {}, {}, {"precision": 2}, {"precision": 8}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 40},
    {"threshold": 5, "edgeitems": 1}, {"profile": "full"}, {"profile": "short"}, {"precision": 0},
]  # fmt: skip


def values_to_print(r: random.Random, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    small = dtype in ("float16", "float8_e5m2")
    x = rng.normal(size=shape) * 10.0 ** r.choice([0, 1, 3, -3] if small else [0, 0, 0, 1, 3, 5, 8, -3, -5, 20])
    if r.random() < 0.25:
        x = np.round(x)
    if "int" in dtype:
        return np.clip(np.round(rng.normal(size=shape) * 100), 0 if dtype[0] == "u" else -128, 127).astype(dtype)
    if dtype == "bool":
        return x > 0
    for special in (np.nan, np.inf, -np.inf, -0.0):
        if r.random() < 0.15:
            x = np.where(rng.random(shape) < r.choice([0.1, 0.5, 1]), special, x)
    return x + 1j * np.round(rng.normal(size=shape) * 10, 2) if dtype.startswith("complex") else x


@pytest.mark.parametrize("block", range(10))
def test_printed_forms(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        r, rng = random.Random(seed), np.random.default_rng(seed)
        shape = tuple(r.choice([1, 2, 3, 7] if r.random() < 0.9 else [0, 30]) for _ in range(r.randint(0, 4)))
        dtype, options = r.choice(DTYPES), r.choice(OPTIONS)
        values = values_to_print(r, rng, shape, dtype)
        printed = []
        for m in (torsh, torch):
            m.set_printoptions(profile="default", sci_mode=None)
            try:
                m.set_printoptions(**options)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    wide = values.astype(np.float32) if dtype in ("float16", "bfloat16", "float8_e5m2") else values
                    t = m.tensor(wide).to(getattr(m, dtype))
                    printed.append(
                        repr(t.transpose(0, 1) if t.ndim > 1 and seed % 5 == 0 else t).replace("torsh", "torch")
                    )
            finally:
                m.set_printoptions(profile="default", sci_mode=None)
        assert printed[0] == printed[1], (seed, shape, dtype, options)
