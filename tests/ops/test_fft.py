"""Fourier transforms: derivatives, round trips, errors; windows and the short-time transform."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def values(*shape, complex=False):
    rng = np.random.default_rng(0)
    a = rng.normal(size=shape)
    return a + 1j * rng.normal(size=shape) if complex else a


def numpy(t):
    return t.detach().resolve_conj().numpy()


CASES = [
    ("fft", (7,), False, {}), ("fft", (7,), True, {"n": 9}), ("ifft", (3, 4), True, {"dim": 0, "norm": "ortho"}),
    ("rfft", (7,), False, {}), ("rfft", (8,), False, {"norm": "forward"}), ("irfft", (5,), True, {}),
    ("irfft", (5,), True, {"n": 9}), ("hfft", (5,), True, {}), ("ihfft", (6,), False, {}),
    ("rfftn", (3, 4, 5), False, {"dim": (0, 2)}), ("irfft2", (4, 3), True, {"s": (4, 5)}),
    ("hfft2", (3, 4), True, {}), ("ihfft2", (3, 4), False, {}), ("ifftn", (2, 3), True, {"s": (3, 3)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "complex", "options"), CASES)
def test_first_and_second_derivatives(name, shape, complex, options):
    def derivatives(m, x):
        x.requires_grad_()
        y = getattr(m.fft, name)(x, **options)
        weight = m.arange(y.numel(), dtype=m.float64).reshape(y.shape)
        (first,) = m.autograd.grad((y * y.conj() * y * weight).sum().abs(), x, create_graph=True)
        (second,) = m.autograd.grad((first * first.conj()).sum().abs(), x)
        return first, second

    a = values(*shape, complex=complex)
    for found, wanted in zip(derivatives(torsh, torsh.tensor(a)), derivatives(torch, torch.from_numpy(a))):
        np.testing.assert_allclose(numpy(found), numpy(wanted), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "complex64"])
def test_precision_follows_the_input(dtype):
    a = np.ones(4)
    found = torsh.fft.fft(torsh.tensor(a).to(getattr(torsh, dtype)))
    wanted = torch.fft.fft(torch.from_numpy(a).to(getattr(torch, dtype)))
    assert found.dtype.name == str(wanted.dtype).removeprefix("torch.")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f, x: f.fft(x, n=0), RuntimeError, "Invalid number of data points"),
        (lambda f, x: f.fft(x, norm="no"), RuntimeError, "Invalid normalization mode"),
        (lambda f, x: f.rfft(x.to(torsh.complex64)), RuntimeError, "rfft expects a real input tensor"),
        (lambda f, x: f.fftn(x, s=(2, 2)), RuntimeError, "Got shape with 2 values"),
        (lambda f, x: f.fft(x.half()), RuntimeError, "Unsupported dtype Half"),
        (lambda f, x: f.fft2(x), IndexError, "Dimension out of range"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(torsh.fft, torsh.ones(4))


STFT = [
    {"n_fft": 8}, {"n_fft": 8, "hop_length": 3, "win_length": 6}, {"n_fft": 7, "normalized": True},
    {"n_fft": 8, "onesided": False}, {"n_fft": 8, "hop_length": 2, "center": False},
]  # fmt: skip


@pytest.mark.parametrize("options", STFT)
def test_istft_undoes_stft(options):
    a = values(2, 32)
    n = options.get("win_length", options["n_fft"])
    window = torsh.hamming_window(n, dtype=torsh.float64)
    spectrum = torsh.stft(torsh.tensor(a), window=window, return_complex=True, **options)
    wanted = torch.stft(
        torch.from_numpy(a), window=torch.hamming_window(n, dtype=torch.float64), return_complex=True, **options
    )
    np.testing.assert_allclose(numpy(spectrum), numpy(wanted), atol=1e-10)
    back = numpy(torsh.istft(spectrum, window=window, **options))
    np.testing.assert_allclose(back, a[:, : back.shape[1]], atol=1e-10)


def test_istft_refuses_windows_with_gaps():
    with pytest.raises(RuntimeError, match="window overlap add min"):
        torsh.istft(torsh.ones(5, 4, dtype=torsh.complex64), 8, window=torsh.zeros(8))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda w: w.hann(-1), ValueError),
        (lambda w: w.hann(3, dtype=torsh.int32), ValueError),
        (lambda w: w.kaiser(3, beta=-1), ValueError),
        (lambda w: w.general_cosine(3, a=1), TypeError),
        (lambda w: w.exponential(3, center=1.0), ValueError),
    ],
)
def test_windows_refuse(call, error):
    with pytest.raises(error):
        call(torsh.signal.windows)
