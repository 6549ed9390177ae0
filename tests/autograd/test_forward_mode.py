"""Forward mode: what tangents do under writes, views, maps, nesting, reverse mode and user-defined functions, as in PyTorch."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import torsh
from torsh.autograd import _forward
from torsh.autograd._forward_rules import kind_of
from torsh.ops._op import OPS

torch = pytest.importorskip("torch")


def plain(x):
    if isinstance(x, (torsh.Tensor, torch.Tensor)):
        x = x.detach()
        return np.asarray((x.resolve_conj() if x.is_complex() else x).tolist())
    return [plain(y) for y in x] if isinstance(x, (list, tuple)) else x


def close(a, b):
    if isinstance(b, list):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            close(x, y)
    elif isinstance(b, np.ndarray):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    else:
        assert a == b


def same(run):
    close(plain(run(torsh)), plain(run(torch)))


def f64(lib, *shape):
    return lib.linspace(0.2, 1.7, int(np.prod(shape)), dtype=lib.float64).reshape(shape)


def writes(x):
    y = x.new_zeros(4, 3)
    y[0] = x * x
    part = y[1:3]
    part.copy_(x.expand(2, 3).sin())
    part[:, 1].mul_(x[0])
    y.view(-1)[9:].add_(x.exp())
    z = y.t()
    z[0].zero_()
    x = x.clone()
    x.mul_(2).sub_(1)
    return y * 1, z * 1, x, y[2]


def transposed(x):
    y = x.t().clone()
    y.t_()
    y.unsqueeze_(0)
    y.squeeze_(0)
    y[0].mul_(y[1])
    return y


def test_writes_and_views():
    def run(lib):
        x = f64(lib, 3)
        return (
            lib.func.jvp(writes, (x,), (x.cos(),)),
            lib.func.jacfwd(writes)(x),
            lib.func.jvp(transposed, (f64(lib, 2, 3),), (f64(lib, 2, 3),)),
        )

    same(run)


def test_a_write_through_a_view_reaches_the_base_and_its_other_views():
    def run(lib):
        fw = lib.autograd.forward_ad
        base, x = lib.zeros(3), lib.tensor(2.0)
        view = base[1:]
        with fw.dual_level():
            view[0] = fw.make_dual(x, lib.tensor(5.0)) * 3
            found = [fw.unpack_dual(t).tangent for t in (base, view, base[1], base.view(3, 1))]
        assert fw.unpack_dual(base).tangent is None
        return found

    same(run)


def test_the_given_tangent_is_written_to_with_its_dual_tensor():
    def run(lib):
        fw = lib.autograd.forward_ad
        x, t = lib.ones(2), lib.ones(2)
        with fw.dual_level():
            dual = fw.make_dual(x, t)
            assert fw.unpack_dual(dual).tangent is t
            other = dual + 1
            dual *= 3
            return t, x, fw.unpack_dual(other).tangent

    same(run)


def test_what_carries_no_tangent():
    def run(lib):
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            d = fw.make_dual(lib.ones(2), lib.ones(2))
            with fw._set_fwd_grad_enabled(False):
                off = d * 2
            with lib.no_grad():
                kept = d * 2
            things = d.detach(), d.data, off, d.argsort(), d > 1, fw.unpack_dual(d).primal, kept
            return [fw.unpack_dual(t).tangent is None for t in things]

    same(run)


def test_a_dual_tensor_requires_grad_only_if_its_primal_does():
    fw = torsh.autograd.forward_ad
    with fw.dual_level():
        assert not fw.make_dual(torsh.ones(2), torsh.ones(2)).requires_grad
        x = torsh.ones(2, requires_grad=True)
        d = fw.make_dual(x, torsh.ones(2))
        (d * d).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_nesting():
    def run(lib):
        func = lib.func
        x, v = f64(lib, 3), f64(lib, 3).cos()
        w = f64(lib, 3, 3)

        def f(x):
            return ((w @ x).tanh() * x.exp()).sum() + x.prod()

        first = lambda y: func.jvp(f, (y,), (v,))[1]
        return (
            func.jvp(first, (x,), (v,)), func.jvp(lambda y: func.jvp(first, (y,), (v,))[1], (x,), (v,)),
            func.grad(first)(x), func.jvp(func.grad(f), (x,), (v,)), func.hessian(f)(x), func.jacrev(func.jacfwd(f))(x),
            func.jacfwd(func.jacfwd(f))(x), func.jacfwd(func.hessian(f))(x), func.grad(lambda y: func.jvp(func.grad(f), (y,), (v,))[1].sum())(x),
        )  # fmt: skip

    same(run)


def test_levels_do_not_see_each_others_tangents():
    def run(lib):
        jvp, one = lib.func.jvp, lib.tensor(1.0)
        x = lib.tensor(3.0)
        return jvp(lambda x: x * jvp(lambda y: x + y, (one,), (one,))[1], (x,), (one,)), jvp(
            lambda x: jvp(lambda y: x * y, (x,), (one,))[1], (x,), (one,)
        )

    same(run)


def test_maps():
    def run(lib):
        func = lib.func
        x = f64(lib, 4, 3)
        w = f64(lib, 3, 3)
        f = lambda x: (w @ x).sin().cumsum(0) * x.softmax(0)
        h = lambda x: f(x).sum()
        return (
            func.vmap(lambda t: func.jvp(f, (x[0],), (t,)))(x), func.vmap(lambda p: func.jvp(f, (p,), (x[1],)))(x),
            func.vmap(lambda p, t: func.jvp(f, (p,), (t,)))(x, x.cos()), func.jvp(func.vmap(f), (x,), (x.cos(),)),
            func.vmap(func.jacfwd(f))(x), func.jacfwd(func.vmap(f))(x), func.vmap(func.hessian(h))(x),
            func.vmap(lambda p: func.vmap(lambda t: func.jvp(func.grad(h), (p,), (t,))[1])(x))(x),
            func.vmap(func.jacfwd(func.jacfwd(h)))(x), func.vmap(writes)(x)[1], func.vmap(func.jacfwd(lambda x: writes(x)[0]))(x),
        )  # fmt: skip

    same(run)


def test_with_reverse_mode():
    def run(lib):
        fw = lib.autograd.forward_ad
        x = f64(lib, 3).requires_grad_()
        t = f64(lib, 3).cos().requires_grad_()
        w = f64(lib, 3).sin().requires_grad_()
        with fw.dual_level():
            y = (fw.make_dual(x, t).exp() * w).sigmoid().clone()
            y[0] = y[1].clone() * w[2]
            tangent = fw.unpack_dual(y).tangent
            found = list(lib.autograd.grad(tangent.sum(), (x, t, w), retain_graph=True))
            # the backward pass of a result with tangents has tangents itself
            (g,) = lib.autograd.grad(y.sum(), w)
            found.append(fw.unpack_dual(g).tangent)
        return found

    same(run)


def test_complex():
    def run(lib):
        z = lib.complex(f64(lib, 4), f64(lib, 4).cos())
        v = lib.complex(f64(lib, 4).sin(), f64(lib, 4))
        f = lambda z: (
            z.exp() * z.conj() + z.abs(),
            z.angle(),
            z.real * z.imag,
            lib.view_as_real(z.sin()),
            z.mH if z.ndim > 1 else z.conj().sqrt(),
            z.prod(),
        )
        return lib.func.jvp(f, (z,), (v,)), lib.func.jvp(lambda x: x * z, (z.real,), (v.real,))

    same(run)


def functions(lib):
    class Scaled(lib.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y, x + 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x

        @staticmethod
        def jvp(ctx, x_t, y_t):
            x, y = ctx.saved_tensors
            return x_t * y + x * y_t + 100 * x_t * x, x_t  # wrong on purpose: tells that it was asked

        generate_vmap_rule = True

    return Scaled


def test_functions_with_a_jvp_of_their_own():
    def run(lib):
        func, apply = lib.func, functions(lib).apply
        x, y = f64(lib, 3), f64(lib, 3).cos()
        f = lambda x: apply(x.sin(), y)
        return (
            func.jvp(f, (x,), (y,)), func.vmap(lambda t: func.jvp(f, (x,), (t,)))(f64(lib, 2, 3)),
            func.jvp(func.vmap(lambda x: apply(x, x)), (f64(lib, 2, 3),), (f64(lib, 2, 3),)), func.jvp(lambda x, y: apply(x, y), (x, y), (y, x)),
            func.jacfwd(f)(x),
        )  # fmt: skip

    same(run)


def test_the_jvp_of_a_function_is_differentiated_in_its_turn():
    class Product(torsh.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs)
            ctx.save_for_backward(*inputs)

        @staticmethod
        def jvp(ctx, x_t, y_t):
            x, y = ctx.saved_tensors
            return x_t * y + x * y_t

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

    func = torsh.func
    x, v = f64(torsh, 3), f64(torsh, 3).cos()
    found = []
    for product in (Product.apply, lambda x, y: x * y):
        f = lambda x, product=product: product(product(x, x.sin()), x)
        first = lambda y, f=f: func.jvp(f, (y,), (v,))[1]
        found.append(plain([*func.jvp(first, (x,), (v,)), func.grad(lambda y, first=first: first(y).sum())(x)]))
    close(*found)


def test_functions_without_one_are_refused():
    class Double(torsh.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    fw = torsh.autograd.forward_ad
    with fw.dual_level():
        assert Double.apply(torsh.ones(1)).item() == 2
        with pytest.raises(NotImplementedError, match="You must implement the jvp function"):
            Double.apply(fw.make_dual(torsh.ones(1), torsh.ones(1)))


def test_hooks_and_layers():
    def run(lib):
        lib.manual_seed(0)
        m = lib.nn.Sequential(
            lib.nn.Conv2d(2, 4, 3), lib.nn.BatchNorm2d(4, track_running_stats=False), lib.nn.GELU(), lib.nn.MaxPool2d(2), lib.nn.Flatten(), lib.nn.LayerNorm(16), lib.nn.Linear(16, 3)
        ).double()  # fmt: skip
        m[2].register_full_backward_hook(lambda *a: None)
        p = {k: v.detach() for k, v in m.named_parameters()}
        x = f64(lib, 2, 2, 6, 6)
        target = lib.tensor([0, 2])
        f = lambda p, x: lib.nn.functional.cross_entropy(lib.func.functional_call(m, p, (x,)), target)
        return lib.func.jvp(f, (p, x), ({k: v.cos() for k, v in p.items()}, x.sin()))

    same(run)


def test_out_is_refused():
    fw = torsh.autograd.forward_ad
    with fw.dual_level():
        d = fw.make_dual(torsh.ones(2), torsh.ones(2))
        with pytest.raises(RuntimeError, match="because it is an out= function"):
            torsh.add(d, 1, out=torsh.empty(2))


def test_a_tangent_with_a_tangent_is_refused():
    def run(lib):
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            d = fw.make_dual(lib.ones(2), lib.ones(2))
            with pytest.raises(RuntimeError, match="that itself has a forward gradient at the same level"):
                fw.make_dual(lib.ones(2), d)
        return []

    same(run)


def test_jacobians_of_complex_functions_are_refused():
    z = torsh.ones(2, dtype=torsh.complex64)
    for name in ("jacfwd", "jacrev"):
        jac = getattr(torsh.func, name)
        with pytest.raises(RuntimeError, match=f"{name}: Expected all inputs to be real"):
            jac(lambda z: z.real)(z)
        with pytest.raises(RuntimeError, match=f"{name}: Expected all outputs to be real"):
            jac(lambda x: x * z)(torsh.ones(2))


def test_random_functions_follow_the_randomness_asked_for():
    x = torsh.ones(3)
    f = lambda x: x * torsh.rand(3)
    with pytest.raises(RuntimeError, match="randomness"):
        torsh.func.jacfwd(f)(x)
    for how in ("same", "different"):
        diagonal = torsh.func.jacfwd(f, randomness=how)(x)
        assert (diagonal * (1 - torsh.eye(3))).abs().sum() == 0
        assert diagonal.diag().min() > 0


def test_nothing_is_left_behind():
    x, t = torsh.ones(3), torsh.ones(3)
    torsh.func.jvp(lambda a: (a * x + a[0]).sum(), (x,), (t,))
    torsh.func.jacfwd(lambda a: (a * x).sin())(x)
    with pytest.raises(ZeroDivisionError):
        torsh.func.jvp(lambda a: 1 // 0, (x,), (t,))
    assert torsh.dispatch.state.busy == torsh.dispatch.state.levels == 0
    assert torsh.dispatch.modes() == ()
    gc.collect()
    assert not any(type(o) is _forward.Level for o in gc.get_objects())


def test_most_ops_have_a_rule_that_follows_from_their_declaration():
    left = {op.name for op in OPS.values() if "composite" not in op.tags and kind_of(op) == "two passes"}
    assert {"add", "sum", "view", "cat", "matmul", "linear", "softmax", "convolution", "sort"}.isdisjoint(left)
    assert len(left) <= 30
