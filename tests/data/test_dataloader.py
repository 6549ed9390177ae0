"""Loading data: PyTorch's order for the same seed, collating, worker processes."""

from __future__ import annotations

import collections
import itertools
import os
import tracemalloc

import numpy as np
import pytest

import torsh
import torsh.utils.data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

Point = collections.namedtuple("Point", "x y")


def plain(x):
    """Batches as lists, so that those of both libraries compare."""
    if hasattr(x, "tolist"):
        return (str(x.dtype)[6:], x.tolist()) if hasattr(x, "device") else x.tolist()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [type(x).__name__, *[plain(v) for v in x]]
    return x


def same(run):
    found = []
    for T in (torch, torsh):
        T.manual_seed(3)
        found.append((plain(run(T)), T.rand(1).item()))
    assert found[0] == found[1]


class Squares:
    """A map-style dataset of numbers."""

    def __init__(self, n=10, fail=None):
        self.n, self.fail = n, fail

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i == self.fail:
            raise KeyError(f"no item {i}")
        return i * i


class Stream(torsh.utils.data.IterableDataset):
    """An iterable dataset that workers share."""

    def __iter__(self):
        info = torsh.utils.data.get_worker_info()
        return iter(range(7)) if info is None else iter(range(info.id, 7, info.num_workers))


@pytest.mark.parametrize(
    "kw",
    [{}, {"shuffle": True}, {"shuffle": True, "drop_last": True}, {"batch_size": None}, {"shuffle": True, "num_workers": 2},
     {"shuffle": True, "num_workers": 1, "persistent_workers": True, "prefetch_factor": 3}],
)  # fmt: skip
def test_order(kw):
    def run(T):
        data = T.utils.data
        ds = data.TensorDataset(T.arange(13), T.arange(26).reshape(13, 2))
        loader = data.DataLoader(ds, **{"batch_size": 4, **kw})
        found = [b for _ in range(2) for b in loader]
        return [len(loader), found]

    same(run)


def test_splits_and_samplers():
    def run(T):
        d = T.utils.data
        ds = d.TensorDataset(T.arange(13))
        parts = d.random_split(ds, [0.7, 0.3])
        g = T.Generator()
        g.manual_seed(7)
        return [
            [p.indices for p in parts], list(d.DataLoader(parts[0], batch_size=4, shuffle=True)),
            [p.indices for p in d.random_split(range(5), [2, 3], generator=g)],
            list(d.RandomSampler(range(5))), list(d.RandomSampler(range(5), replacement=True, num_samples=40)),
            list(d.RandomSampler(range(5), num_samples=12, generator=g)), list(d.SubsetRandomSampler([3, 5, 9])),
            list(d.WeightedRandomSampler([0.1, 0.9, 0.4], 8)), list(d.WeightedRandomSampler([0.1, 0.9, 0.4], 3, False)),
            list(d.BatchSampler(d.SequentialSampler(range(7)), 3, True)), len(d.BatchSampler(range(7), 3, False)),
            list(d.distributed.DistributedSampler(range(7), 3, 1, seed=2)),
            list(d.distributed.DistributedSampler(range(7), 2, 0, shuffle=False, drop_last=True)),
        ]  # fmt: skip

    same(run)


def test_a_sampler_without_end_starts_at_once():
    """Programs ask for 10^10 indices to mean "as many as you like": nothing may be made for all of them beforehand."""

    def run(T):
        sampler = T.utils.data.RandomSampler(range(7), replacement=True, num_samples=10**10)
        return [len(sampler), list(itertools.islice(sampler, 50))]

    tracemalloc.start()
    try:
        same(run)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_collate():
    def run(T):
        c = T.utils.data.default_collate
        v = T.utils.data.default_convert
        return [
            c([1, 2]), c([1.5, 2.5]), c([True, False]), c(["a", "b"]), c([np.float32(1), np.float32(2)]), c([np.ones(2), np.zeros(2)]),
            c([{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}]), c([(1, "x"), (2, "y")]), c([Point(1, 2.0), Point(3, 4.0)]),
            c([T.ones(2), T.zeros(2)]), v(np.ones(2)), v({"a": [np.zeros(1)]}), v((1, "x")), v(np.array(["s"])),
        ]  # fmt: skip

    same(run)
    with pytest.raises(TypeError, match="default_collate: batch must contain"):
        torsh.utils.data.default_collate([object()])
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        torsh.utils.data.default_collate([[1], [1, 2]])


