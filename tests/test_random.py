"""The random stream against PyTorch's CPU generator: values, what each sampler takes from the stream, state, errors."""

from __future__ import annotations

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

SIZES = (0, 1, 2, 15, 16, 17, 31, 33, 1000)
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTS = ("int64", "int32", "int16", "int8", "uint8")
PACK = {torch.bfloat16: (torch.int16, ml_dtypes.bfloat16)}


def host(t):
    if isinstance(t, torsh.Tensor):
        return np.asarray(t.detach()._data)
    if t.dtype in PACK:
        bits, real = PACK[t.dtype]
        return t.view(bits).numpy().view(real)
    return t.detach().numpy()


def ulps(a, b):
    """The largest difference in units in the last place of b."""
    if a.dtype.kind == "c":
        a, b = a.view(a.real.dtype), b.view(b.real.dtype)
    info = ml_dtypes.finfo(a.dtype)
    x, y = a.astype(np.float64), b.astype(np.float64)
    unit = np.maximum(np.exp2(np.floor(np.log2(np.maximum(np.abs(y), float(info.tiny))))) * float(info.eps), 1e-300)
    return float((np.abs(x - y) / unit).max(initial=0))


def agree(call, limit=0, sizes=SIZES, seeds=(0, 3)):
    """``call(module, n, generator)`` gives the same numbers twice over and leaves the generators in the same state."""
    for n in sizes:
        for seed in seeds:
            ours, theirs = torsh.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
            for _ in range(2):
                a, b = call(torsh, n, ours), call(torch, n, theirs)
                assert tuple(a.shape) == tuple(b.shape)
                assert str(a.dtype).rpartition(".")[2] == str(b.dtype).rpartition(".")[2]
                x, y = host(a), host(b)
                if limit:
                    assert ulps(x, y) <= limit, (n, seed)
                else:
                    np.testing.assert_array_equal(x.astype(np.float64) if x.dtype.kind == "V" else x, y)
            state, expected = ours.get_state().numpy(), theirs.get_state().numpy()
            kept = slice(5024, 5032)  # the kept normal number goes through logarithms, too
            np.testing.assert_allclose(state[kept].view(np.float64), expected[kept].view(np.float64), rtol=1e-14)
            np.testing.assert_array_equal(np.delete(state, kept), np.delete(expected, kept), err_msg=f"{n} {seed}")


