"""Grad modes, anomaly detection, and what ``backward`` and ``grad`` accept: against PyTorch."""

from __future__ import annotations

import warnings

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
def modes_ctx(lib):
    r = []
    with lib.no_grad():
        r.append(lib.is_grad_enabled())
    with lib.set_grad_enabled(False):
        r.append(lib.is_grad_enabled())
        with lib.enable_grad():
            r.append(lib.is_grad_enabled())
    return r, lib.is_grad_enabled()


@program
def modes_reuse(lib):
    ng = lib.no_grad()
    r = []
    with ng:
        with ng:
            pass
        r.append(lib.is_grad_enabled())
    r.append(lib.is_grad_enabled())
    lib.set_grad_enabled(True)
    return r


@program
def modes_exc(lib):
    try:
        with lib.no_grad():
            raise ValueError
    except ValueError:
        pass
    return lib.is_grad_enabled()


@program
def set_grad_dec(lib):
    @lib.set_grad_enabled(False)
    def f():
        return lib.is_grad_enabled()

    return f(), lib.is_grad_enabled()


@program
def set_grad_fn(lib):
    lib.set_grad_enabled(False)
    a = lib.is_grad_enabled()
    lib.set_grad_enabled(True)
    return a


@program
def dec_gen(lib):
    @lib.no_grad()
    def g():
        x = yield lib.is_grad_enabled()
        try:
            yield (x, lib.is_grad_enabled())
        except ValueError:
            yield ("err", lib.is_grad_enabled())
        return 5

    it = g()
    r = [next(it), lib.is_grad_enabled(), it.send(3), lib.is_grad_enabled(), it.throw(ValueError())]
    try:
        next(it)
    except StopIteration as e:
        r.append(e.value)
    return r


@program
def dec_coro(lib):
    import asyncio

    @lib.no_grad()
    async def f():
        await asyncio.sleep(0)
        return lib.is_grad_enabled()

    return asyncio.run(f()), lib.is_grad_enabled()


@program
def dec_class(lib):
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")

        @lib.no_grad()
        class A:
            def __init__(self):
                self.g = lib.is_grad_enabled()

            def m(self):
                return lib.is_grad_enabled()

    a = A()
    return a.g, a.m(), w[0].category.__name__, str(w[0].message)[:30]


@program
def dec_lambda(lib):
    return lib.no_grad()(lambda a, b=2: (a, b, lib.is_grad_enabled()))(1)


@program
def dec_meta(lib):
    @lib.no_grad()
    def f():
        "doc"

    return f.__name__, f.__doc__


@program
def inf_dec(lib):
    @lib.inference_mode()
    def f():
        return lib.ones(2)

    @lib.inference_mode
    def g():
        return lib.ones(2)

    @lib.inference_mode(False)
    def h():
        return lib.ones(2)

    return f().is_inference(), g().is_inference(), h().is_inference()


@program
def inf_gen(lib):
    @lib.inference_mode()
    def f():
        yield lib.is_inference_mode_enabled()
        yield lib.is_inference_mode_enabled()

    return [(v, lib.is_inference_mode_enabled()) for v in f()]


@program
def set_grad_bad(lib):
    lib.set_grad_enabled("x")


@program
def threads_mode(lib):
    import threading

    r = []
    with lib.no_grad():
        t = threading.Thread(target=lambda: r.append(lib.is_grad_enabled()))
        t.start()
        t.join()
    return r


@program
def anom_nan(lib):
    x = lib.zeros(2, requires_grad=True)
    with lib.autograd.detect_anomaly():
        (lib.sqrt(x) * 0).sum().backward()


@program
def anom_nonan(lib):
    x = lib.zeros(2, requires_grad=True)
    with lib.autograd.detect_anomaly(check_nan=False):
        (lib.sqrt(x) * 0).sum().backward()
    return x.grad.isnan()


@program
def anom_state(lib):
    r = [lib.is_anomaly_enabled() if hasattr(lib, "is_anomaly_enabled") else None]
    with lib.autograd.set_detect_anomaly(True, check_nan=False):
        r += [lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()]
    lib.autograd.set_detect_anomaly(True)
    r.append(lib.is_anomaly_enabled())
    lib.autograd.set_detect_anomaly(False)
    r.append(lib.is_anomaly_enabled())
    return r


