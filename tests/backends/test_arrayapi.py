"""Generic kernels: a plug-in of a few lines runs the core of torsh, with NumPy's results."""

from __future__ import annotations

import copy
import importlib.metadata
import io
from pathlib import Path

import numpy as np
import pytest

import torsh
import torsh.nn.functional as F
from torsh import registry

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy says what overflows; so does the toy

ROOT = Path(__file__).parent
RNG = np.random.default_rng(0)
A = RNG.standard_normal((4, 6)).astype(np.float32)
B = RNG.standard_normal((4, 6)).astype(np.float32)
I = RNG.integers(0, 4, (4, 6))
IMAGES = RNG.standard_normal((2, 4, 7, 8)).astype(np.float32)
KERNELS = RNG.standard_normal((6, 2, 3, 3)).astype(np.float32)


def unary(*names):
    return {n: (lambda a, b, n=n: getattr(torsh, n)(a)) for n in names}


def binary(*names):
    return {n: (lambda a, b, n=n: getattr(torsh, n)(a, b)) for n in names}


POINTWISE = {
    **unary(
        "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asinh", "atan", "sinh", "cosh", "tanh",
        "square", "reciprocal", "neg", "abs", "sign", "floor", "ceil", "trunc", "round", "frac", "sigmoid", "exp2",
        "isnan", "isinf", "isfinite", "signbit", "deg2rad", "erf", "erfc", "sinc", "logical_not", "relu", "nan_to_num",
    ),
    **binary(
        "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "maximum", "minimum", "fmax", "fmin", "atan2",
        "hypot", "logaddexp", "logaddexp2", "copysign", "heaviside", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
        "logical_or", "xlogy", "nextafter",
    ),
    "pow": lambda a, b: torsh.pow(a.abs(), b),
    "clamp": lambda a, b: a.clamp(-0.5, 0.7),
    "where": lambda a, b: torsh.where(a > b, a, b),
    "lerp": lambda a, b: torsh.lerp(a, b, 0.3),
    "addcmul": lambda a, b: torsh.addcmul(a, a, b, value=0.5),
    "addcdiv": lambda a, b: torsh.addcdiv(a, a, b, value=0.5),
    "numbers": lambda a, b: 1 - a * 2 / 3.5 + 2**a,
    "broadcast": lambda a, b: a[:, :1] * b[0] + b,
    "softplus": lambda a, b: F.softplus(a),
    "gelu": lambda a, b: F.gelu(a),
    "silu": lambda a, b: F.silu(a),
    "leaky_relu": lambda a, b: F.leaky_relu(a),
}  # fmt: skip
ARRAYS = {
    "sum": lambda a, b: a.sum(),
    "sum of a dim": lambda a, b: a.sum(0, keepdim=True),
    "mean": lambda a, b: a.mean((0, 1)),
    "prod": lambda a, b: a.prod(1),
    "amax": lambda a, b: a.amax(1),
    "amin": lambda a, b: a.amin(),
    "max": lambda a, b: a.max(1),
    "argmax": lambda a, b: a.argmax(1),
    "argmin": lambda a, b: a.argmin(),
    "var": lambda a, b: a.var(0),
    "std": lambda a, b: a.std(1, correction=0),
    "all": lambda a, b: (a > -3).all(1),
    "any": lambda a, b: (a > 2).any(),
    "logsumexp": lambda a, b: a.logsumexp(1),
    "cumsum": lambda a, b: a.cumsum(1),
    "cumprod": lambda a, b: a.cumprod(0),
    "softmax": lambda a, b: a.softmax(1),
    "log_softmax": lambda a, b: a.log_softmax(0),
    "norm": lambda a, b: torsh.linalg.vector_norm(a, 3, 1),
    "matmul": lambda a, b: a @ b.t(),
    "batched matmul": lambda a, b: a.reshape(2, 2, 6) @ b.t(),
    "matrix and vector": lambda a, b: a @ b[0],
    "addmm": lambda a, b: torsh.addmm(a[:, :4], a, b.t(), beta=0.5, alpha=2),
    "linear": lambda a, b: F.linear(a, b, a[:, 0]),
    "reshape": lambda a, b: a.t().reshape(3, 8),
    "permute": lambda a, b: a.reshape(2, 2, 6).permute(2, 0, 1),
    "squeeze": lambda a, b: a.unsqueeze(1).squeeze(1),
    "expand": lambda a, b: a[:, None].expand(4, 3, 6),
    "diagonal": lambda a, b: a.diagonal(1),
    "unfold": lambda a, b: a.unfold(1, 3, 2),
    "cat": lambda a, b: torsh.cat([a, b], 1),
    "stack": lambda a, b: torsh.stack([a, b], 1),
    "split": lambda a, b: a.split(2)[1],
    "unbind": lambda a, b: a.unbind(1)[3],
    "flip": lambda a, b: a.flip(0, 1),
    "roll": lambda a, b: a.roll(2, 1),
    "repeat": lambda a, b: a.repeat(2, 1),
    "tril": lambda a, b: a.tril(-1),
    "triu": lambda a, b: a.triu(1),
    "slices": lambda a, b: a[1:, ::2] * b[2, 3],
    "index": lambda a, b: a[torsh.tensor([0, 3, 3])],
    "index two": lambda a, b: a[torsh.tensor([[0], [2]]), torsh.tensor([1, 5, -1])],
    "index inside": lambda a, b: a.reshape(2, 2, 6)[:, torsh.tensor([1, 0, 1])],
    "mask": lambda a, b: a[a > 0],
    "nonzero": lambda a, b: torsh.nonzero(a > 0),
    "gather": lambda a, b: a.gather(1, torsh.tensor([[0, 0, 5], [1, 2, 3]])),
    "gather of a number": lambda a, b: a[0, 0].gather(0, torsh.tensor([0, 0])),
    "embedding": lambda a, b: F.embedding(torsh.tensor([[1, 2], [3, 1]]), a),
    "cross_entropy": lambda a, b: F.cross_entropy(a, torsh.tensor([1, 2, 5, 0])),
    "mse_loss": lambda a, b: F.mse_loss(a, b),
    "layer_norm": lambda a, b: F.layer_norm(a, (6,), b[0], b[1]),
    "to": lambda a, b: (a * 3).to(torsh.int32).to(torsh.float64),
    "arange": lambda a, b: torsh.arange(1, 8, 2) + torsh.arange(4.0),
    "linspace": lambda a, b: torsh.linspace(0, 1, 7),
    "eye": lambda a, b: torsh.eye(3, 4),
    "full": lambda a, b: torsh.full((2, 3), 7),
    "complex": lambda a, b: torsh.complex(a, b) * torsh.complex(b, a),
    "abs of complex": lambda a, b: torsh.complex(a, b).abs(),
    "view_as_real": lambda a, b: torsh.view_as_real(torsh.complex(a, b)),
}
IMAGE_OPS = {
    "conv2d": lambda x, w: F.conv2d(x, w[:, :, :, :].repeat(1, 2, 1, 1), stride=2, padding=1),
    "grouped conv2d": lambda x, w: F.conv2d(x, w, groups=2, dilation=2),
    "conv_transpose2d": lambda x, w: F.conv_transpose2d(x, w[:4], stride=2, padding=1, output_padding=1),
    "max_pool2d": lambda x, w: F.max_pool2d(x, 3, 2, 1),
    "avg_pool2d": lambda x, w: F.avg_pool2d(x, 2, count_include_pad=False),
    "adaptive_avg_pool2d": lambda x, w: F.adaptive_avg_pool2d(x, (3, 5)),
    "pad": lambda x, w: F.pad(x, (1, 2, -1, 0), value=0.5),
    "reflect": lambda x, w: F.pad(x, (1, 2, 3, 0), mode="reflect"),
    "batch_norm": lambda x, w: F.batch_norm(x, None, None, training=True),
}


