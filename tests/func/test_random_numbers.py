"""Random numbers under ``vmap``: where PyTorch defines them they are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")

INTO = {
    "uniform_": lambda lib, t, p: t.uniform_(),
    "random_": lambda lib, t, p: t.random_(100),
    "bernoulli_": lambda lib, t, p: t.bernoulli_(p),
    "bernoulli_ number": lambda lib, t, p: t.bernoulli_(0.5),
    "geometric_": lambda lib, t, p: t.geometric_(0.5),
}
NEW = {
    "rand_like": lambda lib, t, p: lib.rand_like(t),
    "randint_like": lambda lib, t, p: lib.randint_like(t, 50),
    "normal": lambda lib, t, p: lib.normal(t, p),
    "normal number": lambda lib, t, p: lib.normal(0.0, p),
    "binomial": lambda lib, t, p: lib.binomial(t + 9, p),
    "bernoulli": lambda lib, t, p: lib.bernoulli(p),
    "bernoulli number": lambda lib, t, p: lib.bernoulli(t, 0.3),
    "dirichlet": lambda lib, t, p: lib._sample_dirichlet(p + 1),
    "poisson": lambda lib, t, p: lib.poisson(p),
}


@pytest.mark.parametrize("randomness", ["different", "same", "error"])
@pytest.mark.parametrize("dims", [(0, 0), (-1, 0), (0, None), (None, 0), (None, None)])
@pytest.mark.parametrize("name", [*INTO, *NEW])
def test_numbers_and_refusals(name, dims, randomness):
    fn = {**INTO, **NEW}[name]
    found = []
    for lib in (torch, torsh):
        t = lib.zeros((2, 3, 4) if dims[0] == 0 else (3, 4, 2) if dims[0] == -1 else (3, 4))
        p = lib.full((2, 3, 4) if dims[1] == 0 else (3, 4), 0.25)
        lib.manual_seed(3)
        try:
            got = lib.vmap(lambda t, p, _, lib=lib: fn(lib, t, p), (*dims, 0), randomness=randomness)(t, p, lib.ones(2))
            found.append(np.asarray(got.numpy()))
        except RuntimeError as e:
            found.append(" ".join(str(e).split()[:2]))
    want, got = found
    if isinstance(want, str) or isinstance(got, str):
        assert got == want
    else:
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_chunks_of_the_same_randomness_draw_the_same():
    for lib in (torch, torsh):
        lib.manual_seed(0)
        found = lib.vmap(lambda x, lib=lib: x + lib.rand(3), randomness="same", chunk_size=2)(lib.zeros(5, 3))
        assert (found == found[0]).all()
