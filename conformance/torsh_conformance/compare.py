"""Comparison of results: structure, shape and dtype before values; errors in units of the last place.

The *oracle* is the reference computed in a higher precision; an error is measured against it, and a result is accepted
that is close to the reference or no worse than the reference itself is.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np

from torsh_conformance.sample import to_numpy

# (relative, absolute): those of torch.testing with ten times the relative part, since two libraries add in different
# order.
TOLERANCES = {
    "float64": (1e-6, 1e-7), "complex128": (1e-6, 1e-7), "float32": (1.3e-5, 1e-5), "complex64": (1.3e-5, 1e-5),
    "float16": (1e-2, 1e-4), "bfloat16": (1.6e-2, 1e-4), "complex32": (1e-2, 1e-4),
}  # fmt: skip
_FLOAT8 = (0.15, 2e-2)


@dataclass
class Leaf:
    """One value of a result: a tensor as an array with its metadata, or a plain Python value."""

    where: str
    kind: str  # "tensor" or the Python type's name
    shape: tuple[int, ...] | None
    dtype: str | None
    value: Any


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of torsh, PyTorch or the like."""
    return hasattr(value, "requires_grad") and hasattr(value, "detach") and hasattr(value, "dtype")


def leaves(result: Any, where: str = "result") -> list[Leaf]:
    """A result taken apart; a named tuple's parts have names."""
    if is_tensor(result):
        # A sparse tensor is compared as the dense one it stands for, under its layout's name.
        layout = str(getattr(result, "layout", "strided")).rpartition(".")[2]
        if layout.startswith("sparse"):
            return [replace(x, kind=f"{layout} tensor") for x in leaves(result.to_dense(), where)]
        value, dtype = to_numpy(result), dtype_name(result.dtype)
        if value.dtype.name != dtype:  # says one type, holds another
            dtype = f"{dtype} (holding {value.dtype.name})"
        return [Leaf(where, "tensor", tuple(result.shape), dtype, value)]
    if isinstance(result, np.ndarray):
        return [Leaf(where, "array", result.shape, result.dtype.name, result)]
    if isinstance(result, (tuple, list)) and not _is_size(result):
        fields = getattr(result, "_fields", None) or _structseq_fields(result)
        found = [] if result else [Leaf(where, "empty sequence", None, None, None)]
        for i, part in enumerate(result):
            found += leaves(part, f"{where}.{fields[i]}" if fields and i < len(fields) else f"{where}[{i}]")
        return found
    if isinstance(result, dict):
        return [x for k in sorted(result, key=str) for x in leaves(result[k], f"{where}[{k!r}]")]
    if isinstance(result, bool) or result is None or isinstance(result, str):
        return [Leaf(where, type(result).__name__, None, None, result)]
    if isinstance(result, numbers.Number):
        return [Leaf(where, type(result).__name__, None, None, np.asarray(result))]
    if _is_size(result):
        return [Leaf(where, "Size", None, None, str(tuple(result)))]
    name = type(result).__name__
    return [
        Leaf(
            where, name, None, None, dtype_name(result) if name == "dtype" else str(result).replace("torsh.", "torch.")
        )
    ]


def _is_size(value: Any) -> bool:
    return isinstance(value, tuple) and type(value).__name__ == "Size"


def _structseq_fields(value: Any) -> list[str] | None:
    """The names of a torch.return_types object's parts."""
    if type(value).__module__ != "torch.return_types":
        return None
    names = [n for n in dir(type(value)) if not n.startswith(("_", "n_")) and n not in ("count", "index")]
    order = {id(part): i for i, part in enumerate(value)}
    return sorted((n for n in names if id(getattr(value, n)) in order), key=lambda n: order[id(getattr(value, n))])


def dtype_name(dtype: Any) -> str:
    """``float32`` for torsh.float32, torch.float32 and numpy.float32."""
    name = getattr(dtype, "name", None)
    return name if isinstance(name, str) else str(dtype).rpartition(".")[2]


class Different(AssertionError):
    """Two results differ; ``check`` says in what ("metadata" or "value")."""

    def __init__(self, check: str, message: str) -> None:
        super().__init__(message)
        self.check = check


