"""Window functions: ``torch.signal.windows`` and the older ``torch.*_window``."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._args import check_pinnable
from torsh.ops._op import add_doc, composite


def _torch(name: str) -> Any:
    from torsh.ops import NAMES

    return NAMES["torch"][name]


def _finish(w: Any, requires_grad: bool) -> Any:
    return w.requires_grad_() if requires_grad else w


def _check(name: str, M: Any, dtype: Any, layout: Any) -> Any:
    """The dtype of a window, after PyTorch's checks."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and "strided" not in str(layout):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    return dtype


def _ends(M: int, sym: bool) -> int:
    return M - 1 if sym and M > 1 else M


def _line(start: float, step: float, M: int, dtype: Any, device: Any) -> Any:
    return _torch("linspace")(start, start + (M - 1) * step, M, dtype=dtype, device=device)


def _short(M: int, dtype: Any, device: Any, requires_grad: bool) -> Any:
    """The windows of no and of one point."""
    return _torch("empty" if M == 0 else "ones")((M,), dtype=dtype, device=device, requires_grad=requires_grad)


def _cosines(name: str, M: int, a: Any, sym: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> Any:
    dtype = _check(name, M, dtype, layout)
    if M <= 1:
        return _short(M, dtype, device, requires_grad)
    k = _line(0.0, 2 * math.pi / _ends(M, sym), M, dtype, device)
    w = None
    for i, c in enumerate(a):
        term = (k * i).cos() * (c if i % 2 == 0 else -c) if i else k * 0 + c
        w = term if w is None else w + term
    return _finish(w, requires_grad)


_SOURCE = "Source: https://docs.pytorch.org/docs/stable/generated/torch.signal.windows.{}.html"


def _window(name: str) -> Any:
    return composite(f"torch.signal.windows.{name}", name=f"windows_{name}", tags="creation")


@_window("general_cosine")
def general_cosine(M, *, a, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A sum of cosines with coefficients ``a``, of alternating sign; ``sym`` False gives a window to be repeated.

    >>> import torsh
    >>> torsh.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    _check("general_cosine", M, dtype, layout)
    if not isinstance(a, (list, tuple)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    return _cosines("general_cosine", M, a, sym, dtype, layout, device, requires_grad)


@_window("general_hamming")
def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """alpha - (1 - alpha) * cos.

    >>> import torsh
    >>> torsh.signal.windows.general_hamming(5, alpha=0.6)
    tensor([0.2000, 0.6000, 1.0000, 0.6000, 0.2000])
    """
    return _cosines("general_cosine", M, [alpha, 1.0 - alpha], sym, dtype, layout, device, requires_grad)


@_window("hamming")
def hamming(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The Hamming window: 0.54 - 0.46 * cos.

    >>> import torsh
    >>> torsh.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return _cosines("general_cosine", M, [0.54, 0.46], sym, dtype, layout, device, requires_grad)


@_window("hann")
def hann(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The Hann window: 0.5 - 0.5 * cos.

    >>> import torsh
    >>> torsh.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _cosines("general_cosine", M, [0.5, 0.5], sym, dtype, layout, device, requires_grad)


@_window("blackman")
def blackman(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The Blackman window, of three cosines.

    >>> import torsh
    >>> torsh.signal.windows.blackman(5)
    tensor([-1.4901e-08,  3.4000e-01,  1.0000e+00,  3.4000e-01, -1.4901e-08])
    """
    _check("blackman", M, dtype, layout)
    return _cosines("general_cosine", M, [0.42, 0.5, 0.08], sym, dtype, layout, device, requires_grad)


@_window("nuttall")
def nuttall(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """Nuttall's minimum 4-term window.

    >>> import torsh
    >>> torsh.signal.windows.nuttall(5)
    tensor([3.6280e-04, 2.2698e-01, 1.0000e+00, 2.2698e-01, 3.6280e-04])
    """
    a = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return _cosines("general_cosine", M, a, sym, dtype, layout, device, requires_grad)


@_window("bartlett")
def bartlett(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A triangle that is zero at its ends.

    >>> import torsh
    >>> torsh.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    dtype = _check("bartlett", M, dtype, layout)
    if M <= 1:
        return _short(M, dtype, device, requires_grad)
    return _finish(1 - _line(-1.0, 2 / _ends(M, sym), M, dtype, device).abs(), requires_grad)


@_window("cosine")
def cosine(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """Half a period of a sine.

    >>> import torsh
    >>> torsh.signal.windows.cosine(4)
    tensor([0.3827, 0.9239, 0.9239, 0.3827])
    """
    dtype = _check("cosine", M, dtype, layout)
    if M == 0:
        return _short(M, dtype, device, requires_grad)
    step = math.pi / (M + 1 if not sym and M > 1 else M)
    return _finish(_line(0.5 * step, step, M, dtype, device).sin(), requires_grad)


@_window("exponential")
def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-|n - center| / tau); center None: the middle.

    >>> import torsh
    >>> torsh.signal.windows.exponential(5, tau=2.)
    tensor([0.3679, 0.6065, 1.0000, 0.6065, 0.3679])
    """
    dtype = _check("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M == 0:
        return _short(M, dtype, device, requires_grad)
    middle = (M if not sym and M > 1 else M - 1) / 2.0 if center is None else center
    return _finish((-_line(-middle / tau, 1 / tau, M, dtype, device).abs()).exp(), requires_grad)


@_window("gaussian")
def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """A bell of standard deviation ``std``.

    >>> import torsh
    >>> torsh.signal.windows.gaussian(5, std=1.)
    tensor([0.1353, 0.6065, 1.0000, 0.6065, 0.1353])
    """
    dtype = _check("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return _short(M, dtype, device, requires_grad)
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    scale = 1 / (std * math.sqrt(2))
    k = _line(-middle * scale, scale, M, dtype, device)
    return _finish((-(k * k)).exp(), requires_grad)


def _kaiser(M: int, beta: float, ends: int, dtype: Any, device: Any, requires_grad: bool) -> Any:
    # Summed up in float64: i0 of a large beta.
    k = _line(-beta, 2.0 * beta / ends, M, dtypes.float64, device)
    i0 = _torch("i0")
    w = i0((beta * beta - k * k).clamp(min=0).sqrt()) / i0(
        _torch("full")((), beta, dtype=dtypes.float64, device=device)
    )
    return _finish(w.to(dtype), requires_grad)


@_window("kaiser")
def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The Kaiser window; ``beta`` sets how steep it is.

    >>> import torsh
    >>> torsh.signal.windows.kaiser(5, beta=4.)
    tensor([0.0885, 0.6334, 1.0000, 0.6334, 0.0885])
    """
    dtype = _check("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return _short(M, dtype, device, requires_grad)
    return _kaiser(M, float(beta), _ends(M, sym), dtype, device, requires_grad)


for _f in (
    general_cosine,
    general_hamming,
    hamming,
    hann,
    blackman,
    nuttall,
    bartlett,
    cosine,
    exponential,
    gaussian,
    kaiser,
):
    add_doc(_f, _SOURCE.format(_f.__name__))


# ---- the older forms -----------------------------------------------------------------------------------------------


def _check_old(name: str, length: Any, dtype: Any, layout: Any) -> Any:
    if isinstance(length, bool) or not isinstance(length, int):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(length).__name__}")
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    if layout is not None and "strided" not in str(layout):
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    return dtype


def _old_cosines(
    name: str, length: Any, periodic: bool, a: Any, dtype: Any, layout: Any, device: Any, grad: bool
) -> Any:
    dtype = _check_old(name, length, dtype, layout)
    w = _cosines(name, length, a, not periodic, dtypes.float64, None, device, False)
    return _finish(w.to(dtype), grad)


@composite("torch.hann_window", out=True, tags="creation")
def hann_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """The Hann window; ``periodic`` for one to be repeated, the usual case of spectral analysis.

    window_length: the number of values. periodic: the window of length + 1 without its last value, for spectra; False: the symmetric one.
    dtype: floating, default the default floating type.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.hann_window.html

    >>> import torsh
    >>> torsh.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    >>> torsh.hann_window(4, periodic=False)
    tensor([0.0000, 0.7500, 0.7500, 0.0000])
    """
    if pin_memory:
        check_pinnable()
    return _old_cosines("hann_window", window_length, periodic, [0.5, 0.5], dtype, layout, device, requires_grad)


@composite("torch.hamming_window", out=True, tags="creation")
def hamming_window(
    window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None, pin_memory=False,
    requires_grad=False,
):  # fmt: skip
    """The Hamming window, alpha - beta * cos.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.hamming_window.html

    >>> import torsh
    >>> torsh.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    if pin_memory:
        check_pinnable()
    return _old_cosines("hamming_window", window_length, periodic, [alpha, beta], dtype, layout, device, requires_grad)


@composite("torch.blackman_window", out=True, tags="creation")
def blackman_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """The Blackman window.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.blackman_window.html

    >>> import torsh
    >>> torsh.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    if pin_memory:
        check_pinnable()
    a = [0.42, 0.5, 0.08]
    return _old_cosines("blackman_window", window_length, periodic, a, dtype, layout, device, requires_grad)


@composite("torch.bartlett_window", out=True, tags="creation")
def bartlett_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
):
    """A triangle that is zero at its ends.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.bartlett_window.html

    >>> import torsh
    >>> torsh.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    if pin_memory:
        check_pinnable()
    dtype = _check_old("bartlett_window", window_length, dtype, layout)
    w = bartlett(window_length, sym=not periodic, dtype=dtypes.float64, device=device)
    return _finish(w.to(dtype), requires_grad)


@composite("torch.kaiser_window", out=True, tags="creation")
def kaiser_window(
    window_length,
    periodic=True,
    beta=12.0,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """The Kaiser window; ``beta`` sets how steep it is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.kaiser_window.html

    >>> import torsh
    >>> torsh.kaiser_window(4, True, 2.)
    tensor([0.4387, 0.8348, 1.0000, 0.8348])
    """
    if pin_memory:
        check_pinnable()
    dtype = _check_old("kaiser_window", window_length, dtype, layout)
    if window_length <= 1:
        return _short(window_length, dtype, device, requires_grad)
    return _kaiser(window_length, float(beta), _ends(window_length, not periodic), dtype, device, requires_grad)
