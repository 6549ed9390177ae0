"""``autograd.Function`` under ``vmap``, ``grad``, ``jvp`` and their compositions, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
LIBS = (torsh, torch)


def functions(lib):
    """The same Functions for either library."""

    class Cube(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3, 3 * x**2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output[1])
            ctx.save_for_forward(inputs[0], output[1])

        @staticmethod
        def backward(ctx, g, gd):
            x, d = ctx.saved_tensors
            return g * d + gd * 6 * x

        @staticmethod
        def jvp(ctx, t):
            x, d = ctx.saved_tensors
            return t * d, 6 * x * t

    class Mul(lib.autograd.Function):
        """A product whose vmap is written by hand, and whose derivatives are a recognisable multiple of the true ones."""

        @staticmethod
        def forward(x, y, factor):
            return x * y * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, y, ctx.factor = inputs
            ctx.save_for_backward(x, y)
            ctx.save_for_forward(x, y)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            gx = Mul.apply(g, y, ctx.factor) if ctx.needs_input_grad[0] else None
            gy = Mul.apply(g, x, ctx.factor) if ctx.needs_input_grad[1] else None
            return gx, gy, None

        @staticmethod
        def jvp(ctx, tx, ty, _):
            x, y = ctx.saved_tensors
            return 7 * ctx.factor * (tx * y + x * ty)

        @staticmethod
        def vmap(info, in_dims, x, y, factor):
            assert in_dims[2] is None
            dx, dy, _ = in_dims
            x = x.movedim(dx, -1) if dx is not None else x.unsqueeze(-1)
            y = y.movedim(dy, -1) if dy is not None else y.unsqueeze(-1)
            return Mul.apply(x, y, factor), -1

    class Both(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, w):
            return (x * w).sum()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

    return Cube, Mul, Both


PROGRAMS = {
    "generated vmap": lambda lib, f, x, w: f.vmap(functions(lib)[0].apply)(x),
    "generated vmap, in_dims": lambda lib, f, x, w: f.vmap(functions(lib)[0].apply, in_dims=1, out_dims=(1, 0))(x),
    "grad of generated vmap": lambda lib, f, x, w: f.grad(lambda a: f.vmap(lambda v: functions(lib)[0].apply(v)[0])(a).sum())(x),
    "vmap of grad": lambda lib, f, x, w: f.vmap(f.grad(lambda v: functions(lib)[0].apply(v)[0].sum()))(x),
    "vmap of grad of grad": lambda lib, f, x, w: f.vmap(
        f.grad(lambda v: f.grad(lambda u: functions(lib)[0].apply(u)[0].sum())(v).sum()))(x),
    "nested vmap": lambda lib, f, x, w: f.vmap(f.vmap(functions(lib)[0].apply))(x),
    "jacrev": lambda lib, f, x, w: f.jacrev(lambda a: functions(lib)[0].apply(a)[0])(x[0]),
    "jacfwd": lambda lib, f, x, w: f.jacfwd(lambda a: functions(lib)[0].apply(a)[0])(x[0]),
    "shared input": lambda lib, f, x, w: f.grad(lambda b: f.vmap(functions(lib)[2].apply, in_dims=(0, None))(x, b).sum())(w[0]),
    "own vmap": lambda lib, f, x, w: f.vmap(lambda a, b: functions(lib)[1].apply(a, b, 2.0), in_dims=(0, None))(x, w[0]),
    "own vmap, in_dims": lambda lib, f, x, w: f.vmap(lambda a, b: functions(lib)[1].apply(a, b, 2.0), in_dims=(1, 1))(x, w),
    "grad of own vmap": lambda lib, f, x, w: f.grad(
        lambda a: f.vmap(lambda u, b: functions(lib)[1].apply(u, b, 2.0))(a, w).sum())(x),
    "vmap of grad, own": lambda lib, f, x, w: f.vmap(f.grad(lambda a, b: functions(lib)[1].apply(a, b, 2.0).sum(), (0, 1)))(x, w),
    "own jvp": lambda lib, f, x, w: f.jvp(lambda a: functions(lib)[1].apply(a, w, 2.0), (x,), (w,)),
    "own jvp of both": lambda lib, f, x, w: f.jvp(lambda a, b: functions(lib)[1].apply(a, b, 2.0), (x, w), (w, x)),
    "vmap of jvp": lambda lib, f, x, w: f.vmap(
        lambda a, t: f.jvp(lambda u: functions(lib)[1].apply(u, a, 2.0), (a,), (t,))[1])(x, w),
}  # fmt: skip


def leaves(found):
    return [v for f in found for v in leaves(f)] if isinstance(found, tuple) else [found.detach().numpy()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_agrees_with_pytorch(name):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((4, 3)) for _ in range(2)]
    got, want = (leaves(PROGRAMS[name](lib, lib.func, *[lib.from_numpy(v.copy()) for v in values])) for lib in LIBS)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=1e-10, atol=1e-12)


def test_forward_mode_uses_the_jvp_staticmethod():
    found = []
    for lib in LIBS:
        mul = functions(lib)[1]
        fa = lib.autograd.forward_ad
        with fa.dual_level():
            dual = fa.make_dual(lib.tensor([2.0, 3.0]), lib.tensor([1.0, 10.0]))
            found.append(fa.unpack_dual(mul.apply(dual, lib.tensor([5.0, 6.0]), 1.0)).tangent.tolist())
    assert found[0] == found[1] == [35.0, 420.0]


def bad_functions(lib):
    class Old(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class NoRule(lib.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class TwoRules(NoRule):
        generate_vmap_rule = True

        @staticmethod
        def vmap(info, in_dims, x):
            return x, 0

    class OneReturn(NoRule):
        @staticmethod
        def vmap(info, in_dims, x):
            return x * 2

    return Old, NoRule, TwoRules, OneReturn


@pytest.mark.parametrize("lib", LIBS, ids=["torsh", "torch"])
@pytest.mark.parametrize(
    ("which", "transform", "message"),
    [
        (0, "grad", "it must override the setup_context staticmethod"),
        (0, "vmap", "it must override the setup_context staticmethod"),
        (1, "vmap", "You tried to vmap over NoRule, but it does not have vmap support"),
        (2, "vmap", "You tried to vmap over TwoRules, but it has both generate_vmap_rule=True and an overridden"),
        (3, "vmap", "to have two returns"),
    ],
)
def test_what_is_refused(lib, which, transform, message):
    function = bad_functions(lib)[which]
    x = lib.ones(3)
    with pytest.raises(RuntimeError, match=message):
        if transform == "grad":
            lib.func.grad(lambda a: function.apply(a).sum())(x)
        else:
            lib.func.vmap(function.apply)(x)


def test_batched_cotangents():
    found = []
    for lib in LIBS:
        x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
        unused = lib.ones(2, requires_grad=True)
        y = x**2
        g, none = lib.autograd.grad(y, (x, unused), lib.eye(3), is_grads_batched=True, allow_unused=True)
        assert none is None
        found.append(g.tolist())
        with pytest.raises(
            RuntimeError, match="we interpret the first dimension of each grad_output as the batch dimension"
        ):
            lib.autograd.grad(x**2, x, lib.ones(3), is_grads_batched=True)
    assert found[0] == found[1]
