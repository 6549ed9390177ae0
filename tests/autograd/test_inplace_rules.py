"""In-place writes, views, versions and inference tensors: the rules one by one, against PyTorch."""

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
    n = 1
    for k in s:
        n *= k
    return (
        (lib.arange(n, dtype=lib.float64) + 1).reshape(s).requires_grad_()
        if s
        else lib.tensor(2.0, dtype=lib.float64, requires_grad=True)
    )


def leafd(lib, *s):
    t = leaf(lib, *s)
    return t.detach().clone().requires_grad_()


# What is written to the result of an op: shape, write.  Not here: a part of y.split([1, 3]), whose error names "Split" where PyTorch's
# names "SplitWithSizes".
WRITES = {
    "multi_split": ((4, 4), lambda lib, y: y.split(2)[0].mul_(2)),
    "multi_unbind": ((4, 4), lambda lib, y: y.unbind()[0].mul_(2)),
    "multi_chunk": ((4, 4), lambda lib, y: y.chunk(2)[0].mul_(2)),
    "multi_tensor_split": ((4, 4), lambda lib, y: y.tensor_split(2)[0].mul_(2)),
    "multi_hsplit": ((4, 4), lambda lib, y: lib.hsplit(y, 2)[0].mul_(2)),
    "multi_iter": ((4, 4), lambda lib, y: next(iter(y)).mul_(2)),
    "multi_unsafe_split": ((4, 4), lambda lib, y: y.unsafe_split(2)[0].mul_(2)),
    "multi_unsafe_chunk": ((4, 4), lambda lib, y: y.unsafe_chunk(2)[0].mul_(2)),
    "saved_ok_selfmul": ((3,), lambda lib, y: y.mul_(2).add_(y)),
    "mul_self_inplace": ((3,), lambda lib, y: y.mul_(y)),
    "sigmoid_": ((3,), lambda lib, y: y.sigmoid_()),
    "exp__then_write": ((3,), lambda lib, y: y.exp_().add_(1)),
    "sin_": ((3,), lambda lib, y: y.sin_()),
    "diag_inplace": ((3, 3), lambda lib, y: y.diagonal().mul_(2)),
    "unfold_inplace": ((6,), lambda lib, y: y.unfold(0, 2, 2).mul_(2)),
    "as_strided_inplace": ((6,), lambda lib, y: y.as_strided((2, 2), (3, 1), 1).mul_(2)),
}


def written(shape, write):
    def run(lib):
        x = leafd(lib, *shape)
        y = x * 1
        write(lib, y)
        (y * y).sum().backward()
        return x.grad

    return run


for name, (shape, write) in WRITES.items():
    program[name] = written(shape, write)


@program
def multi_nograd_inplace(lib):
    x = leafd(lib, 4)
    y = x * 1
    a, _b = y.split(2)
    with lib.no_grad():
        a.mul_(2)
    y.sum().backward()
    return x.grad, a


@program
def multi_base_written(lib):
    x = leafd(lib, 4)
    y = x * 1
    a, _b = y.split(2)
    y.mul_(3)
    return a.grad_fn is not None and a.sum()


@program
def multi_view_of_view(lib):
    x = leafd(lib, 4, 4)
    y = x * 1
    a, _b = y.split(2)
    v = a[0]
    v.mul_(3)
    (y.sum()).backward()
    return x.grad


@program
def multi_plain_then_requires(lib):
    y = lib.zeros(4, dtype=lib.float64)
    w = leafd(lib, 2)
    a, _b = y.split(2)
    a.copy_(w)
    y.sum().backward()
    return w.grad


@program
def multi_leaf(lib):
    x = leafd(lib, 4)
    a, _b = x.split(2)
    a.mul_(2)


