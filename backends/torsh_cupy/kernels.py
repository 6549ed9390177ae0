"""CuPy's own kernels: where it has a function under NumPy's name that does exactly what the op does, and views."""

from __future__ import annotations

from typing import Any

from torsh.backend import Kernel

# Op -> CuPy function of the same arguments.  These are ufuncs or one fused CUDA kernel each.
_SAME = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "true_divide", "neg": "negative", "exp": "exp",
    "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p", "sqrt": "sqrt", "sin": "sin",
    "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "atan2": "arctan2", "hypot":
    "hypot", "maximum": "maximum", "minimum": "minimum", "fmax": "fmax", "fmin": "fmin", "gt": "greater", "ge":
    "greater_equal", "lt": "less", "le": "less_equal", "eq": "equal", "ne": "not_equal", "isnan": "isnan", "isinf":
    "isinf", "isfinite": "isfinite", "signbit": "signbit", "matmul": "matmul", "copysign": "copysign", "nextafter":
    "nextafter", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2", "gcd": "gcd", "lcm": "lcm", "deg2rad":
    "deg2rad", "rad2deg": "rad2deg", "exp2": "exp2", "logical_not": "logical_not", "logical_and": "logical_and",
    "logical_or": "logical_or", "logical_xor": "logical_xor", "bitwise_not": "invert", "bitwise_and": "bitwise_and",
    "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor",
}  # fmt: skip


def make_table(xp: Any) -> dict[str, Kernel]:
    """The kernels of a CuPy module (or of one with the same functions)."""
    found: dict[str, Kernel] = {op: getattr(xp, name) for op, name in _SAME.items() if hasattr(xp, name)}
    strided = xp.lib.stride_tricks.as_strided

    def as_strided(x: Any, size: Any, stride: Any, offset: Any, *rest: Any) -> Any:
        # From the first element of x on, which need not be the first of its memory.
        start = x if not offset else xp.ndarray(x.shape, x.dtype, x.data + offset * x.itemsize, x.strides)
        return strided(start, size, [s * x.itemsize for s in stride])

    def unfold(x: Any, dim: int, size: int, step: int) -> Any:
        shape, strides = list(x.shape), list(x.strides)
        shape[dim] = (shape[dim] - size) // step + 1
        last = strides[dim]
        strides[dim] *= step
        return strided(x, (*shape, size), (*strides, last))

    found |= {
        "as_strided": as_strided,
        "unfold": unfold,
        "view": lambda x, size: x.reshape(size),
        "reshape": lambda x, size, *shape: x.reshape(size) if not x.flags.c_contiguous else x.reshape(size).copy(),
        "permute": lambda x, dims: x.transpose(dims),
        "squeeze": lambda x, dims: x.squeeze(dims),
        "diagonal": lambda x, offset, a, b: x.diagonal(offset, a, b),
        "view_dtype": lambda x, dtype, source: x.view(dtype.name),
        "real_part": lambda x: x.real,
        "imag_part": lambda x: x.imag,
        "nonzero": xp.argwhere,
    }
    return found


__all__ = ["make_table"]
