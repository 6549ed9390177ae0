"""Samples of embeddings."""

import numpy as np

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "embedding")
def embedding(make):
    yield S(make.ints(3, 4, high=5), make(5, 2))
    yield S(np.array([0, 2, 2, 1]), make(4, 3), 2, scale_grad_by_freq=True)
    yield S(make.ints(0, high=5), make(5, 2))


@samples("torch.embedding")
def torch_embedding(make):
    yield S(make(5, 2), make.ints(3, high=5))


@samples(F + "one_hot")
def one_hot(make):
    yield S(make.ints(3, 2, high=4))
    yield S(make.ints(3, high=4), 6)


@samples(F + "embedding_bag")
def embedding_bag(make):
    yield S(make.ints(3, 4, high=5), make(5, 2))
    yield S(np.array([0, 2, 2, 1]), make(4, 3), np.array([0, 1, 1]), mode="sum", per_sample_weights=make(4))
    yield S(np.array([0, 2, 2, 1]), make(4, 3), np.array([0, 3]), mode="max")
    yield S(np.array([0, 2, 2, 1]), make(4, 3), np.array([0, 3]), mode="mean", padding_idx=2)


@samples("torch.embedding_bag")
def torch_embedding_bag(make):
    yield S(make(4, 3), np.array([0, 2, 2, 1]), np.array([0, 1]), mode=0).without("grad")


@samples("torch.embedding_renorm_")
def embedding_renorm_(make):
    yield S(make(4, 3), np.array([0, 2, 2]), 0.5, 2.0).without("grad")
