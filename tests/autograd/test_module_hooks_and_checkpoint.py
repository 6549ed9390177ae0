"""Hooks of modules, and activation checkpointing: against PyTorch."""

from __future__ import annotations

import functools

import pytest
from agreement import Programs, outcome

import torsh
import torsh.autograd.graph
import torsh.autograd.profiler
import torsh.func
import torsh.nn
import torsh.utils.checkpoint

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.checkpoint")

program = Programs()


def leaf(lib, *s):
    return (lib.arange(1, 1 + (s[0] if s else 1), dtype=lib.float64)).clone().requires_grad_()


def U(lib):
    return lib.utils.checkpoint


def net(lib):
    lib.manual_seed(0)
    nn = lib.nn
    return nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)).double()


@program
def mod_order(lib):
    s = []
    n = net(lib)
    for i, m in enumerate(n):
        m.register_full_backward_hook(
            lambda m, gi, go, i=i: s.append(
                (i, "bw", [None if g is None else tuple(g.shape) for g in gi], [tuple(g.shape) for g in go])
            )
        )
        m.register_full_backward_pre_hook(lambda m, go, i=i: s.append((i, "pre", [tuple(g.shape) for g in go])))
        m.register_forward_hook(lambda m, a, o, i=i: s.append((i, "f")))
        m.register_forward_pre_hook(lambda m, a, i=i: s.append((i, "fp")))
    n(lib.ones(2, 3, dtype=lib.float64)).sum().backward()
    return s


@program
def mod_order_rg(lib):
    s = []
    n = net(lib)
    for i, m in enumerate(n):
        m.register_full_backward_hook(
            lambda m, gi, go, i=i: s.append((i, [None if g is None else tuple(g.shape) for g in gi]))
        )
    n.register_full_backward_hook(lambda m, gi, go: s.append("all"))
    n(lib.ones(2, 3, dtype=lib.float64, requires_grad=True)).sum().backward()
    return s


@program
def mod_replace(lib):
    n = net(lib)
    n[2].register_full_backward_hook(lambda m, gi, go: tuple(g * 2 for g in gi))
    n[0].register_full_backward_pre_hook(lambda m, go: tuple(g * 3 for g in go))
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    n(x).sum().backward()
    return x.grad, n[0].weight.grad


@program
def mod_multi_out(lib):
    class M(lib.nn.Module):
        def forward(self, a, b, k=1):
            return a * b, 5, a + b

    m = M()
    s = []
    m.register_full_backward_hook(
        lambda m, gi, go: s.append(
            ([None if g is None else g.tolist() for g in gi], [None if g is None else g.tolist() for g in go])
        )
    )
    a, b = leaf(lib, 2), lib.ones(2, dtype=lib.float64)
    o = m(a, b)
    o[0].sum().backward()
    return s


@program
def mod_dict_out(lib):
    class M(lib.nn.Module):
        def forward(self, a):
            return {"x": a * 2}

    m = M()
    s = []
    m.register_full_backward_hook(lambda m, gi, go: s.append(1))
    o = m(leaf(lib, 2))
    o["x"].sum().backward()
    return s


@program
def mod_noinput_grad(lib):
    n = lib.nn.Linear(3, 2).double()
    s = []
    n.register_full_backward_hook(
        lambda m, gi, go: s.append(([None if g is None else 1 for g in gi], [tuple(g.shape) for g in go]))
    )
    n(lib.ones(1, 3, dtype=lib.float64)).sum().backward()
    return s


@program
def mod_inplace_after(lib):
    n = lib.nn.Linear(3, 2).double()
    n.register_full_backward_hook(lambda m, gi, go: None)
    x = lib.ones(1, 3, dtype=lib.float64, requires_grad=True)
    y = n(x)
    y.add_(1)
    y.sum().backward()


@program
def mod_both_kinds(lib):
    n = net(lib)
    n.register_full_backward_hook(lambda *a: None)
    n.register_backward_hook(lambda *a: None)


