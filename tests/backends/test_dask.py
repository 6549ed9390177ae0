"""The Dask backend: nothing computes unasked, chunks stay chunks, a cluster may lose workers."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

pytest.importorskip("dask")

import dask
import dask.array as da

import torsh
import torsh.nn.functional as F
import torsh_dask
import torsh_dask.cluster
import torsh_dask.lazy
from torsh import registry


@pytest.fixture(autouse=True)
def on_dask():
    with registry.use("dask"):
        yield


@pytest.fixture
def computed():
    """Keys of the tasks that ran on this process's threads, in order."""
    ran = []
    with dask.callbacks.Callback(pretask=lambda key, graph, state: ran.append(key)):
        yield ran


def chunked(array, rows=2):
    """A tensor in chunks of so many rows."""
    return torsh_dask.from_dask(da.from_array(np.asarray(array), chunks=(rows, *np.shape(array)[1:])))


def values(t):
    return t.numpy() if not t.requires_grad else t.detach().numpy()


# ---- laziness --------------------------------------------------------------------------------------------------------


def test_ops_compute_nothing(computed):
    x = torsh.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = (x.t() @ x).exp().sum(0) + torsh.arange(2)
    y[0] = 5.0
    y.add_(1.0)
    y.reshape(2, 1).expand(2, 3).mean()
    str(y.shape), y.stride(), y.is_contiguous(), y.dtype, y.numel()
    x.requires_grad_()
    x.sigmoid().sum().backward()
    assert computed == []
    assert y.tolist() == pytest.approx([6.0, np.exp(14.0) + np.exp(20.0) + 2.0], rel=1e-5)
    assert computed


@pytest.mark.parametrize(
    "read",
    [lambda t: t.item(), lambda t: t.numpy(), lambda t: t.tolist(), bool, float, repr, lambda t: t.to("cpu").numpy()],
    ids=["item", "numpy", "tolist", "bool", "float", "repr", "to"],
)
def test_reading_computes_once(read, computed):
    t = torsh.tensor([2.0]) * 3.0
    assert not computed
    read(t)
    count = len(computed)
    assert count > 0
    read(t)
    assert len(computed) == count


def test_known_numbers_are_worked_out_at_once(computed):
    step = torsh.tensor(0.0)
    step += 1.0
    assert (step * 2.0).item() == 2.0
    assert not computed


def test_statistics_count_what_the_scheduler_ran(computed):
    torsh_dask.reset_statistics()
    x = chunked(np.ones((6, 2), np.float32))
    assert (x.sum() * 2.0).item() == 24.0
    found = torsh_dask.statistics()
    assert found["computes"] == 1
    assert found["tasks"] >= len(computed) > 0
    assert found["arrays"] > 0 and found["seconds"] > 0


def test_a_view_of_something_large_is_read_alone(monkeypatch, computed):
    monkeypatch.setattr("torsh_dask.backend.SMALL", 100)
    x = chunked(np.arange(400, dtype=np.float32).reshape(100, 4), rows=10) * 2.0
    assert x[3, 1].item() == 26.0
    assert len(computed) < 10  # one of ten chunks


def test_shapes_that_depend_on_values_are_refused_by_name():
    x = torsh.tensor([1.0, 0.0, 2.0])
    with pytest.raises(NotImplementedError, match="nonzero: the shape of the result depends on values"):
        torsh.nonzero(x)
    with pytest.raises(NotImplementedError, match="depends on values"):
        x[x > 0]
    assert torsh.where(x > 0, x, torsh.zeros(3)).tolist() == [1, 0, 2]


def test_written_memory_is_kept_with_what_is_read(computed):
    w = torsh.zeros(3)
    loss = None
    sizes = []
    for _ in range(5):
        loss = ((w - 1.0) * (w - 1.0)).sum()
        w.sub_(loss * 0.1)
        before = len(computed)
        loss.item()
        sizes.append(len(computed) - before)
    assert len(set(sizes[1:])) == 1  # no step runs the steps before it again


def test_state_that_is_replaced_instead_of_written_is_kept_too(computed):
    average = torsh.zeros(3)
    sizes = []
    for _ in range(5):
        x = torsh.ones(3).exp()
        average = average * 0.9 + x * 0.1
        before = len(computed)
        x.sum().item()
        sizes.append(len(computed) - before)
    assert len(set(sizes)) == 1
    assert average.tolist() == pytest.approx([np.e * (1 - 0.9**5)] * 3)


