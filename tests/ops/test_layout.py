"""In which order results lie in memory, compared with PyTorch by their strides."""

from __future__ import annotations

import pytest

import torsh

torch = pytest.importorskip("torch")
F = "nn.functional."


def turned(order):
    """A 4-d tensor whose dimensions lie in memory in this order, outermost first."""
    back = [order.index(d) for d in range(4)]
    shape = (2, 4, 6, 8)
    return lambda T: T.arange(384.0).reshape([shape[d] for d in order]).permute(back)


LAST = turned((0, 2, 3, 1))
OTHER = turned((0, 1, 3, 2))
CASES = {
    "conv2d": lambda T, x: T.nn.functional.conv2d(x, T.ones(3, 4, 3, 3), padding=1),
    "conv2d weight last": lambda T, x: T.nn.functional.conv2d(
        x.contiguous(), T.ones(3, 4, 3, 3).contiguous(memory_format=T.channels_last)
    ),
    "conv_transpose2d": lambda T, x: T.nn.functional.conv_transpose2d(x, T.ones(4, 3, 3, 3)),
    "max_pool2d": lambda T, x: T.nn.functional.max_pool2d(x, 2, return_indices=True),
    "avg_pool2d": lambda T, x: T.nn.functional.avg_pool2d(x, 2),
    "adaptive_avg_pool2d": lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive_max_pool2d": lambda T, x: T.nn.functional.adaptive_max_pool2d(x, (3, 2)),
    "interpolate": lambda T, x: T.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"),
    "interpolate nearest": lambda T, x: T.nn.functional.interpolate(x, size=(5, 5)),
    "pad": lambda T, x: T.nn.functional.pad(x, (1, 1)),
    "reflect": lambda T, x: T.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"),
    "batch_norm": lambda T, x: T.nn.functional.batch_norm(x, None, None, training=True),
    "batch_norm eval": lambda T, x: T.nn.functional.batch_norm(x, T.zeros(4), T.ones(4)),
    "group_norm": lambda T, x: T.nn.functional.group_norm(x, 2),
    "channel_shuffle": lambda T, x: T.nn.functional.channel_shuffle(x, 2),
    "pixel_shuffle": lambda T, x: T.nn.functional.pixel_shuffle(x, 2),
    "relu": lambda T, x: x.relu(),
    "add": lambda T, x: x + T.ones(1, 4, 1, 1),
    "dropout": lambda T, x: T.nn.functional.dropout(x, 0.5),
    "cat": lambda T, x: T.cat([x, x], 1),
    "stack": lambda T, x: T.stack([x, x]),
    "clone": lambda T, x: x.clone(),
    "zeros_like": lambda T, x: T.zeros_like(x),
    "to": lambda T, x: x.to(T.float64),
    "batch of": lambda T, x: x[T.tensor([1, 0])],
    "flip": lambda T, x: x.flip(1),
    "sort": lambda T, x: x.sort(2),
    "cumsum": lambda T, x: x.cumsum(1),
    "tril": lambda T, x: x.tril(),
    "max": lambda T, x: x.max(1),
    "index_fill": lambda T, x: x.index_fill(0, T.tensor([1]), 1.0),
    "index_put": lambda T, x: x.index_put((T.tensor([1]),), T.zeros(())),
    "permute_copy": lambda T, x: T.permute_copy(x, (1, 0, 2, 3)),
    "complex": lambda T, x: T.complex(x, x),
    "softmax": lambda T, x: x.softmax(1),
    "inv": lambda T, x: T.linalg.inv(T.eye(3) * 2),
    "qr": lambda T, x: T.linalg.qr(T.eye(3)[:, :2]),
    "lu_factor": lambda T, x: T.linalg.lu_factor(T.eye(3).expand(2, 3, 3)),
    "eigh": lambda T, x: T.linalg.eigh(T.eye(3)),
    "nonzero": lambda T, x: T.eye(3).nonzero(),
    "ravel": lambda T, x: T.arange(8.0)[::2].ravel(),
}


def strides(found):
    parts = found if isinstance(found, tuple) else (found,)
    return [tuple(s for s, n in zip(t.stride(), t.shape) if n != 1) for t in parts]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", [LAST, OTHER], ids=["channels last", "other"])
@pytest.mark.parametrize("name", CASES)
def test_strides(name, order):
    call = CASES[name]
    assert strides(call(torsh, order(torsh))) == strides(call(torch, order(torch)))


@pytest.mark.parametrize("name", ["max_pool2d", "interpolate", "pad", "cumsum", "flip", "relu", "clone", "tril"])
@pytest.mark.parametrize("order", [LAST, OTHER], ids=["channels last", "other"])
def test_strides_on_meta(name, order):
    on = [strides(CASES[name](T, order(T).to("meta"))) for T in (torsh, torch)]
    assert on[0] == on[1]


def test_a_network_stays_channels_last():
    def run(T):
        T.manual_seed(0)
        net = T.nn.Sequential(
            T.nn.Conv2d(3, 8, 3, padding=1), T.nn.BatchNorm2d(8), T.nn.ReLU(), T.nn.MaxPool2d(2), T.nn.Conv2d(8, 4, 1)
        ).to(memory_format=T.channels_last)
        x = T.rand(2, 3, 8, 8).to(memory_format=T.channels_last).requires_grad_()
        y = net(x)
        (y * y).sum().backward()
        return y, x.grad, net[0].weight.grad

    for ours, theirs in zip(run(torsh), run(torch)):
        assert ours.stride() == theirs.stride()
        assert ours.is_contiguous(memory_format=torsh.channels_last)
        torch.testing.assert_close(torch.from_numpy(ours.detach().numpy()), theirs.detach(), rtol=1e-4, atol=1e-5)


def test_resize_to_the_same_size_keeps_strides_and_values():
    t = torsh.arange(6.0).view(2, 3).t()
    before = t.tolist()
    assert t.resize_(3, 2).stride() == (1, 3)
    assert t.tolist() == before


def test_an_unknown_layout_is_refused():
    from torsh.ops._op import Op

    with pytest.raises(ValueError, match="unknown layouts"):
        Op("no such op", None, layout="diagonal")
