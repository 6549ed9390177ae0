"""Special functions (torch.special), element by element."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.ops._pointwise import FLOAT, binary, nary, unary
from torsh.ops.arithmetic import conj, where
from torsh.ops.pointwise import cos, exp, log, log1p, sgn, sin
from torsh.tensor import Tensor

_SQRT_PI = math.sqrt(math.pi)
_SQRT_2 = math.sqrt(2)
_SQRT_2PI = math.sqrt(2 * math.pi)
_REAL = "complex"  # what functions of real numbers refuse


# ---- error function
# ------------------------------------------------------------------------------------------------------


@unary(
    "torch.erf Tensor.erf torch.special.erf",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input: g * (exp(-input * input) * (2 / _SQRT_PI)),
)
def erf(input):
    """The error function.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.erf

    >>> import torsh
    >>> torsh.erf(torsh.tensor([0., 1., 10.]))
    tensor([0.0000, 0.8427, 1.0000])
    """


@unary(
    "torch.erfc Tensor.erfc torch.special.erfc",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input: g * (exp(-input * input) * (-2 / _SQRT_PI)),
)
def erfc(input):
    """1 - erf(x), exact for large x.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.erfc

    >>> import torsh
    >>> torsh.erfc(torsh.tensor([0., 1., 10.]))
    tensor([1.0000e+00, 1.5730e-01, 1.4013e-45])
    """


@unary("torch.special.erfcx", FLOAT, refuse=_REAL, grad=lambda g, input, out: g * (2 * input * out - 2 / _SQRT_PI))
def erfcx(input):
    """exp(x**2) * erfc(x).

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.erfcx

    >>> import torsh
    >>> torsh.special.erfcx(torsh.tensor([0., 30.]))
    tensor([1.0000, 0.0188])
    """


@unary(
    "torch.erfinv Tensor.erfinv torch.special.erfinv",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, out: g * (exp(out * out) * (_SQRT_PI / 2)),
)
def erfinv(input):
    """The inverse of the error function, for -1 to 1.

    nan outside -1 to 1, infinite at the ends. Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.erfinv

    >>> import torsh
    >>> torsh.erfinv(torsh.tensor([0., 0.5, 1.]))
    tensor([0.0000, 0.4769,    inf])
    """


@unary("torch.special.ndtr", FLOAT, refuse=_REAL, grad=lambda g, input: g * (exp(input * input * -0.5) / _SQRT_2PI))
def ndtr(input):
    """The area under the standard normal density left of x.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.ndtr

    >>> import torsh
    >>> torsh.special.ndtr(torsh.tensor([-1.96, 0., 1.96]))
    tensor([0.0250, 0.5000, 0.9750])
    """


@unary("torch.special.ndtri", FLOAT, refuse=_REAL, grad=lambda g, out: g * (exp(out * out * 0.5) * _SQRT_2PI))
def ndtri(input):
    """The inverse of ndtr.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.ndtri

    >>> import torsh
    >>> torsh.special.ndtri(torsh.tensor([0.025, 0.5, 1.]))
    tensor([-1.9600,  0.0000,     inf])
    """


@unary(
    "torch.special.log_ndtr",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input: g / erfcx(input * (-1 / _SQRT_2)) * math.sqrt(2 / math.pi),
)
def log_ndtr(input):
    """log(ndtr(x)), exact for very negative x.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.log_ndtr

    >>> import torsh
    >>> torsh.special.log_ndtr(torsh.tensor([-40., 0.]))
    tensor([-8.0461e+02, -6.9315e-01])
    """


# ---- gamma function
# ------------------------------------------------------------------------------------------------------


@unary(
    "torch.lgamma Tensor.lgamma torch.special.gammaln", FLOAT, refuse=_REAL, grad=lambda g, input: g * digamma(input)
)
def lgamma(input):
    """The logarithm of the size of the gamma function.

    Bools and integers are computed in the default floating type.
    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.gammaln

    >>> import torsh
    >>> torsh.lgamma(torsh.tensor([1., 0.5, 5.]))
    tensor([0.0000, 0.5724, 3.1781])
    """


@unary(
    "torch.digamma Tensor.digamma torch.special.digamma torch.special.psi",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input: g * polygamma(1, input),
)
def digamma(input):
    """The derivative of lgamma.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.digamma

    >>> import torsh
    >>> torsh.digamma(torsh.tensor([1., 0.5]))
    tensor([-0.5772, -1.9635])
    """


@nary(
    "torch.polygamma torch.special.polygamma",
    FLOAT,
    keep="n",
    refuse=_REAL,
    inplace=False,
    grad={"input": lambda g, n, input: g * polygamma(n + 1, input)},
)
def polygamma(n, input):
    """The n-th derivative of digamma.

    n: an integer, not negative (RuntimeError).
    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.polygamma

    >>> import torsh
    >>> torsh.polygamma(1, torsh.tensor([1., 0.5]))
    tensor([1.6449, 4.9348])
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"polygamma(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n; got n={n}")
    return (n, input)


