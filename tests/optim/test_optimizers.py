"""Optimizers: ten steps like PyTorch's, equal state, errors, hooks."""

from __future__ import annotations

import copy
import importlib

import numpy as np
import pytest

import torsh
import torsh.optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

CASES = [
    ("SGD", {}), ("SGD", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"maximize": True, "momentum": 0.5, "weight_decay": 0.1}), ("Adam", {}), ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"maximize": True, "weight_decay": 0.1}), ("AdamW", {"lr": 0.1}), ("AdamW", {"amsgrad": True}), ("RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}), ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adadelta", {"weight_decay": 0.1}), ("Adamax", {"weight_decay": 0.1}), ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("RAdam", {"lr": 0.1}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("ASGD", {"t0": 3, "weight_decay": 0.1}), ("Rprop", {}),
    ("Adafactor", {"weight_decay": 0.1}), ("Muon", {}), ("Muon", {"adjust_lr_fn": "match_rms_adamw", "nesterov": False}),
]  # fmt: skip


def gradients(n=10):
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((3, 4)), rng.standard_normal(4)) for _ in range(n)]


def make(T, name, kw, dtype="float32"):
    d = getattr(T, dtype)
    ps = [T.nn.Parameter(T.arange(12, dtype=d).reshape(3, 4) / 10), T.nn.Parameter(T.ones(4, dtype=d))]
    if name == "Muon":
        ps = ps[:1]
    return ps, getattr(T.optim, name)(ps, **kw)


def steps(T, ps, opt, grads):
    for gs in grads:
        for p, g in zip(ps, gs):
            p.grad = T.tensor(g, dtype=p.dtype)
        opt.step()


@pytest.mark.parametrize(("name", "kw"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_and_state(name, kw, dtype):
    found = []
    for T in (torch, torsh):
        ps, opt = make(T, name, kw, dtype)
        steps(T, ps, opt, gradients())
        found.append((ps, opt.state_dict(), repr(opt)))
    # Muon computes in bfloat16, where the order of summation shows.
    tolerance = 3e-2 if name == "Muon" else 2e-5
    for a, b in zip(found[0][0], found[1][0]):
        np.testing.assert_allclose(b.tolist(), a.tolist(), tolerance, tolerance)
    a, b = found[0][1], found[1][1]
    assert a["param_groups"] == b["param_groups"]
    assert found[0][2] == found[1][2]
    assert {k: list(v) for k, v in a["state"].items()} == {k: list(v) for k, v in b["state"].items()}
    for k in a["state"]:
        for n, v in a["state"][k].items():
            w = b["state"][k][n]
            assert str(v.dtype)[6:] == str(w.dtype)[6:] and tuple(v.shape) == tuple(w.shape)
            np.testing.assert_allclose(w.tolist(), v.tolist(), tolerance, tolerance)


@pytest.mark.parametrize(("name", "kw"), CASES[::3])
def test_resume(name, kw):
    grads = gradients()
    ps, opt = make(torsh, name, kw)
    steps(torsh, ps, opt, grads)
    ps2, opt2 = make(torsh, name, kw)
    steps(torsh, ps2, opt2, grads[:5])
    saved = copy.deepcopy(opt2.state_dict())
    ps3 = [torsh.nn.Parameter(p.detach().clone()) for p in ps2]
    opt3 = getattr(torsh.optim, name)(ps3, **{**kw, "lr": 5.0})
    opt3.load_state_dict(saved)
    steps(torsh, ps3, opt3, grads[5:])
    for a, b in zip(ps, ps3):
        np.testing.assert_array_equal(a.tolist(), b.tolist())


def test_large_parameter_equals_small_ones():
    # The kernels work in blocks: the result must not depend on where they end.
    g = np.random.default_rng(0).standard_normal(40_000).astype(np.float32)
    for name in ("Adam", "SGD"):
        whole = torsh.nn.Parameter(torsh.ones(40_000))
        parts = [torsh.nn.Parameter(torsh.ones(10_000)) for _ in range(4)]
        a, b = (getattr(torsh.optim, name)(ps, lr=0.1, weight_decay=0.1) for ps in ([whole], parts))
        for _ in range(3):
            whole.grad = torsh.tensor(g)
            for i, p in enumerate(parts):
                p.grad = torsh.tensor(g[i * 10_000 : (i + 1) * 10_000])
            a.step()
            b.step()
        np.testing.assert_array_equal(whole.detach().numpy(), np.concatenate([p.detach().numpy() for p in parts]))


def test_complex_parameters():
    found = []
    for T in (torch, torsh):
        p = T.nn.Parameter(T.tensor([1 + 2j, 3 - 1j]))
        opt = T.optim.Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = T.tensor([0.5 - 1j, 2j])
            opt.step()
        found.append(p.tolist())
    np.testing.assert_allclose(found[1], found[0], 1e-5)


def test_lbfgs():
    found = []
    for T in (torch, torsh):
        for search in (None, "strong_wolfe"):
            p = T.nn.Parameter(T.tensor([-1.0, 2.0]))
            opt = T.optim.LBFGS([p], lr=0.1 if search is None else 1, max_iter=8, line_search_fn=search)

            def closure(p=p, opt=opt):
                opt.zero_grad()
                loss = (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2
                loss.backward()
                return loss

            for _ in range(2):
                last = opt.step(closure)
            state = opt.state_dict()["state"][0]
            found.append(([*p.tolist(), float(last)], state["func_evals"], state["n_iter"], list(state)))
    for a, b in zip(found[:2], found[2:]):
        np.testing.assert_allclose(b[0], a[0], 1e-3, 1e-4)
        assert a[1:] == b[1:]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda T, p: T.optim.SGD(p, lr=0.1), TypeError),
        (lambda T, p: T.optim.SGD([], lr=0.1), ValueError),
        (lambda T, p: T.optim.SGD([3], lr=0.1), TypeError),
        (lambda T, p: T.optim.SGD([p * 2], lr=0.1), ValueError),
        (lambda T, p: T.optim.SGD([{"params": {p}}], lr=0.1), TypeError),
        (lambda T, p: T.optim.SGD([{"params": [p]}, {"params": [p]}], lr=0.1), ValueError),
        (lambda T, p: T.optim.SGD([("a", p), T.nn.Parameter(T.ones(1))], lr=0.1), ValueError),
        (lambda T, p: T.optim.SGD([p], lr=-1), ValueError),
        (lambda T, p: T.optim.SGD([p], nesterov=True), ValueError),
        (lambda T, p: T.optim.Adam([p], betas=(1.0, 0.9)), ValueError),
        (lambda T, p: T.optim.Adam([p], eps=-1), ValueError),
        (lambda T, p: T.optim.Adam([p], betas=(0.9, T.tensor(0.9))), ValueError),
        (lambda T, p: T.optim.Adam([p], lr=T.tensor([0.1, 0.1])), ValueError),
        (lambda T, p: T.optim.Adam([p], fused=True, foreach=True), RuntimeError),
        (lambda T, p: T.optim.Adam([p]).load_state_dict({"state": {}, "param_groups": []}), ValueError),
        (lambda T, p: T.optim.Adam([p]).add_param_group([1]), TypeError),
        (lambda T, p: T.optim.Rprop([p], etas=(2, 1)), ValueError),
        (lambda T, p: T.optim.Muon([p]), ValueError),
        (lambda T, p: T.optim.LBFGS([{"params": [p]}, {"params": [T.nn.Parameter(T.ones(1))]}]), ValueError),
        (lambda T, p: T.optim.SparseAdam([p], lr=0.0), ValueError),
    ],
)
def test_errors(make, error):
    messages = []
    for T in (torch, torsh):
        with pytest.raises(error) as e:
            make(T, T.nn.Parameter(T.ones(2)))
        messages.append(str(e.value).replace("torsh", "torch"))
    assert messages[0] == messages[1]


