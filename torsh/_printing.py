"""How tensors print: the text of PyTorch's ``repr``, character for character.

Only the elements that are shown are fetched from the device and formatted.
Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.tensor import PLAIN, Parameter, Tensor


class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = _Options()
_FIELDS = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print.

    precision: digits after the point.  threshold: number of elements above which only the edges show, ``edgeitems`` on each
    side.  linewidth: characters per line.  profile: "default", "short" or "full", which the other arguments then change.
    sci_mode: force (True) or forbid (False) scientific notation; None lets the values decide.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html

    >>> import torsh
    >>> torsh.set_printoptions(precision=2)
    >>> torsh.tensor([1.23456])
    tensor([1.23])
    >>> torsh.set_printoptions(profile="default")
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in {
        **_PROFILES.get(profile or "", {}),
        **{n: v for n, v in given.items() if v is not None},
    }.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current options, as arguments for ``set_printoptions``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html

    >>> import torsh
    >>> torsh.get_printoptions()["precision"]
    4
    """
    return {name: getattr(options, name) for name in _FIELDS}


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Change the options inside a ``with`` block.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html

    >>> import torsh
    >>> with torsh.printoptions(precision=2):
    ...     print(torsh.tensor([1.23456]))
    tensor([1.23])
    """
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


# ---- values to strings -------------------------------------------------------------------------------------------------


def _texts(array: np.ndarray[Any, Any]) -> tuple[list[str], int]:
    """Every element as text, padded to one width, in row-major order; and that width."""
    if array.dtype.kind != "f":
        texts = [str(v) for v in array.reshape(-1).tolist()]
        width = max(map(len, texts), default=1)
        return [t.rjust(width) for t in texts], width
    flat = array.reshape(-1)
    ordinary = np.isfinite(flat) & (flat != 0)
    chosen = flat[ordinary]
    whole, scientific = True, False
    if chosen.size:
        size = np.abs(chosen)
        low, high = float(size.min()), float(size.max())
        whole = bool((chosen == np.ceil(chosen)).all())
        scientific = (
            (high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4) if options.sci_mode is None else options.sci_mode
        )
    spec = f".{options.precision}e" if scientific else ".0f" if whole else f".{options.precision}f"
    texts = [format(v, spec) for v in flat.tolist()]
    if whole and not scientific:  # a point tells floats from integers
        texts = [t if t[-1] in "fn" else t + "." for t in texts]
    width = max((len(t) for t, o in zip(texts, ordinary.tolist()) if o), default=1)
    return [t.rjust(width) for t in texts], width


def _complex_texts(array: np.ndarray[Any, Any]) -> tuple[list[str], int]:
    real, real_width = _texts(array.real)
    imaginary, width = _texts(array.imag)
    found = []
    for re, im in zip(real, imaginary):
        im = im.lstrip() + "j"
        found.append(re + (im if im[0] in "+-" else "+" + im))
    return found, real_width + width + 1


def _nested(
    texts: Iterator[str], shape: tuple[int, ...], cut: tuple[bool, ...], indent: int, per_line: Callable[[int], int]
) -> str:
    """Brackets around the texts; ``cut`` says in which dimensions a middle part was left out."""
    edge = options.edgeitems
    if len(shape) == 1:
        parts = [next(texts) for _ in range(shape[0])]
        if cut[0]:
            parts.insert(edge, " ...")
        n = per_line(indent)
        lines = [", ".join(parts[i : i + n]) for i in range(0, len(parts), n)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_nested(texts, shape[1:], cut[1:], indent + 1, per_line) for _ in range(shape[0])]
    if cut[0]:
        parts.insert(edge, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(parts) + "]"


def _shown(t: Tensor) -> tuple[np.ndarray[Any, Any], tuple[bool, ...]]:
    """The elements that are printed, on the host, and in which dimensions some are left out."""
    edge = options.edgeitems
    shape = tuple(t.shape)
    cut = tuple(n > 2 * edge for n in shape) if t.numel() > options.threshold else (False,) * len(shape)
    backend = t._kind.backend
    if backend.name == "numpy":
        array = t._data
        for d, is_cut in enumerate(cut):
            if is_cut:
                lead = (slice(None),) * d
                array = np.concatenate((array[(*lead, slice(None, edge))], array[(*lead, slice(-edge, None))]), d)
    else:
        from torsh.ops.joining import cat

        t = t.detach()
        for d, is_cut in enumerate(cut):
            if is_cut:
                n = t.shape[d]
                t = cat([t.narrow(d, 0, edge), t.narrow(d, n - edge, edge)], d)
        array = backend.to_host(t._data)
    if t._kind.floating:
        array = array.astype(np.float64)
    elif t._kind.dtype is dtypes.complex32:
        from torsh.ops.conversion import host_array

        array = host_array(t.to(dtypes.complex64))
    return array, cut


def tensor_text(t: Tensor, indent: int) -> str:
    """The values of a strided tensor in brackets, to be printed at a column."""
    if t.numel() == 0:
        return "[]"
    if t.numel() > options.threshold and not options.edgeitems:
        return "[...]"
    array, cut = _shown(t)
    texts, width = _complex_texts(array) if array.dtype.kind == "c" else _texts(array)
    if not array.shape:
        return texts[0]
    return _nested(
        iter(texts), array.shape, cut, indent, lambda at: max(1, math.floor((options.linewidth - at) / (width + 2)))
    )


# ---- the whole line ----------------------------------------------------------------------------------------------------


def _with_suffixes(text: str, suffixes: list[str], indent: int, newline: bool) -> str:
    parts = [text]
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if newline or length + len(suffix) + 2 > options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
            newline = False
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"


def tensor_repr(t: Tensor, contents: str | None = None) -> str:
    """``repr`` of a tensor; ``contents`` replaces its values."""
    parts = getattr(t, "_printed_parts", None)
    quantizer = getattr(t, "_printed_suffixes", None)  # of a quantized tensor
    plain = type(t) in PLAIN or parts is not None or quantizer is not None or t._bits
    prefix = "tensor(" if plain else f"{type(t).__name__}("
    indent = len(prefix)
    suffixes = []
    device, dtype = t.device, t.dtype
    if device.type != "cpu":
        suffixes.append(f"device='{device}'")
    default = dtypes.get_default_dtype()
    usual = dtype is default or dtype in (
        dtypes.int64, dtypes.bool, dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
    )  # fmt: skip
    size = f"size={tuple(t.shape)}"
    newline = False
    if parts is not None:  # a sparse tensor: its members in turn
        text, nnz = _members(parts(), indent)
        suffixes += [
            size,
            *([f"nnz={nnz}"] if nnz is not None else []),
            *([] if usual else [f"dtype={dtype}"]),
            f"layout={t.layout}",
        ]
        newline = t.is_sparse
    elif quantizer is not None:
        text = tensor_text(t.dequantize(), indent) if contents is None else ""
        suffixes += [size, *quantizer()]
    elif device.type == "meta" or dtype in dtypes.UNCASTABLE:
        text = "..."
        suffixes += [size, *([] if dtype is default else [f"dtype={dtype}"])]
    elif t.numel() == 0:
        text = "[]"
        suffixes += [*([] if t.ndim == 1 else [size]), *([] if dtype is default else [f"dtype={dtype}"])]
    else:
        text = "" if contents is not None else tensor_text(t, indent)
        suffixes += [*([] if options.edgeitems else [size]), *([] if usual else [f"dtype={dtype}"])]
    from torsh.autograd import forward_ad

    primal, tangent = forward_ad.unpack_dual(t) if forward_ad._levels else (t, None)
    history = t if tangent is None else primal  # of a dual tensor, what leads to its tangent is not shown
    node = history.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn=<{type(node).__name__}>")
    elif history._rg:
        suffixes.append("requires_grad=True")
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    found = _with_suffixes(prefix + (text if contents is None else contents), suffixes, indent, newline)
    if isinstance(t, Parameter) and not plain:
        return f"Parameter({found})"
    return found


def _members(parts: Any, indent: int) -> tuple[str, int | None]:
    """``name=tensor(...)`` lines of a sparse tensor, and its number of stored elements."""
    members, nnz = parts
    lines = []
    for name, member in members:
        prefix = f"{name}=tensor("
        text = "..." if member.device.type == "meta" else tensor_text(member.detach(), indent + len(prefix))
        if member.device.type == "meta" or member.numel() == 0:
            text += f", size={tuple(member.shape)}"
        lines.append(prefix + text + ")")
    return (",\n" + " " * indent).join(lines), nnz


def tensor_html(t: Tensor) -> str:
    """What a notebook shows: the shape, dtype and device above the usual text."""
    shape = " × ".join(map(str, t.shape)) or "0-d"
    import html  # for notebooks only

    return f"<div><code>{shape} · {t.dtype} · {t.device}</code><pre>{html.escape(tensor_repr(t))}</pre></div>"


__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_html", "tensor_repr", "tensor_text"]