def results(case, arrays, backend, gradients):
    """The values of a case and, where wanted and possible, its gradients, as host arrays."""
    with registry.use(backend):
        inputs = [torsh.tensor(a) for a in arrays]
        outs = case(*inputs)
        found = [t.numpy() for t in (outs if isinstance(outs, tuple) else (outs,))]
        if gradients:
            leaves = [torsh.tensor(a).requires_grad_() for a in arrays]
            out = case(*leaves)
            out = out[0] if isinstance(out, tuple) else out
            if out.requires_grad:
                weights = torsh.arange(out.numel(), dtype=torsh.float32).reshape(out.shape) * 0.1
                loss = ((out.abs() if out.is_complex() else out) * weights).sum()
                for g in torsh.autograd.grad(loss, leaves, allow_unused=True):
                    found.append(np.zeros(0) if g is None else g.numpy())
        return found


def check(case, arrays, gradients=True):
    for found, expected in zip(
        results(case, arrays, "toy", gradients), results(case, arrays, "numpy", gradients), strict=True
    ):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise(toy, name):
    check(POINTWISE[name], (A, B))


@pytest.mark.parametrize(
    "name", ["add", "mul", "floor_divide", "remainder", "fmod", "maximum", "eq", "lt", "where", "clamp"]
)
def test_pointwise_of_integers(toy, name):
    check(POINTWISE[name], (I - 2, I.T.reshape(4, 6) * 2 + 1), gradients=False)


