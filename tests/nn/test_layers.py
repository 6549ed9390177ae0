"""Layers with state or a random part, initialisation and helpers: equal to PyTorch for the same seed."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import torsh
import torsh.nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def both(run):
    """Run a function of the library twice and compare what it returns: arrays closely, everything else exactly."""
    found = []
    for T in (torch, torsh):
        T.manual_seed(0)
        found.append(run(T))
    for i, (a, b) in enumerate(zip(*found, strict=True)):
        if hasattr(a, "detach"):
            assert tuple(a.shape) == tuple(b.shape), i
            np.testing.assert_allclose(
                np.asarray(b.detach().tolist()), np.asarray(a.detach().tolist()), 2e-4, 2e-5, err_msg=str(i)
            )
        else:
            assert a == b, i


def sub(T, name):
    return importlib.import_module(f"{T.__name__}.nn.utils.{name}")


@pytest.mark.parametrize(
    "name",
    [
        "uniform_", "normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_",
        "orthogonal_", "eye_", "ones_", "zeros_",
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(6, 5), (3, 8)])
def test_init(name, shape):
    both(lambda T: [getattr(T.nn.init, name)(T.empty(*shape)), T.rand(1)])


def test_init_special():
    both(
        lambda T: [
            T.nn.init.trunc_normal_(T.empty(50), 0, 1, 2, 4), T.nn.init.sparse_(T.empty(6, 5), 0.3),
            T.nn.init.dirac_(T.empty(4, 2, 3), 2), T.nn.init.constant_(T.empty(2), 3.0), T.nn.init.calculate_gain("leaky_relu", 0.2),
            T.nn.init.kaiming_normal_(T.empty(4, 3, 2, 2), mode="fan_out", nonlinearity="relu"), T.rand(1),
        ]
    )  # fmt: skip


MAKERS = [
    lambda nn: nn.Linear(3, 4), lambda nn: nn.Conv2d(2, 4, 3, groups=2), lambda nn: nn.ConvTranspose1d(2, 4, 3),
    lambda nn: nn.Bilinear(2, 3, 4), lambda nn: nn.Embedding(5, 3, padding_idx=1), lambda nn: nn.LSTM(3, 4, 2, bidirectional=True),
    lambda nn: nn.GRUCell(3, 4), lambda nn: nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True),
    lambda nn: nn.TransformerDecoderLayer(4, 2, 8), lambda nn: nn.Transformer(4, 2, 1, 1, 8), lambda nn: nn.EmbeddingBag(4, 3),
    lambda nn: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2, 4]), lambda nn: nn.PReLU(2), lambda nn: nn.BatchNorm1d(2),
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_initial_weights_are_equal_bit_for_bit(make):
    found = []
    for T in (torch, torsh):
        T.manual_seed(5)
        found.append(make(T.nn).state_dict())
    assert list(found[0]) == list(found[1])
    for k in found[0]:
        a, b = (np.asarray(f[k].tolist(), np.float32) for f in found)
        if "normal" in k or "weight" in k or "bias" in k:
            # The normal family agrees to a few ulp, everything else exactly.
            np.testing.assert_allclose(b, a, rtol=5e-6, atol=1e-7, err_msg=k)


@pytest.mark.parametrize("cls", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("kw", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}, {"bias": False}])
def test_recurrent(cls, kw):
    def run(T):
        rnn = sub(T, "rnn")
        packed = rnn.pack_sequence([T.randn(n, 2) for n in (3, 5, 1)], enforce_sorted=False)
        m = getattr(T.nn, cls)(2, 4, **kw)
        out, h = m(packed)
        padded, lengths = rnn.pad_packed_sequence(out, padding_value=-1.0)
        padded.pow(2).sum().backward()
        plain, h2 = m(T.randn(3, 2, 2))
        single, _ = m(T.randn(4, 2))
        first = lambda h: h if not isinstance(h, tuple) else T.cat([h[0], h[1]])
        return [
            packed.data, packed.batch_sizes, packed.sorted_indices, out.data, first(h), padded, lengths, m.weight_hh_l0.grad,
            m.weight_ih_l0.grad, plain, first(h2), single,
        ]  # fmt: skip

    both(run)


def test_recurrent_dropout_and_projection():
    def run(T):
        m = T.nn.LSTM(2, 4, 2, dropout=0.5, proj_size=3)
        out, (h, c) = m(T.randn(3, 2, 2))
        cell = T.nn.LSTMCell(2, 4)
        a, b = cell(T.randn(3, 2))
        return [out, h, c, a, b, T.nn.GRUCell(2, 4)(T.randn(2)), T.nn.RNNCell(2, 3, nonlinearity="relu")(T.randn(1, 2))]

    both(run)


def test_padding_of_sequences():
    def run(T):
        rnn = sub(T, "rnn")
        seqs = [T.randn(n, 2) for n in (3, 1)]
        padded = rnn.pad_sequence(seqs, batch_first=True, padding_value=9.0, padding_side="left")
        packed = rnn.pack_padded_sequence(T.randn(4, 3, 2), [4, 2, 2])
        wide, lengths = rnn.pad_packed_sequence(packed, batch_first=True, total_length=6)
        return [padded, packed.data, packed.batch_sizes, wide, lengths, *rnn.unpack_sequence(packed)]

    both(run)


def test_transformer():
    def run(T):
        nn = T.nn
        x, y = T.randn(3, 2, 8), T.randn(4, 2, 8)
        m = nn.Transformer(8, 2, 1, 2, 16, dropout=0.0, norm_first=True)
        mask = nn.Transformer.generate_square_subsequent_mask(4)
        out = m(x, y, tgt_mask=mask)
        out.sum().backward()
        e = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2, nn.LayerNorm(8)
        ).eval()
        padding = T.tensor([[False, False, True, True], [False] * 4])
        with T.no_grad():
            inference = e(T.randn(2, 4, 8), src_key_padding_mask=padding)
        a = nn.MultiheadAttention(8, 2, batch_first=True)
        attended, weights = a(T.randn(2, 3, 8), T.randn(2, 4, 8), T.randn(2, 4, 8), key_padding_mask=padding)
        return [out, m.encoder.layers[0].linear1.weight.grad, inference, attended, weights]

    both(run)


def test_batch_norm_statistics():
    def run(T):
        m = T.nn.BatchNorm2d(3, momentum=None)
        for _ in range(3):
            out = m(T.randn(4, 3, 2, 2))
        return [out, m.running_mean, m.running_var, m.num_batches_tracked, m.eval()(T.randn(1, 3, 2, 2))]

    both(run)


def test_adaptive_softmax():
    def run(T):
        m = T.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], head_bias=True)
        out = m(T.randn(5, 8), T.tensor([0, 5, 19, 9, 11]))
        out.loss.backward()
        return [out.output, out.loss, m.log_prob(T.randn(2, 8)), m.predict(T.randn(3, 8)), m.tail[1][0].weight.grad]

    both(run)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm", "orthogonal", "cayley", "householder"])
def test_parametrizations(name):
    def run(T):
        p, z = sub(T, "parametrizations"), sub(T, "parametrize")
        m = T.nn.Linear(5, 3)
        if name in ("cayley", "householder"):
            p.orthogonal(m, orthogonal_map=name)
        else:
            getattr(p, name)(m)
        out = m(T.randn(4, 5))
        out.pow(2).sum().backward()
        grads = [q.grad for q in m.parameters()]
        keys = list(m.state_dict())
        z.remove_parametrizations(m, "weight")
        return [out, *grads, keys, m.weight, type(m).__name__, [n for n, _ in m.named_parameters()]]

    both(run)


def test_parametrize_by_hand():
    class Symmetric(torsh.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).t()

        def right_inverse(self, x):
            return x.triu()

    z = sub(torsh, "parametrize")
    m = torsh.nn.Linear(3, 3)
    z.register_parametrization(m, "weight", Symmetric())
    assert torsh.equal(m.weight, m.weight.t()) and z.is_parametrized(m, "weight")
    new = torsh.arange(9.0).reshape(3, 3)
    m.weight = new + new.t()
    assert torsh.equal(m.weight, new + new.t())
    with z.cached():
        assert m.weight is m.weight
    with pytest.raises(ValueError, match="shape"):
        z.register_parametrization(m, "bias", type("Cut", (torsh.nn.Module,), {"forward": lambda s, x: x[1:]})())


@pytest.mark.parametrize("old", ["weight_norm", "spectral_norm"])
def test_norms_by_hook(old):
    def run(T):
        u = T.nn.utils
        m = getattr(u, old)(T.nn.Linear(5, 3))
        out = m(T.randn(4, 5))
        out.sum().backward()
        keys = list(m.state_dict())
        getattr(u, f"remove_{old}")(m)
        return [out, keys, m.weight, list(m.state_dict())]

    both(run)


def test_prune():
    def run(T):
        p = sub(T, "prune")
        found = []
        for prune in (
            lambda m: p.l1_unstructured(m, "weight", 0.4), lambda m: p.random_structured(m, "weight", 2, 1),
            lambda m: p.random_unstructured(m, "weight", 0.3), lambda m: p.ln_structured(m, "weight", 1, 2, 0),
        ):  # fmt: skip
            m = T.nn.Linear(5, 3)
            prune(m)
            found += [m(T.ones(1, 5)), list(m.state_dict())]
            p.l1_unstructured(m, "weight", 0.5)
            found += [m.weight_mask, p.is_pruned(m)]
            p.remove(m, "weight")
            found += [m.weight, list(m.state_dict())]
        ms = [T.nn.Linear(5, 3), T.nn.Linear(3, 2)]
        p.global_unstructured([(m, "weight") for m in ms], p.L1Unstructured, amount=0.4)
        return [*found, *[m.weight for m in ms]]

    both(run)


def test_clipping_and_vectors():
    def run(T):
        u = T.nn.utils
        ps = [T.nn.Parameter(T.randn(2, 3)), T.nn.Parameter(T.randn(4))]
        for p in ps:
            p.grad = T.randn(*p.shape) * 3
        norm = u.clip_grad_norm_(iter(ps), 1.0)
        grads = [p.grad.clone() for p in ps]
        inf = u.clip_grad_norm_(ps, 0.1, norm_type=float("inf"))
        u.clip_grad_value_(ps, 0.05)
        vec = u.parameters_to_vector(ps)
        u.vector_to_parameters(vec * 2, ps)
        return [norm, *grads, inf, *[p.grad for p in ps], vec, *ps]

    both(run)
    bad = torsh.nn.Parameter(torsh.ones(2))
    bad.grad = torsh.tensor([float("nan"), 1.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        torsh.nn.utils.clip_grad_norm_([bad], 1.0, error_if_nonfinite=True)


def test_functional_call_and_fusion():
    m = torsh.nn.Linear(2, 3)
    x = torsh.ones(1, 2)
    stateless = sub(torsh, "stateless")
    w = torsh.zeros(3, 2, requires_grad=True)
    out = stateless._functional_call(m, {"weight": w}, (x,))
    assert torsh.equal(out, m.bias.reshape(1, 3)) and m.weight.abs().sum().item() > 0
    out.sum().backward()
    assert w.grad is not None and m.weight.grad is None
    with pytest.raises(RuntimeError, match="Missing key"):
        stateless._functional_call(m, {"weight": w}, (x,), strict=True)

    def fused(T):
        conv, bn = T.nn.Conv2d(2, 3, 3), T.nn.BatchNorm2d(3)
        y = T.randn(2, 2, 5, 5)
        bn(conv(y))
        both_ = T.nn.Sequential(conv, bn).eval()
        one = T.nn.utils.fuse_conv_bn_eval(conv, bn)
        return [both_(y), one(y)]

    both(fused)
    assert torsh.nn.utils.skip_init(torsh.nn.Linear, 2, 3).weight.device.type == "cpu"
