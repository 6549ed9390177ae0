"""Kernels of arithmetic: two and more operands, element by element."""

import numpy as np

from torsh_numpy._blocks import blocked, looped


def _check_divisor(x, y):
    """What PyTorch raises where integers are divided by zero."""
    if (x.dtype if isinstance(x, np.ndarray) else y.dtype).kind in "iu" and not np.all(y):
        raise RuntimeError("ZeroDivisionError")


def floor_divide(x, y):
    _check_divisor(x, y)
    return np.floor_divide(x, y)


def trunc_divide(x, y):
    _check_divisor(x, y)
    q = np.true_divide(x, y) if (x if isinstance(x, np.ndarray) else y).dtype.kind == "f" else None
    return np.trunc(q) if q is not None else np.floor_divide(np.subtract(x, np.fmod(x, y)), y)


def _stepwise(steps):
    """For the narrow types: every step rounded to the type itself, as PyTorch does for two tensors (not for a number)."""

    def given(wide):
        def kernel(x, y):
            if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.ndim and y.ndim:
                return steps(x, y)
            return wide(x, y)

        return kernel

    return given


def _floor_steps(x, y):
    one = np.ones((), y.dtype)
    rest = np.fmod(x, y)
    q = (x - rest) / y
    q = np.where((rest != 0) & ((y < 0) != (rest < 0)), q - one, q)
    whole = np.floor(q)
    whole = np.where(q - whole > one / (one + one), whole + one, whole)
    exact = x / y
    whole = np.where(q == 0, np.copysign(np.zeros((), y.dtype), exact), whole)
    return np.where(y == 0, exact, whole)


def remainder(x, y):
    _check_divisor(x, y)
    return np.remainder(x, y)


def fmod(x, y):
    _check_divisor(x, y)
    return np.fmod(x, y)


def power(x, y):
    if not isinstance(y, np.ndarray):
        if y == 2:
            return np.multiply(x, x)
        if y == 3:
            return x * x * x
        if x.dtype.kind in "fc":
            if y == 0.5:
                return np.sqrt(x)
            if y == -1:
                return np.reciprocal(x)
            if y == 1:
                return x.copy()
        return np.power(x, y)
    if y.dtype.kind == "i" and np.any(y < 0):
        return _integer_power(x, y)
    return np.power(x, y)


def _integer_power(x, y):
    """Integers with negative powers among the exponents: 1, -1 and else 0 (as division of integers would give)."""
    x, y = np.broadcast_arrays(x, y)
    found = np.power(x, np.maximum(y, 0))
    inverse = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2, -1, 1), 0))
    return np.where(y < 0, inverse, found).astype(y.dtype)


def clamp(x, low, high):
    if type(low) is float is type(high):
        return x.clip(low, high)  # the method: np.clip takes twice as long for small arrays
    if low is not None:
        x = np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def lerp(x, end, weight):
    # From whichever end is nearer, so that both ends are met exactly.
    step = end - x
    if isinstance(weight, np.ndarray):
        return np.where(np.abs(weight) < 0.5, x + weight * step, end - step * (1 - weight))
    return x + weight * step if abs(weight) < 0.5 else end - step * (1 - weight)


def addcmul(x, a, b, value):
    return x + a * b if value == 1 else x + value * a * b


def addcdiv(x, a, b, value):
    return x + (a if value == 1 else value * a) / b


def logaddexp(x, y):
    if not np.iscomplexobj(x) and not np.iscomplexobj(y):
        return np.logaddexp(x, y)
    x, y = np.broadcast_arrays(x, y)
    first = x.real >= y.real
    large, small = np.where(first, x, y), np.where(first, y, x)
    found = large + np.log1p(np.exp(small - large))
    return np.where(
        (large.real == small.real) & np.isinf(large.real), large + np.log1p(np.exp(1j * (small - large).imag)), found
    )


# ``into`` forms write the result into ``out`` (which may be the first operand), so that optimisers make no copies.


def _clamp_into(x, low, high, out):
    if low is None:
        return np.minimum(x, high, out=out)
    if high is None:
        return np.maximum(x, low, out=out)
    if isinstance(high, np.ndarray):  # which may be ``out``
        return np.minimum(np.maximum(x, low), high, out=out)
    return x.clip(low, high, out=out)


def _addcmul_into(x, a, b, value, out):
    product = np.multiply(a, b)
    return np.add(x, product if value == 1 else np.multiply(product, value), out=out)


def _addcdiv_into(x, a, b, value, out):
    quotient = np.true_divide(a, b)
    return np.add(x, quotient if value == 1 else np.multiply(quotient, value), out=out)


def _lerp_into(x, end, weight, out):
    if isinstance(weight, np.ndarray) or abs(weight) >= 0.5:
        out[...] = lerp(x, end, weight)
        return out
    step = np.subtract(end, x)
    return np.add(x, np.multiply(step, weight), out=out)


def _clamp_between(x, low, high):
    return _clamp_loop(x, low, high) if low is not None and high is not None else clamp(x, low, high)


def _clamp_between_into(x, low, high, out):
    if type(low) is float is type(high):
        return x.clip(low, high, out=out)  # the loop is not vectorised where it writes over its operand
    if low is not None and high is not None:
        return _clamp_loop.into(x, low, high, out=out)
    return _clamp_into(x, low, high, out)


def _logaddexp_step(out, x, y):
    large = np.maximum(x, y)
    np.subtract(np.minimum(x, y), large, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.add(out, large, out=out)
    # Two equal infinities: their difference is nan.
    np.copyto(out, large, where=np.isinf(large))


clamp.into, addcmul.into, addcdiv.into, lerp.into = _clamp_into, _addcmul_into, _addcdiv_into, _lerp_into
_clamp_loop = looped(clamp, "clamp")
_clamp_between.into = _clamp_between_into

KERNELS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floor_divide": looped(floor_divide, "floor_divide", 2, doubles=False),
    "trunc_divide": trunc_divide,
    "remainder": looped(remainder, "remainder", 2, doubles=False),
    "fmod": looped(fmod, "fmod", 2, doubles=False),
    "pow": power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "clamp": _clamp_between,
    "where": np.where,
    "lerp": looped(lerp, "lerp", 2),
    "addcmul": looped(addcmul, "addcmul", 3),
    "addcdiv": looped(addcdiv, "addcdiv", 3),
    "atan2": np.arctan2,
    "hypot": looped(np.hypot, "hypot", 2, doubles=False),
    "logaddexp": blocked(logaddexp, _logaddexp_step),
    "logaddexp2": np.logaddexp2,
    "copysign": np.copysign,
    "nextafter": np.nextafter,
    "heaviside": lambda x, y: np.where(x == 0, y, x > 0).astype(
        (x if isinstance(x, np.ndarray) else y).dtype, copy=False
    ),
}

KERNELS["floor_divide"].stepwise = _stepwise(_floor_steps)
KERNELS["trunc_divide"].stepwise = _stepwise(lambda x, y: np.trunc(x / y))