@program
def anom_warn(lib):
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        with lib.autograd.detect_anomaly():
            pass
    return [str(i.message)[:40] for i in w]


@program
def anom_parent(lib):
    x = lib.ones(2, dtype=lib.float64).requires_grad_()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            with lib.autograd.detect_anomaly():
                y = (x - 1) ** 0.5
                (_g,) = lib.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)
        except RuntimeError as e:
            return str(e)[:60]


@program
def second_bw(lib):
    x = leaf(lib, 2)
    y = (x * x).sum()
    y.backward()
    y.backward()


@program
def second_bw_nosaved(lib):
    x = leaf(lib, 2)
    y = (x + x).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def second_bw_view(lib):
    x = leaf(lib, 4)
    y = x.view(2, 2)[0].sum()
    y.backward()
    y.backward()
    return x.grad


@program
def second_bw_grad(lib):
    x = leaf(lib, 2)
    y = (x * x).sum()
    lib.autograd.grad(y, x)
    lib.autograd.grad(y, x)


@program
def bw_shape(lib):
    (leaf(lib, 2) * 2).backward(lib.ones(3))


@program
def bw_dtype(lib):
    x = leaf(lib, 2)
    (x * 2).backward(lib.ones(2))
    return x.grad


@program
def bw_dtype_int(lib):
    x = leaf(lib, 2)
    (x * 2).backward(lib.ones(2, dtype=lib.int64))
    return x.grad


@program
def bw_dtype_complex(lib):
    x = leaf(lib, 2)
    (x * 2).backward(lib.ones(2, dtype=lib.complex128))
    return x.grad


@program
def bw_np(lib):
    import numpy as np

    (leaf(lib, 2) * 2).backward(np.ones(2))


@program
def bw_nonscalar(lib):
    (leaf(lib, 2) * 2).backward()


@program
def bw_one_elem(lib):
    x = leaf(lib, 1)
    (x * 2).reshape(1, 1).backward()
    return x.grad


@program
def bw_complex_scalar(lib):
    x = lib.tensor(1 + 1j, requires_grad=True)
    (x * 2).backward()


@program
def bw_complex(lib):
    x = lib.tensor(1 + 1j, dtype=lib.complex128, requires_grad=True)
    (x * x.conj()).real.backward()
    return x.grad.real, x.grad.imag


@program
def bw_norg(lib):
    lib.ones(()).backward()


@program
def bw_multi(lib):
    x = leaf(lib, 2)
    a, b = x * 2, x * 3
    lib.autograd.backward([a, b], [lib.ones(2, dtype=lib.float64)] * 2)
    return x.grad


@program
def bw_multi_count(lib):
    x = leaf(lib, 2)
    a, b = x * 2, x * 3
    lib.autograd.backward([a, b], [lib.ones(2, dtype=lib.float64)])


@program
def bw_multi_none(lib):
    x = leaf(lib, 2)
    a, b = (x * 2).sum(), x * 3
    lib.autograd.backward([a, b], [None, lib.ones(2, dtype=lib.float64)])
    return x.grad


@program
def bw_tuple_empty(lib):
    lib.autograd.backward([])


@program
def bw_gradvars(lib):
    x = leaf(lib, 2)
    lib.autograd.backward([x * 2], grad_variables=[lib.ones(2)])


@program
def grad_unused(lib):
    lib.autograd.grad(leaf(lib, 2).sum(), leaf(lib, 2))


@program
def grad_unused_mat(lib):
    return lib.autograd.grad(leaf(lib, 2).sum(), leaf(lib, 2), materialize_grads=True)


@program
def grad_mat_allow(lib):
    return lib.autograd.grad(leaf(lib, 2).sum(), leaf(lib, 2), allow_unused=False, materialize_grads=True)


@program
def grad_norg(lib):
    return lib.autograd.grad(leaf(lib, 2).sum(), lib.ones(2))


@program
def grad_out_norg(lib):
    return lib.autograd.grad(lib.ones(()), leaf(lib, 2))


@program
def grad_only_inputs(lib):
    x = leaf(lib, 2)
    return lib.autograd.grad((x * 2).sum(), x, only_inputs=True)


@program
def grad_only_inputs_false(lib):
    x = leaf(lib, 2)
    return lib.autograd.grad((x * 2).sum(), x, only_inputs=False)


