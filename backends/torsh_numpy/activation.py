"""Activation functions."""

from __future__ import annotations

import math

import numpy as np

from torsh.backend import TO_NUMPY
from torsh_numpy._blocks import LARGE, in_parts, looped
from torsh_numpy._compiled import LOOPS

# 0-d arrays: NumPy converts a Python number anew in every call.
ZERO = {n: np.zeros((), n) for n in TO_NUMPY.values()}


_BITS = {np.dtype(np.float32): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.int64)}


def _where(keep, g):
    """g where ``keep``, 0 elsewhere.  Masking bits takes a seventh of np.where's time; a product makes nan of inf."""
    bits = _BITS.get(g.dtype)
    if bits is None or not g.ndim or g.shape != keep.shape:
        return np.where(keep, g, ZERO[g.dtype])
    g = np.ascontiguousarray(g)
    mask = keep.astype(bits)
    np.negative(mask, out=mask)
    np.bitwise_and(g.view(bits), mask, out=mask)
    return mask.view(g.dtype)


def _sigmoid(x):
    """1 / (1 + exp(-x)).  exp may overflow to inf, which is right; (1 + tanh(x / 2)) / 2 has no digits below -17."""
    out = np.exp(-x)
    out += 1
    return np.reciprocal(out)


def leaky_relu(x, slope):
    if 0 <= slope <= 1:
        return np.maximum(x, x * slope)
    return np.where(x > 0, x, x * slope)


def leaky_relu_backward(g, x, slope):
    return np.where(x > 0, g, g * slope)


def elu(x, alpha, scale, input_scale):
    low = np.minimum(x, ZERO[x.dtype])
    if input_scale != 1:
        low *= input_scale
    low = np.expm1(low)
    low *= alpha * scale
    return np.where(x > 0, x if scale == 1 else x * scale, low)


def elu_backward(g, x, alpha, scale, input_scale):
    low = np.minimum(x, ZERO[x.dtype])
    if input_scale != 1:
        low *= input_scale
    low = np.exp(low)
    low *= alpha * scale * input_scale
    return g * np.where(x > 0, np.asarray(scale, x.dtype), low)


def hardtanh(x, low, high):
    return np.clip(x, low, high)


def hardtanh_backward(g, x, low, high):
    return _where(np.asarray((x > low) & (x < high)), g)


def threshold(x, limit, value):
    return np.where(x <= limit, np.asarray(value, x.dtype), x)


_ONE = np.ones((), np.int8)


def threshold_backward(g, x, limit):
    bits = _BITS.get(g.dtype)
    if bits is None or not g.ndim or g.shape != x.shape:
        return _where(~np.asarray(x <= limit), g)
    # ``_where``, with the mask made of what is dropped.
    mask = np.subtract((x <= limit).view(np.int8), _ONE).astype(bits)
    np.bitwise_and(np.ascontiguousarray(g).view(bits), mask, mask)
    return mask.view(g.dtype)


def _erf(x):
    from scipy.special import erf  # imported here: SciPy takes 100 ms to import

    return erf(x)


def _erfc(x):
    from scipy.special import erfc

    return erfc(x)


def gelu(x, approximate):
    if approximate == "tanh":
        # (1 + tanh(z)) / 2 is 1 / (1 + exp(-2 z)), which has digits left for negative z.
        wide = x.astype(np.float64, copy=False)
        t = wide * wide
        t *= -0.044715 * 2 * math.sqrt(2 / math.pi)
        t -= 2 * math.sqrt(2 / math.pi)
        t *= wide
        t = np.exp(t)
        t += 1
        return np.divide(wide, t).astype(x.dtype, copy=False)
    if x.dtype == np.float64:
        return _exact_gelu(x)
    wide = x.astype(np.float64)
    t = _erfc(wide * -math.sqrt(0.5))
    t *= 0.5
    t *= wide
    return t.astype(x.dtype)


def _exact_gelu(x):
    from torsh_numpy import _gamma  # brings Numba

    x = np.asarray(x, order="C")
    out = np.empty_like(x)
    _gamma.gelu(x.reshape(-1), out.reshape(-1))
    return out


def gelu_backward(g, x, approximate):
    if approximate == "tanh":
        square = x * x
        t = square * 0.044715
        t += 1
        t *= x
        t *= math.sqrt(2 / math.pi)
        t = np.tanh(t)
        slope = t * t
        slope = 1 - slope
        square *= 3 * 0.044715
        square += 1
        slope *= square
        slope *= x
        slope *= math.sqrt(2 / math.pi)
        t += 1
        t += slope
        t *= 0.5
        t *= g
        return t
    cdf = _erf(x * math.sqrt(0.5))
    cdf += 1
    cdf *= 0.5
    density = x * x
    density *= -0.5
    density = np.exp(density)
    density *= x
    density *= 1 / math.sqrt(2 * math.pi)
    cdf += density
    cdf *= g
    return cdf


def silu(x):
    return x * _sigmoid(x)


