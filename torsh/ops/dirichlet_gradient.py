"""How a Dirichlet draw moves with its concentrations: the implicit reparameterised derivative.

Each component of a draw is a beta variable, whose derivative with respect to its first concentration is ``-(dF/da) / p`` with the CDF F
and the density p.  dF/da has no closed form; as in PyTorch four approximations share the space: power series for x near 0 and near
1, a saddle point expansion where both concentrations are large (with its limit around the mean, where it would cancel), and a
rational function of log x, log(a/x) and log(total x/a), fitted to the rest, times an estimate by digammas.
Source: M. Jankowiak, F. Obermeyer, Pathwise Derivatives Beyond the Reparameterization Trick (2018), https://arxiv.org/abs/1806.01851;
the fit's coefficients: PyTorch, aten/src/ATen/native/Distributions.h.
"""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.ops._op import primitive
from torsh.ops.arithmetic import where
from torsh.ops.special import digamma

# Of the numerator and the denominator: by powers of log x, of log(a/x), and of log(total x/a).
_FIT = (
    (
        ((1.003668233, -0.01061107488, -0.0657888334, 0.01201642863),
         (0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033),
         (-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013)),
        ((0.221950385, -0.3187676331, 0.01799915743, 0.01074823814),
         (-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057),
         (0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05)),
        ((-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565),
         (0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181),
         (0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05)),
    ),
    (
        ((1, -0.02924021934, -0.04438342661, 0.007285809825),
         (0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521),
         (-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149)),
        ((0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273),
         (0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956),
         (-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05)),
        ((0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05),
         (0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05),
         (-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06)),
    ),
)  # fmt: skip


def _low(x: Any, a: Any, b: Any) -> Any:
    """For x near 0, with respect to a: F as the series of x**(a + i) (1 - b)_i / (i! (a + i)), differentiated term by term."""
    slope = digamma(a) - digamma(a + b) - x.log()
    term = 1.0
    total = (slope + 1 / a) / a
    for i in range(1, 11):
        term = term * ((i - b) * x / i)
        total = total + term / (a + i) * (slope + 1 / (a + i))
    found = x * (1 - x).pow(-b) * total
    return where(found.isnan(), 0.0, found)


def _low_other(x: Any, a: Any, b: Any) -> Any:
    """For x near 0, with respect to b: the same series, whose factors (b - 1) ... (b - i) are differentiated along."""
    slope = digamma(a + b) - digamma(b)
    power, factors, change = 1.0, 1.0, 0.0
    total = slope / a
    for i in range(1, 9):
        power = power * (-x / i)
        change = change * (b - i) + factors
        factors = factors * (b - i)
        total = total + power / (a + i) * (change + slope * factors)
    found = -((1 - x).pow(1 - b)) * total
    return where(found.isnan(), 0.0, found)


def _around_mean(x: Any, a: Any, b: Any) -> Any:
    """For large a and b, x within a tenth of a standard deviation of the mean: the limit of the saddle point expansion."""
    n = a + b
    b2, y = b * b, 1 - x
    top = 8 * y * (135 * b - 11)
    top = (453 + 1620 * b * y - 455 * x) * b + a * top
    top = 3 * (59 + 180 * b - 90 * x) * b2 + a * top
    top = (43 + 20 * (16 + 27 * b) * x) * b2 * b + a * top
    top = 47 * x * b2 * b2 + a * top
    return (1 + 12 * a) * (1 + 12 * b) / (n * n) / y * top / (12960 * a * a * a * b2 * (1 + 12 * n))


def _stirling(t: Any) -> Any:
    return 1 + 1 / (12 * t) + 1 / (288 * t * t)


def _saddle(x: Any, a: Any, b: Any) -> Any:
    """For large a and b: Rice's saddle point expansion."""
    n = a + b
    off = a * (x - 1) + b * x
    pull = (a / (n * x)).log()
    distance = b * (b / (n * (1 - x))).log() + a * pull
    near = (2 * a * a * (x - 1) + a * b * (x - 1) - x * b * b) / ((2 * a / b).sqrt() * n.pow(1.5) * off * off)
    far = distance.pow(-1.5)
    sides = (8 * a * b / n).sqrt() / off + where(x < a / n, far, -far)
    scale = -x / (2 * a * b / n).sqrt() * (_stirling(a) * _stirling(b) / _stirling(n))
    return scale * (near + 0.5 * pull * sides)


def _fitted(x: Any, a: Any, n: Any) -> Any:
    """For the rest: an estimate by digammas times a rational function."""
    u = x.log()
    v = a.log() - u
    w = n.log() - v
    parts = []
    for table in _FIT:
        rows = [[c0 + w * (c1 + w * (c2 + w * c3)) for c0, c1, c2, c3 in row] for row in table]
        along = [r[0] + v * (r[1] + v * r[2]) for r in rows]
        parts.append(along[0] + u * (along[1] + u * along[2]))
    return parts[0] / parts[1] * (x * (digamma(n) - digamma(a)) / (n - a))


def _computed(x: Any, alpha: Any, total: Any) -> Any:
    # Which approximation is used follows from the numbers as they are; all are computed in double precision.
    edge, beta = total * x * (1 - x), total - alpha
    low, high = (x <= 0.5) & (edge < 2.5), (x >= 0.5) & (edge < 0.75)
    large = (alpha > 6) & (beta > 6)
    d, a, n = x.to(dtypes.float64), alpha.to(dtypes.float64), total.to(dtypes.float64)
    b = n - a
    spread = 0.1 * (a * b / (n + 1)).sqrt() / n
    central = where((d >= a / n - spread) & (d <= a / n + spread), _around_mean(d, a, b), _saddle(d, a, b))
    found = where(large, central, _fitted(d, a, n))
    return where(low, _low(d, a, b), where(high, -_low_other(1 - d, b, a), found)).to(x.dtype)


def _no_second(g: Any) -> Any:
    raise NotImplementedError(
        "the derivative for '_dirichlet_grad' is not implemented: it is an approximation by pieces"
    )


@primitive("torch._dirichlet_grad", name="_dirichlet_grad", args="x alpha total",
           grad={"x": _no_second, "alpha": _no_second, "total": _no_second}, decompose=_computed,
           meta=lambda x, alpha, total: (x.shape, x.dtype))  # fmt: skip
def dirichlet_grad(x, alpha, total):
    """How draws ``x`` of beta variables move with ``alpha``, where ``total - alpha`` stays, divided by ``1 - x``; ``total``: the sum.

    All three have the same shape and dtype, float32 or float64.

    >>> import torsh
    >>> x, a = torsh.tensor([0.25, 0.75]), torsh.tensor([1., 1.])
    >>> torsh._dirichlet_grad(x, a, torsh.tensor([2., 2.]))
    tensor([0.4621, 0.8630])
    """
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise NotImplementedError(f"\"_dirichlet_grad_cpu\" not implemented for '{dtypes.scalar_name(x.dtype)}'")
    return (x, alpha, total)


def _backward(g: Any, concentration: Any, draws: Any) -> Any:
    total = concentration.sum(-1, keepdim=True).expand_as(concentration)
    return dirichlet_grad(draws, concentration, total) * (g - (draws * g).sum(-1, keepdim=True))


@primitive("", args="concentration draws", node_name="_DirichletBackward", grad={"concentration": _backward},
           meta=lambda concentration, draws: (draws.shape, draws.dtype), decompose=lambda concentration, draws: draws.clone())  # fmt: skip
def drawn_dirichlet(concentration, draws):
    """The draws, with their place in the graph."""
    return (concentration, draws)


__all__ = ["dirichlet_grad", "drawn_dirichlet"]