def test_reading_the_loss_before_backward_does_not_run_the_forward_pass_again(computed):
    w = torsh.ones(3, requires_grad=True)
    loss = w.exp().sum()
    loss.item()
    forward = len(computed)
    loss.backward()
    w.grad.tolist()
    assert not any("exp-" in str(key) for key in computed[forward:])


def test_large_arrays_that_share_work_are_left_to_wait(monkeypatch, computed):
    monkeypatch.setattr("torsh_dask.backend.SMALL", 100)
    x = chunked(np.ones((100, 4), np.float32), rows=10).exp()
    y = x * 2.0
    assert x.sum().item() == pytest.approx(400 * np.e, rel=1e-5)
    for t in (x, y):
        assert not torsh_dask.lazy.is_data(torsh_dask.to_dask(t))


def test_reading_something_unrelated_leaves_written_memory_alone(computed):
    w = torsh.zeros(3)
    w.add_(torsh.ones(3).exp())
    step = torsh.tensor(0.0)
    step.add_(1.0)
    assert step.item() == 1.0
    assert all("exp" not in str(key) for key in computed)


def test_a_loop_that_reads_nothing_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr("torsh_dask.backend.LONGEST", 50)
    w = torsh.zeros(3)
    for _ in range(200):
        w.add_(1.0)
    assert len(torsh_dask.to_dask(w).dask.layers) <= 51
    assert w.tolist() == [200.0] * 3


# ---- chunks ----------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 4)).astype(np.float32)
IMAGES = RNG.standard_normal((6, 2, 8, 8)).astype(np.float32)
CASES = {
    "elementwise": lambda x, i: (x * 2.0 + x.exp()).relu(),
    "broadcast": lambda x, i: x - x.mean(0, keepdim=True),
    "sum": lambda x, i: x.sum(),
    "sum of a dim": lambda x, i: x.sum(0),
    "sum of rows": lambda x, i: x.sum(1),
    "mean": lambda x, i: x.mean((0, 1)),
    "var": lambda x, i: x.var(0),
    "amax": lambda x, i: x.amax(0),
    "argmax": lambda x, i: x.argmax(0),
    "argmax of all": lambda x, i: x.argmax(),
    "max": lambda x, i: x.max(1).values,
    "any": lambda x, i: (x > 2).any(),
    "matmul": lambda x, i: x @ x.t(),
    "contracted": lambda x, i: x.t() @ x,
    "linear": lambda x, i: F.linear(x, torsh.ones(3, 4), torsh.ones(3)),
    "softmax": lambda x, i: x.softmax(1),
    "softmax over chunks": lambda x, i: x.softmax(0),
    "cumsum": lambda x, i: x.cumsum(0),
    "cat": lambda x, i: torsh.cat([x, x], 1),
    "stack": lambda x, i: torsh.stack([x, x]),
    "where": lambda x, i: torsh.where(x > 0, x, -x),
    "reshape": lambda x, i: x.reshape(3, 8),
    "permute": lambda x, i: i.permute(1, 0, 3, 2),
    "slice": lambda x, i: x[1:5:2, 1:],
    "select": lambda x, i: i[3],
    "unsqueeze": lambda x, i: x.unsqueeze(1).expand(6, 2, 4),
    "diagonal": lambda x, i: x.diagonal(),
    "index": lambda x, i: x[torsh.tensor([5, 0, 0])],
    "sort": lambda x, i: x.sort(0).values,
    "sort rows": lambda x, i: x.sort(1).values,
    "topk": lambda x, i: x.topk(2).values,
    "median": lambda x, i: x.median(1).values,
    "flip": lambda x, i: x.flip(1),
    "tril": lambda x, i: i.tril(),
    "gather": lambda x, i: x.gather(1, x.argsort(1)),
    "scatter": lambda x, i: x.scatter(1, x.argsort(1)[:, :2], 5.0),
    "scatter_add": lambda x, i: x.scatter_add(1, x.argsort(1), x),
    "index_select": lambda x, i: x.index_select(1, torsh.tensor([3, 0])),
    "index by chunks": lambda x, i: (torsh.arange(30.0).reshape(6, 5) * 2.0)[(x[:, 0] > 0).to(torsh.int64) * 3],
    "masked_fill": lambda x, i: x.masked_fill(x > 0, 7.0),
    "embedding": lambda x, i: F.embedding((x[:, :2] > 0).to(torsh.int64), torsh.arange(10.0).reshape(2, 5)),
    "cross_entropy": lambda x, i: F.cross_entropy(x, (x[:, 0] > 0).to(torsh.int64)),
    "norm": lambda x, i: torsh.linalg.vector_norm(x, dim=1),
    "fft": lambda x, i: torsh.fft.rfft(x).abs(),
    "interpolate": lambda x, i: F.interpolate(i, scale_factor=2, mode="bilinear"),
    "pad": lambda x, i: F.pad(i, (1, 2, 0, 1)),
    "to": lambda x, i: x.to(torsh.float64).to(torsh.int32),
    "half": lambda x, i: (x.to(torsh.float16) * 3.0).to(torsh.float32),
    "conv": lambda x, i: F.conv2d(i, torsh.ones(3, 2, 3, 3), padding=1),
    "max_pool": lambda x, i: F.max_pool2d(i, 2),
    "avg_pool": lambda x, i: F.avg_pool2d(i, 2),
    "layer_norm": lambda x, i: F.layer_norm(x, (4,)),
    "batch_norm": lambda x, i: F.batch_norm(i, None, None, training=True),
}


