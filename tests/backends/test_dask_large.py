"""The Dask backend on arrays larger than a chunk: made in pieces, kept in pieces, and equal to what NumPy gives."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytest.importorskip("dask")

import dask
import dask.array as da

import torsh
import torsh.nn.functional as F
import torsh_dask
from torsh import registry


@pytest.fixture
def small_chunks():
    with dask.config.set({"array.chunk-size": "32KiB"}):
        yield


def on_both(make):
    """What a function gives on NumPy and on Dask, and in how many chunks it is there."""
    found = []
    for backend in ("numpy", "dask"):
        with registry.use(backend):
            t = make()
            chunks = torsh_dask.to_dask(t).npartitions if backend == "dask" else 0
            found.append(t.detach().numpy())
    return *found, chunks


# ---- making ----------------------------------------------------------------------------------------------------------

DRAWS = {
    "rand": lambda: torsh.rand(300, 251),
    "rand of rows that are long": lambda: torsh.rand(2, 100_003),
    "rand in float64": lambda: torsh.rand(70_001, dtype=torsh.float64),
    "randn": lambda: torsh.randn(70_001),
    "randn in float64": lambda: torsh.randn(131, 1000, dtype=torsh.float64),
    "randn in float16": lambda: torsh.randn(70_003, dtype=torsh.float16),
    "randn of complex numbers": lambda: torsh.randn(300, 251, dtype=torsh.complex64),
    "randint": lambda: torsh.randint(-5, 100, (70_001,)),
    "randint of a wide range": lambda: torsh.randint(0, 1 << 40, (70_001,)),
    "random_": lambda: torsh.empty(70_001, dtype=torsh.int16).random_(),
    "exponential_": lambda: torsh.empty(70_001).exponential_(),
    "geometric_": lambda: torsh.empty(70_001).geometric_(0.3),
    "cauchy_": lambda: torsh.empty(70_001).cauchy_(),
    "log_normal_": lambda: torsh.empty(70_001).log_normal_(),
    "bernoulli_": lambda: torsh.empty(70_001).bernoulli_(0.3),
    "bernoulli of probabilities": lambda: torsh.bernoulli(torsh.rand(300, 251)),
    "bernoulli of float64": lambda: torsh.bernoulli(torsh.rand(300, 251, dtype=torsh.float64)),
    "columns first": lambda: torsh.empty(300, 251).t().normal_(),
    "normal": lambda: torsh.normal(torsh.zeros(300, 251), 2.0),
    "dropout": lambda: F.dropout(torsh.ones(300, 251)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_large_draws_in_pieces_are_one_draw(name, small_chunks):
    def make():
        torsh.manual_seed(3)
        x = DRAWS[name]()
        after.append(torsh.randn(20).numpy())
        return x

    after = []
    expected, found, chunks = on_both(make)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(*after)
    assert chunks > 1


def test_a_draw_is_made_when_it_is_needed(small_chunks, monkeypatch):
    monkeypatch.setattr("torsh_dask.backend.SMALL", 100)
    with registry.use("dask"):
        torsh_dask.reset_statistics()
        x = torsh.bernoulli(torsh.rand(1000, 1000))
        assert torsh_dask.statistics()["computes"] == 0
        assert x[500:502].sum().item() >= 0
        assert torsh_dask.statistics()["tasks"] < 40  # a few of 128 pieces


@pytest.mark.parametrize(
    "make",
    [
        lambda: torsh.arange(70_001),
        lambda: torsh.arange(0.0, 7000.0, 0.1),
        lambda: torsh.arange(5, 300_000, 3, dtype=torsh.int32),
        lambda: torsh.arange(33_000_000.0, 33_100_000.0),
        lambda: torsh.linspace(0, 1, 70_001),
        lambda: torsh.linspace(0, 1, 70_000, dtype=torsh.float64),
        lambda: torsh.linspace(0, 100_000, 70_001, dtype=torsh.int64),
        lambda: torsh.eye(400, 301),
    ],
)
def test_long_ranges_in_pieces(make, small_chunks):
    expected, found, chunks = on_both(make)
    assert found.dtype == expected.dtype and chunks > 1
    np.testing.assert_array_equal(found, expected)


# ---- computing -------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 7)).astype(np.float32)
AT = RNG.integers(-60, 60, (5, 3))
CASES = {
    "std": (lambda x, i: x.std(), 1),
    "var without degrees of freedom": (lambda x, i: x.var(0, correction=60), 1),
    "norm": (lambda x, i: x.norm(), 1),
    "norm 1": (lambda x, i: x.norm(1, 0), 1),
    "norm 0": (lambda x, i: torsh.linalg.vector_norm((x > 0).float(), 0), 1),
    "norm inf": (lambda x, i: x.norm(float("inf"), 0), 1),
    "logsumexp": (lambda x, i: x.logsumexp(0), 1),
    "max": (lambda x, i: x.max(0).values, 1),
    "where the max is": (lambda x, i: x.max(0).indices, 1),
    "histc": (lambda x, i: torsh.histc(x, 5, -3, 3), 1),
    "softmax": (lambda x, i: x.softmax(0), 9),
    "log_softmax": (lambda x, i: x.log_softmax(0), 9),
    "cumsum": (lambda x, i: x.cumsum(0), 9),
    "cumprod": (lambda x, i: x.cumprod(0), 9),
    "roll": (lambda x, i: x.roll(3, 0), 9),
    "flip": (lambda x, i: x.flip(0), 9),
    "repeat": (lambda x, i: x.repeat(2, 3), 18),
    "tril": (lambda x, i: x.tril(-1), 9),
    "gelu": (lambda x, i: F.gelu(x), 9),
    "frexp": (lambda x, i: torsh.frexp(x).exponent, 9),
    "isin": (lambda x, i: torsh.isin(x.round(), torsh.tensor([1.0, 0.0])), 9),
    "searchsorted": (lambda x, i: torsh.searchsorted(torsh.tensor([-1.0, 0.5]), x), 9),
    "addmm that forgets nan": (lambda x, i: torsh.addmm(torsh.full((7,), torsh.nan), x, x.t() @ x, beta=0), 9),
    "addmv": (lambda x, i: torsh.addmv(x[:, 0], x, x[0], beta=2, alpha=3), 9),
    "addr": (lambda x, i: torsh.addr(x, x[:, 0], x[0]), 9),
    "cdist": (lambda x, i: torsh.cdist(x, x[:5]), 9),
    "inverses": (lambda x, i: torsh.linalg.inv(x.reshape(-1, 2, 2)), 9),
    "columns": (lambda x, i: x[:, [1, 2]], 9),
    "index_add": (lambda x, i: x.index_add(1, i[0] % 7, x[:, :3]), 9),
    "rows at known places": (lambda x, i: x[i], 1),
    "rows at places to be computed": (lambda x, i: x[i * 1], 1),
    "nll": (lambda x, i: F.nll_loss(x, (x[:, 0] > 0).long(), weight=x[0].abs()), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_chunks_stay_chunks(name):
    case, least = CASES[name]
    with registry.use("numpy"):
        expected = case(torsh.tensor(X), torsh.tensor(AT)).numpy()
    with registry.use("dask"):
        x = torsh_dask.from_dask(da.from_array(X, chunks=(7, 7)))
        t = case(x, torsh.tensor(AT))
        graph = torsh_dask.to_dask(t)
        found = t.numpy()
    assert graph.npartitions >= least
    # Nowhere on the way are all rows in one chunk.
    assert not any("rechunk-merge" in name for name in graph.dask.layers)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-5)


def test_what_runs_on_whole_arrays_is_listed_with_a_reason():
    from torsh.ops._op import OPS
    from torsh_dask import kernels, tasks, whole

    found = {
        name for name, op in OPS.items()
        if not op.view and not name.endswith("_") and tasks.kernel(name) is not None
        and getattr(kernels.find(name), "func", None) is kernels._general
        and name not in kernels.BATCHED and name not in kernels.CHUNKED
    }  # fmt: skip
    assert found == set(whole.WHOLE)
    assert any("median" in line for line in registry.load("dask").remarks())


def test_reshaping_rows_into_shorter_ones():
    with registry.use("dask"):
        t = torsh_dask.from_dask(da.from_array(X, chunks=(10, 7))).reshape(-1, 2)
        assert torsh_dask.to_dask(t).chunks == ((35,) * 6, (2,))
        np.testing.assert_array_equal(t.numpy(), X.reshape(-1, 2))


def test_results_that_outgrow_their_operands_are_cut(small_chunks):
    with registry.use("dask"):
        a = torsh.arange(500.0)
        for t in (torsh.outer(a, a), a.reshape(-1, 1) @ a.reshape(1, -1), a.expand(500, 500).exp()):
            assert torsh_dask.to_dask(t).npartitions > 1
        assert torsh.outer(a, a)[3, 4].item() == 12.0


def test_no_warning_of_a_division_by_zero(recwarn):
    with registry.use("dask"):
        x = torsh_dask.from_dask(da.from_array(X, chunks=(7, 7)))
        assert not torsh.isfinite(x.var(0, correction=60)).any()
        x.mul(1e38).mul(10).softmax(0).sum().item()
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


@pytest.mark.parametrize("at", [60, -61])
def test_places_outside_are_refused_when_they_are_known(at):
    with registry.use("dask"):
        x = torsh_dask.from_dask(da.from_array(X, chunks=(7, 7)))
        with pytest.raises(IndexError, match=f"index {at} is out of bounds"):
            x[torsh.tensor([at])]
        with pytest.raises(IndexError, match=f"index {at} is out of bounds"):
            x[torsh.tensor([at]) * 1].numpy()


PROGRAM = """
    import resource
    import dask, torsh
    import torsh.nn.functional as F
    torsh.registry.bind("cpu", "dask")
    dask.config.set({"array.chunk-size": "1MiB", "num_workers": 2})
    torsh.rand(70000).sum().item(), torsh.randn(70000).std().item()  # what is compiled and imported at the first use
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x = torsh.rand(96_000, 250)  # 96 MB
    mean, std, top = x.mean().item(), x.std().item(), x.max(0).values.min().item()
    product = (x.t() @ x).sum().item()
    layer = torsh.nn.Linear(250, 1)
    loss = F.mse_loss(layer(x), x.sum(1, keepdim=True))
    loss.backward()
    assert layer.weight.grad.abs().sum().item() > 0
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    assert abs(mean - 0.5) < 1e-3 and abs(std - 12**-0.5) < 1e-3 and top > 0.999 and product > 0
    assert grown < 64, f"{grown:.0f} MB"
