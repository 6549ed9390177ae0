"""Kernels of special functions: SciPy's, and loops of our own where those lose digits; imported when first needed."""

import math

import numpy as np

from torsh_numpy._blocks import blocked, in_parts, looped


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


def _loops(module, name):
    """A loop of ``_gamma.py`` or ``_bessel.py``, imported (and Numba with it) when first needed."""
    found = None

    def run(*args):
        nonlocal found
        if found is None:
            import importlib

            found = getattr(importlib.import_module(f"torsh_numpy.{module}"), name)
        return found(*args)

    return run


def _by_loop(module, name):
    """A kernel that is a loop."""
    loop = _loops(module, name)

    def run(x):
        x = np.asarray(x, order="C")
        out = np.empty_like(x)
        loop(x.reshape(-1), out.reshape(-1))
        return out

    run.__name__ = name
    return run


digamma, trigamma = _by_loop("_gamma", "digamma"), _by_loop("_gamma", "trigamma")
_erfc, _erfcx, _near = _by_loop("_gamma", "erfc"), _scipy("erfcx"), _loops("_gamma", "erfcx_near")


def erfc(x):
    # The C library's either way; small arrays need not wait for Numba.
    if x.size <= 64:
        return np.fromiter(map(math.erfc, x.flat), x.dtype, x.size).reshape(x.shape)
    return _erfc(x)


def erfcx(x):
    x = np.asarray(x, order="C")
    out = _erfcx(x)
    _near(x.reshape(-1), out.reshape(-1))
    return out


def _bessel_i(name, scaled):
    loop, narrow = _loops("_bessel", name), _loops("_bessel", f"{name}_narrow")

    def run(x):
        x = np.asarray(x, order="C")
        out = np.empty_like(x)
        (narrow if x.dtype == np.float32 else loop)(x.reshape(-1), scaled, out.reshape(-1))
        return out

    return run


def _bessel_k(name, scaled):
    loop, rest = _loops("_bessel", name), _scipy(f"{name}e" if scaled else name)

    def run(x):
        x = np.asarray(x, order="C")
        out = rest(x)
        loop(x.reshape(-1), scaled, out.reshape(-1))
        return out

    return run


def _spread(a, x, kind):
    """Two operands, one of which may be a number, as contiguous arrays of one shape that loops may have."""
    a, x = np.asarray(a, kind, order="C"), np.asarray(x, kind, order="C")
    if a.shape == x.shape:
        return a, x
    shape = np.broadcast_shapes(a.shape, x.shape) if a.shape and x.shape else a.shape or x.shape
    spread = []
    for v in (a, x):
        if v.shape != shape:  # not the broadcast array itself: Numba compiles for arrays that may be written to
            v, part = np.empty(shape, kind), v
            v[...] = part
        spread.append(v)
    return spread


def _incomplete(name, scipy_name):
    loop, rest = _loops("_incomplete", name), _scipy(scipy_name)

    def run(a, x):
        if (a if isinstance(a, np.ndarray) else x).dtype != np.float64:
            return rest(a, x)  # exact enough for float32, and faster
        a, x = _spread(a, x, np.float64)
        shape = x.shape
        a, x, out = a.reshape(-1), x.reshape(-1), np.empty(x.size)
        if loop(a, x, out):  # it has left some out
            left = ~((a >= 0.05) & (a <= 200) & (x > 0) & (x < np.inf))
            out[left] = rest(a[left], x[left])
        return out.reshape(shape)

    return run


_polygamma, _zeta = _loops("_gamma", "polygamma"), _loops("_gamma", "zeta")


def zeta(s, x):
    kind = (s if isinstance(s, np.ndarray) else x).dtype
    s, x = _spread(s, x, kind)
    out = np.empty(x.shape, kind)
    _zeta(s.reshape(-1), x.reshape(-1), out.reshape(-1))
    return out


def polygamma(n, x):
    if n < 2:
        return trigamma(x) if n else digamma(x)
    x = np.asarray(x, order="C")
    out = np.empty_like(x)
    factor = math.copysign(math.gamma(n + 1.0) if n < 170 else math.inf, n % 2 - 0.5)
    _polygamma(float(n), factor, x.reshape(-1), out.reshape(-1))
    return out


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
    if x.dtype.kind == "c":
        return np.sinc(x)
    wide = x.astype(np.float64, copy=False)
    # Brought to -1/2 to 1/2 first, exactly: pi times a large number has no digits left behind the point.
    r = wide - 2 * np.rint(wide / 2)
    r = np.where(np.abs(r) > 0.5, np.copysign(1 - np.abs(r), r), r)
    found = np.where(np.abs(wide) < 1e-9, 1.0, np.sin(np.pi * r) / np.pi / wide)
    return found.astype(x.dtype, copy=False)


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

    def of_degree(x, n):
        """``_by_recurrence`` for one degree, which needs no masks.  It is exact at 1 and -1."""
        wide = x.astype(np.float64, copy=False)
        before, now = 1.0, first(wide)
        for k in range(2, n + 1):
            before, now = now, step(wide, k, now, before)
        return now.astype(x.dtype, copy=now is wide)

    by_parts = in_parts(of_degree)

    def run(x, n):
        some = x if isinstance(x, np.ndarray) else n
        kind = some.dtype
        if some is x and not isinstance(n, np.ndarray) and 1 <= n < math.inf and (closed is None or n < 9):
            if limit is None or n <= limit[kind.itemsize == 8]:
                return by_parts(x, int(n))
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
    "erfc": looped(erfc, "erfc", doubles=False),
    "erfcx": erfcx,
    "erfinv": _scipy("erfinv"),
    "ndtr": looped(_by_loop("_gamma", "ndtr"), "ndtr", doubles=False),
    "ndtri": _scipy("ndtri"),
    "log_ndtr": _by_loop("_gamma", "log_ndtr"),
    "lgamma": _by_loop("_gamma", "lgamma"),
    "digamma": digamma,
    "polygamma": polygamma,
    "igamma": _incomplete("igamma", "gammainc"),
    "igammac": _incomplete("igammac", "gammaincc"),
    "zeta": zeta,
    "entr": _scipy("entr"),
    "xlogy": _scipy("xlogy"),
    "xlog1py": _scipy("xlog1py"),
    "logit": _logit,
    "sinc": sinc,
    "i0": _bessel_i("i0", False),
    "i0e": _bessel_i("i0", True),
    "i1": _bessel_i("i1", False),
    "i1e": _bessel_i("i1", True),
    "airy_ai": _by_loop("_bessel", "airy_ai"),
    "bessel_j0": _by_loop("_bessel", "j0"),
    "bessel_j1": _by_loop("_bessel", "j1"),
    "bessel_y0": _by_loop("_bessel", "y0"),
    "bessel_y1": _by_loop("_bessel", "y1"),
    "modified_bessel_i0": _bessel_i("i0", False),
    "modified_bessel_i1": _bessel_i("i1", False),
    "modified_bessel_k0": _bessel_k("k0", False),
    "modified_bessel_k1": _bessel_k("k1", False),
    "scaled_modified_bessel_k0": _bessel_k("k0", True),
    "scaled_modified_bessel_k1": _bessel_k("k1", True),
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