def silu_backward(g, x):
    s = _sigmoid(x)
    t = 1 - s
    t *= x
    t += 1
    t *= s
    t *= g
    return t


def softplus(x, beta, limit):
    scaled = x * beta if beta != 1 else x
    # log1p(exp(z)) = max(z, 0) + log1p(exp(-|z|))
    soft = np.asarray(np.abs(scaled, dtype=x.dtype))  # of 0-d arrays NumPy gives scalars
    np.negative(soft, soft)
    np.exp(soft, soft)
    np.log1p(soft, soft)
    soft += np.maximum(scaled, ZERO[x.dtype])
    if beta != 1:
        soft /= beta
    return np.where(scaled > limit, x, soft)


def softplus_backward(g, x, beta, limit):
    scaled = x * beta if beta != 1 else x
    return np.where(scaled > limit, g, g * _sigmoid(scaled))


def mish(x):
    # tanh(log(1 + e)) is n / (n + 2) with n = e * (e + 2).
    wide = x.astype(np.float64, copy=False)
    e = np.exp(np.minimum(wide, 40))
    n = e + 2
    n *= e
    return (wide * (n / (n + 2))).astype(x.dtype, copy=False)


def mish_backward(g, x):
    t = np.tanh(softplus(x, 1.0, 20.0))
    return g * (t + x * _sigmoid(x) * (1 - t * t))


def tanhshrink(x):
    """x - tanh(x); near 0, where the difference has no digits, by a polynomial in x * x."""
    from torsh_numpy._polynomials import TANHSHRINK

    wide = x.astype(np.float64, copy=False)
    square = wide * wide
    far = np.asarray(wide - np.tanh(wide))
    if x.dtype == np.float32:
        near, limit = 1 / 3 - square * (2 / 15), 4e-6
    else:
        limit = 1.5
        t = np.minimum(square, limit) * (2 / limit) - 1
        near = np.full_like(wide, TANHSHRINK[-1])
        for c in TANHSHRINK[-2::-1]:
            near *= t
            near += c
    return np.where(square < limit, near * square * wide, far).astype(x.dtype, copy=False)


def log_sigmoid(x):
    soft = np.log1p(np.exp(-np.abs(x)))
    return np.minimum(x, ZERO[x.dtype]) - soft


def log_sigmoid_backward(g, x):
    return g * _sigmoid(-x)


def hardsigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def hardsigmoid_backward(g, x):
    return np.where((x > -3) & (x < 3), g / 6, ZERO[g.dtype])


def hardswish(x):
    return x * (np.clip(x + 3, 0, 6) / 6)  # in this order the product cannot overflow


def hardswish_backward(g, x):
    return np.where(x <= -3, ZERO[g.dtype], np.where(x < 3, g * (x / 3 + 0.5), g))


def hardshrink(x, lambd):
    return np.where((x >= -lambd) & (x <= lambd), ZERO[x.dtype], x)


def hardshrink_backward(g, x, lambd):
    return _where(~np.asarray((x >= -lambd) & (x <= lambd)), g)


def softshrink(x, lambd):
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * ZERO[x.dtype]))


_less_largest, _less, _over_sum, _sums = (LOOPS[name] for name in ("less_largest", "less", "over_sum", "sums"))
_ROWS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})


def _less_largest_of(x, run):
    """Each row of an array less its largest element, and the same array as a matrix."""
    if not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    out = np.empty(x.shape, x.dtype)
    if x.ndim == 2:
        run(x, out)
        return out, out
    rows = out.reshape(-1, x.shape[-1])
    run(x.reshape(rows.shape), rows)
    return out, rows


def softmax(x, dim):
    if not x.ndim:
        return np.ones_like(x)
    if not x.size:
        return x.copy()
    if dim == x.ndim - 1 and (run := _less_largest.run or _less_largest.worth(x.size)) is not None and x.dtype in _ROWS:
        out, rows = _less_largest_of(x, run)
        np.exp(rows, rows)
        (_over_sum.run or _over_sum.compiled())(rows)
        return out
    # Positional arguments, and no methods: half of the time of a small array is the calls.
    out = np.subtract(x, np.maximum.reduce(x, dim, None, None, True), order="C")
    np.exp(out, out)
    return np.divide(out, np.add.reduce(out, dim, None, None, True), out)


def softmax_backward(g, out, dim):
    if not out.ndim:
        return np.zeros_like(out)
    t = g * out
    total = np.add.reduce(t, dim, keepdims=True)
    t -= out * total
    return t


def log_softmax(x, dim):
    if not x.ndim:
        return np.zeros_like(x)
    if not x.size:
        return x.copy()
    if dim == x.ndim - 1 and (run := _less_largest.run or _less_largest.worth(x.size)) is not None and x.dtype in _ROWS:
        out, rows = _less_largest_of(x, run)
        totals = np.empty((len(rows), 1), x.dtype)
        (_sums.run or _sums.compiled())(np.exp(rows), totals)
        (_less.run or _less.compiled())(rows, np.log(totals, totals))
        return out
    out = np.subtract(x, np.maximum.reduce(x, dim, None, None, True), order="C")
    return np.subtract(out, np.log(np.add.reduce(np.exp(out), dim, None, None, True)), out)


