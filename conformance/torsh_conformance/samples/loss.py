"""Samples of losses and distances."""

import numpy as np

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "mse_loss", F + "l1_loss", F + "smooth_l1_loss", F + "huber_loss")
def regression(make):
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 4), make(4, 3).T, reduction="sum")
    yield S(make(5), make(5), reduction="none")


@samples(F + "poisson_nll_loss")
def poisson_nll_loss(make):
    yield S(make(3, 4), make(3, 4, low=0.5, high=5))
    yield S(make(3, 4, low=0.5, high=2), make(3, 4, low=0.5, high=5), log_input=False, full=True, reduction="sum")


@samples(F + "gaussian_nll_loss")
def gaussian_nll_loss(make):
    yield S(make(3, 4), make(3, 4), make(3, 4, low=0.5, high=2))
    yield S(make(3, 4), make(3, 4), make(3, 1, low=0.5, high=2), full=True, reduction="none")


@samples(F + "binary_cross_entropy")
def binary_cross_entropy(make):
    yield S(make(3, 4, low=0.05, high=0.95), make(3, 4, low=0, high=1))
    yield S(make(5, low=0.05, high=0.95), make(5, low=0, high=1), make(5, low=0, high=1), reduction="none")


@samples(F + "binary_cross_entropy_with_logits")
def with_logits(make):
    yield S(make(3, 4, low=-5, high=5), make(3, 4, low=0, high=1))
    yield S(make(3, 4), make(3, 4, low=0, high=1), reduction="sum", pos_weight=make(4, low=0.5, high=2))


@samples(F + "kl_div")
def kl_div(make):
    yield S(make(3, 4), make(3, 4, low=0, high=1), reduction="batchmean")
    yield S(make(3, 4), make(3, 4), reduction="none", log_target=True)


def _signs(*shape):
    return np.resize(np.array([1, -1, -1, 1, 1]), shape)


@samples(F + "hinge_embedding_loss", F + "soft_margin_loss")
def signed(make):
    yield S(make(3, 4), _signs(3, 4))
    yield S(make(5), _signs(5), reduction="none")


@samples(F + "margin_ranking_loss")
def margin_ranking_loss(make):
    yield S(make(4), make(4), _signs(4), 0.2)


@samples("torch.cosine_embedding_loss")
def torch_cosine_embedding_loss(make):
    yield S(make(3, 4), make(3, 4), _signs(3), 0.1)


@samples(F + "cosine_embedding_loss")
def cosine_embedding_loss(make):
    yield S(make(3, 4), make(3, 4), _signs(3), margin=0.1, reduction="none")
    yield S(make(3, 4), make(3, 4), _signs(3))


@samples(F + "triplet_margin_loss", F + "triplet_margin_with_distance_loss")
def triplet(make):
    yield S(make(3, 4), make(3, 4), make(3, 4))
    yield S(make(3, 4), make(3, 4), make(3, 4), margin=0.5, swap=True, reduction="none")


@samples(F + "nll_loss")
def nll_loss(make):
    yield S(make(4, 5), make.ints(4, high=5))
    yield S(make(4, 5), np.array([1, -100, 0, 4]), make(5, low=0.5, high=2))
    yield S(make(2, 3, 4), make.ints(2, 4, high=3), reduction="none")
    yield S(make(2, 3, 2, 2), make.ints(2, 2, 2, high=3), make(3, low=0.5, high=2), ignore_index=1, reduction="sum")
    yield S(make(3), make.ints(high=3))


@samples(F + "cross_entropy")
def cross_entropy(make):
    yield S(make(4, 5), make.ints(4, high=5))
    yield S(make(4, 5), make(4, 5, low=0, high=1), make(5, low=0.5, high=2))
    yield S(make(4, 5), np.array([1, -100, 0, 4]), make(5, low=0.5, high=2), label_smoothing=0.2)
    yield S(make(2, 3, 2, 2), make.ints(2, 2, 2, high=3), reduction="none", label_smoothing=0.1)
    yield S(make(3), make.ints(high=3))


@samples(F + "linear_cross_entropy")
def linear_cross_entropy(make):
    yield S(make(4, 3), make(5, 3), make.ints(4, high=5))


@samples(F + "multi_margin_loss")
def multi_margin_loss(make):
    yield S(make(3, 4), make.ints(3, high=4))
    yield S(make(3, 4), make.ints(3, high=4), 2, 0.5, make(4, low=0.5, high=2), reduction="none")


@samples(F + "multilabel_margin_loss")
def multilabel_margin_loss(make):
    yield S(make(2, 4), np.array([[3, 0, -1, 1], [-1, 2, 0, 1]]))
    yield S(make(4), np.array([1, 2, -1, 3]))


@samples(F + "multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(make):
    yield S(make(3, 4), make.ints(3, 4, high=2))


@samples(F + "ctc_loss", "torch.ctc_loss")
def ctc_loss(make):
    scores = make(6, 2, 4)
    log_p = (scores - np.log(np.exp(scores).sum(-1, keepdims=True))).astype(scores.dtype)
    yield S(log_p, np.array([[1, 2, 2], [3, 1, 0]]), (6, 5), (3, 2)).without("grad")


@samples("torch.pairwise_distance", F + "pairwise_distance", "torch.cosine_similarity", F + "cosine_similarity")
def distance(make):
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 4), make(4))
