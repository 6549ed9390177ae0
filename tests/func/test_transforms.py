"""Function transforms against PyTorch's, alone and nested."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import torsh
import torsh.func as F

torch = pytest.importorskip("torch")


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s) for s in shapes]


def same(got, want):
    """Structures of tensors with equal shapes and values."""
    if isinstance(want, (tuple, list)):
        assert type(got) is type(want)
        assert len(got) == len(want)
        for g, w in zip(got, want):
            same(g, w)
        return
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-10, atol=1e-12)


def check(program, *shapes):
    """Run ``program(lib, func, *tensors)`` under both libraries and compare; falling back to a loop is an error."""
    values = arrays(*shapes)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="There is a performance drop")
        got = program(torsh, F, *[torsh.from_numpy(a.copy()) for a in values])
    same(got, program(torch, torch.func, *[torch.from_numpy(a.copy()) for a in values]))


def loss(lib, x, w):
    return lib.tanh(x @ w).sum()


PROGRAMS = {
    "vmap": (lambda lib, f, x, w: f.vmap(lambda v: lib.tanh(v).sum())(x), (5, 3), (3, 4)),
    "vmap with dims": (lambda lib, f, x, w: f.vmap(lambda a, b: a @ b, (0, None), 1)(x, w), (5, 3), (3, 4)),
    "vmap of vmap": (
        lambda lib, f, x, w: f.vmap(f.vmap(lambda a, b: a * b, (0, None)), (None, 0))(x[:, 0], w[:, 0]), (5, 3), (3, 4)),
    "vmap in chunks": (lambda lib, f, x, w: f.vmap(lambda v: lib.softmax(v, -1), chunk_size=2)(x), (5, 3), (3, 4)),
    "vmap with views": (
        lambda lib, f, x, w: f.vmap(lambda v: v.reshape(3, 1).expand(3, 2).t().permute(1, 0)[1:].flatten())(x), (5, 3), (3, 4)),
    "vmap with indexing": (lambda lib, f, x, w: f.vmap(lambda v: (v[0], v[1:], v[None, :, :2]))(x), (5, 3, 2), (3, 4)),
    "vmap with cat and stack": (
        lambda lib, f, x, w: f.vmap(lambda v: (lib.cat([v, v * 2]), lib.stack([v, v], 1)))(x), (5, 3), (3, 4)),
    "vmap with reductions": (
        lambda lib, f, x, w: f.vmap(lambda v: (v.mean(0), v.amax(-1), v.var(1), v.cumsum(0), v.logsumexp(1)))(x),
        (5, 3, 2), (3, 4)),
    "vmap promotes 0-d examples": (
        lambda lib, f, x, w: f.vmap(lambda a, b: a * b.to(lib.float32))(x[:, 0], w[0]), (4, 3), (3, 4)),
    "grad": (lambda lib, f, x, w: f.grad(lambda a, b: loss(lib, a, b), (0, 1))(x, w), (5, 3), (3, 4)),
    "grad_and_value": (lambda lib, f, x, w: f.grad_and_value(lambda a: loss(lib, a, w))(x), (5, 3), (3, 4)),
    "grad with aux": (lambda lib, f, x, w: f.grad(lambda a: (loss(lib, a, w), a * 2), has_aux=True)(x), (5, 3), (3, 4)),
    "per-sample gradients": (
        lambda lib, f, x, w: f.vmap(f.grad(lambda a, b: loss(lib, a, b), (0, 1)), (0, None))(x, w), (5, 3), (3, 4)),
    "grad of vmap": (lambda lib, f, x, w: f.grad(lambda a: f.vmap(lambda v: lib.tanh(v @ w).sum())(a).sum())(x), (5, 3), (3, 4)),
    "grad of grad": (
        lambda lib, f, x, w: f.grad(lambda a: (f.grad(lambda b: (b**3).sum())(a) * a).sum())(x), (5, 3), (3, 4)),
    "vjp": (lambda lib, f, x, w: f.vjp(lambda a: lib.tanh(a @ w), x)[1](x @ w), (5, 3), (3, 4)),
    "jvp": (lambda lib, f, x, w: f.jvp(lambda a: lib.tanh(a @ w), (x,), (x * 2,)), (5, 3), (3, 4)),
    "vmap of jvp": (
        lambda lib, f, x, w: f.vmap(lambda t: f.jvp(lambda a: lib.tanh(a @ w), (x[0],), (t,))[1])(x), (5, 3), (3, 4)),
    "jacrev": (lambda lib, f, x, w: f.jacrev(lambda a: lib.tanh(a @ w))(x), (5, 3), (3, 4)),
    "jacrev of two": (lambda lib, f, x, w: f.jacrev(lambda a, b: lib.tanh(a @ b), (0, 1))(x, w), (5, 3), (3, 4)),
    "jacfwd": (lambda lib, f, x, w: f.jacfwd(lambda a: lib.tanh(a @ w))(x), (5, 3), (3, 4)),
    "hessian": (lambda lib, f, x, w: f.hessian(lambda a: loss(lib, a, w))(x), (5, 3), (3, 4)),
    "jacrev of jacrev": (lambda lib, f, x, w: f.jacrev(f.jacrev(lambda a: loss(lib, a, w)))(x), (2, 3), (3, 4)),
    "vmap of hessian": (lambda lib, f, x, w: f.vmap(f.hessian(lambda a: loss(lib, a, w)))(x), (5, 3), (3, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_agrees_with_pytorch(name):
    program, *shapes = PROGRAMS[name]
    check(program, *shapes)


def test_linearize():
    x, w = (torsh.from_numpy(a) for a in arrays((5, 3), (3, 4)))
    value, push = F.linearize(lambda a: torsh.tanh(a @ w), x)
    same(push(x), F.jvp(lambda a: torsh.tanh(a @ w), (x,), (x,))[1])
    same(value, torsh.tanh(x @ w))


def test_results_have_no_graph_unless_asked_for():
    x = torsh.ones(3)
    assert not F.grad(lambda a: (a**2).sum())(x).requires_grad
    y = torsh.ones(3, requires_grad=True)
    g = F.grad(lambda a: (a**3).sum())(y)
    g.sum().backward()
    assert y.grad.tolist() == [6.0, 6.0, 6.0]


def test_in_place_under_vmap():
    def f(v):
        out = v * 1
        out[0] = 7.0
        out.add_(v)
        return out

    x = torsh.arange(6.0).reshape(2, 3)
    assert F.vmap(f)(x).tolist() == [[7.0, 2.0, 4.0], [10.0, 8.0, 10.0]]


def test_fallback_is_reported_and_right():
    from torsh.func import fallbacks

    x = torsh.from_numpy(arrays((4, 9))[0])
    before = sum(fallbacks.values())
    with pytest.warns(UserWarning, match="performance drop because we have not yet implemented the batching rule"):
        got = F.vmap(lambda v: torsh.histc(v, 4, -2, 2))(x)
    assert sum(fallbacks.values()) > before
    assert got.tolist() == [torch.histc(torch.from_numpy(r), 4, -2, 2).tolist() for r in x.numpy()]


@pytest.mark.parametrize(
    "use", [lambda v: v.item(), lambda v: bool(v > 0), lambda v: v.numpy(), lambda v: v * 2 if v > 0 else v]
)
def test_values_are_refused_under_vmap(use):
    with pytest.raises(
        RuntimeError,
        match=r"vmap: It looks like you're (calling \.item|attempting to use a Tensor in some data-dependent)",
    ):
        F.vmap(use)(torsh.ones(3))


def test_bad_arguments():
    x = torsh.ones(3, 2)
    with pytest.raises(ValueError, match="same size in the mapped dimension"):
        F.vmap(lambda a, b: a)(x, torsh.ones(4))
    with pytest.raises(ValueError, match="cannot vmap over non-Tensor"):
        F.vmap(lambda a, b: a, (0, 0))(x, 3)
    with pytest.raises(ValueError, match="in_dim to satisfy"):
        F.vmap(lambda a: a, 5)(x)
    with pytest.raises(ValueError, match="must only return Tensors"):
        F.vmap(lambda a: 1)(x)
    with pytest.raises(RuntimeError, match="scalar tensor, got tensor with 2 dims"):
        F.grad(lambda a: a * 2)(x)
    with pytest.raises(RuntimeError, match="only 1 positional inputs"):
        F.grad(lambda a: a.sum(), argnums=1)(x)
    with pytest.raises(RuntimeError, match="random operation while in randomness error mode"):
        F.vmap(lambda a: a + torsh.rand(2))(x)


def test_in_place_changes_of_shape():
    x = torsh.arange(24.0).reshape(2, 3, 4)
    for f in (
        lambda v: (v * 1).transpose_(0, 1),
        lambda v: (v * 1).unsqueeze_(0).squeeze_(0).t_(),
        lambda v: v.clone().unsqueeze_(1),
    ):
        want = torch.func.vmap(f)(torch.from_numpy(x.numpy()))
        same(F.vmap(f)(x), want)
    with pytest.raises(RuntimeError, match="vmap: an example cannot be given other memory"):
        F.vmap(lambda v: v.clone().resize_(2))(x)


def test_linear_spaces_between_examples():
    values = arrays((3,), (3,))
    for n in (0, 1, 2, 5, 6):
        for name in ("linspace", "logspace"):
            got, want = (
                f.vmap(lambda a, b, lib=lib, name=name, n=n: getattr(lib, name)(a, b, n, dtype=lib.float64))(
                    *[lib.from_numpy(v) for v in values]
                )
                for lib, f in ((torsh, F), (torch, torch.func))
            )
            same(got, want)


def test_debug_unwrap():
    x = torsh.arange(6.0).reshape(2, 3)
    seen = []
    F.vmap(F.vmap(lambda v: (seen.append((F.debug_unwrap(v), F.debug_unwrap(v, recurse=False))), v)[1]))(x)
    whole, outer = seen[0]
    assert whole.tolist() == x.tolist()
    assert tuple(outer.shape) == (3,)
    assert F.debug_unwrap(x) is x
