"""Samples of flips, rolls, repeats, triangles and grids."""

from __future__ import annotations

import numpy as np

from torsh_conformance.sample import S, samples


@samples("torch.flip", "Tensor.flip")
def flip(make):
    yield S(make(3, 4), (0,))
    yield S(make(3, 4), (0, -1))
    yield S(make(3, 4).T, (1,)).named("transposed")


@samples("torch.fliplr", "Tensor.fliplr", "torch.flipud", "Tensor.flipud")
def flips(make):
    yield S(make(3, 4))


@samples("torch.rot90", "Tensor.rot90")
def rot90(make):
    yield S(make(3, 4))
    yield S(make(3, 4), 2)
    yield S(make(2, 3, 4), -1, (1, 2))
    yield S(make(2, 3), 4)


@samples("torch.roll", "Tensor.roll")
def roll(make):
    yield S(make(3, 4), 1, 0)
    yield S(make(3, 4), (2, -1), (0, 1))
    yield S(make(3, 4), 5).named("flat")


@samples("Tensor.repeat")
def repeat(make):
    yield S(make(2, 3), 2, 1)
    yield S(make(2), (3, 2))
    yield S(make(2, 3), 0, 1).named("empty")
    yield S(make(), 3)


@samples("torch.tile", "Tensor.tile")
def tile(make):
    yield S(make(2, 3), (2,))
    yield S(make(2), (2, 1, 3))


@samples("torch.repeat_interleave", "Tensor.repeat_interleave")
def repeat_interleave(make):
    yield S(make(3), 2)
    yield S(make(2, 3), 2, 1)
    yield S(make(3, 2), make.ints(3, low=0, high=4), 0).without("meta")  # the result's size depends on values
    yield S(make(3, 2), np.array([1, 0, 2]), 0, output_size=3)


@samples("torch.tril", "Tensor.tril", "torch.triu", "Tensor.triu")
def triangles(make):
    yield S(make(3, 4))
    yield S(make(4, 3), 1)
    yield S(make(2, 3, 3), -1)
    yield S(make(4, 3).T).named("transposed")


@samples("torch.tril_indices", "torch.triu_indices")
def triangle_indices(make):
    yield S(3, 4)
    yield S(3, 4, 1)
    yield S(4, 3, -1)


@samples("torch.meshgrid")
def meshgrid(make):
    yield S(make(2), make(3), indexing="ij")
    yield S(make(2), make(3), make(), indexing="xy")


@samples("torch.cartesian_prod")
def cartesian_prod(make):
    yield S(make(2), make(3))
    yield S(make(2))


@samples("torch.combinations")
def combinations(make):
    yield S(make(4))
    yield S(make(3), 2, True)
    yield S(make(4), r=3)


@samples("Tensor.fill_diagonal_")
def fill_diagonal_(make):
    yield S(make(3, 4), 1)
    yield S(make(7, 3), 1, wrap=True).named("wrapped")
    yield S(make(2, 2, 2), 1)
