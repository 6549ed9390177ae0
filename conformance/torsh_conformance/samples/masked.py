"""Samples of torch.masked."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


def _mask(make, *shape):
    """A mask that selects at least two elements of every row: where nothing is selected, gradients are anybody's guess."""
    mask = make.bools(*shape)
    mask[..., :2] = True
    return mask


@samples(*(f"torch.masked.{n}" for n in ("sum", "prod", "amax", "amin", "mean", "var", "std", "logsumexp")))
def reduction(make):
    yield S(make(3, 4), 1, mask=_mask(make, 3, 4))
    yield S(make(2, 3, 4), (0, 2), keepdim=True, mask=_mask(make, 3, 4))
    yield S(make(3, 4))


@samples("torch.masked.argmax", "torch.masked.argmin")
def position(make):
    yield S(make.distinct(3, 4), 1, mask=_mask(make, 3, 4))


@samples("torch.masked.median")
def median(make):
    yield S(make.distinct(3, 5), 1, mask=_mask(make, 3, 5))


@samples("torch.masked.norm")
def norm(make):
    yield S(make(3, 4), 2.0, 1, mask=_mask(make, 3, 4))


@samples("torch.masked.normalize")
def normalize(make):
    yield S(make(3, 4), 2.0, 1, mask=_mask(make, 3, 4))


@samples(*(f"torch.masked.{n}" for n in ("cumsum", "cumprod", "softmax", "log_softmax", "softmin")))
def along(make):
    yield S(make(3, 4), 1, mask=_mask(make, 3, 4))
    yield S(make(3, 4), 0)


@samples("torch.masked.logaddexp")
def logaddexp(make):
    # Where one operand is left out it is -inf, whose second derivatives PyTorch gives as nan.
    yield S(make(3, 4), make(3, 4), input_mask=_mask(make, 3, 4), other_mask=_mask(make, 4)).without("grad")