def log_softmax_backward(g, out, dim):
    if not out.ndim:
        return np.zeros_like(out)
    t = np.exp(out)
    t *= np.add.reduce(g, dim, keepdims=True)
    return np.subtract(g, t, out=t)


def _compiled(kernel, arrays, least=LARGE):
    """The kernel, handing large float32 arrays to the loop of its name in ``_activations.py``.

    arrays: how many operands are arrays; the others are numbers, passed as float32.  least: from how many elements on.
    """
    name = kernel.__name__
    loop = None

    def run(*args):
        nonlocal loop
        x = args[arrays - 1]
        if x.size < least or x.dtype != np.float32 or not x.flags.c_contiguous:
            return kernel(*args)
        if loop is None:
            from torsh_numpy import _activations

            loop = getattr(_activations, name)
        # A gradient is often one number stretched over the array.
        parts = [np.ascontiguousarray(a).reshape(-1) for a in args[:arrays]]
        out = np.empty_like(x)
        loop(*parts, *[np.float32(a) for a in args[arrays:]], out.reshape(-1))
        return out

    run.__name__ = name
    return run


def _compiled_softmax(kernel):
    """The same for softmax and its logarithm along the last dimension."""
    name = kernel.__name__
    loop = None

    def run(x, dim):
        nonlocal loop
        if x.size < LARGE or x.dtype != np.float32 or dim != x.ndim - 1 or not x.flags.c_contiguous:
            return kernel(x, dim)
        if loop is None:
            from torsh_numpy import _activations

            loop = getattr(_activations, name)
        out = np.empty_like(x)
        rows = x.reshape(-1, x.shape[-1])
        loop(rows, rows.max(1), out.reshape(rows.shape))
        return out

    run.__name__ = name
    return run


def _compiled_rows(kernel):
    """The same for their derivatives: (gradient, result, dimension)."""
    name = kernel.__name__
    loop = None

    def run(g, out, dim):
        nonlocal loop
        if out.size < LARGE or out.dtype != np.float32 or dim != out.ndim - 1 or not out.flags.c_contiguous:
            return kernel(g, out, dim)
        if loop is None:
            from torsh_numpy import _activations

            loop = getattr(_activations, name)
        found = np.empty_like(out)
        shape = (-1, out.shape[-1])
        loop(np.ascontiguousarray(g).reshape(shape), out.reshape(shape), found.reshape(shape))
        return found

    run.__name__ = name
    return run


def _compiled_gelu(kernel):
    """gelu comes in two forms, of which only the exact one has a loop."""

    def exact(*args):
        return kernel(*args, "none")

    exact.__name__ = kernel.__name__
    # SciPy's erf is slow enough for much smaller arrays to pay.
    exact = _compiled(exact, 2 if kernel is gelu_backward else 1, 512)
    by_tanh = in_parts(kernel)
    return lambda *args: exact(*args[:-1]) if args[-1] == "none" else by_tanh(*args)


KERNELS = {
    f.__name__: f
    for f in (
        leaky_relu, leaky_relu_backward, elu, elu_backward, hardtanh, hardtanh_backward, threshold,
        threshold_backward, gelu,
        gelu_backward, silu, silu_backward, softplus, softplus_backward, mish, mish_backward, log_sigmoid,
        log_sigmoid_backward, hardsigmoid, hardsigmoid_backward, hardswish, hardswish_backward, hardshrink,
        hardshrink_backward, softshrink, tanhshrink, softmax, softmax_backward, log_softmax, log_softmax_backward,
    )
}  # fmt: skip

KERNELS |= {
    f.__name__: _compiled(f, arrays)
    for f, arrays in (
        (silu, 1),
        (silu_backward, 2),
        (leaky_relu, 1),
        (leaky_relu_backward, 2),
        (threshold_backward, 2),
        (hardtanh_backward, 2),
        (hardshrink_backward, 2),
        (elu, 1),
        (elu_backward, 2),
        (hardswish, 1),
        (hardswish_backward, 2),
        (softplus_backward, 2),
    )
}
KERNELS |= {f.__name__: _compiled_softmax(f) for f in (softmax, log_softmax)}
KERNELS |= {f.__name__: _compiled_rows(f) for f in (softmax_backward, log_softmax_backward)}
KERNELS |= {f.__name__: in_parts(f) for f in (softplus, mish, mish_backward, log_sigmoid, log_sigmoid_backward)}
KERNELS |= {"tanhshrink": looped(looped(tanhshrink, "tanhshrink_double"), "tanhshrink", doubles=False)}
KERNELS |= {"gelu": _compiled_gelu(gelu), "gelu_backward": _compiled_gelu(gelu_backward)}
