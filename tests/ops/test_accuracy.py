"""How exact the NumPy backend's elementwise functions are, in units in the last place (ulp), beside PyTorch's.

The functions are found among the declarations, the exact values are Arb's; see ``torsh_conformance.accuracy``.  A
few points here; ``torsh conform --accuracy`` takes many.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("flint")

import torch
from flint import arb, ctx

import torsh
from torsh import registry
from torsh_conformance.accuracy.functions import Function, all_functions
from torsh_conformance.accuracy.measure import GOAL, PIECE, POINTS, measure, values, verdict
from torsh_conformance.accuracy.points import errors, near_root, points, unit
from torsh_conformance.accuracy.truth import EXACT, exactly, exactly_at
from torsh_conformance.runner import Target

NUMPY = Target("numpy", "cpu")
FUNCTIONS = {f.label: f for f in all_functions()}

# What is allowed to be above 4 ulp, as it is in PyTorch, with the reason.
SUBNORMAL = "subnormal results only: exp overflows or underflows on the way to them"
DIFFERENCE = "a difference of what the two operands' rounding leaves: the definition of the op"
ABOVE = {
    ("sigmoid", "float32"): SUBNORMAL, ("sigmoid", "float64"): SUBNORMAL, ("silu", "float32"): SUBNORMAL,
    ("silu", "float64"): SUBNORMAL, ("mish", "float64"): SUBNORMAL, ("gelu", "float32"): SUBNORMAL,
    ("gelu", "float64"): SUBNORMAL,
    ("gelu(x, approximate='tanh')", "float64"): "the rounding of a cubic polynomial times its size in an exponent",
    ("logsumexp([x, 0])", "float32"): DIFFERENCE, ("logsumexp([x, 0])", "float64"): DIFFERENCE,
    ("log_softmax([x, 0])", "float32"): DIFFERENCE, ("log_softmax([x, 0])", "float64"): DIFFERENCE,
    ("digamma", "float64"): "25 ulp just outside what counts as near the roots below -1",
    **{(f"polygamma({n}, x)", "float64"): "12 ulp just outside what counts as near roots" for n in (2, 8)},
    **{(f"{f}(100.0, x)", "float64"): "5 ulp: the roundings of many terms" for f in ("igamma", "igammac")},
    **{(f"bessel_{n}", "float64"): "5 ulp: the sum of sine and cosine, of numbers above 24" for n in ("j0", "j1", "y0", "y1")},
    **{("airy_ai", d): "the phase of numbers below -1e10 has no digits in two float64" for d in ("float32", "float64")},
}  # fmt: skip


def check(label, dtype, count):
    row = measure(FUNCTIONS[label], dtype, count, [NUMPY])
    own, theirs = row.errors["numpy"], row.errors["PyTorch"]
    assert not own.refused and row.points > 0
    limit = max(GOAL, theirs.largest or 0.0) if (label, dtype) in ABOVE else GOAL
    assert own.largest is None or own.largest <= limit, (
        f"{own.largest:.3g} ulp at {own.at!r}, the limit is {limit:.3g}; PyTorch has {theirs.largest!r}"
    )


@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.parametrize("label", FUNCTIONS)
def test_at_most_4_ulp_or_as_pytorch(label, dtype):
    check(label, dtype, 90)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.parametrize("label", FUNCTIONS)
def test_at_many_points(label, dtype):
    check(label, dtype, POINTS[dtype] // 10)


def test_every_function_has_an_exact_value():
    assert len(FUNCTIONS) > 100
    assert {f.op for f in FUNCTIONS.values()} <= set(EXACT)


def test_what_is_exempt_exists_and_nothing_in_float32_but_these():
    assert {label for label, _ in ABOVE} <= set(FUNCTIONS)
    assert {label for label, dtype in ABOVE if dtype == "float32"} == {
        "sigmoid", "silu", "gelu", "logsumexp([x, 0])", "log_softmax([x, 0])", "airy_ai",
    }  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arrays_have_their_own_loops(dtype):
    """The loops for large arrays agree with the kernels of small ones to a few ulp."""
    x = np.random.default_rng(0).normal(0, 6, 70_000).astype(dtype)
    for label in "erfc ndtr log_ndtr gelu mish tanhshrink sigmoid silu lgamma digamma sinc i0 i1e".split():
        with registry.use("numpy"):
            large, small = values(FUNCTIONS[label], torsh, x)
        size = np.abs(small)
        with np.errstate(all="ignore"):
            far = np.abs(large.astype(np.float64) - small) > 16 * np.spacing(np.maximum(size, np.finfo(dtype).tiny))
        assert not (far & np.isfinite(small)).any(), label
    assert x.size > PIECE


# ---- the measuring itself --------------------------------------------------------------------------------------------


def test_exact_values():
    f = Function("erfc", "torch.erfc")
    high, low = exactly(f, 0.5)
    assert high == math.erfc(0.5) or abs(high - math.erfc(0.5)) <= math.ulp(high)
    assert abs(low) <= math.ulp(high) / 2
    assert exactly(Function("log", "torch.log"), -1.0)[0] != exactly(Function("log", "torch.log"), -1.0)[0]  # nan
    assert exactly(Function("exp", "torch.exp"), 1e4) == (math.inf, 0.0)
    # Known values: https://dlmf.nist.gov/5.4, /9.2, /10.7
    assert exactly(FUNCTIONS["lgamma"], 0.5)[0] == 0.5723649429247001
    assert exactly(FUNCTIONS["digamma"], 1.0)[0] == -0.5772156649015329
    assert exactly(FUNCTIONS["airy_ai"], 0.0)[0] == 0.3550280538878172
    assert exactly(FUNCTIONS["polygamma(1, x)"], 1.0)[0] == math.pi**2 / 6


def exactly_mp(label, x):
    """The same from mpmath, written down once more."""
    from mpmath import mp, mpf

    functions = {
        "exp": mp.exp, "log1p": mp.log1p, "tan": mp.tan, "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
        "log_ndtr": lambda x: mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2), "erfinv": mp.erfinv,
        "ndtri": lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1), "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
        "digamma": mp.digamma, "polygamma(1, x)": lambda x: mp.zeta(2, x), "zeta(12.0, x)": lambda x: mp.zeta(12, x),
        "polygamma(8, x)": lambda x: -mp.factorial(8) * mp.zeta(9, x),
        "mvlgamma(x, 3)": lambda x: 1.5 * mp.log(mp.pi) + sum(mp.loggamma(x - mpf(j) / 2) for j in range(3)),
        "igamma(3.0, x)": lambda x: mp.gammainc(3, 0, x, regularized=True),
        "igammac(0.5, x)": lambda x: mp.gammainc(0.5, x, regularized=True),
        "bessel_j0": lambda x: mp.besselj(0, x), "bessel_y1": lambda x: mp.bessely(1, x),
        "i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), "modified_bessel_k0": lambda x: mp.besselk(0, x),
        "airy_ai": mp.airyai,
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        "tanhshrink": lambda x: x - mp.tanh(x), "logaddexp(2.5, x)": lambda x: mp.log(mp.exp(2.5) + mp.exp(x)),
    }  # fmt: skip
    if label is None:
        return functions
    with mp.workprec(300):
        value = functions[label](mpf(x))
        return float(value), float(value - float(value))


@pytest.mark.parametrize("label", exactly_mp(None, 0))
def test_exact_values_are_those_of_mpmath(label):
    """Two libraries and two ways of writing a function agree to 75 bits."""
    for x in (1.0 + 2.0**-52, 1.75, 30.5, 6.0, 0.875, 2.0**-30):
        if not (label in ("erfinv", "ndtri") and x >= 1 or label == "mvlgamma(x, 3)" and x <= 1):
            high, low = exactly(FUNCTIONS[label], x)
            other, rest = exactly_mp(label, x)
            assert abs((high - other) + (low - rest)) <= abs(other) * 2.0**-75, x


def test_exact_values_far_out():
    """Values where precision, range or time runs out."""
    label = FUNCTIONS
    assert exactly(label["bessel_j0"], 1e300)[0] == pytest.approx(-4.5e-151, abs=9e-151)
    assert exactly(label["sin"], 1e22) == (-0.8522008497671888, pytest.approx(0, abs=2.0**-54))  # a well-known one
    assert exactly(label["modified_bessel_i0"], 1e300) == (math.inf, 0.0)
    assert exactly(label["sigmoid"], -1e300) == (0.0, 0.0)
    assert exactly(label["igammac(3.0, x)"], 1e300) == (0.0, 0.0)
    assert exactly(label["lgamma"], -3.0)[0] == math.inf
    assert math.isnan(exactly(label["acosh"], 0.5)[0])
    with pytest.raises(ArithmeticError):
        exactly_at(lambda x: arb(x, 1.0), arb(0.5))  # no precision tells it from others


def test_the_precision_is_as_it_was():
    before = ctx.prec
    exactly(FUNCTIONS["sin"], 1e300)
    assert ctx.prec == before


def test_units_and_errors():
    exact = np.array([1.0, 1.5, 2.0, 0.0, 1e-45, 3e-39])
    assert unit(exact, "float32").tolist() == [2.0**-23, 2.0**-23, 2.0**-22, 2.0**-149, 2.0**-149, 2.0**-149]
    found = np.array([1 + 2.0**-23, np.nan, np.inf], np.float32)
    assert errors(found, np.ones(3), np.zeros(3), "float32").tolist() == [1.0, math.inf, math.inf]
    # The second part of the exact value counts.
    assert errors(np.array([1.0]), np.array([1.0]), np.array([2.0**-54]), "float64").tolist() == [0.25]


def test_points_cover_the_type_and_the_domain():
    x = points(Function("log", "torch.log"), "float32", 3000)
    assert x.dtype == np.float32 and (x >= 0).all() and 2900 < x.size < 3300
    assert (x[x > 0] < np.finfo(np.float32).tiny).any() and x.max() == np.finfo(np.float32).max
    assert (np.abs(x - 1) < 1e-6).sum() > 20
    again = points(Function("log", "torch.log"), "float32", 3000)
    assert np.array_equal(x, again)


def test_near_root():
    f = FUNCTIONS["bessel_j0"]
    x = np.array([0.1, 2.4048, 2.5, 1000.0])
    exact = np.array([exactly(f, v)[0] for v in x])
    assert near_root(f, x, exact).tolist() == [False, True, False, bool(abs(exact[3]) < 0.0252 / 16)]
    assert not near_root(FUNCTIONS["log"], np.array([1.0]), np.array([0.0])).any()


def test_verdicts():
    row = measure(FUNCTIONS["exp"], "float32", 30, [NUMPY])
    assert verdict(row, "numpy") == "good"
    row.errors["numpy"].largest = 9.0
    row.errors["PyTorch"].largest = 9.5
    assert verdict(row, "numpy") == "as PyTorch"
    row.errors["PyTorch"].largest = 8.5
    assert verdict(row, "numpy") == "worse"
    del row.errors["PyTorch"]
    assert verdict(row, "numpy") == "above"
    assert verdict(row, "cupy") == "none"


def test_a_wrong_kernel_is_seen():
    from torsh_numpy.backend import NumpyBackend

    class Off(NumpyBackend):
        """tanh is off by 2**-18 of its size."""

        name = "off"

        def kernel(self, name, dtype):
            found = super().kernel(name, dtype)
            return found if name != "tanh" else lambda x: found(x) * x.dtype.type(1 + 2.0**-18)

    registry.register(Off())
    try:
        row = measure(FUNCTIONS["tanh"], "float32", 300, [Target("off", "cpu")])
    finally:
        registry._loaded.pop("off")
    assert verdict(row, "off") == "worse"
    assert row.errors["off"].largest > 30


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf", "rsqrt", "sinh", "lgamma"])
def test_half_is_rounded_once(name, dtype):
    """Computed one size up: the result is the nearest half of the float32 result."""
    kind = getattr(torsh, dtype)
    with registry.use("numpy"):
        x = torsh.from_numpy(np.random.default_rng(2).uniform(0.1, 8, 500).astype(np.float32)).to(kind)
        found = getattr(torsh, name)(x)
        wide = getattr(torsh, name)(x.to(torsh.float32)).to(kind)
        assert torsh.equal(found, wide)


# ---- what is exact by other means ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, 1000])
def test_gradient_of_logcumsumexp(n):
    """The running sum is taken in float64, or its gradient would be the exponential of its error."""
    x = np.random.default_rng(0).normal(0, 10, n)
    exact = np.logaddexp.accumulate(x.astype(np.float32).astype(np.float64))
    with registry.use("numpy"):
        t = torsh.tensor(x.astype(np.float32), requires_grad=True)
        out = t.logcumsumexp(0)
        assert np.abs(out.detach().numpy() - exact).max() <= np.spacing(np.float32(np.abs(exact).max()))
        out.sum().backward()
    reference = torch.tensor(x.astype(np.float32).astype(np.float64), requires_grad=True)
    reference.logcumsumexp(0).sum().backward()
    single = torch.tensor(x.astype(np.float32), requires_grad=True)
    single.logcumsumexp(0).sum().backward()
    off = lambda g: np.max(np.abs(g.numpy() - reference.grad.numpy()) / np.abs(reference.grad.numpy()))
    assert off(t.grad) <= 1.5 * off(single.grad) < 1e-4


@pytest.mark.parametrize("ord", [math.inf, -math.inf])
def test_gradient_of_a_complex_maximum_norm(ord):
    """The place of the maximum is found although the norm's kernel may round magnitudes otherwise than abs."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(40, 5)) + 1j * rng.normal(size=(40, 5))).astype(np.complex64)
    t = torsh.tensor(x, requires_grad=True)
    torsh.linalg.vector_norm(t, ord, 1).sum().backward()
    at = np.abs(x.astype(np.complex128))
    at = at == (at.max(1) if ord > 0 else at.min(1))[:, None]
    np.testing.assert_allclose(t.grad.numpy(), np.where(at, x / np.abs(x), 0), rtol=1e-6)
    t = torsh.tensor(x, requires_grad=True)
    torsh.renorm(t, math.inf, 0, 0.5).abs().sum().backward()
    assert np.isfinite(t.grad.numpy()).all()


