"""Samples of views and reshaping."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.reshape", "Tensor.reshape")
def reshape(make):
    yield S(make(3, 4), (2, 6))
    yield S(make(3, 4), (-1,))
    yield S(make(3, 4).T, (6, 2)).named("transposed")
    yield S(make(0, 3), (3, 0)).named("empty")
    yield S(make(), (1, 1)).named("0-d")


@samples("Tensor.view")
def view(make):
    yield S(make(3, 4), 2, 6)
    yield S(make(3, 4), (4, -1))
    yield S(make(2, 3, 4).transpose(1, 0, 2), 3, 2, 2, 2).named("strided")
    yield S(make(1), ())


@samples("Tensor.view_as", "Tensor.reshape_as")
def view_as(make):
    yield S(make(3, 4), make(2, 6))


@samples("torch.flatten", "Tensor.flatten")
def flatten(make):
    yield S(make(2, 3, 4))
    yield S(make(2, 3, 4), 1)
    yield S(make(2, 3, 4), -2, -1)
    yield S(make()).named("0-d")
    yield S(make(4, 3).T).named("transposed")


@samples("torch.unflatten", "Tensor.unflatten")
def unflatten(make):
    yield S(make(3, 8), 1, (2, 4))
    yield S(make(3, 8), -1, (2, -1, 2))


@samples("torch.ravel", "Tensor.ravel")
def ravel(make):
    yield S(make(2, 3))
    yield S(make(2, 3).T).named("transposed")
    yield S(make())


@samples("torch.permute", "Tensor.permute")
def permute(make):
    yield S(make(2, 3, 4), (2, 0, 1))
    yield S(make(2, 3), (-1, 0))
    yield S(make(), ()).named("0-d")


@samples(
    "torch.transpose", "Tensor.transpose", "torch.swapaxes", "Tensor.swapaxes", "torch.swapdims", "Tensor.swapdims"
)
def transpose(make):
    yield S(make(2, 3, 4), 0, 2)
    yield S(make(2, 3), -1, -2)
    yield S(make(0, 3), 0, 1).named("empty")


@samples("torch.t", "Tensor.t")
def t(make):
    yield S(make(2, 3))
    yield S(make(3))
    yield S(make())


@samples("torch.adjoint", "Tensor.adjoint")
def adjoint(make):
    yield S(make(2, 3))
    yield S(make(2, 3, 4))


@samples("torch.movedim", "Tensor.movedim", "torch.moveaxis", "Tensor.moveaxis")
def movedim(make):
    yield S(make(2, 3, 4), 0, 2)
    yield S(make(2, 3, 4), (0, 1), (-1, 0))


@samples("torch.unsqueeze", "Tensor.unsqueeze")
def unsqueeze(make):
    yield S(make(2, 3), 0)
    yield S(make(2, 3), -1)
    yield S(make(), 0).named("0-d")
    yield S(make(2, 3).T, 1).named("transposed")


@samples("torch.squeeze", "Tensor.squeeze")
def squeeze(make):
    yield S(make(1, 3, 1))
    yield S(make(1, 3, 1), 0)
    yield S(make(1, 3, 1), (0, -1))
    yield S(make(1, 3, 1), 1).named("nothing to drop")


@samples("Tensor.expand")
def expand(make):
    yield S(make(3, 1), 3, 4)
    yield S(make(3), (2, -1))
    yield S(make(), 2, 2).named("0-d")
    yield S(make(1, 3).T, 3, 2).named("transposed")


@samples("Tensor.expand_as")
def expand_as(make):
    yield S(make(3, 1), make(2, 3, 4))


@samples("torch.broadcast_to", "Tensor.broadcast_to")
def broadcast_to(make):
    yield S(make(3, 1), (2, 3, 4))


@samples("torch.broadcast_tensors")
def broadcast_tensors(make):
    yield S(make(3, 1), make(4))
    yield S(make(2), make())


@samples("torch.atleast_1d", "torch.atleast_2d", "torch.atleast_3d")
def atleast(make):
    yield S(make())
    yield S(make(3))
    yield S(make(2, 3), make())


@samples("torch.as_strided", "Tensor.as_strided")
def as_strided(make):
    # What it shows depends on the input's own strides: no other layout gives the same values.
    yield S(make(3, 4), (2, 2), (4, 1)).without("noncontiguous")
    yield S(make(3, 4), (2, 3), (1, 2), 1).named("overlapping").without("noncontiguous")
    yield S(make(6), (3,), (2,), 1).without("noncontiguous")


@samples("torch.as_strided_scatter", "Tensor.as_strided_scatter")
def as_strided_scatter(make):
    # The gradient of the input differs by intention: PyTorch's is that of the written positions.
    yield S(make(3, 4), make(2, 2), (2, 2), (4, 1)).without("grad")


@samples("Tensor.contiguous")
def contiguous(make):
    yield S(make(3, 4))
    yield S(make(3, 4).T).named("transposed")


@samples("Tensor.copy_")
def copy_(make):
    yield S(make(2, 3), make(2, 3))
    yield S(make(2, 3).T, make(2)).named("broadcast")
    yield S(make(2, 3), make.ints(2, 3))
    yield S(make(0, 3), make(0, 3)).named("empty")


@samples("Tensor.cpu")
def cpu(make):
    yield S(make(2, 3)).without("meta")


@samples("torch.empty_strided")
def empty_strided(make):
    yield S((2, 3), (1, 2))
    yield S((2, 3), (4, 1))


@samples("torch.empty_permuted")
def empty_permuted(make):
    yield S((2, 3, 4), (0, 2, 1))


@samples("Tensor.new_empty_strided")
def new_empty_strided(make):
    yield S(make(2), (2, 3), (1, 2))


@samples("Tensor.as_strided_")
def as_strided_(make):
    yield S(make(3, 4), (2, 2), (4, 1)).without("noncontiguous")
