"""Dual tensors that are written to, strict and vectorized Jacobians, views that custom functions return: against PyTorch."""

from __future__ import annotations

import pytest

import torsh

torch = pytest.importorskip("torch")


def both(fn):
    """What a function of the library gives with torsh and with PyTorch."""
    return fn(torsh), fn(torch)


def same(fn):
    found, expected = both(fn)
    assert [x.tolist() for x in found] == [x.tolist() for x in expected]


def message(fn, lib):
    with pytest.raises((RuntimeError, TypeError, NotImplementedError, AssertionError)) as e:
        fn(lib)
    return type(e.value), str(e.value)


def _write_whole(lib, d):
    d *= 2
    return lib.autograd.forward_ad.unpack_dual(d)


def _write_part(lib, d):
    d[0] = 5
    return lib.autograd.forward_ad.unpack_dual(d)


def _write_view(lib, d):
    view = d[:1]
    view *= 3
    return lib.autograd.forward_ad.unpack_dual(d)


@pytest.mark.parametrize("write", [_write_whole, _write_part, _write_view])
def test_a_dual_tensor_can_be_written_to_and_shares_memory(write):
    def run(lib):
        fw = lib.autograd.forward_ad
        x = lib.tensor([1.0, 2.0])
        with fw.dual_level():
            found = write(lib, fw.make_dual(x, lib.tensor([1.0, 3.0])))
        return (*found, x)

    same(run)


def test_the_tangent_can_be_differentiated_with_respect_to_what_requires_grad():
    def run(lib):
        fw = lib.autograd.forward_ad
        p = lib.tensor([2.0, 3.0], requires_grad=True)
        w = lib.tensor([4.0, 5.0], requires_grad=True)
        with fw.dual_level():
            y = (fw.make_dual(p, lib.ones(2)) ** 3 * w).sum()
            return lib.autograd.grad(fw.unpack_dual(y).tangent, (p, w))

    same(run)


def test_dual_tensors_are_printed_with_their_tangent():
    def run(lib):
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            return repr(fw.make_dual(lib.tensor([1.0, 2.0]), lib.tensor([1.0, 3.0])))

    found, expected = both(run)
    assert found == expected


def test_making_a_dual_tensor_dual_again_is_refused():
    def run(lib):
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            d = fw.make_dual(lib.ones(2), lib.ones(2))
            fw.make_dual(d, lib.ones(2))

    assert message(run, torsh) == message(run, torch)


def test_tangents_can_be_switched_off():
    fw = torsh.autograd.forward_ad
    with fw.dual_level():
        with fw._set_fwd_grad_enabled(False):
            assert not fw._is_fwd_grad_enabled()
            assert fw.unpack_dual(fw.make_dual(torsh.ones(2), torsh.ones(2))).tangent is None
        assert fw.unpack_dual(fw.make_dual(torsh.ones(2), torsh.ones(2))).tangent is not None