def test_hooks_groups_and_closures():
    def run(T):
        log = []
        a, b = T.nn.Parameter(T.ones(2)), T.nn.Parameter(T.ones(3))
        opt = T.optim.SGD([("a", a)], lr=0.1)
        opt.add_param_group({"params": [("b", b)], "lr": 0.5, "name": "second"})
        opt.register_step_pre_hook(lambda o, args, kw: log.append(("pre", len(args))))
        opt.register_step_post_hook(lambda o, args, kw: log.append("post"))
        opt.register_state_dict_post_hook(lambda o, sd: sd["param_groups"][0].update(mark=1))
        handle = importlib.import_module(f"{T.__name__}.optim.optimizer").register_optimizer_step_pre_hook(
            lambda o, args, kw: log.append("everywhere")
        )

        def closure():
            opt.zero_grad()
            loss = (a.sum() * b.sum()) ** 2
            loss.backward()
            return loss

        log.append(float(opt.step(closure)))
        handle.remove()
        log += [a.tolist(), b.tolist(), opt.state_dict()["param_groups"]]
        opt.zero_grad(set_to_none=False)
        log.append(a.grad.tolist())
        return log

    a, b = run(torch), run(torsh)
    np.testing.assert_allclose(b[4], a[4])
    assert a[:4] == b[:4] and a[5:] == b[5:]


def test_differentiable_step():
    found = []
    for T in (torch, torsh):
        lr = T.tensor(0.1, requires_grad=True)
        start = T.ones(3, requires_grad=True)
        p = start.clone()
        p.grad = T.tensor([1.0, 2.0, 3.0])
        opt = T.optim.SGD([p], lr=lr, differentiable=True)
        opt.step()
        (p**2).sum().backward()
        found.append((lr.grad.item(), start.grad.tolist()))
    np.testing.assert_allclose(found[1][0], found[0][0], 1e-5)
    np.testing.assert_allclose(found[1][1], found[0][1], 1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "ASGD", "Adadelta", "Adagrad", "RMSprop"])
def test_several_differentiable_steps(name):
    """Gradients through two steps, of the start, of the gradients, and of NAdam's product of momenta."""
    found = []
    for T in (torch, torsh):
        start = T.ones(3, dtype=T.float64, requires_grad=True)
        g = T.tensor([0.1, -0.2, 0.3], dtype=T.float64, requires_grad=True)
        p = start.clone()
        opt = getattr(T.optim, name)([p], lr=0.1, differentiable=True)
        p.grad = g
        opt.step()
        wanted = [start, g]
        if name == "NAdam":
            product = opt.state[p]["mu_product"].detach().requires_grad_()
            opt.state[p]["mu_product"] = product.clone()
            wanted.append(product)
        p.grad = g * 2 + p * 0.1
        opt.step()
        weights = T.tensor([1.0, 2.0, 3.0], dtype=T.float64)
        found.append([x.tolist() for x in T.autograd.grad((p * weights).sum(), wanted)])
    # PyTorch's Adam has its bias corrections in float32 here: the step counter is a tensor of that type.
    near = 2e-5 if name.startswith("Adam") else 1e-9
    for ours, theirs in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours, theirs, near, 1e-12)


def test_state_goes_to_the_parameters_type():
    ps, opt = make(torsh, "Adam", {})
    steps(torsh, ps, opt, gradients(2))
    qs, other = make(torsh, "Adam", {}, "float64")
    other.load_state_dict(opt.state_dict())
    state = other.state[qs[0]]
    assert state["exp_avg"].dtype is torsh.float64 and state["step"].item() == 2.0
