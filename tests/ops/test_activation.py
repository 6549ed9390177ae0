"""In-place flags and forms, saturation and special values of activations; values themselves are tested from samples."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402

FLAGS = [
    "relu",
    "relu6",
    "elu",
    "celu",
    "selu",
    "leaky_relu",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
    "rrelu",
]
VALUES = np.array([-np.inf, -200, -89, -3, -1, -0.0, 0, 0.5, 3, 6, 20.5, 89, 200, np.inf, np.nan], "float32")


@pytest.mark.parametrize("name", FLAGS)
def test_inplace_flag(name: str) -> None:
    x = torsh.from_numpy(np.linspace(-4, 4, 9).astype("float32"))
    expected = getattr(torsh.nn.functional, name)(x)
    out = getattr(torsh.nn.functional, name)(x, inplace=True)
    assert out is x
    np.testing.assert_array_equal(x.numpy(), expected.numpy())


@pytest.mark.parametrize("name", ["relu_", "elu_", "celu_", "selu_", "leaky_relu_", "hardtanh_", "rrelu_"])
def test_inplace_function(name: str) -> None:
    theirs, ours = torch.linspace(-4, 4, 9), torsh.from_numpy(np.linspace(-4, 4, 9).astype("float32"))
    getattr(torch.nn.functional, name)(theirs)
    assert getattr(torsh.nn.functional, name)(ours) is ours
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_inplace_keeps_the_gradient() -> None:
    found = []
    for lib in (torsh, torch):
        x = lib.from_numpy(np.linspace(-4, 4, 9)).requires_grad_()
        y = x * 2
        lib.nn.functional.silu(y, inplace=True)
        found.append(lib.autograd.grad(y.sum(), x)[0].numpy())
    np.testing.assert_allclose(*found)


@pytest.mark.parametrize(
    "name",
    ["relu", "gelu", "silu", "mish", "softplus", "elu", "selu", "celu", "logsigmoid", "hardswish", "hardsigmoid",
     "hardtanh",
     "softshrink", "hardshrink", "tanhshrink", "softsign", "leaky_relu"],
)  # fmt: skip
def test_special_values_and_their_slopes(name: str) -> None:
    found = []
    for lib in (torsh, torch):
        x = lib.from_numpy(VALUES.copy()).requires_grad_()
        y = getattr(lib.nn.functional, name)(x)
        found.append((y.detach().numpy(), lib.autograd.grad(y.sum(), x)[0].numpy()))
    (ours, slope), (theirs, their_slope) = found
    # PyTorch's vectorised erf has three digits less than SciPy's where gelu is small, and makes nan of inf.
    finite = np.isfinite(VALUES)
    kept, rtol = (finite, 2e-4) if name == "gelu" else (np.ones_like(finite), 2e-6)
    np.testing.assert_allclose(ours[kept], theirs[kept], rtol=rtol, atol=1e-38)
    np.testing.assert_allclose(slope[finite], their_slope[finite], rtol=max(rtol, 2e-6), atol=1e-30)


def test_softmax_without_dim_warns() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        torsh.nn.functional.softmax(torsh.ones(2, 3))


def test_gumbel_softmax_draws_like_pytorch() -> None:
    logits = np.random.default_rng(1).normal(size=(5, 7)).astype("float32")
    found = []
    for lib in (torsh, torch):
        lib.manual_seed(3)
        found.append(lib.nn.functional.gumbel_softmax(lib.from_numpy(logits), 0.7, True).numpy())
    np.testing.assert_allclose(*found)