"""


def test_memory_stays_bounded():
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(PROGRAM)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


# ---- values that are there, and values that are not -------------------------------------------------------------------


def test_checks_look_at_values_that_are_known():
    with registry.use("dask"):
        w = torsh.tensor([1, -1])
        with pytest.raises(RuntimeError, match="fweights cannot be negative"):
            torsh.cov(torsh.ones(2, 2), fweights=w)
        torsh_dask.reset_statistics()
        torsh.cov(torsh.ones(2, 2), fweights=(w * 1.0).long())  # would have to be computed: not looked at
        assert torsh_dask.statistics()["computes"] == 0
        assert F.one_hot(torsh.tensor([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]
        with pytest.raises(NotImplementedError, match="pass num_classes"):
            F.one_hot(torsh.tensor([0.0, 2.0]).long() * 1)


def test_gradients_under_masks():
    def gradients(write):
        x, v = torsh.tensor(X[:6, :4]).requires_grad_(), torsh.tensor(X[:, 4]).requires_grad_()
        mask = torsh.tensor(X[:6, :4] > 0)
        return torch_like(torsh.autograd.grad(write(x, mask, v).pow(2).sum(), (x, v)))

    def torch_like(found):
        return [g.numpy() for g in found]

    count = int((X[:6, :4] > 0).sum())
    writes = [
        lambda x, m, v: x.masked_scatter(m, v),
        lambda x, m, v: x.index_put((m,), v[:count]),
        lambda x, m, v: x.index_put((m,), v[:1]),
        lambda x, m, v: x.index_put((m,), v[3], accumulate=True),
        lambda x, m, v: x.index_put((m[:, 0],), v[:4]),
        lambda x, m, v: x.index_put((m[:, 0],), v[: 4 * int((X[:6, 0] > 0).sum())].reshape(-1, 4)),
    ]
    for write in writes:
        with registry.use("numpy"):
            expected = gradients(write)
        with registry.use("dask"):
            found = gradients(write)
        for f, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(f, e, rtol=1e-6)


def test_an_embedding_with_bounded_rows():
    def run():
        weight = torsh.tensor(X) * 3.0
        F.embedding(torsh.tensor([3, 1, 3]), weight, max_norm=1.0)
        return weight

    expected, found, _ = on_both(run)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_order_in_memory_of_a_host_array_stays():
    with registry.use("dask"):
        t = torsh.from_numpy(X.T)
        assert t.stride() == (1, 7) and not t.is_contiguous()
        np.testing.assert_array_equal(t.numpy(), X.T)
        t[0] = 5.0
        assert t.t()[3, 0].item() == 5.0 and X[3, 0] != 5.0
    expected, found, _ = on_both(lambda: (torsh.manual_seed(0), torsh.rand_like(torsh.from_numpy(X.T)))[1])
    np.testing.assert_array_equal(found, expected)
