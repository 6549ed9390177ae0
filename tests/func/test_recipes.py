"""The uses that function transforms are known for, with PyTorch's numbers: per-sample gradients, ensembles, Jacobians, kernels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def parameters(lib, *shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [lib.from_numpy(rng.standard_normal(s) * 0.3) for s in shapes]


def network(lib):
    """A small convolutional network with group norm and dropout switched off."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.GroupNorm(2, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)
    ).double()
    rng = np.random.default_rng(1)
    with lib.no_grad():
        for p in model.parameters():
            p.copy_(lib.from_numpy(rng.standard_normal(tuple(p.shape)) * 0.3))
    return model


def images(lib, n=4):
    rng = np.random.default_rng(2)
    return lib.from_numpy(rng.standard_normal((n, 1, 14, 14))), lib.tensor([0, 3, 1, 4][:n])


def per_sample_gradients(lib):
    F = lib.func
    model = network(lib)
    values = {k: v.detach() for k, v in model.named_parameters()}
    x, target = images(lib)

    def loss(values, image, label):
        out = F.functional_call(model, values, (image.unsqueeze(0),))
        return lib.nn.functional.cross_entropy(out, label.unsqueeze(0))

    each = F.vmap(F.grad(loss), in_dims=(None, 0, 0))(values, x, target)
    # Their mean is the gradient of the mean loss.
    out = model(x)
    lib.nn.functional.cross_entropy(out, target).backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(each[name].mean(0).numpy(), p.grad.numpy(), rtol=1e-8, atol=1e-12)
    in_chunks = F.vmap(F.grad(loss), in_dims=(None, 0, 0), chunk_size=3)(values, x, target)
    assert all(lib.allclose(in_chunks[k], each[k]) for k in each)
    return [each[k] for k in sorted(each)]


def clipped_gradients(lib):
    """One step of differentially private training without its noise."""
    F = lib.func
    w, x, y = parameters(lib, (3,), (6, 3), (6,))
    grads = F.vmap(F.grad(lambda w, a, b: (a @ w - b) ** 2), in_dims=(None, 0, 0))(w, x, y)
    norms = grads.flatten(1).norm(dim=1)
    factor = (1.0 / norms).clamp(max=1.0)
    return [norms, lib.einsum("n,n...->...", factor, grads)]


def ensemble(lib):
    F = lib.func
    models = [network(lib) for _ in range(3)]
    with lib.no_grad():
        for i, m in enumerate(models):
            for p in m.parameters():
                p.mul_(i + 1)
    params, buffers = F.stack_module_state(models)
    x, _ = images(lib)

    def call(p, b, v):
        return F.functional_call(models[0], (p, b), (v,))

    same_data = F.vmap(call, in_dims=(0, 0, None))(params, buffers, x)
    own_data = F.vmap(call)(params, buffers, lib.stack([x, x + 1, x * 2]))
    for m, out in zip(models, same_data):
        np.testing.assert_allclose(out.detach().numpy(), m(x).detach().numpy(), rtol=1e-10, atol=1e-12)
    return [same_data, own_data]


def jacobians(lib):
    F = lib.func
    w, b, x = parameters(lib, (4, 3), (4,), (5, 3))

    def predict(w, b, v):
        return lib.tanh(lib.nn.functional.linear(v, w, b))

    row = F.jacrev(predict, argnums=2)(w, b, x[0])
    column = F.jacfwd(predict, argnums=2)(w, b, x[0])
    both = F.jacrev(predict, argnums=(0, 1))(w, b, x[0])
    batch = F.vmap(F.jacrev(predict, argnums=2), in_dims=(None, None, 0))(w, b, x)
    forward = F.vmap(F.jacfwd(predict, argnums=2), in_dims=(None, None, 0))(w, b, x)
    summed = F.jacrev(lambda v: predict(w, b, v).sum(0))(x).movedim(1, 0)  # the trick without vmap
    np.testing.assert_allclose(summed.numpy(), batch.numpy(), rtol=1e-10, atol=1e-12)
    return [row, column, *both, batch, forward]


def hessians(lib):
    F = lib.func
    w, x = parameters(lib, (3, 3), (4, 3))

    def value(v):
        return lib.sin(v @ w).prod() + (v**3).sum()

    ways = [
        F.hessian,
        lambda f: F.jacrev(F.jacrev(f)),
        lambda f: F.jacfwd(F.jacfwd(f)),
        lambda f: F.jacrev(F.jacfwd(f)),
    ]
    found = [way(value)(x[0]) for way in ways]
    return [*found, F.vmap(F.hessian(value))(x)]


