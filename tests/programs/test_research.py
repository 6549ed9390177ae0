"""Small research programs that lean on autograd, step by step against PyTorch with the same seed."""

from __future__ import annotations

import math

import pytest

import torsh
import torsh.func
import torsh.nn
import torsh.optim

torch = pytest.importorskip("torch")


def pinn(lib):
    """A physics-informed network: u'' = -u with u(0) = 0, u'(0) = 1; second derivatives inside the loss."""
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(1, 16), lib.nn.Tanh(), lib.nn.Linear(16, 1)).double()
    optimizer = lib.optim.Adam(net.parameters(), lr=0.02)
    losses = []
    for _ in range(25):
        t = lib.linspace(0, math.pi, 20, dtype=lib.float64).reshape(-1, 1).requires_grad_()
        u = net(t)
        (du,) = lib.autograd.grad(u.sum(), t, create_graph=True)
        (ddu,) = lib.autograd.grad(du.sum(), t, create_graph=True)
        loss = ((ddu + u) ** 2).mean() + u[0, 0] ** 2 + (du[0, 0] - 1) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def neural_ode(lib):
    """A neural ordinary differential equation, with gradients by the adjoint method in an autograd.Function."""
    lib.manual_seed(1)
    net = lib.nn.Sequential(lib.nn.Linear(2, 8), lib.nn.Tanh(), lib.nn.Linear(8, 2)).double()
    parameters = tuple(net.parameters())
    steps, h = 10, 0.1

    class Solve(lib.autograd.Function):
        @staticmethod
        def forward(ctx, start, *parameters):
            z = start
            for _ in range(steps):
                z = z + h * net(z)
            ctx.save_for_backward(z)
            return z

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            sums = [lib.zeros_like(p) for p in parameters]
            for _ in range(steps):
                with lib.enable_grad():
                    # Going back: the state before this step, then its contribution to the adjoint.
                    z = (z - h * net(z)).detach().requires_grad_()
                    grads = lib.autograd.grad(net(z), (z, *parameters), g)
                g = g + h * grads[0]
                sums = [s + h * p for s, p in zip(sums, grads[1:])]
            return g, *sums

    start = lib.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=lib.float64)
    target = lib.tensor([[1.0, 1.0], [-1.0, 0.5]], dtype=lib.float64)
    optimizer = lib.optim.SGD(parameters, lr=0.1, momentum=0.9)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = ((Solve.apply(start, *parameters) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def maml(lib):
    """Model-agnostic meta-learning on sine waves: the gradient goes through an inner gradient step."""
    lib.manual_seed(2)
    net = lib.nn.Sequential(lib.nn.Linear(1, 12), lib.nn.ReLU(), lib.nn.Linear(12, 1)).double()
    optimizer = lib.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for step in range(15):
        optimizer.zero_grad()
        total = 0.0
        for task in range(3):
            phase = 0.5 * (step + task)
            x = lib.linspace(-2, 2, 10, dtype=lib.float64).reshape(-1, 1)
            y = lib.sin(x + phase)
            names, values = zip(*net.named_parameters())
            inner = ((net(x[::2]) - y[::2]) ** 2).mean()
            grads = lib.autograd.grad(inner, values, create_graph=True)
            adapted = {n: v - 0.1 * g for n, v, g in zip(names, values, grads)}
            outer = ((lib.func.functional_call(net, adapted, (x[1::2],)) - y[1::2]) ** 2).mean()
            outer.backward()
            total += outer.item()
        optimizer.step()
        losses.append(total)
    return losses


def flow(lib):
    """A normalising flow of affine couplings on two dimensions, trained by exact likelihood with log-determinants."""
    lib.manual_seed(3)
    F = lib.nn.functional
    mix = lib.nn.Parameter(lib.eye(2, dtype=lib.float64) + 0.1 * lib.randn(2, 2, dtype=lib.float64))
    scale = lib.nn.Linear(1, 1).double()
    shift = lib.nn.Linear(1, 1).double()
    data = lib.randn(64, 2, dtype=lib.float64)
    data = lib.stack([data[:, 0], data[:, 1] * 0.5 + data[:, 0] ** 2], 1)
    optimizer = lib.optim.AdamW([mix, *scale.parameters(), *shift.parameters()], lr=0.05)
    losses = []
    for _ in range(25):
        z = data @ mix
        a, b = z[:, :1], z[:, 1:]
        s = lib.tanh(scale(a))
        b = b * lib.exp(s) + shift(F.softplus(a))
        log_det = s.squeeze(1) + lib.linalg.slogdet(mix)[1]
        log_likelihood = -0.5 * (lib.cat([a, b], 1) ** 2).sum(1) - math.log(2 * math.pi) + log_det
        loss = -log_likelihood.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def per_sample_and_ntk(lib):
    """Per-sample gradients and a neural tangent kernel by function transforms."""
    lib.manual_seed(4)
    net = lib.nn.Sequential(lib.nn.Linear(3, 5), lib.nn.Tanh(), lib.nn.Linear(5, 1)).double()
    parameters = {k: v.detach() for k, v in net.named_parameters()}
    x = lib.linspace(-1, 1, 12, dtype=lib.float64).reshape(4, 3)

    def value(parameters, x):
        return lib.func.functional_call(net, parameters, (x,)).squeeze()

    per_sample = lib.func.vmap(lib.func.grad(value), (None, 0))(parameters, x)
    jacobians = lib.func.vmap(lib.func.jacrev(value), (None, 0))(parameters, x)
    kernel = sum((j.flatten(1) @ j.flatten(1).T) for j in jacobians.values())
    return [*kernel.flatten().tolist(), *(v for g in per_sample.values() for v in g.flatten().tolist())]


@pytest.mark.parametrize("program", [pinn, neural_ode, maml, flow, per_sample_and_ntk])
def test_same_curve_as_pytorch(program):
    ours, theirs = program(torsh), program(torch)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)
    if program is not per_sample_and_ntk:
        assert ours[-1] < ours[0]


def test_ensembles_by_stacking_modules():
    found = []
    for lib in (torsh, torch):
        lib.manual_seed(5)
        models = [lib.nn.Linear(3, 2).double() for _ in range(4)]
        parameters, buffers = lib.func.stack_module_state(models)
        x = lib.linspace(-1, 1, 6, dtype=lib.float64).reshape(2, 3)
        base = models[0]
        out = lib.func.vmap(
            lambda p, b, x, lib=lib, base=base: lib.func.functional_call(base, (p, b), (x,)), (0, 0, None)
        )(parameters, buffers, x)
        found.append(out.flatten().tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-12)
