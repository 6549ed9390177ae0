"""Loops of activations and their derivatives over large contiguous float32 arrays, compiled by Numba when first needed.

One pass over memory instead of NumPy's one per step.
"""

from __future__ import annotations

import numba
import numpy as np

from torsh_numpy import _polynomials
from torsh_numpy._loops import _erf, _exp, _loop

# Sums may be taken in another order, which is what vectorising them means.
_sums = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"}, error_model="numpy")

f = np.float32
_HALF, _ONE, _ZERO = f(0.5), f(1), f(0)
_ROOT_HALF, _DENSITY = f(0.7071067811865476), f(0.3989422804014327)


_MILLS = tuple(f(c) for c in _polynomials.MILLS)
_LAST = len(_MILLS) - 1


@_loop
def gelu(x, out):
    """x * ndtr(x).  ndtr(-a) is exp(-a**2 / 2) times a smooth function: 1 + erf would have no digits there."""
    for i in range(x.size):
        v = x[i]
        a = min(abs(v), f(14.5))
        q = _ONE / (a + f(2.5))
        t = a * q * f(2 * 17 / 14.5) - _ONE
        p = _MILLS[_LAST]
        for k in range(_LAST - 1, -1, -1):
            p = p * t + _MILLS[k]
        # The square in two parts, since what its rounding loses is lost a**2 times in the result.
        t = a * f(4097)
        high = t - (t - a)
        r = _HALF * (a - high) * (a + high)
        low = _ONE - r * (_ONE - r * (_HALF - r * (f(1 / 6) - r * f(1 / 24))))
        tail = p * q * low * _exp(-_HALF * high * high)
        out[i] = v * (tail if v < _ZERO else _ONE - tail)


@_loop
def gelu_backward(g, x, out):
    for i in range(x.size):
        v = x[i]
        cdf = _HALF * (_ONE + _erf(v * _ROOT_HALF))
        out[i] = g[i] * (cdf + v * _DENSITY * _exp(-_HALF * v * v))


@_loop
def silu(x, out):
    for i in range(x.size):
        out[i] = x[i] / (_ONE + _exp(-x[i]))


@_loop
def silu_backward(g, x, out):
    for i in range(x.size):
        v = x[i]
        s = _ONE / (_ONE + _exp(-v))
        out[i] = g[i] * s * (_ONE + v * (_ONE - s))


@_loop
def leaky_relu(x, slope, out):
    for i in range(x.size):
        v = x[i]
        out[i] = v if v > _ZERO else v * slope


@_loop
def leaky_relu_backward(g, x, slope, out):
    for i in range(x.size):
        d = g[i]
        out[i] = d if x[i] > _ZERO else d * slope


@_loop
def threshold_backward(g, x, limit, out):
    for i in range(x.size):
        d = g[i]
        out[i] = _ZERO if x[i] <= limit else d


@_loop
def hardtanh_backward(g, x, low, high, out):
    for i in range(x.size):
        d, v = g[i], x[i]
        d = d if v > low else _ZERO
        out[i] = d if v < high else _ZERO


@_loop
def hardshrink_backward(g, x, limit, out):
    for i in range(x.size):
        d = g[i]
        out[i] = _ZERO if abs(x[i]) <= limit else d


@_loop
def elu(x, alpha, scale, input_scale, out):
    factor = alpha * scale
    for i in range(x.size):
        v = x[i]
        z = min(v, _ZERO) * input_scale
        # exp(z) - 1 has no digits near 0: a Taylor polynomial there.
        p = f(1 / 40320) * z + f(1 / 5040)
        p = p * z + f(1 / 720)
        p = p * z + f(1 / 120)
        p = p * z + f(1 / 24)
        p = p * z + f(1 / 6)
        p = p * z + _HALF
        near = p * z * z + z
        low = near if z > f(-0.35) else _exp(z) - _ONE
        out[i] = v * scale if v > _ZERO else low * factor if v <= _ZERO else v


@_loop
def elu_backward(g, x, alpha, scale, input_scale, out):
    factor = alpha * scale * input_scale
    for i in range(x.size):
        v = x[i]
        low = _exp(min(v, _ZERO) * input_scale) * factor
        out[i] = g[i] * (scale if v > _ZERO else low)


@_loop
def hardswish(x, out):
    sixth, three, six = f(1 / 6), f(3), f(6)
    for i in range(x.size):
        v = x[i]
        w = v + three
        w = _ZERO if w < _ZERO else w
        w = six if w > six else w
        out[i] = v * (w * sixth)


@_loop
def hardswish_backward(g, x, out):
    third, three = f(1 / 3), f(3)
    for i in range(x.size):
        d, v = g[i], x[i]
        slope = v * third + _HALF
        slope = _ZERO if v <= -three else slope
        slope = _ONE if v >= three else slope
        out[i] = d * slope


