"""``gradcheck`` itself: what it accepts and what it catches, as PyTorch's does."""

from __future__ import annotations

import sys

import pytest

import torsh

torch = pytest.importorskip("torch")
LIBS = pytest.mark.parametrize("lib", [torsh, torch], ids=["torsh", "torch"])
MODES = pytest.mark.parametrize("fast", [False, True], ids=["slow", "fast"])


def leaf(lib, *shape, dtype="float64"):
    lib.manual_seed(0)
    return lib.randn(*shape, dtype=getattr(lib, dtype), requires_grad=True)


def error(lib):
    return sys.modules[f"{lib.__name__}.autograd.gradcheck"].GradcheckError


def function(lib, backward, jvp=None, forward=lambda x: x * 2):
    members = {
        "forward": staticmethod(forward), "setup_context": staticmethod(lambda ctx, inputs, output: None),
        "backward": staticmethod(backward),
    }  # fmt: skip
    if jvp is not None:
        members["jvp"] = staticmethod(jvp)
    return type("Odd", (lib.autograd.Function,), members).apply


@LIBS
@MODES
def test_accepts_what_is_right(lib, fast):
    check, twice = lib.autograd.gradcheck, lib.autograd.gradgradcheck
    x, z, w = leaf(lib, 2), leaf(lib, 1, 2, dtype="complex128"), leaf(lib, 2, 2)
    for f, inputs in [
        (lambda a: a.sin() * a, (x,)),
        (lambda a: (a**2, a.sum()), (x,)),
        (lambda a: a.abs() * a.conj(), (z,)),
        (lambda a, b: a @ b, (w, x)),
        (lambda a, b: a * b[0, 0], (z, w)),
        (lambda a, k: a**k, (x, 3)),
    ]:
        # PyTorch's own batched forward mode breaks down on some of these.
        assert check(f, inputs, fast_mode=fast, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=lib is torsh)
        more = {"check_fwd_over_rev": True, "check_batched_grad": True, "gen_non_contig_grad_outputs": True} if fast else {}
        assert twice(f, inputs, fast_mode=fast, **more)
    assert check(lambda a, b: a * b, [x, leaf(lib, 2)], fast_mode=fast)


@LIBS
@MODES
def test_wrong_derivatives(lib, fast):
    check = lib.autograd.gradcheck
    x = leaf(lib, 3)
    wrong = function(lib, lambda ctx, g: g * 3)
    with pytest.raises(error(lib), match="Jacobian mismatch for output 0 with respect to input 0,"):
        check(wrong, (x,), fast_mode=fast)
    assert check(wrong, (x,), fast_mode=fast, raise_exception=False) is False
    with pytest.raises(error(lib), match="Jacobian mismatch for output 0 with respect to input 1,"):
        check(lambda a, b: a + wrong(b), (x, leaf(lib, 3)), fast_mode=fast)
    z = leaf(lib, 2, dtype="complex128")
    with pytest.raises(error(lib), match="part of complex outputs only, Jacobian mismatch"):
        check(wrong, (z,), fast_mode=fast)
    forward = function(lib, lambda ctx, g: g * 2, lambda ctx, t: t * 3)
    assert check(forward, (x,), fast_mode=fast)
    with pytest.raises(error(lib), match="Jacobian computed with forward mode mismatch for output 0 with respect to input 0,"):
        check(forward, (x,), fast_mode=fast, check_forward_ad=True)


@LIBS
@MODES
def test_odd_backwards(lib, fast):
    check = lib.autograd.gradcheck
    x, calls = leaf(lib, 3), []

    def unsteady(ctx, g):
        calls.append(0)
        return g * (2 + 1e-7 * len(calls))

    with pytest.raises(error(lib), match="Backward is not reentrant"):
        check(function(lib, unsteady), (x,), fast_mode=fast)
    assert check(function(lib, unsteady), (x,), nondet_tol=1.0, fast_mode=fast)
    with pytest.raises(error(lib), match="backward not multiplied by grad_output"):
        check(function(lib, lambda ctx, g: g * 2 + (g == 0) * 1.0), (leaf(lib, 1),), fast_mode=True)
    with pytest.raises(error(lib), match="Numerical gradient for function expected to be zero"):
        check(lambda a: a.detach() * 2, (x,), fast_mode=fast)
    assert check(lambda a: a.detach().round() * 0, (x,), fast_mode=fast)


@LIBS
def test_inputs(lib):
    check = lib.autograd.gradcheck
    x = leaf(lib, 3)
    with pytest.raises(ValueError, match="gradcheck expects at least one input tensor to require gradient"):
        check(lambda a: a, (x.detach(),))
    with pytest.raises(RuntimeError, match="has a dimension with stride 0"):
        check(lambda a: a * 2, (lib.ones(1, dtype=lib.float64).expand(3).requires_grad_(),))
    with pytest.raises(ValueError, match="Sparse output is not supported at gradcheck yet"):
        check(lambda a: a.to_sparse(), (x,))
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        check(lambda a: a * 2, (leaf(lib, 2, dtype="float32"),), atol=1.0, eps=1e-2)
    for options, message in [
        ({"check_backward_ad": False}, "at least one of check_forward_ad or check_backward_ad"),
        ({"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True}, "requires check_backward_ad"),
        ({"check_batched_forward_grad": True}, "requires check_forward_ad"),
    ]:
        with pytest.raises(AssertionError, match=message):
            check(lambda a: a, (x,), **options)
    with pytest.raises(AssertionError, match="at least one of check_fwd_over_rev or check_rev_over_rev"):
        lib.autograd.gradgradcheck(lambda a: a, (x,), check_rev_over_rev=False)


@LIBS
def test_functions_that_hold_their_tensors(lib):
    """Steps are taken in the tensors' own memory, so a closure sees them."""
    layer = lib.nn.Linear(3, 2).double()
    x = leaf(lib, 2, 3)
    assert lib.autograd.gradcheck(lambda *_: layer(x), (x, *layer.parameters()))
    before = x.detach().clone()
    lib.autograd.gradcheck(lambda a: a * 2, (x,))
    assert lib.equal(x, before)


@LIBS
def test_second_derivatives_are_checked(lib):
    x = leaf(lib, 3)

    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a**2

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return g * 2 * a.detach()

    assert lib.autograd.gradcheck(Square.apply, (x,))
    with pytest.raises(error(lib), match="Jacobian mismatch for output 0 with respect to input 0,"):
        lib.autograd.gradgradcheck(Square.apply, (x,))
