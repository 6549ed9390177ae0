"""Losses: the old arguments, ignored targets, CTC, errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_old_arguments(size_average, reduce) -> None:
    if size_average is None and reduce is None:
        pytest.skip("nothing old about it")
    x, y = RNG.normal(size=5), RNG.normal(size=5)
    found = []
    for lib in (torsh, torch):
        with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
            found.append(lib.nn.functional.mse_loss(lib.from_numpy(x), lib.from_numpy(y), size_average, reduce).numpy())
    np.testing.assert_allclose(*found)


def test_other_sizes_warn() -> None:
    with pytest.warns(UserWarning, match=r"Using a target size .* that is different to the input size"):
        torsh.nn.functional.mse_loss(torsh.ones(3, 1), torsh.ones(3))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_and_its_gradients(smoothing: float, weighted: bool, reduction: str) -> None:
    x, w = RNG.normal(size=(3, 5, 2)), RNG.uniform(0.5, 2, 5)
    target = np.array([[0, -100], [4, 2], [1, 3]])
    found = []
    for lib in (torsh, torch):
        t = lib.from_numpy(x).requires_grad_()
        loss = lib.nn.functional.cross_entropy(
            t,
            lib.from_numpy(target),
            lib.from_numpy(w) if weighted else None,
            reduction=reduction,
            label_smoothing=smoothing,
        )
        first = lib.autograd.grad((loss**2).sum(), t, create_graph=True)[0]
        second = lib.autograd.grad((first**2).sum(), t)[0]
        found.append([loss.detach().numpy(), first.detach().numpy(), second.numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_all_targets_ignored_gives_nan() -> None:
    for lib in (torsh, torch):
        loss = lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([-100, -100]))
        assert np.isnan(loss.item())


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_ctc_loss(zero_infinity: bool, reduction: str) -> None:
    scores = RNG.normal(size=(7, 3, 4))
    log_p = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    targets = np.array([[1, 2, 2, 3], [3, 1, 1, 1], [1, 0, 0, 0]])
    found = []
    for lib in (torsh, torch):
        t = lib.from_numpy(log_p).requires_grad_()
        lengths = (7, 2 if zero_infinity else 7, 5), (4, 3, 0)  # two steps cannot spell three labels
        loss = lib.nn.functional.ctc_loss(t, lib.from_numpy(targets), *lengths, 0, reduction, zero_infinity)
        found.append([loss.detach().numpy(), lib.autograd.grad(loss.sum(), t)[0].numpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda t, f: f.cross_entropy(t.ones(2, 3), t.tensor([0, 3])), IndexError),
        (lambda t, f: f.nll_loss(t.ones(2, 3), t.tensor([0, 1, 2])), ValueError),
        (lambda t, f: f.nll_loss(t.ones(2, 3), t.ones(2)), RuntimeError),
        (lambda t, f: f.binary_cross_entropy(t.ones(3), t.ones(4)), ValueError),
        (lambda t, f: f.binary_cross_entropy(t.ones(3) * 2, t.ones(3)), RuntimeError),
        (lambda t, f: f.binary_cross_entropy_with_logits(t.ones(3), t.ones(4)), ValueError),
        (lambda t, f: f.mse_loss(t.ones(3), t.ones(3), reduction="average"), ValueError),
        (lambda t, f: f.gaussian_nll_loss(t.ones(3), t.ones(3), -t.ones(3)), ValueError),
        (lambda t, f: f.huber_loss(t.ones(3), t.ones(3), delta=0), RuntimeError),
        (lambda t, f: f.multi_margin_loss(t.ones(2, 3), t.tensor([0, 1]), p=3), ValueError),
        (lambda t, f: f.triplet_margin_loss(t.ones(3), t.ones(3), t.ones(3), margin=-1), ValueError),
    ],
)
def test_errors(call, kind) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind):
            call(torch, torch.nn.functional)
        with pytest.raises(kind):
            call(torsh, torsh.nn.functional)
