"""How exact the NumPy backend's elementwise functions are, in units in the last place (ulp), beside PyTorch's.

The functions are found among the declarations, the exact values are mpmath's; see ``torsh_conformance.accuracy``.  A
few points here; ``torsh conform --accuracy`` takes many.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torsh
from torsh import registry
from torsh_conformance.accuracy.functions import Function, all_functions
from torsh_conformance.accuracy.measure import GOAL, PIECE, POINTS, measure, values, verdict
from torsh_conformance.accuracy.points import errors, near_root, points, unit
from torsh_conformance.accuracy.truth import EXACT, exactly
from torsh_conformance.runner import Target

NUMPY = Target("numpy", "cpu")
FUNCTIONS = {f.label: f for f in all_functions()}

# What is allowed to be above 4 ulp, as it is in PyTorch, with the reason.
SUBNORMAL = "subnormal results only: exp overflows or underflows on the way to them"
DIFFERENCE = "a difference of what the two operands' rounding leaves: the definition of the op"
SCIPY = "SciPy's, as PyTorch's the translation of Cephes"
ABOVE = {
    ("sigmoid", "float32"): SUBNORMAL, ("sigmoid", "float64"): SUBNORMAL, ("silu", "float32"): SUBNORMAL,
    ("silu", "float64"): SUBNORMAL, ("mish", "float64"): SUBNORMAL, ("gelu", "float32"): SUBNORMAL,
    ("gelu", "float64"): SUBNORMAL,
    ("gelu(x, approximate='tanh')", "float64"): "the rounding of a cubic polynomial times its size in an exponent",
    ("logsumexp([x, 0])", "float32"): DIFFERENCE, ("logsumexp([x, 0])", "float64"): DIFFERENCE,
    ("log_softmax([x, 0])", "float32"): DIFFERENCE, ("log_softmax([x, 0])", "float64"): DIFFERENCE,
    ("digamma", "float64"): "12 ulp just outside what counts as near the root at -0.504",
    **{(f"polygamma({n}, x)", "float64"): SCIPY for n in (2, 3, 8)},
    **{(f"zeta({s}, x)", "float64"): SCIPY for s in (1.5, 2.0, 12.0)},
    **{(f"{f}({a}, x)", "float64"): SCIPY for f in ("igamma", "igammac") for a in (0.5, 3.0, 100.0)},
    **{(f"bessel_{n}", "float64"): SCIPY for n in ("j0", "j1", "y0", "y1")},
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
    for label in "erfc ndtr log_ndtr gelu mish tanhshrink sigmoid silu lgamma digamma sinc".split():
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


@pytest.mark.parametrize("label", ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai", "i0e", "i1e",
                                   "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"])  # fmt: skip
def test_expansions_meet(label):
    """Where an exact value passes from mpmath's function to an expansion, both give the same."""
    from mpmath import mp, mpf

    from torsh_conformance.accuracy import truth

    exact = EXACT[FUNCTIONS[label].op]
    x = mpf({"airy_ai": -41.5, "scaled_modified_bessel_k0": 60.5, "scaled_modified_bessel_k1": 60.5}.get(label, 101.5))
    integral = lambda n: mp.quad(lambda t: mp.exp(-x * (mp.cosh(t) - 1)) * mp.cosh(n * t), [0, 0.25, 0.5, 1, 2, 3])
    direct = {
        "bessel_j0": lambda: mp.besselj(0, x), "bessel_j1": lambda: mp.besselj(1, x),
        "bessel_y0": lambda: mp.bessely(0, x), "bessel_y1": lambda: mp.bessely(1, x), "airy_ai": lambda: mp.airyai(x),
        "i0e": lambda: mp.besseli(0, x) * mp.exp(-x), "i1e": lambda: mp.besseli(1, x) * mp.exp(-x),
        "scaled_modified_bessel_k0": lambda: integral(0),
        "scaled_modified_bessel_k1": lambda: integral(1),
    }[label]  # fmt: skip
    with mp.workprec(truth.PRECISION):
        expanded = exact(x)
        with mp.workprec(300):
            assert abs(expanded - direct()) < abs(expanded) * mpf(2) ** -120


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
