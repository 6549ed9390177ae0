"""Hooks on tensors, nodes and saved tensors, gradient edges, what nodes show: against PyTorch."""

from __future__ import annotations

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


@program
def hook_order(lib):
    x = leaf(lib, 3)
    s = []
    y = x * 2
    y.register_hook(lambda g: s.append("a"))
    y.register_hook(lambda g: s.append("b"))
    y.grad_fn.register_prehook(lambda g: s.append("pre"))
    y.register_hook(lambda g: s.append("c"))
    y.grad_fn.register_hook(lambda a, b: s.append("post"))
    x.register_hook(lambda g: s.append("leaf"))
    x.register_post_accumulate_grad_hook(lambda t: s.append("acc"))
    y.retain_grad()
    y.register_hook(lambda g: s.append(("ret", y.grad is None)))
    y.sum().backward()
    return s


@program
def leaf_order(lib):
    s = []
    ps = [leaf(lib, 2) for _ in range(4)]
    h = leaf(lib, 2)
    for i, p in enumerate(ps):
        p.register_hook(lambda g, i=i: s.append(("h", i)))
        p.register_post_accumulate_grad_hook(lambda t, i=i: s.append(("acc", i)))
        h = h * p
        h.register_hook(lambda g, i=i: s.append(("mid", i)))
    h.sum().backward()
    return s


@program
def leaf_order_shared(lib):
    s = []
    p = leaf(lib, 2)
    q = leaf(lib, 2)
    p.register_hook(lambda g: s.append(("p", g.tolist())))
    q.register_hook(lambda g: s.append(("q", g.tolist())))
    a = p * q
    a.register_hook(lambda g: s.append("a"))
    b = a * p
    b.register_hook(lambda g: s.append("b"))
    b.sum().backward()
    return s


@program
def acc_node_hook(lib):
    x = leaf(lib, 2)
    s = []
    acc = x.expand_as(x).grad_fn.next_functions[0][0]
    acc.register_hook(lambda a, b: s.append(("post", len(a), len(b), x.grad is not None)))
    acc.register_prehook(lambda g: s.append("pre") or (g[0] * 2,))
    (x * 3).sum().backward()
    return s, x.grad


@program
def acc_same(lib):
    x = leaf(lib, 2)
    a = x.view_as(x).grad_fn.next_functions[0][0]
    b = (x * 2).grad_fn.next_functions[0][0]
    return a is b, a == b, hash(a) == hash(b)


@program
def node_identity(lib):
    x = leaf(lib, 2)
    y = x * 2
    return y.grad_fn is y.grad_fn, y.grad_fn == y.grad_fn, (y + 1).grad_fn.next_functions[0][0] is y.grad_fn


