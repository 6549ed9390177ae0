"""Samples of pooling."""

import numpy as np

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "max_pool1d", F + "max_pool1d_with_indices", "torch.max_pool1d", "torch.max_pool1d_with_indices")
def max_pool1d(make):
    yield S(make(2, 3, 8), 2)
    yield S(make(3, 9), 3, 2, 1, 2, True)


@samples(F + "max_pool2d", F + "max_pool2d_with_indices", "torch.max_pool2d")
def max_pool2d(make):
    yield S(make(2, 3, 6, 6), 2)
    yield S(make(3, 7, 6), (3, 2), (2, 1), (1, 0), (1, 2))
    yield S(make(2, 3, 7, 7), 3, stride=2, ceil_mode=True)
    yield S(make(2, 5, 5, 3).transpose(0, 3, 1, 2), 3, 1, 1)


@samples(F + "max_pool3d", F + "max_pool3d_with_indices", "torch.max_pool3d")
def max_pool3d(make):
    yield S(make(1, 2, 4, 5, 4), 2)
    yield S(make(2, 5, 5, 5), 3, 2, 1)


@samples(F + "avg_pool1d", "torch.avg_pool1d")
def avg_pool1d(make):
    yield S(make(2, 3, 8), 2)
    yield S(make(3, 9), 4, 2, 1, True, False)


@samples(F + "avg_pool2d")
def avg_pool2d(make):
    yield S(make(2, 3, 6, 6), 2)
    yield S(make(3, 7, 6), (3, 2), (2, 1), (1, 0), count_include_pad=False)
    yield S(make(2, 3, 7, 7), 3, stride=2, padding=1, ceil_mode=True)
    yield S(make(2, 3, 5, 5), 3, 1, 1, divisor_override=5)


@samples(F + "avg_pool3d")
def avg_pool3d(make):
    yield S(make(1, 2, 4, 5, 4), 2)
    yield S(make(2, 5, 5, 5), 3, 2, 1, True, False)


@samples(F + "lp_pool1d")
def lp_pool1d(make):
    yield S(make(2, 3, 8, low=0.1, high=2), 2.0, 2)


@samples(F + "lp_pool2d")
def lp_pool2d(make):
    yield S(make(2, 3, 6, 6, low=0.1, high=2), 3.0, 2, 2)


@samples(F + "lp_pool3d")
def lp_pool3d(make):
    yield S(make(1, 2, 4, 4, 4, low=0.1, high=2), 2.0, 2)


@samples(F + "adaptive_avg_pool1d", "torch.adaptive_avg_pool1d", F + "adaptive_max_pool1d", "torch.adaptive_max_pool1d")
def adaptive1d(make):
    yield S(make(2, 3, 8), 3)
    yield S(make(3, 5), 5)


@samples(F + "adaptive_avg_pool2d", F + "adaptive_max_pool2d", F + "adaptive_max_pool2d_with_indices")
def adaptive2d(make):
    yield S(make(2, 3, 7, 6), (3, 4))
    yield S(make(3, 4, 5), (None, 2))
    yield S(make(2, 3, 4, 4), 1)


@samples(F + "adaptive_avg_pool3d", F + "adaptive_max_pool3d", F + "adaptive_max_pool3d_with_indices")
def adaptive3d(make):
    yield S(make(1, 2, 4, 5, 3), (2, 3, 2))


@samples(F + "fractional_max_pool2d", F + "fractional_max_pool2d_with_indices")
def fractional2d(make):
    yield S(make(2, 3, 8, 9), 2, (4, 5), _random_samples=make(2, 3, 2, low=0, high=1)).without("grad")


@samples(F + "fractional_max_pool3d", F + "fractional_max_pool3d_with_indices")
def fractional3d(make):
    yield S(make(1, 2, 6, 7, 6), 2, (3, 3, 4), _random_samples=make(1, 2, 3, low=0, high=1)).without("grad")


@samples(F + "max_unpool1d")
def max_unpool1d(make):
    yield S(make(1, 2, 3), np.array([[[1, 2, 5], [0, 3, 4]]]), 2)


@samples(F + "max_unpool2d")
def max_unpool2d(make):
    yield S(make(1, 1, 2, 2), np.array([[[[0, 3], [9, 14]]]]), 2)


@samples(F + "max_unpool3d")
def max_unpool3d(make):
    yield S(make(1, 1, 1, 1, 2), np.array([[[[[5, 14]]]]]), 2)