# name -> (call, dtypes, ulps allowed)
SAMPLERS = {
    "rand": (lambda m, n, g, d: m.rand(n, dtype=d, generator=g), (*FLOATS, "complex64", "complex128"), 0),
    "uniform_": (lambda m, n, g, d: m.empty(n, dtype=d).uniform_(-1.3, 2.7, generator=g), FLOATS, 0),
    "uneven": (lambda m, n, g, d: m.empty(n, dtype=d).uniform_(-0.1, 0.7, generator=g), FLOATS, 0),
    "narrow": (lambda m, n, g, d: m.empty(n, dtype=d).uniform_(1, 1 + 2**-22, generator=g), ("float32",), 0),
    "randn": (lambda m, n, g, d: m.randn(n, dtype=d, generator=g), (*FLOATS, "complex64", "complex128"), 0),
    "normal_": (lambda m, n, g, d: m.empty(n, dtype=d).normal_(1.5, 0.3, generator=g), FLOATS, 0),
    "random_": (lambda m, n, g, d: m.empty(n, dtype=d).random_(generator=g), (*FLOATS, *INTS, "bool"), 0),
    "random_to": (lambda m, n, g, d: m.empty(n, dtype=d).random_(100, generator=g), (*FLOATS, *INTS), 0),
    "random_from": (lambda m, n, g, d: m.empty(n, dtype=d).random_(3, None, generator=g), (*FLOATS, *INTS), 0),
    "randint": (lambda m, n, g, d: m.randint(-5, 9, (n,), dtype=d, generator=g), ("int64", "int8", "float32"), 0),
    "bool": (lambda m, n, g, d: m.randint(2, (n,), dtype=d, generator=g), ("bool",), 0),
    "bernoulli_": (lambda m, n, g, d: m.empty(n, dtype=d).bernoulli_(0.3, generator=g), (*FLOATS, *INTS, "bool"), 0),
    "bernoulli": (lambda m, n, g, d: m.bernoulli(m.tensor(np.linspace(0, 1, n), dtype=d), generator=g), FLOATS, 0),
    "exponential_": (lambda m, n, g, d: m.empty(n, dtype=d).exponential_(0.7, generator=g), FLOATS, 0),
    "geometric_": (lambda m, n, g, d: m.empty(n, dtype=d).geometric_(0.3, generator=g), (*FLOATS, "int64"), 0),
    "cauchy_": (lambda m, n, g, d: m.empty(n, dtype=d).cauchy_(0.3, 0.7, generator=g), FLOATS, 0),
    "log_normal_": (lambda m, n, g, d: m.empty(n, dtype=d).log_normal_(0.3, 0.7, generator=g), FLOATS, 0),
    "randperm": (lambda m, n, g, d: m.randperm(n, dtype=d, generator=g), ("int64", "int32", *FLOATS), 0),
    "unsigned": (
        lambda m, n, g, d: m.empty(n, dtype=d).random_(100, generator=g),
        ("uint16", "uint32", "uint64"),
        0,
    ),
    "poisson": (
        lambda m, n, g, d: m.poisson(m.tensor(np.linspace(0, 40, n), dtype=d), generator=g),
        ("float32", "float64"),
        0,
    ),
    "gamma": (
        lambda m, n, g, d: m._standard_gamma(m.tensor(np.linspace(0.1, 3, n), dtype=d), generator=g),
        ("float32", "float64"),
        4,
    ),
}


@pytest.mark.parametrize(
    ("name", "dtype"), [(n, d) for n, (_, ds, _) in SAMPLERS.items() for d in ds], ids=lambda v: str(v)
)
def test_stream(name, dtype):
    call, _, limit = SAMPLERS[name]
    # float64 goes through the C library's functions one by one, here and there.
    agree(lambda m, n, g: call(m, n, g, getattr(m, dtype)), 0 if dtype == "float64" else limit)


def test_few_normals_are_exact():
    """Fewer than 16 numbers, and those of tensors that are not contiguous, are drawn in float64 one by one."""
    agree(lambda m, n, g: m.empty(n).normal_(0.3, 0.7, generator=g), sizes=range(16))
    agree(lambda m, n, g: m.empty(n, 3).t().normal_(0.3, 0.7, generator=g), sizes=(2, 50))


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 2**20), (0, 2**28 - 1), (3, 2**28 + 3), (-(2**40), 2**41), (-(2**63), 2**63 - 1), (0, 2**32), (7, 8)],
)
def test_ranges(low, high):
    agree(lambda m, n, g: m.randint(low, high, (n,), generator=g), sizes=(0, 1, 700))


def test_large():
    """The ways that serve many elements: drawing 32 or 64 bits at a time, compiled swaps."""
    agree(lambda m, n, g: m.randperm(n, generator=g), sizes=(30_000,), seeds=(1,))
    agree(lambda m, n, g: m.rand(n, generator=g), sizes=(100_000,), seeds=(1,))
    agree(lambda m, n, g: m.randn(n, generator=g), 4, sizes=(100_000,), seeds=(1,))
    agree(lambda m, n, g: m.poisson(m.linspace(0, 40, n), generator=g), sizes=(5000,), seeds=(1,))


def test_binomial():
    def call(m, n, g):
        return m.binomial(m.linspace(0, 60, n).floor(), m.linspace(0, 1, n), generator=g)

    agree(call)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_multinomial(replacement, dtype):
    weights = np.abs(np.sin(np.arange(1, 41))).astype(dtype)
    for w in (weights, weights.reshape(4, 10)):
        for k in (1, 5):
            agree(
                lambda m, n, g, w=w, k=k: m.multinomial(m.tensor(w), k, replacement, generator=g),
                sizes=(0,),
                seeds=range(5),
            )


