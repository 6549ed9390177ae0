"""Samples of Fourier transforms and window functions."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.fft.fft", "torch.fft.ifft", "torch.fft.rfft", "torch.fft.irfft", "torch.fft.hfft", "torch.fft.ihfft")
def one(make):
    yield S(make(8))
    yield S(make(3, 5), dim=0)
    yield S(make(3, 5), n=7, norm="ortho").named("longer")
    yield S(make(2, 9), n=6, norm="forward").named("shorter")


@samples(
    "torch.fft.fftn", "torch.fft.ifftn", "torch.fft.rfftn", "torch.fft.irfftn", "torch.fft.hfftn", "torch.fft.ihfftn",
    "torch.fft.fft2", "torch.fft.ifft2", "torch.fft.rfft2", "torch.fft.irfft2", "torch.fft.hfft2", "torch.fft.ihfft2",
)  # fmt: skip
def several(make):
    yield S(make(4, 6))
    yield S(make(2, 4, 5), s=(3, 6), dim=(0, 2))
    yield S(make(2, 4, 5), dim=(-1, -2), norm="ortho")


@samples("torch.fft.fftfreq", "torch.fft.rfftfreq")
def frequencies(make):
    yield S(5)
    yield S(8, 0.25)


@samples("torch.fft.fftshift", "torch.fft.ifftshift")
def shift(make):
    yield S(make(5))
    yield S(make(3, 4), dim=1)
    yield S(make(3, 4), dim=(0, 1))


@samples("torch.stft")
def stft(make):
    yield S(make(40), 8, return_complex=True)
    yield S(make(2, 40), 8, 3, 6, make(6), center=False, return_complex=True)
    yield S(make(40), 8, normalized=True, onesided=False, return_complex=True)


@samples("torch.istft")
def istft(make):
    yield S(make(5, 9), 8)
    yield S(make(2, 5, 9), 8, 2, length=14)


@samples(
    "torch.hann_window", "torch.hamming_window", "torch.blackman_window", "torch.bartlett_window", "torch.kaiser_window"
)
def old_window(make):
    yield S(7)
    yield S(8, False)
    yield S(1)
    yield S(0)


@samples(*(
    f"torch.signal.windows.{n}"
    for n in ("bartlett", "blackman", "cosine", "exponential", "gaussian", "general_hamming", "hamming", "hann",
              "kaiser", "nuttall")
))  # fmt: skip
def window(make):
    yield S(7)
    yield S(8, sym=False)
    yield S(1)
    yield S(0)


@samples("torch.signal.windows.general_cosine")
def general_cosine(make):
    yield S(7, a=[0.4, 0.3, 0.2, 0.1])
