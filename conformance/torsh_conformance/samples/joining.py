"""Samples of joining and splitting."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.cat", "torch.concat", "torch.concatenate")
def cat(make):
    yield S([make(2, 3), make(1, 3)])
    yield S([make(2, 3), make(2, 1), make(2, 0)], 1)
    yield S([make(3, 2).T, make(2, 3)], dim=-2).named("transposed")
    yield S([make(0), make(2, 3)]).named("legacy empty")
    yield S([make(3)])


@samples("torch.stack")
def stack(make):
    yield S([make(2, 3), make(2, 3)])
    yield S([make(2, 3), make(2, 3)], -1)
    yield S([make(), make()]).named("0-d")


@samples("torch.hstack", "torch.vstack", "torch.row_stack", "torch.dstack", "torch.column_stack")
def stacks(make):
    yield S([make(3), make(3)])
    yield S([make(2, 3), make(2, 3)])
    yield S([make(), make()])


@samples("torch.block_diag")
def block_diag(make):
    yield S(make(2, 3), make(1, 2), make(3))
    yield S(make(), make(2, 2))


@samples("torch.unbind", "Tensor.unbind")
def unbind(make):
    yield S(make(3, 2))
    yield S(make(3, 2), 1)
    yield S(make(3)).named("1-d")
    yield S(make(1, 4)).named("single")


@samples("torch.split", "Tensor.split", "torch.unsafe_split", "Tensor.unsafe_split")
def split(make):
    yield S(make(5, 2), 2)
    yield S(make(5, 2), 5).named("single")
    yield S(make(2, 5), 3, -1)


@samples(
    "torch.split_with_sizes",
    "Tensor.split_with_sizes",
    "torch.unsafe_split_with_sizes",
    "Tensor.unsafe_split_with_sizes",
)
def split_with_sizes(make):
    yield S(make(5, 2), (1, 4))
    yield S(make(2, 5), (2, 0, 3), 1)


@samples("torch.chunk", "Tensor.chunk", "torch.unsafe_chunk", "Tensor.unsafe_chunk")
def chunk(make):
    yield S(make(5, 2), 2)
    yield S(make(5, 2), 4)
    yield S(make(2, 5), 3, 1)


@samples("torch.tensor_split", "Tensor.tensor_split")
def tensor_split(make):
    yield S(make(7), 3)
    yield S(make(7), (1, 4))
    yield S(make(2, 5), (-2, 9), 1)


@samples("torch.hsplit", "Tensor.hsplit", "torch.vsplit", "Tensor.vsplit")
def hsplit(make):
    yield S(make(4, 6), 2)
    yield S(make(4, 6), (1, 3))


@samples("torch.dsplit", "Tensor.dsplit")
def dsplit(make):
    yield S(make(2, 3, 4), 2)