def test_memory_order():
    """Non-contiguous tensors are filled in the order of their memory, and normal numbers drawn one by one."""
    agree(lambda m, n, g: m.zeros(4, 6).t().uniform_(generator=g), sizes=(0,))
    agree(lambda m, n, g: m.zeros(4, 6).t().normal_(generator=g), sizes=(0,))
    agree(lambda m, n, g: m.zeros(4, 6)[:, 1:4].bernoulli_(0.4, generator=g), sizes=(0,))
    agree(lambda m, n, g: m.zeros(2, 3, 4).permute(2, 0, 1).random_(50, generator=g), sizes=(0,))
    agree(lambda m, n, g: m.zeros(5, 4).t().bernoulli_(m.linspace(0, 1, 4)[:, None], generator=g), sizes=(0,))


def test_like():
    def seeded(m, call, x):
        m.manual_seed(11)
        return call(m, x)

    for call in (
        lambda m, x: m.rand_like(x), lambda m, x: m.randn_like(x), lambda m, x: m.randint_like(x, 10),
        lambda m, x: m.randint_like(x, 3, 10), lambda m, x: m.bernoulli(x), lambda m, x: m.bernoulli(x, 0.3),
        lambda m, x: m.rand_like(x, dtype=m.float64),
    ):  # fmt: skip
        for shape in ((3, 7), (5, 8), ()):
            ours, theirs = seeded(torsh, call, torsh.zeros(shape)), seeded(torch, call, torch.zeros(shape))
            assert ulps(host(ours), host(theirs)) == 0
            if shape:
                ours, theirs = seeded(torsh, call, torsh.zeros(shape).t()), seeded(torch, call, torch.zeros(shape).t())
                assert ulps(host(ours), host(theirs)) == 0


def test_normal():
    mean, std = np.linspace(-1, 1, 20, dtype=np.float32), np.linspace(0, 2, 20, dtype=np.float32)
    for call in (
        lambda m, n, g: m.normal(m.tensor(mean), m.tensor(std), generator=g),
        lambda m, n, g: m.normal(m.tensor(mean), 2.0, generator=g),
        lambda m, n, g: m.normal(2.0, m.tensor(std), generator=g),
        lambda m, n, g: m.normal(m.tensor(mean[:5])[:, None], m.tensor(std[:4]), generator=g),
        lambda m, n, g: m.normal(1.0, 2.0, (4, 5), generator=g),
    ):
        for seed in range(3):
            a = call(torsh, 0, torsh.Generator().manual_seed(seed))
            b = call(torch, 0, torch.Generator().manual_seed(seed))
            np.testing.assert_array_equal(host(a), host(b))


