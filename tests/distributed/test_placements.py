"""Placements answer, print and compare as PyTorch's."""

import pickle

import pytest

from torsh.distributed import tensor as ours

theirs = pytest.importorskip("torch.distributed.tensor")

MADE = [
    lambda lib: lib.Shard(0),
    lambda lib: lib.Shard(-1),
    lambda lib: lib.Replicate(),
    lambda lib: lib.Partial(),
    lambda lib: lib.Partial("avg"),
]


def described(lib):
    placements = [make(lib) for make in MADE]
    answers = [
        (repr(p), str(p), p.is_shard(), p.is_shard(0), p.is_replicate(), p.is_partial(), p.is_partial("avg"))
        for p in placements
    ]
    return answers, [[p == q for q in placements] for p in placements]


def test_as_pytorch():
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("make", [lambda lib: lib.Shard("a"), lambda lib: lib.Shard(), lambda lib: lib.Partial(3)])
def test_refuses(make):
    for lib in (ours, theirs):
        with pytest.raises(TypeError):
            make(lib)


def test_keys_and_pickles():
    assert {make(ours): i for i, make in enumerate(MADE)}[ours.Shard(-1)] == 1
    assert pickle.loads(pickle.dumps(ours.Partial("max"))) == ours.Partial("max")


def test_what_is_missing_says_so():
    assert not isinstance(1, ours.DTensor)
    with pytest.raises(NotImplementedError, match=r"torch\.distributed\.tensor\.distribute_tensor is not in torsh yet"):
        ours.distribute_tensor(None)
