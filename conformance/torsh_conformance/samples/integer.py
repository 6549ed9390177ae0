"""Samples of integer-only functions."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.lcm")
def lcm(make):
    # Without the smallest integer: PyTorch's kernel divides it by -1, which ends the process with SIGFPE.
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 1), make(4)).named("broadcast")
    yield S(make(3), make()).named("0-d")
    yield S(make(0, 3), make(3)).named("empty")
    yield S(make(4, 3).T, make(3, 4)).named("transposed")