# Calls that draw from the default generator: (call, dtypes, ulps allowed)
F = "m.nn.functional"
DEFAULT = {
    "dropout": (f"{F}.dropout(m.ones(n, 3, dtype=d), 0.3)", FLOATS, 0),
    "dropout, transposed": (f"{F}.dropout(m.ones(n, 3, dtype=d).t(), 0.3)", FLOATS, 0),
    "dropout, sliced": (f"{F}.dropout(m.ones(n, 5, dtype=d)[:, 1:4], 0.3)", ("float32",), 0),
    "dropout, channels last": (
        f"{F}.dropout(m.ones(2, 3, 4, n, dtype=d).to(memory_format=m.channels_last), 0.3)", ("float32",), 0,
    ),
    "torch.dropout": ("m.dropout(m.ones(n, 3, dtype=d), 0.3, True)", FLOATS, 0),
    "native_dropout": ("m.native_dropout(m.ones(n, 3, dtype=d).t(), 0.3, True)[1]", FLOATS, 0),
    "alpha_dropout": ("m.alpha_dropout(m.ones(n, 3, dtype=d).t(), 0.3, True)", FLOATS, 2),
    "feature_dropout": ("m.feature_dropout(m.ones(n, 3, 4, dtype=d), 0.3, True)", FLOATS, 0),
    "feature_alpha_dropout": ("m.feature_alpha_dropout(m.ones(n, 3, 4, dtype=d), 0.3, True)", FLOATS, 2),
    "Dropout1d": ("m.nn.Dropout1d(0.4)(m.ones(n, 3, 4, dtype=d))", ("float32",), 0),
    "Dropout2d": ("m.nn.Dropout2d(0.4)(m.ones(n, 3, 4, 2, dtype=d))", ("float32",), 0),
    "Dropout3d": ("m.nn.Dropout3d(0.4)(m.ones(n, 3, 4, 2, 2, dtype=d))", ("float32",), 0),
    "rrelu": (f"{F}.rrelu(m.arange(-n, n).to(d) / 8, 0.1, 0.3, True)", ("float32", "float64", "bfloat16"), 0),
    "rrelu_": (f"{F}.rrelu_(m.arange(-3 * n, 0).to(d).reshape(n, 3).t(), 0.1, 0.3, True)", ("float32",), 0),
    "gumbel_softmax": (f"{F}.gumbel_softmax(m.ones(n, 5, dtype=d), tau=0.7)", ("float32", "float64"), 16),
    "gumbel_softmax, hard": (f"{F}.gumbel_softmax(m.ones(n, 5, dtype=d), hard=True)", ("float32", "float64"), 1),
    "rand_like": ("m.rand_like(m.ones(n, 5, dtype=d)[:, 1:4].t())", FLOATS, 0),
    "randint_like": ("m.randint_like(m.ones(n, 3, dtype=d).t(), -3, 9)", ("int8", "int64", "float16"), 0),
    "random_, wide": ("m.empty(n, dtype=d).random_(-(2**63), None)", ("int64",), 0),
    "random_, halves": ("m.empty(n, 3, dtype=d).t().random_(-(2**40), 2**50)", ("int64", "float64"), 0),
    "bernoulli, tensor": ("m.empty(3, n, dtype=d).bernoulli_(m.arange(n, dtype=m.float64) / n)", ("int64", "float16"), 0),
    "geometric_": ("m.empty(n, 3, dtype=d).t().geometric_(0.01)", ("int16", "int64", "float32"), 0),
    "multinomial, transposed": ("m.multinomial(m.arange(1, 3 * n + 1).to(d).reshape(n, 3).t(), 1)", FLOATS, 0),
    "multinomial, half": ("m.multinomial(m.arange(1, n + 1).to(d), 9, True)", ("float16", "bfloat16"), 0),
    "normal, complex": ("m.empty(n, dtype=d).normal_(0.3, 0.7)", ("complex128",), 0),
    "normal, many": ("m.normal(m.arange(n).to(d), m.arange(n).to(d) / 4)", ("float64",), 0),
    **{
        f"init.{f}": (f"(lambda x: m.nn.init.{f})(m.empty(n, 7, dtype=d))", ("float32", "float64"), limit)
        for f, limit in (
            ("uniform_(x, -1, 2)", 0), ("normal_(x, 0, 0.5)", 0), ("trunc_normal_(x, 0.0, 1.0, -1.0, 1.5)", 16),
            ("xavier_uniform_(x)", 0), ("xavier_normal_(x, 2.0)", 0), ("kaiming_uniform_(x, 0.3)", 0),
            ("kaiming_normal_(x, mode='fan_out')", 0), ("sparse_(x, 0.3)", 0),
        )
    },
    "Linear": ("m.nn.Linear(n, 7, dtype=d).weight", ("float32", "float64"), 0),
    "LSTM": ("m.nn.LSTM(n, 7, 2, dtype=d).weight_hh_l1", ("float32", "float64"), 0),
    "Embedding": ("m.nn.Embedding(n, 7, dtype=d).weight", ("float32",), 0),
    "loader": ("m.cat(list(m.utils.data.DataLoader(range(n), 4, shuffle=True)))", ("int64",), 0),
    "RandomSampler": ("m.tensor(list(m.utils.data.RandomSampler(range(n), True, 50)))", ("int64",), 0),
    "WeightedRandomSampler": (
        "m.tensor(list(m.utils.data.WeightedRandomSampler([0.1] * n + [3.0], n + 1, replacement=False)))", ("int64",), 0,
    ),
    "SubsetRandomSampler": ("m.tensor(list(m.utils.data.SubsetRandomSampler(range(n))))", ("int64",), 0),
    "random_split": ("m.tensor([list(s.indices) for s in m.utils.data.random_split(range(2 * n), [n, n])])", ("int64",), 0),
}  # fmt: skip


