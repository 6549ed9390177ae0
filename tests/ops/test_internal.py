"""PyTorch's inner operators that are compositions of public ops."""

import math

import pytest

import torsh

torch = pytest.importorskip("torch")


def matrix(lib):
    return lib.arange(12.0).reshape(3, 4) - 5


def pick(lib):
    return [lib.tensor([0, 9, -2]), lib.tensor([0, 9, 2])]


CALLS = {
    "masked_index": lambda lib, A, x: A._unsafe_masked_index(x, lib.tensor([True, False, True]), pick(lib), 7),
    "masked_index rows": lambda lib, A, x: A._unsafe_masked_index(
        x, lib.tensor([[True], [False], [True]]), [lib.tensor([0, 9, 2]), None], 7
    ),
    "masked_index empty": lambda lib, A, x: A._unsafe_masked_index(
        x[:0], lib.tensor([True, False, True]), pick(lib), 7
    ),
    "masked_index float": lambda lib, A, x: A._unsafe_masked_index(x, lib.tensor([True]), [lib.tensor([0.0])], 7),
    "masked_index_put": lambda lib, A, x: A._unsafe_masked_index_put_accumulate(
        x, lib.tensor([True, False, True]), pick(lib), lib.ones(3)
    ),
    "chunk_cat": lambda lib, A, x: A._chunk_cat([x, lib.ones(3, 7), lib.ones(3, 2)], 1, 3),
    "chunk_cat first": lambda lib, A, x: lib._chunk_cat([x, lib.ones(2, 4)], 0, 2),
    "chunk_cat sizes": lambda lib, A, x: A._chunk_cat([x, lib.ones(2, 7)], 1, 3),
    "chunk_cat empty": lambda lib, A, x: A._chunk_cat([lib.ones(0)], 0, 3),
    "chunk_cat none": lambda lib, A, x: lib._chunk_cat([], 0, 3),
    "chunk_cat zero": lambda lib, A, x: lib._chunk_cat([x], 0, 0),
    "safe_softmax": lambda lib, A, x: lib._safe_softmax(lib.tensor([[-math.inf] * 2, [0.0, 0.0]]), 1),
    "safe_softmax dtype": lambda lib, A, x: A._safe_softmax(lib.tensor([[-math.inf] * 2, [0.0, 0.0]]), -1, lib.float64),
    "addmm_activation": lambda lib, A, x: lib._addmm_activation(lib.ones(3), x, x.mT, beta=2)[:, :3],
    "dropout": lambda lib, A, x: A.native_dropout_backward.default(x, x > 0, 2.0),
    "pooling": lambda lib, A, x: A.max_pool2d_with_indices_backward(
        lib.ones(1, 1, 2), x[None], [2, 2], [2, 2], [0, 0], [1, 1], False, lib.tensor([[[5, 7]]])
    ),
    "resampling": lambda lib, A, x: A._upsample_bilinear2d_aa(x[None, None], [2, 3], False, 0.6, 0.75),
    "resampling by factors": lambda lib, A, x: A._upsample_bilinear2d_aa(x[None, None], None, True, [0.7, 0.5]),
    "resampling both": lambda lib, A, x: A._upsample_bilinear2d_aa(x[None, None], [2, 3], True, [0.7, 0.5]),
}


@pytest.mark.parametrize("name", CALLS)
def test_like_pytorch(name):
    def run(lib):
        try:
            out = CALLS[name](lib, lib.ops.aten, matrix(lib))
            return out.dtype.itemsize, tuple(out.shape), pytest.approx(out.flatten().tolist(), abs=1e-6)
        except (RuntimeError, IndexError) as e:
            return type(e), str(e)[:34]

    expected, found = run(torch), run(torsh)
    if isinstance(found[0], int):
        found = (*found[:2], found[2].expected)
    assert found == expected


def test_batch_norm_with_update():
    def run(lib):
        mean, var = lib.zeros(4), lib.ones(4)
        out, *rest, reserve = lib.ops.aten._batch_norm_with_update(matrix(lib), None, None, mean, var, 0.1, 1e-5)
        return [t.flatten().tolist() for t in (mean, var, out, *rest)], reserve.dtype.itemsize, reserve.numel()

    (found, *ends), (wanted, *same) = run(torsh), run(torch)
    assert ends == same
    for a, b in zip(found, wanted, strict=True):
        assert a == pytest.approx(b, abs=1e-6)


def test_batch_norm_out():
    def run(lib):
        mean, var, outs = lib.zeros(4), lib.ones(4), tuple(lib.empty(0) for _ in range(3))
        args = (matrix(lib), None, None, mean, var, True, 0.1, 1e-5)
        found = lib._native_batch_norm_legit(*args, out=outs)
        assert all(a is b for a, b in zip(found, outs, strict=True))
        return [t.flatten().tolist() for t in (mean, var, *outs)]

    for a, b in zip(run(torsh), run(torch), strict=True):
        assert a == pytest.approx(b, abs=1e-6)
