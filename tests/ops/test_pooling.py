"""Pooling: random geometry, ties and nan, second derivatives."""

from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402


@pytest.mark.parametrize("seed", range(40))
def test_random_geometry(seed: int) -> None:
    draw = random.Random(seed)
    n = draw.choice([1, 2, 2, 3])
    kernel = tuple(draw.choice([1, 2, 3]) for _ in range(n))
    stride = tuple(draw.choice([1, 2, 3]) for _ in range(n))
    padding = tuple(draw.randint(0, k // 2) for k in kernel)
    dilation = draw.choice([1, 1, 2])
    ceil = draw.random() < 0.5
    x = np.random.default_rng(seed).integers(-3, 3, (2, 2, *(draw.randint(5, 8) for _ in range(n)))).astype("float64")
    if seed % 4 == 0:
        x.flat[[1, 7, 8]] = np.nan
    if seed % 4 == 1:
        x.flat[:20] = -np.inf
    mean = draw.random() < 0.5
    found = []
    for lib in (torsh, torch):
        t = lib.from_numpy(x).requires_grad_()
        f = lib.nn.functional
        if mean:
            out = getattr(f, f"avg_pool{n}d")(t, kernel, stride, padding, ceil, seed % 2 == 0)
            where = out.detach()
        else:
            out, where = getattr(f, f"max_pool{n}d")(t, kernel, stride, padding, dilation, ceil, True)
        g = np.random.default_rng(1).normal(size=tuple(out.shape))
        found.append([out.detach().numpy(), where.numpy(), lib.autograd.grad(out, t, lib.from_numpy(g))[0].numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, t: f.max_pool2d(t, 2),
        lambda f, t: f.avg_pool2d(t, 3, 2, 1),
        lambda f, t: f.adaptive_avg_pool2d(t, (3, 2)),
        lambda f, t: f.adaptive_max_pool2d(t, (3, 2)),
        lambda f, t: f.lp_pool2d(t.abs() + 0.1, 3.0, 2),
        lambda f, t: f.interpolate(t, (3, 7), mode="bilinear"),
        lambda f, t: f.interpolate(t, scale_factor=0.7, mode="bicubic", antialias=True),
        lambda f, t: f.pad(t, (1, 2, 2, 1), "reflect"),
        lambda f, t: f.unfold(t, 2, 1, 1, 2),
    ],
)
def test_second_derivatives(call) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    found = []
    for lib in (torsh, torch):
        t = lib.from_numpy(x).requires_grad_()
        first = lib.autograd.grad((call(lib.nn.functional, t) ** 3).sum(), t, create_graph=True)[0]
        found.append([first.detach().numpy(), lib.autograd.grad((first**2).sum(), t)[0].numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