def test_datasets():
    def run(T):
        d = T.utils.data
        a, b = d.TensorDataset(T.arange(3)), d.TensorDataset(T.arange(5, 9))
        both = a + b
        stacked = d.StackDataset(x=a, y=d.Subset(b, [3, 1, 0]))
        return [
            len(both),
            [both[i] for i in (0, 3, -1)],
            stacked[1],
            stacked.__getitems__([0, 2]),
            d.Subset(both, [6, 2])[0],
        ]

    same(run)
    d = torsh.utils.data
    chained = Stream() + Stream()
    assert list(chained) == [*range(7)] * 2
    with pytest.raises(AssertionError):
        d.TensorDataset(torsh.ones(2), torsh.ones(3))
    with pytest.raises(NotImplementedError):
        d.Dataset()[0]


def test_workers():
    d = torsh.utils.data
    loader = d.DataLoader(Squares(), batch_size=3, num_workers=2)
    assert [b.tolist() for b in loader] == [[0, 1, 4], [9, 16, 25], [36, 49, 64], [81]]
    assert [b.tolist() for b in loader][-1] == [81]
    stream = d.DataLoader(Stream(), batch_size=2, num_workers=2)
    assert sorted(x for b in stream for x in b.tolist()) == list(range(7))
    with pytest.raises(KeyError, match="in DataLoader worker process"):
        list(d.DataLoader(Squares(fail=4), batch_size=3, num_workers=1))


def _stop(worker_id):
    if worker_id == 0:
        os._exit(3)


def _info(batch):
    info = torsh.utils.data.get_worker_info()
    return (info.id, info.seed, torsh.rand(1).item(), np.random.randint(1000), len(info.dataset), batch)


def test_worker_details():
    d = torsh.utils.data
    torsh.manual_seed(0)
    got = list(d.DataLoader(Squares(), batch_size=5, num_workers=2, collate_fn=_info))
    assert [g[0] for g in got] == [0, 1] and got[0][1] + 1 == got[1][1] and got[0][2] != got[1][2] and got[0][4] == 10
    torsh.manual_seed(0)
    assert got == list(d.DataLoader(Squares(), batch_size=5, num_workers=2, collate_fn=_info))
    assert d.get_worker_info() is None


def test_worker_random_state_is_pytorchs():
    from torch.utils.data._utils.worker import _generate_state

    for worker, seed in ((0, 5), (3, 2**40 + 7)):
        words = [worker, seed & 0xFFFFFFFF, seed >> 32, 0]
        assert np.random.SeedSequence(words).generate_state(4).tolist() == _generate_state(seed, worker)


def test_dead_worker():
    from torsh.utils.data import dataloader

    before, dataloader.STATUS_INTERVAL = dataloader.STATUS_INTERVAL, 0.2
    try:
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            list(torsh.utils.data.DataLoader(Squares(), num_workers=1, worker_init_fn=_stop))
    finally:
        dataloader.STATUS_INTERVAL = before


@pytest.mark.parametrize(
    "make",
    [
        lambda d: d.DataLoader([1], num_workers=-1), lambda d: d.DataLoader([1], timeout=-1),
        lambda d: d.DataLoader([1], prefetch_factor=2), lambda d: d.DataLoader([1], persistent_workers=True),
        lambda d: d.DataLoader([1], sampler=[0], shuffle=True), lambda d: d.DataLoader([1], batch_sampler=[[0]], batch_size=2),
        lambda d: d.DataLoader([1], batch_size=None, drop_last=True), lambda d: d.DataLoader([1], batch_size=0),
        lambda d: d.DataLoader([], shuffle=True), lambda d: setattr(d.DataLoader([1]), "batch_size", 3),
        lambda d: d.random_split([1, 2], [3]), lambda d: d.WeightedRandomSampler([1.0], 0), lambda d: d.StackDataset(),
        lambda d: d.DataLoader([1], multiprocessing_context="fork"),
    ],
)  # fmt: skip
def test_errors(make):
    messages = []
    for T in (torch, torsh):
        with pytest.raises(ValueError) as e:
            make(T.utils.data)
        messages.append(str(e.value))
    assert messages[0] == messages[1]
