"""Samples of complex numbers."""

from __future__ import annotations

import numpy as np

from torsh_conformance.sample import S, samples


@samples("torch.complex", "torch.polar")
def complex(make):
    yield S(make(3, 4, low=0.1, high=2), make(3, 4))
    yield S(make(3, 1, low=0.1, high=2), make(4)).named("broadcast")
    yield S(make(0, low=0), make(0)).named("empty")


@samples("torch.view_as_complex", "torch.view_as_complex_copy")
def view_as_complex(make):
    # The last dimension has to have stride 1.
    yield S(make(3, 4, 2)).without("noncontiguous")
    yield S(make(2)).named("0-d").without("noncontiguous")
    yield S(make(4, 3, 2)[::2]).named("strided")
    yield S(make(3, 4)).named("wrong size")


@samples("torch.view_as_real", "torch.real", "torch.imag")
def view_as_real(make):
    yield S(make(3, 4))
    yield S(make()).named("0-d")
    yield S(make(4, 3).T).named("transposed")
    yield S(make(0, 3)).named("empty")


@samples("torch._neg_view", "torch._neg_view_copy")
def neg_view(make):
    yield S(make(3, 4))
    yield S(make()).named("0-d")
    yield S(make(4, 3).T).named("transposed")
    if make.dtype.name != "bool":  # an empty one can be made, and neither has negatives to be read
        yield S(make(0, 3)).named("empty")


@samples("torch.angle")
def angle(make):
    yield S(make(3, 4))
    yield S(make(4, 3).T).named("transposed")
    if not make.dtype.is_complex:
        yield S(make.special()).named("special values")
    else:
        yield S((np.array([1, -1, 1j, -1j, 0]) * 2).astype(make(1).dtype)).named("axes").without("grad")
