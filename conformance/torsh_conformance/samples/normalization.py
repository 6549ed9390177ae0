"""Samples of normalisation and dropout."""

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "batch_norm")
def batch_norm(make):
    yield S(make(4, 3, 2, 2), None, None, make(3), make(3), True)
    yield S(make(4, 3), make(3), make(3, low=0.5, high=2), make(3), make(3), False)
    yield S(make(4, 3, 5), None, None, None, None, True, 0.1, 1e-3)


@samples("torch.batch_norm")
def torch_batch_norm(make):
    yield S(make(4, 3, 2, 2), make(3), make(3), None, None, True, 0.1, 1e-5, False)


@samples("torch.native_batch_norm")
def native_batch_norm(make):
    yield S(make(4, 3, 2, 2), make(3), make(3), None, None, True, 0.1, 1e-5)


@samples(F + "instance_norm", "torch.instance_norm")
def instance_norm(make):
    yield S(make(2, 3, 4), None, None, make(3), make(3))


@samples(F + "layer_norm", "torch.layer_norm", F + "rms_norm", "torch.rms_norm")
def layer_norm(make):
    yield S(make(3, 4), (4,))
    yield S(make(2, 3, 4), (3, 4), make(3, 4))
    yield S(make(4, 3).T, (4,), make(4))


@samples("torch.native_layer_norm")
def native_layer_norm(make):
    yield S(make(2, 3, 4), (3, 4), make(3, 4), make(3, 4), 1e-5)


@samples(F + "group_norm", "torch.group_norm")
def group_norm(make):
    yield S(make(2, 6, 3), 2, make(6), make(6))
    yield S(make(2, 4, 3, 2), 4)


@samples("torch.native_group_norm")
def native_group_norm(make):
    yield S(make(2, 6, 3), make(6), make(6), 2, 6, 3, 2, 1e-5).without("grad")


@samples(F + "local_response_norm")
def local_response_norm(make):
    yield S(make(2, 5, 3), 3)
    yield S(make(2, 5, 3, 2), 2, 1e-2, 0.5, 2.0)


@samples(F + "normalize")
def normalize(make):
    yield S(make(3, 4))
    yield S(make(2, 3, 4), 1.0, 2)


@samples(F + "dropout", F + "alpha_dropout", F + "feature_alpha_dropout")
def dropout(make):
    yield S(make(5, 6), 0.4, True)
    yield S(make(3, 4), 0.4, False)
    yield S(make(3, 4), 1.0, True)
    yield S(make(0, 3), 0.5, True)


@samples(
    "torch.dropout",
    "torch.alpha_dropout",
    "torch.feature_dropout",
    "torch.feature_alpha_dropout",
    "torch.native_dropout",
)
def torch_dropout(make):
    yield S(make(5, 6), 0.4, True)
    yield S(make(5, 6), 0.4, False)


@samples(F + "dropout1d")
def dropout1d(make):
    yield S(make(2, 3, 4))
    yield S(make(3, 4), 0.3)


@samples(F + "dropout2d")
def dropout2d(make):
    yield S(make(2, 3, 4, 2), 0.3)


@samples(F + "dropout3d")
def dropout3d(make):
    yield S(make(2, 3, 2, 2, 2), 0.3)


@samples("torch._native_batch_norm_legit")
def native_batch_norm_legit(make):
    yield S(make(4, 3, 2, 2), make(3), make(3), True, 0.1, 1e-5)
