"""Samples of convolutions."""

import numpy as np

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples("torch.convolution")
def convolution(make):
    yield S(make(2, 4, 6, 5), make(6, 2, 3, 2), make(6), (2, 1), (1, 0), (1, 2), False, (0, 0), 2)
    yield S(make(2, 4, 5), make(4, 3, 3), None, (2,), (1,), (1,), True, (1,), 1)


@samples("torch.conv1d", F + "conv1d")
def conv1d(make):
    yield S(make(2, 3, 8), make(4, 3, 3), make(4))
    yield S(make(3, 8), make(6, 1, 2), None, stride=2, padding=1, dilation=2, groups=3)
    yield S(make(2, 3, 7), make(4, 3, 4), None, padding="same")
    yield S(make(2, 8, 3).transpose(0, 2, 1), make(4, 3, 1))
    yield S(make(0, 3, 8), make(4, 3, 3))


@samples("torch.conv2d", F + "conv2d")
def conv2d(make):
    yield S(make(2, 3, 7, 6), make(4, 3, 3, 3), make(4), padding=1)
    yield S(make(2, 4, 7, 6), make(6, 2, 3, 2), make(6), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
    yield S(make(4, 5, 5), make(8, 1, 3, 3), None, groups=4)
    yield S(make(2, 9, 3, 3), make(5, 9, 3, 3), make(5), padding="same")
    yield S(make(2, 3, 4, 4), make(5, 3, 1, 1))


@samples("torch.conv3d", F + "conv3d")
def conv3d(make):
    yield S(make(1, 2, 4, 5, 4), make(3, 2, 2, 3, 2), make(3), padding=1, stride=(1, 2, 1))
    yield S(make(2, 3, 3, 3), make(2, 1, 2, 2, 2), None, groups=2)


@samples("torch.conv_transpose1d", F + "conv_transpose1d")
def conv_transpose1d(make):
    yield S(make(2, 3, 5), make(3, 4, 3), make(4))
    yield S(make(4, 5), make(4, 2, 3), None, stride=3, padding=1, output_padding=2, groups=2, dilation=2)


@samples("torch.conv_transpose2d", F + "conv_transpose2d")
def conv_transpose2d(make):
    yield S(make(2, 3, 4, 5), make(3, 4, 3, 3), make(4), padding=1)
    yield S(make(2, 4, 3, 3), make(4, 2, 2, 3), make(4), stride=2, padding=(0, 1), output_padding=(1, 0), groups=2)
    yield S(make(1, 2, 4, 4), make(2, 3, 2, 2), None, padding=2)


@samples("torch.conv_transpose3d", F + "conv_transpose3d")
def conv_transpose3d(make):
    yield S(make(1, 2, 3, 2, 3), make(2, 3, 2, 2, 2), make(3), stride=2)


@samples("torch.conv_tbc", F + "conv_tbc")
def conv_tbc(make):
    yield S(make(6, 2, 3), make(3, 3, 4), make(4), 1)


@samples(F + "linear")
def linear(make):
    yield S(make(3, 4), make(5, 4), make(5))
    yield S(make(2, 3, 4), make(5, 4))
    yield S(make(4), make(5, 4), make(5))
    yield S(make(0, 4), np.asfortranarray(make(5, 4)))


@samples("torch.bilinear", F + "bilinear")
def bilinear(make):
    yield S(make(3, 4), make(3, 5), make(2, 4, 5), make(2))
    yield S(make(2, 3, 4), make(2, 3, 5), make(2, 4, 5))
