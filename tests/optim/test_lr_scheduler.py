"""Learning rate schedules: PyTorch's sequences, states and errors."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
import torsh.optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

CASES = [
    lambda L, o: L.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)]), lambda L, o: L.MultiplicativeLR(o, lambda e: 0.8),
    lambda L, o: L.StepLR(o, 3), lambda L, o: L.MultiStepLR(o, [2, 5, 5], 0.5), lambda L, o: L.ConstantLR(o, 0.3, 4),
    lambda L, o: L.LinearLR(o, 0.2, 0.9, 6), lambda L, o: L.ExponentialLR(o, 0.7), lambda L, o: L.PolynomialLR(o, 5, 2.0),
    lambda L, o: L.CosineAnnealingLR(o, 4, 0.01), lambda L, o: L.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    lambda L, o: L.CyclicLR(o, 0.01, 0.3, 3, 2, mode="triangular2"), lambda L, o: L.CyclicLR(o, 0.01, 0.3, 3, mode="exp_range", gamma=0.9),
    lambda L, o: L.OneCycleLR(o, [0.3, 0.2], total_steps=14), lambda L, o: L.OneCycleLR(o, 0.3, epochs=4, steps_per_epoch=4, three_phase=True, anneal_strategy="linear"),
    lambda L, o: L.SequentialLR(o, [L.ConstantLR(o, 0.1, 3), L.ExponentialLR(o, 0.9)], [4]),
    lambda L, o: L.ChainedScheduler([L.ConstantLR(o, 0.1, 3), L.ExponentialLR(o, 0.9)]),
]  # fmt: skip


def optimizer(T):
    ps = [T.nn.Parameter(T.ones(1)), T.nn.Parameter(T.ones(1))]
    return T.optim.SGD([{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.5}], lr=0.1, momentum=0.9)


def sequence(T, make, n=12, restart=None):
    opt = optimizer(T)
    sched = make(T.optim.lr_scheduler, opt)
    found = []
    for i in range(n):
        if i == restart:
            saved, saved_opt = sched.state_dict(), opt.state_dict()
            opt = optimizer(T)
            sched = make(T.optim.lr_scheduler, opt)
            opt.load_state_dict(saved_opt)
            sched.load_state_dict(saved)
        opt.step()
        sched.step()
        found.append(
            [g["lr"] for g in opt.param_groups] + sched.get_last_lr() + [g["momentum"] for g in opt.param_groups]
        )
    return found, sched


@pytest.mark.parametrize("make", CASES)
def test_sequences(make):
    a, sa = sequence(torch, make)
    b, sb = sequence(torsh, make)
    np.testing.assert_allclose(b, a, 1e-12)
    # What a schedule saves is found in files: the same keys and values.
    keys = set(sa.state_dict()) - {"_is_initial"}
    assert keys == set(sb.state_dict()) - {"_is_initial"}
    c, _ = sequence(torsh, make, restart=5)
    np.testing.assert_allclose(c, a, 1e-12)


def test_plateau():
    metrics = [1, 0.9, 0.9, 0.9, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6]

    def run(T, kw):
        opt = optimizer(T)
        s = T.optim.lr_scheduler.ReduceLROnPlateau(opt, **kw)
        found = []
        for m in metrics:
            opt.step()
            s.step(T.tensor(m))
            found.append(s.get_last_lr())
        return found

    for kw in (
        {"patience": 1},
        {"mode": "max", "patience": 0, "cooldown": 2, "min_lr": [0.01, 0.2]},
        {"threshold_mode": "abs", "patience": 2},
    ):
        np.testing.assert_allclose(run(torsh, kw), run(torch, kw))


def test_swa():
    def run(T, strategy):
        opt = optimizer(T)
        s = T.optim.swa_utils.SWALR(opt, [0.05, 0.3], anneal_epochs=4, anneal_strategy=strategy)
        found = []
        for _ in range(7):
            opt.step()
            s.step()
            found.append(s.get_last_lr())
        return found

    for strategy in ("cos", "linear"):
        np.testing.assert_allclose(run(torsh, strategy), run(torch, strategy))


@pytest.mark.parametrize("average", [None, "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn"])
def test_averaged_model(average):
    def run(T):
        T.manual_seed(0)
        u = T.optim.swa_utils
        kw = {} if average is None else {"multi_avg_fn" if "multi" in average else "avg_fn": getattr(u, average)()}
        m = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.BatchNorm1d(3))
        mean = u.AveragedModel(m, use_buffers=average is None, **kw)
        for _ in range(3):
            with T.no_grad():
                for p in m.parameters():
                    p.add_(1.0)
            m(T.randn(4, 2))
            mean.update_parameters(m)
        u.update_bn([T.randn(4, 2), [T.randn(4, 2)]], mean)
        return [v.double().tolist() for v in mean.state_dict().values()], list(mean.state_dict())

    (a, ka), (b, kb) = run(torch), run(torsh)
    assert ka == kb
    for x, y in zip(a, b):
        np.testing.assert_allclose(y, x, 1e-4, 1e-5)


def test_warnings_and_errors():
    opt = optimizer(torsh)
    s = torsh.optim.lr_scheduler.StepLR(opt, 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        s.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        s.get_lr()
    for bad, error in (
        (lambda L, o: L.StepLR(3, 2), TypeError), (lambda L, o: L.StepLR(o, 2, last_epoch=3), KeyError),
        (lambda L, o: L.LambdaLR(o, [abs]), ValueError), (lambda L, o: L.LinearLR(o, 2.0), ValueError),
        (lambda L, o: L.OneCycleLR(o, 0.1), ValueError), (lambda L, o: L.SequentialLR(o, [], []), ValueError),
        (lambda L, o: L.CosineAnnealingWarmRestarts(o, 0), ValueError), (lambda L, o: L.ReduceLROnPlateau(o, factor=1), ValueError),
        (lambda L, o: L.CyclicLR(o, [1], 2), ValueError), (lambda L, o: L.ReduceLROnPlateau(o, "x"), ValueError),
    ):  # fmt: skip
        for T in (torch, torsh):
            with pytest.raises(error):
                fresh = optimizer(T)
                bad(T.optim.lr_scheduler, fresh)
