"""Samples of reductions over pieces, and of grouped products."""

from torsh_conformance.sample import S, samples


@samples("torch.segment_reduce")
def segment_reduce(make):
    lengths = make.ints(3, low=2, high=3)
    for reduce in ("sum", "mean", "max", "min", "prod"):
        yield S(make(6), reduce, lengths=lengths)
        yield S(make(6, 2), reduce, lengths=lengths, initial=1.0)
        yield S(make(2, 6), reduce, lengths=make.ints(2, 3, low=2, high=3), axis=1)
    yield S(make(6), "sum", offsets=make.ints(4, low=0, high=1) + [0, 1, 1, 6])


@samples("torch.slice_inverse")
def slice_inverse(make):
    yield S(make(2, 3), make(2, 3))
    yield S(make(3), make(3), 0, 0, 3, 1)


@samples("torch.nn.functional.grouped_mm")
def grouped_mm(make):
    yield S(make(2, 4, 16), make(2, 16, 8))
    yield S(
        make(4, 16),
        make(2, 16, 8),
        offs=make.ints(2, low=0, high=1, dtype="int32")
        + make.ints(2, low=2, high=3, dtype="int32").cumsum().astype("int32"),
    )
