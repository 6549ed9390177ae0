"""Gradients through gamma draws (``torsh/ops/gamma_gradient.py``), against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivative(dtype) -> None:
    rng = np.random.default_rng(0)
    a = np.exp(rng.uniform(-4, 6, 5000)).astype(dtype)
    x = np.maximum(rng.gamma(a).astype(dtype), np.finfo(dtype).tiny)
    x[:6], a[:6] = [0.0, 1e-30, 0.8, 9.0, 100.0, 1e4], [2.0, 0.01, 8.0, 9.0, 100.0, 1e4]
    ours = torsh._standard_gamma_grad(torsh.from_numpy(a), torsh.from_numpy(x))
    theirs = torch._standard_gamma_grad(torch.from_numpy(a), torch.from_numpy(x))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6 if dtype == "float32" else 1e-11)


def test_it_is_the_derivative_of_the_quantile() -> None:
    from scipy.special import gammainc, gammaincinv

    a = np.array([0.3, 1.0, 2.5, 7.0, 20.0, 90.0])
    x = np.array([0.2, 1.5, 2.0, 9.0, 15.0, 91.0])
    step = 1e-5
    p = gammainc(a, x)
    slope = (gammaincinv(a + step, p) - gammaincinv(a - step, p)) / (2 * step)
    np.testing.assert_allclose(
        torsh._standard_gamma_grad(torsh.from_numpy(a), torsh.from_numpy(x)).numpy(), slope, rtol=2e-4
    )


def test_through_draws() -> None:
    grads = []
    for m in (torsh, torch):
        m.manual_seed(0)
        a = m.tensor([0.5, 2.0, 30.0], dtype=m.float64, requires_grad=True)
        draws = m._standard_gamma(a)
        assert type(draws.grad_fn).__name__ == "StandardGammaBackward0"
        (draws * m.arange(1.0, 4.0)).sum().backward()
        c, r = m.tensor([0.5, 2.0], requires_grad=True), m.tensor([1.0, 3.0], requires_grad=True)
        m.distributions.Gamma(c, r).rsample((4,)).pow(2).sum().backward()
        grads.append([t.grad.tolist() for t in (a, c, r)])
    for ours, theirs in zip(*grads):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert torsh._standard_gamma(torsh.ones(2)).grad_fn is None