@pytest.mark.parametrize("shape", [(4, 1), (2, 3, 1)])
def test_layer_norm_over_one_element_has_no_noise(shape):
    """The normal form of one number is 0: so are the gradients of input and weight (PyTorch's are rounding errors)."""
    x = torsh.tensor(np.random.default_rng(1).normal(0, 5, shape).astype(np.float32), requires_grad=True)
    weight, bias = (torsh.tensor([v], requires_grad=True) for v in (1.7, 0.2))
    out = torsh.nn.functional.layer_norm(x, (1,), weight, bias)
    (out**3).sum().backward()
    assert (out == bias).all() and (x.grad == 0).all() and (weight.grad == 0).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_special_functions_at_their_ends(kind):
    """Infinities, nan, zeros, poles: as PyTorch."""
    x = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, 8.0, 24.0, 25.0, -2.0, -1.5], kind)
    calls = [lambda m, x, n=n: getattr(m.special, n)(x) for n in (
        "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0", "i0e", "i1", "i1e", "erfcx", "digamma")]  # fmt: skip
    # Not at negative integers and infinity: there PyTorch has large numbers and nan.
    calls += [
        lambda m, x, n=n: m.special.polygamma(n, x[((x >= 0) | (x != x.floor())) & (x < math.inf)]) for n in (1, 2, 3)
    ]
    finite = lambda x: x[x < math.inf]  # at infinity PyTorch's is nan, not 0
    zeta = lambda m, x, s: m.special.zeta(m.full_like(x, s), x)
    calls += [lambda m, x, s=s: zeta(m, finite(x), s) for s in (0.5, 1.0, 1.5, 2.0, math.inf, math.nan)]
    calls += [lambda m, x, a=a: m.special.gammainc(m.full_like(x, a), x) for a in (0.0, 0.5, 3.0, 1e4)]
    calls += [lambda m, x, a=a: m.special.gammaincc(m.full_like(x, a), x) for a in (0.0, 0.5, 3.0, 1e4)]
    with registry.use("numpy"):
        for i, call in enumerate(calls):
            ours, theirs = call(torsh, torsh.from_numpy(x)).numpy(), call(torch, torch.from_numpy(x)).numpy()
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-7, err_msg=str(i))
