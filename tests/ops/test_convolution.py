"""Convolutions of random geometry against PyTorch: values, first and second derivatives."""

from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402
from torsh_numpy import convolution as kernels  # noqa: E402


def geometry(seed: int) -> dict:
    """Arguments of torch.convolution of a random but valid geometry."""
    draw = random.Random(seed)
    n, groups = draw.choice([1, 2, 2, 3]), draw.choice([1, 1, 1, 2, 4])
    transposed = draw.random() < 0.5
    c, o = groups * draw.choice([1, 2, 9]), groups * draw.choice([1, 3])
    pick = lambda *values: tuple(draw.choice(values) for _ in range(n))
    stride, dilation = pick(1, 1, 2, 3), pick(1, 1, 2)
    extra = tuple(draw.randrange(max(s, d)) for s, d in zip(stride, dilation)) if transposed else (0,) * n
    return {
        "shape": (draw.choice([1, 3]), c, *pick(5, 6, 8)),
        "weight": (c, o // groups, *pick(1, 2, 3)) if transposed else (o, c // groups, *pick(1, 2, 3)),
        "outputs": o,
        "rest": (stride, pick(0, 1), dilation, transposed, extra, groups),
    }


@pytest.mark.parametrize("seed", range(60))
def test_random_geometry(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed % 3 == 0:  # patches in many small pieces
        monkeypatch.setattr(kernels, "_PATCH_ELEMENTS", 40)
    given = geometry(seed)
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=given["shape"]), rng.normal(size=given["weight"]), rng.normal(size=given["outputs"])]
    theirs = [torch.from_numpy(a).requires_grad_() for a in arrays]
    try:
        expected = torch.convolution(*theirs, *given["rest"])
    except RuntimeError:
        pytest.skip("no such convolution")
    ours = [torsh.from_numpy(a).requires_grad_() for a in arrays]
    out = torsh.convolution(*ours, *given["rest"])
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), atol=1e-9)
    g = rng.normal(size=expected.shape)
    mine = torsh.autograd.grad(out, ours, torsh.from_numpy(g), create_graph=True)
    wanted = torch.autograd.grad(expected, theirs, torch.from_numpy(g), create_graph=True)
    for a, b in zip(mine, wanted):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-9)
    second = torsh.autograd.grad((mine[0] ** 2).sum() + (mine[1] ** 2).sum(), ours[:2])
    second_wanted = torch.autograd.grad((wanted[0] ** 2).sum() + (wanted[1] ** 2).sum(), theirs[:2])
    for a, b in zip(second, second_wanted):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-8)


def test_result_is_contiguous() -> None:
    """Programs call ``view`` on it."""
    for channels in (1, 16):
        out = torsh.nn.functional.conv2d(torsh.ones(2, channels, 4, 4), torsh.ones(3, channels, 3, 3), padding=1)
        assert out.view(2, -1).shape == (2, 48)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t, f: f.conv2d(t.ones(1, 3, 4, 4), t.ones(2, 2, 3, 3)), "Given groups=1, weight of size"),
        (lambda t, f: f.conv2d(t.ones(1, 3, 2, 2), t.ones(2, 3, 3, 3)), "Calculated padded input size per channel"),
        (
            lambda t, f: f.conv2d(t.ones(1, 3, 4, 4), t.ones(2, 3, 3, 3), stride=0),
            "non-positive stride is not supported",
        ),
        (
            lambda t, f: f.conv2d(t.ones(1, 3, 4, 4), t.ones(2, 3, 3, 3), padding=-1),
            "negative padding is not supported",
        ),
        (
            lambda t, f: f.conv2d(t.ones(3), t.ones(2, 3, 3, 3)),
            "Expected 3D (unbatched) or 4D (batched) input to conv2d",
        ),
        (
            lambda t, f: f.conv1d(t.ones(1, 3, 4), t.ones(2, 3, 3), padding="same", stride=2),
            "padding='same' is not supported",
        ),
        (
            lambda t, f: f.conv_transpose1d(t.ones(1, 3, 4), t.ones(3, 2, 3), output_padding=1),
            "output padding must be smaller",
        ),
        (lambda t, f: f.conv1d(t.ones(1, 3, 4), t.ones(2, 3, 3).double()), ""),
    ],
)
def test_errors(call, words: str) -> None:
    with pytest.raises(RuntimeError) as theirs:
        call(torch, torch.nn.functional)
    with pytest.raises(RuntimeError) as ours:
        call(torsh, torsh.nn.functional)
    assert str(theirs.value).startswith(words)
    assert str(ours.value).startswith(words)
