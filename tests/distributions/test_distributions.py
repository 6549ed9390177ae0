"""Distributions: PyTorch's densities, moments, divergences and draws."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
import torsh.distributions

torch = pytest.importorskip("torch")

CASES = {
    "Normal": lambda T, D: D.Normal(T.tensor([0.5, -1.0]), T.tensor([1.0, 2.0])), "Uniform": lambda T, D: D.Uniform(-1.0, T.tensor([1.0, 2.0])),
    "Exponential": lambda T, D: D.Exponential(T.tensor([0.5, 2.0])), "Laplace": lambda T, D: D.Laplace(0.0, T.tensor([1.0, 2.0])),
    "Cauchy": lambda T, D: D.Cauchy(T.tensor([0.0, 1.0]), 2.0), "Gamma": lambda T, D: D.Gamma(T.tensor([0.5, 3.0]), T.tensor([1.0, 2.0])),
    "Chi2": lambda T, D: D.Chi2(T.tensor([2.0, 3.0])), "StudentT": lambda T, D: D.StudentT(T.tensor([3.0, 5.0]), 0.5),
    "Gumbel": lambda T, D: D.Gumbel(T.tensor([0.0, 1.0]), 2.0), "Beta": lambda T, D: D.Beta(T.tensor([0.5, 3.0]), T.tensor([1.0, 2.0])),
    "HalfNormal": lambda T, D: D.HalfNormal(T.tensor([1.0, 2.0])), "HalfCauchy": lambda T, D: D.HalfCauchy(T.tensor([1.0, 2.0])),
    "LogNormal": lambda T, D: D.LogNormal(T.tensor([0.0, 0.5]), 0.7), "Bernoulli": lambda T, D: D.Bernoulli(T.tensor([0.2, 0.7])),
    "BernoulliLogits": lambda T, D: D.Bernoulli(logits=T.tensor([0.2, -0.7])), "Geometric": lambda T, D: D.Geometric(T.tensor([0.2, 0.7])),
    "Categorical": lambda T, D: D.Categorical(T.tensor([[0.2, 0.3, 0.5], [1.0, 1.0, 2.0]])),
    "OneHotCategorical": lambda T, D: D.OneHotCategorical(logits=T.tensor([[0.2, 0.3, 0.5], [1.0, 1.0, 2.0]])),
    "Poisson": lambda T, D: D.Poisson(T.tensor([0.5, 4.0])), "Binomial": lambda T, D: D.Binomial(5, T.tensor([0.2, 0.7])),
    "Dirichlet": lambda T, D: D.Dirichlet(T.tensor([[0.5, 1.0, 2.0], [3.0, 1.0, 1.0]])),
    "Multinomial": lambda T, D: D.Multinomial(6, T.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])),
    "MultivariateNormal": lambda T, D: D.MultivariateNormal(T.tensor([[0.5, 1.0], [0.0, 0.0]]), T.tensor([[2.0, 0.5], [0.5, 1.0]])),
    "Precision": lambda T, D: D.MultivariateNormal(T.zeros(2), precision_matrix=T.tensor([[2.0, 0.5], [0.5, 1.0]])),
    "Independent": lambda T, D: D.Independent(D.Normal(T.zeros(2, 3), T.ones(3)), 1),
    "Mixture": lambda T, D: D.MixtureSameFamily(D.Categorical(T.tensor([0.3, 0.7])), D.Normal(T.tensor([0.0, 3.0]), T.ones(2))),
    "Transformed": lambda T, D: D.TransformedDistribution(D.Normal(T.zeros(2), T.ones(2)), [D.AffineTransform(1.0, 2.0), D.TanhTransform()]),
}  # fmt: skip


def both(name, what):
    """A function of the distribution in both libraries, or the exception both raise."""
    found = []
    for T in (torch, torsh):
        T.manual_seed(1)
        try:
            found.append(what(T, CASES[name](T, T.distributions)))
        except NotImplementedError:
            found.append(None)
    return found


def arrays(x):
    return np.asarray(x.detach().tolist(), float)


@pytest.mark.parametrize("name", CASES)
def test_draws_and_densities(name):
    # Rejection samplers compare with thresholds: a draw in a thousand may go another way, not one in twelve.
    a, b = both(name, lambda T, d: d.sample((3,)))
    np.testing.assert_allclose(arrays(b), arrays(a), 2e-4, 1e-5)
    value = a
    p, q = both(name, lambda T, d: d.log_prob(value if T is torch else torsh.tensor(value.tolist(), dtype=b.dtype)))
    np.testing.assert_allclose(arrays(q), arrays(p), 2e-4, 2e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("what", ["mean", "variance", "stddev", "mode", "entropy"])
def test_moments(name, what):
    def get(T, d):
        v = getattr(d, what)
        return v() if callable(v) else v

    a, b = both(name, get)
    assert (a is None) == (b is None)
    if a is not None:
        np.testing.assert_allclose(arrays(b), arrays(a), 1e-4, 1e-5)


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_texts(name):
    a, b = both(name, lambda T, d: (repr(d), tuple(d.batch_shape), tuple(d.event_shape), d.has_rsample))
    assert a[0] == b[0].replace("torsh", "torch") and a[1:] == b[1:]
    a, b = both(name, lambda T, d: tuple(d.expand((4, *d.batch_shape)).sample((2,)).shape))
    assert a == b


@pytest.mark.parametrize(
    "name", ["Normal", "Uniform", "Exponential", "Laplace", "Cauchy", "Gumbel", "HalfNormal", "LogNormal"]
)
def test_cdf(name):
    a, b = both(name, lambda T, d: [d.cdf(T.tensor([0.3, 0.9])), d.icdf(T.tensor([0.3, 0.9]))])
    for x, y in zip(a, b):
        np.testing.assert_allclose(arrays(y), arrays(x), 1e-4, 1e-5)


@pytest.mark.parametrize(
    "name", ["Normal", "Bernoulli", "Categorical", "Exponential", "Gamma", "Laplace", "Poisson", "Dirichlet", "Beta", "Geometric",
             "MultivariateNormal", "Independent", "LogNormal", "Uniform"],
)  # fmt: skip
def test_kl(name):
    shift = {"Normal": lambda D, T: D.Normal(1.0, 3.0), "Bernoulli": lambda D, T: D.Bernoulli(T.tensor(0.4))}
    a, b = both(
        name, lambda T, d: T.distributions.kl_divergence(d, shift.get(name, lambda D, T: d)(T.distributions, T))
    )
    np.testing.assert_allclose(arrays(b), arrays(a), 1e-4, 1e-5)


def test_gradients_through_samples():
    found = []
    for T in (torch, torsh):
        T.manual_seed(0)
        loc, scale = T.zeros(3, requires_grad=True), T.ones(3, requires_grad=True)
        (T.distributions.Normal(loc, scale).rsample((4,)) ** 2).sum().backward()
        found.append((loc.grad.tolist(), scale.grad.tolist()))
    np.testing.assert_allclose(found[1], found[0], 1e-4)


@pytest.fixture
def checked():
    """PyTorch's compiler, once imported, switches PyTorch's checks of distributions off for the whole process."""
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(True)
    yield
    torch.distributions.Distribution.set_default_validate_args(before)


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize(
    "make",
    [
        lambda D, T: D.Normal(0.0, -1.0), lambda D, T: D.Bernoulli(T.tensor(2.0)), lambda D, T: D.Bernoulli(),
        lambda D, T: D.Uniform(1.0, 0.0), lambda D, T: D.Exponential(1.0).log_prob(T.tensor(-1.0)),
        lambda D, T: D.Categorical(T.tensor([0.5, 0.5])).log_prob(T.tensor(3)), lambda D, T: D.Categorical(T.tensor(1.0)),
        lambda D, T: D.MultivariateNormal(T.zeros(2)), lambda D, T: D.Normal("a", 1.0), lambda D, T: D.Normal(0.0, 1.0).log_prob(3),
        lambda D, T: D.Independent(D.Normal(0.0, 1.0), 1),
    ],
)  # fmt: skip
def test_errors(make):
    messages = []
    for T in (torch, torsh):
        with pytest.raises(ValueError) as e:
            make(T.distributions, T)
        messages.append(str(e.value).replace("torsh", "torch").split("\n")[0])
    assert messages[0] == messages[1]