@program
def mod_global(lib):
    s = []
    M = lib.nn.modules.module
    hs = [
        M.register_module_forward_pre_hook(lambda m, a: s.append("gfp")),
        M.register_module_forward_hook(lambda m, a, o: s.append("gf")),
        M.register_module_full_backward_hook(lambda m, a, o: s.append("gb")),
        M.register_module_full_backward_pre_hook(lambda m, o: s.append("gbp")),
    ]
    n = lib.nn.Tanh()
    n.register_forward_hook(lambda m, a, o: s.append("f"))
    n.register_full_backward_hook(lambda m, a, o: s.append("b"))
    n.register_full_backward_pre_hook(lambda m, o: s.append("bp"))
    n.register_forward_pre_hook(lambda m, a: s.append("fp"))
    try:
        n(leaf(lib, 2)).sum().backward()
    finally:
        for h in hs:
            h.remove()
    n(leaf(lib, 2))
    return s


@program
def mod_prepend_kwargs(lib):
    s = []
    n = lib.nn.Tanh()
    n.register_forward_hook(lambda m, a, o: s.append(1))
    n.register_forward_hook(lambda m, a, o: s.append(0), prepend=True)
    n.register_forward_pre_hook(lambda m, a, k: s.append(sorted(k)) or (a, k), with_kwargs=True)
    n.register_full_backward_hook(lambda *a: s.append("b1"))
    n.register_full_backward_hook(lambda *a: s.append("b0"), prepend=True)
    n(input=leaf(lib, 2)).sum().backward()
    return s


@program
def mod_always(lib):
    s = []

    class M(lib.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    m = M()
    m.register_forward_hook(lambda m, a, o: s.append(o), always_call=True)
    try:
        m(lib.ones(1))
    except ValueError:
        s.append("err")
    return s


@program
def ck_basic(lib):
    n = net(lib)
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    r = []
    for re in (True, False):
        n.zero_grad()
        x.grad = None
        U(lib).checkpoint(n, x, use_reentrant=re).sum().backward()
        r += [x.grad.clone(), n[0].weight.grad.clone()]
    return r


@program
def ck_norg_input(lib):
    n = net(lib)
    U(lib).checkpoint(n, lib.ones(2, 3, dtype=lib.float64), use_reentrant=False).sum().backward()
    return n[0].weight.grad


@program
def ck_re_norg_input(lib):
    n = net(lib)
    o = U(lib).checkpoint(n, lib.ones(2, 3, dtype=lib.float64), use_reentrant=True)
    return o.requires_grad


@program
def ck_re_grad(lib):
    n = net(lib)
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    o = U(lib).checkpoint(n, x, use_reentrant=True).sum()
    lib.autograd.grad(o, x)


@program
def ck_grad(lib):
    n = net(lib)
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    o = U(lib).checkpoint(n, x, use_reentrant=False).sum()
    return lib.autograd.grad(o, x)


@program
def ck_double(lib):
    n = net(lib)
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    o = U(lib).checkpoint(n, x, use_reentrant=False).sum()
    (g,) = lib.autograd.grad(o, x, create_graph=True)
    g.pow(2).sum().backward()
    return x.grad


@program
def ck_none_warn(lib):
    import warnings

    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        U(lib).checkpoint(lambda x: x * 2, leaf(lib, 2))
    return [str(i.message)[:60] for i in w]


@program
def ck_kwargs(lib):
    return U(lib).checkpoint(lambda x, y=1: x * y, leaf(lib, 2), y=3, use_reentrant=False)


@program
def ck_kwargs_re(lib):
    return U(lib).checkpoint(lambda x, y=1: x * y, leaf(lib, 2), y=3, use_reentrant=True)


@program
def ck_dropout(lib):
    lib.manual_seed(0)
    x = lib.ones(50, dtype=lib.float64, requires_grad=True)
    F = lib.nn.functional
    r = []
    for re in (True, False):
        y = U(lib).checkpoint(lambda x: F.dropout(x * 1, 0.5, True), x, use_reentrant=re)
        x.grad = None
        y.sum().backward()
        r.append(bool((x.grad == y).all()))
    return r


@program
def ck_nested(lib):
    x = leaf(lib, 3)
    c = U(lib).checkpoint
    f = lambda x: c(lambda y: y.sin().exp(), x.cos(), use_reentrant=False) * x
    c(f, x, use_reentrant=False).sum().backward()
    return x.grad


@program
def ck_nested3(lib):
    x = leaf(lib, 3)
    c = U(lib).checkpoint

    def g(x):
        return x.sin().exp()

    def f(x):
        return c(g, x.cos(), use_reentrant=False).tanh()

    def h(x):
        return c(f, x.exp(), use_reentrant=False) * c(g, x, use_reentrant=False)

    c(h, x, use_reentrant=False).sum().backward()
    return x.grad


@program
def ck_nested_re(lib):
    x = leaf(lib, 3)
    c = U(lib).checkpoint

    def g(x):
        return x.sin().exp()

    def f(x):
        return c(g, x.cos(), use_reentrant=True).tanh()

    c(f, x, use_reentrant=True).sum().backward()
    return x.grad


@program
def ck_retain(lib):
    x = leaf(lib, 3)
    y = U(lib).checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@program
def ck_twice(lib):
    x = leaf(lib, 3)
    y = U(lib).checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False).sum()
    y.backward()
    y.backward()


