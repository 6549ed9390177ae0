"""Gradients through Dirichlet and beta draws (``torsh/ops/dirichlet_gradient.py``), against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402


def drawn(dtype: str, low: float, high: float):
    """(x, alpha, total): beta variables of concentrations from exp(low) to exp(high)."""
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.uniform(low, high, 4000)), np.exp(rng.uniform(low, high, 4000))
    x = np.clip(rng.beta(a, b), np.finfo(dtype).tiny, 1 - np.finfo(dtype).epsneg)
    x[:20] = a[:20] / (a + b)[:20]  # the mean, around which the expansion has a form of its own
    return [v.astype(dtype) for v in (x, a, a + b)]


# All four approximations are met: the last range lies where both concentrations are large, except for the first.
@pytest.mark.parametrize(("low", "high"), [(-3, 5), (-1, 1.5), (2, 6)])
def test_derivative(low, high) -> None:
    given = drawn("float64", low, high)
    ours = torsh._dirichlet_grad(*map(torsh.from_numpy, given)).numpy()
    theirs = torch._dirichlet_grad(*map(torch.from_numpy, given)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=2e-10)


def test_single_precision_is_nearer_to_double_than_pytorch() -> None:
    given = drawn("float32", -3, 5)
    exact = torch._dirichlet_grad(*[torch.from_numpy(v).double() for v in given]).numpy()
    ours = torsh._dirichlet_grad(*map(torsh.from_numpy, given)).numpy()
    theirs = torch._dirichlet_grad(*map(torch.from_numpy, given)).numpy()
    # Where rounding decides which approximation is used, both of them are right to 1e-3 only.
    apart = np.abs(ours / exact - 1)
    assert np.median(apart) < 1e-7 and np.quantile(apart, 0.99) < 1e-6
    assert np.quantile(apart, 0.99) <= np.quantile(np.abs(theirs / exact - 1), 0.99)
    np.testing.assert_allclose(ours, theirs, rtol=5e-3)


def test_it_is_the_derivative_of_the_quantile() -> None:
    from scipy.special import betainc, betaincinv

    a, b = np.array([0.4, 1.5, 3.0, 8.0, 20.0, 2.0]), np.array([0.7, 2.0, 1.0, 9.0, 40.0, 30.0])
    x = np.array([0.1, 0.4, 0.9, 0.5, 0.3, 0.02])
    step = 1e-5
    p = betainc(a, b, x)
    slope = (betaincinv(a + step, b, p) - betaincinv(a - step, b, p)) / (2 * step)
    ours = torsh._dirichlet_grad(*map(torsh.from_numpy, (x, a, a + b))).numpy() * (1 - x)
    np.testing.assert_allclose(ours, slope, rtol=2e-3)


def test_through_draws() -> None:
    grads = []
    for m in (torsh, torch):
        m.manual_seed(0)
        c = m.tensor([[0.5, 2.0, 30.0], [1.0, 1.0, 0.2]], dtype=m.float64, requires_grad=True)
        draws = m.distributions.Dirichlet(c).rsample((4,))
        assert type(draws.grad_fn).__name__ == "_DirichletBackward"
        draws.pow(2).sum().backward()
        a, b = m.tensor([0.5, 2.0, 9.0], requires_grad=True), m.tensor([1.0, 3.0, 20.0], requires_grad=True)
        m.distributions.Beta(a, b).rsample((5,)).log().sum().backward()
        grads.append([draws.detach().numpy(), *[t.grad.numpy() for t in (c, a, b)]])
    for ours, theirs in zip(*grads):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4 if ours.dtype == np.float32 else 1e-9)


def test_draws_are_the_same_with_and_without_gradients() -> None:
    found = []
    for tracked in (True, False):
        torsh.manual_seed(3)
        c = torsh.tensor([0.5, 2.0, 30.0], requires_grad=tracked)
        draws = torsh.distributions.Dirichlet(c).rsample((6,))
        assert draws.requires_grad is tracked
        found.append(draws.tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("draw", [lambda c: torsh.distributions.Dirichlet(c).rsample(), torsh._standard_gamma])
def test_second_derivatives_are_refused(draw) -> None:
    """The derivative is an approximation by pieces: PyTorch has none of it either."""
    c = torsh.tensor([0.5, 2.0], requires_grad=True)
    (g,) = torsh.autograd.grad(draw(c).pow(2).sum(), c, create_graph=True)
    with pytest.raises(
        NotImplementedError, match=r"the derivative for '_(standard_gamma|dirichlet)_grad' is not implemented"
    ):
        g.sum().backward()