@program
def view_in_nograd(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.no_grad():
        v = y[1:]
    v.mul_(2)
    y.sum().backward()
    return x.grad


@program
def view_in_nograd_requires(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.no_grad():
        v = y[1:]
    return v.requires_grad, v.is_leaf, v.grad_fn is None, v._is_view()


@program
def view_in_nograd_of_leaf(lib):
    x = leafd(lib, 4)
    with lib.no_grad():
        v = x[1:]
    v.mul_(2)
    return x


@program
def view_nograd_multi(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.no_grad():
        a, _b = y.split(2)
    a.mul_(2)


@program
def view_nograd_base_written(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.no_grad():
        v = y[1:]
    y.mul_(2)
    return v.requires_grad, v.grad_fn is None


@program
def view_nograd_nograd_write(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.no_grad():
        v = y[1:]
        v.mul_(2)
    y.sum().backward()
    return x.grad, y


@program
def inf_view(lib):
    x = leafd(lib, 4)
    y = x * 1
    with lib.inference_mode():
        v = y[1:]
    v.mul_(2)


@program
def inf_view_plain(lib):
    y = lib.zeros(4)
    with lib.inference_mode():
        v = y[1:]
    v.mul_(2)
    return y, v.is_inference()


@program
def inf_view_of_inf(lib):
    with lib.inference_mode():
        y = lib.zeros(4)
    v = y[1:]
    return v.is_inference(), v._is_view()


@program
def inf_inplace_outside(lib):
    with lib.inference_mode():
        y = lib.zeros(4)
    y.add_(1)


@program
def inf_inplace_outside_nograd(lib):
    with lib.inference_mode():
        y = lib.zeros(4)
    with lib.no_grad():
        y.add_(1)


@program
def inf_saved(lib):
    with lib.inference_mode():
        y = lib.ones(4, dtype=lib.float64)
    x = leafd(lib, 4)
    (x * y).sum().backward()


@program
def inf_add(lib):
    with lib.inference_mode():
        y = lib.ones(4, dtype=lib.float64)
    x = leafd(lib, 4)
    (x + y).sum().backward()
    return x.grad


@program
def inf_requires(lib):
    with lib.inference_mode():
        y = lib.ones(4)
    y.requires_grad_()


@program
def inf_requires_inside(lib):
    with lib.inference_mode():
        y = lib.ones(4)
        y.requires_grad_()
        return y.requires_grad, (y * 2).requires_grad


@program
def inf_version(lib):
    with lib.inference_mode():
        y = lib.ones(4)
    return y._version


@program
def inf_normal_inplace_inside(lib):
    y = lib.ones(4)
    with lib.inference_mode():
        y.add_(1)
    return y, y._version, y.is_inference()


@program
def inf_normal_saved_written_inside(lib):
    y = lib.ones(4, dtype=lib.float64)
    x = leafd(lib, 4)
    z = (x * y).sum()
    with lib.inference_mode():
        y.add_(1)
    z.backward()


@program
def inf_is(lib):
    with lib.inference_mode():
        a = lib.ones(2)
        b = lib.is_inference(a)
        c = lib.is_inference_mode_enabled()
    return (
        b,
        c,
        lib.is_inference(a),
        a.clone().is_inference(),
        (a + 1).is_inference(),
        a.detach().is_inference(),
        lib.ones(2).is_inference(),
    )


@program
def inf_ops_normal(lib):
    n = lib.ones(3)
    with lib.inference_mode():
        v = n[1:]
        w = n + 1
        d = n.detach()
        vw = n.view(-1)
        return [t.is_inference() for t in (v, w, d, vw)]


@program
def inf_tensor_in_out(lib):
    with lib.inference_mode():
        a = lib.ones(2)
    lib.add(lib.ones(2), 1, out=a)
    return a


@program
def inf_copy_to(lib):
    with lib.inference_mode():
        a = lib.ones(2)
    b = lib.zeros(2)
    b.copy_(a)
    return b, b.is_inference()


@program
def inf_backward_inside(lib):
    x = leafd(lib, 2)
    y = (x * x).sum()
    with lib.inference_mode():
        y.backward()
    return x.grad.is_inference(), x.grad


@program
def inf_leafview_inside(lib):
    x = leafd(lib, 2)
    with lib.inference_mode():
        x.add_(1)
    return x


@program
def inf_exit_nested(lib):
    x = leafd(lib, 2)
    with lib.inference_mode():
        with lib.inference_mode(False):
            y = x * 2
            r = (y.requires_grad, y.is_inference(), lib.is_grad_enabled())
        with lib.enable_grad():
            z = x * 2
            q = (z.requires_grad, z.is_inference(), lib.is_grad_enabled())
    return r, q


@program
def inf_data(lib):
    with lib.inference_mode():
        a = lib.ones(2)
    return a.data.is_inference()


@program
def leaf_view_inplace(lib):
    x = leafd(lib, 4)
    x[0].add_(1)


@program
def leaf_setitem(lib):
    x = leafd(lib, 4)
    x[0] = 1


@program
def detach_view_write(lib):
    x = leafd(lib, 4)
    y = x.exp()
    y.detach().zero_()
    y.sum().backward()


@program
def detach_view_isview(lib):
    x = leafd(lib, 4)
    d = x.detach()
    return d._is_view(), d._base is None, d._version, d.is_leaf


@program
def detach_inplace_version(lib):
    x = leafd(lib, 4)
    d = x.detach()
    d.add_(1)
    return x._version, d._version


@program
def detach_of_view(lib):
    x = leafd(lib, 4)
    y = x * 1
    v = y[1:]
    d = v.detach()
    d.mul_(2)
    return y, y._version


@program
def detach__on_view(lib):
    x = leafd(lib, 4)
    y = x * 1
    v = y[1:]
    v.detach_()


@program
def detach__on_viewbase(lib):
    x = leafd(lib, 4)
    y = x * 1
    v = y[1:]
    y.detach_()
    return y.requires_grad, v.requires_grad


@program
def expanded_write(lib):
    x = leafd(lib, 1)
    y = x * 1
    y.expand(4).add_(1)


@program
def expanded_write2(lib):
    y = lib.zeros(1).expand(4)
    y.add_(1)


@program
def expanded_fill(lib):
    y = lib.zeros(1).expand(4)
    y.fill_(3)
    return y


@program
def expanded_zero(lib):
    y = lib.zeros(1).expand(4)
    y.zero_()
    return y


@program
def expanded_copy(lib):
    y = lib.zeros(1).expand(4)
    y.copy_(lib.ones(4))
    return y


@program
def expanded_setitem(lib):
    y = lib.zeros(1).expand(4)
    y[0] = 3
    return y


@program
def partial_overlap(lib):
    y = lib.zeros(5)
    y[1:].copy_(y[:-1])
    y[1:].add_(y[:-1])
    return y


@program
def version_counts(lib):
    x = lib.zeros(4)
    a = x._version
    x.add_(1)
    b = x._version
    v = x[1:]
    v.add_(1)
    c = (x._version, v._version)
    x[0] = 1
    d = x._version
    x.data.add_(1)
    e = x._version
    x.zero_()
    x.copy_(x + 1)
    return a, b, c, d, e, x._version


@program
def version_out(lib):
    x = lib.zeros(4)
    lib.add(x, 1, out=x)
    return x._version


@program
def version_opt(lib):
    x = lib.nn.Parameter(lib.zeros(4))
    (x * 2).sum().backward()
    o = lib.optim.SGD([x], lr=0.1)
    o.step()
    return x._version


@program
def version_clone(lib):
    x = lib.zeros(4)
    x.add_(1)
    return x.clone()._version, x.detach()._version, x.data._version, x.view(2, 2)._version


@program
def preserve_version(lib):
    x = leafd(lib, 4)
    w = lib.ones(4, dtype=lib.float64)
    y = (x * w).sum()
    with lib.autograd._unsafe_preserve_version_counter(w):
        w.mul_(2)
    y.backward()
    return x.grad, w._version


@program
def data_set(lib):
    x = leafd(lib, 4)
    y = x * x
    v0 = x._version
    x.data = lib.ones(4, dtype=lib.float64)
    y.sum().backward()
    return x.grad, v0, x._version


@program
def data_set_shape(lib):
    x = leafd(lib, 4)
    x.data = lib.ones(2, dtype=lib.float64)
    return x


@program
def data_set_type(lib):
    x = leafd(lib, 4)
    x.data = lib.ones(4, dtype=lib.int64)


@program
def data_set_dtype(lib):
    x = leafd(lib, 4)
    x.data = lib.ones(4, dtype=lib.float32)
    return x


@program
def set_grad(lib):
    x = leafd(lib, 3)
    y = lib.ones(4, dtype=lib.float64)
    x.set_(y)


@program
def set_grad_nograd(lib):
    x = leafd(lib, 3)
    y = lib.ones(4, dtype=lib.float64)
    with lib.no_grad():
        x.set_(y)
    return x


@program
def saved_err(lib):
    x = leafd(lib, 3)
    w = lib.ones(3, dtype=lib.float64)
    y = (x * w).sum()
    w.add_(1)
    y.backward()


@program
def saved_out_err(lib):
    x = leafd(lib, 3)
    y = x.exp()
    y.mul_(2)
    y.sum().backward()


@program
def retain_grad_inplace(lib):
    x = leafd(lib, 3)
    y = x * 1
    y.retain_grad()
    y.mul_(2)
    y.sum().backward()
    return y.grad, x.grad


@program
def hook_inplace(lib):
    x = leafd(lib, 3)
    y = x * 1
    s = []
    y.register_hook(lambda g: s.append(g.tolist()))
    y.mul_(2)
    y.register_hook(lambda g: s.append(("b", g.tolist())))
    (y * 5).sum().backward()
    return s, x.grad


@program
def retain_grad_view(lib):
    x = leafd(lib, 3)
    y = x * 1
    v = y[1:]
    v.retain_grad()
    v.mul_(2)
    (v * 5).sum().backward()
    return v.grad, x.grad


@program
def retain_then_base_inplace(lib):
    x = leafd(lib, 3)
    y = x * 1
    v = y[1:]
    v.retain_grad()
    y.mul_(2)
    (v * 5).sum().backward()
    return v.grad, x.grad


@program
def leaf_becomes_nonleaf(lib):
    w = leafd(lib, 3)
    y = lib.zeros(3, dtype=lib.float64)
    y.add_(w)
    return y.is_leaf, y.requires_grad, y.grad_fn.name()


@program
def view_as_real_inplace(lib):
    x = lib.ones(2, dtype=lib.complex128, requires_grad=True)
    y = x * 1
    v = lib.view_as_real(y)
    v.mul_(2)
    (y * y.conj()).real.sum().backward()
    return x.grad.real, x.grad.imag


@program
def real_inplace(lib):
    x = lib.ones(2, dtype=lib.complex128, requires_grad=True)
    y = x * 1
    y.real.mul_(3)
    (y * y.conj()).real.sum().backward()
    return x.grad.real, x.grad.imag


@program
def conj_inplace(lib):
    x = lib.tensor([1 + 2j], dtype=lib.complex128, requires_grad=True)
    y = x * 1
    y.conj().mul_(3j)
    (y * y.conj()).real.sum().backward()
    return x.grad.real, x.grad.imag


@program
def setitem_grads(lib):
    x = leafd(lib, 3, 3)
    w = leafd(lib, 3)
    y = x * 1
    y[1] = w
    y[:, 0] *= 2
    y[lib.tensor([0, 2])] = 7.0
    (y * y).sum().backward()
    return x.grad, w.grad


@program
def transpose__(lib):
    x = leafd(lib, 2, 3)
    y = x * 1
    y.t_()
    y.mul_(2)
    (y[0]).sum().backward()
    return x.grad, y._version


@program
def squeeze__view(lib):
    x = leafd(lib, 2, 1, 3)
    y = x * 1
    v = y[0]
    v.squeeze_()
    v.mul_(2)
    y.sum().backward()
    return x.grad, v.shape == (3,)


@program
def resize_grad(lib):
    x = leafd(lib, 2)
    x.resize_(3)


@program
def relu_inplace_leafnograd(lib):
    x = lib.ones(3)
    lib.nn.functional.relu_(x)
    return x


@program
def inplace_broadcast_err(lib):
    x = lib.ones(3)
    x.add_(lib.ones(2, 3))


@program
def inplace_on_view_of_leaf_made_nograd_then_grad(lib):
    x = lib.zeros(3)
    v = x[1:]
    x.requires_grad_()
    v.add_(1)
    return x, v.requires_grad


@program
def requires_on_view(lib):
    x = lib.zeros(3)
    v = x[1:]
    v.requires_grad_()
    v2 = v * 1
    v2.sum().backward()
    return v.grad, x.requires_grad, v.is_leaf


@program
def requires_on_view_write(lib):
    x = lib.zeros(3)
    v = x[1:]
    v.requires_grad_()
    x.add_(1)
    return v.requires_grad, x.requires_grad, v


@program
def requires_on_view_writeview(lib):
    x = lib.zeros(3)
    v = x[1:]
    v.requires_grad_()
    v.add_(1)


@program
def view_grad_fn_name(lib):
    x = leafd(lib, 4)
    y = x * 1
    v = y[1:]
    a = v.grad_fn.name()
    v.mul_(2)
    b = v.grad_fn.name()
    c = y.grad_fn.name()
    return a, b, c


@program
def view_grad_fn_name2(lib):
    x = leafd(lib, 4)
    y = x * 1
    v = y.view(2, 2)
    y.mul_(2)
    b = v.grad_fn.name()
    return b


@program
def func_variable_inplace(lib):
    x = leafd(lib, 4)
    y = x * 1
    z = y.detach()
    z.requires_grad_()
    z.mul_(2)


@program
def chain_views(lib):
    x = leafd(lib, 4, 4)
    y = x * 1
    v = y.t()[1:].reshape(3, 2, 2)[1]
    v.mul_(2)
    v.t()[0].add_(5)
    (y * y).sum().backward()
    return x.grad


@program
def double_backward_inplace(lib):
    x = leafd(lib, 3)
    y = x * x
    v = y[1:]
    v.mul_(x[0])
    (g,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x)
    return g, h


@program
def base_attr(lib):
    x = leafd(lib, 4)
    v = x[1:][1:]
    return v._base is x


@program
def inplace_dtype(lib):
    x = lib.ones(2, dtype=lib.int64)
    x.add_(1.5)


@program
def copy_dtype_grad(lib):
    w = lib.ones(2, requires_grad=True)
    y = lib.zeros(2, dtype=lib.float64)
    y.copy_(w)
    y.sum().backward()
    return w.grad


@pytest.mark.parametrize("name", program)
def test_same_outcome_as_pytorch(name):
    assert outcome(torsh, program[name]) == outcome(torch, program[name])