def agrees(code, dtype, limit, n):
    """The same numbers from the same seed, and the same number of draws."""
    found = []
    for m in (torsh, torch):
        m.manual_seed(7)
        found.append(host(eval(code, {"m": m, "n": n, "d": getattr(m, dtype)})))
        found.append(m.get_rng_state().tolist()[:5000])
    ours, our_state, theirs, their_state = found
    assert ours.shape == theirs.shape
    if limit:
        assert ulps(ours, theirs) <= limit
    else:
        np.testing.assert_array_equal(ours, theirs)
    assert our_state == their_state


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, (_, ds, _) in DEFAULT.items() for d in ds])
def test_default_generator(name, dtype):
    code, _, limit = DEFAULT[name]
    for n in (1, 16, 100):
        agrees(code, dtype, limit, n)


@pytest.mark.parametrize("backend", ["torch", "dask"])
def test_backends(backend):
    """The same stream on every backend: one call of every kind."""
    pytest.importorskip(backend)
    with torsh.registry.use(backend):
        for n, (call, dtypes, limit) in SAMPLERS.items():
            ours, theirs = torsh.Generator().manual_seed(2), torch.Generator().manual_seed(2)
            a = call(torsh, 40, ours, getattr(torsh, dtypes[0])).cpu().tolist()
            b = call(torch, 40, theirs, getattr(torch, dtypes[0])).tolist()
            np.testing.assert_allclose(a, b, rtol=2e-6 if limit else 0, atol=2e-6 if limit else 0, err_msg=n)
            np.testing.assert_array_equal(
                ours.get_state().tolist()[:5000], theirs.get_state().tolist()[:5000], err_msg=n
            )
        for name in (
            "dropout, transposed",
            "alpha_dropout",
            "rrelu",
            "Dropout2d",
            "multinomial, transposed",
            "init.uniform_(x, -1, 2)",
        ):
            code, dtypes, limit = DEFAULT[name]
            torsh.manual_seed(7), torch.manual_seed(7)
            a = eval(code, {"m": torsh, "n": 16, "d": getattr(torsh, dtypes[0])}).tolist()
            b = eval(code, {"m": torch, "n": 16, "d": getattr(torch, dtypes[0])}).tolist()
            np.testing.assert_allclose(a, b, rtol=2e-6 if limit else 0, atol=0, err_msg=name)


DISTRIBUTIONS = [
    "Normal(0.3, x)", "Uniform(-x, x)", "Bernoulli(x / 3)", "Bernoulli(logits=x)", "Exponential(x)", "Laplace(x, 0.5)",
    "Cauchy(x, 0.5)", "HalfNormal(x)", "HalfCauchy(x)", "LogNormal(x, 0.5)", "Gumbel(x, 0.5)", "Gamma(x, 0.5)",
    "Beta(x, 0.5)", "Chi2(x)", "StudentT(x + 1)", "FisherSnedecor(x + 1, x + 2)", "Geometric(x / 3)", "Poisson(x * 4)",
    "Binomial(10, x / 3)", "NegativeBinomial(10, x / 3)", "Categorical(x)", "OneHotCategorical(x)", "Multinomial(9, x)",
    "Dirichlet(x)", "Weibull(x + 1, 0.5)", "Pareto(x + 1, 0.5)", "Kumaraswamy(x + 1, 0.5)", "VonMises(x, 0.5)",
    "ContinuousBernoulli(x / 5)", "RelaxedBernoulli(0.5, x / 3)", "RelaxedOneHotCategorical(0.5, x)",
    "LogisticNormal(x, x)", "MultivariateNormal(x, m.eye(4, dtype=x.dtype) * 2)", "InverseGamma(x, x)",
]  # fmt: skip


