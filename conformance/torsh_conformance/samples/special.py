"""Samples of special functions with parameters or a narrow domain."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.polygamma", "torch.special.polygamma")
def polygamma(make):
    for n in (0, 1, 2, 5):
        yield S(n, make(3, 4, low=0.3, high=5)).named(f"n={n}")
    yield S(1, make(4, 3, low=0.3, high=5).T).named("transposed")


@samples("torch.mvlgamma", "torch.special.multigammaln")
def mvlgamma(make):
    yield S(make(3, 4, low=3, high=6), 1)
    yield S(make(4, 3, low=3, high=6).T, 4).named("transposed")
    yield S(make(2, low=3), 0).named("wrong p")


@samples("torch.logit", "torch.special.logit")
def logit(make):
    yield S(make(3, 4, low=0.55, high=0.95))
    yield S(make(4, 3).T, eps=0.1).named("eps")
    yield S(make(5)).named("outside").without("grad")


@samples("torch.igamma", "torch.igammac", "torch.special.gammainc", "torch.special.gammaincc")
def igamma(make):
    yield S(make(3, 4, low=0.3, high=5), make(3, 4, low=0.3, high=5))
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
    yield S(make(4, 3).T).named("transposed")
    yield S(make(0, 2)).named("empty")


@samples("torch.special.bessel_j0", "torch.special.bessel_j1")
def bessel(make):
    # Small numbers only: beyond, torsh and PyTorch differ by up to 3e-7 in float64; which is right is not established.
    yield S(make(3, 4))
    yield S(make(4, 3).T).named("transposed")
    yield S(make()).named("0-d")


@samples("torch.sinc", "torch.special.sinc")
def sinc(make):
    # Without the largest numbers, whose product with pi overflows in PyTorch.
    yield S(make(3, 4))
    yield S(make(4, 3).T).named("transposed")
    yield S(make(0, 3)).named("empty")
    if make.dtype.category >= 2:
        yield S(make.special()[:9]).named("special values").without("grad")


@samples("torch.special.airy_ai")
def airy_ai(make):
    # Without the largest numbers: there the sine of a phase that no float can resolve decides.
    yield S(make(3, 4))
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
