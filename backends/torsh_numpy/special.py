"""Kernels of special functions: SciPy's, imported when first needed."""

import numpy as np

from torsh_numpy._blocks import blocked, looped


def _scipy(name):
    """A SciPy function, computed in float64: some of its float32 forms lose hundreds of ulp (digamma, zeta)."""
    found = None

    def run(*args):
        nonlocal found
        if found is None:
            import scipy.special

            found = getattr(scipy.special, name)
        kind = next(a.dtype for a in args if isinstance(a, np.ndarray))
        if kind == np.float32:
            args = [a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in args]
            return found(*args).astype(np.float32)
        return found(*args)

    run.__name__ = name
    return run


_psi, _gammaln = _scipy("psi"), _scipy("gammaln")


def lgamma(x):
    return np.where(np.isinf(x), np.array(np.inf, x.dtype), _gammaln(x))


def digamma(x):
    # The pole at 0 has the sign of the side from which it is approached.
    return np.where(x == 0, np.copysign(np.inf, -x), _psi(x)).astype(x.dtype, copy=False)


def polygamma(n, x):
    if n == 0:
        return digamma(x)
    if n == 1:
        return _trigamma(x.astype(np.float64)).astype(x.dtype, copy=False)
    import scipy.special

    factor = (-1.0) ** (n + 1) * scipy.special.gamma(n + 1.0)
    return (factor * scipy.special.zeta(n + 1.0, x.astype(np.float64))).astype(x.dtype, copy=False)


def _trigamma(x):
    from scipy.special import zeta

    # Below 1/2 by reflection: there zeta would be summed from its pole.
    reflected = x < 0.5
    found = zeta(2.0, np.where(reflected, 1 - x, x))
    return np.where(reflected, (np.pi / np.sin(np.pi * x)) ** 2 - found, found)


def logit(x, eps):
    kind = x.dtype
    if eps is not None:
        x = np.clip(x, eps, 1 - eps)
    if kind != np.float64:
        x = x.astype(np.float64)
        return np.log(x / (1 - x)).astype(kind)
    # Near 1/2 the quotient is near 1, and its rounding error all that the logarithm sees.
    return np.where(np.abs(x - 0.5) < 0.25, np.log1p((2 * x - 1) / (1 - x)), np.log(x / (1 - x)))


def _logit_step(out, x):
    out[...] = logit(x, None)


_plain_logit = blocked(lambda x: logit(x, None), _logit_step)


def _logit(x, eps):
    return _plain_logit(x) if eps is None else logit(x, eps)


def sinc(x):
    return np.sinc(x) if x.dtype != np.float32 else np.sinc(x.astype(np.float64)).astype(np.float32)


def airy_ai(x):
    import scipy.special

    wide = x.astype(np.float64)
    found = np.where(wide > 104, 0.0, scipy.special.airy(wide)[0])  # 0 in float64; SciPy gives nan for the largest
    return np.where(np.isinf(x), np.nan, found).astype(x.dtype, copy=False)


def spherical_bessel_j0(x):
    wide = x.astype(np.float64)
    found = np.where(wide == 0, 1.0, np.sin(wide) / wide)
    return np.where(np.isinf(wide), 0.0, found).astype(x.dtype, copy=False)


# ---- orthogonal polynomials
# ------------------------------------------------------------------------------------------------


def _by_recurrence(x, n, first, step):
    """p0 = 1, p1 = first(x), p(k) = step(x, k, p(k-1), p(k-2)), taken where the degree is k."""
    before, now = np.ones_like(x), first(x)
    found = np.where(n == 0, before, np.where(n < 0, 0.0, now))
    for k in range(2, int(n.max(initial=0)) + 1):
        before, now = now, step(x, k, now, before)
        found = np.where(n == k, now, found)
    return found


def _polynomial(first, step, ends=None, closed=None, limit=None):
    """A kernel: by recurrence, or for |x| < 1 and higher degrees in closed form ``closed(n, acos(x))``.

    ends: (value at 1, value at -1) as functions of the degree.
    limit: the degree (for float32, for float64) above which the result is nan.
    """

    def run(x, n):
        some = x if isinstance(x, np.ndarray) else n
        kind = some.dtype
        x, n = np.broadcast_arrays(np.asarray(x, np.float64), np.trunc(np.asarray(n, np.float64)))
        done = n < 0
        found = np.zeros(x.shape)
        if ends is not None:
            for at, value in ((1.0, ends[0]), (-1.0, ends[1])):
                here = (x == at) & ~done
                found, done = np.where(here, value(n), found), done | here
        if closed is not None:
            here = (n > 8) & (np.abs(x) < 1) & ~done
            found, done = np.where(here, closed(n, np.arccos(x)), found), done | here
        if limit is not None:
            here = (n > limit[kind.itemsize == 8]) & ~done
            found, done = np.where(here, np.nan, found), done | here
        degree = np.where(done | ~np.isfinite(n), -1, n)
        found = np.where(done, found, _by_recurrence(x, degree, first, step))
        return found.astype(kind, copy=False)

    return run


