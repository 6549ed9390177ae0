"""Distributions of angles."""

from __future__ import annotations

import math
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.distributions import constraints as c
from torsh.distributions.distribution import Distribution, broadcast_all
from torsh.tensor import Tensor


class VonMises(Distribution):
    """The von Mises distribution of an angle in radians.

    Samples are drawn by rejection from a wrapped Cauchy distribution (Best and Fisher 1979,
    https://doi.org/10.2307/2346732).
    Source: https://docs.pytorch.org/docs/stable/distributions.html#vonmises

    >>> import torsh
    >>> from torsh.distributions import VonMises
    >>> VonMises(torsh.tensor(0.), torsh.tensor(4.)).log_prob(torsh.tensor(0.))
    tensor(-0.2628)
    """

    arg_constraints = {"loc": c.real, "concentration": c.positive}
    support = c.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    mean = mode = property(lambda self: self.loc)

    @property
    def variance(self) -> Tensor:
        """The circular variance."""
        import torsh

        return 1 - torsh.special.i1e(self.concentration) / torsh.special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        import torsh

        self._validate_sample(value)
        k = self.concentration
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - (torsh.special.i0e(k).log() + k)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        shape = tuple(self._extended_shape(sample_shape))
        with no_grad():
            loc, k = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            # For small k the closed form cancels: its series instead.
            r = torsh.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
            x = torsh.zeros(shape, dtype=loc.dtype, device=loc.device)
            done = torsh.zeros(shape, dtype=torsh.bool, device=loc.device)
            while not bool(done.all()):
                u1, u2, u3 = torsh.rand((3, *shape), dtype=loc.dtype, device=loc.device).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                d = k * (r - f)
                accept = ((d * (2 - d) - u2) > 0) | ((d / u2).log() + 1 - d >= 0)
                x = torsh.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)


__all__ = ["VonMises"]
