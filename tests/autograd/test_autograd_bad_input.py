"""Bad input to autograd and to function transforms: PyTorch's exception, with the first words of its message."""

from __future__ import annotations

import copy

import pytest

import torsh

torch = pytest.importorskip("torch")

CASES = {}
FINE = {"int_grad", "dirty_not_input", "fw_dtype"}  # what PyTorch takes as it is


def case(f):
    CASES[f.__name__] = f
    return f


@case
def twice(T):
    x = T.ones(3, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    y.backward()


@case
def twice_function(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            _ = ctx.saved_tensors
            return g * 2

    y = F.apply(T.ones(2, requires_grad=True)).sum()
    y.backward()
    y.backward()


@case
def non_scalar(T):
    (T.ones(3, requires_grad=True) * 2).backward()


@case
def complex_scalar(T):
    T.ones((), dtype=T.complex64, requires_grad=True).mul(2).backward()


@case
def leaf_inplace(T):
    T.ones(3, requires_grad=True).add_(1)


@case
def leaf_view_inplace(T):
    T.ones(3, requires_grad=True)[0].add_(1)


@case
def leaf_setitem(T):
    x = T.ones(3, requires_grad=True)
    x[0] = 1


@case
def unbind_inplace(T):
    T.ones(3, requires_grad=True).clone().unbind()[0].add_(1)


@case
def no_grad_view(T):
    x = T.ones(3, requires_grad=True).clone()
    with T.no_grad():
        v = x[0]
    v.add_(1)


@case
def modified(T):
    x = T.ones(3, requires_grad=True)
    y = x.exp()
    z = y.sum()
    y.add_(1)
    (y * z).sum().backward()


@case
def modified_input(T):
    w = T.ones(3)
    x = T.ones(3, requires_grad=True)
    z = (x * w).sum()
    w.add_(1)
    z.backward()


@case
def no_graph(T):
    T.ones(()).backward()


@case
def grad_of_integer(T):
    T.ones(3, dtype=T.int64, requires_grad=True)


@case
def grad_of_integer2(T):
    T.ones(3, dtype=T.int64).requires_grad_()


@case
def bool_rg(T):
    x = T.ones(3, dtype=T.bool)
    x.requires_grad = True


@case
def int_output(T):
    T.autograd.grad(T.ones(3, requires_grad=True).argmax(), T.ones(3, requires_grad=True))


@case
def unused(T):
    x, y = T.ones((), requires_grad=True), T.ones((), requires_grad=True)
    T.autograd.grad(x * 2, y)


@case
def not_requiring(T):
    x = T.ones((), requires_grad=True)
    T.autograd.grad(x * 2, T.ones(()))


@case
def shape_mismatch(T):
    (T.ones(3, requires_grad=True) * 2).backward(T.ones(2))


@case
def dtype_mismatch(T):
    (T.ones(3, requires_grad=True) * 2).backward(T.ones(3, dtype=T.complex64))


@case
def int_grad(T):
    (T.ones(3, requires_grad=True) * 2).backward(T.ones(3, dtype=T.int64))


@case
def grad_count(T):
    x = T.ones(3, requires_grad=True)
    T.autograd.backward([x * 2, x * 3], [T.ones(3)])


@case
def set_grad_shape(T):
    x = T.ones(3, requires_grad=True)
    x.grad = T.ones(2)


@case
def set_grad_dtype(T):
    x = T.ones(3, requires_grad=True)
    x.grad = T.ones(3, dtype=T.float64)


@case
def set_grad_type(T):
    x = T.ones(3, requires_grad=True)
    x.grad = 1.0


def function(T, ret, n=2):
    class Mine(T.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b if isinstance(b, T.Tensor) else a * 2

        @staticmethod
        def backward(ctx, g):
            return ret(T, g)

    return Mine


@case
def too_few(T):
    function(T, lambda T, g: g).apply(T.ones(2, requires_grad=True), T.ones(2)).sum().backward()


@case
def too_many(T):
    function(T, lambda T, g: (g, g, g)).apply(T.ones(2, requires_grad=True), T.ones(2)).sum().backward()


@case
def wrong_shape(T):
    function(T, lambda T, g: (T.ones(3), None)).apply(T.ones(2, requires_grad=True), T.ones(2)).sum().backward()


@case
def not_tensor(T):
    function(T, lambda T, g: (1.0, None)).apply(T.ones(2, requires_grad=True), T.ones(2)).sum().backward()


@case
def grad_for_number(T):
    function(T, lambda T, g: (g, g)).apply(T.ones(2, requires_grad=True), 2).sum().backward()


@case
def forward_none(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return None

    return F.apply(T.ones(2, requires_grad=True)).x


@case
def save_wrong(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)
            return x * 2

    F.apply(T.ones(2, requires_grad=True))


@case
def no_backward(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    F.apply(T.ones(2, requires_grad=True)).sum().backward()


@case
def no_forward(T):
    class F(T.autograd.Function):
        pass

    F.apply(T.ones(2))


@case
def instance(T):
    class F(T.autograd.Function):
        pass

    F()(T.ones(2))


@case
def once(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @T.autograd.function.once_differentiable
        def backward(ctx, g):
            return g * 2

    x = T.ones(2, requires_grad=True)
    (g,) = T.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    g.sum().backward()


@case
def returned_and_saved(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(x):
            return x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g

    T.func.grad(lambda x: F.apply(x.clone()))(T.ones(()))


@case
def dirty_not_input(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            ctx.mark_dirty(y)
            return y

    F.apply(T.ones(2, requires_grad=True))


@case
def dirty_not_returned(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

    F.apply(T.ones(2, requires_grad=True).clone())


@case
def dirty_leaf(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

    F.apply(T.ones(2, requires_grad=True))


@case
def hook_shape(T):
    x = T.ones(2, requires_grad=True)
    x.register_hook(lambda g: g[0])
    x.sum().backward()


@case
def hook_type(T):
    x = T.ones(2, requires_grad=True)
    x.register_hook(lambda g: 1)
    x.sum().backward()


@case
def hook_no_grad(T):
    T.ones(2).register_hook(lambda g: g)


@case
def retain_no_grad(T):
    T.ones(2).retain_grad()


@case
def numpy_rg(T):
    T.ones(2, requires_grad=True).numpy()


@case
def deepcopy_nonleaf(T):
    copy.deepcopy(T.ones(2, requires_grad=True) * 2)


@case
def detach_view(T):
    T.ones(2, requires_grad=True).clone()[0].detach_()


@case
def set_rg_nonleaf(T):
    x = T.ones(2, requires_grad=True) * 2
    x.requires_grad = False


@case
def vmap_if(T):
    T.vmap(lambda x: x if x.sum() > 0 else -x)(T.ones(3, 2))


@case
def vmap_item(T):
    T.vmap(lambda x: x * x[0].item())(T.ones(3, 2))


@case
def vmap_random(T):
    T.vmap(lambda x: x + T.rand(2))(T.ones(3, 2))


@case
def vmap_sizes(T):
    T.vmap(lambda x, y: x + y)(T.ones(3, 2), T.ones(2, 2))


@case
def vmap_scalar(T):
    T.vmap(lambda x: x)(T.ones(()))


@case
def vmap_dim(T):
    T.vmap(lambda x: x, in_dims=4)(T.ones(3, 2))


@case
def vmap_none(T):
    T.vmap(lambda x: x, in_dims=None)(T.ones(3, 2))


@case
def vmap_output(T):
    T.vmap(lambda x: 3)(T.ones(3, 2))


@case
def vmap_outdims(T):
    T.vmap(lambda x: x, out_dims=3)(T.ones(3, 2))


@case
def grad_nonscalar(T):
    T.func.grad(lambda x: x * 2)(T.ones(3))


@case
def grad_nontensor(T):
    T.func.grad(lambda x: 2.0)(T.ones(3))


@case
def grad_int(T):
    T.func.grad(lambda x: x.sum())(T.ones(3, dtype=T.int64))


@case
def grad_argnum(T):
    T.func.grad(lambda x: x.sum(), argnums=1)(T.ones(3))


@case
def rg_in_grad(T):
    T.func.grad(lambda x: x.requires_grad_().sum())(T.ones(3))


@case
def rg_in_vmap(T):
    T.vmap(lambda x: x.requires_grad_())(T.ones(3))


@case
def retain_in_grad(T):
    def f(x):
        y = x.sin()
        y.retain_grad()
        return y.sum()

    T.func.grad(f)(T.ones(3))


@case
@case
@case
def backward_in_grad(T):
    def f(x):
        x.sum().backward()
        return x.sum()

    T.func.grad(f)(T.ones(3))


@case
def vjp_structure(T):
    T.func.vjp(T.sin, T.ones(3))[1]((T.ones(3), T.ones(3)))


@case
def vjp_shape(T):
    T.func.vjp(T.sin, T.ones(3))[1](T.ones(2))


@case
def jvp_shape(T):
    T.func.jvp(T.sin, (T.ones(3),), (T.ones(2),))


@case
def jvp_tuple(T):
    T.func.jvp(T.sin, T.ones(3), T.ones(3))


@case
def jacrev_int(T):
    T.func.jacrev(T.sin)(T.ones(3, dtype=T.int64))


@case
def fw_no_level(T):
    T.autograd.forward_ad.make_dual(T.ones(2), T.ones(2))


@case
def fw_shape(T):
    with T.autograd.forward_ad.dual_level():
        T.autograd.forward_ad.make_dual(T.ones(2), T.ones(3))


@case
def fw_int(T):
    with T.autograd.forward_ad.dual_level():
        T.autograd.forward_ad.make_dual(T.ones(2, dtype=T.int64), T.ones(2))


@case
def fw_dtype(T):
    with T.autograd.forward_ad.dual_level():
        T.autograd.forward_ad.make_dual(T.ones(2), T.ones(2, dtype=T.float64))


@case
def fw_nested(T):
    with T.autograd.forward_ad.dual_level(), T.autograd.forward_ad.dual_level():
        pass


@case
def inference_inplace(T):
    with T.inference_mode():
        x = T.ones(2)
    x.add_(1)


@case
def inference_saved(T):
    with T.inference_mode():
        x = T.ones(2)
    T.ones(2, requires_grad=True) * x


@case
def inference_rg(T):
    with T.inference_mode():
        x = T.ones(2)
    x.requires_grad_()


@case
def inputs_empty(T):
    T.ones((), requires_grad=True).backward(inputs=[])


@case
def grad_empty(T):
    T.autograd.grad(T.ones((), requires_grad=True) * 2, [])


@case
def materialize(T):
    x = T.ones((), requires_grad=True)
    T.autograd.grad(x * 2, x, allow_unused=False, materialize_grads=True)


@case
def batched_shape(T):
    x = T.ones(3, requires_grad=True)
    T.autograd.grad(x * 2, x, T.ones(5, 2), is_grads_batched=True)


@case
def nan_anomaly(T):
    with T.autograd.detect_anomaly():
        (T.zeros(1, requires_grad=True).sqrt() * 0).sum().backward()


@case
def out_rg(T):
    T.add(T.ones(2, requires_grad=True), 1, out=T.ones(2))


@case
def out_rg2(T):
    T.add(T.ones(2), 1, out=T.ones(2, requires_grad=True))


@case
def saved_hook_type(T):
    with T.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = T.ones(2, requires_grad=True).exp() * T.ones(2, requires_grad=True)
    y.sum().backward()


@case
def raw_none(T):
    class F(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    y = F.apply(T.ones(2, requires_grad=True))
    y.grad_fn._raw_saved_tensors[1].register_hooks(lambda x: x, lambda x: x)


@case
def raw_twice(T):
    y = T.ones(2, requires_grad=True).sin()
    y.grad_fn._raw_saved_self.register_hooks(lambda x: x, lambda x: x)
    y.grad_fn._raw_saved_self.register_hooks(lambda x: x, lambda x: x)


def outcome(f, library):
    try:
        f(library)
    except Exception as e:
        return type(e).__name__, str(e)
    return "no error", ""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    kind, told = outcome(CASES[name], torsh)
    expected, message = outcome(CASES[name], torch)
    assert kind == expected
    assert told.split()[:4] == message.split()[:4]


@pytest.mark.filterwarnings("ignore")
def test_all_of_them_are_errors():
    assert {name for name, f in CASES.items() if outcome(f, torch)[0] == "no error"} <= FINE
