"""Samples of activation functions."""

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


def _plain(make):
    yield S(make(3, 4, low=-4, high=4))
    yield S(make(4, 3, low=-4, high=4).T)
    yield S(make(0, 2))
    yield S(make())


for _name in (
    "relu",
    "relu6",
    "silu",
    "mish",
    "hardsigmoid",
    "hardswish",
    "selu",
    "logsigmoid",
    "softsign",
    "tanhshrink",
):
    samples(F + _name)(_plain)


@samples(F + "leaky_relu")
def leaky_relu(make):
    yield S(make(3, 4, low=-4, high=4))
    yield S(make(5), 0.3)
    yield S(make(3, 4).T, negative_slope=-0.5)


@samples(F + "elu", F + "celu", "torch.celu")
def elu(make):
    yield S(make(3, 4, low=-4, high=4))
    yield S(make(5), 0.7)
    yield S(make(0))


@samples("torch.prelu", F + "prelu")
def prelu(make):
    yield S(make(2, 3, 4), make(3))
    yield S(make(2, 3), make(1))
    yield S(make(4), make())


@samples(F + "hardtanh")
def hardtanh(make):
    yield S(make(3, 4, low=-3, high=3))
    yield S(make(5, low=-3, high=3), -0.5, 2.0)


@samples(F + "threshold", "torch.threshold")
def threshold(make):
    yield S(make(3, 4), 0.25, -1.0)
    yield S(make(0), 0.5, 1.0)


@samples(F + "gelu")
def gelu(make):
    yield S(make(3, 4, low=-4, high=4))
    yield S(make(3, 4, low=-4, high=4), approximate="tanh")
    yield S(make())


@samples(F + "softplus")
def softplus(make):
    yield S(make(3, 4, low=-30, high=30))
    yield S(make(5), 2, 1.5)


@samples(F + "hardshrink", "torch.hardshrink", F + "softshrink")
def hardshrink(make):
    yield S(make(3, 4))
    yield S(make(5), 0.1)


@samples(F + "glu")
def glu(make):
    yield S(make(3, 4))
    yield S(make(4, 3), 0)
    yield S(make(2, 6, 3), 1)


@samples(F + "rrelu", "torch.rrelu")
def rrelu(make):
    yield S(make(3, 4, low=-2, high=2))
    yield S(make(5, low=-2, high=2), 0.2, 0.4)


@samples("torch.softmax", "torch.log_softmax", F + "softmax", F + "log_softmax", F + "softmin")
def softmax(make):
    yield S(make(3, 4, low=-5, high=5), -1)
    yield S(make(2, 3, 4).transpose(2, 0, 1), 1)
    yield S(make(0, 3), 1)
    yield S(make(), 0)


@samples("torch._softmax", "torch._log_softmax")
def internal_softmax(make):
    yield S(make(3, 4), 1, False)