MISUSE = {
    "not a tensor": lambda lib: lib.autograd.functional.hvp(lambda x: x.sum(), (lib.ones(2), 2), lib.ones(2)),
    "v missing": lambda lib: lib.autograd.functional.jvp(lambda x: x, lib.ones(2)),
    "v of many": lambda lib: lib.autograd.functional.vjp(lambda x: x, lib.ones(2), (lib.ones(2), lib.ones(2))),
    "v of other size": lambda lib: lib.autograd.functional.vjp(lambda x: x, lib.ones(2), lib.ones(3)),
    "detached": lambda lib: lib.autograd.functional.vjp(lambda x: x.detach(), lib.ones(2), lib.ones(2), strict=True),
    "independent": lambda lib: lib.autograd.functional.jacobian(lambda x, y: x * 2, (lib.ones(2), lib.ones(2)), strict=True),
    "linear": lambda lib: lib.autograd.functional.hessian(lambda x: x.sum(), lib.ones(2), strict=True),
    "linear jvp": lambda lib: lib.autograd.functional.vhp(lambda x: x.sum(), lib.ones(2), lib.ones(2), strict=True),
    "two": lambda lib: lib.autograd.functional.hessian(lambda x: (x.sum(), x.sum()), lib.ones(2)),
    "strict by rows at once": lambda lib: lib.autograd.functional.jacobian(lambda x: x * 2, lib.ones(2), strict=True, vectorize=True),
    "graph by columns": lambda lib: lib.autograd.functional.jacobian(
        lambda x: x * 2, lib.ones(2), create_graph=True, vectorize=True, strategy="forward-mode"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(MISUSE))
def test_misuse_says_what_pytorch_says(case):
    found, expected = message(MISUSE[case], torsh), message(MISUSE[case], torch)
    assert found[0] is expected[0]
    assert found[1].replace("torsh", "torch") == expected[1]


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
def test_jacobians_all_at_once(strategy):
    def run(lib):
        x, y = lib.tensor([1.0, 2.0]), lib.tensor([[3.0], [4.0]])
        rows = lib.autograd.functional.jacobian(
            lambda a, b: (a * b, b.sum() * a[:1]), (x, y), vectorize=True, strategy=strategy
        )
        second = lib.autograd.functional.hessian(
            lambda a: (a**3).sum() * a[0], x, vectorize=True, outer_jacobian_strategy=strategy
        )
        return (*rows[0], *rows[1], second)

    same(run)


@pytest.mark.parametrize("several", [False, True])
def test_a_view_that_a_custom_function_returns_cannot_be_written_to(several):
    def run(lib):
        class Part(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return (x[:1], x.clone()) if several else x[:1]

            @staticmethod
            def backward(ctx, *g):
                return g[0].expand(2)

        found = Part.apply(lib.ones(2, requires_grad=True).clone())
        (found[0] if several else found).add_(1)

    assert message(run, torsh) == message(run, torch)


def test_the_gradient_of_a_negative_real_base_with_a_complex_exponent():
    def run(lib):
        e = lib.tensor([1 + 2j, 0.5 - 1j], dtype=lib.complex128, requires_grad=True)
        for base in (-lib.ones(2, dtype=lib.float64), -2):
            lib.pow(base, e).sum().abs().backward()
        return e.grad

    found, expected = both(run)
    assert torch.allclose(torch.tensor(found.tolist(), dtype=torch.complex128), expected, rtol=1e-12)


def test_no_grad_around_a_transform_keeps_its_result_out_of_the_graph():
    def run(lib):
        x = lib.tensor(1.5, requires_grad=True)

        def shifted(v):
            with lib.no_grad():
                shift = lib.func.grad(lambda u: 0.25 * u**4)(v)
            return v**3 - shift

        y = lib.func.grad(shifted)(x)
        y.backward()
        return y.detach(), x.grad

    same(run)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda lib: lib.func.grad(lambda x: (x.sum(), 3), has_aux=True)(lib.ones(2)),
        lambda lib: lib.func.vjp(lambda x: (x, x), lib.ones(2))[1](lib.ones(2)),
        lambda lib: lib.func.jvp(lambda x: x, (lib.ones(2),), [lib.ones(2)]),
        lambda lib: lib.func.vjp(lambda x: None, lib.ones(2)),
        lambda lib: lib.func.grad(lib.mul, argnums=("0",))(lib.ones(()), lib.ones(())),
    ],
)
def test_transforms_check_structures(wrong):
    found, expected = message(wrong, torsh), message(wrong, torch)
    assert found[0] is expected[0]
    assert found[1][:40] == expected[1][:40]


def test_resizing_into_new_memory_counts_as_a_write():
    def run(lib):
        x = lib.zeros(1)
        x.resize_((1, 2))
        x.resize_(3)
        return x._version

    found, expected = both(run)
    assert found == expected