@pytest.mark.parametrize("name", CASES)
def test_chunked_arrays_give_the_same(name):
    case = CASES[name]
    with registry.use("numpy"):
        expected = case(torsh.tensor(X), torsh.tensor(IMAGES)).numpy()
    found = case(chunked(X), chunked(IMAGES)).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "elementwise",
        "sum of rows",
        "matmul",
        "linear",
        "softmax",
        "cat",
        "where",
        "to",
        "conv",
        "max_pool",
        "avg_pool",
        "sort rows",
        "gather",
        "scatter",
        "index by chunks",
        "masked_fill",
        "embedding",
        "layer_norm",
        "interpolate",
        "pad",
    ],
)
def test_work_on_samples_stays_chunked(name):
    found = torsh_dask.to_dask(CASES[name](chunked(X), chunked(IMAGES)))
    assert len(found.chunks[0]) == 3


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, i: F.linear(x, x[:3] * 2.0).exp().mean(),
        lambda x, i: F.max_pool2d(F.conv2d(i, i[:2] * 0.5, padding=1), 2).sum(),
        lambda x, i: F.avg_pool2d(i * i, 2).sum(),
        lambda x, i: (x.softmax(1) * x[0]).sum() + x[2:4, 1].prod(),
        lambda x, i: F.cross_entropy(x, (x[:, 0] > 0).to(torsh.int64)),
        lambda x, i: F.nll_loss(x, (x[:, 0] > 0).long(), reduction="none").exp().sum(),
        lambda x, i: (
            (F.embedding((x > 0).long(), x[:2]) * x.unsqueeze(2)).sum() + x.gather(1, x.argsort(1)).exp().sum()
        ),
        lambda x, i: F.interpolate(i, size=5, mode="bilinear").exp().sum() + F.pad(i, (1, 1)).pow(2).sum(),
        lambda x, i: F.layer_norm(x, (4,)).exp().sum() + (F.group_norm(i, 2) * i).sum(),
    ],
)
def test_gradients_of_chunked_arrays(loss):
    def gradients(make):
        x, i = make(X).requires_grad_(), make(IMAGES).requires_grad_()
        return [values(g) for g in torsh.autograd.grad(loss(x, i), (x, i), allow_unused=True) if g is not None]

    with registry.use("numpy"):
        expected = gradients(torsh.tensor)
    for f, e in zip(gradients(chunked), expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=2e-4, atol=1e-5)


def test_writing_into_parts_of_chunked_arrays():
    x = chunked(X) * 1.0
    x[1:4, ::2] = 7.0
    x[:, 3].mul_(-1.0)
    x.t()[0].add_(x[:, 1])
    expected = X.copy()
    expected[1:4, ::2] = 7.0
    expected[:, 3] *= -1.0
    expected[:, 0] += expected[:, 1]
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-6)


def test_views_and_writes_of_more_than_fits_into_memory():
    x = torsh_dask.from_dask(da.ones((400_000, 200_000), chunks=(2_000, 20_000), dtype="float32"))  # 320 GB
    assert (x.t()[5:8, ::100_000] * 2.0).sum().item() == 24.0
    x[3] = 7.0
    assert x[2:5, 0].tolist() == [1.0, 7.0, 1.0]
    assert not torsh_dask.lazy.is_data(torsh_dask.to_dask(x))


# ---- training --------------------------------------------------------------------------------------------------------