@program
def grad_empty_inputs(lib):
    return lib.autograd.grad((leaf(lib, 2) * 2).sum(), [])


@program
def grad_same_twice(lib):
    x = leaf(lib, 2)
    return lib.autograd.grad((x * 2).sum(), [x, x])


@program
def grad_self(lib):
    x = leaf(lib, 2)
    y = x.sum()
    return lib.autograd.grad(y, y)


@program
def grad_create_twice(lib):
    x = leaf(lib, 2)
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    return g.requires_grad, lib.autograd.grad(g.sum(), x)


@program
def grad_out_shape(lib):
    x = leaf(lib, 2)
    lib.autograd.grad(x * 2, x, lib.ones(3))


@program
def grad_gradout_graph(lib):
    x = leaf(lib, 2)
    v = leaf(lib, 2)
    (g,) = lib.autograd.grad(x * 2, x, v, create_graph=True)
    return lib.autograd.grad(g.sum(), v)


@program
def bw_create(lib):
    x = leaf(lib, 2)
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        (x**2).sum().backward(create_graph=True)
    return x.grad, [str(i.message)[:60] for i in w]


@program
def bw_create_acc(lib):
    x = leaf(lib, 2)
    (x**2).sum().backward()
    g = x.grad
    (x**2).sum().backward(create_graph=True)
    return g is x.grad, g, x.grad


@program
def acc_inplace(lib):
    x = leaf(lib, 2)
    (x**2).sum().backward()
    g = x.grad
    (x**2).sum().backward()
    return g is x.grad, g, g._version


@program
def grad_set_shape(lib):
    x = leaf(lib, 2)
    x.grad = lib.ones(3, dtype=lib.float64)


@program
def grad_set_type(lib):
    x = leaf(lib, 2)
    x.grad = 3


@program
def grad_set_self(lib):
    x = leaf(lib, 2)
    x.grad = x


@program
def grad_set_ok(lib):
    x = leaf(lib, 2)
    x.grad = lib.ones(2, dtype=lib.float64)
    (x * 2).sum().backward()
    return x.grad


@program
def grad_del(lib):
    x = leaf(lib, 2)
    (x * 2).sum().backward()
    del x.grad
    return x.grad


@program
def rg_nonleaf_false(lib):
    y = leaf(lib, 2) * 2
    y.requires_grad_(False)


@program
def rg_nonleaf_true(lib):
    y = leaf(lib, 2) * 2
    y.requires_grad_()
    return y.requires_grad


@program
def deepcopy_nonleaf(lib):
    import copy

    copy.deepcopy(leaf(lib, 2) * 2)


@program
def deepcopy_grad(lib):
    import copy

    x = leaf(lib, 2)
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    return y.grad, y.grad is x.grad, y.requires_grad


@program
def pickle_grad(lib):
    import pickle

    x = leaf(lib, 2)
    (x * 2).sum().backward()
    y = pickle.loads(pickle.dumps(x))
    return y.grad, y.requires_grad


@program
def pickle_nonleaf(lib):
    import pickle

    y = pickle.loads(pickle.dumps(leaf(lib, 2) * 2))
    return y.requires_grad, y.is_leaf


@program
def layout_noncontig(lib):
    w = lib.ones(3, 4, dtype=lib.float64).t().requires_grad_()
    (w * lib.arange(12.0, dtype=lib.float64).reshape(4, 3)).sum().backward()
    return w.grad.stride(), w.stride(), w.grad


@program
def layout_transposed_grad(lib):
    w = lib.ones(3, 4, dtype=lib.float64).requires_grad_()
    (w.t() * lib.arange(12.0, dtype=lib.float64).reshape(4, 3)).sum().backward()
    return w.grad.stride(), w.grad.is_contiguous()


@program
def layout_cl(lib):
    w = lib.ones(2, 3, 4, 4).contiguous(memory_format=lib.channels_last).requires_grad_()
    lib.nn.functional.conv2d(lib.ones(1, 3, 5, 5), w).sum().backward()
    return w.grad.stride()


@program
def expand_grad(lib):
    x = lib.ones(1, dtype=lib.float64).requires_grad_()
    x.expand(5).sum().backward()
    return x.grad


