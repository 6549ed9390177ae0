"""Distributions made of others, of matrices and angles; transforms of vectors; the registry of constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torsh
import torsh.distributions

torch = pytest.importorskip("torch")

# PyTorch says so of every sample (its check is inverted).
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")

MATRIX = [[2.0, 0.5], [0.5, 1.0]]
CASES = {
    "Pareto": lambda T, D: D.Pareto(T.tensor([1.0, 2.0]), T.tensor([0.5, 3.0])),
    "Weibull": lambda T, D: D.Weibull(T.tensor([1.0, 2.0]), T.tensor([1.5, 3.0])),
    "Kumaraswamy": lambda T, D: D.Kumaraswamy(T.tensor([1.5, 2.0]), T.tensor([1.2, 3.0])),
    "InverseGamma": lambda T, D: D.InverseGamma(T.tensor([1.5, 3.0]), T.tensor([1.0, 2.0])),
    "FisherSnedecor": lambda T, D: D.FisherSnedecor(T.tensor([3.0, 5.0]), T.tensor([5.0, 6.0])),
    "GeneralizedPareto": lambda T, D: D.GeneralizedPareto(0.1, 2.0, T.tensor([0.4, 0.0, -0.3])),
    "ContinuousBernoulli": lambda T, D: D.ContinuousBernoulli(T.tensor([0.2, 0.5, 0.7])),
    "ContinuousBernoulliLogits": lambda T, D: D.ContinuousBernoulli(logits=T.tensor([0.2, -0.7])),
    "RelaxedBernoulli": lambda T, D: D.RelaxedBernoulli(T.tensor(2.2), T.tensor([0.1, 0.2, 0.9])),
    "RelaxedOneHotCategorical": lambda T, D: D.RelaxedOneHotCategorical(T.tensor(2.2), T.tensor([0.1, 0.2, 0.7])),
    "StraightThrough": lambda T, D: D.OneHotCategoricalStraightThrough(T.tensor([0.1, 0.2, 0.7])),
    "LogisticNormal": lambda T, D: D.LogisticNormal(T.tensor([0.0, 1.0]), T.tensor([1.0, 0.5])),
    "NegativeBinomial": lambda T, D: D.NegativeBinomial(T.tensor([3.0, 5.0]), T.tensor([0.2, 0.7])),
    "VonMises": lambda T, D: D.VonMises(T.tensor([0.5, -1.0]), T.tensor([0.7, 6.0])),
    "LowRank": lambda T, D: D.LowRankMultivariateNormal(T.zeros(2, 3), T.tensor([[1.0], [0.5], [0.0]]), T.tensor([1.0, 2.0, 0.5])),
    "Wishart": lambda T, D: D.Wishart(T.tensor([3.0, 5.0]), T.tensor(MATRIX)),
    "WishartPrecision": lambda T, D: D.Wishart(4.0, precision_matrix=T.tensor(MATRIX)),
    "LKJCholesky": lambda T, D: D.LKJCholesky(3, T.tensor([0.5, 2.0])),
}  # fmt: skip


def both(name, what):
    """A function of the distribution in both libraries; None where it is not implemented."""
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
    a, b = both(name, lambda T, d: d.sample((3,)))
    np.testing.assert_allclose(arrays(b), arrays(a), 1e-3, 1e-5)
    p, q = both(name, lambda T, d: d.log_prob(a if T is torch else torsh.tensor(a.tolist(), dtype=b.dtype)))
    assert tuple(p.shape) == tuple(q.shape)
    np.testing.assert_allclose(arrays(q), arrays(p), 2e-4, 5e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("what", ["mean", "variance", "stddev", "mode", "entropy"])
def test_moments(name, what):
    def get(T, d):
        v = getattr(d, what)
        return v() if callable(v) else v

    a, b = both(name, get)
    assert (a is None) == (b is None)
    if a is not None:
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(arrays(b), arrays(a), 1e-4, 1e-5)


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_texts(name):
    a, b = both(name, lambda T, d: (repr(d), tuple(d.batch_shape), tuple(d.event_shape), d.has_rsample))
    assert a == (b[0].replace("torsh", "torch"), *b[1:])
    a, b = both(name, lambda T, d: tuple(d.expand((4, *d.batch_shape)).sample((2,)).shape))
    assert a == b


@pytest.mark.parametrize("name", ["Pareto", "Weibull", "Kumaraswamy", "GeneralizedPareto", "ContinuousBernoulli"])
def test_cdf(name):
    value = [0.2, 0.5, 0.9][: 3 if name in ("GeneralizedPareto", "ContinuousBernoulli") else 2]
    a, b = both(name, lambda T, d: [d.icdf(T.tensor(value)), d.cdf(d.icdf(T.tensor(value)))])
    for x, y in zip(a, b):
        np.testing.assert_allclose(arrays(y), arrays(x), 1e-4, 1e-5)


@pytest.mark.parametrize(
    "name", ["Weibull", "InverseGamma", "RelaxedOneHotCategorical", "LogisticNormal", "LowRank", "Wishart"]
)
def test_gradients_through_samples(name):
    a, b = both(name, lambda T, d: T.isfinite(d.rsample((2,))).all().item())
    assert a is b is True


TRANSFORMS = {
    "StickBreaking": (lambda T, t: t.StickBreakingTransform(), [[0.3, -1.0, 0.7]]),
    "CorrCholesky": (lambda T, t: t.CorrCholeskyTransform(), [[0.3, -1.0, 0.7], [0.0, 0.2, 0.1]]),
    "Reshape": (lambda T, t: t.ReshapeTransform((4,), (2, 2)), [[0.3, -1.0, 0.7, 1.0]]),
    "Independent": (lambda T, t: t.IndependentTransform(t.ExpTransform(), 1), [[0.3, -1.0]]),
    "Cat": (lambda T, t: t.CatTransform([t.ExpTransform(), t.SigmoidTransform()], 1, [1, 2]), [[0.3, -1.0, 0.5]]),
    "Stack": (lambda T, t: t.StackTransform([t.ExpTransform(), t.TanhTransform()], 1), [[0.3, -1.0], [0.2, 0.4]]),
    "Cumulative": (lambda T, t: t.CumulativeDistributionTransform(T.distributions.Normal(0.0, 2.0)), [0.3, -1.0]),
    "Compose": (lambda T, t: t.ComposeTransform([t.AffineTransform(0.5, 2.0), t.StickBreakingTransform()]), [[0.3, -1.0]]),
    "LowerCholesky": (lambda T, t: t.LowerCholeskyTransform(), [[0.3, -1.0], [0.5, 0.1]]),
    "PositiveDefinite": (lambda T, t: t.PositiveDefiniteTransform(), [[0.3, -1.0], [0.5, 0.1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    make, values = TRANSFORMS[name]
    found = []
    for T in (torch, torsh):
        t, x = make(T, T.distributions.transforms), T.tensor(values)
        y = t(x)
        shapes = tuple(t.forward_shape(x.shape)), tuple(t.inverse_shape(y.shape)), t.bijective
        results = [y, t.inv(y)]
        try:
            results.append(t.log_abs_det_jacobian(x, y))
        except NotImplementedError:
            pass
        found.append((shapes, [arrays(r) for r in results]))
    assert found[0][0] == found[1][0] and len(found[0][1]) == len(found[1][1])
    for a, b in zip(found[0][1], found[1][1]):
        np.testing.assert_allclose(b, a, 1e-4, 1e-5)


@pytest.mark.parametrize(
    "constraint",
    [
        lambda c: c.real, lambda c: c.positive, lambda c: c.nonnegative, lambda c: c.greater_than(2.0), lambda c: c.less_than(-1.0),
        lambda c: c.unit_interval, lambda c: c.interval(-1.0, 3.0), lambda c: c.half_open_interval(0.0, 1.0), lambda c: c.simplex,
        lambda c: c.corr_cholesky, lambda c: c.lower_cholesky, lambda c: c.positive_definite, lambda c: c.positive_semidefinite,
        lambda c: c.independent(c.positive, 1), lambda c: c.real_vector, lambda c: c.cat([c.positive, c.real], -1, [2, 1]),
        lambda c: c.stack([c.positive, c.real, c.unit_interval], -1), lambda c: c.boolean,
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", ["biject_to", "transform_to"])
def test_registry(constraint, table):
    found = []
    for T in (torch, torsh):
        kind = constraint(T.distributions.constraints)
        try:
            t = getattr(T.distributions, table)(kind)
        except NotImplementedError:
            found.append(None)
            continue
        y = t(T.tensor([[0.3, -1.0, 0.5], [1.0, 0.2, -0.4], [0.1, 0.9, 0.3]]))
        assert bool(kind.check(y).all())
        found.append(arrays(y))
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        np.testing.assert_allclose(found[1], found[0], 1e-4, 1e-5)


def test_modules_by_their_names_in_pytorch():
    from torsh.distributions.multivariate_normal import MultivariateNormal
    from torsh.distributions.normal import Normal

    assert Normal is torsh.distributions.Normal and MultivariateNormal is torsh.distributions.MultivariateNormal


FAMILIES = {
    "Beta": lambda T, D: D.Beta(T.tensor([0.5, 3.0]), T.tensor([1.0, 2.0])),
    "Bernoulli": lambda T, D: D.Bernoulli(T.tensor([0.2, 0.7])),
    "Binomial": lambda T, D: D.Binomial(5, T.tensor([0.2, 0.7])),
    "Cauchy": lambda T, D: D.Cauchy(T.tensor([0.0, 1.0]), 2.0),
    "ContinuousBernoulli": lambda T, D: D.ContinuousBernoulli(T.tensor([0.2, 0.7])),
    "Exponential": lambda T, D: D.Exponential(T.tensor([0.5, 2.0])),
    "Gamma": lambda T, D: D.Gamma(T.tensor([0.5, 3.0]), T.tensor([1.0, 2.0])),
    "Gumbel": lambda T, D: D.Gumbel(T.tensor([0.0, 1.0]), T.tensor([1.0, 2.0])),
    "Laplace": lambda T, D: D.Laplace(T.tensor([0.3, -1.0]), T.tensor([1.0, 2.0])),
    "Normal": lambda T, D: D.Normal(T.tensor([0.5, -1.0]), T.tensor([1.0, 2.0])),
    "Pareto": lambda T, D: D.Pareto(T.tensor([0.05, 0.3]), T.tensor([2.5, 3.0])),
    "HeavyPareto": lambda T, D: D.Pareto(T.tensor([0.05, 0.3]), T.tensor([0.5, 1.5])),
    "Poisson": lambda T, D: D.Poisson(T.tensor([0.5, 4.0])),
    "Uniform": lambda T, D: D.Uniform(T.tensor([0.1, 0.5]), T.tensor([0.6, 0.9])),
    "Wide": lambda T, D: D.Uniform(T.tensor([-1.0, -0.5]), T.tensor([1.5, 2.0])),
    "LowRank": lambda T, D: D.LowRankMultivariateNormal(T.ones(3), T.tensor([[1.0], [0.5], [0.0]]), T.tensor([1.0, 2.0, 0.5])),
    "Dense": lambda T, D: D.MultivariateNormal(T.zeros(3), T.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 1.0]])),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_divergences_from_one_family_to_all(name):
    known = 0
    for other in FAMILIES:
        if (name, other) in (("ContinuousBernoulli", "Wide"), ("ContinuousBernoulli", "Uniform")):
            continue  # PyTorch's condition there is the wrong way round
        found = []
        for T in (torch, torsh):
            p, q = FAMILIES[name](T, T.distributions), FAMILIES[other](T, T.distributions)
            try:
                found.append(arrays(T.distributions.kl_divergence(p, q)))
            except NotImplementedError:
                found.append(None)
        assert (found[0] is None) == (found[1] is None), other
        if found[0] is not None:
            known += 1
            np.testing.assert_allclose(found[1], found[0], 2e-4, 2e-5, err_msg=other)
    assert known


def test_divergence_of_a_bounded_density_from_a_uniform_one():
    T, D = torsh, torsh.distributions
    p = D.ContinuousBernoulli(T.tensor(0.3))
    assert D.kl_divergence(p, D.Uniform(0.0, 0.5)).item() == float("inf")
    assert abs(D.kl_divergence(p, D.Uniform(0.0, 1.0)).item() + p.entropy().item()) < 1e-6


def test_normal_vectors_with_a_batch_of_means_and_one_covariance_expand() -> None:
    def run(lib: Any) -> Any:
        d = lib.distributions.MultivariateNormal(
            lib.zeros(5, 2, dtype=lib.float64), lib.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=lib.float64)
        )
        return d.expand((3, 5)).log_prob(lib.ones(3, 5, 2, dtype=lib.float64)).numpy()

    np.testing.assert_allclose(run(torsh), run(torch), rtol=1e-12)


def test_the_slope_of_a_binomial_at_logits_of_zero() -> None:
    x = torsh.tensor(0.0, requires_grad=True)
    torsh.distributions.Binomial(1.0, logits=x).log_prob(torsh.tensor(0.0)).backward()
    assert x.grad is not None and x.grad.item() == -0.5


@pytest.mark.parametrize("name", torch.distributions.__all__)
def test_what_is_known_of_a_support_without_parameters(name: str) -> None:
    def read(lib: Any, attribute: str) -> Any:
        try:
            return getattr(getattr(lib.distributions, name).support, attribute)
        except (NotImplementedError, AttributeError) as e:
            return type(e)

    for attribute in ("event_dim", "is_discrete"):
        assert read(torsh, attribute) == read(torch, attribute)


def test_constraints_have_classes_of_their_own() -> None:
    c = torsh.distributions.constraints
    assert type(c.nonnegative_integer) is type(c.positive_integer) is c._IntegerGreaterThan
    assert c._IntegerLessThan(3).check(torsh.tensor([2.0, 2.5, 4.0])).tolist() == [True, False, False]
    assert isinstance(c.multinomial(3), c._Multinomial) and c.multinomial(3).event_dim == 1
    assert c.dependent(event_dim=2).event_dim == 2


def test_transforms_are_given_as_transforms() -> None:
    with pytest.raises(ValueError, match="transforms must be a Transform or list, but was"):
        torsh.distributions.TransformedDistribution(torsh.distributions.Normal(0.0, 1.0), abs)