@program
def hook_wrong_shape(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.register_hook(lambda g: g[:1])
    y.sum().backward()


@program
def hook_wrong_type(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.register_hook(lambda g: 3)
    y.sum().backward()


@program
def hook_wrong_dtype(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.register_hook(lambda g: g.float())
    y.sum().backward()


@program
def hook_no_grad(lib):
    lib.ones(2).register_hook(lambda g: g)


@program
def post_acc_nonleaf(lib):
    (leaf(lib, 2) * 2).register_post_accumulate_grad_hook(lambda g: g)


@program
def post_acc_norg(lib):
    lib.ones(2).register_post_accumulate_grad_hook(lambda g: g)


@program
def post_acc_free(lib):
    x = leaf(lib, 2)

    def f(t):
        t.grad = None

    x.register_post_accumulate_grad_hook(f)
    (x * 2).sum().backward()
    return x.grad


@program
def post_acc_return(lib):
    x = leaf(lib, 2)
    x.register_post_accumulate_grad_hook(lambda t: 3)
    (x * 2).sum().backward()
    return x.grad


@program
def hook_remove_in_hook(lib):
    x = leaf(lib, 2)
    s = []
    hs = []

    def f(g):
        s.append(1)
        hs[0].remove()

    hs.append(x.register_hook(f))
    x.register_hook(lambda g: s.append(2))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    return s


@program
def hook_ctx(lib):
    x = leaf(lib, 2)
    s = []
    with x.register_hook(lambda g: s.append(1)):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    return s


@program
def prehook_replace(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
    y.sum().backward()
    return x.grad


@program
def prehook_wrong(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.grad_fn.register_prehook(lambda g: (g[0], g[0]))
    y.sum().backward()
    return x.grad


@program
def posthook_replace(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10,) + tuple(gi[1:]))
    y.sum().backward()
    return x.grad


@program
def posthook_args(lib):
    x = leaf(lib, 2)
    w = lib.ones(2, dtype=lib.float64)
    s = []
    y = x * w
    y.grad_fn.register_hook(
        lambda gi, go: s.append([None if g is None else g.tolist() for g in gi] + ["|"] + [g.tolist() for g in go])
    )
    y.sum().backward()
    return s


@program
def posthook_args2(lib):
    x = leaf(lib, 2)
    s = []
    y = x * 2.0
    y.grad_fn.register_hook(lambda gi, go: s.append(len(gi)))
    y = y.exp()
    y.grad_fn.register_hook(lambda gi, go: s.append(len(gi)))
    y = y + 1
    y.grad_fn.register_hook(lambda gi, go: s.append(len(gi)))
    y.sum().backward()
    return s


@program
def metadata(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.grad_fn.metadata["a"] = 1
    return y.grad_fn.metadata, type(y.grad_fn.metadata).__name__


@program
def saved_attr(lib):
    x = leaf(lib, 2)
    y = x.exp()
    z = y * x
    w = z.pow(2)
    return (
        y.grad_fn._saved_result,
        z.grad_fn._saved_self,
        z.grad_fn._saved_other,
        w.grad_fn._saved_exponent,
        w.grad_fn._saved_self,
    )


@program
def saved_attr_sum(lib):
    x = leaf(lib, 2).reshape(2, 1)
    y = x.sum(0)
    return y.grad_fn._saved_dim, y.grad_fn._saved_keepdim


@program
def saved_attr_freed(lib):
    x = leaf(lib, 2)
    y = x.exp()
    y.sum().backward()
    y.grad_fn._saved_result  # noqa: B018


@program
def saved_raw_hooks(lib):
    x = leaf(lib, 2)
    y = x.exp()
    y.grad_fn._raw_saved_result.register_hooks(lambda t: t * 2, lambda t: t)
    y.sum().backward()
    return x.grad


@program
def mgh_all(lib):
    x, y = leaf(lib, 2), leaf(lib, 2)
    s = []
    a, b = x * 2, y * 3
    h = lib.autograd.graph.register_multi_grad_hook(
        (a, b), lambda gs: s.append([None if g is None else g.tolist() for g in gs])
    )
    (a + b).sum().backward(retain_graph=True)
    a.sum().backward(retain_graph=True)
    h.remove()
    (a + b).sum().backward()
    return s


@program
def mgh_any(lib):
    x, y = leaf(lib, 2), leaf(lib, 2)
    s = []
    a, b = x * 2, y * 3
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda g: s.append(g.tolist()), mode="any")
    (a + b * 2).sum().backward(retain_graph=True)
    a.sum().backward()
    return s


@program
def mgh_inputs(lib):
    x, y = leaf(lib, 2), leaf(lib, 2)
    s = []
    a, b = x * 2, y * 3
    lib.autograd.graph.register_multi_grad_hook(
        (a, b), lambda gs: s.append([None if g is None else g.tolist() for g in gs])
    )
    (a + b).sum().backward(inputs=[x])
    return s


@program
def mgh_badmode(lib):
    lib.autograd.graph.register_multi_grad_hook((leaf(lib, 2),), lambda g: 0, mode="some")


@program
def ge(lib):
    x = leaf(lib, 2)
    y = x * 2
    e = lib.autograd.graph.get_gradient_edge(y)
    z = (y * y).sum()
    del y
    return lib.autograd.grad(z, e), e.output_nr, type(e).__name__, e._fields


@program
def ge_leaf(lib):
    x = leaf(lib, 2)
    e = lib.autograd.graph.get_gradient_edge(x)
    z = (x * x).sum()
    return lib.autograd.grad(z, e), e.node.name()


@program
def ge_norg(lib):
    lib.autograd.graph.get_gradient_edge(lib.ones(2))


@program
def ge_root(lib):
    x = leaf(lib, 2)
    y = x * 2
    e = lib.autograd.graph.get_gradient_edge(y)
    lib.autograd.backward(e, lib.ones(2, dtype=lib.float64))
    return x.grad


@program
def ge_root_nograd(lib):
    x = leaf(lib, 2)
    y = (x * 2).sum()
    e = lib.autograd.graph.get_gradient_edge(y)
    lib.autograd.backward(e)
    return x.grad


@program
def ge_grad_out(lib):
    x = leaf(lib, 2)
    y = (x * 2).sum()
    e = lib.autograd.graph.get_gradient_edge(y)
    return lib.autograd.grad(e, x, lib.ones((), dtype=lib.float64))


@program
def ge_inputs_bw(lib):
    x = leaf(lib, 2)
    y = leaf(lib, 2)
    e = lib.autograd.graph.get_gradient_edge(x)
    (x * y).sum().backward(inputs=[e])
    return x.grad, y.grad


@program
def bw_inputs_nonleaf(lib):
    x = leaf(lib, 2)
    y = x * 2
    z = (y * y).sum()
    z.backward(inputs=[y])
    return x.grad


@program
def bw_inputs_nonleaf2(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward(inputs=[y, x])
    return x.grad, y.grad


@program
def bw_inputs_empty(lib):
    (leaf(lib, 2) * 2).sum().backward(inputs=[])


@program
def bw_inputs_norg(lib):
    x = leaf(lib, 2)
    (x * 2).sum().backward(inputs=[lib.ones(2)])


@program
def bw_inputs_unused(lib):
    x = leaf(lib, 2)
    y = leaf(lib, 2)
    (x * 2).sum().backward(inputs=[y])
    return x.grad, y.grad


@program
def bw_inputs_hooks(lib):
    x = leaf(lib, 2)
    y = leaf(lib, 2)
    s = []
    x.register_hook(lambda g: s.append("x"))
    y.register_hook(lambda g: s.append("y"))
    x.register_post_accumulate_grad_hook(lambda g: s.append("px"))
    (x * y).sum().backward(inputs=[x])
    return s


@program
def grad_hooks(lib):
    x = leaf(lib, 2)
    s = []
    x.register_hook(lambda g: s.append("x") or g * 2)
    x.register_post_accumulate_grad_hook(lambda g: s.append("px"))
    r = lib.autograd.grad((x * 3).sum(), x)
    return s, r


@program
def sth_nested(lib):
    x = leaf(lib, 2)
    s = []
    h = lib.autograd.graph.saved_tensors_hooks
    with h(lambda t: s.append("p1") or t, lambda t: s.append("u1") or t):
        with h(lambda t: s.append("p2") or t, lambda t: s.append("u2") or t):
            y = x * x
        z = y * y
    z.sum().backward()
    return s


@program
def sth_badunpack(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    y.sum().backward()


@program
def sth_badpack(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: 1 / 0, lambda t: 3):
        x * x


@program
def sth_inplace_in_pack(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
        y = x.exp()
    y.sum().backward()


@program
def sth_params(lib):
    x = leaf(lib, 2)
    w = lib.ones(2, dtype=lib.float64)
    s = []
    with lib.autograd.graph.saved_tensors_hooks(lambda t: s.append(t is w or t is x) or t, lambda t: t):
        y = x * w
    y.sum().backward()
    return s


@program
def sth_disable(lib):
    with lib.autograd.graph.disable_saved_tensors_hooks("no hooks"):  # noqa: SIM117
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass


@program
def sth_disable_inside(lib):
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):  # noqa: SIM117
        with lib.autograd.graph.disable_saved_tensors_hooks("no hooks"):
            return 1


@program
def sth_modified(lib):
    x = leaf(lib, 2)
    w = lib.ones(2, dtype=lib.float64)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = x * w
    w.add_(1)
    y.sum().backward()
    return x.grad


@program
def soc(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    y.sum().backward()
    return x.grad


@program
def soc_pin(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.save_on_cpu(pin_memory=False, device_type="cpu"):
        y = (x * x).exp()
    y.sum().backward()
    return x.grad


@program
def amst(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.allow_mutation_on_saved_tensors() as c:
        y = x * 1
        z = y * y
        y.mul_(5)
        w = z.exp()
        w.add_(1)
        (z + y + w * 0).sum().backward()
    return x.grad, type(c).__name__


@program
def amst_outside(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        y = x * 1
        z = y * y
        y.mul_(5)
    z.sum().backward()


@program
def amst_nested(lib):
    with lib.autograd.graph.allow_mutation_on_saved_tensors(), lib.autograd.graph.allow_mutation_on_saved_tensors():
        pass


@program
def incver(lib):
    x = leaf(lib, 2)
    w = lib.ones(2, dtype=lib.float64)
    y = x * w
    lib.autograd.graph.increment_version(w)
    y.sum().backward()


@program
def incver2(lib):
    a, b = lib.ones(2), lib.ones(2)
    lib.autograd.graph.increment_version([a, b])
    return a._version, b._version


@program
def setmt(lib):
    with lib.autograd.set_multithreading_enabled(False):
        a = (
            lib._C._is_multithreading_enabled()
            if hasattr(lib, "_C") and hasattr(lib._C, "_is_multithreading_enabled")
            else False
        )
    return a


@program
def hook_returns_same_inplace(lib):
    x = leaf(lib, 2)
    x.register_hook(lambda g: g.mul_(2))
    (x * 3).sum().backward()
    return x.grad


@program
def retain_twice(lib):
    x = leaf(lib, 2)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return y.grad, y.retains_grad, x.retains_grad


@program
def retain_leaf(lib):
    x = leaf(lib, 2)
    x.retain_grad()
    return x.retains_grad


@program
def retain_norg(lib):
    lib.ones(2).retain_grad()


@program
def nonleaf_grad_warn(lib):
    import warnings

    x = leaf(lib, 2)
    y = x * 2
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        y.grad  # noqa: B018
    return [str(i.message)[:50] for i in w]


@program
def queue_cb(lib):
    x = leaf(lib, 2)
    s = []
    y = x * 2
    y.register_hook(lambda g: lib.autograd.Variable._execution_engine.queue_callback(lambda: s.append("cb")))
    x.register_hook(lambda g: s.append("x"))
    y.sum().backward()
    return s


@pytest.mark.parametrize("name", program)
def test_same_outcome_as_pytorch(name):
    assert outcome(torsh, program[name]) == outcome(torch, program[name])