@pytest.mark.parametrize("code", DISTRIBUTIONS)
def test_distributions(code):
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-13)):
        found = []
        for m in (torsh, torch):
            m.manual_seed(5)
            x = m.tensor([0.3, 0.7, 1.1, 1.9], dtype=getattr(m, dtype))
            found.append(eval(f"m.distributions.{code}", {"m": m, "x": x}).sample((3,)).tolist())
            found.append(m.get_rng_state().tolist()[:5000])
        np.testing.assert_allclose(found[0], found[2], rtol=tolerance, atol=tolerance)
        assert found[1] == found[3]


@pytest.mark.parametrize("seed", [0, 1, -1, 2**32, 2**63, 2**64 - 1, -(2**63)])
def test_seeds(seed):
    assert torsh.manual_seed(seed) is torsh.default_generator
    torch.manual_seed(seed)
    assert torsh.initial_seed() == torch.initial_seed()
    np.testing.assert_array_equal(torsh.get_rng_state().numpy(), torch.get_rng_state().numpy())
    np.testing.assert_array_equal(host(torsh.rand(5)), host(torch.rand(5)))


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, "a", None])
def test_bad_seeds(seed):
    errors = []
    for m in (torsh, torch):
        with pytest.raises((ValueError, TypeError, RuntimeError)) as e:
            m.manual_seed(seed)
        with pytest.raises((ValueError, TypeError, RuntimeError)) as f:
            m.Generator().manual_seed(seed)
        errors.append((e.type, f.type))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("before", [0, 1, 623, 624, 625, 1000])
def test_state_is_interchangeable(before):
    for kept in (False, True):
        theirs = torch.Generator().manual_seed(9)
        torch.randint(5, (before,), generator=theirs)
        if kept:
            torch.empty(1).normal_(generator=theirs)
        ours = torsh.Generator().set_state(torsh.tensor(theirs.get_state().numpy()))
        np.testing.assert_array_equal(ours.get_state().numpy(), theirs.get_state().numpy())
        back = torch.Generator()
        back.set_state(torch.tensor(ours.get_state().numpy()))
        for g in (theirs, back):
            torch.empty(1).normal_(generator=g)
        a = torsh.empty(3).normal_(generator=ours), torsh.rand(700, generator=ours)
        theirs.set_state(
            torch.tensor(torsh.Generator().set_state(torsh.tensor(theirs.get_state().numpy())).get_state().numpy())
        )
        assert len(a) == 2
        np.testing.assert_array_equal(theirs.get_state().numpy(), back.get_state().numpy())


def test_state_restores():
    g = torsh.Generator().manual_seed(4)
    torsh.empty(1).normal_(generator=g)
    state = g.get_state()
    first = torsh.empty(5).normal_(generator=g).tolist()
    assert g.set_state(state) is g
    assert torsh.empty(5).normal_(generator=g).tolist() == first
    assert torsh.empty(5).normal_(generator=copy.deepcopy(g.set_state(state))).tolist() == first
    assert torsh.empty(5).normal_(generator=pickle.loads(pickle.dumps(g))).tolist() == first
    assert torsh.empty(5).normal_(generator=g.clone_state()).tolist() == first
    with pytest.raises(RuntimeError, match="Expected a CPUGeneratorImplState of size 5056"):
        g.set_state(torsh.zeros(10, dtype=torsh.uint8))
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        g.set_state(torsh.zeros(5056))


def test_fork():
    torsh.manual_seed(1)
    before = torsh.get_rng_state().tolist()
    with torsh.random.fork_rng():
        torsh.rand(5)
        torsh.manual_seed(7)
    assert torsh.get_rng_state().tolist() == before
    assert torsh.seed() == torsh.initial_seed()


