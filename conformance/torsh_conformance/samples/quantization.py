"""Samples of simulated quantisation and of indices of a fixed number."""

from torsh_conformance.sample import S, samples


@samples("torch.fake_quantize_per_tensor_affine")
def fake_quantize_per_tensor_affine(make):
    yield S(make(3, 4), 0.1, 2, 0, 20)
    yield S(make(3, 4).T, 0.5, 0, -8, 7)
    yield S(make(), 0.1, 0, 0, 255)
    yield S(make(0, 3), 0.1, 0, 0, 255)


@samples("torch.fake_quantize_per_channel_affine")
def fake_quantize_per_channel_affine(make):
    scale = make(3, low=0.1, high=1.0, dtype="float32")
    zero = make(3, low=0, high=5, dtype="int32")
    yield S(make(3, 4), scale, zero, 0, 0, 20)
    yield S(make(2, 3), scale, zero, 1, -8, 7)


@samples("torch.nonzero_static")
def nonzero_static(make):
    yield S(make(3, 4), size=5)
    yield S(make(5), size=9, fill_value=7)
    yield S(make(), size=2)
    yield S(make(0, 3), size=1)