@program
def ck_count(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin().exp().cos()

    x = leaf(lib, 3)
    y = U(lib).checkpoint(f, x, use_reentrant=False).sum()
    y.backward()
    return n


@program
def ck_early(lib):
    s = []

    def f(x):
        y = x.sin()
        s.append("a")
        y = y.exp()
        s.append("b")
        y = y + 1
        s.append("c")
        return y

    x = leaf(lib, 3)
    y = U(lib).checkpoint(f, x, use_reentrant=False).sum()
    s.append("|")
    y.backward()
    return s


@program
def ck_noearly(lib):
    s = []

    def f(x):
        y = x.sin()
        s.append("a")
        y = y.exp()
        s.append("b")
        y = y + 1
        s.append("c")
        return y

    x = leaf(lib, 3)
    y = U(lib).checkpoint(f, x, use_reentrant=False, early_stop=False).sum()
    s.append("|")
    y.backward()
    with U(lib).set_checkpoint_early_stop(False):
        y = U(lib).checkpoint(f, x, use_reentrant=False).sum()
    s.append("||")
    y.backward()
    return s


@program
def ck_mismatch_count(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin().exp() if n[0] == 1 else x.sin()

    x = leaf(lib, 3)
    U(lib).checkpoint(f, x, use_reentrant=False).sum().backward()


@program
def ck_mismatch_more(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin() if n[0] == 1 else x.sin().exp()

    x = leaf(lib, 3)
    with U(lib).set_checkpoint_early_stop(False):
        U(lib).checkpoint(f, x, use_reentrant=False).sum().backward()


@program
def ck_mismatch_meta(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin() if n[0] == 1 else x[:1].sin()

    x = leaf(lib, 3)
    U(lib).checkpoint(f, x, use_reentrant=False).sum().backward()


@program
def ck_det_none(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin() if n[0] == 1 else x[:1].sin()

    x = leaf(lib, 3)
    U(lib).checkpoint(f, x, use_reentrant=False, determinism_check="none").sum().backward()
    return x.grad


@program
def ck_det_bad(lib):
    U(lib).checkpoint(lambda x: x, leaf(lib, 2), use_reentrant=False, determinism_check="zz")


@program
def ck_debug(lib):
    n = [0]

    def f(x):
        n[0] += 1
        return x.sin() if n[0] == 1 else x[:1].sin()

    x = leaf(lib, 3)
    U(lib).checkpoint(f, x, use_reentrant=False, debug=True).sum().backward()


@program
def ck_ctx_re(lib):
    U(lib).checkpoint(lambda x: x, leaf(lib, 2), use_reentrant=True, context_fn=lambda: (None, None))


@program
def ck_debug_re(lib):
    U(lib).checkpoint(lambda x: x, leaf(lib, 2), use_reentrant=True, debug=True)


@program
def ck_ctx(lib):
    import contextlib

    s = []

    @contextlib.contextmanager
    def c(n):
        s.append("in" + n)
        yield
        s.append("out" + n)

    x = leaf(lib, 3)
    U(lib).checkpoint(lambda x: x.sin(), x, use_reentrant=False, context_fn=lambda: (c("f"), c("r"))).sum().backward()
    return s


@program
def ck_tuple(lib):
    x = leaf(lib, 3)
    a, b, c = U(lib).checkpoint(lambda x: (x.sin(), 3, x.cos()), x, use_reentrant=False)
    (a * c).sum().backward()
    return x.grad, b


@program
def ck_tuple_re(lib):
    x = leaf(lib, 3)
    a, b, c = U(lib).checkpoint(lambda x: (x.sin(), 3, x.cos()), x, use_reentrant=True)
    (a * c).sum().backward()
    return x.grad, b


@program
def ck_inplace(lib):
    x = leaf(lib, 3)
    y = U(lib).checkpoint(lambda x: x.sin().mul_(2).exp_(), x, use_reentrant=False).sum()
    y.backward()
    return x.grad


@program
def ck_mod_input(lib):
    x = leaf(lib, 3)
    z = x * 1
    y = U(lib).checkpoint(lambda x: x.sin(), z, use_reentrant=False)
    z.mul_(2)
    y.sum().backward()
    return x.grad


@program
def ck_saved_hooks(lib):
    x = leaf(lib, 3)
    s = []
    with lib.autograd.graph.saved_tensors_hooks(lambda t: s.append("p") or t, lambda t: s.append("u") or t):
        y = U(lib).checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False)
    y.sum().backward()
    return s, x.grad


@program
def ck_nograd(lib):
    x = leaf(lib, 3)
    with lib.no_grad():
        y = U(lib).checkpoint(lambda x: x.sin(), x, use_reentrant=False)
    return y.requires_grad


@program
def ck_grad_in_fn(lib):
    x = leaf(lib, 3)

    def f(x):
        y = x.sin()
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return g * y

    U(lib).checkpoint(f, x, use_reentrant=False).sum().backward()
    return x.grad


@program
def ck_seq(lib):
    n = net(lib)
    r = []
    for re in (True, False):
        x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
        n.zero_grad()
        U(lib).checkpoint_sequential(n, 2, x, use_reentrant=re).sum().backward()
        r += [x.grad, n[0].weight.grad.clone()]
    return r


@program
def ck_seq_bad(lib):
    U(lib).checkpoint_sequential(net(lib), 2, lib.ones(2, 3, dtype=lib.float64), use_reentrant=False, foo=1)


@program
def ck_badkw(lib):
    U(lib).checkpoint(lambda x: x, leaf(lib, 2), foo=1, use_reentrant=True)


@program
def ck_autocast(lib):
    x = lib.ones(3, 3, requires_grad=True)
    with lib.autocast("cpu", dtype=lib.bfloat16):
        y = U(lib).checkpoint(lambda x: x @ x, x, use_reentrant=False)
    y.float().sum().backward()
    return str(y.dtype).split(".")[-1], x.grad


@program
def ck_sel(lib):
    U_ = U(lib)
    n = [0]
    x = lib.ones(3, 3, dtype=lib.float64, requires_grad=True)

    def pol(ctx, op, *a, **k):
        n[0] += 1
        return U_.CheckpointPolicy.MUST_SAVE if "mm" in str(op) else U_.CheckpointPolicy.PREFER_RECOMPUTE

    y = U_.checkpoint(
        lambda x: (x.sin() @ x.cos()).exp(),
        x,
        use_reentrant=False,
        context_fn=functools.partial(U_.create_selective_checkpoint_contexts, pol),
    )
    y.sum().backward()
    return x.grad


@program
def ck_sel_list(lib):
    U_ = U(lib)
    x = lib.ones(3, 3, dtype=lib.float64, requires_grad=True)
    y = U_.checkpoint(
        lambda x: (x.sin() @ x.cos()).exp(),
        x,
        use_reentrant=False,
        context_fn=functools.partial(U_.create_selective_checkpoint_contexts, [lib.ops.aten.mm.default]),
    )
    y.sum().backward()
    return x.grad


@program
def ck_two_outs_sep(lib):
    x = leaf(lib, 3)
    a, b = U(lib).checkpoint(lambda x: (x.sin().exp(), x.cos().exp()), x, use_reentrant=False)
    a.sum().backward()
    g = x.grad.clone()
    b.sum().backward()
    return g, x.grad


@program
def ck_hooks_order(lib):
    x = leaf(lib, 3)
    s = []

    def f(x):
        y = x.sin()
        y.register_hook(lambda g: s.append("h"))
        return y.exp()

    U(lib).checkpoint(f, x, use_reentrant=False).sum().backward()
    return s


@pytest.mark.parametrize("name", program)
def test_same_outcome_as_pytorch(name):
    assert outcome(torsh, program[name]) == outcome(torch, program[name])