def same_metadata(actual: list[Leaf], expected: list[Leaf]) -> None:
    """Raise Different unless two results have the same structure, shapes and dtypes."""
    if len(actual) != len(expected):
        raise Different("metadata", f"{len(actual)} values in the result, expected {len(expected)}")
    for a, e in zip(actual, expected):
        if a.kind != e.kind:
            raise Different("metadata", f"{e.where} is a {a.kind}, expected a {e.kind}")
        if "." in e.where and a.where != e.where:
            raise Different("metadata", f"{e.where} is called {a.where}")
        if a.shape != e.shape:
            raise Different("metadata", f"{e.where} has shape {_brief(a.shape)}, expected {_brief(e.shape)}")
        if a.dtype != e.dtype:
            raise Different("metadata", f"{e.where} has dtype {a.dtype}, expected {e.dtype}")


def _brief(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else str(list(shape))


def wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array of any type in float64 or complex128 (integers stay)."""
    name = array.dtype.name
    if array.dtype.kind in "biu":
        return array
    return array.astype(np.complex128 if name.startswith("complex") else np.float64)


def unit(magnitude: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """The distance between neighbouring numbers of a floating type around a magnitude."""
    real = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    info = ml_dtypes.finfo(real)
    smallest, eps = float(info.smallest_normal), float(info.eps)
    _, exponent = np.frexp(np.maximum(magnitude, smallest))
    return np.ldexp(np.ones_like(magnitude), exponent - 1) * eps


def ulps(actual: np.ndarray[Any, Any], oracle: np.ndarray[Any, Any], dtype: str, *, normwise: bool) -> float:
    """The largest error in units of the last place; ``normwise``: of the largest magnitude in the result.

    Where either is not finite the error is 0; that both agree there is checked elsewhere.
    """
    a, o = wide(actual), wide(oracle)
    with np.errstate(all="ignore"):
        both = np.isfinite(a) & np.isfinite(o)
        if not both.any():
            return 0.0
        error = np.abs(np.where(both, a - o, 0))
        magnitude = np.where(both, np.abs(o), 0)
        if normwise:
            magnitude = np.full_like(magnitude, magnitude.max())
        return float(np.max(error / unit(magnitude, dtype)))


def values(
    actual: Leaf,
    expected: Leaf,
    oracle: np.ndarray[Any, Any] | None,
    *,
    normwise: bool = False,
    exact: bool = False,
    true: bool = False,
) -> float | None:
    """Compare the values of two leaves with equal metadata; returns the error in ulp against the oracle, None for types
    without rounding.  Raises Different.

    true: the oracle is the exact value, not the reference in a higher precision: what agrees with it is right, whatever
    the reference says.
    """
    if expected.kind not in ("tensor", "array") and not isinstance(expected.value, np.ndarray):
        if actual.value != expected.value:
            raise Different("value", f"{expected.where} is {actual.value!r}, expected {expected.value!r}")
        return None
    a, e = np.asarray(actual.value), np.asarray(expected.value)
    dtype = expected.dtype or e.dtype.name
    if e.dtype.kind in "biuU" or e.dtype.kind == "O":
        if not np.array_equal(a, e):
            raise Different("value", _mismatch(expected.where, a, e, a != e))
        return None
    wa, we = wide(a), wide(e)
    if exact:
        wrong = ~((wa == we) | (np.isnan(wa) & np.isnan(we)))
        if wrong.any():
            raise Different("value", _mismatch(expected.where, wa, we, wrong))
        return 0.0
    rtol, atol = TOLERANCES.get(dtype, _FLOAT8 if dtype.startswith("float8") else (0.0, 0.0))
    with np.errstate(all="ignore"):
        allowed = atol + rtol * np.abs(np.where(np.isfinite(we), we, 0))
        if oracle is not None and oracle.shape == we.shape:
            wo = wide(oracle)
            own = np.abs(np.where(np.isfinite(we) & np.isfinite(wo), we - wo, 0))
            largest = float(np.max(np.abs(np.where(np.isfinite(wo), wo, 0)), initial=0.0))
            # As far off as the reference itself is, four times over, but never by more than a thousandth of the
            # result's size.
            allowed = allowed + np.minimum(4 * own, 1e-3 * largest)
        if normwise:
            allowed = allowed + rtol * float(np.max(np.abs(np.where(np.isfinite(we), we, 0)), initial=0.0))
        close = np.abs(wa - we) <= allowed
        if true and oracle is not None and oracle.shape == wa.shape:
            close |= (wa == oracle) | (np.abs(wa - oracle) <= rtol * np.abs(oracle) + np.finfo(np.float64).tiny)
        wrong = ~(close | _same_nonfinite(wa, we))
    if wrong.any():
        raise Different("value", _mismatch(expected.where, wa, we, wrong))
    if oracle is None or oracle.shape != wa.shape or not wa.size:
        return None
    return ulps(wa, oracle, dtype, normwise=normwise)


def _same_nonfinite(a: np.ndarray[Any, Any], e: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where both are the same infinity or both nan; a complex number is nan if either part is."""
    if np.iscomplexobj(e):
        # Which part of a complex result becomes nan is left open by C99's Annex G.
        return (
            (a == e) | (~np.isfinite(a) & ~np.isfinite(e) & (np.isnan(a) | np.isnan(e))) | (np.isinf(a) & np.isinf(e))
        )
    return (a == e) | (np.isnan(a) & np.isnan(e))


def _mismatch(where: str, a: np.ndarray[Any, Any], e: np.ndarray[Any, Any], wrong: Any) -> str:
    wrong = np.asarray(wrong)
    if wrong.shape != np.shape(e) or not wrong.shape:
        return f"{where} is {_number(a)}, expected {_number(e)}"
    at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    index = ", ".join(str(int(i)) for i in at)
    count = f"{int(wrong.sum())} of {wrong.size} elements differ"
    return f"{where}[{index}] is {_number(a[at])}, expected {_number(e[at])} ({count})"


def _number(x: Any) -> str:
    x = np.asarray(x)
    if x.shape:
        return f"array of {x.size}"
    item = x.item()
    return f"{item:.9g}" if isinstance(item, (float, complex)) and not isinstance(item, bool) else str(item)


# ---- results that are determined only up to a choice -----------------------------------------------------------------


def _adjoint(m: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.conj(np.swapaxes(m, -1, -2))


def invariants(name: str, parts: list[Leaf], inputs: list[np.ndarray[Any, Any]]) -> list[Leaf]:
    """What a factorisation determines: its result with signs, phases and bases of eigenspaces taken out.

    Factors become products and the orthonormality of factors; anything else passes unchanged.
    """
    plain = name.rpartition(".")[2].removeprefix("linalg_").removeprefix("torch_")
    if len(parts) < 2 or any(not isinstance(p.value, np.ndarray) for p in parts):
        return parts

    def leaf(p: Leaf, where: str, value: np.ndarray[Any, Any]) -> Leaf:
        return Leaf(f"{p.where} ({where})", p.kind, value.shape, p.dtype, value)

    values = [wide(p.value) for p in parts]
    with np.errstate(all="ignore"):
        if plain == "svd" and len(parts) == 3 and values[1].size:
            u, s, v = values
            vh = v if name.startswith("linalg") else _adjoint(v)
            k = s.shape[-1]
            return [parts[1], leaf(parts[0], "U S Vh", (u[..., :, :k] * s[..., None, :]) @ vh[..., :k, :]),
                    leaf(parts[0], "U^H U", _adjoint(u) @ u), leaf(parts[2], "Vh V", vh @ _adjoint(vh))]  # fmt: skip
        if plain == "eigh" and len(parts) == 2:
            w, v = values
            return [parts[0], leaf(parts[1], "V w V^H", (v * w[..., None, :]) @ _adjoint(v))]
        if plain == "eig" and len(parts) == 2 and inputs:
            w, v = values
            residual = inputs[0].astype(np.complex128) @ v - v * w[..., None, :]
            return [leaf(parts[0], "sorted", np.sort_complex(np.round(w, 4))), leaf(parts[1], "A V - V w", residual)]
        if plain == "qr" and len(parts) == 2 and values[0].size:
            q, r = values
            return [leaf(parts[0], "Q R", q @ r[..., : q.shape[-1], :]), leaf(parts[0], "Q^H Q", _adjoint(q) @ q)]
    return parts


def ulp_text(error: float | None) -> str:
    """An error for people: ``0.5``, ``12``, ``1.3e5``."""
    if error is None or math.isnan(error):
        return ""
    if math.isinf(error):
        return "inf"
    return f"{error:.1f}" if error < 10 else f"{error:.0f}" if error < 1e4 else f"{error:.0e}".replace("e+0", "e")
