"""Special functions against PyTorch and, where PyTorch is the less exact, mpmath."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from pointwise_cases import POLYNOMIALS, SPECIAL_UNARY, agree, find, outcome, over, same_gradients, values  # noqa: E402

import torsh  # noqa: E402


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("name", SPECIAL_UNARY)
def test_dtypes(name, dtype):
    x = values(dtype, low=0.1, high=0.9) if name in ("ndtri", "entr") else values(dtype, low=0.3, high=8)
    a = over(x)
    f, g = find(torsh.special, name), find(torch.special, name)
    theirs = outcome(lambda: g(x))
    if dtype == "float16" and theirs is NotImplementedError:
        pytest.skip("PyTorch has no half kernel")
    agree(outcome(lambda: f(a)), theirs, rtol=2e-3 if dtype == "float16" else 1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SPECIAL_UNARY)
def test_special_values(name):
    x = torch.tensor(
        [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 20.0, -20.0, float("inf"), -float("inf"), float("nan")], dtype=torch.float64
    )
    agree(find(torsh.special, name)(over(x)), find(torch.special, name)(x), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    x = torch.tensor([-1.5, -1.0, -0.3, 0.0, 0.4, 0.999, 1.0, 2.0], dtype=torch.float64)[:, None]
    n = torch.tensor([-2, 0, 1, 2, 3, 7, 9, 12, 30])[None, :]
    ours, theirs = find(torsh.special, name)(over(x), over(n)), find(torch.special, name)(x, n)
    if name.startswith("shifted"):  # PyTorch leaves its recurrence at x = 0 and 1 only, torsh where |2x - 1| < 1
        agree(ours, theirs, rtol=1e-6, atol=1e-6)
    else:
        agree(ours, theirs, rtol=1e-9, atol=1e-9)
    agree(find(torsh.special, name)(over(x), 3), find(torch.special, name)(x, 3), rtol=1e-9, atol=1e-9)
    agree(find(torsh.special, name)(0.3, over(n)), find(torch.special, name)(0.3, n), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_polygamma(n):
    x = torch.linspace(0.2, 9, 13, dtype=torch.float64)
    agree(torsh.polygamma(n, over(x)), torch.polygamma(n, x), rtol=1e-9, atol=1e-12)
    agree(over(x).polygamma_(n), x.clone().polygamma_(n), rtol=1e-9, atol=1e-12)
    same_gradients(lambda m, a: m.polygamma(n, a), [x])


def test_trigamma_of_negative_numbers():
    import mpmath

    x = [-0.3, -1.7, -4.2, 1e-3]
    found = torsh.polygamma(1, torsh.tensor(x, dtype=torsh.float64)).tolist()
    assert found == pytest.approx([float(mpmath.psi(1, v)) for v in x], rel=1e-12)


@pytest.mark.parametrize("p", [1, 3])
def test_mvlgamma(p):
    x = torch.linspace(3, 7, 9, dtype=torch.float64)
    agree(torsh.mvlgamma(over(x), p), torch.mvlgamma(x, p), rtol=1e-12, atol=1e-12)
    same_gradients(lambda m, a: m.special.multigammaln(a, p), [x])


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma(name):
    a, x = (
        torch.tensor([0.0, 0.5, 2.0, 30.0, -1.0], dtype=torch.float64)[:, None],
        torch.tensor([0.0, 0.5, 2.0, 30.0, -1.0], dtype=torch.float64),
    )
    agree(find(torsh, name)(over(a), over(x)), find(torch, name)(a, x), rtol=1e-8, atol=1e-9)  # PyTorch is off by 6e-10
    a, x = a[1:4], x[1:4]
    mine = over(x, True)
    find(torsh, name)(over(a), mine).sum().backward()
    x.requires_grad_()
    find(torch, name)(a, x).sum().backward()
    agree(mine.grad, x.grad, rtol=1e-10, atol=1e-12)


def test_zeta():
    x, q = (
        torch.tensor([1.0, 1.5, 2.0, 4.0, 0.5], dtype=torch.float64)[:, None],
        torch.tensor([0.3, 1.0, 4.0, -1.0, -1.5], dtype=torch.float64),
    )
    agree(torsh.special.zeta(over(x), over(q)), torch.special.zeta(x, q), rtol=1e-12, atol=0)
    agree(torsh.special.zeta(2, over(q[:3])), torch.special.zeta(2, q[:3]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("eps", [None, 0.1])
def test_logit(eps):
    x = torch.tensor([0.05, 0.3, 0.5, 0.97], dtype=torch.float64)
    agree(torsh.logit(over(x), eps), torch.logit(x, eps))
    same_gradients(lambda m, a: m.logit(a, eps), [x], twice=False)


DIFFERENTIABLE = (
    "entr",
    "erfcx",
    "ndtr",
    "ndtri",
    "log_ndtr",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "erf",
    "erfc",
    "gammaln",
    "digamma",
)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name):
    x = torch.tensor([0.1, 0.35, 0.6, 0.8], dtype=torch.float64)
    same_gradients(lambda m, a: find(m.special, name)(a), [x])


@pytest.mark.parametrize("name", [n for n in SPECIAL_UNARY if n not in DIFFERENTIABLE])
def test_without_gradient(name):
    assert not find(torsh.special, name)(torsh.ones(2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_times_logarithm(name):
    x, y = (
        torch.tensor([0.0, 0.0, 2.0, 1.5], dtype=torch.float64),
        torch.tensor([0.0, 3.0, 0.4, 2.5], dtype=torch.float64),
    )
    same_gradients(lambda m, a, b: find(m.special, name)(a, b), [x, y], twice=False)
    agree(find(torsh.special, name)(2, over(y)), find(torch.special, name)(2, y))


def test_sinc_near_zero():
    x = torch.tensor([0.0, 1e-9, 0.25, -1.0, 3.5], dtype=torch.float64)
    agree(torsh.sinc(over(x)), torch.sinc(x), atol=1e-15, rtol=1e-14)
    same_gradients(lambda m, a: m.sinc(a), [x[2:]])


def test_refusals():
    with pytest.raises(RuntimeError, match="does not support negative n"):
        torsh.polygamma(-1, torsh.ones(2))
    with pytest.raises(RuntimeError, match="p has to be greater"):
        torsh.mvlgamma(torsh.ones(2), 0)
    with pytest.raises(TypeError, match="argument 'n'"):
        torsh.polygamma(1.5, torsh.ones(2))
    assert math.isnan(torsh.logit(torsh.tensor(2.0)).item())


@pytest.mark.parametrize(
    "name",
    [f"{p}_polynomial_{k}" for p in ("chebyshev", "shifted_chebyshev") for k in "tuvw"] + ["legendre_polynomial_p"],
)
def test_a_number_as_degree_gives_the_bits_of_a_tensor(name):
    f = getattr(torsh.special, name)
    x = torsh.tensor([-2.0, -1.0, -0.3, -0.0, 0.7, 1.0, float("inf"), float("nan")])
    for n in (0, 1, 2.7, 8, 9):
        one, many = f(x, n), f(x, torsh.full_like(x, n))
        assert one.numpy().tobytes() == many.numpy().tobytes()