@program
def sum_grad_contig(lib):
    x = leaf(lib, 4)
    x.sum().backward()
    return x.grad.stride(), x.grad.is_contiguous()


@program
def sparse_emb(lib):
    e = lib.nn.Embedding(5, 3, sparse=True)
    with lib.no_grad():
        e.weight.fill_(1.0)
    e(lib.tensor([1, 1, 3])).sum().backward()
    g = e.weight.grad
    r = [g.is_sparse, g.is_coalesced(), g._nnz()]
    e(lib.tensor([0, 3])).sum().backward()
    g = e.weight.grad
    return r, g.is_sparse, g.coalesce().values(), g.coalesce().indices(), g._nnz()


@program
def sparse_emb_bag(lib):
    e = lib.nn.EmbeddingBag(5, 3, sparse=True, mode="sum")
    e(lib.tensor([[1, 1, 3], [0, 2, 2]])).sum().backward()
    g = e.weight.grad
    return g.is_sparse, g.coalesce().values(), g.coalesce().indices()


@program
def sparse_dense_acc(lib):
    w = lib.ones(5, 2, dtype=lib.float64).requires_grad_()
    F = lib.nn.functional
    (F.embedding(lib.tensor([1]), w, sparse=True).sum() + (w * 2).sum()).backward()
    return w.grad.is_sparse, w.grad


@program
def sparse_then_dense(lib):
    w = lib.ones(5, 2, dtype=lib.float64).requires_grad_()
    F = lib.nn.functional
    F.embedding(lib.tensor([1]), w, sparse=True).sum().backward()
    (w * 2).sum().backward()
    return w.grad.is_sparse, w.grad


@program
def dense_then_sparse(lib):
    w = lib.ones(5, 2, dtype=lib.float64).requires_grad_()
    F = lib.nn.functional
    (w * 2).sum().backward()
    F.embedding(lib.tensor([1]), w, sparse=True).sum().backward()
    return w.grad.is_sparse, w.grad


@program
def undefined(lib):
    x = leaf(lib, 4)
    a, _b = x.split(2)
    y = a * 1
    (y.sum()).backward()
    return x.grad


@program
def mixed_dtype(lib):
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, dtype=lib.float64, requires_grad=True)
    (a * b).sum().backward()
    return a.grad, b.grad


@program
def half_grad(lib):
    a = lib.ones(2, dtype=lib.float16, requires_grad=True)
    (a * 2).sum().backward()
    return a.grad


@program
def real_of_complex(lib):
    a = lib.ones(2, dtype=lib.float64, requires_grad=True)
    b = lib.tensor([1j, 2j], dtype=lib.complex128)
    ((a * b).abs()).sum().backward()
    return a.grad


@program
def prof(lib):
    x = leaf(lib, 2)
    with lib.autograd.profiler.profile() as p, lib.autograd.profiler.record_function("lbl"):
        (x * 2).sum().backward()
    t = p.key_averages().table()
    return "lbl" in t, "mul" in t, type(t).__name__, p.total_average() is not None


@program
def prof_disabled(lib):
    with lib.autograd.profiler.profile(enabled=False) as p:
        lib.ones(2) + 1
    return p is not None


@program
def prof_emit(lib):
    with lib.autograd.profiler.emit_itt(enabled=False):
        pass
    with lib.autograd.profiler.emit_nvtx(enabled=False):
        pass
    return 1


@program
def rec_dec(lib):
    @lib.autograd.profiler.record_function("f")
    def f():
        return 3

    return f()


@program
def vjp_int_out(lib):
    x = leaf(lib, 3)
    v, i = x.max(0)
    return i.requires_grad, v.requires_grad


@program
def double_hook(lib):
    x = leaf(lib, 2)
    h = lib.autograd.graph.saved_tensors_hooks
    with h(lambda t: t.detach().clone(), lambda t: t):
        y = (x**3).exp().sum() * 0.01
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g, lib.autograd.grad(g.sum(), x)


@program
def double_soc(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.save_on_cpu():
        y = (x.sigmoid() * x.exp()).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g, lib.autograd.grad(g.sum(), x)


@pytest.mark.parametrize("name", program)
def test_same_outcome_as_pytorch(name):
    assert outcome(torsh, program[name]) == outcome(torch, program[name])