@_loop
def softplus_backward(g, x, beta, limit, out):
    for i in range(x.size):
        d, z = g[i], x[i] * beta
        out[i] = d if z > limit else d / (_ONE + _exp(-z))


@_sums
def softmax(x, top, out):
    """x, out: (rows, columns); top: the largest element of every row, nan if there is one."""
    for r in range(x.shape[0]):
        row, into, t = x[r], out[r], top[r]
        total = _ZERO
        for i in range(row.size):
            e = _exp(row[i] - t)
            into[i] = e
            total += e
        scale = _ONE / total if abs(t) < np.inf else f(np.nan)
        for i in range(row.size):
            into[i] *= scale


@_sums
def log_softmax(x, top, out):
    for r in range(x.shape[0]):
        row, into, t = x[r], out[r], top[r]
        total = _ZERO
        for i in range(row.size):
            total += _exp(row[i] - t)
        lost = t + f(np.log(total)) if abs(t) < np.inf else f(np.nan)
        rest = lost - t
        for i in range(row.size):
            into[i] = (row[i] - t) - rest


@_sums
def softmax_backward(g, y, out):
    for r in range(y.shape[0]):
        d, s, into = g[r], y[r], out[r]
        total = _ZERO
        for i in range(s.size):
            total += d[i] * s[i]
        for i in range(s.size):
            into[i] = s[i] * (d[i] - total)


@_sums
def log_softmax_backward(g, y, out):
    for r in range(y.shape[0]):
        d, s, into = g[r], y[r], out[r]
        total = _ZERO
        for i in range(s.size):
            total += d[i]
        for i in range(s.size):
            into[i] = d[i] - _exp(s[i]) * total


@_sums
def layer_norm(x, weight, bias, eps, out, mean, rstd):
    """x, out: (rows, columns)."""
    n = f(x.shape[1])
    for r in range(x.shape[0]):
        row, into = x[r], out[r]
        total = _ZERO
        for i in range(row.size):
            total += row[i]
        m = total / n
        square = _ZERO
        for i in range(row.size):
            d = row[i] - m
            square += d * d
        s = _ONE / np.sqrt(square / n + eps)
        for i in range(row.size):
            into[i] = (row[i] - m) * s * weight[i] + bias[i]
        mean[r] = m
        rstd[r] = s


@_sums
def layer_norm_backward(g, x, weight, mean, rstd, gx, gw, gb):
    """gw and gb start as zeros."""
    n = f(x.shape[1])
    for r in range(x.shape[0]):
        row, d, into = x[r], g[r], gx[r]
        m, s = mean[r], rstd[r]
        total = along = _ZERO
        for i in range(row.size):
            h = d[i] * weight[i]
            total += h
            along += h * ((row[i] - m) * s)
        total, along = total / n, along / n
        for i in range(row.size):
            normal = (row[i] - m) * s
            into[i] = (d[i] * weight[i] - total - normal * along) * s
            gw[i] += d[i] * normal
            gb[i] += d[i]


@_sums
def channel_statistics(x, mean, var):
    """Mean and variance (by n) of every channel of x: (samples, channels, positions)."""
    samples, channels, positions = x.shape
    n = samples * positions
    for c in range(channels):
        total = np.float64(0)
        for s in range(samples):
            row, part = x[s, c], _ZERO
            for i in range(positions):
                part += row[i]
            total += part
        m = f(total / n)
        total = np.float64(0)
        for s in range(samples):
            row, part = x[s, c], _ZERO
            for i in range(positions):
                d = row[i] - m
                part += d * d
            total += part
        mean[c] = m
        var[c] = f(total / n)


@_loop
def scale_channels(x, mean, scale, shift, out):
    """(x - mean) * scale + shift, channel by channel."""
    for s in range(x.shape[0]):
        for c in range(x.shape[1]):
            row, into, m, a, b = x[s, c], out[s, c], mean[c], scale[c], shift[c]
            for i in range(row.size):
                into[i] = (row[i] - m) * a + b


@_sums
def channel_products(g, x, mean, total, along):
    """The sums of g and of g * (x - mean) over every channel."""
    samples, channels, positions = x.shape
    for c in range(channels):
        m = mean[c]
        first = second = np.float64(0)
        for s in range(samples):
            row, grad, a, b = x[s, c], g[s, c], _ZERO, _ZERO
            for i in range(positions):
                a += grad[i]
                b += grad[i] * (row[i] - m)
            first += a
            second += b
        total[c] = f(first)
        along[c] = f(second)


@_loop
def batch_norm_gradient(g, x, mean, scale, slope, offset, out):
    """g * scale + (x - mean) * slope + offset, channel by channel."""
    for s in range(x.shape[0]):
        for c in range(x.shape[1]):
            row, grad, into, m, a, b, d = x[s, c], g[s, c], out[s, c], mean[c], scale[c], slope[c], offset[c]
            for i in range(row.size):
                into[i] = grad[i] * a + (row[i] - m) * b + d
