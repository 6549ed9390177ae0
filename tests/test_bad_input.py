"""Bad input: the exception PyTorch raises, never a wrong number and never a crash."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

HUGE = 1 << 62
CASES = """
arange(HUGE * 2 - 1)
arange(1 << 64)
zeros(1 << 64)
zeros(HUGE)
zeros(-1)
full((2,), 1 << 64, dtype=T.int32)
linspace(0, 1, HUGE)
logspace(0, 1, HUGE * 2 - 1)
eye(HUGE)
empty_strided((2,), (-1,))
zeros(3).expand(-2, 3)
zeros(3).repeat_interleave(HUGE)
zeros(3).repeat(HUGE)
zeros(4).sum(1 << 63)
zeros(4).narrow(0, 3, 2)
zeros(4).unfold(0, 5, 1)
zeros(4).unfold(0, 1, HUGE)
zeros(3, 3).diagonal(HUGE)
zeros(3, 3).diagonal(-HUGE)
zeros(4).topk(5)
zeros(4).kthvalue(0)
nn.functional.interpolate(T.zeros(1, 1, 8), size=HUGE * 2 - 1)
nn.functional.pixel_shuffle(T.zeros(1, 4, 2, 2), HUGE)
nn.functional.one_hot(T.tensor([0, 3]), 3)
nn.functional.pad(T.zeros(1, 1, 3), (4, 4), mode="reflect")
nn.functional.pad(T.ones(1, dtype=T.uint8), (1, 0), value=300)
nn.functional.conv1d(T.zeros(1, 1, 8), T.zeros(1, 1, 2), stride=0)
nn.functional.conv1d(T.zeros(1, 1, 8), T.zeros(1, 1, 2), padding=-1)
nn.functional.max_pool2d(T.zeros(1, 1, 8, 8), 2, 2, 2)
nn.functional.embedding(T.tensor([3]), T.zeros(3, 2))
nn.functional.embedding(T.tensor([-1]), T.zeros(3, 2))
nn.functional.embedding(T.tensor([1.]), T.zeros(3, 2))
nn.functional.embedding_bag(T.tensor([1.]), T.zeros(3, 2), T.tensor([0]))
nn.functional.nll_loss(T.zeros(1, 3), T.tensor([3]))
nn.functional.nll_loss(T.zeros(1, 3), T.tensor([1.]))
nn.functional.cross_entropy(T.zeros(1, 3), T.tensor([-2]))
gather(T.zeros(3), 0, T.tensor([3]))
gather(T.zeros(3), 0, T.tensor([-1]))
gather(T.zeros(3), 0, T.tensor([1.]))
zeros(3).scatter(0, T.tensor([3]), T.ones(1))
zeros(3).scatter_add(0, T.tensor([-1]), T.ones(1))
index_select(T.zeros(3), 0, T.tensor([3]))
index_select(T.zeros(3), 0, T.tensor([0.]))
take(T.zeros(3), T.tensor([-4]))
zeros(3)[T.tensor([3])]
zeros(3)[T.tensor([1.])]
zeros(3)[3]
zeros(3).index_add(0, T.tensor([3]), T.ones(1))
zeros(3).index_copy(0, T.tensor([-1]), T.ones(1))
zeros(3).index_put((T.tensor([-4]),), T.ones(1))
zeros(3).put(T.tensor([3]), T.ones(1))
bincount(T.tensor([-1]))
bincount(T.zeros((0, 3)).long())
segment_reduce(T.zeros(1), "sum", lengths=T.tensor([1.]))
masked_select(T.zeros(1), T.tensor([1]))
where(T.tensor([1.]), T.zeros(1), T.zeros(1))
where(T.tensor([True]), T.ones(1, dtype=T.uint8), 300)
ones(1, dtype=T.uint8).clamp(max=300)
ones(1, dtype=T.uint8).clamp_min(-300)
ones(1, dtype=T.int64).clamp(max=1 << 63)
ones(1, dtype=T.uint8).masked_fill(T.tensor([True]), 300)
ones(1, dtype=T.uint8).fill_(-1.5)
tensor([-0.5], dtype=T.uint8)
tensor([300], dtype=T.uint8)
tensor([float("nan")], dtype=T.int32)
full((2,), float("inf"), dtype=T.int64)
full((2,), -5, dtype=T.uint8)
ones(1).half().fill_(1e6)
zeros((0,)).max()
zeros((0, 3)).argmin(0)
zeros((2, 0)).median(1)
zeros((0,)).mode()
zeros((0,)).sum()
zeros((0, 3)).amax(1)
zeros((0, 3)).amax(0)
zeros(1).expand(3).add_(1)
zeros(1).expand(3).copy_(T.ones(3))
zeros(1).expand(3).index_put_((T.tensor([0]),), T.ones(1))
zeros(1, 1).expand(3, 3).index_fill_(0, T.tensor([0]), 1)
zeros(1).expand(3).cumsum_(0)
sin(T.ones(3), out=T.zeros(1).expand(3))
arange(9.).view(3, 3).t().copy_(T.arange(9.).view(3, 3))
arange(0, 3.5, 1, out=T.ones(3, dtype=T.int64))
linspace(0, 1.5, 4, out=T.ones(4, dtype=T.int64))
linspace(0, 1.5, 4, dtype=T.float32, out=T.ones(4, dtype=T.int64))
addcmul(T.ones(1).int(), T.ones(1).int(), T.ones(1).int(), value=0.5)
addcmul(T.ones(1, dtype=T.uint8), T.ones(1, dtype=T.uint8), T.ones(1, dtype=T.uint8), value=300)
einsum("ij,k->k", T.ones(2, 2).int(), T.ones(2).int())
""".strip().splitlines()


def outcome(library, case):
    """("ok", values) or (type of the exception, how its message begins)."""
    try:
        found = eval(f"T.{case}", {"T": library, "HUGE": HUGE})
    except Exception as e:
        return type(e).__name__, str(e)
    parts = found if isinstance(found, tuple) else (found,)
    return "ok", [(str(t.dtype).split(".")[1], t.tolist()) for t in parts]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_as_pytorch(case):
    kind, told = outcome(torsh, case)
    expected, message = outcome(torch, case)
    assert (kind, told if kind == "ok" else None) == (expected, message if expected == "ok" else None)
    if kind != "ok":
        assert len(told.split()) > 2


@pytest.mark.parametrize("name", ["add_", "fill_"])
def test_memory_that_must_not_be_written(name):
    """PyTorch writes to it after a warning; here the array stays as it is."""
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        t = torsh.from_numpy(array)
    assert t.add(1).tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="read-only"):
        getattr(t, name)(5)
    assert array.tolist() == [1, 1, 1]


def test_writes_where_elements_share_memory_do_not_depend_on_subclasses(monkeypatch):
    """Once some class overrides functions, in-place forms ask each call for it and take the same way as before."""
    monkeypatch.setattr(torsh.dispatch.state, "overrides", True)
    t = torsh.zeros(1).expand(3)
    with pytest.warns(UserWarning, match="Use of index_put_ on expanded tensors is deprecated"):
        t.index_put_((torsh.tensor([0]),), torsh.ones(1))
    assert t.tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["hsplit", "vsplit", "dsplit", "searchsorted"])
def test_a_missing_argument_is_a_type_error(name):
    for lib in (torch, torsh):
        with pytest.raises(TypeError, match=name):
            getattr(lib, name)(lib.ones(4, 4, 4))
