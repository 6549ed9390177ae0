"""Running statistics, fused gradients and dropout's masks: what samples do not show."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5), (1, 3, 70, 70)])
def test_batch_norm_moves_the_running_statistics(shape) -> None:
    x, g = RNG.normal(2, 3, shape), RNG.normal(size=shape)
    w, b = RNG.normal(size=3), RNG.normal(size=3)
    found = []
    for lib in (torsh, torch):
        mean, var = lib.zeros(3, dtype=lib.float64), lib.ones(3, dtype=lib.float64)
        leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in (x, w, b)]
        for _ in range(2):
            out = lib.nn.functional.batch_norm(leaves[0], mean, var, leaves[1], leaves[2], True, 0.3, 1e-3)
        grads = lib.autograd.grad(out, leaves, lib.from_numpy(g), create_graph=True)
        second = lib.autograd.grad((grads[0] ** 3).sum(), leaves[:2])
        evaluated = lib.nn.functional.batch_norm(leaves[0], mean, var, leaves[1], leaves[2], False)
        found.append([t.detach().numpy() for t in (out, mean, var, *grads, *second, evaluated)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, atol=1e-7, rtol=1e-6)


def test_batch_norm_statistics_are_leaves() -> None:
    mean = torsh.zeros(3)
    torsh.nn.functional.batch_norm(torsh.ones(4, 3, requires_grad=True), mean, torsh.ones(3), training=True)
    assert not mean.requires_grad
    assert mean._version > 0


@pytest.mark.parametrize(
    "call",
    [
        lambda t, f: f.layer_norm(t, (3, 4)),
        lambda t, f: f.group_norm(t, 3),
        lambda t, f: f.instance_norm(t),
        lambda t, f: f.local_response_norm(t, 2),
        lambda t, f: f.normalize(t, dim=2),
        lambda t, f: f.rms_norm(t, (4,)),
    ],
)
def test_second_derivatives(call) -> None:
    x = RNG.normal(size=(2, 3, 4))
    found = []
    for lib in (torsh, torch):
        t = lib.from_numpy(x).requires_grad_()
        first = lib.autograd.grad((call(t, lib.nn.functional) ** 3).sum(), t, create_graph=True)[0]
        found.append(lib.autograd.grad((first**2).sum(), t)[0].numpy())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d"]
)
@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_draws_pytorch_masks(name: str, inplace: bool) -> None:
    shape = {"dropout1d": (2, 5, 3), "dropout2d": (2, 5, 3, 2), "dropout3d": (2, 5, 3, 2, 2)}.get(name, (4, 6, 5))
    x = RNG.normal(size=shape).astype("float32")
    found = []
    for lib in (torsh, torch):
        lib.manual_seed(7)
        t = lib.from_numpy(x.copy())
        out = getattr(lib.nn.functional, name)(t, 0.4, True, inplace)
        assert (out is t) == inplace or lib is torch
        found.append((t if inplace else out).numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_dropout_refuses_bad_probabilities() -> None:
    for lib in (torsh, torch):
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
            lib.nn.functional.dropout(lib.ones(3), 1.5)
