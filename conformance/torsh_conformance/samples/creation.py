"""Samples of functions that make tensors, and of copies."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.zeros", "torch.ones")
def zeros(make):
    yield S(2, 3)
    yield S((0, 2))
    yield S(())


@samples("torch.full")
def full(make):
    yield S((2, 3), 1.5)
    yield S((2,), 3)
    yield S((), True)


@samples("torch.zeros_like", "torch.ones_like")
def like(make):
    yield S(make(2, 3))
    yield S(make(2, 3).T).named("transposed")


@samples("torch.full_like")
def full_like(make):
    yield S(make(2, 3), 1)


@samples("Tensor.new_zeros", "Tensor.new_ones")
def new(make):
    yield S(make(2), (3, 2))


@samples("Tensor.new_full")
def new_full(make):
    yield S(make(2), (3, 2), 1)


@samples("torch.arange")
def arange(make):
    yield S(5)
    yield S(1, 9, 2)
    yield S(0, 1, 0.1)
    yield S(5, -5, -3)


@samples("torch.linspace")
def linspace(make):
    yield S(0, 1, 5)
    yield S(3, -3, 7)
    yield S(2, 5, 1)


@samples("torch.logspace")
def logspace(make):
    yield S(0, 2, 5)
    yield S(0, 3, 4, 2)


@samples("torch.eye")
def eye(make):
    yield S(3)
    yield S(2, 4)


@samples("torch.scalar_tensor")
def scalar_tensor(make):
    yield S(2.5)
    yield S(3)


@samples("torch.clone", "Tensor.clone")
def clone(make):
    yield S(make(2, 3))
    yield S(make(2, 3).T).named("transposed")
    yield S(make())


@samples("torch.fill", "Tensor.fill")
def fill(make):
    yield S(make(2, 3), 1)


@samples("Tensor.item")
def item(make):
    yield S(make(1, 1))
    yield S(make())


@samples("Tensor.tolist")
def tolist(make):
    yield S(make(2, 3))
    yield S(make())


@samples("Tensor.type_as")
def type_as(make):
    yield S(make(3), make.ints(2))
