"""The short-time Fourier transform and its inverse."""

from __future__ import annotations

import math
import warnings
from typing import Any

from torsh.ops._args import check_tensor, has_values
from torsh.ops._op import composite
from torsh.ops.fft import _c2c, _c2r, _r2c, promote, resize


def _describe(name: str, input: Any, **args: Any) -> str:
    inside = ", ".join(f"{k}={v}" for k, v in args.items())
    return f"{name}({input.type()}{list(input.shape)}, {inside})"


def _widen(window: Any, n_fft: int) -> Any:
    """A window with zeros on both sides up to the length of a frame."""
    from torsh.ops.joining import cat

    left = (n_fft - window.shape[0]) // 2
    zeros = window.new_zeros((n_fft,))
    return cat([zeros.narrow(0, 0, left), window, zeros.narrow(0, 0, n_fft - left - window.shape[0])], 0)


@composite("torch.stft Tensor.stft")
def stft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False,
    onesided=None, return_complex=None, align_to_window=None,
):  # fmt: skip
    """Fourier transforms of overlapping frames of a signal (..., time): (..., frequency, frame), complex.

    n_fft: points of a frame.  hop_length: distance of frames (default n_fft // 4).  window: weights of ``win_length``
    (default n_fft) points.  center: whether frames are centred on their time, with the signal padded at both ends.
    normalized: divide by sqrt(n_fft).  onesided: leave out mirror images (default where signal and window are real).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.stft.html

    >>> import torsh
    >>> x = torsh.sin(torsh.arange(16.))
    >>> torsh.stft(x, n_fft=8, window=torsh.hann_window(8), return_complex=True).shape
    torsh.Size([5, 9])
    """
    check_tensor(input, "stft")
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if not input._kind.inexact:
        raise RuntimeError(
            f"stft({input.type()}{list(input.shape)}) : expected a tensor of floating point or complex values"
        )
    promote(input)  # refuses low precision
    if center:
        if align_to_window:
            raise RuntimeError("stft only supports align_to_window for center=False")
        from torsh.ops import NAMES

        extra = [1] * (3 - input.ndim) if input.ndim < 3 else []
        padded = input.reshape(*extra, *input.shape)
        padded = NAMES["torch.nn.functional"]["pad"](padded, (n_fft // 2, n_fft // 2), pad_mode)
        input = padded.reshape(*input.shape[:-1], padded.shape[-1])

    def bad(why: str) -> RuntimeError:
        about = _describe(
            "stft", input, n_fft=n_fft, hop_length=hop, win_length=length,
            window=None if window is None else f"{window.type()}{{{list(window.shape)}}}",
            normalized=int(bool(normalized)),
            onesided=onesided, return_complex=return_complex, align_to_window=align_to_window,
        )  # fmt: skip
        return RuntimeError(f"{about} : {why}")

    if input.ndim not in (1, 2):
        raise bad("expected a 1D or 2D tensor")
    n = input.shape[-1]
    if not 0 < n_fft <= n:
        raise bad(f"expected 0 < n_fft < {n}, but got n_fft={n_fft}")
    if hop <= 0:
        raise bad(f"expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise bad(f"expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and tuple(window.shape) != (length,):
        raise bad(
            f"expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window.shape)}"
        )
    is_complex = input._kind.complex or (window is not None and window._kind.complex)
    if return_complex is None:
        if not is_complex:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    if not return_complex:
        warnings.warn(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex "
            "tensors for all inputs, and return_complex=False will raise an error.",
            UserWarning,
            stacklevel=3,
        )
    if onesided is None:
        onesided = not is_complex
    elif onesided and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if window is not None and length < n_fft:
        window = _widen(window, n_fft)
    elif window is None and length < n_fft:
        window = _widen(input.new_ones((length,)), n_fft)
    batched = input.ndim == 2
    frames = (input if batched else input.unsqueeze(0)).unfold(-1, n_fft, hop)
    if window is not None:
        frames = frames * window
    scale = 1 / math.sqrt(n_fft) if normalized else 1.0
    if frames._kind.complex:
        found = _c2c.op(frames, (2,), scale, True)
    else:
        found = _r2c.op(frames, (2,), scale, bool(onesided), n_fft)
    found = found.transpose(1, 2)
    found = found if batched else found.squeeze(0)
    if return_complex:
        return found
    from torsh.ops import NAMES

    return NAMES["torch"]["view_as_real"](found)


@composite("torch.istft Tensor.istft")
def istft(
    input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None,
    length=None, return_complex=False,
):  # fmt: skip
    """The signal whose ``stft`` with the same arguments is nearest to ``input`` (..., frequency, frame).

    length: of the result; without it, what the frames cover.  Raises RuntimeError where the windows leave gaps.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.istft.html

    >>> import torsh
    >>> x, window = torsh.sin(torsh.arange(16.)), torsh.hann_window(8)
    >>> spectrum = torsh.stft(x, 8, window=window, return_complex=True)
    >>> torsh.allclose(torsh.istft(spectrum, 8, window=window), x, atol=1e-6)
    True
    """
    check_tensor(input, "istft")
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length

    def bad(why: str) -> RuntimeError:
        about = _describe(
            "istft", input, n_fft=n_fft, hop_length=hop, win_length=width,
            window=None if window is None else f"{window.type()}{{{list(window.shape)}}}", center=int(bool(center)),
            normalized=int(bool(normalized)), onesided=onesided, length=length,
            return_complex=int(bool(return_complex)),
        )  # fmt: skip
        return RuntimeError(about + why)

    if not input._kind.complex:
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if input.numel() == 0:
        raise bad(" : input tensor cannot be empty.")
    if input.ndim not in (2, 3):
        raise bad(f" : expected a tensor with 2 or 3 dimensions, but got {input.ndim}")
    size, count = input.shape[-2:]
    onesided = size != n_fft if onesided is None else onesided
    if onesided and n_fft // 2 + 1 != size:
        raise bad(f" : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft / 2 + 1 "
                  f"when onesided=True, but got {size}")  # fmt: skip
    if not onesided and n_fft != size:
        raise bad(f" : expected the frequency dimension (3rd to the last) of the input tensor to match n_fft when "
                  f"onesided=False, but got {size}")  # fmt: skip
    if not 0 < hop <= width:
        raise bad(" : expected 0 < hop_length <= win_length")
    if not 0 < width <= n_fft:
        raise bad(" : expected 0 < win_length <= n_fft")
    if window is not None and tuple(window.shape) != (width,):
        raise bad(
            f" : Invalid window shape. window has to be 1D and length of `win_length`, but got {list(window.shape)}"
        )
    if return_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window._kind.complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    real = input.dtype.to_real()
    weights = input.new_ones((width,), dtype=real) if window is None else window
    if width != n_fft:
        weights = _widen(weights, n_fft)
    batched = input.ndim == 3
    frames = (input if batched else input.unsqueeze(0)).transpose(1, 2)
    scale = 1 / math.sqrt(n_fft) if normalized else 1 / n_fft
    if return_complex:
        frames = _c2c.op(frames, (2,), scale, False)
    else:
        if not onesided:
            frames = frames.narrow(-1, 0, n_fft // 2 + 1)
        frames = _c2r.op(frames, (2,), scale, n_fft)
    frames = frames * weights
    total = n_fft + hop * (count - 1)
    signal = _overlap(frames, total, hop)
    squares = (weights * weights).expand(1, count, n_fft)
    envelope = _overlap(squares, total, hop)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    stop = min(end, total)
    signal, envelope = signal.narrow(1, start, stop - start), envelope.narrow(1, start, stop - start)
    low = envelope.detach().abs().min() if stop > start and has_values(envelope) else None
    if low is not None and bool(low < 1e-11):
        raise bad(f" window overlap add min: {int(bool(low >= 1e-11))}; the windows leave samples without weight")
    signal = signal / envelope
    if end > total:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the "
            "tail. Please check your center and hop_length settings.",
            UserWarning,
            stacklevel=3,
        )
        signal = resize(signal, 1, end - start)
    return signal if batched else signal.squeeze(0)


def _overlap(frames: Any, total: int, hop: int) -> Any:
    """Frames (batch, frame, point) added up where they overlap, ``hop`` points apart."""
    from torsh.ops import NAMES

    batch, count, n = frames.shape
    arange = NAMES["torch"]["arange"]
    at = (arange(count, device=frames.device) * hop).unsqueeze(1) + arange(n, device=frames.device)
    return frames.new_zeros((batch, total)).index_add(1, at.reshape(-1), frames.reshape(batch, -1))
