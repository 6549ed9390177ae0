"""Random numbers under ``vmap``: PyTorch's draws in each of its modes."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

DRAWS = {
    "rand": lambda lib, v: v + lib.rand(20),
    "randn": lambda lib, v: lib.randn(20) + v,
    "a few randn": lambda lib, v: lib.randn(3) * v.sum(),
    "randint": lambda lib, v: lib.randint(0, 9, (4,)),
    "randperm": lambda lib, v: lib.randperm(5),
    "rand_like": lambda lib, v: lib.rand_like(v),
    "bernoulli": lambda lib, v: lib.bernoulli(v),
    "bernoulli_": lambda lib, v: (v * 1).bernoulli_(0.3),
    "dropout": lambda lib, v: lib.nn.functional.dropout(v, 0.5),
    "alpha_dropout": lambda lib, v: lib.nn.functional.alpha_dropout(v, 0.5, True),
    "dropout1d": lambda lib, v: lib.nn.functional.dropout1d(v.reshape(1, 5, 4)),
    "native_dropout": lambda lib, v: lib.native_dropout(v, 0.5, True)[0],
    "normal_": lambda lib, v: (v * 1).normal_(),
    "into a tensor outside": lambda lib, v: lib.empty(4).normal_() + v[:4],
    "multinomial": lambda lib, v: lib.multinomial(v, 2),
    "poisson": lambda lib, v: lib.poisson(v),
    "exponential_": lambda lib, v: (v * 1).exponential_(),
    "gumbel_softmax": lambda lib, v: lib.nn.functional.gumbel_softmax(v),
    "not random in evaluation": lambda lib, v: lib.nn.functional.dropout(v, 0.5, False),
}


@pytest.mark.parametrize("mode", ["different", "same", "error"])
@pytest.mark.parametrize("name", DRAWS)
def test_agrees_with_pytorch(name, mode):
    found = []
    for lib in (torsh, torch):
        x = lib.full((3, 20), 0.5)
        lib.manual_seed(3)
        try:
            found.append(lib.vmap(lambda v, lib=lib: DRAWS[name](lib, v), randomness=mode)(x).numpy())
        except RuntimeError as e:
            found.append(" ".join(str(e).split()[:5]))
    if isinstance(found[1], str):
        assert found[0] == found[1]
    else:
        assert found[0].dtype == found[1].dtype
        np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_nested():
    """Different numbers at every level, equal ones where asked for."""
    x = torsh.zeros(2, 3)
    inner = torsh.vmap(lambda v: v + torsh.rand(()), randomness="different")
    drawn = torsh.vmap(inner, randomness="different")(x)
    assert len(set(drawn.flatten().tolist())) == 6
    rows = torsh.vmap(torsh.vmap(lambda v: v + torsh.rand(()), randomness="different"), randomness="same")(x)
    assert rows[0].tolist() == rows[1].tolist()
    assert len(set(rows[0].tolist())) == 3