@composite("Tensor.polygamma", name="polygamma_method", inplace=True)
def _polygamma_method(self, n):
    """The n-th derivative of digamma.

    n: the order of the derivative, a non-negative int.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.polygamma.html

    >>> import torsh
    >>> torsh.tensor([1., 0.5]).polygamma(1)
    tensor([1.6449, 4.9348])
    """
    return polygamma(n, self)


@composite("torch.mvlgamma Tensor.mvlgamma torch.special.multigammaln", out=True, inplace=True)
def mvlgamma(input, p):
    """The multivariate log-gamma function of dimension ``p``, for elements above ``(p - 1) / 2``.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.multigammaln

    >>> import torsh
    >>> torsh.mvlgamma(torsh.tensor([2.5, 3.]), 2)
    tensor([0.8570, 1.5502])
    """
    if check_tensor(input, "mvlgamma").dtype is dtypes.bool or input._kind.complex:
        raise RuntimeError(f"The input tensor may not be a boolean or complex tensor; got {input.dtype}")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1; got p={p}")
    if not input._kind.inexact:
        input = input.to(dtypes.get_default_dtype())
    total = lgamma(input)
    for j in range(1, p):
        total = total + lgamma(input - j / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


def _igamma_grad(g: Any, input: Any, other: Any) -> Any:
    return g * exp((input - 1) * log(other) - other - lgamma(input))


@binary(
    "torch.igamma Tensor.igamma torch.special.gammainc",
    numbers="none",
    refuse="bool int complex",
    grad={"other": lambda g, input, other: _igamma_grad(g, input, other)},
)
def igamma(input, other):
    """The regularised lower incomplete gamma function of ``input`` at ``other``; differentiable in ``other`` only.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.gammainc

    >>> import torsh
    >>> torsh.igamma(torsh.tensor([4.]), torsh.tensor([3., 4., 5.]))
    tensor([0.3528, 0.5665, 0.7350])
    """


@binary(
    "torch.igammac Tensor.igammac torch.special.gammaincc",
    numbers="none",
    refuse="bool int complex",
    grad={"other": lambda g, input, other: -_igamma_grad(g, input, other)},
)
def igammac(input, other):
    """The regularised upper incomplete gamma function of ``input`` at ``other``; differentiable in ``other`` only.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.gammaincc

    >>> import torsh
    >>> torsh.igammac(torsh.tensor([4.]), torsh.tensor([3., 4., 5.]))
    tensor([0.6472, 0.4335, 0.2650])
    """


@binary(
    "torch.special.zeta",
    FLOAT,
    refuse=_REAL,
    grad={"other": lambda g, input, other: g * -input * zeta(input + 1, other)},
)
def zeta(input, other):
    """The Hurwitz zeta function; differentiable in ``other`` only.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.zeta

    >>> import torsh
    >>> torsh.special.zeta(torsh.tensor([2.]), torsh.tensor([1., 2.]))
    tensor([1.6449, 0.6449])
    """


# ---- logarithms
# ----------------------------------------------------------------------------------------------------------


@unary("torch.special.entr", FLOAT, refuse=_REAL, grad=lambda g, input: g * -(1 + log(input)))
def entr(input):
    """-x * log(x); 0 at 0, -inf below.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.entr

    >>> import torsh
    >>> torsh.special.entr(torsh.tensor([-0.5, 0., 0.5]))
    tensor([  -inf, 0.0000, 0.3466])
    """


def _times_log(g: Any, input: Any, other: Any, log_of: Any, lowest: float) -> Any:
    """g * log(other), 0 where the function does not depend on ``input``."""
    found = g * log_of(other if isinstance(other, Tensor) else input.new_full((), other))
    return where((input == 0) & (other <= lowest), 0, found)


@binary(
    "torch.xlogy Tensor.xlogy torch.special.xlogy",
    FLOAT,
    refuse=_REAL,
    grad={
        "input": lambda g, input, other: _times_log(g, input, other, log, 0.0),
        "other": lambda g, input, other: g * input / other,
    },
)
def xlogy(input, other):
    """input * log(other), 0 where ``input`` is 0.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.xlogy

    >>> import torsh
    >>> torsh.xlogy(torsh.tensor([0., 2.]), torsh.tensor([0., 3.]))  # 0 where the first is 0
    tensor([0.0000, 2.1972])
    """


@binary(
    "torch.special.xlog1py",
    FLOAT,
    refuse=_REAL,
    grad={
        "input": lambda g, input, other: _times_log(g, input, other, log1p, -1.0),
        "other": lambda g, input, other: g * input / (other + 1),
    },
)
def xlog1py(input, other):
    """input * log(1 + other), 0 where ``input`` is 0.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.xlog1py

    >>> import torsh
    >>> torsh.special.xlog1py(torsh.tensor([0., 2.]), torsh.tensor([-1., 3.]))
    tensor([0.0000, 2.7726])
    """


def _logit_grad(g: Any, input: Any, eps: Any) -> Any:
    found = g / (input * (1 - input))
    if eps is None:
        return where((input < 0) | (input > 1), math.nan, found)
    return where((input < eps) | (input > 1 - eps), 0, found)


@nary("torch.logit Tensor.logit torch.special.logit", FLOAT, keep="eps", refuse=_REAL, grad={"input": _logit_grad})
def logit(input, eps=None):
    """log(x / (1 - x)).

    eps: values are first brought into eps to 1 - eps; without it, values outside 0 to 1 give nan.
    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.logit

    >>> import torsh
    >>> torsh.logit(torsh.tensor([0.1, 0.5, 1.]), eps=1e-6)
    tensor([-2.1972,  0.0000, 13.8023])
    """
    return (input, eps)


# ---- sine
# ----------------------------------------------------------------------------------------------------------------


def _sinc_grad(g: Any, input: Any) -> Any:
    x = input * math.pi
    below = x * input
    return where(below == 0, 0, g * conj((x * cos(x) - sin(x)) / below))


@unary("torch.sinc Tensor.sinc torch.special.sinc", FLOAT, grad=_sinc_grad, tags="holomorphic")
def sinc(input):
    """sin(pi x) / (pi x), 1 at 0.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.sinc

    >>> import torsh
    >>> torsh.sinc(torsh.tensor([0., 0.5, 1.5]))
    tensor([ 1.0000,  0.6366, -0.2122])
    """


# ---- Bessel functions
# ----------------------------------------------------------------------------------------------------


@unary("torch.i0 Tensor.i0 torch.special.i0", FLOAT, refuse=_REAL, grad=lambda g, input: g * i1(input))
def i0(input):
    """The modified Bessel function of the first kind of order 0.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.i0

    >>> import torsh
    >>> torsh.i0(torsh.tensor([0., 1.]))
    tensor([1.0000, 1.2661])
    """


@unary("torch.special.i0e", FLOAT, refuse=_REAL, grad=lambda g, input, out: g * (i1e(input) - sgn(input) * out))
def i0e(input):
    """exp(-|x|) * i0(x).

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.i0e

    >>> import torsh
    >>> torsh.special.i0e(torsh.tensor([0., 100.]))
    tensor([1.0000, 0.0399])
    """


@unary(
    "torch.special.i1",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input, out: g * where(input == 0, 0.5, i0(input) - out / input.masked_fill(input == 0, 1)),
)
def i1(input):
    """The modified Bessel function of the first kind of order 1.

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.i1

    >>> import torsh
    >>> torsh.special.i1(torsh.tensor([0., 1.]))
    tensor([0.0000, 0.5652])
    """


@unary(
    "torch.special.i1e",
    FLOAT,
    refuse=_REAL,
    grad=lambda g, input, out: (
        g * where(input == 0, 0.5, i0e(input) - out * (sgn(input) + 1 / input.masked_fill(input == 0, 1)))
    ),
)
def i1e(input):
    """exp(-|x|) * i1(x).

    Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.i1e

    >>> import torsh
    >>> torsh.special.i1e(torsh.tensor([0., 100.]))
    tensor([0.0000, 0.0397])
    """


_DOC = """{text}

Source: https://docs.pytorch.org/docs/stable/special.html#torch.special.{name}

>>> import torsh
>>> torsh.special.{name}(torsh.tensor([0.5, 2.]){more})
tensor({values})
"""


def _special(name: str, text: str, values: str) -> Any:
    """A function of one number without a gradient, as PyTorch has them.

    values: its values at 0.5 and 2, for the docs.
    """

    def declared(input):
        pass

    declared.__name__ = declared.__qualname__ = name
    declared.__doc__ = _DOC.format(name=name, text=text, values=values, more="")
    return unary(f"torch.special.{name}", FLOAT, refuse=_REAL, inplace=False)(declared)


airy_ai = _special("airy_ai", "The Airy function Ai.", "[0.2317, 0.0349]")
bessel_j0 = _special("bessel_j0", "The Bessel function of the first kind of order 0.", "[0.9385, 0.2239]")
bessel_j1 = _special("bessel_j1", "The Bessel function of the first kind of order 1.", "[0.2423, 0.5767]")
bessel_y0 = _special("bessel_y0", "The Bessel function of the second kind of order 0.", "[-0.4445,  0.5104]")
bessel_y1 = _special("bessel_y1", "The Bessel function of the second kind of order 1.", "[-1.4715, -0.1070]")
modified_bessel_i0 = _special(
    "modified_bessel_i0", "The modified Bessel function of the first kind of order 0.", "[1.0635, 2.2796]"
)
modified_bessel_i1 = _special(
    "modified_bessel_i1", "The modified Bessel function of the first kind of order 1.", "[0.2579, 1.5906]"
)
modified_bessel_k0 = _special(
    "modified_bessel_k0", "The modified Bessel function of the second kind of order 0.", "[0.9244, 0.1139]"
)
modified_bessel_k1 = _special(
    "modified_bessel_k1", "The modified Bessel function of the second kind of order 1.", "[1.6564, 0.1399]"
)
scaled_modified_bessel_k0 = _special(
    "scaled_modified_bessel_k0", "exp(x) times the modified Bessel function K0.", "[1.5241, 0.8416]"
)
scaled_modified_bessel_k1 = _special(
    "scaled_modified_bessel_k1", "exp(x) times the modified Bessel function K1.", "[2.7310, 1.0335]"
)
spherical_bessel_j0 = _special(
    "spherical_bessel_j0", "The spherical Bessel function of order 0: sin(x) / x.", "[0.9589, 0.4546]"
)


# ---- orthogonal polynomials
# ------------------------------------------------------------------------------------------------


def _polynomial(name: str, text: str, values: str) -> Any:
    """A family of polynomials: of degree ``n`` (truncated to an integer; 0 for negative ones) at ``input``.

    values: those of degree 2 at 0.5 and 2, for the docs.
    """

    def declared(input, n):
        pass

    declared.__name__ = declared.__qualname__ = name
    text += " of degree ``n`` at ``input``; either may be a number."
    declared.__doc__ = _DOC.format(name=name, text=text, values=values, more=", 2")
    return binary(f"torch.special.{name}", FLOAT, refuse=_REAL, inplace=False)(declared)


chebyshev_polynomial_t = _polynomial(
    "chebyshev_polynomial_t", "Chebyshev's polynomial of the first kind", "[-0.5000,  7.0000]"
)
chebyshev_polynomial_u = _polynomial(
    "chebyshev_polynomial_u", "Chebyshev's polynomial of the second kind", "[ 0., 15.]"
)
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "Chebyshev's polynomial of the third kind", "[-1., 11.]")
chebyshev_polynomial_w = _polynomial(
    "chebyshev_polynomial_w", "Chebyshev's polynomial of the fourth kind", "[ 1., 19.]"
)
shifted_chebyshev_polynomial_t = _polynomial("shifted_chebyshev_polynomial_t", "Chebyshev's T at 2x - 1", "[-1., 17.]")
shifted_chebyshev_polynomial_u = _polynomial("shifted_chebyshev_polynomial_u", "Chebyshev's U at 2x - 1", "[-1., 35.]")
shifted_chebyshev_polynomial_v = _polynomial("shifted_chebyshev_polynomial_v", "Chebyshev's V at 2x - 1", "[-1., 29.]")
shifted_chebyshev_polynomial_w = _polynomial("shifted_chebyshev_polynomial_w", "Chebyshev's W at 2x - 1", "[-1., 41.]")
hermite_polynomial_h = _polynomial("hermite_polynomial_h", "The physicists' Hermite polynomial", "[-1., 14.]")
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he", "The probabilists' Hermite polynomial", "[-0.7500,  3.0000]"
)
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "Laguerre's polynomial", "[ 0.1250, -1.0000]")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", "Legendre's polynomial", "[-0.1250,  5.5000]")