def _alternating(n):
    return np.where(n % 2, -1.0, 1.0)


def _double(x, k, now, before):
    return 2 * x * now - before


chebyshev = {
    "t": _polynomial(lambda x: x, _double, (lambda n: np.ones_like(n), _alternating), lambda n, a: np.cos(n * a)),
    "u": _polynomial(lambda x: 2 * x, _double, (lambda n: n + 1, lambda n: _alternating(n) * (n + 1)),
                     lambda n, a: np.sin((n + 1) * a) / np.sin(a)),
    "v": _polynomial(lambda x: 2 * x - 1, _double, (lambda n: np.ones_like(n), lambda n: _alternating(n) * (2 * n + 1)),
                     lambda n, a: np.cos((n + 0.5) * a) / np.cos(a / 2)),
    "w": _polynomial(lambda x: 2 * x + 1, _double, (lambda n: 2 * n + 1, _alternating),
                     lambda n, a: np.sin((n + 0.5) * a) / np.sin(a / 2)),
}  # fmt: skip


def _shifted(kernel):
    def run(x, n):
        if isinstance(x, np.ndarray):  # in float64, or 2x - 1 would lose what x has beyond 1/2
            return kernel(2 * x.astype(np.float64) - 1, n).astype(x.dtype, copy=False)
        return kernel(2 * x - 1, n)

    return run


KERNELS = {
    "erf": looped(_scipy("erf"), "erf", doubles=False),
    "erfc": _scipy("erfc"),
    "erfcx": _scipy("erfcx"),
    "erfinv": _scipy("erfinv"),
    "ndtr": _scipy("ndtr"),
    "ndtri": _scipy("ndtri"),
    "log_ndtr": _scipy("log_ndtr"),
    "lgamma": lgamma,
    "digamma": digamma,
    "polygamma": polygamma,
    "igamma": _scipy("gammainc"),
    "igammac": _scipy("gammaincc"),
    "zeta": _scipy("zeta"),
    "entr": _scipy("entr"),
    "xlogy": _scipy("xlogy"),
    "xlog1py": _scipy("xlog1py"),
    "logit": _logit,
    "sinc": sinc,
    "i0": _scipy("i0"),
    "i0e": _scipy("i0e"),
    "i1": _scipy("i1"),
    "i1e": _scipy("i1e"),
    "airy_ai": airy_ai,
    "bessel_j0": _scipy("j0"),
    "bessel_j1": _scipy("j1"),
    "bessel_y0": _scipy("y0"),
    "bessel_y1": _scipy("y1"),
    "modified_bessel_i0": _scipy("i0"),
    "modified_bessel_i1": _scipy("i1"),
    "modified_bessel_k0": _scipy("k0"),
    "modified_bessel_k1": _scipy("k1"),
    "scaled_modified_bessel_k0": _scipy("k0e"),
    "scaled_modified_bessel_k1": _scipy("k1e"),
    "spherical_bessel_j0": spherical_bessel_j0,
    **{f"chebyshev_polynomial_{k}": kernel for k, kernel in chebyshev.items()},
    **{f"shifted_chebyshev_polynomial_{k}": _shifted(kernel) for k, kernel in chebyshev.items()},
    "hermite_polynomial_h": _polynomial(
        lambda x: 2 * x, lambda x, k, now, before: 2 * x * now - 2 * (k - 1) * before, limit=(128, 512)
    ),
    "hermite_polynomial_he": _polynomial(
        lambda x: x, lambda x, k, now, before: x * now - (k - 1) * before, limit=(128, 512)
    ),
    "laguerre_polynomial_l": _polynomial(
        lambda x: 1 - x, lambda x, k, now, before: ((2 * k - 1 - x) * now - (k - 1) * before) / k
    ),
    "legendre_polynomial_p": _polynomial(
        lambda x: x, lambda x, k, now, before: ((2 * k - 1) * x * now - (k - 1) * before) / k,
        (lambda n: np.ones_like(n), _alternating),
    ),
}  # fmt: skip