def products(lib):
    """Hessian-vector products in three ways, a Laplacian, and a vector-Jacobian product under vmap."""
    F = lib.func
    w, x, v = parameters(lib, (3, 3), (3,), (3,))

    def value(a):
        return lib.exp(lib.sin(a @ w)).sum()

    forward_over_reverse = F.jvp(F.grad(value), (x,), (v,))[1]
    reverse_over_reverse = F.vjp(F.grad(value), x)[1](v)[0]
    reverse_over_forward = F.grad(lambda a: F.jvp(value, (a,), (v,))[1])(x)
    directions = lib.eye(3, dtype=lib.float64)
    laplacian = F.vmap(lambda d: F.jvp(lambda a: F.jvp(value, (a,), (d,))[1], (x,), (d,))[1])(directions).sum()
    _, pull = F.vjp(lambda a: lib.sin(a @ w), x)
    return [
        forward_over_reverse,
        reverse_over_reverse,
        reverse_over_forward,
        laplacian,
        F.vmap(lambda c: pull(c)[0])(directions),
    ]


def tangent_kernel(lib):
    """The empirical kernel of a network, contracted from Jacobians and from vector products."""
    F = lib.func
    model = network(lib)
    values = {k: v.detach() for k, v in model.named_parameters()}
    (a, _), (b, _) = images(lib, 3), images(lib, 2)

    def single(values, image):
        return F.functional_call(model, values, (image.unsqueeze(0),)).squeeze(0)

    def contracted():
        one = F.vmap(F.jacrev(single), (None, 0))(values, a)
        two = F.vmap(F.jacrev(single), (None, 0))(values, b)
        return sum(lib.einsum("Naf,Mbf->NMab", one[k].flatten(2), two[k].flatten(2)) for k in one)

    def by_products():
        def of_pair(p, q):
            out, pull = F.vjp(lambda v: single(v, p), values)

            def column(cotangent):
                return F.jvp(lambda v: single(v, q), (values,), pull(cotangent))[1]

            return F.vmap(column)(lib.eye(out.numel(), dtype=lib.float64))

        return F.vmap(F.vmap(of_pair, (None, 0)), (0, None))(a, b)

    first, second = contracted(), by_products()
    np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-8, atol=1e-10)
    return [first]


def meta_learning(lib):
    """Gradients through a step of gradient descent, for several tasks at once."""
    F = lib.func
    w, x, y = parameters(lib, (3,), (4, 5, 3), (4, 5))

    def loss(w, a, b):
        return ((lib.tanh(a @ w) - b) ** 2).mean()

    def after_step(w, a, b):
        return loss(w - 0.1 * F.grad(loss)(w, a, b), a, b)

    return [F.grad(lambda w: F.vmap(after_step, in_dims=(None, 0, 0))(w, x, y).mean())(w)]


def attention_and_recurrence(lib):
    """Per-sample gradients of modules that are made of many ops."""
    F, nn = lib.func, lib.nn
    found = []
    rng = np.random.default_rng(5)
    for module, x in (
        (nn.MultiheadAttention(4, 2, batch_first=True), (3, 5, 4)),
        (nn.GRU(4, 3, batch_first=True), (3, 5, 4)),
    ):
        module = module.double()
        with lib.no_grad():
            for p in module.parameters():
                p.copy_(lib.from_numpy(rng.standard_normal(tuple(p.shape)) * 0.3))
        values = {k: v.detach() for k, v in module.named_parameters()}
        data = lib.from_numpy(rng.standard_normal(x))
        attention = isinstance(module, nn.MultiheadAttention)

        def loss(values, v, module=module, attention=attention):
            given = (v.unsqueeze(0),) * (3 if attention else 1)
            return F.functional_call(module, values, given)[0].sin().sum()

        if attention:
            each = F.vmap(F.grad(loss), (None, 0))(values, data)
            found += [each[k] for k in sorted(each)]
        else:  # PyTorch cannot map its fused recurrent kernel
            found += [F.grad(loss)(values, data[0])[k] for k in sorted(values)]
    return found


RECIPES = [per_sample_gradients, clipped_gradients, ensemble, jacobians, hessians, products, tangent_kernel, meta_learning,
           attention_and_recurrence]  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.__name__)
def test_same_numbers_as_pytorch(recipe):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        want = recipe(torch)
        warnings.filterwarnings("error", message="There is a performance drop")
        got = recipe(torsh)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert tuple(g.shape) == tuple(w.shape)
        np.testing.assert_allclose(g.detach().numpy(), w.detach().numpy(), rtol=1e-8, atol=1e-11)