@pytest.mark.parametrize(
    "name", ["bitwise_and", "bitwise_or", "bitwise_xor", "logical_xor", "add", "mul", "maximum", "lt"]
)
def test_pointwise_of_bools(toy, name):
    check(lambda a, b: getattr(torsh, name)(a, b), (A > 0, B > 0), gradients=False)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(toy, name):
    check(ARRAYS[name], (A, B))


@pytest.mark.parametrize("name", IMAGE_OPS)
def test_images(toy, name):
    check(IMAGE_OPS[name], (IMAGES, KERNELS))


def test_writing_by_index(toy):
    def case(a, b):
        a = a.clone()
        a[torsh.tensor([0, 2])] = b[:2]
        a[a > 1] = 0.0
        a.index_put_((torsh.tensor([1, 1, 3]),), b[:3], accumulate=True)
        return a

    check(case, (A, B))


def test_random_numbers_are_the_same_stream(toy):
    def case():
        torsh.manual_seed(3)
        return torsh.rand(3, 4), torsh.randn(20), torsh.randint(0, 9, (5,)), torsh.randperm(6)

    check(case, (), gradients=False)


def test_training(toy):
    def train(backend):
        with registry.use(backend):
            torsh.manual_seed(0)
            net = torsh.nn.Sequential(torsh.nn.Linear(6, 8), torsh.nn.Tanh(), torsh.nn.Linear(8, 3))
            optimizer = torsh.optim.Adam(net.parameters(), lr=0.05)
            losses = []
            for _ in range(5):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(torsh.tensor(A)), torsh.tensor([0, 1, 2, 0]))
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return losses

    np.testing.assert_allclose(train("toy"), train("numpy"), rtol=1e-4)


def test_saving_and_loading(toy):
    with registry.use("toy"):
        net = torsh.nn.Linear(3, 2)
        file = io.BytesIO()
        torsh.save(net.state_dict(), file)
        file.seek(0)
        found = torsh.load(file)
        assert found["weight"]._kind.backend is toy
        np.testing.assert_array_equal(found["weight"].numpy(), net.weight.detach().numpy())
        assert copy.deepcopy(net).weight.tolist() == net.weight.tolist()


# ---- the plug-in itself ----------------------------------------------------------------------------------------------


def test_the_plug_in_is_small_and_found_by_its_entry_point(toy):
    assert len((ROOT / "toy_plugin/toy_plugin/__init__.py").read_text().splitlines()) <= 60
    (entry,) = [e for e in importlib.metadata.entry_points(group=registry.GROUP) if e.name == "toy"]
    assert entry.value == "toy_plugin:ToyBackend" and entry.dist.name == "toy-plugin"
    assert toy.version() == importlib.metadata.version("array-api-strict")


def test_types_the_library_lacks_are_refused(toy):
    with registry.use("toy"), pytest.raises(TypeError, match=r"backend 'toy' on device 'cpu' has no .*bfloat16"):
        torsh.zeros(2, dtype=torsh.bfloat16)


def test_every_generic_kernel_belongs_to_an_op():
    from torsh.ops._op import OPS
    from torsh_arrayapi import table

    assert set(table()) <= set(OPS)


def test_an_op_without_kernel_says_what_to_do(toy):
    with registry.use("toy"), pytest.raises(NotImplementedError, match="backend 'toy' has no kernel for it"):
        torsh.special.airy_ai(torsh.ones(2))