ERRORS = [
    "m.empty(3).uniform_(2, 1)", "m.empty(3).normal_(0, -1)", "m.empty(3, dtype=m.int64).uniform_()",
    "m.empty(3, dtype=m.int64).normal_()", "m.randint(3, 3, (2,))", "m.randint(5, 2, (2,))", "m.randperm(-1)",
    "m.rand(-1)",
    "m.empty(3).bernoulli_(2)", "m.empty(3).random_(5, 2)", "m.empty(3).exponential_(-1)", "m.empty(3).geometric_(0)",
    "m.empty(3).cauchy_(0, -1)", "m.empty(3).log_normal_(0, -1)", "m.multinomial(m.ones(3), 5)",
    "m.multinomial(-m.ones(3), 2)",
    "m.multinomial(m.zeros(3), 2)", "m.multinomial(m.ones(3, dtype=m.int64), 2)", "m.multinomial(m.ones(1, 1, 3), 2)",
    "m.multinomial(m.ones(3), 0)", "m.bernoulli(m.tensor([2.0]))", "m.poisson(m.tensor([-1.0]))", "m.normal(0.0, 1.0)",
    "m.randint(2**40, (2,), dtype=m.int8)", "m.empty(3, dtype=m.uint8).random_(0, 300)", "m.normal(m.zeros(3), -1.0)",
    "m.normal(m.zeros(3), -m.ones(3))", "m.rand(2, dtype=m.int64)", "m.randn(2, dtype=m.int64)", "m.randint(5.5, (2,))",
    "m.bernoulli(m.ones(3, dtype=m.int64))", "m.randint(5, (2,), dtype=m.bool)",
    "m.randint(0, 5, (2,), dtype=m.complex64)",
    "m.randperm(5, dtype=m.bool)", "m.randperm(300, dtype=m.int8)", "m.randperm(3000, dtype=m.float16)",
    "m.empty(3, dtype=m.complex64).bernoulli_()", "m.empty(3, dtype=m.int64).exponential_()",
    "m.empty(3, dtype=m.int64).cauchy_()", "m.empty(3, dtype=m.int64).log_normal_()",
    "m.binomial(m.ones(3), m.ones(2))",
    "m.empty(3, dtype=m.float16).uniform_(-1e4, 6e4)", "m.empty(3, dtype=m.float16).uniform_(-1e5, 6e4)",
    "m.empty(3).uniform_(-3e38, 3e38)", "m.empty(3).uniform_(float('nan'), 1)", "m.empty(3).uniform_(0, float('inf'))",
    "m.randperm(7, dtype=m.uint16)", "m.empty(3, dtype=m.uint16).bernoulli_(0.5)", "m.rand(3, dtype=m.float8_e5m2)",
    "m.empty(3, dtype=m.uint32).geometric_(0.5)", "m.empty(3, dtype=m.uint16).random_(-1, 5)",
    "m.nn.functional.dropout(m.ones(3, dtype=m.complex64), 0.5)", "m._standard_gamma(m.ones(3, dtype=m.float16))",
    "m.nn.functional.rrelu(m.ones(3, dtype=m.float16), 0.1, 0.3, True)", "m._sample_dirichlet(m.ones(3, dtype=m.float16))",
    "m.nn.functional.dropout(m.ones(3, dtype=m.int64), 0.5)", "m.empty(3, dtype=m.uint64).random_()",
    "m.empty(2, requires_grad=True).uniform_()", "m.poisson(m.ones(2, dtype=m.int64))",
]  # fmt: skip


@pytest.mark.parametrize("expression", ERRORS)
def test_errors(expression):
    messages = []
    for m in (torsh, torch):
        with pytest.raises((RuntimeError, TypeError, NotImplementedError)) as e:
            eval(expression, {"m": m})
        messages.append((e.type, str(e.value).split()[:3]))
    assert messages[0] == messages[1]


def test_in_place_forgets_history():
    x = torsh.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    (y.sum() + x.sum()).backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_out_and_requires_grad():
    torsh.manual_seed(1)
    out = torsh.empty(5)
    assert torsh.rand(5, out=out) is out
    torsh.manual_seed(1)
    assert torsh.rand(5, requires_grad=True).requires_grad
    torsh.manual_seed(1)
    assert torsh.rand(5).tolist() == out.tolist()
