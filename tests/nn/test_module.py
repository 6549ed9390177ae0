"""``nn.Module``: registration, state, hooks, conversion, text; every behaviour is run in PyTorch too."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import torsh
import torsh.nn

torch = pytest.importorskip("torch")
BOTH = [torch, torsh]


def small(T):
    T.manual_seed(0)
    nn = T.nn
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2, bias=False)))


def same(fn):
    """The results of a function of the library, which must agree."""
    a, b = fn(torch), fn(torsh)
    assert a == b
    return b


def values(t):
    return np.asarray(t.detach().tolist())


def test_names_and_walks():
    def walk(T):
        m = small(T)
        m.register_buffer("extra", T.ones(2), persistent=False)
        m.tied = m[0]
        return (
            [n for n, _ in m.named_parameters()], [n for n, _ in m.named_parameters(remove_duplicate=False)],
            [n for n, _ in m.named_buffers()], [n for n, _ in m.named_modules()], [n for n, _ in m.named_children()],
            list(m.state_dict()), dict(m.state_dict()._metadata), [n for n, _ in m.named_parameters(prefix="a", recurse=False)],
        )  # fmt: skip

    same(walk)


def test_same_seed_same_weights():
    for a, b in zip(small(torch).parameters(), small(torsh).parameters()):
        assert values(a).tobytes() == values(b).tobytes()


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (lambda T, m: setattr(m, "weight", T.ones(2)), TypeError),
        (lambda T, m: m.register_buffer("weight", T.ones(1)), KeyError),
        (lambda T, m: m.register_buffer("a.b", T.ones(1)), KeyError),
        (lambda T, m: m.register_buffer("", T.ones(1)), KeyError),
        (lambda T, m: m.register_buffer("x", 3), TypeError),
        (lambda T, m: m.register_parameter("x", T.ones(1)), TypeError),
        (lambda T, m: m.register_parameter("x", T.nn.Parameter(T.ones(1)) * 2), TypeError),
        (lambda T, m: m.add_module("x", 3), TypeError),
        (lambda T, m: m.add_module("weight", T.nn.ReLU()), KeyError),
        (lambda T, m: m.nothing, AttributeError),
        (lambda T, m: delattr(m, "nothing"), AttributeError),
        (lambda T, m: m.get_submodule("a.b"), AttributeError),
        (lambda T, m: m.get_parameter("b"), AttributeError),
        (lambda T, m: m.to(T.int32), TypeError),
        (lambda T, m: m.train(1), ValueError),
        (lambda T, m: m.load_state_dict([1]), TypeError),
        (lambda T, m: m.load_state_dict({}), RuntimeError),
        (lambda T, m: m.load_state_dict({"weight": T.ones(1), "bias": T.ones(2), "c": T.ones(1)}), RuntimeError),
        (lambda T, m: T.nn.Module()(1), NotImplementedError),
        (lambda T, m: T.nn.Module(3), TypeError),
        (
            lambda T, m: type("M", (T.nn.Module,), {"__init__": lambda s: setattr(s, "l", T.nn.ReLU())})(),
            AttributeError,
        ),
    ],
)
def test_errors(what, error):
    messages = []
    for T in BOTH:
        with pytest.raises(error) as e:
            what(T, T.nn.Linear(3, 2))
        messages.append(str(e.value).replace("torsh", "torch"))
    assert messages[0] == messages[1]


def test_load_state_dict():
    m, other = small(torsh), small(torsh)
    with torsh.no_grad():
        for p in other.parameters():
            p.add_(1.0)
    assert str(m.load_state_dict(other.state_dict())) == "<All keys matched successfully>"
    assert (values(m[0].weight) == values(other[0].weight)).all()
    part = {k: v for k, v in other.state_dict().items() if k != "0.bias"}
    part["more"] = torsh.ones(1)
    found = m.load_state_dict(part, strict=False)
    assert found.missing_keys == ["0.bias"] and found.unexpected_keys == ["more"]
    given = {k: v.clone() for k, v in other.state_dict().items()}
    m.load_state_dict(given, assign=True)
    assert m[1].running_mean is given["1.running_mean"] and isinstance(m[0].weight, torsh.nn.Parameter)
    with torsh.no_grad():
        m[0].weight[0, 0] = 7.0
    assert given["0.weight"][0, 0].item() == 7.0


def test_state_dict_hooks():
    def run(T):
        log = []
        m = small(T)
        m.register_state_dict_pre_hook(lambda mod, prefix, keep: log.append(("pre", prefix, keep)))
        m.register_state_dict_post_hook(lambda mod, sd, prefix, meta: log.append(("post", len(sd))))
        m[0].register_load_state_dict_pre_hook(
            lambda mod, sd, prefix, *a: log.append(("load", prefix, type(mod).__name__))
        )
        m.register_load_state_dict_post_hook(lambda mod, keys: log.append(("done", len(keys.missing_keys))))
        sd = m.state_dict(prefix="p.")
        copied = copy.deepcopy(m)
        copied.load_state_dict({k[2:]: v for k, v in sd.items()})
        return log

    same(run)


def test_forward_hooks():
    def run(T):
        log = []
        m = T.nn.Linear(2, 2)
        x = T.ones(1, 2)
        a = m.register_forward_pre_hook(lambda mod, args: (args[0] * 2,))
        m.register_forward_pre_hook(
            lambda mod, args, kw: log.append(("pre", args[0].tolist(), len(kw))), with_kwargs=True
        )
        m.register_forward_hook(lambda mod, args, out: log.append(("post", tuple(out.shape))))
        m.register_forward_hook(lambda mod, args, out: out * 0, prepend=True)
        log.append(m(x).tolist())
        a.remove()
        m(x)
        h = T.nn.modules.module.register_module_forward_hook(lambda mod, args, out: log.append(type(mod).__name__))
        m(x)
        h.remove()
        m.register_forward_hook(lambda mod, args, out: log.append(("always", out)), always_call=True)
        with pytest.raises(RuntimeError):
            m(T.ones(1, 5))
        return log

    same(run)


@pytest.mark.filterwarnings("ignore:Full backward hook")
def test_backward_hooks():
    def run(T):
        log = []
        T.manual_seed(0)
        m = T.nn.Linear(2, 3)
        f = lambda g: None if g is None else [round(v, 4) for row in g.tolist() for v in row]
        m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,))
        m.register_full_backward_hook(lambda mod, gi, go: log.append(([f(g) for g in gi], [f(g) for g in go])))
        h = m.register_full_backward_hook(lambda mod, gi, go: tuple(None if g is None else g * 10 for g in gi))
        x = T.ones(1, 2, requires_grad=True)
        m(x).sum().backward()
        log.append(f(x.grad))
        h.remove()
        m(T.ones(1, 2)).sum().backward()
        return log

    same(run)


def test_conversion():
    m = small(torsh)
    p = m[0].weight
    m(torsh.ones(2, 3)).sum().backward()
    m.double()
    assert m[0].weight is p and p.dtype is torsh.float64 and p.grad.dtype is torsh.float64
    assert m[1].num_batches_tracked.dtype is torsh.int64 and m[1].running_mean.dtype is torsh.float64
    assert m.to(torsh.float16)[0].weight.dtype is torsh.float16
    assert m.float().eval().training is False
    assert m.requires_grad_(False)[0].weight.requires_grad is False
    m.zero_grad(set_to_none=False)
    assert p.grad.abs().sum().item() == 0
    m.zero_grad()
    assert p.grad is None


def test_copies_and_pickles():
    m = small(torsh)
    for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert other[0].weight is not m[0].weight
        x = torsh.ones(2, 3)
        assert (values(other.eval()(x)) == values(m.eval()(x))).all()
        with torsh.no_grad():
            other[0].weight.zero_()
        assert values(m[0].weight).any()


def test_buffer_class():
    m = torsh.nn.Module()
    m.b = torsh.nn.Buffer(torsh.ones(2), persistent=False)
    m.c = torsh.nn.Buffer(torsh.ones(2))
    assert list(m.state_dict()) == ["c"] and [n for n, _ in m.named_buffers()] == ["b", "c"]
    assert isinstance(m.b, torsh.nn.Buffer) and not isinstance(torsh.ones(1), torsh.nn.Buffer)


TEXTS = [
    "nn.Linear(2, 3, bias=False)", "nn.Bilinear(2, 3, 4)", "nn.Conv2d(2, 4, 3, 2, 1, 2, 2, False, 'circular')",
    "nn.ConvTranspose2d(2, 3, 3, output_padding=1, stride=2)", "nn.BatchNorm2d(3, affine=False)", "nn.InstanceNorm1d(2)",
    "nn.LayerNorm((2, 3))", "nn.LayerNorm(3, bias=False)", "nn.GroupNorm(2, 4)", "nn.RMSNorm(3)", "nn.LocalResponseNorm(2)",
    "nn.Dropout(0.3, True)", "nn.Embedding(3, 4, padding_idx=-1, max_norm=2.0, sparse=True)", "nn.EmbeddingBag(3, 4, mode='sum')",
    "nn.MaxPool2d(2)", "nn.AvgPool3d(2, 1)", "nn.AdaptiveAvgPool2d((1, None))", "nn.LPPool2d(2, 3)", "nn.MaxUnpool2d(2)",
    "nn.FractionalMaxPool2d(3, output_size=2)", "nn.Flatten()", "nn.Unflatten(1, (2, 3))", "nn.ReLU(True)", "nn.ReLU6()",
    "nn.Hardtanh(-2, 2)", "nn.ELU(0.5)", "nn.GELU('tanh')", "nn.Softplus(2)", "nn.Softmax(1)", "nn.LeakyReLU(0.2, True)",
    "nn.PReLU(3)", "nn.Threshold(1.0, 2.0)", "nn.Hardshrink()", "nn.Softshrink(0.3)", "nn.RReLU()", "nn.GLU()", "nn.Hardsigmoid()",
    "nn.CELU(2.0, True)", "nn.SELU()", "nn.SiLU(True)", "nn.Mish()", "nn.LogSoftmax()", "nn.Softmax2d()", "nn.Tanhshrink()",
    "nn.ZeroPad2d(2)", "nn.ConstantPad1d(1, 3.5)", "nn.ReflectionPad2d((1, 2, 3, 4))", "nn.Upsample(scale_factor=2)",
    "nn.UpsamplingBilinear2d(4)", "nn.PixelShuffle(2)", "nn.ChannelShuffle(2)", "nn.Fold(4, 2)", "nn.Unfold(2)",
    "nn.LSTM(2, 3, 2, dropout=0.1, bidirectional=True, proj_size=1)", "nn.GRUCell(2, 3, bias=False)", "nn.RNN(2, 3)",
    "nn.RNNCell(2, 3, nonlinearity='relu')", "nn.MultiheadAttention(4, 2)", "nn.TransformerEncoderLayer(4, 2)",
    "nn.Transformer(4, 2, 2, 2)", "nn.CrossEntropyLoss()", "nn.TripletMarginWithDistanceLoss()", "nn.CosineSimilarity()",
    "nn.LinearCrossEntropyLoss(3, 4)", "nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2, 4])", "nn.LazyLinear(3)", "nn.LazyConv2d(2, 3)",
    "nn.LazyBatchNorm1d()", "nn.Identity(3)", "nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 2)])", "nn.ModuleList()",
    "nn.ModuleDict({'a': nn.ReLU(), 'b': nn.Sequential(nn.Tanh(), nn.Sequential())})", "nn.Sequential()",
    "nn.ParameterList([T.ones(2), T.ones(1, 3), 5])", "nn.ParameterDict({'b': T.ones(2), 'a': 'x'})", "nn.SyncBatchNorm(3)",
]  # fmt: skip


@pytest.mark.parametrize("code", TEXTS)
@pytest.mark.filterwarnings("ignore")
def test_texts(code):
    texts = [repr(eval(code, {"nn": T.nn, "T": T})) for T in BOTH]
    assert texts[0] == texts[1].replace("torsh", "torch")


def test_containers():
    def run(T):
        nn = T.nn
        log = []
        s = nn.Sequential(nn.ReLU(), nn.Tanh())
        s.append(nn.Sigmoid()).insert(0, nn.Identity())
        s[1] = nn.ELU()
        del s[0]
        log.append([type(m).__name__ for m in s * 2 + s[:1]])
        log.append(type(s.pop(-1)).__name__)
        ml = nn.ModuleList([nn.ReLU()])
        ml += [nn.Tanh()]
        ml.insert(1, nn.ELU())
        log.append([type(m).__name__ for m in ml[::-1]])
        md = nn.ModuleDict([("a", nn.ReLU())])
        md.update({"c": nn.Tanh(), "b": nn.ELU()})
        log.append((list(md), "c" in md, type(md.pop("a")).__name__, len(md)))
        pl = nn.ParameterList([T.ones(1)])
        pl.append(T.ones(2))
        pl[0] = T.zeros(3)
        log.append([tuple(p.shape) for p in pl] + [len(list(pl.parameters()))])
        pd = nn.ParameterDict({"z": T.ones(1), "a": T.ones(2)})
        pd |= nn.ParameterDict({"q": T.ones(3)})
        log.append((list(pd.keys()), len(list(pd.parameters())), pd.popitem()[0], pd.get("none", 4)))
        for bad in (lambda: s[5], lambda: nn.ModuleList(3), lambda: s + 3, lambda: s * 0, lambda: ml[3], lambda: pd[3]):
            try:
                bad()
            except Exception as e:
                log.append(type(e).__name__)
        return log

    same(run)


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_lazy_modules():
    m = torsh.nn.LazyLinear(3)
    with pytest.raises((RuntimeError, ValueError)):
        m.weight.sum()
    saved = torsh.nn.Linear(5, 3).state_dict()
    m.load_state_dict(saved)
    assert m(torsh.ones(2, 5)).shape == (2, 3) and type(m) is torsh.nn.Linear
    b = torsh.nn.LazyBatchNorm2d()
    assert b(torsh.ones(2, 4, 3, 3)).shape == (2, 4, 3, 3) and b.running_mean.shape == (4,)
