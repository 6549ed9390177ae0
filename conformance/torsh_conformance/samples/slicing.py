"""Samples of views of a part and of writing into one."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.select", "Tensor.select")
def select(make):
    yield S(make(3, 4), 0, 1)
    yield S(make(3, 4), -1, -2)
    yield S(make(4, 3).T, 1, 2).named("transposed")


@samples("torch.narrow", "Tensor.narrow", "torch.narrow_copy", "Tensor.narrow_copy")
def narrow(make):
    yield S(make(3, 4), 1, 1, 2)
    yield S(make(3, 4), 0, -2, 1)
    yield S(make(3, 4), 0, 3, 0).named("empty")


@samples("torch.diagonal", "Tensor.diagonal")
def diagonal(make):
    yield S(make(3, 4))
    yield S(make(3, 4), 1)
    yield S(make(2, 3, 4), -1, 0, 2)
    yield S(make(3, 3), 5).named("empty")


@samples("torch.diag", "Tensor.diag")
def diag(make):
    yield S(make(3))
    yield S(make(3), -1)
    yield S(make(3, 4), 1)


@samples("torch.diag_embed", "Tensor.diag_embed")
def diag_embed(make):
    yield S(make(2, 3))
    yield S(make(2, 3), 1, 0, 2)
    yield S(make(3), -2)


@samples("torch.diagflat", "Tensor.diagflat")
def diagflat(make):
    yield S(make(2, 2))
    yield S(make(3), 1)


@samples("Tensor.unfold")
def unfold(make):
    yield S(make(7), 0, 3, 2)
    yield S(make(3, 5), 1, 2, 1).named("overlapping")
    yield S(make(5), 0, 5, 1)


@samples("torch.select_scatter", "Tensor.select_scatter")
def select_scatter(make):
    yield S(make(3, 4), make(4), 0, 1)
    yield S(make(3, 4), make(3), -1, -1)


@samples("torch.slice_scatter", "Tensor.slice_scatter")
def slice_scatter(make):
    yield S(make(5, 4), make(2, 4), 0, 1, 3)
    yield S(make(3, 6), make(3, 3), 1, 0, 6, 2)


@samples("torch.diagonal_scatter", "Tensor.diagonal_scatter")
def diagonal_scatter(make):
    yield S(make(3, 4), make(3))
    yield S(make(3, 4), make(3), 1)


@samples("torch.view_copy")
def view_copy(make):
    yield S(make(3, 4), (2, 6))


@samples("torch.permute_copy")
def permute_copy(make):
    yield S(make(3, 4), (1, 0))


@samples("torch.transpose_copy")
def transpose_copy(make):
    yield S(make(3, 4), 0, 1)


@samples("torch.expand_copy")
def expand_copy(make):
    yield S(make(3, 1), (3, 4))


@samples("torch.select_copy")
def select_copy(make):
    yield S(make(3, 4), 1, 2)


@samples("torch.slice_copy")
def slice_copy(make):
    yield S(make(5, 4), 0, 1, 4, 2)


@samples("torch.unsqueeze_copy")
def unsqueeze_copy(make):
    yield S(make(3, 4), 1)


@samples("torch.unfold_copy")
def unfold_copy(make):
    yield S(make(7), 0, 3, 2)


@samples("torch.as_strided_copy")
def as_strided_copy(make):
    yield S(make(3, 4), (2, 2), (4, 1)).without("noncontiguous")


@samples("torch.split_copy")
def split_copy(make):
    yield S(make(5, 2), 2).without("out")


@samples("torch.split_with_sizes_copy")
def split_with_sizes_copy(make):
    yield S(make(5, 2), (1, 4)).without("out")


@samples("torch.unbind_copy")
def unbind_copy(make):
    yield S(make(3, 2)).without("out")


@samples("torch.squeeze_copy", "torch.t_copy", "torch.alias_copy", "torch.detach_copy", "torch.diagonal_copy")
def simple_copy(make):
    yield S(make(1, 4))
