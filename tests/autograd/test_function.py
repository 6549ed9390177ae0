"""autograd.Function, gradcheck, and the functional interface."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh.autograd import Function, gradcheck, gradgradcheck
from torsh.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp
from torsh.autograd.gradcheck import GradcheckError

torch = pytest.importorskip("torch")


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


def leaf(*values):
    return torsh.tensor(values, dtype=torsh.float64, requires_grad=True)


def test_function_first_and_second_derivative():
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    assert type(y.grad_fn).__name__ == "CubeBackward"
    (g,) = torsh.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torsh.autograd.grad(g.sum(), x)
    assert g.tolist() == [3.0, 12.0]
    assert h.tolist() == [6.0, 12.0]


def test_setup_context_and_needs_input_grad():
    seen = []

    class Mul(Function):
        @staticmethod
        def forward(x, y, scale):
            return x * y * scale

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, y, ctx.scale = inputs
            ctx.save_for_backward(x, y)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            seen.append(ctx.needs_input_grad)
            return g * y * ctx.scale, g * x * ctx.scale, None

    x, y = leaf(2.0), torsh.tensor([5.0], dtype=torsh.float64)
    Mul.apply(x, y, 3).backward()
    assert x.grad.tolist() == [15.0]
    assert seen == [(True, False, False)]


def test_mark_dirty():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2.0)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(3.0)
    y = x * 1
    z = Double.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [2.0]


def test_non_differentiable_and_materialize():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            index = torsh.argmax(x)
            ctx.mark_non_differentiable(index)
            return x * 2, x * 3, index

        @staticmethod
        def backward(ctx, a, b, c):
            assert b is None
            return a * 2

    x = leaf(1.0, 5.0)
    a, b, index = Split.apply(x)
    assert not index.requires_grad
    assert b.requires_grad
    a.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_wrong_number_of_gradients():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 1\)"):
        Bad.apply(leaf(1.0), leaf(1.0)).backward()


def test_gradient_of_wrong_shape():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return torsh.ones(7, dtype=torsh.float64)

    with pytest.raises(RuntimeError, match=r"invalid gradient at index 0 - got \[7\]"):
        Bad.apply(leaf(1.0, 2.0)).backward()


def test_once_differentiable():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torsh.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = leaf(3.0)
    (g,) = torsh.autograd.grad(Once.apply(x), x, leaf(1.0), create_graph=True)
    assert g.tolist() == [6.0]
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        g.sum().backward()


@pytest.mark.parametrize("fn", [lambda x: (x * x).exp(), lambda x: torsh.sin(x) / (1 + x * x), lambda x: x.prod()])
def test_gradcheck_accepts_right_gradients(fn):
    x = leaf(0.3, -1.2, 2.0)
    assert gradcheck(fn, x)
    assert gradgradcheck(fn, x)
    assert gradcheck(fn, x, fast_mode=True)


def test_gradcheck_complex():
    x = torsh.tensor([0.3 + 0.5j, -1.0 + 0.2j], dtype=torsh.complex128, requires_grad=True)
    assert gradcheck(lambda z: z * z.conj() * z, x)
    assert gradcheck(lambda z: z.abs(), x)


def test_gradcheck_catches_wrong_gradients():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(Wrong.apply, leaf(1.0, 3.0))
    assert not gradcheck(Wrong.apply, leaf(1.0, 3.0), raise_exception=False)


def pair(values):
    return torsh.tensor(values, dtype=torsh.float64), torch.tensor(values, dtype=torch.float64)


def test_functional_agrees_with_pytorch():
    a, b = pair([[0.5, -1.0], [2.0, 0.1]])
    u, w = pair([[1.0, 2.0], [3.0, 4.0]])

    def f(x):
        return (x @ x).sin()

    def s(x):
        return (x**3).sum()

    F = torch.autograd.functional
    for ours, theirs in (
        (jacobian(f, a), F.jacobian(f, b)),
        (hessian(s, a), F.hessian(s, b)),
        (vjp(f, a, u)[1], F.vjp(f, b, w)[1]),
        (jvp(f, a, u)[1], F.jvp(f, b, w)[1]),
        (vhp(s, a, u)[1], F.vhp(s, b, w)[1]),
        (hvp(s, a, u)[1], F.hvp(s, b, w)[1]),
    ):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-12)


def test_forward_mode_agrees_with_pytorch():
    a, b = pair([[0.5, -1.0], [2.0, 0.1]])
    u, w = pair([[1.0, 2.0], [3.0, 4.0]])
    found = []
    for lib, x, t in ((torsh, a, u), (torch, b, w)):
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            dual = fw.make_dual(x, t)
            primal, tangent = fw.unpack_dual((dual @ dual).sin() * 2)
            assert fw.unpack_dual(x).tangent is None
        found.append((primal.numpy(), tangent.numpy()))
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    with pytest.raises(RuntimeError, match="no level exists"):
        torsh.autograd.forward_ad.make_dual(a, u)
