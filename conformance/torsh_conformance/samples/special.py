"""Samples of special functions with parameters or a narrow domain."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.polygamma", "torch.special.polygamma")
def polygamma(make):
    for n in (0, 1, 2, 5):
        yield S(n, make(3, 4, low=0.3, high=5)).named(f"n={n}")
        yield S(n, make(3, 4, low=-5, high=0.3)).named(f"n={n}, mostly negative")
    yield S(2, make.special()).named("special values").without("grad")
    yield S(1, make(4, 3, low=0.3, high=5).T).named("transposed")


@samples("torch.mvlgamma", "torch.special.multigammaln")
def mvlgamma(make):
    yield S(make(3, 4, low=3, high=6), 1)
    yield S(make(4, 3, low=3, high=6).T, 4).named("transposed")
    yield S(make(2, low=3), 0).named("wrong p")


@samples("torch.logit", "torch.special.logit")
def logit(make):
    yield S(make(3, 4, low=0.55, high=0.95))
    yield S(make(3, 4, low=0.001, high=0.999)).named("the whole domain")
    yield S(make(3, 4, low=0.4999, high=0.5001)).named("near the root")
    yield S(make.special()).named("special values").without("grad")
    yield S(make(4, 3).T, eps=0.1).named("eps")
    yield S(make(5)).named("outside").without("grad")


@samples("torch.igamma", "torch.igammac", "torch.special.gammainc", "torch.special.gammaincc")
def igamma(make):
    yield S(make(3, 4, low=0.3, high=5), make(3, 4, low=0.3, high=5))
    # From about 20 on PyTorch's float64 is off by 2e-10 (mpmath; 2e-16 here): the exact value decides.
    yield S(make(3, 4, low=60, high=150), make(3, 4, low=60, high=150)).named("large")
    yield S(make(3, 1, low=0.3, high=5), make(4, low=10, high=30)).named("broadcast")
    yield S(make(0, low=1), make(0, low=1)).named("empty")


@samples("torch.special.zeta")
def zeta(make):
    yield S(make(3, 4, low=1.2, high=5), make(3, 4, low=0.3, high=5))
    yield S(make(3, low=1.2, high=5), 2).named("number")
    yield S(2.5, make(3, low=0.3, high=5)).named("number first")


@samples(
    "torch.special.bessel_y0",
    "torch.special.bessel_y1",
    "torch.special.modified_bessel_k0",
    "torch.special.modified_bessel_k1",
    "torch.special.scaled_modified_bessel_k0",
    "torch.special.scaled_modified_bessel_k1",
)
def positive(make):
    yield S(make(3, 4, low=0.1, high=9))
    yield S(make(3, 4, low=4.9, high=30)).named("large")
    yield S(make(4, 3).T).named("transposed")
    yield S(make(0, 2)).named("empty")


@samples("torch.special.bessel_j0", "torch.special.bessel_j1")
def bessel(make):
    # Between 5 and 10 PyTorch is off in float64 too, by 4e-7 (mpmath; 2.7e-16 here): the exact value decides there.
    yield S(make(3, 4))
    yield S(make(4, 3, low=-30, high=30).T).named("transposed")
    yield S(make()).named("0-d")


@samples("torch.sinc", "torch.special.sinc")
def sinc(make):
    yield S(make(3, 4))
    yield S(make(4, 3).T).named("transposed")
    yield S(make(0, 3)).named("empty")
    # The product of the largest number with pi overflows in PyTorch, which gives nan.
    yield S(make.special()).named("special values").without("grad")


@samples("torch.special.airy_ai")
def airy_ai(make):
    yield S(make(3, 4))
    yield S(make.special()).named("special values")
    yield S(make(4, 3, low=-30, high=20).T).named("transposed")
    yield S(make(5, low=90, high=200)).named("underflow")
    yield S(make()).named("0-d")


@samples(
    *(f"torch.special.{s}chebyshev_polynomial_{k}" for s in ("", "shifted_") for k in "tuvw"),
    "torch.special.hermite_polynomial_h",
    "torch.special.hermite_polynomial_he",
    "torch.special.laguerre_polynomial_l",
    "torch.special.legendre_polynomial_p",
)
def polynomial(make):
    yield S(make(3, 4), make.ints(3, 4, low=-1, high=8))
    yield S(make(3, 1, low=-1, high=1), make.ints(4, low=5, high=14)).named("broadcast")
    yield S(make(5), 3).named("number")
    yield S(0.3, make.ints(5)).named("number first")
