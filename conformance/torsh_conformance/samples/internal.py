"""Samples of PyTorch's inner operators."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch._unsafe_masked_index")
def unsafe_masked_index(make):
    yield S(make(3, 4), make.bools(5), [make.ints(5, high=3), make.ints(5, high=4)], 2)
    yield S(make(4, 3).T, make.bools(2), [make.ints(2, high=9), make.ints(2, high=9)], 1).named(
        "transposed, out of bounds"
    )


@samples("torch._unsafe_masked_index_put_accumulate")
def unsafe_masked_index_put_accumulate(make):
    yield S(make(3, 4), make.bools(5), [make.ints(5, high=3), make.ints(5, high=4)], make(5))
    yield S(make(3, 4), make.bools(5), [make.ints(5, high=9), make.ints(5, high=9)], make(5)).named("out of bounds")


@samples("torch._chunk_cat")
def chunk_cat(make):
    yield S([make(4, 3), make(5, 2)], 0, 2)
    yield S([make(2, 3), make(2, 5, 2)], 1, 3)
    yield S([make(1)], 0, 4).named("filled up")


@samples("torch._addmm_activation")
def addmm_activation(make):
    yield S(make(5), make(3, 4), make(4, 5))
    yield S(make(5), make(3, 4), make(4, 5), beta=2, alpha=3, use_gelu=True)
