"""Samples of resampling, padding and patches."""

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "interpolate")
def interpolate(make):
    yield S(make(2, 3, 5), 7)
    yield S(make(1, 2, 4, 5), scale_factor=1.7, mode="nearest-exact")
    yield S(make(2, 3, 5), 8, mode="linear", align_corners=True)
    yield S(make(1, 2, 4, 5), (6, 3), mode="bilinear", align_corners=False)
    yield S(make(1, 2, 4, 5), scale_factor=(1.5, 2.0), mode="bicubic")
    yield S(make(1, 1, 2, 3, 2), (3, 4, 3), mode="trilinear")
    yield S(make(1, 2, 8, 9), (4, 3), mode="bilinear", antialias=True)
    yield S(make(1, 2, 6, 5), (4, 3), mode="area")


@samples(F + "upsample", F + "upsample_nearest", F + "upsample_bilinear")
def upsample(make):
    yield S(make(1, 2, 3, 4), scale_factor=2)


@samples(F + "grid_sample")
def grid_sample(make):
    yield S(make(2, 3, 4, 5), make(2, 3, 2, 2, low=-1.2, high=1.2), align_corners=False)
    yield S(make(1, 2, 4, 5), make(1, 3, 2, 2, low=-1.2, high=1.2), "bicubic", "border", True)
    yield S(make(1, 2, 4, 5), make(1, 3, 2, 2, low=-1.6, high=1.6), "nearest", "reflection", False)
    yield S(make(1, 2, 3, 4, 5), make(1, 2, 3, 2, 3, low=-1.2, high=1.2), "bilinear", "reflection", True)


@samples("torch.grid_sampler")
def grid_sampler(make):
    yield S(make(2, 3, 4, 5), make(2, 3, 2, 2, low=-1.2, high=1.2), 0, 1, False)


@samples(F + "affine_grid")
def affine_grid(make):
    yield S(make(2, 2, 3), (2, 3, 4, 5), align_corners=False)
    yield S(make(1, 3, 4), (1, 2, 2, 3, 4), align_corners=True)


@samples("torch.affine_grid_generator")
def affine_grid_generator(make):
    yield S(make(2, 2, 3), (2, 3, 4, 5), False)


@samples("torch.pixel_shuffle", F + "pixel_shuffle")
def pixel_shuffle(make):
    yield S(make(2, 8, 3, 2), 2)


@samples("torch.pixel_unshuffle", F + "pixel_unshuffle")
def pixel_unshuffle(make):
    yield S(make(2, 2, 4, 6), 2)


@samples("torch.channel_shuffle", F + "channel_shuffle", "torch.native_channel_shuffle")
def channel_shuffle(make):
    yield S(make(2, 6, 3, 2), 3)


@samples(F + "unfold")
def unfold(make):
    yield S(make(2, 3, 5, 6), (2, 3), 1, 1, 2)
    yield S(make(3, 5, 6), 2)


@samples(F + "fold")
def fold(make):
    yield S(make(2, 12, 12), (4, 5), 2)
    yield S(make(2, 8, 9), (5, 5), 2, 1, 1, 2)


@samples(F + "pad")
def pad(make):
    yield S(make(2, 3, 4), (1, 2, 0, 1), value=0.5)
    yield S(make(2, 3, 4), (-1, 2))
    yield S(make(1, 2, 4, 5), (2, 1, 1, 3), "reflect")
    yield S(make(1, 2, 4, 5), (2, -1, 1, 3), "replicate")
    yield S(make(2, 3, 4), (2, 3), "circular")


@samples("torch.constant_pad_nd")
def constant_pad_nd(make):
    yield S(make(2, 3), (1, 2), 3.0)
