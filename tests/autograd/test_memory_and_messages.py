"""What the engine keeps and for how long, and what its errors say beyond PyTorch's words."""

from __future__ import annotations

import gc
import warnings

import pytest

import torsh
import torsh.nn
import torsh.optim
import torsh.utils.checkpoint

nn, F = torsh.nn, torsh.nn.functional


# ---- messages ----------------------------------------------------------------------------------------------------------


def spoilt(write):
    x, w = torsh.ones(3, requires_grad=True), torsh.ones(3)
    y = (x * w).sum()
    write(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        y.backward()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("add_", lambda w: w.add_(1.0)),
        ("copy_", lambda w: w.copy_(torsh.zeros(3))),
        ("__setitem__", lambda w: w.__setitem__(0, 2.0)),
        ("mul_", lambda w: w[1:].mul_(2.0)),
        ("masked_fill_", lambda w: w.masked_fill_(w > 0, 0.0)),
    ],
)
def test_the_line_that_wrote_is_named(name, write):
    line = f"{__file__}:{write.__code__.co_firstlineno}"
    message = spoilt(write)
    assert f"written by {name} at {line}" in message
    assert "set_detect_anomaly(True)" in message


def test_an_optimizers_step_is_named_by_the_programs_line():
    p = nn.Parameter(torsh.ones(2))
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    torsh.optim.SGD([p], lr=0.1).step()  # the line
    with pytest.raises(
        RuntimeError, match=r"written by sgd_step at .*test_memory_and_messages.py:\d+ \(.*# the line\)"
    ):
        loss.backward()


def test_anomaly_mode_names_the_line_that_kept():
    x, w = torsh.ones(3, requires_grad=True), torsh.ones(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torsh.autograd.detect_anomaly():
            y = x * w  # here
    w.zero_()
    with pytest.raises(RuntimeError, match=r"It was kept at File .*: y = x \* w  # here"):
        y.sum().backward()


# ---- memory ------------------------------------------------------------------------------------------------------------


def t(*shape):
    return torsh.randn(*shape).requires_grad_()


def hooked(y, register):
    register(y)
    return y


LAYERS = {
    "mlp": lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))(t(2, 4)),
    "conv": lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.MaxPool2d(2))(t(2, 2, 6, 6)),
    "norms": lambda: nn.LayerNorm(4)(nn.GroupNorm(1, 2)(t(3, 2, 4))),
    "lstm": lambda: nn.LSTM(4, 3)(t(5, 2, 4))[0],
    "gru": lambda: nn.GRU(4, 3)(t(5, 2, 4))[0],
    "transformer": lambda: nn.TransformerEncoderLayer(4, 2, 8)(t(3, 2, 4)),
    "embedding": lambda: nn.Embedding(5, 4)(torsh.tensor([1, 2])),
    "losses": lambda: F.cross_entropy(t(3, 4), torsh.tensor([0, 1, 2])) + F.mse_loss(t(3), t(3)),
    "activations": lambda: F.gelu(F.silu(t(3).sigmoid().tanh().exp())).softmax(0),
    "linalg": lambda: torsh.linalg.inv(t(3, 3) + 5 * torsh.eye(3)) @ torsh.linalg.qr(t(3, 3))[0],
    "reductions": lambda: t(3, 4).std(0) + t(3, 4).norm(dim=0) + t(3, 4).max(0)[0] + t(3, 4).cumsum(0)[0],
    "in place on a view": lambda: hooked(t(4) * 1, lambda y: y[1:].mul_(2)),
    "assignment": lambda: hooked(t(4) * 1, lambda y: y.__setitem__(0, 5.0)),
    "retain_grad": lambda: hooked(t(3) * 2, lambda y: y.retain_grad()),
    "hook": lambda: hooked(t(3) * 2, lambda y: y.register_hook(lambda g: g * 2)),
    "checkpoint": lambda: torsh.utils.checkpoint.checkpoint(nn.Linear(3, 3), t(2, 3), use_reentrant=False),
    "reentrant checkpoint": lambda: torsh.utils.checkpoint.checkpoint(nn.Linear(3, 3), t(2, 3), use_reentrant=True),
    "attention": lambda: F.scaled_dot_product_attention(t(1, 2, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4)),
}  # fmt: skip


def living():
    # Not isinstance: among all objects are some whose ``__class__`` raises.
    return sum(issubclass(type(o), torsh.Tensor) for o in gc.get_objects())


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_no_tensor_survives(name, backward):
    LAYERS[name]().sum().backward()  # what is made once and kept
    gc.collect()
    gc.disable()
    try:
        before = living()
        y = LAYERS[name]()
        if backward:
            y.sum().backward()
        del y
        assert living() == before
    finally:
        gc.enable()


def test_saved_tensors_are_gone_after_backward():
    x = t(3)
    y = x.exp()
    z = y * y
    z.sum().backward()
    for node in (y.grad_fn, z.grad_fn):
        with pytest.raises(RuntimeError, match="directly access saved tensors after they have already been freed"):
            _ = node._saved_result if node is y.grad_fn else node._saved_self


def test_a_gradients_memory_is_used_again():
    x = t(1000)
    (x * 2).sum().backward()
    g, raw = x.grad, x.grad._data
    (x * 3).sum().backward()
    assert x.grad is g
    assert g._data is raw
    assert g.tolist() == [5.0] * 1000


def test_leaves_of_one_sum_get_gradients_of_their_own():
    a, b = t(2), t(2)
    ((a + b) * 2).backward(torsh.ones(2))
    a.grad.add_(1.0)
    assert b.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "step",
    [
        lambda y, x: y.sin(),
        lambda y, x: y.view(2),
        lambda y, x: y + x,
        lambda y, x: torsh.cat([y[:1], y[1:]]) if y is x else y.mul_(1.0),
    ],
    ids=["saves", "views", "shared leaf", "in place"],
)
def test_a_long_chain_does_not_overflow(step):
    x = torsh.full((2,), 0.5, requires_grad=True)
    y = x
    for _ in range(30_000):
        y = step(y, x)
    y.sum().backward()
    assert x.grad.isfinite().all()
    del y
