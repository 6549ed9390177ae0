"""``assert_close``: tensors, arrays, numbers and nestings of them compared by value and by what they are."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.dtypes import dtype as Dtype
from torsh.memory_format import sparse_bsc, sparse_bsr, sparse_csc, sparse_csr, strided
from torsh.tensor import Tensor

# (rtol, atol) by dtype; other dtypes are compared exactly.
TOLERANCES: dict[Dtype, tuple[float, float]] = {
    dtypes.float16: (1e-3, 1e-5), dtypes.bfloat16: (1.6e-2, 1e-5), dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7), dtypes.complex32: (1e-3, 1e-5), dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}  # fmt: skip


class _Check:
    """The settings of one call."""

    def __init__(self, rtol: float | None, atol: float | None, equal_nan: bool, device: bool, dtype: bool, layout: bool,
                 stride: bool, subclasses: bool) -> None:  # fmt: skip
        if (rtol is None) != (atol is None):
            raise ValueError(
                f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {'rtol' if rtol is None else 'atol'}."
            )
        self.rtol, self.atol, self.equal_nan = rtol, atol, equal_nan
        self.device, self.dtype, self.layout, self.stride, self.subclasses = device, dtype, layout, stride, subclasses

    def tolerances(self, *types: Dtype) -> tuple[float, float]:
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        found = [TOLERANCES.get(t, (0.0, 0.0)) for t in types]
        return max(r for r, _ in found), max(a for _, a in found)


class _Mismatch(AssertionError):
    def __init__(self, text: str, path: tuple[Any, ...]) -> None:
        super().__init__(text)
        self.text, self.path = text, path


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """Raise AssertionError unless ``|actual - expected| <= atol + rtol * |expected|`` everywhere and all else is equal.

    actual, expected: tensors, NumPy arrays, numbers, or sequences and mappings of these.
    rtol, atol: both or none; the default depends on the dtype (float32: 1.3e-6 and 1e-5; integers: 0).
    msg: replaces the message, or a function of it.
    Source: https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close

    >>> import torsh
    >>> torsh.testing.assert_close(torsh.tensor([1., 2.]), torsh.tensor([1., 2. + 1e-7]))
    """
    __tracebackhide__ = True
    check = _Check(rtol, atol, equal_nan, check_device, check_dtype, check_layout, check_stride, allow_subclasses)
    try:
        _compare(actual, expected, check, ())
    except _Mismatch as e:
        text = e.text
        if e.path:
            text += f"\n\nThe failure occurred for item {''.join(f'[{p!r}]' for p in e.path)}"
        if callable(msg):
            text = msg(text)
        elif msg is not None:
            text = msg
        raise AssertionError(text) from None


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """``assert_close`` that does not look at dtype and device; deprecated.

    Source: https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_allclose

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by assert_close
    >>> torsh.testing.assert_allclose(torsh.tensor([1.]), torsh.tensor([1. + 1e-7]))
    """
    if not isinstance(actual, Tensor):
        from torsh.ops.data import tensor

        actual = tensor(actual)
    if not isinstance(expected, Tensor):
        from torsh.ops.data import tensor

        expected = tensor(expected, dtype=actual.dtype)
    assert_close(
        actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=True, check_dtype=False, check_stride=False,
        msg=msg or None,
    )  # fmt: skip


def _compare(actual: Any, expected: Any, check: _Check, path: tuple[Any, ...]) -> None:
    if (isinstance(actual, Sequence) and isinstance(expected, Sequence) and not isinstance(actual, str)
            and not isinstance(expected, str)):  # fmt: skip
        if len(actual) != len(expected):
            raise _Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
        for i, (a, b) in enumerate(zip(actual, expected)):
            _compare(a, b, check, (*path, i))
        return
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            raise _Mismatch(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(set(expected) - set(actual), key=str)}\n"
                f"Additional keys in the actual mapping: {sorted(set(actual) - set(expected), key=str)}",
                path,
            )
        for key in sorted(actual, key=str):
            _compare(actual[key], expected[key], check, (*path, key))
        return
    if actual is None and expected is None:
        return
    if actual is None or expected is None:
        raise _Mismatch(f"None mismatch: {actual} is not {expected}", path)
    tensors = [_as_tensor(x) for x in (actual, expected)]
    direct = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if tensors[0] is not None and tensors[1] is not None and direct:
        _tensors(tensors[0], tensors[1], check, path)
        return
    numbers = (bool, int, float, complex, np.number)
    if isinstance(actual, numbers) and isinstance(expected, numbers):
        _numbers(actual, expected, check, path)
        return
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
        + (f"\n\nThe failure occurred for item {''.join(f'[{p!r}]' for p in path)}" if path else "")
    )


def _as_tensor(x: Any) -> Tensor | None:
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.ndarray):
        from torsh.ops.data import tensor

        return tensor(x)
    return None


def _attribute(name: str, a: Any, b: Any, path: tuple[Any, ...]) -> None:
    raise _Mismatch(f"The values for attribute '{name}' do not match: {a} != {b}.", path)


def _tensors(a: Tensor, b: Tensor, check: _Check, path: tuple[Any, ...]) -> None:
    if not check.subclasses and type(a) is not type(b):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
    if tuple(a.shape) != tuple(b.shape):
        _attribute("shape", a.shape, b.shape, path)
    if a.is_quantized != b.is_quantized:
        _attribute("is_quantized", a.is_quantized, b.is_quantized, path)
    if a.is_quantized and a.qscheme() != b.qscheme():
        _attribute("qscheme()", a.qscheme(), b.qscheme(), path)
    if check.layout and a.layout is not b.layout:
        _attribute("layout", a.layout, b.layout, path)
    if check.device and a.device != b.device:
        _attribute("device", a.device, b.device, path)
    if check.dtype and a.dtype is not b.dtype:
        _attribute("dtype", a.dtype, b.dtype, path)
    if check.stride and a.layout is b.layout is strided and a.stride() != b.stride():
        _attribute("stride()", a.stride(), b.stride(), path)
    if a.device.type == "meta" or b.device.type == "meta":
        return
    rtol, atol = check.tolerances(*(dtypes.float32 if t.is_quantized else t.dtype for t in (a, b)))
    coded = a.dtype in dtypes.FLOAT8 and a.dtype is b.dtype
    if coded and (rtol or atol):
        raise _Mismatch(
            f"Rtol={rtol} and atol={atol} are not supported for bitwise comparison of low dimensional floats. Please use rtol=0.0 and "
            "atol=0.0.",
            path,
        )
    if a.layout is not b.layout:
        a, b = (t if t.layout is strided else t.to_dense() for t in (a, b))
    for what, x, y, exact in _parts(a, b, path):
        text = compare_arrays(
            _host(x), _host(y), 0.0 if exact else rtol, 0.0 if exact else atol, check.equal_nan, what, coded
        )
        if text is not None:
            raise _Mismatch(text, path)


def _parts(a: Tensor, b: Tensor, path: tuple[Any, ...]) -> Iterator[tuple[str, Tensor, Tensor, bool]]:
    """What is compared of two tensors of one layout: (what it is called, the two, whether they must be equal)."""
    if a.is_quantized:
        yield "Quantized {}", a.dequantize(), b.dequantize(), False
    elif a.is_sparse:
        if a.sparse_dim() != b.sparse_dim():
            raise _Mismatch(
                "The number of sparse dimensions in sparse COO tensors does not match: "
                f"{a.sparse_dim()} != {b.sparse_dim()}",
                path,
            )
        _same_count("COO", a, b, path)
        yield "Sparse COO indices", a._indices(), b._indices(), True
        yield "Sparse COO values", a._values(), b._values(), False
    elif a.layout in _COMPRESSED:
        name, *indices = _COMPRESSED[a.layout]
        _same_count(name, a, b, path)
        for member in indices:
            x, y = getattr(a, member)(), getattr(b, member)()
            dtype = dtypes.promote_types(x.dtype, y.dtype)  # int32 or int64
            yield f"Sparse {name} {member}", x.to(dtype), y.to(dtype), True
        yield f"Sparse {name} values", a.values(), b.values(), False
    else:
        yield "{}", a, b, False


def _same_count(name: str, a: Any, b: Any, path: tuple[Any, ...]) -> None:
    if a._nnz() != b._nnz():
        raise _Mismatch(
            f"The number of specified values in sparse {name} tensors does not match: {a._nnz()} != {b._nnz()}", path
        )


_COMPRESSED = {
    sparse_csr: ("CSR", "crow_indices", "col_indices"), sparse_csc: ("CSC", "ccol_indices", "row_indices"),
    sparse_bsr: ("BSR", "crow_indices", "col_indices"), sparse_bsc: ("BSC", "ccol_indices", "row_indices"),
}  # fmt: skip


def _host(t: Tensor) -> np.ndarray[Any, Any]:
    t = t.detach().resolve_conj().resolve_neg()
    if t.dtype in (dtypes.float16, dtypes.bfloat16, *dtypes.FLOAT8):
        t = t.float()
    elif t.dtype is dtypes.complex32:
        t = t.to(dtypes.complex64)
    return np.asarray(t.cpu().numpy())


def compare_arrays(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], rtol: float, atol: float, equal_nan: bool, what: str = "{}",
    coded: bool = False,
) -> str | None:  # fmt: skip
    """What is wrong, or None where all elements are close.

    what: what is compared, a name or "{}" for the usual one.  coded: whether differences of the values say nothing.
    """
    with np.errstate(all="ignore"):
        close = a == b
        if equal_nan:
            close |= (a != a) & (b != b)
        exact = rtol == 0 and atol == 0
        # Unsigned and 64-bit integers: exact differences need Python's integers, but float64 serves for a message.
        wide = (
            np.result_type(a, b, np.float64) if a.dtype.kind in "bui" or b.dtype.kind in "bui" else np.result_type(a, b)
        )
        difference = np.abs(a.astype(wide) - b.astype(wide))
        if not exact:
            allowed = atol + np.abs(rtol * b.astype(wide))
            close |= np.isfinite(difference) & (difference <= allowed)
        if close.all():
            return None
        difference = np.where(close, 0, difference)
        # PyTorch divides integers in its default type.
        ratio = np.float32 if a.dtype.kind in "bui" and b.dtype.kind in "bui" else wide
        relative = difference.astype(ratio) / np.abs(b.astype(ratio))
        relative = np.where(close, 0, relative)
    bad, n = int((~close).sum()), close.size
    usual = "Tensor-likes" if a.ndim else "Scalars"
    words = what.format(usual if what == "{}" else usual.lower()) + (" are not equal!" if exact else " are not close!")
    if coded:
        first = tuple(int(i[0]) for i in np.nonzero(~close))
        words = what.format("Tensor-likes")
        return f"{words} are not 'equal'!\n\nMismatched elements: {bad} / {n} ({bad / n:.1%})\nThe first mismatched element is at index {first}."
    if a.ndim == 0:
        return _scalar_text(words, a.item(), b.item(), float(difference), float(relative), rtol, atol)

    def greatest(name: str, values: np.ndarray[Any, Any], tolerance: float) -> str:
        flat = np.where(np.isnan(values), np.inf, values).reshape(-1)
        at = int(np.argmax(flat)) if not np.isnan(values).any() else int(np.argmax(np.isnan(values).reshape(-1)))
        value = values.reshape(-1)[at].item()
        index = tuple(int(i) for i in np.unravel_index(at, values.shape))
        shown = int(value) if exact and a.dtype.kind in "bui" and name == "absolute" and np.isfinite(value) else value
        return f"Greatest {name} difference: {shown} at index {index}" + (
            "" if exact else f" (up to {tolerance} allowed)"
        )

    return "\n".join(
        [words, "", f"Mismatched elements: {bad} / {n} ({bad / n:.1%})", greatest("absolute", difference, atol),
         greatest("relative", relative, rtol)]
    )  # fmt: skip


def _scalar_text(words: str, a: Any, b: Any, absolute: float, relative: float, rtol: float, atol: float) -> str:
    exact = rtol == 0 and atol == 0
    return "\n".join(
        [words, "", f"Expected {b} but got {a}.",
         f"Absolute difference: {absolute}" + ("" if exact else f" (up to {atol} allowed)"),
         f"Relative difference: {relative}" + ("" if exact else f" (up to {rtol} allowed)")]
    )  # fmt: skip


def _numbers(a: Any, b: Any, check: _Check, path: tuple[Any, ...]) -> None:
    def kind(x: Any) -> Dtype:
        return dtypes.bool if isinstance(x, (bool, np.bool_)) else dtypes.int64 if isinstance(x, (int, np.integer)) else (
            dtypes.complex128 if isinstance(x, (complex, np.complexfloating)) else dtypes.float64)  # fmt: skip

    if check.dtype and type(a) is not type(b):
        raise _Mismatch(f"The (d)types do not match: {type(a)} != {type(b)}.", path)
    rtol, atol = check.tolerances(kind(a), kind(b))
    if a == b or (check.equal_nan and cmath.isnan(a) and cmath.isnan(b)):
        return
    absolute = abs(a - b)
    if cmath.isfinite(absolute) and absolute <= atol + rtol * abs(b):
        return
    exact = rtol == 0 and atol == 0
    if isinstance(a, bool) and isinstance(b, bool):
        raise _Mismatch(f"Booleans mismatch: {a} is not {b}", path)
    relative = absolute / abs(b) if b != 0 else float("inf")
    words = "Scalars are not equal!" if exact else "Scalars are not close!"
    raise _Mismatch(_scalar_text(words, a, b, absolute, relative, rtol, atol), path)
