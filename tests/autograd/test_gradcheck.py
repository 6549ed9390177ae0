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
        assert check(
            f,
            inputs,
            fast_mode=fast,
            check_forward_ad=True,
            check_batched_grad=True,
            check_batched_forward_grad=lib is torsh,
        )
        more = (
            {"check_fwd_over_rev": True, "check_batched_grad": True, "gen_non_contig_grad_outputs": True}
            if fast
            else {}
        )
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
    with pytest.raises(
        error(lib), match="Jacobian computed with forward mode mismatch for output 0 with respect to input 0,"
    ):
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
        (
            {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True},
            "requires check_backward_ad",
        ),
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


LAYOUTS = {
    "sparse_coo": {}, "sparse_csr": {}, "sparse_csc": {}, "sparse_bsr": {"blocksize": (1, 2)}, "sparse_bsc": {"blocksize": (1, 2)},
}  # fmt: skip


def stored(lib, layout, factor=1.0):
    values = lib.tensor([[0.0, 2.0, 0.0, 0.0], [3.0, 0.0, 0.0, 4.0]], dtype=lib.float64) * factor
    return values.to_sparse(layout=getattr(lib, layout), **LAYOUTS[layout]).requires_grad_(True)


def outcome(run):
    try:
        return run()
    except (RuntimeError, ValueError) as e:
        return type(e).__name__, str(e).split("numerical:")[0][:60]


@pytest.mark.parametrize("factor", [1.0, 1 + 2j], ids=["real", "complex"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.filterwarnings("ignore:Sparse ")
def test_sparse_inputs(layout, factor):
    """What passes and what fails, masked or not, is what PyTorch's check says."""
    functions = {
        "masked": lambda s: s.to_dense(masked_grad=True),
        "unmasked": lambda s: s.to_dense(masked_grad=False),
        "square": lambda s: s.to_dense(masked_grad=False) ** 2,
        "sum": lambda s: s.sum(),
        "sparse": lambda s: s * 1,
        "stored": lambda s: (torch if isinstance(s, torch.Tensor) else torsh).sparse.sum(s),
    }
    if layout not in ("sparse_coo", "sparse_csr"):
        del functions["sparse"]
    if layout != "sparse_coo":
        del functions["stored"]
    for name, f in functions.items():
        for masked in (None, True, False):
            for fast in (False, True):
                ours, theirs = [
                    outcome(
                        lambda f=f, lib=lib: lib.autograd.gradcheck(
                            f, (stored(lib, layout, factor),), masked=masked, fast_mode=fast
                        )
                    )
                    for lib in (torsh, torch)
                ]
                assert ours == theirs, (name, masked, fast)
    assert torsh.autograd.gradcheck(functions["square"], (stored(torsh, layout, factor),))
    wrong = stored(torsh, layout, factor)
    assert torsh.autograd.gradcheck(functions["unmasked"], (wrong,), masked=True, raise_exception=False) is False
    with pytest.raises(NotImplementedError, match="check_forward_ad takes dense inputs only"):
        torsh.autograd.gradcheck(functions["square"], (wrong,), check_forward_ad=True)


@LIBS
def test_sparse_second_derivatives_and_batches(lib):
    s = stored(lib, "sparse_coo")
    with pytest.raises(ValueError, match="Sparse output is not supported at gradcheck yet"):
        lib.autograd.gradgradcheck(lambda a: a.to_dense(masked_grad=False) ** 2, (s,))
    assert lib.autograd.gradgradcheck(lambda a: a.sum(), (s,))
    with pytest.raises(error(lib), match="While computing batched gradients, got: "):
        lib.autograd.gradcheck(lambda a: a.to_dense(masked_grad=True), (s,), masked=True, check_batched_grad=True)
    assert lib.equal(s.detach().to_dense(), stored(lib, "sparse_coo").detach().to_dense())  # steps are taken back


@LIBS
@MODES
def test_sparse_inputs_with_repeated_places_and_dense_dimensions(lib, fast):
    check = lib.autograd.gradcheck
    places = lib.tensor([[0, 0, 1], [1, 1, 0]])
    twice = lib.sparse_coo_tensor(places, lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64), (2, 2)).requires_grad_(True)
    rows = lib.arange(12, dtype=lib.float64).reshape(2, 3, 2).to_sparse(2).requires_grad_(True)
    for s in (twice, rows):
        assert check(lambda a: a.to_dense(masked_grad=True) ** 2, (s,), masked=True, fast_mode=fast)
        assert check(lambda a: a.to_dense(masked_grad=False) ** 2, (s,), masked=False, fast_mode=fast)


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
@pytest.mark.filterwarnings("ignore:Sparse ")
def test_gradients_of_sparse_leaves(layout):
    """``grad`` and ``backward`` with respect to sparse tensors: layout and places of the gradient."""
    for masked in (True, False):
        found = []
        for lib in (torsh, torch):
            s = stored(lib, layout)
            weights = lib.tensor([[1.0, 2.0, 0.0, 3.0], [0.0, 5.0, 0.0, 7.0]], dtype=lib.float64)
            (g,) = lib.autograd.grad(s.to_dense(masked_grad=masked), s, weights)
            (s.to_dense(masked_grad=masked) * weights).sum().backward()
            found.append([(str(x.layout)[-3:], x._nnz(), x.to_dense().tolist()) for x in (g, s.grad)])
        assert found[0] == found[1]


@LIBS
@MODES
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
@pytest.mark.filterwarnings("ignore:Sparse ")
def test_products_of_a_sparse_and_a_dense_factor(lib, fast, layout):
    """The gradient of the sparse factor is dense, but that of ``torch.sparse.mm`` is sparse; second derivatives too."""
    s, w, v, b = stored(lib, layout), leaf(lib, 4, 3), leaf(lib, 4), leaf(lib, 2, 3)
    for f, inputs in [
        (lib.mm, (s, w)), (lambda a, c: a @ c, (s, w)), (lib.mv, (s, v)), (lambda c, a: c.t() @ a, (leaf(lib, 2, 3), s)),
        (lambda d, a, c: lib.addmm(d, a, c), (b, s, w)),
    ]:  # fmt: skip
        assert lib.autograd.gradcheck(f, inputs, fast_mode=fast)
        out = f(*inputs)
        (g,) = lib.autograd.grad(out, s, lib.ones_like(out))
        assert g.layout is lib.strided
        if not fast:
            assert lib.autograd.gradcheck(f, inputs, masked=True, raise_exception=False) is False
    assert lib.autograd.gradgradcheck(lib.mm, (s, w), fast_mode=fast)
    assert lib.autograd.gradcheck(lib.sparse.mm, (s, w), masked=True, fast_mode=fast)
    out = lib.mm(s, w).sum()
    out.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        out.backward()
