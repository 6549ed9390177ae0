"""Samples of what draws random numbers (seeded before each call, and compared value by value)."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.rand")
def rand(make):
    yield S(3, 4)
    yield S((2, 10))
    yield S(0)


@samples("torch.randn")
def randn(make):
    yield S(3, 4)
    yield S((3, 11))
    yield S(0)


@samples("torch.randint")
def randint(make):
    yield S(10, (3, 4))
    yield S(-5, 1 << 40, (5,))
    yield S(3, 7, (0,))


@samples("torch.randperm")
def randperm(make):
    yield S(10)
    yield S(1)
    yield S(0)


@samples("torch.rand_like", "torch.randn_like")
def like(make):
    yield S(make(3, 4))
    yield S(make(5, 4).T).named("transposed")
    yield S(make())


@samples("torch.randint_like")
def randint_like(make):
    yield S(make(3, 4), 10)
    yield S(make(5, 4).T, 2, 9).named("transposed")


@samples("torch.bernoulli", "Tensor.bernoulli")
def bernoulli(make):
    yield S(make(3, 4, low=0, high=1))
    yield S(make(5, 4).T, 0.3).named("transposed")


@samples("torch.multinomial", "Tensor.multinomial")
def multinomial(make):
    yield S(make(6, low=0.1, high=1), 3)
    yield S(make(2, 5, low=0.1, high=1), 4, True).named("replacement")
    yield S(make(2, 5, low=0.1, high=1), 1)


@samples("torch.normal")
def normal(make):
    yield S(make(3, 4), 2.0)
    yield S(1.0, make(3, 4, low=0, high=2))
    yield S(make(3, 1), make(4, low=0, high=2)).named("broadcast")
    yield S(1.0, 2.0, (3, 7))


@samples("torch.poisson")
def poisson(make):
    yield S(make(3, 4, low=0, high=30))
    yield S(make(0))


@samples("torch.binomial")
def binomial(make):
    yield S(make(3, 4, low=0, high=50), make(4, low=0, high=1))


@samples("Tensor.uniform_")
def uniform(make):
    yield S(make(3, 4), -1, 2)
    yield S(make(4, 3).T)


@samples("Tensor.normal_")
def normal_(make):
    yield S(make(3, 4), -1, 2)
    yield S(make(5, 4))


@samples("Tensor.random_")
def random(make):
    yield S(make(3, 4))
    yield S(make(3, 4), 100)
    yield S(make(3, 4), 3, 9)


@samples("Tensor.bernoulli_")
def bernoulli_(make):
    yield S(make(3, 4))
    yield S(make(3, 4), 0.3)


@samples("Tensor.exponential_", "Tensor.cauchy_", "Tensor.log_normal_")
def continuous(make):
    yield S(make(3, 4))


@samples("Tensor.geometric_")
def geometric(make):
    yield S(make(3, 4), 0.4)
