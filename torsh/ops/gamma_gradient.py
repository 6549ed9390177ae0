"""How a gamma draw moves with its concentration: the implicit reparameterised derivative.

A draw x is the quantile of some fixed probability, so with the distribution's CDF F and density p its derivative with respect to
the concentration a is ``-(dF/da) / p``.  dF/da has no closed form; as in PyTorch three approximations share the plane: a power
series for small x, a saddle point expansion for large a (with its limit where x is near a, where it would cancel), and a
rational function of log(x/a) and log(a) fitted to the rest.  They agree with the derivative to 1e-4.
Source: M. Figurnov, S. Mohamed, A. Mnih, Implicit Reparameterization Gradients (2018), https://arxiv.org/abs/1805.08498;
the saddle point expansion: S. Rice (1968); the fit's coefficients: PyTorch, aten/src/ATen/native/Distributions.h.
"""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._op import primitive
from torsh.ops.arithmetic import where
from torsh.ops.special import digamma

# Up to where the series is used: 0.8 in single precision, as PyTorch has it.
_SMALL = 0.800000011920929
# Coefficients of (numerator, then denominator) as polynomials in log(a), each a quadratic in log(x/a).
_FIT = (
    (0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1.0, 0.32668115, 0.10406089, 0.0014179084),
    (0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623),
    (
        0.040121004,
        -0.0065914022,
        -0.0026286047,
        -0.0013441777,
        0.017050642,
        -0.0021309326,
        0.00085092367,
        -1.5247877e-07,
    ),
)


def _series(a: Any, x: Any) -> Any:
    """For x < 0.8: F = x**a * sum((-x)**i / (i! (a + i))) / gamma(a), differentiated term by term."""
    power, weight = 1.0, a
    value, slope = power / weight, power / (weight * weight)
    for i in range(1, 6):
        power = power * (-x / i)
        weight = weight + 1
        value = value + power / weight
        slope = slope + power / (weight * weight)
    # (dF/da) / p, with x**a / (x**(a - 1) exp(-x)) = x exp(x)
    found = -((x.log() - digamma(a)) * value - slope) * x * x.exp()
    return where(found.isnan(), 0.0, found)


def _near(a: Any, x: Any) -> Any:
    """For large a and x within a tenth of it: the limit of the saddle point expansion."""
    first = 1 + 24 * a * (1 + 12 * a)
    second = 1440 * a * a + 6 * x * (53 - 120 * x) - 65 * x * x / a + a * (107 + 3600 * x)
    return first * second / (1244160 * (a * a) * (a * a))


def _saddle(a: Any, x: Any) -> Any:
    """For large a: Rice's saddle point expansion."""
    scale = (8 * a).sqrt()
    near, far = scale / (a - x), (x - a - a * (x / a).log()).pow(-1.5)
    both = where(x < a, near - far, near + far)
    slope = (x / a).log() * both - (2 / a).sqrt() * (a + x) / ((a - x) * (a - x))
    stirling = 1 + (1 + 1 / (24 * a)) / (12 * a)
    return -stirling * x * slope / scale


def _fitted(a: Any, x: Any) -> Any:
    """For the rest: exp of a rational function."""
    u, v = (x / a).log(), a.log()
    c = [c0 + u * (c1 + u * c2) for c0, c1, c2 in zip(*_FIT)]
    top = c[0] + v * (c[1] + v * (c[2] + v * c[3]))
    return (top / (c[4] + v * (c[5] + v * (c[6] + v * c[7])))).exp()


def _computed(input: Any, output: Any) -> Any:
    a, x = input.to(dtypes.float64), output.to(dtypes.float64)
    large = where((x >= 0.9 * a) & (x <= 1.1 * a), _near(a, x), _saddle(a, x))
    return where(x < _SMALL, _series(a, x), where(a > 8, large, _fitted(a, x))).to(input.dtype)


def _no_second(g: Any) -> Any:
    raise NotImplementedError(
        "the derivative for '_standard_gamma_grad' is not implemented: it is an approximation by pieces"
    )


@primitive("torch._standard_gamma_grad", name="_standard_gamma_grad", args="input output",
           grad={"input": _no_second, "output": _no_second}, decompose=_computed,
           meta=lambda input, output: (input.shape, input.dtype))  # fmt: skip
def standard_gamma_grad(input, output):
    """The derivative of gamma draws ``output`` with respect to their concentrations ``input``.

    >>> import torsh
    >>> a = torsh.tensor([2.], requires_grad=True)
    >>> x = torsh._standard_gamma(a)
    >>> x.backward()
    >>> bool(torsh.allclose(a.grad, torsh._standard_gamma_grad(a, x)))
    True
    """
    return (input, output)


@primitive("", args="input draws", node_name="StandardGammaBackward0",
           grad={"input": lambda g, input, draws: g * standard_gamma_grad(input, draws)},
           meta=lambda input, draws: (draws.shape, draws.dtype), decompose=lambda input, draws: draws.clone())  # fmt: skip
def drawn_gamma(input, draws):
    """The draws, with their place in the graph."""
    return (input, draws)


__all__ = ["drawn_gamma", "standard_gamma_grad"]