class Net(torsh.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torsh.nn.Conv2d(2, 4, 3, padding=1)
        self.norm = torsh.nn.BatchNorm2d(4)
        self.out = torsh.nn.Linear(64, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.out(x.flatten(1))


def train(steps, make, after=lambda: None):
    torsh.manual_seed(0)
    net = Net()
    optimizer = torsh.optim.Adam(net.parameters(), lr=1e-2)
    target = torsh.tensor([0, 1, 2, 0, 1, 2])
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(make(IMAGES)), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        after()
    return losses


@pytest.mark.parametrize("make", [lambda a: torsh.tensor(a), chunked], ids=["one chunk", "three chunks"])
def test_training_a_network_gives_numpy_s_losses_in_constant_work(make):
    with registry.use("numpy"):
        expected = train(5, torsh.tensor)
    steps = []

    def count():
        steps.append(torsh_dask.statistics())
        torsh_dask.reset_statistics()

    torsh_dask.reset_statistics()
    np.testing.assert_allclose(train(5, make, count), expected, rtol=1e-4)
    assert expected[-1] < expected[0]
    tasks = [s["tasks"] for s in steps]
    assert max(tasks[1:]) == min(tasks[1:])
    assert steps[-1]["computes"] <= 2


# ---- a cluster -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster():
    """A cluster of its own for every test: some kill their workers, and tests may run in any order."""
    pytest.importorskip("distributed")
    client = torsh_dask.connect(workers=2)
    yield client
    torsh_dask.disconnect()


def test_training_on_a_cluster(cluster):
    with registry.use("numpy"):
        expected = train(3, torsh.tensor)
    np.testing.assert_allclose(train(3, chunked), expected, rtol=1e-4)
    assert len(cluster.scheduler_info(n_workers=-1)["workers"]) == 2


def test_large_data_is_sent_once(cluster, monkeypatch):
    monkeypatch.setattr("torsh_dask.cluster.LARGE", 0)
    x = torsh.tensor(X)
    (block,) = torsh_dask.to_dask(x).dask.layers[torsh_dask.to_dask(x).name].values()
    assert type(block).__name__ == "Future"
    np.testing.assert_allclose((x * 2.0).sum(0).numpy(), 2 * X.sum(0), rtol=1e-5)
    np.testing.assert_array_equal(x.numpy(), X)


def test_the_other_worker_takes_over_when_one_dies(cluster):
    def slow(block):
        time.sleep(0.2)
        return block

    x = torsh_dask.from_dask(da.ones((8,), chunks=1).map_blocks(slow, dtype=np.float64, meta=np.empty(0)))
    killer = threading.Timer(0.4, torsh_dask.cluster._workers[0].kill)
    killer.start()
    assert x.sum().item() == 8.0
    killer.join()
    assert len(cluster.scheduler_info(n_workers=-1)["workers"]) == 1


def test_a_task_that_kills_its_workers_raises(cluster, monkeypatch):
    monkeypatch.setattr("torsh_dask.cluster.PATIENCE", 3.0)
    home = os.getpid()

    def die(block):
        if os.getpid() != home:
            os._exit(1)
        return block

    x = torsh_dask.from_dask(da.ones((4,), chunks=2).map_blocks(die, dtype=np.float64, meta=np.empty(0)))
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="Dask cluster"):
        x.sum().item()
    assert time.monotonic() - start < 60
    torsh_dask.disconnect()
    assert (torsh.ones(2) + 1.0).tolist() == [2.0, 2.0]


def test_a_client_of_the_program_s_own_is_used():
    distributed = pytest.importorskip("distributed")
    torsh_dask.disconnect()
    with distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client:
        x = torsh.ones(3)
        x.add_(torsh.ones(3).exp())
        assert x.sum().item() == pytest.approx(3 + 3 * np.e)
        assert client.has_what()  # the written memory is kept there
        assert x.tolist() == pytest.approx([1 + np.e] * 3)


def test_no_scheduler_at_an_address():
    pytest.importorskip("distributed")
    with pytest.raises(RuntimeError, match=r"no connection to the Dask scheduler at tcp://127"):
        torsh_dask.connect("tcp://127.0.0.1:9", timeout=1.0)


def test_the_last_words_of_a_worker_reach_the_error(monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "sparse").mkdir()  # a folder that passes for the optional package of this name: Dask cannot be imported
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RuntimeError, match="no connection to the local cluster") as error:
        torsh_dask.connect(workers=1)
    assert "exit status" in str(error.value)
    assert "sparse" in str(error.value)
